"""The body of a request, taken whole before a thread of the site is used: bounded in size, in time and in number, and
that by lane and by who sends, so that strangers take no place of the officers'. Reads no content.

What is small stays in memory; what is larger lies in a file readable by its owner alone, removed when the request is
over and, for what a kill left behind, at the next start.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from karez.kernel.lanes import FORM_BYTES, HEAVY, PROOF, Way
from karez.system import paths

FOLDER = paths.SCRATCH / "bodies"
IN_MEMORY = 32 * 1024
PATIENCE_SECONDS = 15.0  # that a body may take whatever its size
BYTES_A_SECOND = 8 * 1024  # and at least so fast from then on
AT_ONCE, AT_ONCE_OF_ONE = 2048, 512  # bodies being received; of them from one address: an office shares one
# Of them larger than a form, and of these from one address. Each lane has places of its own.
LARGE_AT_ONCE, LARGE_OF_ONE = {HEAVY: 12, PROOF: 6}, {HEAVY: 6, PROOF: 2}
_FULL = {PROOF: "site.proofs_busy"}
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
        self.under_way: set[_Receiving] = set()

    @contextlib.asynccontextmanager
    async def taken(
        self,
        receive: Receive,
        headers: dict[bytes, bytes],
        way: Way,
        who: str,
        may_be_large: Callable[[], Awaitable[bool]],
    ) -> AsyncIterator[Body]:
        """The body of a request that comes from the address `who`, for the time of the block; raises NotTaken or Gone."""
        told = _length(headers)
        if told == 0:
            yield Body()
            return
        if told is not None and told > way.body_bytes:
            raise NotTaken("site.too_large")
        if len(self.under_way) >= AT_ONCE or sum(other.who == who for other in self.under_way) >= AT_ONCE_OF_ONE:
            raise NotTaken("site.busy")
        receiving = _Receiving(self, receive, told, way, who, may_be_large)
        self.under_way.add(receiving)
        try:
            try:
                body = await receiving.whole()
            finally:
                self.under_way.discard(receiving)
            yield body
        finally:
            receiving.remove()

    def take_large(self, one: "_Receiving") -> None:
        """Gives a place for a body beyond a form's size, where its lane and its sender have one and the disk has room
        for all of them.
        """
        lane = one.way.lane
        others = [other for other in self.under_way if other.is_large]
        of_lane = [other for other in others if other.way.lane == lane]
        if len(of_lane) >= LARGE_AT_ONCE.get(lane, 0) or sum(
            other.who == one.who for other in of_lane
        ) >= LARGE_OF_ONE.get(lane, 0):
            raise NotTaken(_FULL.get(lane, "site.busy"))
        require_room(one.still_wants() + sum(other.still_wants() for other in others))
        one.is_large = True


class _Receiving:
    """One body on its way."""

    def __init__(
        self,
        all_: Bodies,
        receive: Receive,
        told: int | None,
        way: Way,
        who: str,
        may_be_large: Callable[[], Awaitable[bool]],
    ) -> None:
        self._all, self._receive, self._told, self._may_be_large = all_, receive, told, may_be_large
        self.way, self.who = way, who
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
            with _full_disk_told():
                self._file.close()
            return Body(path=self._path, size=self._size)
        return Body(bytes(self._data), size=self._size)

    async def _take(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self.way.body_bytes:
            raise NotTaken("site.too_large")
        if self._size > FORM_BYTES and not self.is_large:
            await self._large()
        with _full_disk_told():
            if self._file is None and self._size > IN_MEMORY:
                require_room(self._size)
                self._file = tempfile.NamedTemporaryFile(dir=paths.private_folder(FOLDER), prefix="body-", delete=False)  # noqa: SIM115
                self._path = Path(self._file.name)
                self._file.write(self._data)
                self._data.clear()
            (self._data.extend if self._file is None else self._file.write)(piece)

    async def _large(self) -> None:
        """A body beyond a form's size: from who is signed in, few at once, and where there is room for it."""
        if not await self._may_be_large():  # asked first: who is a stranger takes no place while being asked
            raise NotTaken("site.sign_in_first")
        self._all.take_large(self)

    def still_wants(self) -> int:
        """How many bytes of the disk it and its copies may still take."""
        return COPIES * (self._told or self.way.body_bytes) - self._size

    def remove(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written on a full disk is given up
            if self._file is not None:
                self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def has_room(wanted: int = 0) -> bool:
    """Whether so many bytes can be written and the disk is not full thereafter."""
    return shutil.disk_usage(paths.private_folder(paths.SCRATCH)).free >= wanted + ROOM_LEFT


def require_room(wanted: int) -> None:
    """Raises NotTaken where so many bytes cannot be written."""
    with _full_disk_told():
        if not has_room(wanted):
            raise NotTaken("site.no_room")


@contextlib.contextmanager
def _full_disk_told() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise NotTaken("site.no_room") from None


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
