"""Pages of the yearbook: the years, a chapter, the trace of one figure, and the way from a frozen key to its record. Read-only."""

import csv
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from karez.access.models import User
from karez.access.pages import actor_of, integer
from karez.closing import snapshots
from karez.closing.queries import best_snapshot, check_region
from karez.closing.snapshots import SEALED
from karez.figures import queries as figures
from karez.figures.engine import resolve
from karez.kernel.inbox import told
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import Period
from karez.places import queries as places
from karez.yearbook.catalogue import described
from karez.yearbook.chapter_page import shown
from karez.yearbook.column_words import column_words
from karez.yearbook.maps import county_map
from karez.yearbook.publishing import COLUMNS
from karez.yearbook.signing_views import editions_for, next_step, steps_of
from karez.yearbook.trace_years import years_of
from karez.yearbook.wording import CHINESE, ENGLISH, figure_words, unit_words

ROWS = 50
# Columns every frozen row begins with: the place and what lies above it. The page names the place in words instead.
_PLACE = {"area_id", "area_level", "region_id", "prefecture_id", "county_id", "township_id", "village_id", "row"}


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Every year, and where it can be read: sealed, provisional from a snapshot, or not yet."""
    actor = actor_of(request)
    region = periods.region()
    taken = {s.year for s in snapshots.existing(kind=snapshots.PROVISIONAL) if s.region == region.code}
    years = [(p, "sealed" if p.snapshot else "provisional" if p.year in taken else "") for p in Period.objects.order_by("-year")]
    context = {"years": years, "region": region, "may_close": places.may(actor, "closing.view", region.area_id)}
    return render(request, "yearbook/home.html", context)


@login_required
@require_GET
def chapter(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """The chapter of a year in the reader's language: sentences in which every figure opens, a map, tables, every figure."""
    actor, snapshot = actor_of(request), best_snapshot(region, year)
    sealed = snapshot.kind == SEALED
    context = {
        "chapter": shown(actor, snapshot, _language()), "sealed": sealed, "link": {"region": region, "year": year},
        **_edition(actor, year, sealed),
    }  # fmt: skip
    return render(request, "yearbook/chapter.html", context)


def _edition(actor: User, year: int, sealed: bool) -> dict[str, Any]:
    """The newest edition the reader may know of, and what they may do to it."""
    told = next(iter(editions_for(actor, year)), None)
    may_prepare = sealed and places.may(actor, "yearbook.prepare", periods.region().area_id)
    return {
        "told": told,
        "steps": steps_of(told) if told else [],
        "next": next_step(actor, told) if told else "",
        "may_prepare": may_prepare,
    }


def _language() -> str:
    return CHINESE if (get_language() or "").startswith("zh") else ENGLISH


def _at(region: str, year: int, figure_id: str) -> Callable[[int], str]:
    """The address of a figure's trace at a place."""
    address = reverse("yearbook:trace", args=[region, year, figure_id])
    return lambda area_id: f"{address}?area={area_id}"


def _svg(drawn: str) -> SafeString:
    return mark_safe(drawn)  # noqa: S308 - drawn here, with every name and word escaped


@login_required
@require_GET
def figures_csv(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """Every figure of the chapter as a file."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="figures-{region}-{year}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    rows = shown(actor_of(request), best_snapshot(region, year), _language()).rows
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
    at_region = found["area_id"] == periods.region().area_id
    context = {
        "trace": found,
        "link": {"region": region, "year": year},
        "words": _words(found, year),
        "map": _trace_map(found, region, year),
        "names": {area.pk: area for area in places.areas_named([p["area_id"] for p in found["by_place"]])},
        "largest": max((float(p["value"]) for p in found["by_place"] if p["value"] is not None), default=0) or 1,
        "collected": any(p["state"] != "not_collected" for p in found["by_place"]),
        "columns": [(c, column_words(table, c)) for c in (found["rows"][0] if found["rows"] else {}) if c not in _PLACE],
        "rows": _rows(found),
        "table": table,
        "one": described(resolve([figure_id], year)[0]),
        "years": years_of(actor, region, figure_id, found["area_id"], at_region=at_region, language=_language()),
        "at_region": at_region,
    }
    return render(request, "yearbook/trace.html", context)


def _words(found: Mapping[str, Any], year: int) -> dict[str, Any]:
    """The trace's labels, place and unit in the reader's language."""
    language = _language()
    zh, en = found["definition"]["label_zh"], found["label"]
    first, second = (zh or en, en) if language == CHINESE else (en, zh)
    area = places.areas_named([found["area_id"]]).first()
    under = resolve([i["id"] for i in found["inputs"]], year) if found["inputs"] else []
    inputs = {f.id: (f.label_zh or f.label) if language == CHINESE else f.label for f in under}
    said = ""
    if found["exact"] is not None:
        said = figure_words(Fraction(found["exact"]), Fraction(found["definition"]["rounding"]), found["unit"], language)
    rounded_away = str(found["value"]) not in said.replace(",", "")
    return {
        "label": first, "other": second if second != first else "", "unit": unit_words(found["unit"], language), "area": area,
        "inputs": [{**i, "label": inputs.get(i["id"], i["label"]), "unit": unit_words(i["unit"], language)} for i in found["inputs"]],
        "value": said or None, "exact": found["value"] if said and rounded_away else None,
    }  # fmt: skip


def _trace_map(found: Mapping[str, Any], region: str, year: int) -> SafeString | None:
    rows = found["by_place"]
    if not rows or rows[0]["level"] != "county":
        return None
    label = (found["definition"]["label_zh"] if _language() == CHINESE else "") or found["label"]
    drawn = county_map(
        rows, region=region, day=found["as_of"], title=label, unit=found["unit"], rounding=found["definition"]["rounding"],
        language=_language(), whole=found["level"] == "region", link=_at(region, year, found["id"]),
        description=_("State of %(day)s.") % {"day": found["as_of"]},
    )  # fmt: skip
    return _svg(drawn) if drawn else None


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
