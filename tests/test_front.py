"""The front's parts by themselves: who waits in a lane, what a log line holds, in whose language an answer is."""

import asyncio
import errno
import io
import json
import logging
import socket
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from karez.host.front import app, bodies, health, hop
from karez.host.front.bodies import Bodies, Message, NotTaken
from karez.host.front.lanes import Full, Lane
from karez.host.front.said import Words
from karez.host.front.table import way_of
from karez.kernel.lanes import HEAVY, PROOF, Way
from karez.system import logs
from karez.web import plain


def _done(work: Coroutine[Any, Any, Any]) -> Any:
    """What the work comes to, in a thread of its own: the driver of a browser leaves a running loop in the test's."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


def test_who_cannot_be_worked_on_now_is_told_at_once_and_places_go_round_in_turn() -> None:
    async def run() -> None:
        busy = Lane(Path("none"), places=2, waiting=0, patience_seconds=0, full="site.proofs_busy")
        await busy.enter()
        await busy.enter()
        with pytest.raises(Full) as told:
            await busy.enter()
        assert told.value.code == "site.proofs_busy"
        busy.leave()
        await busy.enter()

        lane, came = Lane(Path("none"), places=1, waiting=3, patience_seconds=60), []

        async def come(name: str) -> None:
            await lane.enter()
            came.append(name)

        await lane.enter()
        waiting = {name: asyncio.create_task(come(name)) for name in "abc"}
        await asyncio.sleep(0)
        with pytest.raises(Full):
            await lane.enter()
        waiting["a"].cancel()  # who leaves gives up the place in the queue
        await asyncio.sleep(0)
        lane.leave()
        lane.leave()
        await asyncio.gather(waiting["b"], waiting["c"])
        assert came == ["b", "c"]
        lane.leave()
        assert lane._taken == 0 and not lane._queue

        short = Lane(Path("none"), places=1, waiting=1, patience_seconds=0.01)
        await short.enter()
        with pytest.raises(Full):
            await short.enter()
        short.leave()
        assert short._taken == 0

    _done(run())


def test_a_body_larger_than_it_may_be_is_given_up_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts the bytes let in: a sender who tells no size, or less than it sends, gets no further than one piece."""
    monkeypatch.setattr("karez.host.front.bodies.FOLDER", tmp_path / "bodies")
    let_in = 0

    async def receive() -> Message:
        nonlocal let_in
        let_in += 65536
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def nobody() -> bool:
        return False

    async def run(headers: dict[bytes, bytes]) -> str:
        bodies = Bodies()
        with pytest.raises(NotTaken) as refused:
            async with bodies.taken(receive, headers, Way(), "192.0.2.1", nobody):
                pass
        assert not bodies.under_way
        return refused.value.code

    for headers, most in (
        ({b"transfer-encoding": b"chunked"}, 17 * 65536),
        ({b"content-length": b"400000000"}, 0),
        ({b"content-length": b"x"}, 0),
    ):
        let_in = 0
        assert _done(run(headers)) == ("site.unreadable" if b"x" in headers.values() else "site.too_large")
        assert let_in <= most
        assert not list((tmp_path / "bodies").glob("*")) if (tmp_path / "bodies").exists() else True


async def _anybody() -> bool:
    return True


class _Coming:
    """Large bodies on their way, each until it is let come to its end; counts which were taken and how others were
    refused.
    """

    def __init__(self) -> None:
        self.all, self.end = Bodies(), asyncio.Event()
        self.tasks: list[asyncio.Task[str]] = []

    async def come(self, address: str, path: str, size: int = 2_000_000) -> str:
        """What the sender is told at once; empty where the body is being received."""

        async def receive() -> Message:
            await self.end.wait()
            return {"type": "http.request", "body": b"x", "more_body": False}

        async def taken() -> str:
            try:
                async with self.all.taken(
                    receive, {b"content-length": b"%d" % size}, way_of("POST", path), address, _anybody
                ):
                    return ""
            except NotTaken as refused:
                return refused.code

        self.tasks.append(asyncio.create_task(taken()))
        for _ in range(3):
            await asyncio.sleep(0)
        return self.tasks[-1].result() if self.tasks[-1].done() else ""


