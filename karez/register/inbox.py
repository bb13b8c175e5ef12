"""What the register tells of a place."""

from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.kernel.inbox import AreaLink
from karez.places.queries import may
from karez.register import queries


def about_area(actor: User, area_id: int, level: str) -> list[AreaLink]:
    """The households of a village."""
    if level != "village" or not may(actor, queries.VIEW, area_id):
        return []
    count = queries.household_count(actor, area_id)
    return [AreaLink(_("Households"), reverse("register:households", args=[area_id]), count)]
