"""The rules of village mutual funds as pure functions: schedules, allocation, refunds, portfolio measures.

Holds no rows, no clock and no settings. Money is whole fen. The database computes schedules and allocation by the same
rules (`sql/rules.sql`); tests hold the two against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from karez.kernel.messages import say

CASH, BANK, LOANS, CONTRIBUTIONS, GRANT, GIFTS, SURPLUS = "1001", "1002", "1301", "2001", "4001", "4002", "4003"
CLEARING = "3000"  # between the two sides of the opening voucher; nothing ever stays on it
# code -> (name, normal side, holds money)
ACCOUNTS: dict[str, tuple[str, str, bool]] = {
    CASH: (say("Cash in hand"), "debit", True),
    BANK: (say("Bank"), "debit", True),
    LOANS: (say("Loans outstanding"), "debit", False),
    CONTRIBUTIONS: (say("Members' contributions"), "credit", False),
    CLEARING: (say("Opening balances"), "credit", False),
    GRANT: (say("Grant"), "credit", False),
    GIFTS: (say("Gifts"), "credit", False),
    SURPLUS: (say("Surplus of fees"), "credit", False),
}
POT_ACCOUNTS = {"grant": GRANT, "contributions": CONTRIBUTIONS, "gifts": GIFTS, "surplus": SURPLUS}
# Who may decide is by kind of act: a permission of its own where it is named here. Which roles have it: `access.rules`.
APPROVE = "mutual_funds.approve"
APPROVES = {"loan": "mutual_funds.approve_loan"}
MONEY_ACCOUNTS = {"cash": CASH, "bank": BANK}
FEE_MONTH_DAYS = 30
_RATE_UNIT = 10_000 * FEE_MONTH_DAYS


@dataclass(frozen=True, slots=True)
class Instalment:
    """What a loan owes on one day."""

    number: int
    due_on: date
    principal_fen: int
    fee_fen: int

    @property
    def total_fen(self) -> int:
        """Principal and fee."""
        return self.principal_fen + self.fee_fen


@dataclass(frozen=True, slots=True)
class Split:
    """An amount paid, divided between principal and fee."""

    principal_fen: int
    fee_fen: int

    @property
    def total_fen(self) -> int:
        """Both parts."""
        return self.principal_fen + self.fee_fen


def schedule(
    *, principal_fen: int, fee_rate_bp: int, lent_on: date, term_days: int, instalments: int
) -> tuple[Instalment, ...]:
    """The instalments of a loan: equal parts of principal, and the fee on what is still owed, for each day of the term.

    Parts end on whole fen because running sums are rounded, not the parts: principal down, the fee to the nearest (half
    up). So they add up to the principal and to the rounded fee exactly.
    """
    if not 1 <= instalments <= min(term_days, principal_fen):
        raise ValueError("a loan has at least one day and one fen for each instalment")
    made: list[Instalment] = []
    repaid = fee = exact = days = 0
    for number in range(1, instalments + 1):
        day, paid = term_days * number // instalments, principal_fen * number // instalments
        exact += (principal_fen - repaid) * fee_rate_bp * (day - days)
        charged = (2 * exact + _RATE_UNIT) // (2 * _RATE_UNIT)
        made.append(Instalment(number, lent_on + timedelta(days=day), paid - repaid, charged - fee))
        repaid, fee, days = paid, charged, day
    return tuple(made)


def paid_split(paid_fen: int, owed: Sequence[Instalment], order: str) -> Split:
    """How everything paid on a loan so far divides: the oldest instalment first, in it the fee or the principal first.

    It depends on the total alone, not on how it was divided over days. Refuses (ValueError) more than is owed.
    """
    if not 0 <= paid_fen <= sum(i.total_fen for i in owed):
        raise ValueError("more was paid than is owed")
    principal = fee = 0
    left = paid_fen
    for instalment in owed:
        first_is_fee = order == "fee_first"
        first = min(left, instalment.fee_fen if first_is_fee else instalment.principal_fen)
        second = min(left - first, instalment.principal_fen if first_is_fee else instalment.fee_fen)
        fee += first if first_is_fee else second
        principal += second if first_is_fee else first
        left -= first + second
    return Split(principal, fee)


def allocate(amount_fen: int, *, already: Split, owed: Sequence[Instalment], order: str) -> Split:
    """The parts of one repayment, after what was paid before."""
    after = paid_split(already.total_fen + amount_fen, owed, order)
    return Split(after.principal_fen - already.principal_fen, after.fee_fen - already.fee_fen)


def refund_limit_fen(own_fen: int, refunded_fen: int) -> int:
    """What a member may still get back: own money paid in, less refunds. Base shares and surplus are never refunded."""
    return max(0, own_fen - refunded_fen)


def portfolio_at_risk(at_risk_fen: int, outstanding_fen: int) -> Fraction | None:
    """Principal of loans with an instalment late beyond the limit, in full, over all principal outstanding; None
    without loans.
    """
    return Fraction(at_risk_fen, outstanding_fen) if outstanding_fen else None


def on_time_collection_rate(collected_fen: int, fell_due_fen: int) -> Fraction | None:
    """Collected by the day it first fell due over what first fell due in the period; None where nothing did."""
    return Fraction(collected_fen, fell_due_fen) if fell_due_fen else None


def current_recovery_rate(principal_collected_fen: int, principal_fell_due_fen: int) -> Fraction | None:
    """Principal collected in the period, prepayments apart, over principal first due in it; may pass 1."""
    return Fraction(principal_collected_fen, principal_fell_due_fen) if principal_fell_due_fen else None


def annual_loan_loss_rate(recovery: Fraction, term_years: Fraction) -> Fraction:
    """(1 - CRR) / T * 2 for loans repaid in instalments, T their average term in years; below zero counts as none lost."""
    return max(Fraction(0), (1 - recovery) / term_years * 2)


def turnover(lent_fen: int, average_fund_fen: int) -> Fraction | None:
    """Lent in the period over the average fund; None without a fund."""
    return Fraction(lent_fen, average_fund_fen) if average_fund_fen else None


def member_share(contributions_fen: int, capital_fen: int) -> Fraction | None:
    """Members' part of the capital; None without capital."""
    return Fraction(contributions_fen, capital_fen) if capital_fen else None