def test_strangers_bodies_take_no_place_of_an_officers_and_no_address_takes_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karez.host.front.bodies.FOLDER", tmp_path / "bodies")

    async def run() -> None:
        coming = _Coming()
        proofs = [await coming.come(f"192.0.2.{n // 3}", "/proof/") for n in range(30)]
        assert proofs.count("") == bodies.LARGE_AT_ONCE[PROOF]
        assert proofs[:3] == ["", "", "site.proofs_busy"], "two from one address"
        for path in ("/files/send/", "/ledger/vouchers/7/attach/"):
            assert await coming.come("198.51.100.1", path) == ""
        office = [await coming.come("198.51.100.1", "/files/send/") for _ in range(20)]
        assert office.count("") == bodies.LARGE_OF_ONE[HEAVY] - 2
        assert await coming.come("198.51.100.2", "/files/send/") == "", "another office"
        small = [await coming.come("203.0.113.1", "/account/login/", 9) for _ in range(bodies.AT_ONCE_OF_ONE + 1)]
        assert (small.count(""), small[-1]) == (bodies.AT_ONCE_OF_ONE, "site.busy")
        coming.end.set()
        await asyncio.gather(*coming.tasks)
        assert not coming.all.under_way

    _done(run())


def test_the_address_counted_is_of_who_asks_and_not_of_our_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "Words", lambda: None)
    monkeypatch.setenv("KAREZ_TRUSTED_PROXIES", "127.0.0.1")
    front = app.Front()

    def who(peer: str, told: bytes) -> str:
        scope = {"method": "GET", "path": "/", "headers": [(b"x-forwarded-for", told)], "client": (peer, 1)}
        return app.Exchange(front, scope, None, None)._who()  # type: ignore[arg-type]

    assert who("127.0.0.1", b"198.51.100.9, 192.0.2.1") == "192.0.2.1"
    assert who("127.0.0.1", b"2001:db8:1:2:3::4") == "2001:db8:1:2::"
    assert who("192.0.2.7", b"198.51.100.9") == "192.0.2.7", "a claim"


def test_a_full_disk_is_an_answer_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it shows: no room to begin with, no file to be made, nothing written, and only at the end."""
    monkeypatch.setattr("karez.host.front.bodies.FOLDER", tmp_path / "bodies")

    class FullFile(io.BytesIO):
        name, fails = str(tmp_path / "none"), "write"

        def write(self, data: Any) -> int:
            return self._full() if self.fails == "write" else super().write(data)

        def close(self) -> None:
            super().close()
            if self.fails == "close":
                self._full()

        def _full(self) -> int:
            raise OSError(errno.ENOSPC, "no space")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 100_000, "more_body": False}

    async def run() -> str:
        coming = Bodies()
        with pytest.raises(NotTaken) as refused:
            async with coming.taken(receive, {b"content-length": b"100000"}, Way(), "192.0.2.1", _anybody):
                pass
        assert not coming.under_way
        return refused.value.code

    for fails in ("open", "write", "close"):
        with monkeypatch.context() as patch:
            FullFile.fails = fails
            patch.setattr(
                "tempfile.NamedTemporaryFile",
                lambda fails=fails, **_named: FullFile()._full() if fails == "open" else FullFile(),
            )
            assert _done(run()) == "site.no_room", fails
    monkeypatch.setattr("karez.host.front.bodies.ROOM_LEFT", 2**60)
    assert _done(run()) == "site.no_room"
    assert not list((tmp_path / "bodies").glob("*"))


def test_answers_kept_have_one_budget_and_who_reads_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts bytes: two readers who take nothing keep no more than the budget; a third, who reads, gets every byte past
    them.
    """
    monkeypatch.setattr(hop, "WAITS_SECONDS", 0.0)
    piece = b"x" * hop.PIECE

    async def fill(answer: hop.Answer) -> int:
        kept = 0
        with pytest.raises(TimeoutError):
            while True:
                await answer.keep(piece)
                kept += len(piece)
        answer.end(broken=True)
        return kept

    async def run() -> None:
        budget = hop.Budget(40 * hop.PIECE)
        slow = [hop.Answer(budget), hop.Answer(budget)]
        own = 4 * hop.PIECE  # of each, in memory
        assert await fill(slow[0]) == 40 * hop.PIECE
        assert await fill(slow[1]) == own
        assert budget.taken == budget.most
        reading, got = hop.Answer(budget), 0
        pieces = reading.pieces()
        for _ in range(100):
            await reading.keep(piece)
            got += len((await anext(pieces))[0])
        reading.end()
        assert [last async for last in pieces] == [(b"", False)]
        assert got == 100 * hop.PIECE
        for answer in (*slow, reading):
            answer.forget()
        assert budget.taken == 0
        monkeypatch.setattr(bodies, "ROOM_LEFT", 2**60)
        assert await fill(hop.Answer(budget)) == own, "a full disk keeps nothing more"

    _done(run())


