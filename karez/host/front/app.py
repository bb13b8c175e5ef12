"""The way of a request: its body is taken whole, it waits for a place at a process, and the answer goes out as the
reader takes it.

What cannot be taken or worked on is told at once, in the reader's language. `/healthy/` needs no process. A reader who
is gone gives up the place in the queue, and one who is slow holds nothing but a connection. Holds no pages.
"""

import asyncio
import logging
import multiprocessing
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from karez.host import lifeline

_server = multiprocessing.parent_process()
if _server is not None and _server.pid is not None:
    lifeline.hold(_server.pid)

from karez.host.front.bodies import Bodies, Body, Gone, Message, NotTaken, Receive  # noqa: E402
from karez.host.front.health import Health  # noqa: E402
from karez.host.front.hop import PIECE, Answer, Asked, Away, Hop  # noqa: E402
from karez.host.front.lanes import (  # noqa: E402
    HEAVY_PLACES,
    HEAVY_SOCKET,
    PAGES_PLACES,
    PAGES_SOCKET,
    PROOF_PLACES,
    Full,
    Lane,
)
from karez.host.front.said import Words  # noqa: E402
from karez.host.front.table import way_of  # noqa: E402
from karez.kernel import addresses  # noqa: E402
from karez.kernel.lanes import HEAVY, PAGES, PROOF, Way  # noqa: E402
from karez.system import logs, reached  # noqa: E402 - tied to the server first

Send = Callable[[Message], Awaitable[None]]
_HEAD_SECONDS = {PAGES: 60.0, HEAVY: 600.0, PROOF: 120.0}  # until an answer begins
_PIECE_SECONDS = 30.0  # a reader may take for a piece of an answer
_WHOLE = PIECE  # an answer up to this size goes out in one: the connection's own buffers hold it
_REST_SECONDS, _REST_BYTES = 2.0, 8 * 1024 * 1024
_DROPPED = {"server", "date"}  # the front's own stand there


class Front:
    """One front server: its lanes and what is under way."""

    def __init__(self) -> None:
        self.lanes = {
            PAGES: Lane(PAGES_SOCKET, PAGES_PLACES, waiting=200, patience_seconds=20),
            HEAVY: Lane(HEAVY_SOCKET, HEAVY_PLACES, waiting=100, patience_seconds=30),
            PROOF: Lane(HEAVY_SOCKET, PROOF_PLACES, waiting=0, patience_seconds=0, full="site.proofs_busy"),
        }
        self.bodies, self.hop, self.health, self.words = Bodies(), Hop(), Health(PAGES_SOCKET, HEAVY_SOCKET), Words()
        self.proxies = reached.proxies()


