"""What of village mutual funds waits for a person, lies in a place, belongs to a household or to a voucher."""

from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.access.queries import permissions_of
from karez.kernel.inbox import AreaLink, InboxItem
from karez.ledger.models import Transfer
from karez.mutual_funds import queries
from karez.mutual_funds.models import Contribution, Gift, Grant, Loan, Opening, Proposal, Repayment, WriteOff
from karez.mutual_funds.rules import APPROVES
from karez.places.queries import may
from karez.records.cells import address_of


def items(actor: User) -> list[InboxItem]:
    """Loans, refunds, grants, write-offs, foundings and rules to approve."""
    if not {queries.APPROVE, *APPROVES.values()} & set(permissions_of(actor)):
        return []
    waiting = queries.waiting(actor).count() + queries.resolutions_waiting(actor).count()
    return [InboxItem(_("Acts of mutual funds to approve"), waiting, reverse("mutual_funds:waiting"))]


def about_area(actor: User, area_id: int, level: str) -> list[AreaLink]:
    """The society of a village."""
    found = queries.society_of_area(actor, area_id) if level == "village" else None
    if found:
        return [AreaLink(_("Mutual fund"), reverse("mutual_funds:society", args=[found.pk]))]
    asked = queries.founding_waiting(actor, area_id) if level == "village" else None
    if asked:
        return [
            AreaLink(_("Founding of a mutual fund, to be decided"), reverse("mutual_funds:resolution", args=[asked.pk]))
        ]
    may_found = level == "village" and may(actor, "mutual_funds.prepare", area_id)
    return [AreaLink(_("Found a mutual fund"), reverse("mutual_funds:found", args=[area_id]))] if may_found else []


def about_household(actor: User, household_id: int) -> list[AreaLink]:
    """The societies a household is or was a member of."""
    return [
        AreaLink(_("Member of %s") % member.society.name, reverse("mutual_funds:society", args=[member.society_id]))
        for member in queries.memberships_of_household(actor, household_id)
    ]


def about_transfers(actor: User, transfer_ids: Iterable[int]) -> list[AreaLink]:
    """The loans, repayments, contributions, grants and gifts these transfers moved."""
    found = []
    for fact in queries.facts_of_transfers(actor, list(transfer_ids)):
        page, key = f"mutual_funds.{fact._meta.model_name}", fact.pk
        if isinstance(fact, Contribution):
            words = _("Contribution of household %s") % fact.member.household.household_no
        elif isinstance(fact, Grant):
            words = _("Grant from line %s") % fact.source_line.code
        elif isinstance(fact, Gift):
            words = _("Gift of %s") % fact.giver
        elif isinstance(fact, Repayment):
            words = _("Repayment of loan %s") % fact.loan.loan_no
        elif isinstance(fact, Loan):
            words = _("Loan %s") % fact.loan_no
        else:
            words, page, key = _("Write-off of loan %s") % fact.loan.loan_no, "mutual_funds.loan", fact.loan_id
        found.append(AreaLink(words, address_of(page, key)))
    return found


def decides_sets(set_ids: Iterable[int]) -> dict[int, str]:
    """Where each set that carries an act of a society is decided."""
    ids = list(set_ids)
    found = Proposal.objects.filter(Q(set_id__in=ids) | Q(second_set_id__in=ids))
    return {
        key: reverse("mutual_funds:proposal", args=[one.pk])
        for one in found
        for key in (one.set_id, one.second_set_id)
        if key in ids
    }


def takes_back(voucher_id: int) -> str | None:
    """Where a voucher of a society, or the county's side of a grant, is taken back with the records on it.

    An opening voucher goes with the file it came in: that is the batch's page, where its withdrawal is asked for.
    """
    moved = list(Transfer.objects.filter(voucher_id=voucher_id).values_list("pk", flat=True))
    opening = Opening.objects.filter(voucher_id=voucher_id, voided_at=None).first()
    if opening is not None:  # opening balances go with the file they came in
        batch = opening.batch_id
        return (
            reverse("intake:batch", args=[batch])
            if batch
            else reverse("mutual_funds:society", args=[opening.society_id])
        )
    granted = Grant.objects.filter(county_transfer_id__in=moved, voided_at=None).first()
    if granted is not None:
        theirs = Transfer.objects.get(pk=granted.transfer_id).voucher_id
        return reverse("mutual_funds:take_back", args=[granted.society_id, theirs])
    live = {"transfer_id__in": moved, "voided_at": None}
    found = [
        *Contribution.objects.filter(**live).values_list("member__society_id", flat=True)[:1],
        *Grant.objects.filter(**live).values_list("society_id", flat=True)[:1],
        *Gift.objects.filter(**live).values_list("society_id", flat=True)[:1],
        *Loan.objects.filter(**live).values_list("society_id", flat=True)[:1],
        *WriteOff.objects.filter(**live).values_list("loan__society_id", flat=True)[:1],
        *Repayment.objects.filter(
            Q(principal_transfer_id__in=moved) | Q(fee_transfer_id__in=moved), voided_at=None
        ).values_list("loan__society_id", flat=True)[:1],
    ]
    return reverse("mutual_funds:take_back", args=[found[0], voucher_id]) if found else None


def opens(actor: User, table: str, column: str, key: str) -> str | None:
    """The page of a loan or society frozen in one of this room's figure tables."""
    names = {"loan_id": "loan", "society_id": "society"}
    if not table.startswith("mutual_funds_") or column not in names or not key.isdigit():
        return None
    return reverse(f"mutual_funds:{names[column]}", args=[int(key)])
