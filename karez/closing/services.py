"""The verbs of closing: prepare, accept a failure, sign, recover, take a provisional snapshot, reopen. Holds no SQL of
any room.

One person prepares while work goes on; another signs, and signing does the work in a session of its own: it locks the
year alone, runs the checks again, freezes the tables from one state, verifies them and only then calls the year closed.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Any

import psycopg
from django.db import Error, connection, transaction

from karez.access.models import User
from karez.closing import snapshots
from karez.closing.checking import Outcome
from karez.closing.models import Acceptance, CheckResult, Preparation, SnapshotRecord
from karez.closing.sessions import LOCK_CLASS, frozen_state, locked_year
from karez.closing.snapshots import PROVISIONAL, SEALED, Snapshot
from karez.closing.taking import Progress, Taken, quiet, take
from karez.kernel.messages import Listing, read, say
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import Period, Region, State
from karez.places.queries import may, require

RECOVERY_SECONDS = 15  # a killed program's session ends within this time


@dataclass(frozen=True)
class PrepareResult:
    """The draft taken and every check; `ready` says that another person may sign as things are."""

    preparation_id: int
    snapshot: Snapshot
    outcomes: tuple[Outcome, ...]

    @property
    def failing(self) -> tuple[Outcome, ...]:
        """Checks that found something, accepted or not."""
        return tuple(o for o in self.outcomes if not o.passed)

    @property
    def ready(self) -> bool:
        """Nothing stands in the way."""
        return not any(o.stands_in_the_way for o in self.outcomes)


def check_may(actor: User, *, year: int, verb: str) -> None:
    """Refuses early what `prepare`, `provisional` or `sign` (the verb) would refuse at once: the right, the year, the
    person.
    """
    period = periods.period(year)
    require(actor, "closing.sign" if verb == "sign" else "closing.prepare", periods.region().area_id)
    if verb != "provisional":
        _check_over(year)
    if (verb == "sign" and period.prepared_by_id in (None, actor.pk)) or (
        verb != "provisional" and period.state != State.OPEN
    ):
        raise Refusal(
            "closing.not_now",
            record=say("year {year}", year=year),
            found=say("state {state}, prepared by the same person", state=State(period.state).label)
            if period.prepared_by_id == actor.pk
            else say("state {state}, not prepared by another", state=State(period.state).label),
            expected=say("an open year that another person prepared") if verb == "sign" else say("an open year"),
            rule=say("a year is prepared by one person and signed by another, in the order of the years"),
            todo=say("look at the state of the year under Closing"),
        )


def prepare(actor: User, *, year: int, progress: Progress = quiet) -> PrepareResult:
    """Runs the checks and takes a draft while work goes on; records who prepared. Refuses a year that is not next or
    not over.
    """
    region = periods.region()
    require(actor, "closing.prepare", region.area_id)
    _check_over(year)
    _check_next(year)  # before anything is taken: a refusal leaves no draft behind, and pushes none out
    taken = _provisional(actor, region, year, progress)
    with transaction.atomic(), _database_refusals(year):
        preparation = Preparation.objects.create(year=year, prepared_by_id=actor.pk, draft=taken.snapshot.digest)
        CheckResult.objects.bulk_create(_as_result(preparation, o) for o in taken.outcomes)
        with connection.cursor() as cursor:
            cursor.execute("SELECT periods_prepare_close(%s, %s)", [year, actor.pk])
    return PrepareResult(preparation.pk, taken.snapshot, taken.outcomes)


def provisional(actor: User, *, year: int, progress: Progress = quiet) -> Snapshot:
    """Takes a provisional snapshot: as of 31 December, or of today in a running year. The newest three are kept."""
    region = periods.region()
    require(actor, "closing.prepare", region.area_id)
    periods.period(year)
    return _provisional(actor, region, year, progress).snapshot


def accept_failure(actor: User, *, year: int, check: str, reason: str) -> Acceptance:
    """Records that `actor` accepts the rows a check found at the last preparation; other rows will fail it again."""
    region = periods.region()
    if not may(actor, "closing.sign", region.area_id):
        require(actor, "closing.prepare", region.area_id)
    last = Preparation.objects.filter(year=year).order_by("-pk").first()
    found = last and last.results.filter(name=check, failures__gt=0).first()
    if not found or not found.acceptable or not reason.strip():
        raise Refusal(
            "closing.cannot_accept",
            record=say("{check}, year {year}", check=check, year=year),
            found=say("no such failure at the last preparation")
            if not found
            else say("no reason")
            if found.acceptable
            else say("a check that may not be accepted"),
            expected=say("a failing check that may be accepted, and the reason for accepting it"),
            rule=say("a year is sealed when its checks pass or a named person accepts a failure with a reason"),
            todo=say("prepare the closing again, correct the rows, or give the reason"),
        )
    return Acceptance.objects.create(
        year=year,
        name=check,
        rows_digest=found.rows_digest,
        failures=found.failures,
        reason=reason.strip(),
        accepted_by_id=actor.pk,
    )


def sign(actor: User, *, year: int, progress: Progress = quiet) -> Snapshot:
    """Seals a prepared year and returns its snapshot; refuses unless another person prepared it and every check passes
    or is accepted.

    Raises KeyboardInterrupt and errors on, with the year open again as if nothing had happened.
    """
    assert not connection.in_atomic_block, (
        "signing works in a session of its own; an open transaction would wait for itself"
    )
    region = periods.region()
    require(actor, "closing.sign", region.area_id)
    _check_over(year)
    progress(say("waiting until nobody writes in the year"), 0.0)
    with locked_year(year) as session:
        with _database_refusals(year):
            session.execute("SELECT periods_begin_close(%s, %s)", [year, actor.pk])
        since = _closing_since(year)
        side = snapshots.side_folder()
        try:
            sealed = _seal(actor, region, year, side, since, progress)
            with _database_refusals(year):
                session.execute("SELECT periods_finish_close(%s, %s)", [year, sealed.digest])
        except BaseException as error:
            _undo(session, year, since, why=f"{type(error).__name__}: {error}")
            raise
        finally:
            shutil.rmtree(side, ignore_errors=True)
    progress(say("finished"), 1.0)
    return sealed


def recover() -> list[str]:
    """Takes up every closing that was cut off by a kill: finishes it where the sealed snapshot is whole, else undoes
    it.

    Returns what was done, one sentence a year; a closing still at work is left alone. Run at every start.
    """
    snapshots.sweep()
    done = []
    for period in Period.objects.filter(state=State.CLOSING):
        try:
            with locked_year(period.year, wait_seconds=RECOVERY_SECONDS) as session:
                done.append(_recover(period.year, session))
        except Refusal as busy:
            done.append(f"{period.year}: {busy.found}")
    return done


def reopen(first: User, second: User, *, year: int, reason: str, answers: int | None = None) -> None:
    """Opens the last closed year again, by two people with a reason; the sealed snapshot stays.

    `answers` is what the first asked for on a page: that it was agreed to is noted in the same moment.
    """
    region = periods.region()
    require(first, "closing.prepare", region.area_id)
    require(second, "closing.sign", region.area_id)
    with locked_year(year) as session, _database_refusals(year), session.transaction():
        if answers is not None:
            session.execute(
                "INSERT INTO closing_reopeninganswer (reopening_id, agreed, answered_by_id) VALUES (%s, true, %s)",
                [answers, second.pk],
            )
        session.execute("SELECT periods_reopen(%s, %s, %s, %s)", [year, first.pk, second.pk, reason])


# How a year is sealed, and how that is undone.


def _closing_since(year: int) -> str:
    """The instant this closing began: what tells its snapshot from those of earlier closings of the year."""
    since = periods.period(year).closing_since
    return since.astimezone(UTC).isoformat() if since else ""


def _sealed_by(year: int, since: str) -> list[Snapshot]:
    return [s for s in snapshots.existing(year=year, kind=SEALED) if s.manifest.get("closing_since") == since]


def _seal(actor: User, region: Region, year: int, side: Path, since: str, progress: Progress) -> Snapshot:
    about = {"taken_by": actor.pk, "prepared_by": periods.period(year).prepared_by_id, "closing_since": since}
    as_of = date(year, 12, 31)
    with frozen_state() as state:
        taken = take(state, side, region=region, year=year, as_of=as_of, kind=SEALED, about=about, progress=progress)
    if taken.in_the_way:
        raise _in_the_way(year, taken)
    sealed = snapshots.put_in_place(taken.snapshot)
    progress(say("putting the snapshot in place"), 0.98)
    _record(sealed, actor.pk)
    return sealed


def _undo(session: psycopg.Connection[Any], year: int, since: str, *, why: str) -> None:
    """Opens the year again; where the database cannot be reached, what is on disk stays for `recover` to judge."""
    try:
        try:
            state = _aborted(session, year, why)
        except psycopg.Error:
            session.close()  # whatever it is in: the year is held anew
            with locked_year(year, wait_seconds=RECOVERY_SECONDS) as another:
                state = _aborted(another, year, why)
    except (psycopg.Error, Refusal):
        return
    if state == State.OPEN:
        for sealed in _sealed_by(year, since):
            snapshots.remove(sealed)


def _aborted(session: psycopg.Connection[Any], year: int, why: str) -> str:
    session.execute("SELECT periods_abort_close(%s, %s)", [year, why[:500]])
    row = session.execute("SELECT state FROM periods_period WHERE year = %s", [year]).fetchone()
    return str(row[0]) if row else ""


def _recover(year: int, session: psycopg.Connection[Any]) -> str:
    if periods.period(year).state != State.CLOSING:
        return f"{year}: finished meanwhile"
    for sealed in _sealed_by(year, _closing_since(year)):
        try:
            snapshots.verify(sealed)
        except snapshots.Damaged:
            snapshots.remove(sealed)
            continue
        if not SnapshotRecord.objects.filter(digest=sealed.digest).exists():
            _record(sealed, int(sealed.manifest["taken_by"]))
        session.execute("SELECT periods_finish_close(%s, %s)", [year, sealed.digest])
        return f"{year}: the closing was finished with snapshot {sealed.name}"
    session.execute("SELECT periods_abort_close(%s, %s)", [year, "interrupted; nothing was sealed"])
    return f"{year}: the closing was undone; the year is open and can be signed again"


def _provisional(actor: User, region: Region, year: int, progress: Progress) -> Taken:
    as_of = min(date(year, 12, 31), date.today())
    side = snapshots.side_folder()
    try:
        with frozen_state() as state:
            about = {"taken_by": actor.pk, "prepared_by": None, "closing_since": None}
            taken = take(
                state, side, region=region, year=year, as_of=as_of, kind=PROVISIONAL, about=about, progress=progress
            )
        placed = snapshots.put_in_place(taken.snapshot)
        _record(placed, actor.pk)
    finally:
        shutil.rmtree(side, ignore_errors=True)
    snapshots.prune()
    progress(say("finished"), 1.0)
    return Taken(placed, taken.outcomes)


def _record(snapshot: Snapshot, by: int) -> None:
    SnapshotRecord.objects.create(
        digest=snapshot.digest,
        name=snapshot.name,
        kind=snapshot.kind,
        year=snapshot.year,
        as_of=snapshot.as_of,
        rows=snapshot.rows,
        taken_by_id=by,
    )


def _as_result(preparation: Preparation, found: Outcome) -> CheckResult:
    return CheckResult(
        preparation=preparation,
        name=found.name,
        label=found.label,
        todo=found.todo,
        acceptable=found.acceptable,
        failures=found.failures,
        rows=[w._asdict() for w in found.rows],
        rows_digest=found.rows_digest,
    )


def _check_next(year: int) -> None:
    following = periods.first_open_day().year
    if year != following:
        raise Refusal(
            "closing.not_now",
            record=say("year {year}", year=year),
            found=say("a year that is not next"),
            expected=say("the year {following}", following=following),
            rule=say("years close in order"),
            todo=say("close {following} first", following=following),
        )


def _check_over(year: int) -> None:
    if date.today() <= date(year, 12, 31):
        raise Refusal(
            "closing.year_not_over",
            record=str(year),
            found=say("today is {today}", today=date.today()),
            expected=say("a day after {year}-12-31", year=year),
            rule=say("closing takes the state as of 31 December"),
            todo=say("take a provisional snapshot, or wait for the new year"),
        )
    periods.period(year)


def _in_the_way(year: int, taken: Taken) -> Refusal:
    return Refusal(
        "closing.checks_fail",
        record=say("year {year}", year=year),
        found=Listing((say("{label}: {failures}", label=o.label, failures=o.failures) for o in taken.in_the_way), "; "),
        expected=say("every check passes, or a named person has accepted what it found"),
        rule=say("a year is sealed when its checks pass or a named person accepts a failure with a reason"),
        todo=say("prepare the closing to see the rows; correct them or accept them with a reason"),
        more={"checks": [{"name": o.name, "label": o.label, "failures": o.failures} for o in taken.in_the_way]},
    )


@contextmanager
def _database_refusals(year: int) -> Iterator[None]:
    """Turns a refusal of the database's own functions into the same answer people get elsewhere."""
    try:
        yield
    except (Error, psycopg.Error) as error:
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        if not isinstance(cause, psycopg.Error) or not (cause.sqlstate or "").startswith("KZ"):
            raise
        raise Refusal(
            "closing.not_now",
            record=say("year {year}", year=year),
            found=read(cause.diag.message_primary),
            expected=read(cause.diag.message_detail),
            rule=say("a year is prepared by one person and signed by another, in the order of the years"),
            todo=say("look at the state of the year under Closing"),
        ) from error


__all__ = [
    "LOCK_CLASS", "PrepareResult", "accept_failure", "check_may", "prepare", "provisional", "recover", "reopen", "sign",
]  # fmt: skip
