"""What the pictures of money are drawn from: the flow of a year's lines to counties, and capital by state and source.
Holds no words.

Everything comes from frozen snapshots through declared figures: the flow is `funds.received` and `funds.allocated` told
apart by source line, capital is the figures of each sealed year and of the region's first day. All of it can be written
as JSON, so that it is part of what people sign.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from karez.closing.queries import verified_snapshot
from karez.closing.snapshots import Snapshot, named
from karez.figures import answers
from karez.figures.breakdown import breakdown
from karez.figures.engine import declared, resolve
from karez.kernel.refusal import Refusal
from karez.periods.models import State as PeriodState
from karez.periods.services import years

RECEIVED, ALLOCATED, EARLIER = "funds.received", "funds.allocated", "funds.allocated_earlier"
_LINE = ("line_code", "line_name", "programme", "funder_name", "funder_name_zh", "funder_code")
_NAMES = ("code", "name", "programme", "funder_en", "funder_zh", "funder")
# What `mutual_funds.capital_total` is made of, at the end of a year and on the region's first day.
CAPITAL = ("mutual_funds.capital_government", "mutual_funds.capital_members")
OPENING = ("mutual_funds.opening_government", "mutual_funds.opening_members")


def flow_of(snapshot: Snapshot) -> dict[str, Any] | None:
    """The year's source lines with what was received on each, and what each county got of it; None where nothing was
    received.

    Amounts are exact, in yuan, as text. `earlier` is what was passed on in the year of lines of earlier years. A line
    that paid without having received has 0. Where the records cannot be told apart, `gap` says so and there is nothing
    else.
    """
    known = declared().of_year(snapshot.year)
    if RECEIVED not in known or ALLOCATED not in known:
        return None
    try:
        received = breakdown(snapshot, RECEIVED, _LINE, "region")
        allocated = breakdown(snapshot, ALLOCATED, _LINE, "county")
        earlier = breakdown(snapshot, EARLIER, ("line_code",), "county") if EARLIER in known else ()
    except Refusal:
        return {"lines": [], "paid": [], "gap": "not_told_apart"}
    if not received or allocated is None:
        return None
    places = answers.places(snapshot)
    lines = {
        part.columns[0]: {**dict(zip(_NAMES, part.columns, strict=True)), "received": "0"}
        for part in (*allocated, *received)
    }
    for part in received:
        lines[part.columns[0]]["received"] = str(part.value)
    return {
        "lines": [lines[code] for code in sorted(lines)],
        "paid": sorted([part.columns[0], places[part.area_id].code, str(part.value)] for part in allocated),
        "earlier": str(sum((part.value for part in earlier or ()), Fraction(0))),
    }


def sealed_before(snapshot: Snapshot, *, all_there: bool = True) -> list[Snapshot]:
    """The sealed snapshots of the years before a snapshot's, for what is published: every digest of them read again.

    Refuses where one is damaged or not on this disk; for a page (`all_there` false) they are taken as they are, as far
    as there.
    """
    closed = [period for period in years() if period.state == PeriodState.CLOSED and period.year < snapshot.year]
    if all_there:
        return [verified_snapshot(snapshot.region, period.year) for period in closed]
    return [found for period in closed if period.snapshot and (found := named(period.snapshot))]


def capital_of(snapshots: Sequence[Snapshot], region: int, first_year: int) -> list[dict[str, Any]]:
    """The funds' capital by source, oldest first: on the region's first day, then at the end of each snapshot's year.

    A state: `year` (of the first day the year that begins then), `opening`, the snapshot it was read from with the year
    of that, and `values`, figure -> exact yuan. The first day is read from the oldest snapshot given.
    """
    found: list[dict[str, Any]] = []
    for n, snapshot in enumerate(sorted(snapshots, key=lambda s: s.year)):
        for ids, opening in ((OPENING, True), (CAPITAL, False)):
            values = _values(snapshot, ids, region) if n == 0 or not opening else {}
            if values:
                found.append(
                    {
                        "year": first_year if opening else snapshot.year,
                        "opening": opening,
                        "of": snapshot.year,
                        "as_of": snapshot.as_of.isoformat(),
                        "snapshot": snapshot.name,
                        "values": values,
                    }
                )
    return found


def _values(snapshot: Snapshot, ids: Sequence[str], region: int) -> Mapping[str, str]:
    known = declared().of_year(snapshot.year)
    if not all(i in known for i in ids):
        return {}
    computed = answers.cells(snapshot, resolve(ids, snapshot.year), ("region",))
    values = {i: computed.value(i, region).value for i in ids}
    return (
        {i: str(v) for i, v in values.items() if v is not None} if all(v is not None for v in values.values()) else {}
    )
