"""Schedules and the division of repayments reckoned in the simplest way, which tests hold the database to. No test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from karez.mutual_funds.rules import Split

_RATE_UNIT = 10_000 * 30  # hundredths of a percent for thirty days


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
