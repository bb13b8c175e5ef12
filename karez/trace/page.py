"""What a trace's page says of a frozen snapshot, drawn once for readers of the same areas and language. Computes no
figures.

The vouchers behind the rows are asked for each time and drawn anew when they say something else; the years, and who
reads, are not kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.access.queries import permissions_of
from karez.chapter.maps import county_map
from karez.figures import answers
from karez.figures.engine import Place, resolve
from karez.figures.queries import TraceKey
from karez.trace.catalogue import described
from karez.wording.column_words import column_words, value_words
from karez.wording.numbers import CHINESE, figure_words, unit_words

# Columns every frozen row begins with: the place and what lies above it. The page names the place in words instead.
_PLACE = {"area_id", "area_level", "region_id", "prefecture_id", "county_id", "township_id", "village_id", "row"}
_OPENS = {
    "loan_id",
    "society_id",
    "return_id",
    "line_code",
    "source_line",
    "household_key",
    "key",
    "voucher_id",
    "transfer_id",
    "county_transfer_id",
}
_HERE = "KEY"  # takes the place of a key in an address
_PASSED_OVER = {
    "voucher_id",
    "transfer_id",
    "county_transfer_id",
    "source_line",
}  # what a row stands on, not what it stands for


@dataclass(frozen=True)
class Drawn:
    """The page without vouchers and years: names in the reader's language, the way to the place, everything above the
    years, the table of rows.
    """

    label: str
    other: str
    place: str
    above: SafeString  # the levels between the region and the place, each a link to the figure there
    top: SafeString
    rows: SafeString


@dataclass(frozen=True)
class _Asked:
    key: TraceKey
    language: str
    site_language: str | None
    at_region: bool
    found: Mapping[str, Any] = field(compare=False)  # follows from the key


def drawn(key: TraceKey, found: Mapping[str, Any], *, at_region: bool, language: str) -> Drawn:
    """The page of what `figures.trace_of` found under the key."""
    return _drawn(_Asked(key, language, get_language(), at_region, found))


def vouchers(actor: User, transfers: Sequence[Mapping[str, Any]]) -> SafeString:
    """The table of vouchers, with links for who may open them; empty where there are none."""
    held = permissions_of(actor)
    may_open = ("ledger.view" in held, "documents.view" in held)
    return _vouchers(tuple(tuple(one.items()) for one in transfers), get_language(), *may_open)


@lru_cache(maxsize=64)
def _drawn(asked: _Asked) -> Drawn:
    found, language, year = asked.found, asked.language, asked.key.asked.snapshot.year
    places, link = answers.places(asked.key.asked.snapshot), {"region": asked.key.asked.snapshot.region, "year": year}
    figure, here = resolve([found["id"]], year)[0], places[found["area_id"]]
    table = resolve([found["rows_of"]], year)[0].table if found["rows_of"] else ""
    one = described(figure)
    top = {
        "trace": found,
        "link": link,
        "one": one,
        "words": _words(found, year, language),
        "map": _map(found, link, language, places.values()),
        "here": here,
        "places": places,
        "at_region": asked.at_region,
        "largest": max((float(p["value"]) for p in found["by_place"] if p["value"] is not None), default=0) or 1,
        "collected": any(p["state"] != "not_collected" for p in found["by_place"]),
    }
    columns = [(c, column_words(table, c)) for c in (found["rows"][0] if found["rows"] else {}) if c not in _PLACE]
    rows = {"rows": _rows(table, found["rows"], places), "columns": columns, "table": table}
    return Drawn(
        one["label"],
        one["other"],
        _name(here, language),
        _above(here, places, _at(asked.key.asked.snapshot.region, year, found["id"]), language),
        render_to_string("trace/trace_top.html", top),
        render_to_string("trace/trace_rows.html", rows) if found["rows"] else SafeString(""),
    )


def _name(place: Place, language: str) -> str:
    return (place.name_zh or place.name_en) if language == CHINESE else (place.name_en or place.name_zh)


def _above(here: Place, places: Mapping[int, Place], address: Callable[[int], str], language: str) -> SafeString:
    """The crumbs of what lies between the region and the place, from the top; who may see a place may see what it lies
    in.
    """
    way: list[Place] = []
    place = places.get(here.parent_id or 0)
    while place is not None and place.level != "region":
        way.append(place)
        place = places.get(place.parent_id or 0)
    crumbs = ((address(one.area_id), _name(one, language) or one.code) for one in reversed(way))
    return format_html_join("", '<li class="breadcrumb-item"><a href="{}">{}</a></li>', crumbs)


@lru_cache(maxsize=64)
def _vouchers(
    transfers: tuple[tuple[tuple[str, Any], ...], ...], _language: str | None, open_vouchers: bool, open_documents: bool
) -> SafeString:
    told = {
        "transfers": [dict(one) for one in transfers],
        "open_vouchers": open_vouchers,
        "open_documents": open_documents,
    }
    return render_to_string("trace/trace_vouchers.html", told)


def _words(found: Mapping[str, Any], year: int, language: str) -> dict[str, Any]:
    """Value, unit and inputs in the reader's language."""
    under = resolve([i["id"] for i in found["inputs"]], year) if found["inputs"] else []
    inputs = {f.id: (f.label_zh or f.label) if language == CHINESE else f.label for f in under}
    said = ""
    if found["exact"] is not None:
        said = figure_words(
            Fraction(found["exact"]), Fraction(found["definition"]["rounding"]), found["unit"], language
        )
    rounded_away = str(found["value"]) not in said.replace(",", "")
    return {
        "unit": unit_words(found["unit"], language),
        "inputs": [
            {**i, "label": inputs.get(i["id"], i["label"]), "unit": unit_words(i["unit"], language)}
            for i in found["inputs"]
        ],
        "value": said or None,
        "exact": found["value"] if said and rounded_away else None,
    }


