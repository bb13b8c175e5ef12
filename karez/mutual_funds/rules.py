"""Accounts, who approves what, and the measures of a portfolio as pure functions.

Holds no rows, no clock and no settings. Money is whole fen. The schedule of a loan stands in `sql/rules.sql`, the order of
repayments in `record_rules`; tests hold them to a naive reckoning.
"""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Split:
    """An amount paid, divided between principal and fee."""

    principal_fen: int
    fee_fen: int

    @property
    def total_fen(self) -> int:
        """Both parts."""
        return self.principal_fen + self.fee_fen


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
