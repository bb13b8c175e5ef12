"""People and their roles by those who look after users, within the areas they look after. Holds no rule about roles.

Roles belong to the room of access, which knows no tree; whether an area lies within the giver's is asked here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from karez.access import services as access
from karez.access.models import Grant, Role, SignInEvent, User
from karez.access.queries import granted_area_ids, last_sign_in_event
from karez.kernel.refusal import Refusal
from karez.places.models import Tree
from karez.places.queries import require, visible_areas

PERMISSION = "users.manage"


def give_role(actor: User, *, user: User, role: Role, area_id: int, starts_on: date) -> Grant:
    """Gives a person a role over an area the actor looks after; refuses oneself and roles that exclude each other."""
    require(actor, PERMISSION, area_id)
    return access.grant_role(actor, user=user, role=role, area_id=area_id, starts_on=starts_on)


def end_role(actor: User, *, grant: Grant, ends_before: date, reason: str) -> Grant:
    """Ends a role over an area the actor looks after, from a day on."""
    require(actor, PERMISSION, grant.area_id)
    return access.end_role(actor, grant=grant, ends_before=ends_before, reason=reason)


@transaction.atomic
def invite(actor: User, *, username: str, full_name: str, language: str, role: Role, area_id: int, starts_on: date) -> tuple[User, str]:
    """Makes a person with a first role and a password for the first sign-in; returns both, the password for this once."""
    require(actor, PERMISSION, area_id)
    user, password = access.invite_user(actor, username=username, full_name=full_name, language=language)
    give_role(actor, user=user, role=role, area_id=area_id, starts_on=starts_on)
    return user, password


def renew_invitation(actor: User, user: User) -> str:
    """Another password for a first sign-in that never came, of a person all of whose roles lie within the actor's areas."""
    for area_id in set(Grant.objects.filter(user=user, voided_at=None).values_list("area_id", flat=True)):
        require(actor, PERMISSION, area_id)
    return access.renew_invitation(actor, user)


@dataclass(frozen=True)
class RoleHeld:
    """A role of a person with the area it is given over; `state` is now, later, ended or void. `mine` says the actor may end it."""

    grant: Grant
    area: Tree | None
    state: str
    mine: bool


@dataclass(frozen=True)
class Person:
    """A person who signs in, with every role they hold or held that the actor may see, and how they came to their password."""

    user: User
    roles: Sequence[RoleHeld]
    sign_in: SignInEvent | None


def people(actor: User, *, words: str = "", after: int = 0, limit: int = 50) -> list[Person]:
    """The people with a role within the actor's areas, by id, with those roles; ended ones too."""
    found = _users(actor).filter(pk__gt=after)
    if words:
        found = found.filter(Q(full_name__icontains=words) | Q(username__icontains=words))
    users = list(found.order_by("pk")[:limit])
    held = _held(actor, users)
    return [Person(user, held.get(user.pk, []), last_sign_in_event(user)) for user in users]


def person(actor: User, user_id: int) -> Person:
    """One person with a role within the actor's areas; refuses another in the same words as one who does not exist."""
    user = _users(actor).filter(pk=user_id).first()
    if user is None:
        raise _unknown(f"user {user_id}")
    return Person(user, _held(actor, [user]).get(user.pk, []), last_sign_in_event(user))


def grant(actor: User, grant_id: int) -> RoleHeld:
    """One role over an area the actor looks after."""
    found = Grant.objects.select_related("user").filter(pk=grant_id, area_id__in=visible_areas(actor, PERMISSION).values("pk")).first()
    if found is None:
        raise _unknown(f"role {grant_id}")
    return next(h for h in _held(actor, [found.user])[found.user_id] if h.grant.pk == found.pk)


def manages_people(actor: User) -> bool:
    """Whether the actor looks after users somewhere."""
    return bool(granted_area_ids(actor, PERMISSION))


def _users(actor: User) -> QuerySet[User]:
    within = Grant.objects.filter(user=OuterRef("pk"), area_id__in=visible_areas(actor, PERMISSION).values("pk"))
    return User.objects.filter(Exists(within))


def _held(actor: User, users: Sequence[User]) -> dict[int, list[RoleHeld]]:
    areas = visible_areas(actor, PERMISSION).values("pk")
    grants = Grant.objects.filter(user__in=users, area_id__in=areas).select_related("user").order_by("-starts_on", "-pk")
    trees = {t.pk: t for t in Tree.objects.filter(pk__in=[g.area_id for g in grants])}
    held: dict[int, list[RoleHeld]] = {}
    for one in grants:
        state = _state(one, date.today())
        mine = one.ends_before is None and one.voided_at is None and one.user_id != actor.pk
        held.setdefault(one.user_id, []).append(RoleHeld(one, trees.get(one.area_id), state, mine))
    return held


def _state(one: Grant, today: date) -> str:
    if one.voided_at is not None:
        return "void"
    if one.counts_before is not None and one.counts_before <= today:
        return "ended"
    return "later" if one.counts_from > today else "now"


def _unknown(record: str) -> Refusal:
    return Refusal(
        "not_found.person", record=record, found="nobody of this number among those you look after", expected="a person or role of your areas",
        rule="administrators look after the people of their areas", todo="choose from the list of users",
    )  # fmt: skip