def _map(
    found: Mapping[str, Any], link: Mapping[str, Any], language: str, places: Iterable[Place]
) -> SafeString | None:
    rows = found["by_place"]
    if not rows or rows[0]["level"] != "county":
        return None
    label = (found["definition"]["label_zh"] if language == CHINESE else "") or found["label"]
    svg = county_map(
        rows,
        region=link["region"],
        day=found["as_of"],
        title=label,
        unit=found["unit"],
        rounding=found["definition"]["rounding"],
        language=language,
        whole=found["level"] == "region",
        link=_at(link["region"], link["year"], found["id"]),
        description=_("State of %(day)s.") % {"day": found["as_of"]},
        outside={p.code for p in places if p.level == "county"} - {r["place"] for r in rows},
    )
    return mark_safe(svg) if svg else None  # noqa: S308 - drawn here, with every name and word escaped


def _at(region: str, year: int, figure_id: str) -> Callable[[int], str]:
    """The address of a figure's trace at a place."""
    address = reverse("trace:trace", args=[region, year, figure_id])
    return lambda area_id: f"{address}?area={area_id}"


def _rows(table: str, rows: Sequence[Mapping[str, Any]], places: Mapping[int, Place]) -> list[dict[str, Any]]:
    """The rows with their place, their values in order, and the addresses of what they stand for and of what they name."""
    keys = [column for column in (rows[0] if rows else {}) if column in _OPENS]
    ways = {column: reverse("trace:record", args=[table, column, _HERE]) for column in keys}

    def opens(row: Mapping[str, Any], column: str) -> str:
        value = row[column]
        return (
            ways[column].replace(_HERE, quote(str(value), safe=""))
            if column in ways and value not in {None, ""}
            else ""
        )

    stands_for = sorted(
        (c for c in keys if c not in _PASSED_OVER), key=lambda c: c != "loan_id"
    )  # a loan before its household
    return [
        {
            "place": places.get(row["area_id"]),
            "cells": [
                {"column": column, "value": value_words(column, value), "opens": opens(row, column)}
                for column, value in row.items()
                if column not in _PLACE
            ],
            "opens": next(filter(None, (opens(row, column) for column in stands_for)), ""),
        }
        for row in rows
    ]