class Exchange:
    """One request and its answer."""

    def __init__(self, front: Front, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.front, self.receive, self.send = front, receive, send
        self.method, self.path = scope["method"], scope["path"]
        self.target = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        if query := scope.get("query_string"):
            self.target += "?" + query.decode("latin-1")
        self.headers = list(scope["headers"])
        self.one: dict[bytes, bytes] = {name.lower(): value for name, value in self.headers}
        self.peer = str((scope.get("client") or ("", 0))[0])
        self.number = secrets.token_hex(8)
        self.status, self.route, self.began = 0, "-", time.perf_counter()

    async def run(self) -> None:
        """Answers, and writes the line of the log."""
        try:
            await self._answered()
        except NotTaken as refused:
            await self._say(refused.code, rest=True)
        except Full as refused:
            await self._say(refused.code)
        except OSError:  # a full disk, or no descriptor left
            logging.getLogger(__name__).exception("a request could not be kept")
            if not self.status:
                await self._say("site.no_room", rest=True)
        except Away:
            await self._say("site.away")
        except Gone:
            self.status = self.status or 499
        finally:
            if self.route != "healthy/" or self.status != 200:
                ms = 1000 * (time.perf_counter() - self.began)
                logs.request_answered(
                    method=self.method[:10], route=f"/{self.route}", status=self.status, ms=ms, number=self.number
                )

    async def _answered(self) -> None:
        if not self.path.startswith("/"):
            raise NotTaken("site.unreadable")
        if self.path == "/healthy/" and self.method in ("GET", "HEAD"):
            await self._health()
            return
        way = way_of(self.method, self.path)
        async with self.front.bodies.taken(
            self.receive, self.one, way, self._who(), lambda: self._may_be_large(way)
        ) as body:
            asked = Asked(self.method, self.target, self.headers, self.peer, self.number, body)
            work = asyncio.create_task(self._worked_on(way, asked))
            gone = asyncio.create_task(self._gone())
            try:
                await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    raise Gone
                work.result()
            finally:
                gone.cancel()
                work.cancel()

    def _who(self) -> str:
        """The address that is counted: of who asks, not of the proxy that hands the request on."""
        told = {
            "REMOTE_ADDR": self.peer,
            "HTTP_X_FORWARDED_FOR": self.one.get(b"x-forwarded-for", b"").decode("latin-1"),
        }
        return addresses.office_of(addresses.client_address(told, self.front.proxies))

    async def _gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _worked_on(self, way: Way, asked: Asked) -> None:
        answer = await self.front.hop.ask(self.front.lanes[way.lane], asked)
        try:
            try:
                async with asyncio.timeout(_HEAD_SECONDS[way.lane]):
                    status, headers = await asyncio.shield(answer.head)
            except TimeoutError:
                raise Full("site.too_late") from None
            self.route = answer.route or "-"
            await self._passed_on(status, headers, answer)
        finally:
            answer.forget()

    async def _passed_on(self, status: int, headers: list[tuple[str, str]], answer: Answer) -> None:
        told = [
            (n.lower().encode("latin-1"), v.encode("utf-8", "surrogateescape"))
            for n, v in headers
            if n.lower() not in _DROPPED
        ]
        length = next((int(v) for n, v in headers if n.lower() == "content-length" and v.isdigit()), None)
        if length is not None and length <= _WHOLE:
            body = b"".join([piece async for piece, _more in answer.pieces()])
            try:
                async with asyncio.timeout(_PIECE_SECONDS):
                    await self._sent(status, told, body)
            except TimeoutError:
                raise Gone from None
            return
        try:
            async with asyncio.timeout(_PIECE_SECONDS):
                await self._start(status, told)
            async for piece, more in answer.pieces():
                async with asyncio.timeout(_PIECE_SECONDS):
                    await self.send({"type": "http.response.body", "body": piece, "more_body": more})
        except (OSError, Away):  # a reader too slow is one of them
            raise Gone from None  # the answer has begun: it can only be broken off

    async def _may_be_large(self, way: Way) -> bool:
        """Whether a body beyond a form's size is taken: the proofreader's from anybody, others from who is signed in."""
        if not way.signed_in:
            return True
        if b"sessionid=" not in self.one.get(b"cookie", b""):
            return False
        wanted = (b"cookie", b"host", b"x-forwarded-proto", b"x-forwarded-for", b"user-agent")
        headers = [(name, value) for name, value in self.headers if name.lower() in wanted]
        asked = Asked("GET", "/account/signed-in/", headers, self.peer, self.number, Body())
        try:
            answer = await self.front.hop.ask(self.front.lanes[PAGES], asked)
            try:
                async with asyncio.timeout(_HEAD_SECONDS[PAGES]):
                    status, _headers = await answer.head
            finally:
                answer.forget()
        except (Full, TimeoutError):
            raise NotTaken("site.busy") from None  # the body is still on its way
        return status == 204

    async def _health(self) -> None:
        told = await self.front.health.told()
        self.route = "healthy/"
        body = "{" + ", ".join(f'"{name}": {str(well).lower()}' for name, well in told.items()) + "}"
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await self._sent(200 if told["healthy"] else 503, headers, body.encode())

    async def _say(self, code: str, *, rest: bool = False) -> None:
        said = self.front.words.answer(code, self.one)
        headers = list(said.headers)
        if code == "site.away" and self.method == "GET":
            headers.append((b"refresh", b"5"))
        await self._sent(said.status, headers, said.body, rest=rest)

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        await self.send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, (b"x-request-id", self.number.encode())],
            }
        )

    async def _sent(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, rest: bool = False) -> None:
        """An answer in one; `rest` says that more of the request may be on its way, and the connection ends with the
        answer.
        """
        if not rest and not any(name == b"content-length" for name, _ in headers) and status not in (204, 304):
            headers = [*headers, (b"content-length", str(len(body)).encode())]
        await self._start(status, [*headers, (b"connection", b"close")] if rest else headers)
        if rest:
            # A sender reads no answer before it has sent: a little more is let in and thrown away. The answer tells no
            # length, or the connection would end with its last byte.
            await self.send({"type": "http.response.body", "body": body, "more_body": True})
            await self._rest()
            body = b""
        await self.send(
            {"type": "http.response.body", "body": b"" if self.method == "HEAD" else body, "more_body": False}
        )

    async def _rest(self) -> None:
        let_in = 0
        try:
            async with asyncio.timeout(_REST_SECONDS):
                while let_in < _REST_BYTES:
                    message = await self.receive()
                    let_in += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


_front: Front | None = None


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI entry."""
    global _front  # noqa: PLW0603 - one front a process, made where its loop runs
    if scope["type"] != "http":
        return
    if _front is None:
        _front = Front()
    await Exchange(_front, scope, receive, send).run()
