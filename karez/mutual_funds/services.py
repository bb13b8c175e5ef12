"""The only writers of members and money that comes in. What goes out is in `proposals`, founding and rules in
`resolutions`: two people each.

Every verb takes its society first, so two people at one society wait for each other. Amounts are whole fen.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Now

from karez.access.models import User
from karez.intake.numbers import key_of
from karez.intake.sameness import require_another
from karez.kernel.messages import say
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.ledger import services as ledger
from karez.ledger.models import Account
from karez.mutual_funds import rules
from karez.mutual_funds.models import (
    Contribution,
    Extension,
    Gift,
    Loan,
    Member,
    Repayment,
    RuleSet,
    Society,
    WriteOff,
)
from karez.mutual_funds.record_rules import REPAYMENTS
from karez.mutual_funds.refusals import database_refusals
from karez.mutual_funds.sameness import CONTRIBUTION, GIFT, REPAYMENT
from karez.periods.services import counts_on, ends_on
from karez.places.queries import require
from karez.records.rules import refuse_if_broken
from karez.register.models import Household

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
def join(actor: User, *, society: Society, household: Household, joined_on: date) -> Member:
    """Records a household's membership; refuses one that is a member already, or of another village."""
    require(actor, PREPARE, society.area_id)
    with database_refusals():
        return Member.objects.create(
            society=society,
            household=household,
            starts_on=joined_on,
            counts_from=counts_on(joined_on),
            recorded_by_id=actor.pk,
        )


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


@transaction.atomic
def contribute(
    actor: User,
    *,
    member: Member,
    amount_fen: int,
    paid_on: date,
    via: str = "cash",
    receipt_no: str = "",
    confirmed: bool = False,
) -> tuple[Contribution, ledger.Posted]:
    """Takes own money of a member in and gives a receipt; refuses what the society's rules do not allow.

    What is the same as one on record is refused unless `confirmed` to be another one; a receipt number that differs
    tells them apart.
    """
    require(actor, PREPARE, member.society.area_id)
    take(member.society_id)
    require_another(
        CONTRIBUTION,
        say("household {household_no} of {name}", household_no=member.household.household_no, name=member.society.name),
        confirmed=confirmed,
        who=member.pk,
        day=paid_on,
        kind="own",
        fen=amount_fen,
        receipt=receipt_no,
    )
    posted = _receive(
        actor,
        member.society,
        "contribution",
        say("Member's contribution"),
        paid_on,
        [(rules.CONTRIBUTIONS, amount_fen)],
        via,
    )
    with database_refusals():
        made = Contribution.objects.create(
            member=member,
            kind="own",
            amount_fen=amount_fen,
            receipt_no=receipt_no.strip(),
            transfer_id=posted.transfer_ids[0],
            happened_on=paid_on,
            counts_on=counts_on(paid_on),
            recorded_by_id=actor.pk,
        )
    return made, posted


@transaction.atomic
def give_base_share(
    actor: User, *, member: Member, amount_fen: int, given_on: date, confirmed: bool = False
) -> Contribution:
    """Records a base share counted from the grant: full rights, no money moved, never refunded."""
    require(actor, PREPARE, member.society.area_id)
    take(member.society_id)
    require_another(
        CONTRIBUTION,
        say("household {household_no} of {name}", household_no=member.household.household_no, name=member.society.name),
        confirmed=confirmed,
        who=member.pk,
        day=given_on,
        kind="granted_base",
        fen=amount_fen,
    )
    with database_refusals():
        return Contribution.objects.create(
            member=member,
            kind="granted_base",
            amount_fen=amount_fen,
            happened_on=given_on,
            counts_on=counts_on(given_on),
            recorded_by_id=actor.pk,
        )


@transaction.atomic
def accept_gift(
    actor: User,
    *,
    society: Society,
    giver: str,
    amount_fen: int,
    given_on: date,
    via: str = "bank",
    confirmed: bool = False,
) -> tuple[Gift, ledger.Posted]:
    """Takes an unconditional gift in and gives a receipt."""
    require(actor, PREPARE, society.area_id)
    take(society.pk)
    require_there(society, given_on)
    require_another(
        GIFT, society.name, confirmed=confirmed, who=society.pk, day=given_on, kind=key_of(giver), fen=amount_fen
    )
    posted = _receive(
        actor, society, "gift", say("Gift of {giver}", giver=giver), given_on, [(rules.GIFTS, amount_fen)], via
    )
    with database_refusals():
        made = Gift.objects.create(
            society=society,
            giver=giver,
            amount_fen=amount_fen,
            transfer_id=posted.transfer_ids[0],
            happened_on=given_on,
            counts_on=counts_on(given_on),
            recorded_by_id=actor.pk,
        )
    return made, posted


