"""What of the register waits for a person, and what it tells of a place."""

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.access.queries import permissions_of
from karez.kernel.inbox import AreaLink, InboxItem
from karez.places.queries import may
from karez.register import queries


def items(actor: User) -> list[InboxItem]:
    """Erasures others asked for."""
    if "register.apply" not in permissions_of(actor):
        return []
    return [
        InboxItem(_("Erasures to carry out"), queries.erasures_waiting(actor).count(), reverse("register:erasures"))
    ]


def about_area(actor: User, area_id: int, level: str) -> list[AreaLink]:
    """The households of a village."""
    if level != "village" or not may(actor, queries.VIEW, area_id):
        return []
    count = queries.household_count(actor, area_id)
    return [
        AreaLink(_("Households"), f"{reverse('records:list', args=['register.households'])}?place={area_id}", count)
    ]


def opens(actor: User, table: str, column: str, key: str) -> str | None:
    """The household page a frozen key leads to, for one who may see it."""
    try:
        wanted = UUID(key)
    except ValueError:
        return None
    if column == "household_key" or (table == "register_households" and column == "key"):
        found = queries.household_id_of_key(actor, wanted)
    elif table == "register_persons" and column == "key":
        found = queries.household_id_of_person_key(actor, wanted)
    else:
        return None
    return reverse("register:household", args=[found]) if found else None
