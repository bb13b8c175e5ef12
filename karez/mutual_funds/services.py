"""What the other writers of this room share: the terms of rules, locks, accounts, and the end of a membership.

What comes in is entered by form or file (`sheets`, `loading`); what goes out is in `proposals`, founding and rules in
`resolutions`: two people each.

Every verb takes its society first, so two people at one society wait for each other. Amounts are whole fen.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Now

from karez.access.models import User
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.ledger.models import Account
from karez.mutual_funds import rules
from karez.mutual_funds.models import (
    Contribution,
    Loan,
    Member,
    Repayment,
    RuleSet,
    Society,
    WriteOff,
)
from karez.mutual_funds.refusals import database_refusals
from karez.periods.services import ends_on
from karez.places.queries import require

PREPARE, APPROVE, VIEW = "mutual_funds.prepare", rules.APPROVE, "mutual_funds.view"


@dataclass(frozen=True)
class Terms:
    """What a members' meeting resolves; the fields of a rule set."""

    loan_cap_fen: int
    term_cap_days: int
    fee_rate_bp: int
    contribution_min_fen: int
    contribution_max_fen: int
    allocation_order: str = "fee_first"
    write_off_pot: str = "surplus"
    open_loans_max: int = 1
    instalments: int = 1
    min_members: int = 0
    min_poor_share: int = 0
    extension_days_max: int = 0


@transaction.atomic
def leave(actor: User, *, member: Member, left_on: date, reason: str) -> Member:
    """Ends a membership without money in the society; own money is returned by
    `proposals.prepare_refund(leaving=True)`.
    """
    require(actor, PREPARE, member.society.area_id)
    take(member.society_id)
    end_membership(actor, member, left_on, reason)
    return member


def end_membership(actor: User, member: Member, left_on: date, reason: str) -> None:
    """Sets the end of a membership; the database refuses it while money or loans stand."""
    with database_refusals():
        Member.objects.filter(pk=member.pk).update(
            ends_before=left_on, counts_before=ends_on(left_on), ended_at=Now(), ended_by_id=actor.pk, end_reason=reason
        )
    member.refresh_from_db()


def take(society_id: int) -> None:
    """Locks a society for the rest of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mutual_funds_take(ARRAY[%s]::bigint[])", [society_id])


def accounts_of(society: Society) -> dict[str, int]:
    """Code -> id of the accounts in the society's book."""
    return dict(Account.objects.filter(book_id=society.book_id).values_list("code", "pk"))


def rules_in_force(society_id: int, day: date) -> RuleSet:
    """The society's rules of a day; refuses a day without."""
    found = (
        RuleSet.objects.filter(society_id=society_id, voided_at=None, starts_on__lte=day)
        .exclude(ends_before__lte=day)
        .first()
    )
    if found is None:
        raise Refusal(
            "mutual_funds.no_rules",
            record=Society.objects.get(pk=society_id).name,
            found=say("no rules on {day}", day=day),
            expected=say("rules in force"),
            rule=say("a society works by the rules its members resolved"),
            todo=say("record the rules first"),
        )
    return found


def own_fen(member_id: int) -> int:
    """A member's own money that is still in the society."""
    sums = dict(
        Contribution.objects.filter(member_id=member_id, voided_at=None)
        .values_list("kind")
        .annotate(total=Sum("amount_fen"))
    )
    return rules.refund_limit_fen(int(sums.get("own", 0)) + int(sums.get("opening", 0)), int(sums.get("refund", 0)))


def outstanding_fen(loan: Loan) -> int:
    """Principal still owed and not written off."""
    if WriteOff.objects.filter(loan=loan, voided_at=None).exists():
        return 0
    repaid = Repayment.objects.filter(loan=loan, voided_at=None).aggregate(fen=Sum("principal_fen"))["fen"]
    return int(loan.principal_fen) - int(repaid or 0)
