"""What of the files sent in waits for a person."""

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.access.queries import permissions_of
from karez.intake import entering, queries
from karez.intake.models import State
from karez.kernel.inbox import AreaLink, InboxItem
from karez.places.models import Tree


def items(actor: User) -> list[InboxItem]:
    """Files to decide, own files with faults, and applied ones somebody asks to take back."""
    if "intake.view" not in permissions_of(actor):
        return []
    address = reverse("intake:batches")
    own = queries.batches(actor).filter(
        Q(state=State.FAULTY) | (Q(state=State.RECEIVED) & ~Q(trouble="")), sender_id=actor.pk
    )
    asked = (
        queries.batches(actor)
        .filter(state=State.APPLIED, withdrawal_by_id__isnull=False)
        .exclude(withdrawal_by_id=actor.pk)
    )
    return [
        InboxItem(_("Files to decide"), queries.waiting_for(actor).count(), address),
        InboxItem(_("Your files with faults"), own.count(), address),
        InboxItem(_("Your files with rows to confirm"), queries.to_confirm(actor).count(), f"{address}#confirm"),
        InboxItem(_("Files somebody asks to take back"), sum(queries.may_apply(actor, b) for b in asked[:50]), address),
    ]


def about_area(actor: User, area_id: int, level: str) -> list[AreaLink]:
    """Where one record of a place is entered by form, for who may."""
    place = Tree.objects.filter(pk=area_id, is_current=True).first()
    if place is None or not entering.sheets_about(actor, place):
        return []
    return [AreaLink(_("Enter one by form"), reverse("intake:enter_which", args=[area_id]))]
