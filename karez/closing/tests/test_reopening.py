"""A closed year opened again on its page: one asks, another agrees; the old snapshot stays; who else tries is refused."""

from typing import Any

import psycopg
import pytest
from django.test import Client

from karez.access.models import User
from karez.closing import inbox, reopening, services, sessions, snapshots
from karez.closing.models import Reopening, ReopeningAnswer
from karez.closing.tests.conftest import SmallRegion
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import PeriodChange
from karez.web.tests.reading import read

YEAR = "/closing/2009/"


@pytest.fixture
def closed(small_region: SmallRegion) -> SmallRegion:
    """The small region with 2009 sealed."""
    services.prepare(small_region.preparer, year=2009)
    services.sign(small_region.signer, year=2009)
    return small_region


def _act(user: User, **words: Any) -> str:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post(f"{YEAR}do/", words, follow=True) if words else client.get(YEAR)
    return read(str(answer.content.decode()))


def test_two_people_open_a_year_again(closed: SmallRegion) -> None:
    old = periods.period(2009).snapshot
    said = _act(closed.preparer)
    assert "Ask for it" in said
    assert "The second can be: Sun Signer." in said
    _act(closed.preparer, do="ask_reopening", reason="a county was left out")
    assert periods.period(2009).state == "closed"
    asked = Reopening.objects.get()
    assert [i.count for i in inbox.items(closed.signer)] == [0, 1]
    assert "a county was left out" in _act(closed.signer)
    said = _act(closed.signer, do="agree", asked=asked.pk)
    assert "The year is open again" in said
    assert "a county was left out" in said  # its history says why
    assert periods.period(2009).state == "open"
    change = PeriodChange.objects.filter(year=2009).latest("pk")
    assert (change.prepared_by_id, change.signed_by_id, change.reason) == (
        closed.preparer.pk,
        closed.signer.pk,
        "a county was left out",
    )
    assert change.snapshot == old
    assert [s.digest for s in snapshots.existing(kind="sealed")] == [old]
    assert ReopeningAnswer.objects.get().agreed
    assert reopening.waiting(periods.period(2009)) is None


def test_one_person_opens_nothing(closed: SmallRegion) -> None:
    with pytest.raises(Refusal, match="may do this: Regional officer or Statistician"):
        reopening.ask_reopening(closed.signer, year=2009, reason="because")
    with pytest.raises(Refusal) as unsaid:
        reopening.ask_reopening(closed.preparer, year=2009, reason="  ")
    assert unsaid.value.found == "no reason"
    asked = reopening.ask_reopening(closed.preparer, year=2009, reason="because")
    with pytest.raises(Refusal) as twice:
        reopening.ask_reopening(closed.preparer, year=2009, reason="because")
    assert twice.value.found == "a request that waits for an answer"
    assert "Agree: open it again" not in _act(closed.preparer)
    assert periods.period(2009).state == "closed"
    Reopening.objects.create(year=2009, snapshot="0" * 64, reason="forged", asked_by_id=closed.signer.pk)
    own = Reopening.objects.create(
        year=2009, snapshot=periods.period(2009).snapshot, reason="own", asked_by_id=closed.signer.pk
    )
    with pytest.raises(Refusal) as same:
        reopening.agree_to_reopening(closed.signer, own)
    assert same.value.code == "closing.same_person"
    reopening.decline_reopening(closed.signer, own, reason="a mistake")
    reopening.decline_reopening(closed.preparer, asked, reason="not needed any more")
    for late in (
        lambda: reopening.agree_to_reopening(closed.signer, asked),
        lambda: reopening.decline_reopening(closed.signer, asked, reason="x"),
    ):
        with pytest.raises(Refusal) as done:
            late()
        assert done.value.code == "closing.not_reopened"
    assert periods.period(2009).state == "closed"


def test_two_who_answer_in_the_same_moment(closed: SmallRegion, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second saw the request still waiting, and finds it answered where it writes: it is told so, and no fault
    shows.
    """
    asked = reopening.ask_reopening(closed.preparer, year=2009, reason="because")
    reopening.decline_reopening(closed.preparer, asked, reason="not needed any more")
    monkeypatch.setattr(reopening, "_require_waiting", lambda _: None)  # as it was seen before the other wrote
    for late in (
        lambda: reopening.agree_to_reopening(closed.signer, asked),
        lambda: reopening.decline_reopening(closed.signer, asked, reason="x"),
    ):
        with pytest.raises(Refusal) as done:
            late()
        assert done.value.code == "closing.not_reopened"
        assert done.value.found == "a request already answered or overtaken"
    assert periods.period(2009).state == "closed"


def test_a_request_is_overtaken_by_a_closing_and_only_the_last_year_opens(closed: SmallRegion) -> None:
    asked = reopening.ask_reopening(closed.preparer, year=2009, reason="because")
    services.prepare(closed.preparer, year=2010)
    services.sign(closed.signer, year=2010)
    assert "That is 2010." in _act(closed.preparer)
    with pytest.raises(Refusal) as not_last:
        reopening.agree_to_reopening(closed.signer, asked)
    assert "not the last closed year" in not_last.value.found
    assert not ReopeningAnswer.objects.exists()  # nothing of it was noted
    services.reopen(closed.preparer, closed.signer, year=2010, reason="drill")
    services.reopen(closed.preparer, closed.signer, year=2009, reason="drill")
    services.prepare(closed.preparer, year=2009)
    services.sign(closed.signer, year=2009)
    with pytest.raises(Refusal):
        reopening.agree_to_reopening(closed.signer, asked)
    assert periods.period(2009).state == "closed"


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE closing_reopening SET reason = 'x'",
        "DELETE FROM closing_reopeninganswer",
        "UPDATE closing_reopeninganswer SET agreed = true",
    ],
)
def test_what_was_asked_and_answered_cannot_be_changed(committed_db: str, attack: str) -> None:
    with psycopg.connect(sessions.conninfo("attack")) as raw, pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(attack)
