"""Pages of closing: the years, and one year with its checks, what was accepted, who prepared and who signs, its
snapshots.

Preparing and signing are done by the worker; the page shows how far they are, and how the last one ended.
"""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_POST

from karez.access.models import User
from karez.access.pages import actor_of, integer
from karez.closing import queries, reopening, services, work
from karez.closing.models import Verb, Work
from karez.periods import services as periods
from karez.places.queries import may

# What the worker tells of its way, in the order it goes; anything else is the name of a table being written.
ENDED = {
    Verb.PREPARE: _lazy("The preparation is done."),
    Verb.PROVISIONAL: _lazy("The provisional snapshot is taken."),
    Verb.SIGN: _lazy("The year is closed and sealed."),
}


@login_required
@require_GET
def years(request: HttpRequest) -> HttpResponse:
    """Every year of the region and where it stands."""
    return render(request, "closing/years.html", {"years": queries.years(actor_of(request))})


@login_required
@require_GET
def year(request: HttpRequest, year: int) -> HttpResponse:
    """One year: its checks, acceptances, people and snapshots."""
    actor = actor_of(request)
    status = queries.close_status(actor, year)
    region = periods.region()
    accepted = {(a.name, a.rows_digest): a for a in status.acceptances}
    results = [(r, accepted.get((r.name, r.rows_digest))) for r in status.results]
    may_sign = may(actor, "closing.sign", region.area_id)
    idle = status.state == "open" and not (status.work and status.work.ended_at is None)
    context = (
        _progress(status.work)
        | _reopening(actor, year)
        | {
            "status": status,
            "region": region,
            "results": results,
            "in_the_way": sum(1 for r, a in results if r.failures and not a),
            "may_prepare": idle and may(actor, "closing.prepare", region.area_id),
            "may_sign": idle and may_sign and status.prepared_by_id not in (None, actor.pk),
            "may_accept": idle and (may_sign or may(actor, "closing.prepare", region.area_id)),
            "snapshots": queries.snapshots_of(actor, year),
            "changes": queries.changes(actor, year),
        }
    )
    return render(request, "closing/year.html", context)


def _reopening(actor: User, year: int) -> dict[str, Any]:
    """What the page says of opening a closed year again, and what this person may do about it."""
    period, region = periods.period(year), periods.region()
    asked = reopening.waiting(period)
    last = reopening.is_last_closed(period)
    return {
        "closed": period.state == "closed",
        "last_closed": last,
        "last_closed_year": periods.first_open_day().year - 1,
        "asked": asked,
        "may_ask": last and asked is None and may(actor, reopening.ASK, region.area_id),
        "may_agree": asked is not None
        and asked.asked_by_id != actor.pk
        and may(actor, reopening.AGREE, region.area_id),
        "may_take_back": asked is not None and asked.asked_by_id == actor.pk,
        "seconds": reopening.who_may_agree(asked.asked_by_id if asked else actor.pk) if last else [],
    }


def _progress(found: Work | None) -> dict[str, Any]:
    """What the page says of the last work of the year: how far it is, or how it ended."""
    return {
        "work": found,
        "working": found is not None and found.ended_at is None,
        "stage": found.doing if found else "",
        "ended": ENDED[Verb(found.verb)] if found and found.outcome == Work.Outcome.DONE else "",
    }


@login_required
@require_GET
def progress(request: HttpRequest, year: int) -> HttpResponse:
    """How far the work on a year is, as a part of its page; when it has ended the page is asked to come anew."""
    state = _progress(queries.close_status(actor_of(request), year).work)
    answer = render(request, "closing/progress.html", state | {"year": year})
    if not state["working"]:
        answer["HX-Refresh"] = "true"
    return answer


@login_required
@require_POST
def act(request: HttpRequest, year: int) -> HttpResponse:
    """Asks the worker to prepare, to take a provisional snapshot or to sign; accepts a failure; opens a year again by
    two people.
    """
    actor = actor_of(request)
    queries.close_status(actor, year)  # refuses whoever may not see it before anything is tried
    match request.POST.get("do"):
        case Verb.PREPARE | Verb.PROVISIONAL | Verb.SIGN as verb:
            work.ask(actor, year=year, verb=verb)
        case "accept":
            services.accept_failure(
                actor, year=year, check=request.POST.get("check", ""), reason=request.POST.get("reason", "")
            )
            messages.success(request, _("Accepted, under your name."))
        case "ask_reopening":
            reopening.ask_reopening(actor, year=year, reason=request.POST.get("reason", ""))
            messages.success(request, _("Asked. Another person who may sign decides about it."))
        case "agree" | "decline" as answer:
            _answer(request, actor, year, agreed=answer == "agree")
    return redirect("closing:year", year=year)


def _answer(request: HttpRequest, actor: User, year: int, *, agreed: bool) -> None:
    asked = queries.reopening_asked(actor, year, integer(request.POST, "asked") or 0)
    if agreed:
        reopening.agree_to_reopening(actor, asked)
        messages.success(request, _("The year is open again; its sealed snapshot is kept."))
    else:
        reopening.decline_reopening(actor, asked, reason=request.POST.get("reason", ""))
        messages.success(request, _("The year stays closed."))
