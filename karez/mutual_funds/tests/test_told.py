"""What a person is told: the preparer of what would fail, the approver in place, in yuan and by household; and a day to
come.
"""

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from karez.kernel.refusal import Refusal
from karez.mutual_funds import proposals, services
from karez.mutual_funds.models import Loan, Proposal
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund, adopted
from karez.mutual_funds.tests.test_pages import signed_in


def _prepare(fund: Fund, no: str, member: int = 0, **more: Any) -> Proposal:
    given = {"principal_fen": 500 * YUAN, "lent_on": DAY, "term_days": 90, "purpose": "trade"} | more
    return proposals.prepare_loan(fund.treasurer, member=fund.members[member], loan_no=no, **given)


@pytest.fixture
def paid(fund: Fund) -> Fund:
    """A society whose members have paid in."""
    for member in fund.members:
        fund.pay_in(member, 2000)
    return fund


def test_a_number_given_or_waiting_is_told_to_who_prepares(paid: Fund) -> None:
    paid.lend(paid.members[0], 500, "2009-0001")
    with pytest.raises(Refusal, match="2009-0001, given already") as given:
        _prepare(paid, "2009-0001", 1)
    assert given.value.code == "mutual_funds.loan_number_once"
    _prepare(paid, "2009-0002", 1)
    with pytest.raises(Refusal, match="2009-0002, which waits for approval"):
        _prepare(paid, "2009-0002", 2)


