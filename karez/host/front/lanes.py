"""Lanes: how many requests a process of the site works on at once, how many may wait for it and how long. Knows no
addresses.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from karez.system import paths

PAGES_SOCKET, HEAVY_SOCKET = paths.VAR / "run" / "pages.sock", paths.VAR / "run" / "heavy.sock"
PAGES_PLACES, HEAVY_PLACES, PROOF_PLACES = 4, 2, 2


class Full(Exception):
    """Nobody more may wait, or the wait was too long; `code` is that of an answer of `karez.web.plain`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Lane:
    """Places at one process, first come, first served. Who cannot wait is told at once."""

    socket: Path
    places: int
    waiting: int
    patience_seconds: float
    full: str = "site.busy"
    _taken: int = 0
    _queue: "deque[asyncio.Future[None]]" = field(default_factory=deque)

    async def enter(self) -> None:
        """Takes a place; raises Full."""
        if self._taken < self.places:
            self._taken += 1
            return
        if len(self._queue) >= self.waiting:
            raise Full(self.full)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self.patience_seconds):
                await turn
        except (TimeoutError, asyncio.CancelledError) as end:
            if turn in self._queue:
                self._queue.remove(turn)
            elif turn.done() and not turn.cancelled():
                self.leave()  # the place came in the same moment
            if isinstance(end, TimeoutError):
                raise Full(self.full) from None
            raise

    def leave(self) -> None:
        """Gives the place to who waits longest."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._taken -= 1
