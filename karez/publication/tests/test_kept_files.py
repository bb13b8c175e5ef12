"""Files of editions are answered from memory whatever is being made; one is made at a time, and few wait for it."""

import threading
from typing import Any

import pytest
from django.test import Client

from karez.publication import kept_files, public_views
from karez.publication.formats.publication import Files
from karez.publication.kept_files import BeingMade, KeptFiles
from karez.publication.services import prepare_edition, review_edition, sign_edition
from karez.publication.tests.conftest import ClosedYear


class Slow:
    """A making that lasts until it may end; counts how many go on at once."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> Files:
        self.begun.set()
        assert self.may_end.wait(30)
        return {"slow": b"1"}


@pytest.fixture
def slow() -> Any:
    making = Slow()
    yield making
    making.may_end.set()


def test_what_is_there_is_answered_while_another_is_made(slow: Slow) -> None:
    kept = KeptFiles()
    kept.files("first", "site", lambda: {"a": b"a"})
    maker = threading.Thread(target=kept.files, args=("second", "site", slow))
    maker.start()
    assert slow.begun.wait(30)
    assert kept.files("first", "site", _never) == {"a": b"a"}
    assert not slow.may_end.is_set() and maker.is_alive()  # answered while the other one goes on
    slow.may_end.set()
    maker.join()
    assert kept.files("second", "site", _never) == {"slow": b"1"}


def test_one_waits_and_the_others_not_at_all(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_files, "WAIT_SECONDS", 60)
    kept, told, got = KeptFiles(), [], []

    def ask() -> None:
        try:
            got.append(kept.files("e", "site", _never))
        except BeingMade:
            told.append(threading.current_thread())

    maker = threading.Thread(target=kept.files, args=("e", "site", slow))
    maker.start()
    assert slow.begun.wait(30)
    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    while len(told) < 7:  # so that a server of few threads goes on
        next(a for a in askers if a not in told).join(0.01)
    assert got == [] and sum(a.is_alive() for a in askers) >= 1  # the eighth still waits
    slow.may_end.set()
    for asker in (maker, *askers):
        asker.join()
    assert got == [{"slow": b"1"}] and len(told) == 7


def test_the_one_who_waits_is_told_in_the_end(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_files, "WAIT_SECONDS", 0.01)
    kept = KeptFiles()
    maker = threading.Thread(target=kept.files, args=("e", "site", slow))
    maker.start()
    assert slow.begun.wait(30)
    with pytest.raises(BeingMade):
        kept.files("e", "site", _never)
    slow.may_end.set()
    maker.join()


def test_who_waited_gets_what_was_made(slow: Slow) -> None:
    kept, got = KeptFiles(), []
    maker = threading.Thread(target=kept.files, args=("e", "site", slow))
    maker.start()
    assert slow.begun.wait(30)
    waiter = threading.Thread(target=lambda: got.append(kept.files("e", "site", _never)))
    waiter.start()
    slow.may_end.set()
    maker.join()
    waiter.join()
    assert got == [{"slow": b"1"}]


def test_whole_editions_are_kept_and_the_longest_unasked_goes() -> None:
    kept = KeptFiles(editions=3)
    for edition in range(3):
        for name in ("site", "pdf", "docx", "xlsx", "data", ""):
            kept.files(edition, name, dict)
    kept.files(0, "pdf", _never)
    kept.files(3, "site", dict)
    for edition, there in ((0, True), (2, True), (3, True)):
        assert (kept.files(edition, "site", _never) == {}) == there
    with pytest.raises(AssertionError):
        kept.files(1, "site", _never)


def test_a_making_that_fails_lets_the_next_one_in() -> None:
    kept = KeptFiles()
    with pytest.raises(AssertionError):
        kept.files("e", "site", _never)
    assert kept.files("e", "site", lambda: {"a": b"a"}) == {"a": b"a"}


def test_a_reader_is_told_to_come_again(closed_year: ClosedYear, monkeypatch: pytest.MonkeyPatch) -> None:
    edition = prepare_edition(closed_year.statistician, year=2009)
    review_edition(closed_year.regional, edition.pk)
    sign_edition(closed_year.approver, edition.pk)
    monkeypatch.setattr(kept_files, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(public_views, "_kept", KeptFiles())
    site = "/editions/2009/1/chapter.html"
    assert Client().get(site).status_code == 200
    with public_views._kept._making:  # another edition is being drawn
        assert Client().get(site).status_code == 200
        answer = Client().get("/editions/2009/1/chapter.pdf", headers={"accept-language": "en"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "being drawn" in answer.content.decode()
    assert Client().get("/editions/2009/1/figures.csv").status_code == 200


def _never() -> Files:
    raise AssertionError("made again")
