"""The pictures of a chapter's page: the same as of an edition, from the snapshot the page shows, as far as its reader may see.

Places outside the reader's areas stand together in the flow; the map shows none of them. What was drawn of a snapshot is kept for the
next reader who may see the same places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.urls import reverse

from karez.closing.snapshots import Snapshot
from karez.figures import answers
from karez.figures.engine import declared
from karez.periods import services as periods
from karez.yearbook.chapter import Chapter
from karez.yearbook.money import capital_of, flow_of, sealed_before
from karez.yearbook.pictures import Named, Picture, capital_picture, coverage_picture, flow_picture


@dataclass(frozen=True)
class _Asked:
    """What a set of pictures depends on, as a key: snapshots never change, and declarations do not while a process runs."""

    digests: tuple[str, ...]  # of the years before, and of the chapter's
    declared: int
    language: str
    seen: frozenset[str]
    snapshots: tuple[Snapshot, ...] = field(compare=False)
    known: object = field(compare=False)  # held, so that no other object takes its number
    labels: Mapping[str, str] = field(compare=False)
    counties: Sequence[Mapping[str, Any]] = field(compare=False)


def pictures_of(snapshot: Snapshot, made: Chapter, counties: Sequence[Mapping[str, Any]]) -> Sequence[Picture]:
    """Map, chart and flow; `counties` are the figures of the counties the reader may see. One that has nothing to show is left out."""
    snapshots, known = (*sealed_before(snapshot, all_there=False), snapshot), declared()
    labels = {row["id"]: row["name"] for row in made.rows}
    seen = frozenset(str(r["place"]) for r in counties)
    return _drawn(_Asked(tuple(s.digest for s in snapshots), id(known), made.language, seen, snapshots, known, labels, counties))


@lru_cache(maxsize=64)
def _drawn(asked: _Asked) -> tuple[Picture, ...]:
    here, snapshot, language = periods.region(), asked.snapshots[-1], asked.language

    def link(figure: str, area_id: int | None, year: int | None) -> str:
        address = reverse("yearbook:trace", args=[snapshot.region, year or snapshot.year, figure])
        return f"{address}?area={area_id}" if area_id else address

    places = {p.code: Named(p.area_id, p.name_en, p.name_zh) for p in answers.places(snapshot).values()}
    states = capital_of(asked.snapshots, here.area_id, here.first_year)
    found = [
        coverage_picture(asked.counties, region=snapshot.region, language=language, link=link),
        capital_picture(states, asked.labels, language=language, link=link),
        flow_picture(flow_of(snapshot), places, year=snapshot.year, language=language, link=link, seen=asked.seen),
    ]
    return tuple(p for p in found if p)
