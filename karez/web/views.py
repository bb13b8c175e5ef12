"""The start page with what waits for the person, and the health answer. Holds no room's pages."""

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from karez.access.models import Grant
from karez.access.pages import actor_of
from karez.kernel.inbox import told
from karez.periods.models import Period
from karez.places.models import Tree


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the person, and the years of the region."""
    actor = actor_of(request)
    context = {"items": [item for items in told("items") for item in items(actor) if item.count], "years": Period.objects.order_by("-year")[:5]}
    return render(request, "web/home.html", context)


@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Who is signed in, with which roles over which areas, and the way to password and second factor."""
    grants = Grant.objects.filter(user=actor_of(request), voided_at=None).order_by("starts_on")
    areas = {a.pk: a for a in Tree.objects.filter(pk__in=[g.area_id for g in grants])}
    return render(request, "web/account.html", {"grants": [(g, areas.get(g.area_id)) for g in grants]})


@require_GET
def forgotten(request: HttpRequest) -> HttpResponse:
    """What to do about a lost password. Nothing is sent: Karez knows nobody's address."""
    return render(request, "web/forgotten.html")


@require_GET
def healthy(request: HttpRequest) -> JsonResponse:
    """Whether the site and its database answer; for supervision of the service."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"healthy": True})


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Nothing is at this address, or nothing the person may see: the same answer for both, so that ids cannot be probed."""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"code": "not_found"}, status=404)
    return render(request, "web/not_found.html", status=404)
