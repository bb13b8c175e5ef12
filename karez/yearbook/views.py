"""Pages of the yearbook: the years, a chapter, the trace of one figure, and the way from a frozen key to its record.
Read-only.
"""

import csv
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from karez.access.models import User
from karez.access.pages import actor_of, integer
from karez.closing import snapshots
from karez.closing.queries import best_snapshot
from karez.closing.snapshots import SEALED
from karez.figures import queries as figures
from karez.kernel.inbox import told
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import Period
from karez.places import queries as places
from karez.yearbook import queries as editions
from karez.yearbook.chapter_page import shown
from karez.yearbook.publishing import COLUMNS
from karez.yearbook.signing_views import next_step, steps_of
from karez.yearbook.trace_page import drawn, vouchers
from karez.yearbook.trace_years import years_of
from karez.yearbook.wording import CHINESE, ENGLISH

ROWS = 50


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Every year, and where it can be read: sealed, provisional from a snapshot, or not yet."""
    actor = actor_of(request)
    region = periods.region()
    taken = {s.year for s in snapshots.existing(kind=snapshots.PROVISIONAL) if s.region == region.code}
    years = [
        (p, "sealed" if p.snapshot else "provisional" if p.year in taken else "")
        for p in Period.objects.order_by("-year")
    ]
    context = {"years": years, "region": region, "may_close": places.may(actor, "closing.view", region.area_id)}
    return render(request, "yearbook/home.html", context)


@login_required
@require_GET
def chapter(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """The chapter of a year in the reader's language: sentences in which every figure opens, a map, tables, every
    figure.
    """
    actor, snapshot = actor_of(request), best_snapshot(region, year)
    sealed = snapshot.kind == SEALED
    context = {
        "chapter": shown(actor, snapshot, _language()),
        "sealed": sealed,
        "link": {"region": region, "year": year},
        **_edition(actor, year, snapshot),
    }
    return render(request, "yearbook/chapter.html", context)


def _edition(actor: User, year: int, snapshot: snapshots.Snapshot) -> dict[str, Any]:
    """The newest edition the reader may know of, whether it is of the snapshot shown, and what they may do to it."""
    told = next(iter(editions.editions_known(actor, year)), None)
    of_this = told is not None and _same_figures(told.edition.snapshot, snapshot)
    may_prepare = snapshot.kind == SEALED and places.may(actor, "yearbook.prepare", periods.region().area_id)
    return {
        "told": told,
        "of_this": of_this,
        "steps": steps_of(told) if told else [],
        "next": next_step(actor, told) if told else "",
        # One edition after the other: while one of these very figures waits, its people go on with it.
        "may_prepare": may_prepare and (told is None or told.signed or not of_this),
    }


def _same_figures(digest: str, snapshot: snapshots.Snapshot) -> bool:
    """Whether the snapshot of that digest is this one, or holds the same tables to the letter: sealed twice without a
    change.
    """
    other = snapshots.named(digest) if digest != snapshot.digest else snapshot
    return other is not None and snapshot.kind == SEALED and other.content == snapshot.content


def _language() -> str:
    return CHINESE if (get_language() or "").startswith("zh") else ENGLISH


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
    actor = actor_of(request)
    area_id, after = integer(request.GET, "area"), integer(request.GET, "after", -1)
    figure_id = figures.aliases().get(figure_id, figure_id)
    key = figures.trace_key(
        actor, figure_id, region, year, area_id=area_id, after=-1 if after is None else after, limit=ROWS
    )
    found = figures.trace_of(actor, key)
    at_region = found["level"] == "region"
    context = {
        "trace": found,
        "link": {"region": region, "year": year},
        "page": drawn(key, found, at_region=at_region, language=_language()),
        "vouchers": vouchers(actor, found["transfers"]),
        "years": years_of(actor, region, figure_id, found["area_id"], at_region=at_region, language=_language()),
        "at_region": at_region,
    }
    return render(request, "yearbook/trace.html", context)


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
        "not_found.record",
        record=f"{table} {key}",
        found=_("no record among those you may see"),
        expected=_("a key that leads to a record of your areas"),
        rule=_("a trace shows keys; a record opens to those who may see it"),
        todo=_("ask the office of that place"),
    )
