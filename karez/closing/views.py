"""Pages of closing: the years, and one year with its checks, what was accepted, who prepared and who signs, its snapshots.

Preparing and signing work while the page waits: the year is small enough, and a kill in between is recovered at the next start.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from karez.access.pages import actor_of
from karez.closing import queries, services
from karez.periods import services as periods
from karez.places.queries import may


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
    context = {
        "status": status,
        "region": region,
        "results": results,
        "in_the_way": sum(1 for r, a in results if r.failures and not a),
        "may_prepare": status.state == "open" and may(actor, "closing.prepare", region.area_id),
        "may_sign": status.state == "open" and may_sign and status.prepared_by_id not in (None, actor.pk),
        "may_accept": status.state == "open" and (may_sign or may(actor, "closing.prepare", region.area_id)),
        "snapshots": queries.snapshots_of(actor, year),
    }
    return render(request, "closing/year.html", context)


@login_required
@require_POST
def act(request: HttpRequest, year: int) -> HttpResponse:
    """Prepare, accept a failure, take a provisional snapshot, or sign."""
    actor = actor_of(request)
    queries.close_status(actor, year)  # refuses whoever may not see it before anything is tried
    match request.POST.get("do"):
        case "prepare":
            ready = services.prepare(actor, year=year).ready
            messages.success(request, _("Prepared. Another person may sign.") if ready else _("Prepared. Some checks fail; see below."))
        case "provisional":
            services.provisional(actor, year=year)
            messages.success(request, _("A provisional snapshot is taken."))
        case "accept":
            services.accept_failure(actor, year=year, check=request.POST.get("check", ""), reason=request.POST.get("reason", ""))
            messages.success(request, _("Accepted, under your name."))
        case "sign":
            services.sign(actor, year=year)
            messages.success(request, _("The year is closed and sealed."))
    return redirect("closing:year", year=year)
