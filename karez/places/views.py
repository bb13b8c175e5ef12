"""Pages of places: the tree from the reader's areas down, and one area with all that was ever true of it. Read-only."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from karez.access.pages import PAGE, actor_of, integer
from karez.places import queries


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where the reader's areas begin, and a search by name or code."""
    actor = actor_of(request)
    words = request.GET.get("q", "").strip()[:60]
    found = (
        list(queries.named_like(actor, words, after=integer(request.GET, "after", 0) or 0, limit=PAGE + 1))
        if words
        else []
    )
    context = {
        "tops": queries.top_areas(actor),
        "words": words,
        "found": found[:PAGE],
        "after": found[PAGE - 1].pk if len(found) > PAGE else "",
    }
    return render(request, "places/home.html", context)


@login_required
@require_GET
def area(request: HttpRequest, area_id: int) -> HttpResponse:
    """One area: where it lies, what lies in it, its lists, its codes and names over time, where it came from and went."""
    actor = actor_of(request)
    one = queries.area(actor, area_id)
    context = {
        "area": one,
        "way": queries.ancestors(actor, area_id),
        "children": queries.children_counted(actor, area_id),
        "designations": queries.designations(actor, area_id),
        "history": queries.history(actor, area_id).select_related("parent__tree"),
        "came_from": queries.predecessors(actor, area_id).select_related("predecessor__tree"),
        "became": queries.successors(actor, area_id).select_related("successor__tree"),
    }
    return render(request, "places/area.html", context)