@transaction.atomic
def record_repayment(
    actor: User,
    *,
    loan: Loan,
    amount_fen: int,
    paid_on: date,
    via: str = "cash",
    receipt_no: str = "",
    confirmed: bool = False,
) -> tuple[Repayment, ledger.Posted]:
    """Takes a repayment in, divides it by the society's order, gives a receipt; refuses more than the loan still owes.

    What is the same as one on record is refused unless `confirmed` to be another one; a receipt number that differs
    tells them apart.
    """
    require(actor, PREPARE, loan.society.area_id)
    take(loan.society_id)
    require_another(
        REPAYMENT,
        say("loan {loan_no}", loan_no=loan.loan_no),
        confirmed=confirmed,
        who=loan.pk,
        day=paid_on,
        kind="",
        fen=amount_fen,
        receipt=receipt_no,
    )
    already, owed = repaid(loan), schedule_of(loan)
    within = max(0, min(amount_fen, sum(i.total_fen for i in owed) - already.total_fen))
    part = rules.allocate(within, already=already, owed=owed, order=loan.rule_set.allocation_order)
    part = rules.Split(part.principal_fen + amount_fen - within, part.fee_fen)  # what is too much the rules refuse
    refuse_if_broken(
        REPAYMENTS,
        {"loan_id": loan.pk, "principal_fen": part.principal_fen, "fee_fen": part.fee_fen, "happened_on": paid_on},
        record=say("loan {loan_no} of {society}", loan_no=loan.loan_no, society=loan.society.name),
    )
    lines = [(rules.LOANS, part.principal_fen), (rules.SURPLUS, part.fee_fen)]
    posted = _receive(
        actor, loan.society, "repayment", say("Repayment of loan {loan_no}", loan_no=loan.loan_no), paid_on, lines, via
    )
    transfers = iter(posted.transfer_ids)
    with database_refusals():
        made = Repayment.objects.create(
            loan=loan,
            principal_fen=part.principal_fen,
            fee_fen=part.fee_fen,
            receipt_no=receipt_no.strip(),
            principal_transfer_id=next(transfers) if part.principal_fen else None,
            fee_transfer_id=next(transfers) if part.fee_fen else None,
            happened_on=paid_on,
            counts_on=counts_on(paid_on),
            recorded_by_id=actor.pk,
        )
    return made, posted


@transaction.atomic
def extend_loan(actor: User, *, loan: Loan, due_on: date, decided_on: date, reason: str) -> Extension:
    """Puts off a loan's last day within the rules; what was late by the first schedule stays late in the on-time rate."""
    require(actor, PREPARE, loan.society.area_id)
    take(loan.society_id)
    with database_refusals():
        return Extension.objects.create(
            loan=loan,
            due_on=due_on,
            reason=reason,
            happened_on=decided_on,
            counts_on=counts_on(decided_on),
            recorded_by_id=actor.pk,
        )


def require_there(society: Society, day: date) -> None:
    """Refuses a day before the society was founded, after its end, or in the future."""
    if society.starts_on <= day <= date.today() and (society.ends_before is None or day < society.ends_before):
        return
    raise Refusal(
        "mutual_funds.not_there",
        record=society.name,
        found=str(day),
        expected=say("a day from {starts_on} on, until today", starts_on=society.starts_on),
        rule=say("nothing is given to a society that is not there"),
        todo=say("correct the day"),
    )


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


def schedule_of(loan: Loan) -> tuple[rules.Instalment, ...]:
    """The loan's first schedule."""
    rows = loan.schedule.order_by("number").values_list("number", "due_on", "principal_fen", "fee_fen")
    return tuple(rules.Instalment(*row) for row in rows)


def repaid(loan: Loan) -> rules.Split:
    """What was paid back so far."""
    sums = Repayment.objects.filter(loan=loan, voided_at=None).aggregate(p=Sum("principal_fen"), f=Sum("fee_fen"))
    return rules.Split(int(sums["p"] or 0), int(sums["f"] or 0))


def outstanding_fen(loan: Loan) -> int:
    """Principal still owed and not written off."""
    if WriteOff.objects.filter(loan=loan, voided_at=None).exists():
        return 0
    return int(loan.principal_fen) - repaid(loan).principal_fen


def _receive(
    actor: User, society: Society, kind: str, narration: str, day: date, lines: list[tuple[str, int]], via: str
) -> ledger.Posted:
    if sum(fen for _code, fen in lines) <= 0:
        raise Refusal(
            "mutual_funds.nothing",
            record=society.name,
            found=say("{sum} yuan", sum=format_fen(sum((fen for _code, fen in lines)))),
            expected=say("an amount above zero"),
            rule=say("money is taken in, or there is nothing to record"),
            todo=say("write the amount"),
        )
    accounts = accounts_of(society)
    debit = accounts[rules.MONEY_ACCOUNTS[via]]
    draft = ledger.Draft(
        book_id=society.book_id,
        booking_date=counts_on(day),
        happened_on=day,
        kind=kind,
        narration=narration,
        lines=tuple(ledger.Line(debit, accounts[code], fen) for code, fen in lines if fen),
    )
    return ledger.receive(actor, [draft], permission=PREPARE)[0]
