"""Pages of the yearbook: the years, a chapter, the trace of one figure, and the way from a frozen key to its record. Read-only."""

import csv
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from karez.access.pages import actor_of, integer
from karez.closing.queries import best_snapshot, check_region
from karez.closing.snapshots import SEALED
from karez.figures import queries as figures
from karez.figures.engine import resolve
from karez.kernel.inbox import told
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import Period
from karez.places import queries as places
from karez.yearbook.chapter import Chapter, compose
from karez.yearbook.publishing import COLUMNS

ROWS = 50
# Columns every frozen row begins with: the place and what lies above it. The page names the place in words instead.
_PLACE = {"area_id", "area_level", "region_id", "prefecture_id", "county_id", "township_id", "village_id", "row"}


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Every year that has figures."""
    actor_of(request)
    context = {"years": Period.objects.order_by("-year"), "region": periods.region()}
    return render(request, "yearbook/home.html", context)


@login_required
@require_GET
def chapter(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """The chapter of a year: sentences in which every figure opens, and a table of all."""
    snapshot = best_snapshot(region, year)
    context = {
        "chapter": _chapter(request, region, year),
        "sealed": snapshot.kind == SEALED,
        "digest": snapshot.digest,
        "link": {"region": region, "year": year},
    }
    return render(request, "yearbook/chapter.html", context)


def _chapter(request: HttpRequest, region: str, year: int) -> Chapter:
    found = figures.figures_for(actor_of(request), region, year, by="region", ids=None)
    name = places.name_of(periods.region().area_id)
    return compose(found, region=name, year=year)


@login_required
@require_GET
def figures_csv(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """Every figure of the chapter as a file."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="figures-{region}-{year}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    rows = _chapter(request, region, year).rows
    writer = csv.writer(answer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.get(column, "") for column in COLUMNS] for row in rows)
    return answer


@login_required
@require_GET
def trace(request: HttpRequest, region: str, year: int, figure_id: str) -> HttpResponse:
    """What is behind a figure at one place: definition, SQL, snapshot, values below, rows, vouchers."""
    check_region(region)
    actor = actor_of(request)
    area_id, after = integer(request.GET, "area"), integer(request.GET, "after", -1)
    figure_id = figures.aliases().get(figure_id, figure_id)
    found = figures.trace(actor, figure_id, region, year, area_id=area_id, after=-1 if after is None else after, limit=ROWS)
    table = resolve([found["rows_of"]], year)[0].table if found["rows_of"] else ""
    context = {
        "trace": found,
        "link": {"region": region, "year": year},
        "largest": max((float(p["value"]) for p in found["by_place"] if p["value"] is not None), default=0) or 1,
        "collected": any(p["state"] != "not_collected" for p in found["by_place"]),
        "columns": [c for c in (found["rows"][0] if found["rows"] else {}) if c not in _PLACE],
        "rows": _rows(found),
        "table": table,
        "definition": _definition(found["definition"]),
        "at_region": found["area_id"] == periods.region().area_id,
    }
    return render(request, "yearbook/trace.html", context)


def _rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows with their place's name, their values in order, and the address of what they stand for."""
    rows = found["rows"]
    names = {area.pk: area for area in places.areas_named([row["area_id"] for row in rows])}
    return [
        {
            "place": names.get(row["area_id"]),
            "values": [(column, value) for column, value in row.items() if column not in _PLACE],
            "key": next(((c, v) for c, v in row.items() if c in _OPENS and v is not None), None),
        }
        for row in rows
    ]


_OPENS = ("loan_id", "society_id", "return_id", "line_code", "household_key", "key")


def _definition(words: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list) else str(value)) for name, value in words.items() if value not in (None, "", [], {})]


@login_required
@require_GET
def record(request: HttpRequest, table: str, column: str, key: str) -> HttpResponse:
    """From a key frozen in a figure table to the page of its record, for one who may see it."""
    actor = actor_of(request)
    for opens in told("opens"):
        address = opens(actor, table, column, key)
        if address:
            return redirect(address)
    raise Refusal(
        "not_found.record", record=f"{table} {key}", found=_("no record among those you may see"),
        expected=_("a key that leads to a record of your areas"),
        rule=_("a trace shows keys; a record opens to those who may see it"), todo=_("ask the office of that place"),
    )  # fmt: skip
