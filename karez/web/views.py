"""The start page with what waits for the person, the health answer, and what stands where nothing can. Holds no room's
pages.
"""

import sys

from django.contrib.auth.decorators import login_required
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from karez.access.models import Grant
from karez.access.pages import actor_of
from karez.kernel.inbox import told
from karez.periods.models import Period
from karez.places.models import Tree
from karez.web import plain


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the person, and the years of the region."""
    actor = actor_of(request)
    context = {
        "items": [item for items in told("items") for item in items(actor) if item.count],
        "years": Period.objects.order_by("-year")[:5],
    }
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
    """Whether the site and its database answer; served behind no front server, for `karez serve` answers this itself."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"healthy": False, "database": False}, status=503)
    return JsonResponse({"healthy": True, "database": True})


@require_GET
def signed_in(request: HttpRequest) -> HttpResponse:
    """204 to who is signed in, 403 to anybody else: what the front server asks before it takes a large file."""
    return HttpResponse(status=204 if request.user.is_authenticated else 403)


def broken(request: HttpRequest) -> HttpResponse:
    """What an error becomes that nobody expected; a database that is away is no defect, and is told as that."""
    return plain.answer(request, "site.away" if plain.is_away(sys.exc_info()[1]) else "site.broken")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Nothing is at this address, or nothing the person may see: the same answer for both, so that ids cannot be
    probed.
    """
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"code": "not_found"}, status=404)
    return render(request, "web/not_found.html", status=404)
