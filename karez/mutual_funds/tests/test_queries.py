"""Pages' numbers, live: permission in fetching, measures that agree with what is frozen."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from karez.kernel.refusal import Refusal
from karez.mutual_funds import proposals, queries, services
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund
from karez.mutual_funds.tests.test_figures import history

END = date(2009, 12, 31)


def test_a_society_shows_its_pots_and_how_loans_come_back(fund: Fund) -> None:
    history(fund)
    page = queries.society_page(fund.world.clerk, fund.society.pk, day=END)
    assert page.pots == {"grant": 200_000 * YUAN, "contributions": 5_500 * YUAN, "gifts": 0, "surplus": 4_800}
    assert sum(page.pots.values()) == page.money_fen
    loans = page.portfolio
    assert (loans.loans_open, loans.outstanding_fen, loans.at_risk_fen, loans.rescheduled_fen) == (2, 150_000, 50_000, 100_000)
    assert loans.par30 == Fraction(1, 3)
    assert loans.on_time_rate == Fraction(1, 3)
    assert loans.recovery_rate == Fraction(1, 2)
    assert loans.term_years == Fraction(90, 365)
    assert loans.annual_loss_rate == Fraction(1, 2) / Fraction(90, 365) * 2
    assert page.members == 3 and page.rules is not None and len(page.grants) == 1
    nothing = queries.portfolio(fund.world.clerk, fund.society.pk, day=date(2009, 1, 2))
    assert nothing.par30 is nothing.on_time_rate is nothing.annual_loss_rate is None


def test_lists_of_societies_members_and_loans(fund: Fund) -> None:
    history(fund)
    first = queries.societies(fund.world.regional, limit=1)
    rest = queries.societies(fund.world.regional, after=first[0].society_id)
    assert [s.society_id for s in first + rest] == [fund.society.pk, fund.other.pk]
    assert first[0].capital_fen == 205_548 * YUAN and first[0].outstanding_fen == 150_000 and first[0].members == 3
    rows = queries.members(fund.world.clerk, fund.society.pk)
    assert [(m.household_no, m.own_fen, m.owed_fen) for m in rows] == [("H1", 150_000, 0), ("H2", 200_000, 50_000), ("H3", 200_000, 100_000)]
    assert [x.loan_no for x in queries.loans(fund.world.clerk, fund.society.pk, open_only=True)] == ["1", "2"]


def test_a_loan_shows_its_schedule_and_vouchers(fund: Fund) -> None:
    history(fund)
    loan = fund.society.loans.get(loan_no="1")
    page = queries.loan_page(fund.world.clerk, loan.pk, day=END)
    assert [i.principal_fen for i in page.schedule] == [100_000]
    assert (page.outstanding_fen, page.fee_owed_fen, page.days_late) == (50_000, 0, (END - loan.due_on).days)
    assert page.household_no == "H2" and len(page.vouchers) == 3
    assert page.loan.transfer_id in page.vouchers


def test_what_waits_is_listed_until_it_is_decided(fund: Fund) -> None:
    fund.pay_in(fund.members[0], 2000)
    proposal = proposals.prepare_loan(
        fund.treasurer, member=fund.members[0], loan_no="1", principal_fen=1000, lent_on=DAY, term_days=30, purpose="trade"
    )
    assert queries.waiting(fund.world.approver) == [proposal]
    assert queries.proposal(fund.world.approver, proposal.pk) == proposal
    proposals.approve(fund.approver, proposal)
    assert queries.waiting(fund.world.approver) == []


def test_another_county_sees_nothing(fund: Fund) -> None:
    history(fund)
    loan = fund.society.loans.get(loan_no="1")
    other = fund.world.other_clerk
    for ask in (
        lambda: queries.society_page(other, fund.society.pk),
        lambda: queries.society_page(other, 10**9),
        lambda: queries.members(other, fund.society.pk),
        lambda: queries.member(other, fund.members[0].pk),
        lambda: queries.contributions(other, fund.members[0].pk),
        lambda: queries.loans(other, fund.society.pk),
        lambda: queries.loan_page(other, loan.pk),
        lambda: queries.society_of_village(other, fund.society.area_id),
    ):
        with pytest.raises(Refusal) as no:
            ask()
        assert no.value.code == "access.not_granted"
    assert [s.society_id for s in queries.societies(other)] == [fund.other.pk]
    assert queries.waiting(other) == []


def test_own_money_in_full_after_everything_is_reversed(fund: Fund) -> None:
    made, posted = services.contribute(fund.treasurer, member=fund.members[0], amount_fen=50_000, paid_on=DAY)
    proposal = proposals.prepare_reversal(fund.treasurer, society=fund.society, voucher_id=posted.voucher_id, reason="counted twice")
    proposals.approve(fund.approver, proposal)
    assert queries.members(fund.world.clerk, fund.society.pk)[0].own_fen == 0
    assert [c.voided_at is not None for c in queries.contributions(fund.world.clerk, fund.members[0].pk)] == [True]
    assert fund.pay_in(fund.members[0], 500, DAY + timedelta(1)).pk != made.pk
