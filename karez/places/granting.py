"""Giving and ending roles by those who look after users, within the areas they look after. Holds no rule about roles.

Roles belong to the room of access, which knows no tree; whether an area lies within the giver's is asked here.
"""

from datetime import date

from karez.access import services as access
from karez.access.models import Grant, Role, User
from karez.places.queries import require

PERMISSION = "users.manage"


def give_role(actor: User, *, user: User, role: Role, area_id: int, starts_on: date) -> Grant:
    """Gives a person a role over an area the actor looks after; refuses oneself and roles that exclude each other."""
    require(actor, PERMISSION, area_id)
    return access.grant_role(actor, user=user, role=role, area_id=area_id, starts_on=starts_on)


def end_role(actor: User, *, grant: Grant, ends_before: date, reason: str) -> Grant:
    """Ends a role over an area the actor looks after, from a day on."""
    require(actor, PERMISSION, grant.area_id)
    return access.end_role(actor, grant=grant, ends_before=ends_before, reason=reason)
