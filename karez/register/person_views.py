"""Pages of one person, of corrections of single facts, and of erasing who somebody is. Every look has a purpose on
record.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from django import forms as django_forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from karez.access.models import User
from karez.access.pages import PAGE, actor_of, answer_form
from karez.access.services import log_read
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.periods.told import recorded
from karez.places import queries as places
from karez.register import forms, identity, queries, services

# kind of fact -> (heading, form, name of a form's field -> field of the fact)
FACTS: dict[str, tuple[Any, type[forms.CorrectForm], dict[str, str]]] = {
    "membership": (say("Correct a membership"), forms.MembershipForm, {}),
    "assessment": (say("Correct an assessment"), forms.AssessmentForm, {}),
    "case": (say("Correct a stage of the case"), forms.CaseForm, {}),
    "exit": (say("Correct the end of the case"), forms.ExitForm, {"why": "reason"}),
    "death": (say("Correct a recorded death"), forms.DeathForm, {}),
}
# what is done -> (heading, form, permission)
OF_PERSON: dict[str, tuple[Any, type[django_forms.Form], str]] = {
    "facts": (say("Correct sex or month of birth"), forms.PersonForm, services.CORRECT),
    "identity": (say("Correct name, number or telephone"), forms.IdentityForm, services.RECORD),
    "move": (say("Move to another household"), forms.MoveForm, services.RECORD),
    "leave": (say("Leaves the household"), forms.LeaveForm, services.RECORD),
    "death": (say("Record a death"), forms.DiedForm, services.RECORD),
    "erase": (say("Ask to erase who this is"), forms.AskErasureForm, services.RECORD),
}


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person without a name; a POST with a purpose opens who it is, and is logged."""
    actor = actor_of(request)
    page = queries.person(actor, person_id)
    log_read(actor, kind="person_page", subject_id=person_id, purpose="the person's page, without a name")
    who, refusal = None, None
    if request.method == "POST":
        try:
            who = identity.open_identity(actor, person_id=person_id, purpose=request.POST.get("purpose", ""))
        except Refusal as error:
            refusal = error
    context = {
        "page": page,
        "person": page.person,
        "who": who,
        "refusal": refusal,
        "household": page.memberships[0].household,
        "way": places.ancestors(actor, page.village_id),
        "actions": _actions(actor, page),
        "may_correct": places.may(actor, services.CORRECT, page.village_id),
        "asked": queries.open_erasure(person_id),
    }
    return render(request, "register/person.html", context, status=refusal.status if refusal else 200)


def _actions(actor: User, page: queries.PersonPage) -> list[tuple[str, Any]]:
    offered = set(OF_PERSON)
    if page.died_on:
        offered -= {"move", "leave", "death"}
    elif _has_left(page):
        offered -= {"leave"}
    if page.is_erased:
        offered -= {"identity", "erase"}
    if page.died_on:
        offered -= {"facts"}
    if not page.has_identity or queries.open_erasure(page.person.pk):
        offered -= {"erase"}
    return [
        (what, _heading(what, page))
        for what, words in OF_PERSON.items()
        if what in offered and places.may(actor, words[2], page.village_id)
    ]


def _has_left(page: queries.PersonPage) -> bool:
    return all(one.ends_before is not None for one in page.memberships)


def _heading(what: str, page: queries.PersonPage) -> Any:
    return gettext_lazy("Comes back to a household") if what == "move" and _has_left(page) else OF_PERSON[what][0]


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, person_id: int, what: str) -> HttpResponse:
    """A correction of a person, or what happens to one: a move, leaving, a death, a request to erase."""
    actor = actor_of(request)
    page = queries.person(actor, person_id)
    _words, form_class, permission = _known(OF_PERSON, what)
    places.require(actor, permission, page.village_id)
    log_read(actor, kind="person_page", subject_id=person_id, purpose=f"the form: {what}, without a name")
    first: dict[str, Any] = {"sex": page.person.sex, "birth_month": page.person.birth_month, "on": date.today()}
    form = form_class(request.POST or None, initial=first)

    def do(given: dict[str, Any]) -> str:
        return _DO[what](actor, page, given)

    context = {
        "heading": _heading(what, page),
        "what": what,
        "person": _("Person %d") % person_id,
        "back": reverse("register:person", args=[person_id]),
        "way": places.ancestors(actor, page.village_id),
        "household": page.memberships[0].household,
        "button": gettext_lazy("Ask") if what == "erase" else gettext_lazy("Record"),
        "warns": what == "erase",
    }
    return answer_form(request, form, do, "register/form.html", context, done=recorded(_("Recorded."), "on"))


def _facts(actor: User, page: queries.PersonPage, given: dict[str, Any]) -> str:
    return _page(services.correct_person(actor, person_id=page.person.pk, **given).pk)


def _identity(actor: User, page: queries.PersonPage, given: dict[str, Any]) -> str:
    """What is left empty stays: the record is opened, which is logged with the reason of the correction."""
    known = (
        identity.open_identity(actor, person_id=page.person.pk, purpose=f"correction: {given['reason']}")
        or identity.Values()
    )
    values = {name: given[name] for name in ("name", "id_number", "phone") if given[name]} | dict.fromkeys(
        given["remove"], ""
    )
    identity.correct_identity(
        actor,
        person_id=page.person.pk,
        values=replace(known, **values),
        reason=given["reason"],
        confirmed=given["confirmed"],
    )
    return _page(page.person.pk)


