"""Schedules, allocation and measures: tables of cases, and properties over random loans."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karez.mutual_funds import rules
from karez.mutual_funds.tests import naive

DAY = date(2009, 3, 1)
loans = st.fixed_dictionaries(
    {
        "principal_fen": st.integers(100, 10_000_000),
        "fee_rate_bp": st.integers(0, 1000),
        "term_days": st.integers(60, 3660),
        "instalments": st.integers(1, 60),
    }
)
orders = st.sampled_from(["fee_first", "principal_first"])


def test_a_bullet_loan_of_three_thousand_yuan_at_0_8_percent_for_a_year() -> None:
    (only,) = naive.schedule(principal_fen=300_000, fee_rate_bp=80, lent_on=DAY, term_days=360, instalments=1)
    assert only == naive.Instalment(1, date(2010, 2, 24), 300_000, 28_800)


def test_equal_instalments_pay_the_fee_on_what_is_still_owed() -> None:
    made = naive.schedule(principal_fen=400_000, fee_rate_bp=100, lent_on=DAY, term_days=120, instalments=4)
    assert [i.principal_fen for i in made] == [100_000] * 4
    assert [i.fee_fen for i in made] == [4_000, 3_000, 2_000, 1_000]


@given(loans)
def test_a_schedule_adds_up_exactly(loan: dict) -> None:
    made = naive.schedule(lent_on=DAY, **loan)
    assert sum(i.principal_fen for i in made) == loan["principal_fen"]
    assert len(made) == loan["instalments"]
    assert all(i.fee_fen >= 0 and i.principal_fen > 0 for i in made)
    assert [i.due_on for i in made] == sorted({i.due_on for i in made})
    assert (made[-1].due_on - DAY).days == loan["term_days"]
    parts = loan["instalments"]
    ends = [loan["term_days"] * n // parts for n in range(parts + 1)]
    owed = [loan["principal_fen"] - loan["principal_fen"] * n // parts for n in range(parts)]
    exact = sum(Fraction(owed[n] * loan["fee_rate_bp"] * (ends[n + 1] - ends[n]), 300_000) for n in range(parts))
    assert abs(sum(i.fee_fen for i in made) - exact) <= Fraction(1, 2)


@given(loans, orders, st.lists(st.integers(1, 2_000_000), max_size=12))
def test_allocation_conserves_money_and_keeps_the_order(loan: dict, order: str, payments: list[int]) -> None:
    owed = naive.schedule(lent_on=DAY, **loan)
    already = rules.Split(0, 0)
    left = sum(i.total_fen for i in owed)
    # the by_slots replay: slots emptied one after the other, fen by fen in effect
    slots = []
    for i in owed:
        pair = [["fee", i.fee_fen], ["principal", i.principal_fen]]
        slots += pair if order == "fee_first" else pair[::-1]
    for payment in payments:
        amount = min(payment, left)
        if not amount:
            break
        part = naive.allocate(amount, already=already, owed=owed, order=order)
        by_slots = {"fee": 0, "principal": 0}
        rest = amount
        for slot in slots:
            take = min(rest, slot[1])
            slot[1] -= take
            by_slots[slot[0]] += take
            rest -= take
        assert (part.principal_fen, part.fee_fen) == (by_slots["principal"], by_slots["fee"])
        assert part.total_fen == amount and part.principal_fen >= 0 and part.fee_fen >= 0
        already = rules.Split(already.principal_fen + part.principal_fen, already.fee_fen + part.fee_fen)
        left -= amount
    if not left:
        assert already.principal_fen == loan["principal_fen"]


def test_more_than_is_owed_is_refused() -> None:
    owed = naive.schedule(principal_fen=1000, fee_rate_bp=0, lent_on=DAY, term_days=30, instalments=1)
    with pytest.raises(ValueError):
        naive.allocate(1001, already=rules.Split(0, 0), owed=owed, order="fee_first")


@pytest.mark.parametrize(
    ("own", "refunded", "limit"), [(50_000, 0, 50_000), (50_000, 20_000, 30_000), (50_000, 50_000, 0), (0, 0, 0)]
)
def test_refund_limit(own: int, refunded: int, limit: int) -> None:
    assert rules.refund_limit_fen(own, refunded) == limit


def test_measures() -> None:
    assert rules.annual_loan_loss_rate(Fraction("0.95"), Fraction("0.25")) == Fraction("0.40")
    assert rules.annual_loan_loss_rate(Fraction("1.02"), Fraction(1)) == 0
    assert rules.portfolio_at_risk(5, 100) == Fraction(1, 20)
    assert rules.portfolio_at_risk(0, 0) is None
    assert rules.on_time_collection_rate(3, 4) == Fraction(3, 4)
    assert rules.current_recovery_rate(21, 20) == Fraction(21, 20)
    assert round(float(rules.turnover(120_000_000, 154_460_000) or 0), 2) == 0.78
    assert round(100 * float(rules.member_share(48_520_000, 154_460_000) or 0), 1) == 31.4
