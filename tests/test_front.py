"""The front's parts by themselves: who waits in a lane, what a log line holds, in whose language an answer is."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from karez.host import logs
from karez.host.front.bodies import Bodies, Message, NotTaken
from karez.host.front.lanes import Full, Lane
from karez.host.front.said import Words
from karez.web import plain


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

    asyncio.run(run())


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
            async with bodies.taken(receive, headers, 1024 * 1024, nobody):
                pass
        assert (bodies.under_way, bodies.large_under_way) == (0, 0)
        return refused.value.code

    for headers, most in (({b"transfer-encoding": b"chunked"}, 17 * 65536), ({b"content-length": b"400000000"}, 0), ({b"content-length": b"x"}, 0)):
        let_in = 0
        assert asyncio.run(run(headers)) == ("site.unreadable" if b"x" in headers.values() else "site.too_large")
        assert let_in <= most
        assert not list((tmp_path / "bodies").glob("*")) if (tmp_path / "bodies").exists() else True


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
    assert (as_json["level"], as_json["logger"], as_json["message"], as_json["request"]) == ("WARNING", "karez.x", "told so", "0123456789abcdef")
    assert as_json["time"][-6] in "+-"
    logs.request_number.set("")
    monkeypatch.setenv("KAREZ_LOG_FORMAT", "json")
    assert logs.settings()["formatters"]["ours"]["()"] is logs.Json
