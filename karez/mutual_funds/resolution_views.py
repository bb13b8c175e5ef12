"""The page of a founding, of new rules and of taking a founding back: what is asked beside what holds, its minutes, the
decision.
"""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from karez.access.models import User
from karez.access.pages import actor_of, uploaded
from karez.kernel.money import format_fen
from karez.mutual_funds import forms, queries, resolutions, services
from karez.mutual_funds.models import Resolution, RuleSet, SizeClass
from karez.mutual_funds.refusals import refused_in_place
from karez.notices.services import attach
from karez.places import queries as places


@login_required
@require_http_methods(["GET", "POST"])
def resolution(request: HttpRequest, resolution_id: int) -> HttpResponse:
    """One prepared resolution: agree to it, refuse it, or take one's own back."""
    actor = actor_of(request)
    asked = queries.resolution(actor, resolution_id)
    refusal = None
    if request.method == "POST":
        next_page: list[HttpResponse] = []
        refusal = refused_in_place(lambda: next_page.append(_decide(request, actor, asked)))
        if refusal is None:
            return next_page[0]
    answer = getattr(asked, "answer", None)
    own = asked.prepared_by_id == actor.pk
    may_approve = answer is None and not own and places.may(actor, services.APPROVE, asked.area_id)
    founded = RuleSet.objects.select_related("society").filter(resolution=asked).first()
    before = queries.rules_before(asked) if asked.kind == "rules" else None
    context = {
        "asked": asked,
        "name": asked.society.name if asked.society else asked.terms["society"]["name"],
        "society": asked.society or (founded.society if founded else None),
        "state": "pending" if answer is None else "recorded" if answer.agreed else "refused",
        "answer": answer,
        "terms": _terms(asked),
        "before": before,
        "rules": _rules(asked, before),
        "way": places.ancestors(actor, asked.area_id),
        "may_approve": may_approve,
        "may_refuse": answer is None and (own or may_approve),
        "refusal": refusal,
    }
    return render(request, "mutual_funds/resolution.html", context, status=refusal.status if refusal else 200)


def _decide(request: HttpRequest, actor: User, asked: Resolution) -> HttpResponse:
    if "approve" in request.POST:
        made = resolutions.approve(actor, asked)
        messages.success(request, _("Recorded."))
        return redirect("mutual_funds:society", society_id=made.pk)
    resolutions.refuse(actor, asked, reason=request.POST.get("reason", ""))
    messages.success(request, _("Refused; nothing was recorded."))
    return redirect("mutual_funds:resolution", resolution_id=asked.pk)


@login_required
@require_POST
def attach_minutes(request: HttpRequest, resolution_id: int) -> HttpResponse:
    """Attaches the minutes to a resolution; what was attached before stays."""
    actor = actor_of(request)
    asked = queries.resolution(actor, resolution_id)
    file = uploaded(request)
    attach(
        actor,
        kind="mutual_funds_resolution",
        subject_id=resolution_id,
        area_id=asked.area_id,
        name=file.name or "",
        stream=file.chunks(),
        title=request.POST.get("title", ""),
        issued_on=asked.document_on,
    )
    messages.success(request, _("The document is attached."))
    return redirect("mutual_funds:resolution", resolution_id=resolution_id)


def _terms(asked: Resolution) -> list[tuple[Any, Any]]:
    """What is asked, the rules apart, in words."""
    if asked.kind == "take_back":
        return [(_("Reason"), asked.reason)]
    told: list[tuple[Any, Any]] = [(_("Minutes of the members' meeting"), f"{asked.document_no}, {asked.document_on}")]
    if asked.kind == "founding":
        given = asked.terms["society"]
        told = [
            (_("Founded on"), given["starts_on"]),
            (_("Class of the village"), SizeClass(given["size_class"]).label),
            *told,
        ]
    else:
        told = [(_("In force from"), asked.terms["rules"]["starts_on"]), *told]
    return told


def _rules(asked: Resolution, before: RuleSet | None) -> list[tuple[Any, str, str]]:
    """Each rule with what holds and what is asked, as the form names them."""
    given = asked.terms.get("rules", {})
    return [
        (field.label, _told(name, field, getattr(before, name)) if before else "", _told(name, field, given[name]))
        for name, field in forms.TermsForm.base_fields.items()
        if name in given
    ]


def _told(name: str, field: django_forms.Field, value: Any) -> str:
    if isinstance(field, django_forms.ChoiceField):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
    return format_fen(value) if name.endswith("_fen") else str(value)
