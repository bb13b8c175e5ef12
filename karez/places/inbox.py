"""What of people waits for a person: roles another proposed."""

from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.kernel.inbox import InboxItem
from karez.places import granting


def items(actor: User) -> list[InboxItem]:
    """Proposed roles this person may confirm."""
    if not granting.may_know_proposals(actor):
        return []
    waiting = sum(1 for one in granting.waiting(actor) if one.mine)
    return [InboxItem(_("Roles to confirm"), waiting, reverse("places:waiting_roles"))]
