"""What of public money waits for a person, and what a voucher of it stands for."""

from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.access.queries import permissions_of
from karez.funds import queries
from karez.funds.models import Allocation, Appropriation, Proposal
from karez.kernel.inbox import AreaLink, InboxItem
from karez.ledger.models import Transfer
from karez.places.queries import visible_areas


def items(actor: User) -> list[InboxItem]:
    """Appropriations and allocations to approve."""
    if "funds.approve" not in permissions_of(actor):
        return []
    return [InboxItem(_("Public money to approve"), len(list(queries.waiting(actor))), reverse("funds:waiting"))]


def about_transfers(actor: User, transfer_ids: Iterable[int]) -> list[AreaLink]:
    """The appropriations and allocations these transfers moved."""
    ids = list(transfer_ids)
    areas = visible_areas(actor, queries.VIEW).values("pk")
    found: list[Appropriation | Allocation] = [
        *Appropriation.objects.filter(transfer_id__in=ids, area_id__in=areas, voided_at=None),
        *Allocation.objects.filter(
            Q(transfer_in_id__in=ids) | Q(transfer_out_id__in=ids), area_id__in=areas, voided_at=None
        ),
    ]
    words = {Appropriation: _("Appropriation %s"), Allocation: _("Allocation %s")}
    return [AreaLink(words[type(one)] % one.reference, reverse("funds:line", args=[one.line_id])) for one in found]


def decides_sets(set_ids: Iterable[int]) -> dict[int, str]:
    """Where each set that carries an appropriation or allocation is decided."""
    ids = list(set_ids)
    found = Proposal.objects.filter(Q(set_id__in=ids) | Q(second_set_id__in=ids))
    return {
        key: reverse("funds:proposal", args=[one.pk])
        for one in found
        for key in (one.set_id, one.second_set_id)
        if key in ids
    }


def takes_back(voucher_id: int) -> str | None:
    """Where an appropriation or allocation that stands on this voucher is taken back with its money."""
    moved = list(Transfer.objects.filter(voucher_id=voucher_id).values_list("pk", flat=True))
    received = Appropriation.objects.filter(transfer_id__in=moved, voided_at=None).first()
    if received is not None:
        return reverse("funds:take_back_appropriation", args=[received.pk])
    passed = Allocation.objects.filter(
        Q(transfer_in_id__in=moved) | Q(transfer_out_id__in=moved), voided_at=None
    ).first()
    return reverse("funds:take_back_allocation", args=[passed.pk]) if passed else None


def opens(actor: User, table: str, column: str, key: str) -> str | None:
    """The page of a source line frozen in this room's figure table, or in that of grants to societies."""
    if (table, column) not in {("funds_money", "line_code"), ("mutual_funds_grants", "source_line")}:
        return None
    return reverse("funds:line", args=[queries.line_named(actor, key).pk])
