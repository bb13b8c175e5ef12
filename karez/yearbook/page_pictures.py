"""The pictures of a chapter's page: the same as of an edition, from the snapshot the page shows, as far as its reader may see.

Places outside the reader's areas stand together in the flow; the map shows none of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from karez.closing.snapshots import Snapshot
from karez.figures import answers
from karez.periods import services as periods
from karez.yearbook.chapter import Chapter
from karez.yearbook.money import capital_of, flow_of, sealed_before
from karez.yearbook.pictures import Named, Picture, capital_picture, coverage_picture, flow_picture


def pictures_of(snapshot: Snapshot, made: Chapter, counties: Sequence[Mapping[str, Any]], region: str) -> list[Picture]:
    """Map, chart and flow; `counties` are the figures of the counties the reader may see. One that has nothing to show is left out."""
    here = periods.region()

    def link(figure: str, area_id: int | None, year: int | None) -> str:
        address = reverse("yearbook:trace", args=[region, year or snapshot.year, figure])
        return f"{address}?area={area_id}" if area_id else address

    language = made.language
    places = {p.code: Named(p.area_id, p.name_en, p.name_zh) for p in answers.places(snapshot).values()}
    states = capital_of([*sealed_before(snapshot, all_there=False), snapshot], here.area_id, here.first_year)
    labels = {row["id"]: row["name"] for row in made.rows}
    found = [
        coverage_picture(counties, region=region, language=language, link=link),
        capital_picture(states, labels, language=language, link=link),
        flow_picture(
            flow_of(snapshot), places, year=snapshot.year, language=language, link=link, seen={str(r["place"]) for r in counties}
        ),
    ]  # fmt: skip
    return [p for p in found if p]