def _move(actor: User, page: queries.PersonPage, given: dict[str, Any]) -> str:
    target = queries.household_numbered(actor, page.village_id, given.pop("household_no").strip())
    services.move_person(actor, person_id=page.person.pk, household_id=target.pk, **given)
    return _page(page.person.pk)


def _leave(actor: User, page: queries.PersonPage, given: dict[str, Any]) -> str:
    services.end_membership(actor, person_id=page.person.pk, **given)
    return _page(page.person.pk)


def _death(actor: User, page: queries.PersonPage, given: dict[str, Any]) -> str:
    services.record_death(actor, person_id=page.person.pk, **given)
    return _page(page.person.pk)


def _ask_erasure(actor: User, page: queries.PersonPage, given: dict[str, Any]) -> str:
    identity.request_erasure(actor, person_id=page.person.pk, reason=given["reason"])
    return _page(page.person.pk)


_DO: dict[str, Callable[[User, queries.PersonPage, dict[str, Any]], str]] = {
    "facts": _facts, "identity": _identity, "move": _move, "leave": _leave, "death": _death, "erase": _ask_erasure,
}  # fmt: skip


def _page(person_id: int) -> str:
    return reverse("register:person", args=[person_id])


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, kind: str, fact_id: int) -> HttpResponse:
    """One wrong fact made void with a reason, and written anew where it was so in another way."""
    actor = actor_of(request)
    heading, form_class, renamed = _known(FACTS, kind)
    found = queries.fact(actor, kind, fact_id)
    places.require(actor, services.CORRECT, found.village_id)
    log_read(actor, kind=f"register_{kind}", subject_id=fact_id, purpose="the form of a correction, without a name")
    names = [name for name in form_class.base_fields if name not in {"reason", "never_so"}]
    first = {name: getattr(found.row, renamed.get(name, name)) for name in names}
    shown = first | {"income_fen": f"{first['income_fen'] / 100:.2f}"} if "income_fen" in first else first
    form = form_class(request.POST or None, initial=shown)

    def do(given: dict[str, Any]) -> str:
        if given["never_so"]:
            services.void_fact(actor, row=found.row, reason=given["reason"])
            return found.address
        changes = {renamed.get(name, name): given[name] for name in names if given[name] != first[name]}
        services.void_and_replace(actor, row=found.row, changes=changes, reason=given["reason"])
        return found.address

    context = {
        "heading": heading,
        "back": found.address,
        "way": places.ancestors(actor, found.village_id),
        "household": found.household,
        "button": gettext_lazy("Correct"),
        "corrects": True,
    }
    return answer_form(
        request, form, do, "register/form.html", context, done=_("Corrected; what stood there is kept as void.")
    )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def dissolve(request: HttpRequest, household_id: int) -> HttpResponse:
    """A household that no longer exists, once nobody belongs to it."""
    actor = actor_of(request)
    page = queries.household(actor, household_id)
    places.require(actor, services.RECORD, page.household.village_id)
    log_read(actor, kind="household", subject_id=household_id, purpose="the form to dissolve it, without names")
    form = forms.DissolveForm(request.POST or None, initial={"on": date.today()})

    def do(given: dict[str, Any]) -> str:
        services.dissolve_household(actor, household_id=household_id, **given)
        return reverse("register:household", args=[household_id])

    context = {
        "heading": _("Dissolve the household"),
        "back": reverse("register:household", args=[household_id]),
        "way": places.ancestors(actor, page.household.village_id),
        "household": page.household,
        "members": page.members,
        "button": gettext_lazy("Record"),
        "dissolves": True,
    }
    return answer_form(request, form, do, "register/form.html", context, done=recorded(_("Recorded."), "on"))


@login_required
@require_GET
def erasures(request: HttpRequest) -> HttpResponse:
    """Requests to erase that wait for this person; without names."""
    actor = actor_of(request)
    return render(request, "register/erasures.html", {"asked": queries.erasures_waiting(actor)[:PAGE]})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def erase(request: HttpRequest, request_id: int) -> HttpResponse:
    """Carries out an erasure another person asked for, after one says they know what it does."""
    actor = actor_of(request)
    asked, last = queries.erasure(actor, request_id)
    household = last.household
    places.require(actor, services.CORRECT, household.village_id)
    log_read(actor, kind="person_page", subject_id=last.person_id, purpose="carrying out an erasure, without a name")
    form = forms.EraseForm(request.POST or None)

    def do(_given: dict[str, Any]) -> str:
        identity.erase_person(actor, request_id=request_id)
        return reverse("register:erasures")

    context = {
        "heading": _("Erase who this is"),
        "back": reverse("register:erasures"),
        "way": places.ancestors(actor, household.village_id),
        "household": household,
        "person": _("Person %d") % last.person_id,
        "asked": asked,
        "own": asked.requested_by_id == actor.pk,
        "button": gettext_lazy("Erase"),
        "warns": True,
        "dangerous": True,
    }
    return answer_form(request, form, do, "register/form.html", context, done=_("Erased."))


def _known(offered: dict[str, Any], what: str) -> Any:
    if what not in offered:
        raise Refusal(
            "not_found.register_form",
            record=what,
            found=say("no such form"),
            expected=", ".join(offered),
            rule=say("a fact is corrected as the kind it is"),
            todo=say("choose from the page of the household or person"),
        )
    return offered[what]
