"""Comparing each room's live report with its figure, for closing. Holds no reports: the rooms declare them."""

from collections.abc import Sequence
from fractions import Fraction

from karez.closing.checking import Wrong
from karez.closing.declared import RunReport
from karez.closing.snapshots import Snapshot
from karez.figures.declarations import LEVELS
from karez.figures.engine import cells, resolve
from karez.kernel.figure_tables import LiveReport
from karez.kernel.messages import say
from karez.kernel.printed import plain_number
from karez.kernel.refusal import Refusal


def check_reports(snapshot: Snapshot, reports: Sequence[LiveReport], run: RunReport) -> list[Wrong]:
    """Every place where a live report and the figure of the draft are not exactly equal; also what cannot be computed."""
    try:
        computed = cells(snapshot, resolve(None, snapshot.year), LEVELS)
        reported = [(report, resolve([report.figure], snapshot.year)[0]) for report in reports]
    except Refusal as refusal:
        return [Wrong(refusal.record, refusal.found, refusal.expected)]
    wrong = [
        Wrong(f"the figure {i}", found, say("an expression that works on every row"))
        for i, found in computed.undefined.items()
    ]
    for report, figure in reported:
        for area_id, live in run(report.sql):
            if area_id not in computed.places:
                wrong.append(Wrong(f"{report.label}, area {area_id}", str(live), say("an area of the year's edition")))
                continue
            value = computed.value(figure.id, area_id).value
            if (None if live is None else Fraction(live)) != value:
                place = computed.places[area_id]
                shown = say("no value") if value is None else plain_number(value)
                wrong.append(
                    Wrong(
                        f"{report.label}, {place.code} {place.name_en}: the report",
                        str(live),
                        say("the figure {id}: {shown}", id=figure.id, shown=shown),
                    )
                )
    return wrong
