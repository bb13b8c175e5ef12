"""Pages of the register: the households of a village, and one household. Names appear only after a purpose is given."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from karez.access.pages import PAGE, actor_of
from karez.access.services import log_read
from karez.kernel.refusal import Refusal
from karez.places import queries as places
from karez.register import identity, queries, services


@login_required
@never_cache
@require_GET
def households(request: HttpRequest, village_id: int) -> HttpResponse:
    """The households of a village by number, without names; the look is logged with how many were shown."""
    actor = actor_of(request)
    rows = queries.households_in_village(actor, village_id, after=request.GET.get("after", "")[:60], limit=PAGE + 1)
    if rows:
        shown = len(rows[:PAGE])
        log_read(
            actor,
            kind="household_list",
            subject_id=village_id,
            purpose="the list of a village's households, without names",
            rows=shown,
        )
    context = {
        "rows": rows[:PAGE],
        "after": rows[PAGE - 1].household_no if len(rows) > PAGE else "",
        "way": places.ancestors(actor, village_id),
        "village": places.area(actor, village_id),
    }
    return render(request, "register/households.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def household(request: HttpRequest, household_id: int) -> HttpResponse:
    """One household with its history; a POST with a purpose opens who its members are, and is logged."""
    actor = actor_of(request)
    page = queries.household(actor, household_id)
    log_read(actor, kind="household", subject_id=household_id, purpose="the household's page, without names")
    opened, refusal = None, None
    if request.method == "POST":
        try:
            opened = identity.open_household(actor, household_id=household_id, purpose=request.POST.get("purpose", ""))
        except Refusal as error:
            refusal = error
    context = {
        "page": page,
        "household": page.household,
        "way": places.ancestors(actor, page.household.village_id),
        "opened": opened,
        "refusal": refusal,
        "may_correct": places.may(actor, services.CORRECT, page.household.village_id),
        "may_dissolve": page.household.ends_before is None
        and places.may(actor, services.RECORD, page.household.village_id),
        "members": [(m, (opened or {}).get(m.person_id)) for m in page.members],
    }
    return render(request, "register/household.html", context, status=refusal.status if refusal else 200)