def test_health_tells_of_the_heavy_process_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def database(_self: health.Health) -> bool:
        return True

    monkeypatch.setattr(health.Health, "_database", database)

    async def run() -> None:
        look = health.Health(tmp_path / "pages", tmp_path / "heavy")
        pages = await asyncio.start_unix_server(lambda _r, _w: None, str(tmp_path / "pages"))
        assert await look.told() == {"healthy": False, "database": True, "pages": True, "heavy": False}
        busy = socket.socket(socket.AF_UNIX)
        busy.bind(str(tmp_path / "heavy"))
        busy.listen(1)  # takes nobody: it is at work
        for _ in range(8):
            assert (await look.told())["healthy"]
        busy.close()
        assert not (await look.told())["heavy"], "gone, its socket left"
        pages.close()

    _done(run())


def test_every_answer_of_the_front_is_there_in_every_language(tmp_path: Path) -> None:
    file = tmp_path / "said.json"
    file.write_text(json.dumps(plain.prepared()), encoding="utf-8")
    words = Words(file)
    for code, known in plain.BY_CODE.items():
        english = words.answer(code, {b"accept-language": b"en-GB,zh;q=0.4"})
        chinese = words.answer(code, {b"accept-language": b"en", b"cookie": b"django_language=zh-hans; x=y"})
        assert english.status == chinese.status == known.status
        assert english.body != chinese.body and b'lang="zh-hans"' in chinese.body
        assert (b"retry-after" in dict(english.headers)) == (known.status == 503)
    for odd in (b";;q=", b"\xff\xfe", b"zh;q=x,en", b"*"):
        assert words.answer("site.busy", {b"accept-language": odd, b"cookie": odd}).body


def test_a_line_of_the_log_is_one_form_and_json_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("karez.x", logging.WARNING, __file__, 1, "told %s", ("so",), None)
    logs.request_number.set("0123456789abcdef")
    logs.Numbered().filter(record)
    assert logs.Plain().format(record).endswith(" WARNING karez.x [0123456789abcdef]: told so")
    as_json = json.loads(logs.Json().format(record))
    assert (as_json["level"], as_json["logger"], as_json["message"], as_json["request"]) == (
        "WARNING",
        "karez.x",
        "told so",
        "0123456789abcdef",
    )
    assert as_json["time"][-6] in "+-"
    logs.request_number.set("")
    monkeypatch.setenv("KAREZ_LOG_FORMAT", "json")
    assert logs.settings()["formatters"]["ours"]["()"] is logs.Json
