"""Pages of the register: one household. Names appear only after a purpose is given."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from karez.access.pages import actor_of
from karez.access.services import log_read
from karez.kernel.refusal import Refusal
from karez.places import queries as places
from karez.register import identity, queries, services
from karez.register.models import CaseStatus


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
        "case": dict(CaseStatus.choices).get(page.case_status, "–"),
        "way": places.ancestors(actor, page.household.village_id),
        "opened": opened,
        "refusal": refusal,
        "may_correct": places.may(actor, services.CORRECT, page.household.village_id),
        "may_dissolve": page.household.ends_before is None
        and places.may(actor, services.RECORD, page.household.village_id),
        "members": [(m, (opened or {}).get(m.person_id)) for m in page.members],
    }
    return render(request, "register/household.html", context, status=refusal.status if refusal else 200)
