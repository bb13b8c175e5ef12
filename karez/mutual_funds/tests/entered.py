"""What the office enters at a society, through the forms of its kinds of file; a fault is told as a refusal. No test."""

from datetime import date
from typing import Any

from django.urls import resolve

from karez.access.models import User
from karez.intake import entering, one_row, registry, services
from karez.intake.models import Fault
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.ledger.models import Voucher
from karez.ledger.services import Posted
from karez.mutual_funds.models import Contribution, Extension, Gift, Loan, Member, Repayment, Society
from karez.mutual_funds.tests.naive import Instalment
from karez.places.models import Tree
from karez.register.models import Household


def row(actor: User, sheet: str, society: Society, *, confirmed: bool = False, **values: Any) -> int:
    """Records one row; the number of the page it leads to."""
    given = {name: _written(value) for name, value in values.items()}
    given["village"] = Tree.objects.values_list("code", flat=True).get(pk=society.area_id)
    try:
        address = one_row.record(actor, registry.sheet_named(sheet), given, confirmed=confirmed)
    except one_row.Faulty as wrong:
        raise refused(wrong.faults) from wrong
    return int(next(iter(resolve(address).kwargs.values())))


def refused(faults: list[Fault]) -> Refusal:
    """The first fault as a refusal."""
    first = faults[0]
    code = first.rule.replace("mutual_funds_", "mutual_funds.", 1)
    return Refusal(
        code, record="", found=first.found, expected=first.expected, todo=first.todo, more={"column": first.column}
    )


def _written(value: Any) -> str:
    return format_fen(value) if isinstance(value, int) else str(value)


def _posted(voucher_id: int) -> Posted:
    voucher = Voucher.objects.get(pk=voucher_id)
    transfers = list(voucher.transfers.order_by("line_no").values_list("pk", flat=True))
    return Posted(voucher.pk, voucher.number or 0, tuple(transfers), voucher.receipt_number)


def join(actor: User, *, society: Society, household: Household, joined_on: date) -> Member:
    """A household becomes a member."""
    row(actor, "fund_members", society, household_no=household.household_no, joined_on=joined_on, kind="registered")
    return Member.objects.latest("pk")


def contribute(
    actor: User, *, member: Member, amount_fen: int, paid_on: date, via: str = "cash", receipt_no: str = "", confirmed: bool = False,
) -> tuple[Contribution, Posted]:  # fmt: skip
    """Own money of a member."""
    made = row(
        actor, "contributions", member.society, household_no=member.household.household_no, paid_on=paid_on,
        amount=amount_fen, kind="own", account=via, receipt_no=receipt_no, confirmed=confirmed,
    )  # fmt: skip
    return Contribution.objects.latest("pk"), _posted(made)


def give_base_share(actor: User, approver: User, *, member: Member, amount_fen: int, given_on: date) -> Contribution:
    """A base share counted from the grant, decided by another person."""
    given = {
        "village": Tree.objects.values_list("code", flat=True).get(pk=member.society.area_id),
        "household_no": member.household.household_no,
        "paid_on": str(given_on),
        "amount": format_fen(amount_fen),
        "kind": "granted_base",
    }
    try:
        batch = entering.prepare(
            actor, registry.sheet_named("contributions"), given, token=str(Contribution.objects.count())
        )
    except one_row.Faulty as wrong:
        raise refused(wrong.faults) from wrong
    services.apply(approver, batch_id=batch.pk)
    return Contribution.objects.latest("pk")


def accept_gift(
    actor: User,
    *,
    society: Society,
    giver: str,
    amount_fen: int,
    given_on: date,
    via: str = "bank",
    confirmed: bool = False,
) -> tuple[Gift, Posted]:
    """An unconditional gift."""
    made = row(
        actor, "gifts", society, giver=giver, given_on=given_on, amount=amount_fen, account=via, confirmed=confirmed
    )
    return Gift.objects.latest("pk"), _posted(made)


def record_repayment(
    actor: User, *, loan: Loan, amount_fen: int, paid_on: date, via: str = "cash", receipt_no: str = "", confirmed: bool = False,
) -> tuple[Repayment, Posted]:  # fmt: skip
    """An amount paid back, divided by the society's order."""
    made = row(
        actor, "repayments", loan.society, loan_no=loan.loan_no, paid_on=paid_on, amount=amount_fen, account=via,
        receipt_no=receipt_no, confirmed=confirmed,
    )  # fmt: skip
    return Repayment.objects.latest("pk"), _posted(made)


def extend_loan(actor: User, *, loan: Loan, due_on: date, decided_on: date, reason: str) -> Extension:
    """A loan's last day put off."""
    row(
        actor,
        "loan_extensions",
        loan.society,
        loan_no=loan.loan_no,
        decided_on=decided_on,
        due_on=due_on,
        reason=reason,
    )
    return Extension.objects.latest("pk")


def schedule_of(loan: Loan) -> tuple[Instalment, ...]:
    """The loan's first schedule."""
    rows = loan.schedule.order_by("number").values_list("number", "due_on", "principal_fen", "fee_fen")
    return tuple(Instalment(*one) for one in rows)
