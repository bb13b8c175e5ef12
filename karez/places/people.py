"""Pages of people and their roles, for those who look after users: the list, one person with their history, adding,
giving, ending.

They stand here and not in access, because a role is given over an area of the tree.
"""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from karez.access.models import GrantProposal, User
from karez.access.pages import PAGE, DayField, actor_of, answer_form, database_refusal, integer
from karez.access.queries import awaits_first_sign_in
from karez.access.roles import Role
from karez.access.rules import INCOMPATIBLE, LEVELS
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.places import granting, queries
from karez.places.granting import PERMISSION
from karez.places.models import Level


class RoleForm(forms.Form):
    """A role over an area, from a day on."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices)
    area = forms.CharField(
        label=gettext_lazy("Code of the area"),
        max_length=30,
        help_text=gettext_lazy(
            "The role holds over this place and everything below it. Codes stand on the pages of places."
        ),
    )
    starts_on = DayField(label=gettext_lazy("From"), initial=date.today)

    def __init__(self, *words: Any, actor: User, **more: Any) -> None:
        super().__init__(*words, **more)
        self.actor = actor
        self.fields["area"].widget.attrs |= {"list": "areas", "autocomplete": "off"}

    def clean_area(self) -> int:
        """The id of the area the code means today, if the actor looks after it."""
        try:
            area_id = queries.area_by_code(self.cleaned_data["area"].strip())
        except Refusal as no:
            raise forms.ValidationError(
                _("No area has this code today. Look the place up; its page has its code.")
            ) from no
        if not queries.may(self.actor, PERMISSION, area_id):
            raise forms.ValidationError(_("This area is not among those you look after."))
        return area_id

    def clean(self) -> dict[str, Any]:
        """A role lies over a place of one of its levels."""
        given = super().clean() or {}
        if "role" in given and "area" in given:
            levels = LEVELS[Role(given["role"])]
            if queries.area(self.actor, given["area"]).level not in levels:
                told = ", ".join(str(Level(level).label) for level in levels)
                self.add_error(
                    "area", _("This role is not given over a place of this level. It is given over: %s.") % told
                )
        return given


class PersonForm(RoleForm):
    """A person who will sign in, with a first role."""

    username = forms.CharField(
        label=gettext_lazy("Sign-in name"),
        max_length=150,
        help_text=gettext_lazy("Letters, digits and @ . + - _ only."),
    )
    full_name = forms.CharField(label=gettext_lazy("Full name, as pages and editions print it"), max_length=120)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    field_order = ("username", "full_name", "language", "role", "area", "starts_on")


class DeactivateForm(forms.Form):
    """Why a person signs in no more."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class EndForm(forms.Form):
    """The last day of a role, and why it ends."""

    last_day = DayField(label=gettext_lazy("Last day on which it holds"), initial=date.today)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


def _may_look(actor: User) -> None:
    if not granting.manages_people(actor):
        raise Refusal(
            "access.not_granted",
            record=say("users"),
            found=say("no role that looks after users"),
            expected=say("an administrator"),
            rule=say("people and roles are looked after by administrators"),
            todo=say("ask an administrator"),
        )


def _areas(actor: User) -> Any:
    """The areas down to counties, to choose from; a code of a village is typed."""
    levels = ("region", "prefecture", "county")
    return queries.visible_areas(actor, PERMISSION).filter(level__in=levels, is_current=True).order_by("code")


@login_required
@require_GET
def users(request: HttpRequest) -> HttpResponse:
    """Everybody with a role within the actor's areas, with role, area and dates; a search by name."""
    actor = actor_of(request)
    _may_look(actor)
    words = request.GET.get("q", "").strip()[:60]
    found = granting.people(actor, words=words, after=integer(request.GET, "after", 0) or 0, limit=PAGE + 1)
    waiting = len(granting.waiting(actor))
    context = {
        "people": found[:PAGE],
        "words": words,
        "waiting": waiting,
        "after": found[PAGE - 1].user.pk if len(found) > PAGE else "",
    }
    return render(request, "places/users.html", context)


