"""A figure's values by county as a map on a page: shapes where they are shipped, tiles elsewhere. Computes no figures."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.utils.translation import override

from karez.chapter.compose import SUPPRESSED
from karez.places.queries import areas_named
from karez.places.shapes import SUPPRESSED as HATCHED
from karez.places.shapes import shapes_of, svg_tiles
from karez.places.shapes.drawing import OUTSIDE, Drawn, Mark, Number, drawn_of, svg_of
from karez.places.shapes.tiles import Tile
from karez.wording.numbers import CHINESE, common_scale, number_words

_WIDTH = 640


def county_map(
    rows: Sequence[Mapping[str, Any]],
    *,
    region: str,
    day: str,
    title: str,
    unit: str,
    rounding: str,
    language: str,
    whole: bool = True,
    link: Callable[[int], str] | None = None,
    description: str = "",
    prefix: str = "map",
    outside: Collection[str] = (),
) -> str:
    """The map of rows (place, area_id, exact, state) of counties as SVG; empty where no county has a value.

    `whole` draws the other counties of the region too; `link` gives the address of a county's own page; counties
    `outside` what the reader may see are told as that, not as empty.
    """
    if not any(r["exact"] is not None for r in rows):
        return ""
    values = {r["place"]: _value(r) for r in rows}
    links = {r["place"]: link(r["area_id"]) for r in rows} if link else None
    step = Fraction(rounding)
    form, head = common_scale((Fraction(r["exact"]) for r in rows if r["exact"] is not None), step, unit, language)

    def number(value: Number) -> str:
        return number_words(Fraction(value), step, unit, language, form)

    drawn = _drawn(region, day, language)
    with override("zh-hans" if language == CHINESE else "en"):  # the words of its legend
        if drawn is None or not values.keys() <= {d.code for d in drawn[0]}:
            tiles = _tiles(rows)
            return svg_tiles(
                tiles,
                values,
                title=title,
                description=description,
                unit=head,
                lang="zh" if language == CHINESE else "en",
                width=_WIDTH,
                number=number,
                links=links,
                prefix=prefix,
            )
        values |= dict.fromkeys((code for code in outside if code not in values), OUTSIDE) if whole else {}
        shown = drawn[0] if whole else [d for d in drawn[0] if d.code in values]
        return svg_of(
            shown,
            values,
            _WIDTH,
            drawn[1],
            title=title,
            description=description,
            unit=head,
            prefix=prefix,
            number=number,
            links=links,
        )


def _value(row: Mapping[str, Any]) -> Number | Mark | None:
    if row["exact"] is None:
        return HATCHED if row["state"] == SUPPRESSED else None
    return Fraction(row["exact"])


@lru_cache(maxsize=16)
def _drawn(region: str, day: str, language: str) -> tuple[Sequence[Drawn], int] | None:
    shapes = shapes_of(region, date.fromisoformat(day))
    return None if shapes is None else drawn_of(shapes, "zh" if language == CHINESE else "en", _WIDTH)


def _tiles(rows: Sequence[Mapping[str, Any]]) -> list[Tile]:
    unnamed = [r["area_id"] for r in rows if "place_name_zh" not in r]
    names = {area.pk: area for area in areas_named(unnamed)} if unnamed else {}
    found = []
    for row in sorted(rows, key=lambda r: str(r["place"])):
        area = names.get(row["area_id"])
        name_zh, name_en = (area.name_zh, area.name_en) if area else (row.get("place_name_zh", ""), row["place_name"])
        found.append(
            Tile(row["place"], name_zh or row["place_name"], name_en or row["place_name"], str(row["place"])[:4])
        )
    return found
