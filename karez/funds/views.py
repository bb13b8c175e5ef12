"""Pages of public money: source lines with their balances, one line with its way down to the vouchers, and what is
prepared.
"""

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
from django.views.decorators.http import require_GET, require_http_methods

from karez.access.models import User
from karez.access.pages import PAGE, DayField, YuanField, actor_of, answer_form, integer
from karez.access.parameters import after_day
from karez.funds import queries, services
from karez.funds.models import Allocation, Appropriation
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.ledger import queries as ledger
from karez.periods import services as periods
from karez.periods.told import recorded
from karez.places import queries as places


class Money(forms.Form):
    """Money received on a line, or passed to a county."""

    county = forms.TypedChoiceField(label=gettext_lazy("County"), coerce=int)
    amount_fen = YuanField(label=gettext_lazy("Amount, yuan"), max_length=30)
    happened_on = DayField(label=gettext_lazy("Day"))
    reference = forms.CharField(label=gettext_lazy("Reference in the office's papers"), max_length=100)
    document_no = forms.CharField(label=gettext_lazy("Number of the document"), max_length=200)

    def __init__(self, *words: Any, actor: User, to_county: bool, **more: Any) -> None:
        super().__init__(*words, **more)
        if to_county:
            counties = (
                places.visible_areas(actor, services.PREPARE).filter(level="county", is_current=True).order_by("code")
            )
            self.fields["county"].choices = [(a.pk, f"{a.name_en} {a.name_zh}") for a in counties]  # type: ignore[attr-defined]
        else:
            del self.fields["county"]


@login_required
@require_GET
def lines(request: HttpRequest) -> HttpResponse:
    """Each source line with what it holds in the books the reader may see."""
    actor = actor_of(request)
    year = integer(request.GET, "year")
    context = {
        "lines": queries.lines_with_totals(actor, year=year),
        "year": year,
        "idle": queries.idle_money(actor, day=date.today(), at_least_days=90)[:20],
        "waiting": len(list(queries.waiting(actor))),
    }
    return render(request, "funds/lines.html", context)


@login_required
@require_GET
def line(request: HttpRequest, line_id: int) -> HttpResponse:
    """One line: where its money lies, what was received and passed on, and every voucher on its way."""
    actor = actor_of(request)
    found = queries.line(actor, line_id)
    steps = queries.line_steps(actor, line_id, after=after_day(request.GET) or (date.min, 0), limit=PAGE + 1)
    last = steps[PAGE - 1] if len(steps) > PAGE else None
    context = {
        "line": found,
        "balances": queries.line_balances(actor, line_id=line_id),
        "appropriations": queries.with_vouchers(queries.appropriations(actor, line_id)),
        "allocations": queries.with_vouchers(queries.allocations(actor, line_id)),
        "steps": steps[:PAGE],
        "after": f"{last.booking_date}_{last.transfer_id}" if last else "",
        "may_prepare": places.may(actor, services.PREPARE, periods.region().area_id),
    }
    return render(request, "funds/line.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def prepare(request: HttpRequest, line_id: int, what: str) -> HttpResponse:
    """Prepares money received on a line, or money passed to a county; another person approves it."""
    actor = actor_of(request)
    places.require(actor, services.PREPARE, periods.region().area_id)
    found = queries.line(actor, line_id)
    if what not in ("appropriation", "allocation"):
        raise Refusal(
            "not_found.funds_form",
            record=what,
            found=say("no such form"),
            expected=say("appropriation or allocation"),
            rule=say("money comes in, or goes to a county"),
            todo=say("choose from the line's page"),
        )

    def do(given: dict[str, Any]) -> str:
        if what == "appropriation":
            made = services.prepare_appropriation(actor, line=found, **given)
        else:
            county = given.pop("county")
            made = services.prepare_allocation(actor, line=found, county_id=county, **given)
        return reverse("funds:proposal", args=[made.pk])

    form = Money(request.POST or None, actor=actor, to_county=what == "allocation")
    return answer_form(
        request,
        form,
        do,
        "funds/prepare.html",
        {"line": found, "what": what},
        done=recorded(_("Prepared; it waits for a second person."), "happened_on"),
    )


class Reason(forms.Form):
    """Why a record is taken back."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


@login_required
@require_http_methods(["GET", "POST"])
def take_back_appropriation(request: HttpRequest, appropriation_id: int) -> HttpResponse:
    """Prepares taking back money received that was recorded wrongly, with its voucher; another person approves it."""
    return _take_back(request, Appropriation, appropriation_id)


@login_required
@require_http_methods(["GET", "POST"])
def take_back_allocation(request: HttpRequest, allocation_id: int) -> HttpResponse:
    """Prepares taking back money passed to a county, with both vouchers; another person approves it."""
    return _take_back(request, Allocation, allocation_id)


def _take_back(request: HttpRequest, kind: type[Appropriation] | type[Allocation], record_id: int) -> HttpResponse:
    actor = actor_of(request)
    found = queries.record(actor, kind, record_id)
    places.require(actor, services.PREPARE, found.area_id)

    def do(given: dict[str, Any]) -> str:
        return reverse(
            "funds:proposal", args=[services.prepare_reversal(actor, record=found, reason=given["reason"]).pk]
        )

    context = {"record": found, "passed_on": kind is Allocation, "back": reverse("funds:line", args=[found.line_id])}
    return answer_form(
        request,
        Reason(request.POST or None),
        do,
        "funds/take_back.html",
        context,
        done=_("Prepared; it waits for a second person."),
    )


@login_required
@require_GET
def standards(request: HttpRequest) -> HttpResponse:
    """The grant standards and plan targets: rules and plans are data too."""
    actor = actor_of(request)
    return render(
        request, "funds/standards.html", {"standards": queries.all_standards(actor), "targets": queries.targets(actor)}
    )


@login_required
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits for this person's decision."""
    return render(request, "funds/waiting.html", {"proposals": list(queries.waiting(actor_of(request)))[:PAGE]})


@login_required
@require_http_methods(["GET", "POST"])
def proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """One prepared movement: approve it, refuse it, or take one's own back."""
    actor = actor_of(request)
    found = queries.proposal(actor, proposal_id)
    if request.method == "POST":
        if "approve" in request.POST:
            services.approve(actor, found)
            messages.success(request, _("Posted and recorded."))
        else:
            services.refuse(actor, found, reason=request.POST.get("reason", ""))
            messages.success(request, _("Refused; nothing was posted."))
        return redirect("funds:proposal", proposal_id=proposal_id)
    # A county sees what reaches its own book; what the office books is the region's.
    first, vouchers = ledger.voucher_set(actor, found.set_id, permission=queries.VIEW, whole=False)
    if found.second_set_id:
        vouchers += ledger.voucher_set(actor, found.second_set_id, permission=queries.VIEW, whole=False)[1]
    own = found.prepared_by_id == actor.pk
    may_approve = first.state == "pending" and not own and places.may(actor, services.APPROVE, found.area_id)
    context = {
        "proposal": found,
        "set": first,
        "vouchers": vouchers,
        "may_approve": may_approve,
        "may_refuse": first.state == "pending" and (own or may_approve),
    }
    return render(request, "funds/proposal.html", context)
