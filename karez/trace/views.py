"""Pages behind a figure: its trace at one place, and the way from a frozen key to its record. Read-only."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from karez.access.pages import actor_of, integer
from karez.figures import queries as figures
from karez.kernel.inbox import told
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.trace.page import drawn, vouchers
from karez.trace.years import years_of
from karez.wording.numbers import readers_language

ROWS = 50


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
        "page": drawn(key, found, at_region=at_region, language=readers_language()),
        "vouchers": vouchers(actor, found["transfers"]),
        "years": years_of(actor, region, figure_id, found["area_id"], at_region=at_region, language=readers_language()),
        "at_region": at_region,
    }
    return render(request, "trace/trace.html", context)


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
        found=say("no record among those you may see"),
        expected=say("a key that leads to a record of your areas"),
        rule=say("a trace shows keys; a record opens to those who may see it"),
        todo=say("ask the office of that place"),
    )
