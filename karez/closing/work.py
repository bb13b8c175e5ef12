"""Preparing and signing asked for on a page and done by the worker: asked, run, told how far, taken up after a kill.

The work itself is that of `services`, the console's too. Work killed at any moment is queued again by `take_up`, after
`services.recover` has finished or undone what a signing left; what had happened already is not done twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from procrastinate.contrib.django import app as job_app

from karez.access.models import User
from karez.closing import services
from karez.closing.models import Preparation, Verb, Work
from karez.closing.sessions import conninfo
from karez.closing.taking import Progress
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import State

JOB = "karez.closing.run_work"
TRIES = 3  # work that ended the program so often is not begun again by itself
_LOCK_CLASS = 4713  # one advisory lock for each work, held by the process that does it


def ask(actor: User, *, year: int, verb: str) -> Work:
    """Queues a preparation, provisional snapshot or signing under the actor's name; refuses what could not be done as
    things are.

    One at a time in a year; a second is refused (closing.at_work) with who asked for the first.
    """
    services.check_may(actor, year=year, verb=verb)
    try:
        with transaction.atomic():
            made = Work.objects.create(year=year, verb=verb, asked_by_id=actor.pk)
            job_app.configure_task(JOB).defer(work_id=made.pk)
    except IntegrityError:
        raise _at_work(year) from None
    return made


def run(work_id: int) -> None:
    """Does what was asked, by the person who asked; notes a refusal whole and ends. Called again, or beside another, it
    does nothing.
    """
    with _alone(work_id) as mine:
        work = Work.objects.filter(pk=work_id, ended_at=None).first()
        if not mine or work is None:
            return
        Work.objects.filter(pk=work_id).update(tries=work.tries + 1)
        try:
            with _told_outside(work_id) as progress:
                _do(work, progress)
        except Refusal as refusal:
            _end(work, Work.Outcome.REFUSED, refusal.as_kept())
        except Exception as error:
            _end(work, Work.Outcome.FAILED, _fault(work, type(error).__name__).as_kept())
            raise
        else:
            _end(work, Work.Outcome.DONE)


def take_up() -> list[str]:
    """At start, after `services.recover`: ends the work whose act is done, queues the rest again; one sentence each."""
    told = []
    for work in Work.objects.filter(ended_at=None).order_by("pk"):
        if _happened(work):
            _end(work, Work.Outcome.DONE)
            told.append(f"{work.year}: {work.get_verb_display()} was done")
        elif work.tries >= TRIES:
            _end(work, Work.Outcome.FAILED, _fault(work, say("interrupted {tries} times", tries=work.tries)).as_kept())
            told.append(f"{work.year}: {work.get_verb_display()} is given up after {work.tries} tries")
        else:
            job_app.configure_task(JOB).defer(work_id=work.pk)
            told.append(f"{work.year}: {work.get_verb_display()} queued again")
    return told


def last_of(year: int) -> Work | None:
    """The last work asked for in a year, at work or ended."""
    return Work.objects.filter(year=year).order_by("-pk").first()


def _do(work: Work, progress: Progress) -> None:
    if _happened(work):
        return
    actor = User.objects.get(pk=work.asked_by_id)
    match work.verb:
        case Verb.PREPARE:
            services.prepare(actor, year=work.year, progress=progress)
        case Verb.PROVISIONAL:
            services.provisional(actor, year=work.year, progress=progress)
        case Verb.SIGN:
            services.sign(actor, year=work.year, progress=progress)


def _happened(work: Work) -> bool:
    """Whether the act was done before its end could be noted."""
    if work.verb == Verb.PREPARE:
        return Preparation.objects.filter(
            year=work.year, prepared_by_id=work.asked_by_id, prepared_at__gte=work.asked_at
        ).exists()
    period = periods.period(work.year)
    return (
        work.verb == Verb.SIGN
        and period.state == State.CLOSED
        and period.signed_by_id == work.asked_by_id
        and period.closed_at is not None
        and period.closed_at >= work.asked_at
    )


def _end(work: Work, outcome: str, answer: dict[str, object] | None = None) -> None:
    Work.objects.filter(pk=work.pk, ended_at=None).update(ended_at=Now(), outcome=outcome, answer=answer, percent=100)


@contextmanager
def _alone(work_id: int) -> Iterator[bool]:
    """Whether this process is the one to do it; the lock goes with its connection, so no kill leaves one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, work_id])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, work_id])


@contextmanager
def _told_outside(work_id: int) -> Iterator[Progress]:
    """Progress that others see while the work's own transactions are open, over a connection of its own."""
    with psycopg.connect(conninfo("karez closing progress"), autocommit=True) as outside:

        def progress(what: str, share: float) -> None:
            outside.execute(
                "UPDATE closing_work SET doing = %s, percent = %s WHERE id = %s", [what, int(100 * share), work_id]
            )

        yield progress


def _at_work(year: int) -> Refusal:
    found = last_of(year)
    who = User.objects.filter(pk=found.asked_by_id).first() if found else None
    return Refusal(
        "closing.at_work",
        record=say("year {year}", year=year),
        found=say("{work}, asked for by {who}", work=found.get_verb_display(), who=who) if found else say("other work"),
        expected=say("nobody at work on the closing of the year"),
        rule=say("one thing is done to a year at a time"),
        todo=say("wait until it has ended; the year's page shows how far it is"),
    )


def _fault(work: Work, what: str) -> Refusal:
    return Refusal(
        "closing.fault",
        record=say("year {year}", year=work.year),
        found=say("a fault of the program: {what}", what=what),
        expected=say("the work done to its end"),
        rule=say("what is cut off leaves the year as it was"),
        todo=say("try again; if it comes back, tell whoever looks after the installation"),
    )
