"""The body of a request, taken whole before a thread of the site is used: bounded in size, in time and in number. Reads no content.

What is small stays in memory; what is larger lies in a file readable by its owner alone, removed when the request is over and, for
what a kill left behind, at the next start.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from karez.host import paths
from karez.host.front.table import FORM_BYTES

FOLDER = paths.SCRATCH / "bodies"
IN_MEMORY = 32 * 1024
PATIENCE_SECONDS = 15.0  # that a body may take whatever its size
BYTES_A_SECOND = 8 * 1024  # and at least so fast from then on
AT_ONCE = 2048  # bodies being received
LARGE_AT_ONCE = 6  # of them larger than a form
ROOM_LEFT = 512 * 1024 * 1024  # on the disk, beyond what the body and its copies take
COPIES = 3  # as received, as read by the site, as kept

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class NotTaken(Exception):
    """The body is refused; `code` is that of an answer of `karez.web.plain`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Gone(Exception):
    """Who sent it is no longer there."""


@dataclass
class Body:
    """A body received: in memory, or in a file."""

    data: bytes = b""
    path: Path | None = None
    size: int = 0


class Bodies:
    """Receives bodies for one front server."""

    def __init__(self) -> None:
        self.under_way = self.large_under_way = 0

    @contextlib.asynccontextmanager
    async def taken(
        self, receive: Receive, headers: dict[bytes, bytes], most: int, may_be_large: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[Body]:
        """The body of a request for the time of the block; raises NotTaken or Gone."""
        told = _length(headers)
        if told == 0:
            yield Body()
            return
        if told is not None and told > most:
            raise NotTaken("site.too_large")
        if self.under_way >= AT_ONCE:
            raise NotTaken("site.busy")
        self.under_way += 1
        receiving = _Receiving(self, receive, told, most, may_be_large)
        try:
            try:
                body = await receiving.whole()
            finally:
                self.under_way -= 1
                self.large_under_way -= receiving.is_large
            yield body
        finally:
            receiving.remove()


class _Receiving:
    """One body on its way."""

    def __init__(self, all_: Bodies, receive: Receive, told: int | None, most: int, may_be_large: Callable[[], Awaitable[bool]]) -> None:
        self._all, self._receive, self._told, self._most, self._may_be_large = all_, receive, told, most, may_be_large
        self._size, self._data = 0, bytearray()
        self._path: Path | None = None
        self.is_large = False
        self._file: Any = None

    async def whole(self) -> Body:
        if self._told is not None and self._told > FORM_BYTES:
            await self._large()
        began = asyncio.get_running_loop().time()
        more = True
        while more:
            until = began + PATIENCE_SECONDS + self._size / BYTES_A_SECOND
            try:
                async with asyncio.timeout_at(until):
                    message = await self._receive()
            except TimeoutError:
                raise NotTaken("site.too_slow") from None
            if message["type"] == "http.disconnect":
                raise Gone
            await self._take(message.get("body", b""))
            more = message.get("more_body", False)
        if self._file is not None:
            self._file.close()
            return Body(path=self._path, size=self._size)
        return Body(bytes(self._data), size=self._size)

    async def _take(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._most:
            raise NotTaken("site.too_large")
        if self._size > FORM_BYTES and not self.is_large:
            await self._large()
        if self._file is None and self._size > IN_MEMORY:
            self._file = tempfile.NamedTemporaryFile(dir=paths.private_folder(FOLDER), prefix="body-", delete=False)  # noqa: SIM115
            self._path = Path(self._file.name)
            self._file.write(self._data)
            self._data.clear()
        try:
            (self._data.extend if self._file is None else self._file.write)(piece)
        except OSError:
            raise NotTaken("site.no_room") from None

    async def _large(self) -> None:
        """A body beyond a form's size: from who is signed in, few at once, and where there is room for it."""
        if self._all.large_under_way >= LARGE_AT_ONCE:
            raise NotTaken("site.busy")
        self.is_large = True
        self._all.large_under_way += 1
        if not await self._may_be_large():
            raise NotTaken("site.sign_in_first")
        if shutil.disk_usage(paths.private_folder(FOLDER)).free < COPIES * (self._told or self._most) + ROOM_LEFT:
            raise NotTaken("site.no_room")

    def remove(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def clear() -> None:
    """Removes what a killed server left: at the start, when no other serves this data folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def _length(headers: dict[bytes, bytes]) -> int | None:
    """The size told; None where it is not told, as of a body in chunks."""
    if b"transfer-encoding" in headers:
        return None
    try:
        return max(0, int(headers.get(b"content-length", b"0")))
    except ValueError:
        raise NotTaken("site.unreadable") from None
