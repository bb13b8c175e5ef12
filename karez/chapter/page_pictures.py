"""The pictures of a chapter's page: the same as of an edition, from the snapshot the page shows, as far as its reader
may see.

Places outside the reader's areas stand together in the flow; the map marks them as such.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from karez.chapter.compose import Chapter
from karez.chapter.money import capital_of, flow_of
from karez.chapter.pictures import Named, Picture, capital_picture, coverage_picture, flow_picture
from karez.closing.snapshots import Snapshot
from karez.figures import answers
from karez.periods import services as periods


def pictures_of(snapshots: Sequence[Snapshot], made: Chapter, counties: Sequence[Mapping[str, Any]]) -> list[Picture]:
    """Map, chart and flow of the last of the snapshots, the others being those of the years before.

    `counties` are the figures of the counties the reader may see. A picture that has nothing to show is left out.
    """
    here, snapshot, language = periods.region(), snapshots[-1], made.language

    def link(figure: str, area_id: int | None, year: int | None) -> str:
        address = reverse("trace:trace", args=[snapshot.region, year or snapshot.year, figure])
        return f"{address}?area={area_id}" if area_id else address

    places = {p.code: Named(p.area_id, p.name_en, p.name_zh) for p in answers.places(snapshot).values()}
    states = capital_of(snapshots, here.area_id, here.first_year)
    labels = {row["id"]: row["name"] for row in made.rows}
    seen = {str(r["place"]) for r in counties}
    outside = {p.code for p in answers.places(snapshot).values() if p.level == "county"} - seen
    found = [
        coverage_picture(counties, region=snapshot.region, language=language, link=link, outside=outside),
        capital_picture(states, labels, language=language, link=link),
        flow_picture(
            flow_of(snapshot),
            places,
            year=snapshot.year,
            day=snapshot.as_of.isoformat(),
            language=language,
            link=link,
            seen=seen,
        ),
    ]
    return [p for p in found if p]
