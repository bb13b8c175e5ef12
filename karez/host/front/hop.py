"""The way from the front to a process of the site and back: a whole request over a socket, its answer kept for a slow
reader.

The place at the process is given back when the process has answered, however slowly the reader takes the answer and
whether the reader is still there or not. All answers kept have one budget of bytes. Holds no limits of requests.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from karez.host.front.bodies import Body, has_room
from karez.host.front.lanes import Lane
from karez.system import paths

PIECE = 64 * 1024
AHEAD = 256 * 1024 * 1024  # of an answer kept for a reader; beyond it the process waits
KEPT = (
    1024 * 1024 * 1024
)  # of all answers together, beyond what each may have in memory; beyond it their processes wait
WAITS_SECONDS = 60.0  # in all, that a process waits for a reader; then the answer is broken off
_LOOK_SECONDS = 0.25
_IN_MEMORY = 256 * 1024  # of each, whatever the budget: a page goes out while large answers wait
_WHOLE_SECONDS = 900  # after which the place is given back whatever the process does
_OF_THE_HOP = {
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "content-length",
}
OURS = "x-karez-"  # headers between the front and the processes; nobody else's are passed on


class Away(Exception):
    """The process does not answer: it is being started, or ended while it was at work."""


@dataclass
class Asked:
    """A request as the process gets it."""

    method: str
    target: str
    headers: Sequence[tuple[bytes, bytes]]
    peer: str
    number: str
    body: Body


class Budget:
    """The bytes of answers kept on the disk, of one front."""

    def __init__(self, most: int = KEPT) -> None:
        self.most, self.taken = most, 0

    def allows(self, more: int) -> bool:
        """Whether so many more bytes may be kept."""
        return self.taken + more <= self.most and has_room(more)


class Answer:
    """An answer as it comes from the process, kept until the reader has taken it."""

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget, self._charged, self._waited = budget or Budget(), 0, 0.0
        self.head: asyncio.Future[tuple[int, list[tuple[str, str]]]] = asyncio.get_running_loop().create_future()
        self.route = ""
        self._kept: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(paths.private_folder(paths.SCRATCH)))  # noqa: SIM115
        self._written = self._read = 0
        self._changed = asyncio.Event()
        self._ended = self._broken = self._unwanted = False

    async def pieces(self) -> AsyncIterator[tuple[bytes, bool]]:
        """The pieces as they come, each with whether more follow; raises Away where the process ended in the middle."""
        while True:
            if self._read < self._written:
                self._kept.seek(self._read)
                piece = self._kept.read(PIECE)
                self._read += len(piece)
                if self._read == self._written:
                    self._empty()
                self._changed.set()
                last = self._ended and not self._broken and self._read == self._written
                yield piece, not last
                if last:
                    return
            elif self._broken:
                raise Away
            elif self._ended:
                yield b"", False
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    def forget(self) -> None:
        """The reader is gone or has it all: nothing more is kept."""
        self._unwanted = True
        self._changed.set()
        self._charge(0)
        self._kept.close()

    async def keep(self, piece: bytes) -> None:
        """Keeps what the process gave; raises TimeoutError where there is no room for it and the reader takes too
        little.
        """
        while not self._unwanted and not self._has_room(len(piece)):
            if self._waited >= WAITS_SECONDS:
                raise TimeoutError
            began = asyncio.get_running_loop().time()
            self._changed.clear()
            with contextlib.suppress(TimeoutError):  # another answer may have given back what is missing
                await asyncio.wait_for(self._changed.wait(), _LOOK_SECONDS)
            self._waited += asyncio.get_running_loop().time() - began
        if self._unwanted:
            return
        if self._written + len(piece) > _IN_MEMORY:
            self._charge(self._written + len(piece))
        self._kept.seek(self._written)
        self._kept.write(piece)
        self._written += len(piece)
        self._changed.set()

    def _has_room(self, more: int) -> bool:
        size = self._written + more
        return size <= _IN_MEMORY or (size - self._read <= AHEAD and self._budget.allows(size - self._charged))

    def _charge(self, size: int) -> None:
        self._budget.taken += size - self._charged
        self._charged = size

    def _empty(self) -> None:
        """The reader has all that came: its room is given back."""
        self._kept.seek(0)
        self._kept.truncate()
        self._written = self._read = 0
        self._charge(0)

    def end(self, *, broken: bool = False) -> None:
        """The process gave all, or ended."""
        self._ended, self._broken = True, broken
        if broken and not self.head.done():
            self.head.set_exception(Away())
            self.head.exception()  # looked at, so that nobody is told it was not
        self._changed.set()


class Hop:
    """Connections to the processes, one a request: they are cheap on this machine, and none is ever stale."""

    def __init__(self) -> None:
        self._sessions: dict[Any, aiohttp.ClientSession] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._budget = Budget()

    async def ask(self, lane: Lane, asked: Asked) -> Answer:
        """Asks as soon as there is a place; the answer comes by and by. Raises Full."""
        answer = Answer(self._budget)
        await lane.enter()
        task = asyncio.create_task(self._run(lane, asked, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return answer

    async def _run(self, lane: Lane, asked: Asked, answer: Answer) -> None:
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                await self._pass_on(lane, asked, answer)
            answer.end()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            answer.end(broken=True)
        except BaseException:
            answer.end(broken=True)
            raise
        finally:
            lane.leave()

    async def _pass_on(self, lane: Lane, asked: Asked, answer: Answer) -> None:
        data = asked.body.data if asked.method not in ("GET", "HEAD") or asked.body.size else None
        address = URL(f"http://site{asked.target}", encoded=True)
        session = self._session(lane)
        async with session.request(
            asked.method, address, headers=_headers(asked), data=data, allow_redirects=False
        ) as got:
            headers = [
                (name, value)
                for name, value in got.headers.items()
                if name.lower() not in _OF_THE_HOP - {"content-length"}
            ]
            answer.route = next((value for name, value in headers if name.lower() == f"{OURS}route"), "")
            answer.head.set_result((got.status, [(n, v) for n, v in headers if not n.lower().startswith(OURS)]))
            async for piece in got.content.iter_any():
                await answer.keep(piece)

    def _session(self, lane: Lane) -> aiohttp.ClientSession:
        if lane.socket not in self._sessions:
            self._sessions[lane.socket] = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(lane.socket), force_close=True, limit=0),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                max_line_size=65536,
                max_field_size=65536,
            )
        return self._sessions[lane.socket]

    async def close(self) -> None:
        """Ends with the front."""
        for session in self._sessions.values():
            with contextlib.suppress(Exception):
                await session.close()


def _headers(asked: Asked) -> "CIMultiDict[str]":
    """What is passed on: nothing of the connection, nothing that could be taken for the front's own word."""
    passed: CIMultiDict[str] = CIMultiDict()
    for raw_name, raw_value in asked.headers:
        name = raw_name.decode("latin-1").lower()
        # "_" and "-" are one for WSGI: a name with "_" could stand for another's.
        if name in _OF_THE_HOP or name.startswith(OURS) or "_" in name:
            continue
        passed.add(name, raw_value.decode("utf-8", "replace"))
    passed[f"{OURS}peer"], passed[f"{OURS}request"] = asked.peer, asked.number
    if asked.body.path is not None:
        passed[f"{OURS}body"] = str(asked.body.path)
    return passed
