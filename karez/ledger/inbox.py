"""What of the ledger waits for a person."""

from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.access.queries import permissions_of
from karez.kernel.inbox import AreaLink, InboxItem
from karez.ledger import queries
from karez.places.queries import may

_LARGEST_ID = 2**63 - 1


def items(actor: User) -> list[InboxItem]:
    """Prepared vouchers this person may decide and no other room tells of, and cash counts to countersign."""
    found, allowed = [], permissions_of(actor)
    if "ledger.approve" in allowed:
        waiting = len(queries.waiting_here(actor, limit=100))
        found.append(InboxItem(_("Vouchers to approve"), waiting, reverse("ledger:pending")))
    if "ledger.countersign" in allowed:
        counts = len(queries.counts_to_countersign(actor, limit=100))
        found.append(InboxItem(_("Cash counts to countersign"), counts, reverse("ledger:counts")))
    return found


def opens(actor: User, table: str, column: str, key: str) -> str | None:
    """The page of a voucher frozen in a figure table, by its own id or a transfer's; it opens for one who may see its
    book.
    """
    if (
        column not in {"voucher_id", "transfer_id", "county_transfer_id"}
        or not key.isdecimal()
        or int(key) > _LARGEST_ID
    ):
        return None
    if column == "voucher_id":
        return reverse("ledger:voucher", args=[int(key)])
    found = queries.transfers(actor, [int(key)])
    return reverse("ledger:voucher", args=[found[0].voucher_id]) if found else None


def about_area(actor: User, area_id: int, level: str) -> list[AreaLink]:
    """The books kept for an area."""
    if not may(actor, "ledger.view", area_id):
        return []
    return [
        AreaLink(book.name, reverse("ledger:book", args=[book.pk])) for book in queries.books_of_area(actor, area_id)
    ]
