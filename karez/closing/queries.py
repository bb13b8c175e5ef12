"""What may be asked about closings: snapshots of a year, the checks of the last preparation, what was accepted. Writes
nothing.
"""

from dataclasses import dataclass

from karez.access.models import User
from karez.closing import snapshots
from karez.closing.models import Acceptance, CheckResult, Preparation, Reopening, SnapshotRecord, Work
from karez.closing.snapshots import Snapshot
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import Period, PeriodChange, State
from karez.places.queries import require


@dataclass(frozen=True)
class CloseStatus:
    """How far the closing of a year is."""

    year: int
    state: str
    prepared_by_id: int | None
    signed_by_id: int | None
    snapshot: Snapshot | None
    results: tuple[CheckResult, ...]
    acceptances: tuple[Acceptance, ...]
    work: Work | None  # the last thing a page asked for, at work or ended


def sealed_snapshot(region: str, year: int) -> Snapshot:
    """The snapshot a year was closed with; refuses a year that is not closed or whose snapshot is not on this disk."""
    check_region(region)
    return _sealed(periods.period(year))


def _sealed(period: Period) -> Snapshot:
    found = snapshots.named(period.snapshot) if period.snapshot else None
    if found is None:
        raise Refusal(
            "closing.not_sealed",
            record=str(period.year),
            found=say("state {state}", state=State(period.state).label)
            if not period.snapshot
            else say("snapshot {snapshot} is not in {name}", snapshot=period.snapshot[:12], name=snapshots.root().name),
            expected=say("a closed year with its sealed snapshot"),
            rule=say("only a sealed year is published"),
            todo=say("close the year, or restore its snapshot from the backup"),
        )
    return found


def verified_snapshot(region: str, year: int) -> Snapshot:
    """The sealed snapshot, with every digest of it read again; refuses one that is not as it was sealed."""
    found = sealed_snapshot(region, year)
    check_digests(found)
    return found


def check_digests(snapshot: Snapshot) -> None:
    """Reads every digest of a snapshot again; refuses one that is not as it was sealed."""
    try:
        snapshots.verify(snapshot)
    except snapshots.Damaged as damage:
        raise Refusal(
            "closing.damaged",
            record=snapshot.name,
            found=str(damage),
            expected=say("the files as they were sealed"),
            rule=say("only what was sealed is published"),
            todo=say("restore the snapshot from the backup"),
        ) from damage


def best_snapshot(region: str, year: int) -> Snapshot:
    """The sealed snapshot of a closed year, else the newest provisional one; refuses where there is neither."""
    check_region(region)
    period = periods.period(year)
    if period.snapshot:
        return _sealed(period)
    found = [s for s in snapshots.existing(year=year, kind=snapshots.PROVISIONAL) if s.region == region]
    if not found:
        raise Refusal(
            "closing.no_snapshot",
            record=str(year),
            found=say("no snapshot of this year"),
            expected=say("a sealed or a provisional snapshot"),
            rule=say("figures are computed from snapshots, never from live records"),
            todo=say("prepare the closing, or take a provisional snapshot"),
        )
    return found[0]


def unproved_snapshots() -> list[tuple[str, str]]:
    """What the digests inside a folder cannot tell: a sealed snapshot that is gone, or one the database did not seal;
    what, why.

    A folder changed as a whole, manifest and name with it, agrees with itself; the digest a year was closed with is
    kept in the database.
    """
    closed = {p.year: p.snapshot for p in Period.objects.all() if p.snapshot}
    known = {*closed.values(), *SnapshotRecord.objects.filter(kind=snapshots.SEALED).values_list("digest", flat=True)}
    gone = [
        (f"year {year}", f"the snapshot {digest[:12]} it was closed with is not here, or its manifest was changed")
        for year, digest in sorted(closed.items())
        if snapshots.named(digest) is None
    ]
    strange = [
        (f"snapshot {s.name}", "says it is sealed, but no year was closed with it")
        for s in snapshots.existing(kind=snapshots.SEALED)
        if s.digest not in known
    ]
    return gone + strange + [(f"snapshot {name}", "its manifest cannot be read") for name in snapshots.unreadable()]


def check_region(region: str) -> None:
    """Refuses the code of a region that is not this database's."""
    own = periods.region().code
    if region != own:
        raise Refusal(
            "places.unknown_region",
            record=region,
            found=say("this installation serves region {own}", own=own),
            expected=own,
            rule=say("one database serves one region"),
            todo=say("ask for region {own}, or use the installation of region {region}", own=own, region=region),
        )


def close_status(actor: User, year: int) -> CloseStatus:
    """State of a year, its snapshot, the checks of the last preparation and what was accepted."""
    require(actor, "closing.view", periods.region().area_id)
    period = periods.period(year)
    last = Preparation.objects.filter(year=year).order_by("-pk").first()
    results = tuple(last.results.order_by("-failures", "name")) if last else ()
    snapshot = snapshots.named(period.snapshot or (last.draft if last else ""))
    return CloseStatus(
        year,
        period.state,
        period.prepared_by_id,
        period.signed_by_id,
        snapshot,
        results,
        tuple(Acceptance.objects.filter(year=year).order_by("pk")),
        Work.objects.filter(year=year).order_by("-pk").first(),
    )


def years(actor: User) -> list[Period]:
    """Every year of the region, newest first."""
    require(actor, "closing.view", periods.region().area_id)
    return list(Period.objects.order_by("-year"))


def snapshots_of(actor: User, year: int) -> list[SnapshotRecord]:
    """Every snapshot ever taken of a year, newest first; provisional ones may be gone from the disk."""
    require(actor, "closing.view", periods.region().area_id)
    return list(SnapshotRecord.objects.filter(year=year).order_by("-pk")[:50])


def changes(actor: User, year: int) -> list[PeriodChange]:
    """Every change of a year's state, newest first: who, when, why, and which snapshot it left."""
    require(actor, "closing.view", periods.region().area_id)
    return list(PeriodChange.objects.filter(year=year).order_by("-pk")[:50])


def reopening_asked(actor: User, year: int, reopening_id: int) -> Reopening:
    """One request to open a year again; refuses a number that is none of this year's."""
    require(actor, "closing.view", periods.region().area_id)
    found = Reopening.objects.filter(pk=reopening_id, year=year).first()
    if found is None:
        raise Refusal(
            "not_found.closing_reopening",
            record=say("request {reopening_id}", reopening_id=reopening_id),
            found=say("no such request"),
            expected=say("a request of this year"),
            rule=say("a year is opened again by two people"),
            todo=say("look at the year's page"),
        )
    return found
