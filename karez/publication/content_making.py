"""What an edition says, made of a sealed snapshot after disclosure control. Holds no record of who signed, and reads no text
again.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from karez.chapter.compose import SUPPRESSED, Chapter, compose
from karez.chapter.money import CAPITAL, OPENING, capital_of, flow_of, sealed_before
from karez.closing.snapshots import Snapshot
from karez.figures.declarations import Figure
from karez.figures.engine import Cells, Place, State, cells, declared, resolve, sql_of
from karez.figures.over_years import told_by_other_years
from karez.figures.publication import cells_for_publication
from karez.figures.solver import UNDECIDED
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.periods.models import Region
from karez.periods.services import region as the_region
from karez.publication.content import LEVELS, Content, chapter_as_data
from karez.publication.other_editions import beside_of
from karez.wording.numbers import CHINESE, LANGUAGES

FORMAT = 1


def content_of(snapshot: Snapshot, signed: Mapping[tuple[int, int], Content] | None = None) -> Content:
    """The content a sealed snapshot yields with the declarations, the sentences and the disclosure rules of now.

    `signed` are the signed editions of all years, by year and number: what they told and what they withheld counts in
    the decision.
    """
    figures = resolve(None, snapshot.year)
    computed = cells(snapshot, figures, LEVELS)
    region = the_region()
    withheld = _withheld(snapshot, figures, computed, signed or {})
    places = [p for p in computed.places.values() if p.level in LEVELS]
    places.sort(key=lambda p: (LEVELS.index(p.level), p.code))
    name = next(p for p in places if p.area_id == region.area_id)
    said: dict[str, Any] = {
        "format": FORMAT,
        "year": snapshot.year,
        "synthetic": region.synthetic,
        "controller": region.controller,
        "region": {
            "code": region.code,
            "place": name.code,
            "name_en": name.name_en or name.name_zh,
            "name_zh": name.name_zh,
        },
        "snapshot": {
            "name": snapshot.name,
            "digest": snapshot.digest,
            "as_of": snapshot.as_of.isoformat(),
            "taken_at": snapshot.taken_at,
        },
        "figures": [_definition(f, snapshot) for f in figures],
        "places": [_place(p, computed.places) for p in places],
        "cells": _published_cells(computed, figures, places, withheld),
        "flow": flow_of(snapshot),
        "capital": _capital(
            snapshot, region, {figure for figure, place in withheld if place == region.area_id}, signed or {}
        ),
    }
    plain = Content(_text(said))
    said["chapters"] = {language: chapter_as_data(_composed(plain, language)) for language in LANGUAGES}
    return Content(_text(said))


def _capital(
    snapshot: Snapshot, region: Region, withheld: Collection[str], signed: Mapping[tuple[int, int], Content]
) -> list[dict[str, Any]]:
    """The states of the capital of which nothing is withheld, neither in this edition nor in the year they are of."""
    earlier = sealed_before(snapshot)
    held = {s.year: _held_then(s, region.area_id, signed) for s in earlier} | {snapshot.year: withheld}
    states = capital_of([*earlier, snapshot], region.area_id, region.first_year)
    return [s for s in states if not any(figure in held[s["of"]] for figure in s["values"])]


def _held_then(earlier: Snapshot, region: int, signed: Mapping[tuple[int, int], Content]) -> Collection[str]:
    """Which figures of capital may not be told of an earlier year's region: few households stand behind them, or an
    edition withheld them.
    """
    known = declared().of_year(earlier.year)
    ids = [i for i in (*OPENING, *CAPITAL) if i in known]
    decided = cells_for_publication(earlier, ids, ("region",)).suppressed().suppressed if ids else {}
    editions = [content for (year, _number), content in signed.items() if year == earlier.year]
    by_edition = {
        i
        for content in editions
        for i in ids
        if content.cells.get((i, content.said["region"]["place"]), (None, ""))[1] == SUPPRESSED
    }
    return {i for i, place in decided if place == region} | by_edition


def _definition(figure: Figure, snapshot: Snapshot) -> dict[str, Any]:
    told = figure.as_dict()
    del told["file"]
    return {**told, "sql": sql_of(figure.id, snapshot)}


def _place(place: Place, places: Mapping[int, Place]) -> dict[str, Any]:
    parent = places.get(place.parent_id) if place.parent_id is not None else None
    return {
        "code": place.code,
        "level": place.level,
        "name_en": place.name_en,
        "name_zh": place.name_zh,
        "area_id": place.area_id,
        "parent": parent.code if parent else "",
    }


def _withheld(
    snapshot: Snapshot, figures: Sequence[Figure], computed: Cells, signed: Mapping[tuple[int, int], Content]
) -> Collection[tuple[str, int]]:
    """The cells that disclosure control takes out, decided over the whole set; refuses to publish what would still be
    exposed.
    """
    publication = cells_for_publication(snapshot, levels=LEVELS)
    others = beside_of(publication, snapshot.year, figures, computed.places, signed)
    decided = publication.suppressed(others)
    exposed = [e for e in decided.exposed if not told_by_other_years(e, snapshot.year)]
    if undecided := [e for e in exposed if e.how == UNDECIDED]:
        raise Refusal(
            "publication.undecided",
            record=f"{snapshot.region} {snapshot.year}",
            found=say(
                "{count} withheld cells of which it cannot be shown that they stay unknown", count=len(undecided)
            ),
            expected=say("none"),
            rule=say(
                "what is printed beside a withheld cell fits together, and how open it stays can be "
                "worked out within bounds"
            ),
            todo=say("leave a figure out of the year's declarations, or look for editions that contradict each other"),
        )
    if exposed:
        raise Refusal(
            "publication.exposed",
            record=f"{snapshot.region} {snapshot.year}",
            found=say("{count} small cells that can be worked out", count=len(exposed)),
            expected=say("none"),
            rule=say("fewer than 10 persons or households are not published and do not follow from what is"),
            todo=say("leave a figure out of the year's declarations, or make its disclosure unit coarser"),
        )
    return decided.suppressed.keys()


def _published_cells(
    computed: Cells, figures: Sequence[Figure], places: Sequence[Place], withheld: Collection[tuple[str, int]]
) -> list[list[str | None]]:
    """Every cell as published: figure, code of the place, exact value (None where there is none), state. No state says
    why.
    """
    made: list[list[str | None]] = []
    for figure in figures:
        for place in places:
            value = computed.value(figure.id, place.area_id)
            if (figure.id, place.area_id) in withheld:
                made.append([figure.id, place.code, None, SUPPRESSED])
            else:
                exact = None if value.value is None or value.state is not State.VALUE else str(value.value)
                made.append([figure.id, place.code, exact, value.state.value])
    return made


def _text(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _composed(content: Content, language: str) -> Chapter:
    said = content.said
    name = said["region"]["name_zh"] if language == CHINESE else said["region"]["name_en"]
    by_place = [r for r in content.rows() if r["level"] != "region"]
    return compose(
        {"figures": content.rows("region")}, region=name, year=said["year"], language=language, by_place=by_place
    )
