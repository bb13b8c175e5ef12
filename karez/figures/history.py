"""One figure at one place in every sealed snapshot of the region, those a reopened year left behind too. Writes nothing
but the local operator's reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from karez.access.models import User
from karez.access.services import log_read
from karez.closing import snapshots
from karez.closing.models import SnapshotRecord
from karez.closing.snapshots import SEALED, Snapshot
from karez.figures import answers
from karez.figures.declarations import Figure
from karez.figures.engine import State, declared
from karez.figures.queries import areas_visible, with_ancestors
from karez.periods.services import region as the_region
from karez.periods.services import years

NO_PLACE, GONE = "no_such_place", "gone"


@dataclass(frozen=True)
class Sealed:
    """A sealed snapshot of the region: `current` is what its year is closed with now; None where it is not on this
    disk.
    """

    year: int
    digest: str
    current: bool
    snapshot: Snapshot | None


@dataclass(frozen=True)
class InYear:
    """A figure in one sealed snapshot; `state` says why there is no value.

    `change` is against `compared`, the newest earlier year that has a value, if it is by the same definition; None
    where there is none.
    """

    sealed: Sealed
    figure: Figure
    value: Fraction | None
    state: str
    change: Fraction | None = None
    compared: int | None = None


def sealed_snapshots() -> list[Sealed]:
    """Every snapshot a year was ever closed with, newest year first, what stands before what was replaced."""
    standing = {str(p.snapshot): p.year for p in years() if p.snapshot}
    records = SnapshotRecord.objects.raw(
        "SELECT id, digest, year FROM closing_snapshotrecord WHERE kind = %s ORDER BY id", [SEALED]
    )
    known = {record.digest: record.year for record in records} | standing
    code = the_region().code
    here = {s.digest: s for s in snapshots.existing(kind=SEALED) if s.region == code}
    found = [Sealed(year, digest, digest in standing, here.get(digest)) for digest, year in known.items()]
    # What was sealed last stands first among those that were replaced.
    order = {digest: n for n, digest in enumerate(known)}
    return sorted(found, key=lambda s: (-s.year, not s.current, -order[s.digest]))


def in_years(actor: User | None, figure_id: str, *, area_id: int | None = None) -> list[InYear]:
    """The figure at a place (the region if None) in every sealed snapshot that knows it, newest first; only what the
    actor may see.
    """
    place = the_region().area_id if area_id is None else area_id
    visible = areas_visible(actor, "figures.trace")
    found = [one for sealed in sealed_snapshots() if (one := _in_one(visible, figure_id, sealed, place)) is not None]
    if found and actor is None:
        log_read(actor, kind="figures", subject_id=place, purpose=f"{figure_id} in all sealed years", rows=len(found))
    return [_compared(one, found) for one in found]


def _in_one(visible: frozenset[int] | None, figure_id: str, sealed: Sealed, place: int) -> InYear | None:
    """None where the figure was not defined in that year or the actor may not see the place in it."""
    figure = declared().of_year(sealed.year).get(figure_id)
    if figure is None:
        return None
    if sealed.snapshot is None:
        return InYear(sealed, figure, None, GONE)
    seen = with_ancestors(visible, sealed.snapshot)
    if seen is not None and place not in seen:
        return None
    there = answers.places(sealed.snapshot).get(place)
    if there is None:
        return InYear(sealed, figure, None, NO_PLACE)
    value = answers.cells(sealed.snapshot, [figure], (there.level,)).value(figure.id, place)
    return InYear(sealed, figure, value.value if value.state is State.VALUE else None, value.state.value)


def _compared(one: InYear, found: Sequence[InYear]) -> InYear:
    before = next(
        (o for o in found if o.sealed.current and o.sealed.year < one.sealed.year and o.value is not None), None
    )
    if one.value is None or before is None or before.value is None or before.figure is not one.figure:
        return one
    return replace(one, change=one.value - before.value, compared=before.sealed.year)
