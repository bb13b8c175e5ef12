"""What is judged twice, when an act is prepared and again when it is approved: a loan and a refund by the rules of
their day.

Whatever waits for a second person counts when the next is prepared. The database judges what is recorded once more;
here it is told in words. Writes nothing; the society is locked by the caller. Amounts are whole fen.
"""

from datetime import date, timedelta
from typing import Any

from django.db.models import Q, Sum

from karez.intake.numbers import key_of, keys_of, number_key
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.ledger.models import VoucherSet
from karez.mutual_funds.models import Loan, Member, Proposal, RuleSet
from karez.mutual_funds.rules import least_from
from karez.mutual_funds.services import own_fen, own_moves, require_household, rules_in_force


def yuan(fen: int) -> str:
    """An amount as refusals say it: 1,200.50 yuan."""
    return f"{format_fen(fen)} yuan"


def named(member: Member) -> str:
    """A member as people know it: the household's number and the society."""
    return f"household {member.household.household_no} of {member.society.name}"


def waiting_terms(society_id: int, kind: str) -> list[dict[str, Any]]:
    """The terms of what was prepared at a society and waits for a second person."""
    open_sets = VoucherSet.objects.filter(approved_at=None, refused_at=None).values("pk")
    found = Proposal.objects.filter(society_id=society_id, kind=kind, set_id__in=open_sets)
    return list(found.order_by("pk").values_list("terms", flat=True))


def judge_loan(
    member: Member, *, loan_no: str, principal_fen: int, lent_on: date, term_days: int, waiting: list[dict[str, Any]]
) -> RuleSet:
    """The rules a loan is lent by; refuses one they do not allow, with the loans that stand and those given as waiting."""
    in_force = rules_in_force(member.society_id, lent_on)
    require_household(member, lent_on)
    require_member(member, lent_on)
    least = in_force.instalments
    if (
        not 0 < principal_fen <= in_force.loan_cap_fen
        or term_days > in_force.term_cap_days
        or least > min(term_days, principal_fen)
    ):
        raise Refusal(
            "mutual_funds.loan",
            record=f"loan {loan_no}",
            found=f"{yuan(principal_fen)} for {term_days} days",
            expected=(
                f"above 0, at most {yuan(in_force.loan_cap_fen)} for at most {in_force.term_cap_days} days, in "
                f"{least} instalments"
            ),
            rule="the society's rules of that day",
            todo="lend less, or let the members' meeting change the rules",
        )
    _number_is_free(member, loan_no, waiting)
    _not_too_many(member, loan_no, lent_on, in_force, waiting)
    return in_force


def require_member(member: Member, day: date, *, may_have_left: bool = False) -> None:
    """Refuses one who is no member on a day, or has left."""
    if member.voided_at is None and member.starts_on <= day and (may_have_left or member.ends_before is None):
        return
    left = f"left on {member.ends_before}" if member.ends_before and day >= member.starts_on else f"no member on {day}"
    raise Refusal(
        "mutual_funds.member",
        record=named(member),
        found=left,
        expected=f"a member household, from {member.starts_on} on",
        rule="the society's money is its members'",
        todo="correct the day, or choose a member",
    )


def judge_refund(
    member: Member, *, amount_fen: int, refunded_on: date, leaving: bool, waiting: list[dict[str, Any]]
) -> None:
    """Refuses more than the own money that is there, on that day and on every later one, what waits to be returned left
    out.

    Who leaves takes all of it.
    """
    require_member(member, refunded_on, may_have_left=True)
    asked = [(date.fromisoformat(one["day"]), -int(one["amount_fen"])) for one in waiting if one["member"] == member.pk]
    limit = own_fen(member.pk) + sum(fen for _day, fen in asked)
    least = least_from([*own_moves(member.pk), *asked], refunded_on)
    if not 0 < amount_fen <= limit or (leaving and amount_fen != limit):
        raise Refusal(
            "mutual_funds.refund",
            record=named(member),
            found=yuan(amount_fen),
            expected=f"exactly {yuan(limit)} of own money" if leaving else f"at most {yuan(limit)} of own money",
            rule="a refund is of own money; what waits for approval is counted",
            todo="see the member's contributions, and what waits",
        )
    if amount_fen > least:
        raise Refusal(
            "mutual_funds.refund_day",
            record=named(member),
            found=f"{yuan(amount_fen)}, returned on {refunded_on}",
            expected=f"at most {yuan(max(0, least))} of own money, paid in by {refunded_on} and not returned later",
            rule="own money is returned after it was paid in, never before",
            todo="correct the day of the refund, or return less",
        )


def _number_is_free(member: Member, loan_no: str, waiting: list[dict[str, Any]]) -> None:
    key = key_of(loan_no)
    waits = key in keys_of(one["loan_no"] for one in waiting)
    given = (
        Loan.objects.alias(key=number_key("loan_no"))
        .filter(society_id=member.society_id, key=key, voided_at=None)
        .first()
    )
    if not waits and given is None:
        return
    written = f" as {given.loan_no}" if given is not None and given.loan_no != loan_no else ""
    raise Refusal(
        "mutual_funds.loan_number_taken",
        record=f"loan {loan_no}",
        found=f"loan number {loan_no} waits for approval in {member.society.name}"
        if waits
        else f"loan number {loan_no} is already given in {member.society.name}{written}",
        expected="a number not yet given in the society",
        rule="a loan's number is given once in a society",
        todo="give it another number",
    )


def _not_too_many(
    member: Member, loan_no: str, lent_on: date, in_force: RuleSet, waiting: list[dict[str, Any]]
) -> None:
    """On the day of the loan, and of each later one of the household, it has no more open than the rules of that loan
    allow.
    """
    most_on = {lent_on: in_force.open_loans_max}
    asked = [one for one in waiting if one["member"] == member.pk]
    asked_days = [date.fromisoformat(one["day"]) for one in asked]
    later = Loan.objects.filter(member=member, voided_at=None, happened_on__gt=lent_on).values_list(
        "happened_on", "rule_set__open_loans_max"
    )
    for day, most in later:
        most_on[day] = min(most, most_on.get(day, most))
    for day in asked_days:
        if day > lent_on:
            most_on.setdefault(day, rules_in_force(member.society_id, day).open_loans_max)
    for day, most in sorted(most_on.items()):
        if (open_then := open_loans(member, day)) + sum(d <= day for d in asked_days) < most:
            continue
        raise Refusal(
            "mutual_funds.loan",
            record=f"loan {loan_no}, {named(member)}",
            found=f"on {day} open already: {open_then}, waiting for approval: {sum(d <= day for d in asked_days)}",
            expected=f"with this one at most {most} at once",
            rule="a household has at most as many open loans as the society's rules allow",
            todo="record the repayment of the earlier loan first, or decide about what waits",
        )


def open_loans(member: Member, day: date) -> int:
    """How many loans of a member were still owed at the end of a day."""
    until = day + timedelta(days=1)
    repaid = Sum("repayments__principal_fen", filter=Q(repayments__voided_at=None, repayments__happened_on__lt=until))
    standing = Loan.objects.filter(member=member, voided_at=None, happened_on__lt=until)
    standing = standing.exclude(
        pk__in=Loan.objects.filter(write_offs__voided_at=None, write_offs__happened_on__lt=until).values("pk")
    )
    return sum(
        principal > (paid or 0)
        for principal, paid in standing.annotate(paid=repaid).values_list("principal_fen", "paid")
    )
