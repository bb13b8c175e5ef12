"""What waits for a second person at a society, and how refusals name members. Holds no rule: those are in
`record_rules`.
"""

from typing import Any

from karez.kernel.messages import say
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.ledger.models import VoucherSet
from karez.mutual_funds.models import Member, Proposal
from karez.mutual_funds.services import own_fen


def named(member: Member) -> str:
    """A member as people know it: the household's number and the society."""
    return say(
        "household {household_no} of {name}", household_no=member.household.household_no, name=member.society.name
    )


def waiting_terms(society_id: int, kind: str) -> list[dict[str, Any]]:
    """The terms of what was prepared at a society and waits for a second person."""
    open_sets = VoucherSet.objects.filter(approved_at=None, refused_at=None).values("pk")
    found = Proposal.objects.filter(society_id=society_id, kind=kind, set_id__in=open_sets)
    return list(found.order_by("pk").values_list("terms", flat=True))


def require_all_of_it(member: Member, amount_fen: int, waiting: list[dict[str, Any]]) -> None:
    """Refuses that one who leaves takes less than all own money that is there and not asked for already."""
    limit = own_fen(member.pk) - sum(int(one["amount_fen"]) for one in waiting if one["member"] == member.pk)
    if amount_fen == limit:
        return
    raise Refusal(
        "mutual_funds.refund",
        record=named(member),
        found=say("{amount} yuan", amount=format_fen(amount_fen)),
        expected=say("exactly {limit} yuan of own money", limit=format_fen(limit)),
        rule=say("who leaves takes all own money; what waits for approval is counted"),
        todo=say("see the member's contributions, and what waits"),
    )