def test_a_number_taken_meanwhile_is_told_in_place_to_who_approves(paid: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _prepare(paid, "7")
    with monkeypatch.context() as past:
        past.setattr(proposals, "refuse_if_broken", lambda *_, **__: None)
        second = _prepare(paid, "7", 1)
    proposals.approve(paid.approver, first)
    address = reverse("mutual_funds:proposal", args=[second.pk])
    answer = signed_in(paid.approver).post(address, {"approve": "1"})
    page = answer.content.decode()
    assert answer.status_code == 409 and "a number not yet given in the society" in page and "duplicate key" not in page
    assert 'name="refuse"' in page and reverse("mutual_funds:society", args=[paid.society.pk]) in page
    with pytest.raises(Refusal, match="a number not yet given in the society") as no:
        proposals.approve(paid.approver, second)
    assert (no.value.code, no.value.record) == ("mutual_funds.loan_number_taken", paid.society.name)
    assert Loan.objects.count() == 1


def test_open_and_waiting_loans_count_when_the_next_is_prepared(paid: Fund) -> None:
    _prepare(paid, "1")
    with pytest.raises(Refusal, match="on 2009-03-09 2 open or waiting, 1 allowed"):
        _prepare(paid, "2", lent_on=DAY.replace(day=9))
    with pytest.raises(Refusal, match="on 2009-03-02 2 open or waiting"):
        _prepare(paid, "2", lent_on=date(2009, 2, 20))  # before it, and open still when the waiting one is lent
    proposals.approve(paid.approver, Proposal.objects.get())
    with pytest.raises(Refusal, match="on 2009-03-09 2 open or waiting, 1 allowed"):
        _prepare(paid, "2", lent_on=DAY.replace(day=9))
    with pytest.raises(Refusal, match="no member on 2009-01-12"):
        _prepare(paid, "3", 1, lent_on=date(2009, 1, 12))
    adopted(paid, date(2009, 4, 1), instalments=60)
    with pytest.raises(Refusal, match="30 days, 60 to 360 allowed"):
        _prepare(paid, "3", 1, lent_on=date(2009, 4, 2), term_days=30)


def test_what_the_database_refuses_stands_in_its_cells(paid: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    paid.lend(paid.members[0], 500, "1")
    monkeypatch.setattr(proposals, "refuse_if_broken", lambda *_, **__: None)
    waits = _prepare(paid, "2")
    with pytest.raises(Refusal) as no:
        proposals.approve(paid.approver, waits)
    assert no.value.record == f"loan 2 of {paid.society.name}"
    assert no.value.found == "on 2009-03-02 2 open or waiting, 1 allowed"
    assert no.value.expected == "no more loans at once than the society's rules allow"


def test_refusals_speak_yuan_and_households(paid: Fund) -> None:
    with pytest.raises(Refusal, match=r"found 2,100\.50 yuan in all, 100\.00 yuan to 2,000\.00 yuan allowed"):
        entered.contribute(paid.treasurer, member=paid.members[0], amount_fen=10_050, paid_on=DAY)
    with pytest.raises(Refusal, match=r"found 50,000\.00 yuan, at most 5,000\.00 yuan"):
        paid.lend(paid.members[0], 50_000, "1")
    proposals.prepare_refund(paid.treasurer, member=paid.members[0], amount_fen=300 * YUAN, refunded_on=DAY)
    with pytest.raises(Refusal, match=r"household H1 of Society .*at most 1,700\.00 yuan"):
        proposals.prepare_refund(paid.treasurer, member=paid.members[0], amount_fen=1800 * YUAN, refunded_on=DAY)


def test_a_refund_before_the_money_came_in_is_told(fund: Fund) -> None:
    """On the last day of the year nobody's own money is below nothing, and another's still stands."""
    early = date(2009, 1, 25)
    fund.pay_in(fund.members[1], 1000, early)
    fund.pay_in(fund.members[0], 1000)

    def back(yuan: int, day: date, **more: Any) -> Proposal:
        return proposals.prepare_refund(
            fund.treasurer, member=fund.members[0], amount_fen=yuan * YUAN, refunded_on=day, **more
        )

    for more in ({}, {"leaving": True}):
        with pytest.raises(Refusal) as no:
            back(1000, early, **more)
        assert no.value.code == "mutual_funds.refund_within_own"
        assert no.value.found == "1,000.00 yuan, at most 0.00 yuan"
    fund.pay_in(fund.members[0], 200, early)
    back(150, DAY)  # waits, of what was in before
    back(50, early)
    with pytest.raises(Refusal, match=r"at most 150\.00 yuan"):
        back(151, early)
    proposals.approve(fund.approver, back(150, early))
    assert services.own_fen(fund.members[0].pk) == 1050 * YUAN


def test_a_refund_is_judged_by_its_day_again_when_approved(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    fund.pay_in(fund.members[1], 1000, date(2009, 1, 25))
    fund.pay_in(fund.members[0], 1000)
    monkeypatch.setattr(proposals, "refuse_if_broken", lambda *_args, **_given: None)
    asked = proposals.prepare_refund(
        fund.treasurer, member=fund.members[0], amount_fen=1000 * YUAN, refunded_on=date(2009, 1, 25)
    )
    with pytest.raises(Refusal, match=r"household H1 of Society .*1,000\.00 yuan, at most 0\.00 yuan") as no:
        proposals.approve(fund.approver, asked)
    assert no.value.code == "mutual_funds.refund_within_own"


@pytest.mark.parametrize("what", ["loan", "refund"])
def test_nobody_is_chosen_before_a_household_is(fund: Fund, what: str) -> None:
    address = reverse("mutual_funds:act", args=[fund.society.pk, what])
    page = signed_in(fund.treasurer).get(address).content.decode()
    assert 'value="" selected>choose a household' in page
    named = signed_in(fund.treasurer).get(address, {"member": fund.members[1].pk}).content.decode()
    assert f'value="{fund.members[1].pk}" selected' in named
    assert (
        signed_in(fund.treasurer)
        .post(address, {"member": "", "amount_fen": "100", "paid_on": "2009-03-02", "via": "cash"})
        .status_code
        == 422
    )


def test_a_day_to_come_is_told(fund: Fund) -> None:
    client = signed_in(fund.treasurer)
    for address in (reverse("mutual_funds:society", args=[fund.society.pk]), reverse("mutual_funds:societies")):
        page = client.get(address, {"as_of": "2199-01-01"}).content.decode()
        assert f"2199-01-01 has not come yet; this is today, {date.today()}." in page
        assert "has not come" not in client.get(address, {"as_of": "2009-03-31"}).content.decode()
