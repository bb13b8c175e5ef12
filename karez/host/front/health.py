"""Whether the site is healthy, answered by the front itself: no thread of the site is needed, and the wait is short.
Holds no page.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import psycopg

from karez.system import database

SECONDS = 0.7  # after which what did not answer counts as not answering


class Health:
    """Asks the database over a connection of its own, and whether the processes of pages and of heavy work take
    connections, which they do while they are merely busy. Who asks at once shares one look.
    """

    def __init__(self, pages: Path, heavy: Path) -> None:
        self._pages, self._heavy = pages, heavy
        self._look: asyncio.Task[bool] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def told(self) -> dict[str, bool]:
        """What is well: the whole, the database, the pages, heavy work."""
        data, pages, heavy = await asyncio.gather(
            self._database(), _takes_connections(self._pages), _takes_connections(self._heavy)
        )
        return {"healthy": data and pages and heavy, "database": data, "pages": pages, "heavy": heavy}

    async def _database(self) -> bool:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._asked())
        try:
            return await asyncio.wait_for(asyncio.shield(self._look), SECONDS)
        except TimeoutError:
            return False

    async def _asked(self) -> bool:
        """One question, over a new connection where the old one is dead."""
        for _ in range(2):
            try:
                async with asyncio.timeout(10):
                    if self._connection is None:
                        self._connection = await psycopg.AsyncConnection.connect(
                            database.conninfo(database.APP), autocommit=True, connect_timeout=3
                        )
                    await self._connection.execute("SELECT 1")
                    return True
            except (psycopg.Error, OSError, TimeoutError):
                with contextlib.suppress(psycopg.Error, OSError):
                    if self._connection is not None:
                        await self._connection.close()
                self._connection = None
        return False


async def _takes_connections(process: Path) -> bool:
    try:
        async with asyncio.timeout(SECONDS):
            _reader, writer = await asyncio.open_unix_connection(str(process))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
