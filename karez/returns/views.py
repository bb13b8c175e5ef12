"""Pages of returns: the list, the form, one return with its revisions and the decision about it."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from karez.access.models import User
from karez.access.pages import PAGE, NumberField, YearField, actor_of, answer_form, integer, uploaded
from karez.access.parameters import page_number
from karez.access.queries import permissions_of
from karez.notices.services import attach
from karez.periods import services as periods
from karez.places import queries as places
from karez.returns import queries, services
from karez.returns.models import State
from karez.returns.words import measure_words, unit_words


class Submission(forms.Form):
    """One number of a measure, a place and a year."""

    measure = forms.ChoiceField(label=gettext_lazy("Measure"))
    area = forms.TypedChoiceField(label=gettext_lazy("Place"), coerce=int)
    year = YearField(label=gettext_lazy("Year"), min_value=1980, max_value=2200)
    value = NumberField(
        label=gettext_lazy("Value"),
        required=False,
        max_digits=24,
        decimals=4,
        help_text=gettext_lazy(
            "In the unit of the measure. May be left empty where numerator and denominator are given."
        ),
    )
    numerator = NumberField(label=gettext_lazy("Numerator"), required=False, max_digits=24, decimals=4)
    denominator = NumberField(
        label=gettext_lazy("Denominator"),
        required=False,
        max_digits=24,
        decimals=4,
        help_text=gettext_lazy("Shares and averages bring both, so that they can be added up."),
    )
    document = forms.CharField(label=gettext_lazy("Source document"), max_length=300)

    def __init__(self, *words: Any, actor: User, **more: Any) -> None:
        super().__init__(*words, **more)
        areas = places.visible_areas(actor, services.SUBMIT).filter(level__in=["region", "county"], is_current=True)
        measures = [(m.code, f"{measure_words(m)} ({unit_words(m.unit)})") for m in queries.measures()]
        self.fields["measure"].choices = measures  # type: ignore[attr-defined]
        self.fields["area"].choices = [(a.pk, f"{a.name_en} {a.name_zh} {a.code}") for a in areas.order_by("code")]  # type: ignore[attr-defined]


@login_required
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Returns of the reader's areas, by year and state."""
    actor = actor_of(request)
    year, area_id, state = integer(request.GET, "year"), integer(request.GET, "area"), request.GET.get("state", "")
    found = queries.returns_of(actor, year=year, area_id=area_id)
    if state == "submitted":
        found = queries.waiting_for(actor)
    elif state == "sent_back":
        found = queries.sent_back_to(actor).select_related("measure", "area__tree")
    page = page_number(request.GET)
    rows = list(found[page * PAGE : (page + 1) * PAGE + 1])
    context = {
        "rows": [(r, queries.state_of(r, is_approved=getattr(r, "is_approved", False))) for r in rows[:PAGE]],
        "next_page": page + 1 if len(rows) > PAGE else "",
        "year": year,
        "state": state,
        "may_submit": "returns.submit" in permissions_of(actor),
    }
    return render(request, "returns/list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest) -> HttpResponse:
    """Submits a return; it is locked from then on, until it is approved or sent back."""
    actor = actor_of(request)
    start = {
        "year": integer(request.GET, "year", periods.year_to_report(date.today())),
        "measure": request.GET.get("measure"),
        "area": request.GET.get("area"),
    }

    def do(given: dict[str, Any]) -> str:
        words = {name: given[name] for name in ("measure", "year", "value", "numerator", "denominator", "document")}
        return reverse("returns:one", args=[services.submit_return(actor, area_id=given["area"], **words).pk])

    form = Submission(request.POST or None, actor=actor, initial=start)
    return answer_form(request, form, do, "returns/submit.html", {}, done=_("Submitted; it waits for approval."))


@login_required
@require_GET
def one(request: HttpRequest, return_id: int) -> HttpResponse:
    """One return: the number, where it comes from, where it stands, and its revisions."""
    actor = actor_of(request)
    page = queries.one_return(actor, return_id)
    may_revise = page.state is State.SENT_BACK and places.may(actor, services.SUBMIT, page.row.area_id)
    context = {
        "page": page,
        "row": page.row,
        "way": places.ancestors(actor, page.row.area_id),
        "may_revise": may_revise,
    }
    return render(request, "returns/one.html", context)


@login_required
@require_POST
def decide(request: HttpRequest, return_id: int) -> HttpResponse:
    """Approves a return, or sends it back with a reason."""
    actor = actor_of(request)
    queries.one_return(actor, return_id)
    if "approve" in request.POST:
        services.approve_return(actor, return_id=return_id)
        messages.success(request, _("Approved."))
    else:
        services.send_back_return(actor, return_id=return_id, reason=request.POST.get("reason", ""))
        messages.success(request, _("Sent back; its sender sees the reason."))
    return redirect("returns:one", return_id=return_id)


@login_required
@require_POST
def attach_document(request: HttpRequest, return_id: int) -> HttpResponse:
    """Attaches the signed sheet, or another document, to a return."""
    actor = actor_of(request)
    row = queries.one_return(actor, return_id).row
    file = uploaded(request)
    attach(
        actor,
        kind="return",
        subject_id=return_id,
        area_id=row.area_id,
        name=file.name or "",
        stream=file.chunks(),
        title=request.POST.get("title", ""),
    )
    messages.success(request, _("The document is attached."))
    return redirect("returns:one", return_id=return_id)