@login_required
@require_GET
def user(request: HttpRequest, user_id: int) -> HttpResponse:
    """One person: every role they hold or held, who gave and who ended it, and how they came to their password."""
    actor = actor_of(request)
    _may_look(actor)
    found = granting.person(actor, user_id)
    given = found.sign_in is not None and found.sign_in.what == "given"
    context = {
        "person": found,
        "own": user_id == actor.pk,
        "given": given,
        "may_renew": user_id != actor.pk and awaits_first_sign_in(found.user),
    }
    context["left"] = found.sign_in is not None and found.sign_in.what == "ended"
    return render(request, "places/user.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def add_user(request: HttpRequest) -> HttpResponse:
    """A new person with a first role. The password for the first sign-in is shown on the answer, this once."""
    actor = actor_of(request)
    _may_look(actor)
    form = PersonForm(request.POST or None, actor=actor)
    refusal, status = None, 422 if request.method == "POST" else 200
    if form.is_valid():
        given = dict(form.cleaned_data)
        try:
            made, password = granting.invite(
                actor, area_id=given.pop("area"), **(given | {"role": Role(given["role"])})
            )
        except Refusal as error:
            refusal, status = error, error.status
        except Exception as error:
            refusal = database_refusal(error)
            if refusal is None:
                raise
            status = refusal.status
        else:
            return _shown_once(request, made, password)
    context = {
        "form": form,
        "refusal": refusal,
        "areas": _areas(actor),
        "title": _("Add a user"),
        "back": reverse("places:users"),
    }
    return render(request, "places/user_form.html", context, status=status)


@login_required
@require_POST
def renew(request: HttpRequest, user_id: int) -> HttpResponse:
    """Another password for a first sign-in that never came."""
    actor = actor_of(request)
    _may_look(actor)
    found = granting.person(actor, user_id)
    return _shown_once(request, found.user, granting.renew_invitation(actor, found.user))


def _shown_once(request: HttpRequest, made: User, password: str) -> HttpResponse:
    waits = GrantProposal.objects.filter(user=made, answer=None).exists()
    answer = render(request, "places/user_made.html", {"made": made, "password": password, "waits": waits})
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_http_methods(["GET", "POST"])
def give_role(request: HttpRequest, user_id: int) -> HttpResponse:
    """Another role for a person; never one's own."""
    actor = actor_of(request)
    _may_look(actor)
    found = granting.person(actor, user_id)

    def do(given: dict[str, Any]) -> str:
        made = granting.give_role(
            actor, user=found.user, role=Role(given["role"]), area_id=given["area"], starts_on=given["starts_on"]
        )
        waits = isinstance(made, GrantProposal)
        messages.success(
            request,
            _("The role is proposed. It holds once another person confirms it.") if waits else _("The role is given."),
        )
        return reverse("places:user", args=[user_id])

    held = {h.grant.role for h in found.roles if h.state in ("now", "later")}
    excluded = [Role(r).label for r in Role.values if any(frozenset((r, h)) in INCOMPATIBLE for h in held)]
    context = {
        "areas": _areas(actor),
        "title": _("Give %s a role") % found.user,
        "back": reverse("places:user", args=[user_id]),
        "excluded": excluded,
    }
    return answer_form(request, RoleForm(request.POST or None, actor=actor), do, "places/user_form.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def end_role(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Ends a role after a day, with a reason; its record stays."""
    actor = actor_of(request)
    _may_look(actor)
    held = granting.grant(actor, grant_id)

    def do(given: dict[str, Any]) -> str:
        granting.end_role(
            actor, grant=held.grant, ends_before=given["last_day"] + timedelta(days=1), reason=given["reason"]
        )
        return reverse("places:user", args=[held.grant.user_id])

    title = _("End the role of %s") % held.grant.user
    context = {"held": held, "title": title, "back": reverse("places:user", args=[held.grant.user_id])}
    return answer_form(
        request, EndForm(request.POST or None), do, "places/user_form.html", context, done=_("The role ends.")
    )


@login_required
@require_http_methods(["GET", "POST"])
def deactivate(request: HttpRequest, user_id: int) -> HttpResponse:
    """Ends a person's signing in with all their roles and sessions; the record stays."""
    actor = actor_of(request)
    _may_look(actor)
    found = granting.person(actor, user_id)

    def do(given: dict[str, Any]) -> str:
        granting.deactivate(actor, found.user, reason=given["reason"])
        return reverse("places:user", args=[user_id])

    context = {
        "leaving": True,
        "title": _("Deactivate %s") % found.user,
        "back": reverse("places:user", args=[user_id]),
    }
    return answer_form(
        request,
        DeactivateForm(request.POST or None),
        do,
        "places/user_form.html",
        context,
        done=_("The person signs in no more."),
    )


def _may_confirm_somewhere(actor: User) -> None:
    if not granting.may_know_proposals(actor):
        _may_look(actor)


@login_required
@require_GET
def waiting_roles(request: HttpRequest) -> HttpResponse:
    """Roles that were proposed and wait for a second person."""
    actor = actor_of(request)
    _may_confirm_somewhere(actor)
    context = {"waiting": granting.waiting(actor), "manages": granting.manages_people(actor)}
    return render(request, "places/roles_waiting.html", context)


@login_required
@require_POST
def answer_role(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Confirms a proposed role, or declines it (or takes one's own proposal back) with a reason."""
    actor = actor_of(request)
    _may_confirm_somewhere(actor)
    proposal = granting.proposal(actor, proposal_id)
    if request.POST.get("do") == "confirm":
        granting.confirm_role(actor, proposal)
        messages.success(request, _("The role is confirmed; it holds from its day on."))
    else:
        granting.decline_role(actor, proposal, reason=request.POST.get("reason", "")[:300])
        messages.success(request, _("The proposal is answered; no role was given."))
    return redirect("places:waiting_roles")
