"""Pages of chapters: the years, the chapter of one, its figures as a file. Read-only; what editions there are of a chapter is
said by the room that keeps them.
"""

import csv

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from karez.access.pages import actor_of
from karez.chapter.compose import COLUMNS
from karez.chapter.page import shown
from karez.closing import snapshots
from karez.closing.queries import best_snapshot
from karez.closing.snapshots import SEALED
from karez.kernel.inbox import told
from karez.periods import services as periods
from karez.periods.models import Period
from karez.places import queries as places
from karez.wording.numbers import readers_language


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
    return render(request, "chapter/home.html", context)


@login_required
@require_GET
def chapter(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """The chapter of a year in the reader's language: sentences in which every figure opens, a map, tables, every
    figure.
    """
    actor, snapshot = actor_of(request), best_snapshot(region, year)
    sealed = snapshot.kind == SEALED
    context = {
        "chapter": shown(actor, snapshot, readers_language()),
        "sealed": sealed,
        "link": {"region": region, "year": year},
        "beside": [beside(request, snapshot) for beside in told("beside_chapter")],
    }
    return render(request, "chapter/chapter.html", context)


@login_required
@require_GET
def figures_csv(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """Every figure of the chapter as a file."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="figures-{region}-{year}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    rows = shown(actor_of(request), best_snapshot(region, year), readers_language()).rows
    writer = csv.writer(answer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.get(column, "") for column in COLUMNS] for row in rows)
    return answer
