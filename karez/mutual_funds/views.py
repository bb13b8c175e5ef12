"""Pages of village mutual funds: one society, one loan, the forms, and what waits for a second person."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from karez.access.models import User
from karez.access.pages import PAGE, actor_of, answer_form, integer
from karez.access.parameters import day
from karez.access.services import log_read
from karez.funds.models import SourceLine
from karez.kernel.messages import say
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.ledger import queries as ledger
from karez.mutual_funds import forms, lists, proposals, queries, resolutions, services
from karez.mutual_funds.models import Loan, Proposal, Society
from karez.mutual_funds.refusals import refused_in_place
from karez.mutual_funds.rules import APPROVES
from karez.periods.as_of import as_of
from karez.periods.told import recorded
from karez.places import queries as places
from karez.places.models import Tree
from karez.records import pages, registry

# What is entered by the form of its kind of file.
ENTERED_OF_SOCIETY = {
    "contributions": say("Take a contribution in"),
    "gifts": say("Take a gift in"),
    "fund_members": say("Take a member in"),
}
ENTERED_OF_LOAN = {
    "repayments": say("Take a repayment in"),
    "loan_extensions": say("Extend the loan"),
}
# what is prepared -> (heading, form)
OF_SOCIETY: dict[str, tuple[Any, type[django_forms.Form]]] = {
    "loan": (say("Prepare a loan"), forms.LoanForm),
    "refund": (say("Prepare a refund of own money"), forms.RefundForm),
    "grant": (say("Prepare a grant"), forms.GrantForm),
    "rules": (say("Prepare new rules"), forms.RulesForm),
    "take-back": (say("Withdraw the founding"), forms.TakeBackForm),
}
OF_LOAN: dict[str, tuple[Any, type[django_forms.Form]]] = {
    "write-off": (say("Prepare a write-off"), forms.WriteOffForm),
}


@login_required
@require_GET
def society(request: HttpRequest, society_id: int) -> HttpResponse:
    """One society: its pots, its indicators now, its rules, and the lists of what it has."""
    actor = actor_of(request)
    found = queries.society(actor, society_id)
    when = as_of(day(request.GET.get("as_of", "")))
    parts = pages.parts(request, registry.page_named(lists.SOCIETY), society_id, when)
    if shown := sum(one.shown for one in parts if one.listed.reads):
        log_read(
            actor,
            kind="society_page",
            subject_id=society_id,
            purpose="the page of a society: members and money of households, without names",
            rows=shown,
        )
    context = {
        "society": found,
        "way": places.ancestors(actor, found.area_id),
        "as_of": when,
        "report": queries.report(actor, society_id, when.day),
        "rules": queries.rule_sets(actor, society_id, when.day),
        "parts": parts,
        "open_resolutions": queries.open_resolutions(actor, society_id),
        "actions": _actions(actor, found, ENTERED_OF_SOCIETY, OF_SOCIETY),
    }
    return render(request, "mutual_funds/society.html", context)


def _actions(
    actor: User, found: Society, entered: dict[str, Any], prepared: dict[str, Any], loan: Loan | None = None
) -> list[tuple[str, Any]]:
    """What may be done at a society, or with one of its loans: addresses of forms and words."""
    if found.voided_at is not None or not places.may(actor, services.PREPARE, found.area_id):
        return []
    about = {"village": Tree.objects.values_list("code", flat=True).get(pk=found.area_id)}
    if loan is not None:
        about["loan_no"] = loan.loan_no
    taken = "take-back" if not resolutions.is_unbuilt(found) else ""
    page, key = ("mutual_funds:act_loan", loan.pk) if loan else ("mutual_funds:act", found.pk)
    return [
        *((f"{reverse('intake:enter', args=[sheet])}?{urlencode(about)}", words) for sheet, words in entered.items()),
        *((reverse(page, args=[key, what]), words) for what, (words, _form) in prepared.items() if what != taken),
    ]


@login_required
@require_GET
def loan(request: HttpRequest, loan_id: int) -> HttpResponse:
    """One loan: its schedule with what was paid on it, repayments with their vouchers, extensions, write-off."""
    actor = actor_of(request)
    page = queries.loan(actor, loan_id)
    log_read(actor, kind="loan", subject_id=loan_id, purpose="the page of a loan, without a name")
    context = {
        "page": page,
        "parts": pages.parts(request, registry.page_named(lists.LOAN), loan_id),
        "loan": page.loan,
        "society": page.loan.society,
        "way": places.ancestors(actor, page.loan.society.area_id),
        "actions": _actions(actor, page.loan.society, ENTERED_OF_LOAN, OF_LOAN, page.loan)
        if page.outstanding_fen
        else [],
    }
    return render(request, "mutual_funds/loan.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, society_id: int, what: str) -> HttpResponse:
    """A loan, a refund, a grant, new rules or a founding taken back, prepared for another person to decide."""
    actor = actor_of(request)
    found = queries.society(actor, society_id)
    places.require(actor, services.PREPARE, found.area_id)
    heading, form_class = _known(OF_SOCIETY if found.voided_at is None else {}, what)
    more: dict[str, Any] = {}
    if issubclass(form_class, forms.OfMembers):
        more["members"] = queries.member_choices(actor, society_id)
        if more["members"]:
            log_read(
                actor,
                kind="society_page",
                subject_id=society_id,
                purpose=f"the form: {what}, members without names",
                rows=len(more["members"]),
            )
    elif form_class is forms.GrantForm:
        more["lines"] = queries.grant_lines(actor, society_id)
    form = form_class(
        request.POST or None, initial=_start(request) | (_present_rules(found) if what == "rules" else {}), **more
    )

    def do(given: dict[str, Any]) -> str:
        member = found.members.get(pk=given.pop("member")) if "member" in given else None
        match what:
            case "grant":
                line = SourceLine.objects.get(pk=given.pop("line"))
                return _waits(proposals.prepare_grant(actor, society=found, line=line, **given).pk)
            case "rules":
                head = {name: given.pop(name) for name in ("starts_on", "document_no", "document_on")}
                return _resolution(
                    resolutions.prepare_rules(actor, society=found, terms=services.Terms(**given), **head).pk
                )
            case "take-back":
                return _resolution(resolutions.prepare_take_back(actor, society=found, **given).pk)
            case "loan":
                assert member is not None
                return _waits(proposals.prepare_loan(actor, member=member, **given).pk)
            case _:
                assert member is not None
                return _waits(proposals.prepare_refund(actor, member=member, **given).pk)

    return _answer(
        request,
        form,
        do,
        {"heading": heading, "society": found, "back": reverse("mutual_funds:society", args=[found.pk])},
    )


@login_required
@require_http_methods(["GET", "POST"])
def act_loan(request: HttpRequest, loan_id: int, what: str) -> HttpResponse:
    """A write-off of a loan, prepared for another person to decide."""
    actor = actor_of(request)
    found: Loan = queries.loan(actor, loan_id).loan
    places.require(actor, services.PREPARE, found.society.area_id)
    heading, form_class = _known(OF_LOAN, what)
    form = form_class(request.POST or None, initial=_start(request))

    def do(given: dict[str, Any]) -> str:
        return _waits(proposals.prepare_write_off(actor, loan=found, **given).pk)

    return _answer(
        request,
        form,
        do,
        {
            "heading": heading,
            "society": found.society,
            "loan": found,
            "back": reverse("mutual_funds:loan", args=[found.pk]),
        },
    )


def _present_rules(found: Society) -> dict[str, Any]:
    """The rules in force as a form begins with them, amounts in yuan."""
    present = found.rule_sets.filter(voided_at=None, ends_before=None).order_by("-starts_on").first()
    if present is None:
        return {}
    given = {name: getattr(present, name) for name in forms.TermsForm.base_fields}
    return {
        name: format_fen(value).replace(",", "") if name.endswith("_fen") else value for name, value in given.items()
    }


@login_required
@require_http_methods(["GET", "POST"])
def found(request: HttpRequest, area_id: int) -> HttpResponse:
    """Prepares the founding of a village's society with its first rules; another person agrees."""
    actor = actor_of(request)
    places.require(actor, services.PREPARE, area_id)
    village = places.area(actor, area_id)
    if village.level != "village":
        raise Refusal(
            "not_found.mutual_funds_village",
            record=str(village),
            found=say("no village"),
            expected=say("an administrative village"),
            rule=say("a society works in one village"),
            todo=say("open the village under Places"),
        )
    first = {
        "founded_on": date.today(),
        "min_members": 0,
        "min_poor_share": 0,
        "open_loans_max": 1,
        "instalments": 1,
        "extension_days_max": 0,
    }
    form = forms.FoundForm(request.POST or None, initial=first)

    def do(given: dict[str, Any]) -> str:
        head = {name: given.pop(name) for name in ("name", "founded_on", "size_class", "document_no", "document_on")}
        return _resolution(
            resolutions.prepare_founding(actor, area_id=area_id, terms=services.Terms(**given), **head).pk
        )

    told = {"heading": _("Found a mutual fund"), "village": village, "back": reverse("places:area", args=[area_id])}
    return _answer(request, form, do, told)


