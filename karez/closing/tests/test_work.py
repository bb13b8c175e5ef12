"""Preparing and signing asked for on the page: what the page shows, what the worker does, and what a kill leaves
(nothing undone).
"""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client

from karez.access.models import User
from karez.closing import services, snapshots, work
from karez.closing.jobs import run_work
from karez.closing.models import Preparation, Verb, Work
from karez.closing.tests.conftest import SmallRegion
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.periods import services as periods

YEAR = "/closing/2009/"


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _said(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_year_is_prepared_and_signed_by_the_worker(small_region: SmallRegion) -> None:
    small_region.fact(small_region.villages[0])
    first, second = _client(small_region.preparer), _client(small_region.signer)
    page = first.post(f"{YEAR}do/", {"do": "prepare"}, follow=True)
    assert "Waits for its turn." in _said(page)
    assert 'value="prepare"' not in _said(page)
    asked = Work.objects.get()
    assert run_work.name == work.JOB
    assert not first.get(f"{YEAR}progress/").headers.get("HX-Refresh")
    Work.objects.filter(pk=asked.pk).update(doing=say("running the checks"), percent=12)
    told = _said(second.get(f"{YEAR}progress/"))
    assert "running the checks" in told
    assert 'value="12"' in told
    work.run(asked.pk)
    assert first.get(f"{YEAR}progress/")["HX-Refresh"] == "true"
    assert "The preparation is done." in _said(first.get(YEAR))
    second.post(f"{YEAR}do/", {"do": "sign"})
    work.run(Work.objects.latest("pk").pk)
    work.run(Work.objects.latest("pk").pk)  # a job that comes twice
    said = _said(second.get(YEAR))
    assert "The year is closed and sealed." in said
    assert periods.period(2009).state == "closed"
    assert len(snapshots.existing(kind="sealed")) == 1
    done = Work.objects.latest("pk")
    assert (done.outcome, done.percent, done.doing) == ("done", 100, "finished")


def test_a_refusal_of_the_worker_is_on_the_page_whole(small_region: SmallRegion) -> None:
    services.prepare(small_region.preparer, year=2009)
    small_region.fact(small_region.villages[0], role="treasurer")  # fails the check when it is run again
    second = _client(small_region.signer)
    second.post(f"{YEAR}do/", {"do": "sign"})
    work.run(Work.objects.get().pk)
    said = _said(second.get(YEAR))
    for words in (
        "No treasurer of 2009 is left out: 1",
        "closing.checks_fail",
        "every check passes",
        "prepare the closing to see the rows",
    ):
        assert words in said
    assert periods.period(2009).state == "open"
    assert Work.objects.get().outcome == "refused"


def test_what_could_not_be_done_is_refused_at_once(small_region: SmallRegion) -> None:
    for user, verb, code in (
        (small_region.signer, Verb.PREPARE, "access.not_granted"),
        (small_region.preparer, Verb.SIGN, "access.not_granted"),
        (small_region.signer, Verb.SIGN, "closing.not_now"),
    ):
        with pytest.raises(Refusal) as no:
            work.ask(user, year=2009, verb=verb)
        assert no.value.code == code
    work.ask(small_region.preparer, year=2009, verb=Verb.PREPARE)
    with pytest.raises(Refusal) as busy:
        work.ask(small_region.preparer, year=2009, verb=Verb.PROVISIONAL)
    assert busy.value.code == "closing.at_work"
    assert "Pei Preparer" in busy.value.found
    assert Work.objects.count() == 1


def test_a_fault_of_the_program_ends_the_work_and_says_so(
    small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = work.ask(small_region.preparer, year=2009, verb=Verb.PREPARE)

    def broken(*_words: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(services, "prepare", broken)
    with pytest.raises(ZeroDivisionError):
        work.run(asked.pk)
    assert "a fault of the program: ZeroDivisionError" in _said(_client(small_region.preparer).get(YEAR))


@pytest.mark.parametrize(
    ("verb", "moment"),
    [
        ("prepare", "writing the table test_grants"),
        ("sign", "running the checks"),
        ("sign", "putting the snapshot in place"),
        ("sign", "finished"),
    ],
)
def test_killed_work_is_taken_up(small_region: SmallRegion, verb: str, moment: str) -> None:
    small_region.fact(small_region.villages[0])
    if verb == "sign":
        services.prepare(small_region.preparer, year=2009)
    user = small_region.signer if verb == "sign" else small_region.preparer
    asked = work.ask(user, year=2009, verb=verb)
    _kill_at(asked.pk, moment)
    assert Work.objects.get(pk=asked.pk).ended_at is None
    services.recover()
    work.take_up()
    work.run(asked.pk)
    assert Work.objects.get(pk=asked.pk).outcome == "done"
    assert not list(snapshots.root().glob(".side-*"))
    if verb == "sign":
        assert [s.digest for s in snapshots.existing(kind="sealed")] == [periods.period(2009).snapshot]
    else:
        assert Preparation.objects.filter(year=2009).count() == 1


def test_work_that_is_cut_off_again_and_again_is_given_up(small_region: SmallRegion) -> None:
    asked = work.ask(small_region.preparer, year=2009, verb=Verb.PREPARE)
    Work.objects.filter(pk=asked.pk).update(tries=work.TRIES)
    assert "given up" in work.take_up()[0]
    assert work.ask(small_region.preparer, year=2009, verb=Verb.PREPARE).pk != asked.pk


def _kill_at(work_id: int, moment: str) -> None:
    words = [sys.executable, "-m", "karez.closing.tests.work_program", str(work_id)]
    program = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ.copy())
    assert program.stdout
    assert any(line.strip() == moment for line in program.stdout)
    program.send_signal(signal.SIGKILL)
    program.wait(20)
    program.stdout.close()
