"""Pages' numbers, live: permission in fetching, measures that agree with what is frozen."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from karez.kernel.refusal import Refusal
from karez.mutual_funds import proposals, queries
from karez.mutual_funds.lists import GRANTS, LOANS, MEMBERS, REPAYMENTS, SOCIETIES
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund, rows
from karez.mutual_funds.tests.test_figures import history

END = date(2009, 12, 31)


def test_a_society_shows_its_pots_and_how_loans_come_back(fund: Fund) -> None:
    history(fund)
    report = queries.report(fund.world.clerk, fund.society.pk, END)
    pots = (report.grant_fen, report.contributions_fen, report.gifts_fen, report.surplus_fen)
    assert pots == (200_000 * YUAN, 5_500 * YUAN, 0, 4_800)
    assert sum(pots) == report.cash_fen + report.bank_fen + report.loans_fen
    assert (report.members, report.open_loans, report.loans_fen) == (3, 2, 150_000)
    assert (report.at_risk_fen, report.rescheduled_fen) == (50_000, 100_000)
    assert report.portfolio_at_risk == report.on_time_rate == Fraction(1, 3)
    assert report.recovery_rate == Fraction(1, 2)
    assert report.term_years == Fraction(90, 365)
    assert report.loss_rate == Fraction(1, 2) / Fraction(90, 365) * 2
    early = queries.report(fund.world.regional, fund.other.pk, date(2009, 2, 2))
    assert early.portfolio_at_risk is early.on_time_rate is early.loss_rate is None


def test_lists_of_societies_members_and_loans(fund: Fund) -> None:
    history(fund)
    both = rows(fund.world.regional, SOCIETIES)
    assert [one["id"] for one in both] == [fund.society.pk, fund.other.pk]
    assert (both[0]["money"], both[0]["members"]) == (205_548 * YUAN, 3)
    assert rows(fund.world.regional, SOCIETIES, q="nothing like it") == []
    assert [one["id"] for one in rows(fund.world.regional, SOCIETIES, q=fund.other.name[-8:])] == [fund.other.pk]
    asked = (fund.world.clerk, fund.society.pk)
    assert [(m["household_no"], m["own"]) for m in rows(fund.world.clerk, MEMBERS, fund.society.pk)] == [
        ("H1", 150_000),
        ("H2", 200_000),
        ("H3", 200_000),
    ]
    assert [label for _, label in queries.member_choices(*asked)] == ["H1", "H2", "H3"]
    loans = rows(fund.world.clerk, LOANS, fund.society.pk, sort="loan_no")
    assert [(x["loan_no"], x["owed"]) for x in loans] == [("0", 0), ("1", 50_000), ("2", 100_000)]
    assert len(rows(fund.world.clerk, GRANTS, fund.society.pk)) == 1
    assert queries.memberships_of_household(fund.world.clerk, fund.members[0].household_id) == [fund.members[0]]


def test_a_loan_shows_its_schedule_and_vouchers(fund: Fund) -> None:
    history(fund)
    loan = fund.society.loans.get(loan_no="1")
    page = queries.loan(fund.world.clerk, loan.pk)
    assert [(i.principal_fen, paid) for i, paid in page.schedule] == [(100_000, 52_400)]
    assert page.outstanding_fen == 50_000 and page.repaid.fee_fen == 2_400
    assert page.voucher_id is not None
    assert all(one["voucher"] for one in rows(fund.world.clerk, REPAYMENTS, fund.society.pk))
    assert queries.facts_of_transfers(fund.world.clerk, [loan.transfer_id or 0]) == [loan]


def test_what_waits_is_listed_until_it_is_decided(fund: Fund) -> None:
    fund.pay_in(fund.members[0], 2000)
    proposal = proposals.prepare_loan(
        fund.treasurer,
        member=fund.members[0],
        loan_no="1",
        principal_fen=1000,
        lent_on=DAY,
        term_days=30,
        purpose="trade",
    )
    assert list(queries.waiting(fund.world.approver)) == [proposal]
    assert queries.proposal(fund.world.approver, proposal.pk) == proposal
    assert ("Member household", "H1") in queries.terms_in_words(proposal)
    proposals.approve(fund.approver, proposal)
    assert list(queries.waiting(fund.world.approver)) == []


def test_another_county_sees_nothing(fund: Fund) -> None:
    history(fund)
    loan = fund.society.loans.get(loan_no="1")
    other = fund.world.other_clerk
    for ask in (
        lambda: queries.society(other, fund.society.pk),
        lambda: queries.society(other, 10**9),
        lambda: queries.report(other, fund.society.pk, END),
        lambda: queries.member_choices(other, fund.society.pk),
        lambda: queries.loan(other, loan.pk),
    ):
        with pytest.raises(Refusal) as no:
            ask()
        assert no.value.code.startswith("not_found.")
    assert [one["id"] for one in rows(other, SOCIETIES)] == [fund.other.pk]
    assert queries.society_of_area(other, fund.society.area_id) is None
    assert queries.memberships_of_household(other, fund.members[0].household_id) == []
    assert queries.facts_of_transfers(other, [loan.transfer_id or 0]) == []


def test_own_money_in_full_after_everything_is_reversed(fund: Fund) -> None:
    made, posted = entered.contribute(fund.treasurer, member=fund.members[0], amount_fen=50_000, paid_on=DAY)
    proposal = proposals.prepare_reversal(
        fund.treasurer, society=fund.society, voucher_id=posted.voucher_id, reason="counted twice"
    )
    proposals.approve(fund.approver, proposal)
    assert rows(fund.world.clerk, MEMBERS, fund.society.pk)[0]["own"] == 0
    made.refresh_from_db()
    assert made.voided_at is not None
    assert fund.pay_in(fund.members[0], 500, DAY + timedelta(1)).pk != made.pk