def _answer(
    request: HttpRequest,
    form: django_forms.Form,
    do: Callable[[dict[str, Any]], str],
    context: dict[str, Any],
) -> HttpResponse:
    done = _("Prepared; it waits for a second person.")
    return answer_form(request, form, do, "mutual_funds/form.html", context, done=recorded(done, *_DAYS))


_DAYS = ("lent_on", "refunded_on", "decided_on", "granted_on", "starts_on", "founded_on")


def _start(request: HttpRequest) -> dict[str, Any]:
    today = date.today()
    return dict.fromkeys(_DAYS[:-1], today) | {"member": integer(request.GET, "member")}


def _known(offered: dict[str, Any], what: str) -> tuple[Any, Any]:
    if what not in offered:
        raise Refusal(
            "not_found.mutual_funds_form",
            record=what,
            found=say("no such form"),
            expected=", ".join(offered),
            rule=say("a society does what its rules name"),
            todo=say("choose from the page of the society"),
        )
    known: tuple[Any, Any] = offered[what]
    return known


def _resolution(resolution_id: int) -> str:
    return reverse("mutual_funds:resolution", args=[resolution_id])


def _waits(proposal_id: int) -> str:
    return reverse("mutual_funds:proposal", args=[proposal_id])


@login_required
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits for this person's decision."""
    actor = actor_of(request)
    context = {"proposals": queries.waiting(actor)[:PAGE], "resolutions": queries.resolutions_waiting(actor)[:PAGE]}
    return render(request, "mutual_funds/waiting.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """One prepared act: approve it, refuse it, or take one's own back."""
    actor = actor_of(request)
    found = queries.proposal(actor, proposal_id)
    refusal = None
    if request.method == "POST":
        refusal = refused_in_place(lambda: _decide(request, actor, found))
        if refusal is None:
            return redirect("mutual_funds:proposal", proposal_id=proposal_id)
    log_read(
        actor,
        kind="proposal",
        subject_id=proposal_id,
        purpose="the page of a prepared act of a society, without a name",
    )
    first, vouchers = ledger.voucher_set(actor, found.set_id, permission=services.VIEW)
    if found.second_set_id:
        vouchers += ledger.voucher_set(actor, found.second_set_id, permission=services.VIEW)[1]
    own = found.prepared_by_id == actor.pk
    permission = APPROVES.get(found.kind, services.APPROVE)
    may_approve = first.state == "pending" and not own and places.may(actor, permission, found.society.area_id)
    context = {
        "proposal": found,
        "set": first,
        "vouchers": vouchers,
        "terms": queries.terms_in_words(found),
        "way": places.ancestors(actor, found.society.area_id),
        "may_approve": may_approve,
        "may_refuse": first.state == "pending" and (own or may_approve),
        "refusal": refusal,
    }
    return render(request, "mutual_funds/proposal.html", context, status=refusal.status if refusal else 200)


def _decide(request: HttpRequest, actor: User, found: Proposal) -> None:
    if "approve" in request.POST:
        proposals.approve(actor, found)
        messages.success(request, _("Posted and recorded."))
    else:
        proposals.refuse(actor, found, reason=request.POST.get("reason", ""))
        messages.success(request, _("Refused; nothing was posted."))
