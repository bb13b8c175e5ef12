"""Each verb once as it works, then its refusals."""

import random
from datetime import date, timedelta

import pytest
from django.db.models import Sum

from karez.kernel.refusal import Refusal
from karez.ledger.models import Transfer, Voucher
from karez.mutual_funds import proposals, services
from karez.mutual_funds.models import Contribution, Grant, Instalment, Loan, Repayment, WriteOff
from karez.mutual_funds.tests import entered, naive
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund, adopted, founded, household


def test_money_in_gives_a_receipt_and_stands_in_its_pot(fund: Fund) -> None:
    made, posted = entered.contribute(fund.treasurer, member=fund.members[0], amount_fen=500 * YUAN, paid_on=DAY)
    assert posted.receipt_number == 1
    assert made.transfer_id in posted.transfer_ids
    assert fund.balance("2001") == fund.balance("1001") == 500 * YUAN
    entered.accept_gift(fund.treasurer, society=fund.society, giver="A company", amount_fen=1000 * YUAN, given_on=DAY)
    assert fund.balance("4002") == 1000 * YUAN


def test_a_loan_is_lent_by_two_people_and_repaid_by_the_order_of_the_rules(fund: Fund) -> None:
    for member in fund.members:
        fund.pay_in(member, 2000)
    loan = fund.lend(fund.members[0], 3000, "1")
    assert list(Instalment.objects.filter(loan=loan).values_list("due_on", "principal_fen", "fee_fen")) == [
        (DAY + timedelta(180), 300_000, 14_400)
    ]
    assert fund.balance("1301") == 300_000
    first, posted = entered.record_repayment(fund.treasurer, loan=loan, amount_fen=20_000, paid_on=DAY + timedelta(30))
    assert (first.fee_fen, first.principal_fen) == (14_400, 5_600)
    assert posted.receipt_number is not None
    entered.record_repayment(fund.treasurer, loan=loan, amount_fen=294_400, paid_on=DAY + timedelta(170))
    assert services.outstanding_fen(loan) == 0
    assert fund.balance("1301") == 0
    assert fund.balance("4003") == 14_400
    with pytest.raises(Refusal, match=r"found 3,000\.01 yuan \+ 144\.00 yuan, owed 3,000\.00 yuan"):
        entered.record_repayment(fund.treasurer, loan=loan, amount_fen=1, paid_on=DAY + timedelta(180))


def test_one_person_cannot_lend_alone(fund: Fund) -> None:
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
    with pytest.raises(Refusal):
        proposals.approve(fund.treasurer, proposal)
    assert not Loan.objects.exists()
    proposals.refuse(fund.approver, proposal, reason="no meeting was held")
    assert fund.balance("1001") == 2000 * YUAN
    with pytest.raises(Refusal) as again:
        proposals.approve(fund.approver, proposal)
    assert again.value.code == "ledger.already_decided"


@pytest.mark.parametrize(("yuan", "days"), [(5001, 30), (1000, 361)])
def test_above_cap_or_term_nothing_is_reserved(fund: Fund, yuan: int, days: int) -> None:
    with pytest.raises(Refusal) as no:
        fund.lend(fund.members[0], yuan, "1", days=days)
    assert no.value.code in ("mutual_funds.loan_within_cap", "mutual_funds.loan_within_term")
    assert not Voucher.objects.filter(book=fund.society.book).exists()


def test_no_second_loan_while_one_is_open(fund: Fund) -> None:
    for member in fund.members:
        fund.pay_in(member, 2000)
    first = fund.lend(fund.members[0], 1000, "1")
    with pytest.raises(Refusal, match="2 open or waiting, 1 allowed"):
        fund.lend(fund.members[0], 1000, "2", day=DAY + timedelta(5))
    entered.record_repayment(fund.treasurer, loan=first, amount_fen=104_800, paid_on=DAY + timedelta(4))
    fund.lend(fund.members[0], 1000, "2", day=DAY + timedelta(5))


def test_own_money_comes_back_on_leaving_and_no_more(fund: Fund) -> None:
    member = fund.members[0]
    fund.pay_in(member, 500)
    entered.give_base_share(fund.treasurer, fund.approver, member=member, amount_fen=300 * YUAN, given_on=DAY)
    with pytest.raises(Refusal):
        proposals.prepare_refund(fund.treasurer, member=member, amount_fen=501 * YUAN, refunded_on=DAY)
    with pytest.raises(Refusal, match=r"has 500\.00 yuan"):
        services.leave(fund.treasurer, member=member, left_on=DAY, reason="moves away")
    proposal = proposals.prepare_refund(
        fund.treasurer, member=member, amount_fen=500 * YUAN, refunded_on=DAY, leaving=True
    )
    proposals.approve(fund.approver, proposal)
    member.refresh_from_db()
    assert member.ends_before == DAY
    assert fund.balance("2001") == 0
    with pytest.raises(Refusal):
        fund.pay_in(member, 100, DAY + timedelta(1))


def test_contributions_stay_within_the_rules(fund: Fund) -> None:
    with pytest.raises(Refusal):
        fund.pay_in(fund.members[0], 99)
    fund.pay_in(fund.members[0], 1500)
    with pytest.raises(Refusal):
        fund.pay_in(fund.members[0], 501)


def test_a_grant_leaves_the_county_and_arrives_in_the_pot(fund: Fund) -> None:
    proposal = proposals.prepare_grant(
        fund.treasurer,
        society=fund.society,
        line=fund.line,
        amount_fen=200_000 * YUAN,
        granted_on=DAY,
        document_no="2009/7",
    )
    grant = proposals.approve(fund.approver, proposal)
    assert isinstance(grant, Grant)
    assert fund.balance("4001") == fund.balance("1002") == 200_000 * YUAN
    county = Transfer.objects.get(pk=grant.county_transfer_id)
    assert county.amount_fen == grant.amount_fen and county.debit_account.code == fund.line.account_code
    with pytest.raises(Refusal) as above:
        proposals.approve(
            fund.approver,
            proposals.prepare_grant(
                fund.treasurer, society=fund.society, line=fund.line, amount_fen=1, granted_on=DAY, document_no="x"
            ),
        )
    assert above.value.code == "mutual_funds.grant_within_standard"


def test_a_write_off_falls_on_the_pot_of_the_rules(fund: Fund) -> None:
    adopted(fund, date(2009, 2, 1), write_off_pot="gifts")
    entered.accept_gift(
        fund.treasurer, society=fund.society, giver="A company", amount_fen=500_000, given_on=DAY, via="cash"
    )
    loan = fund.lend(fund.members[0], 3000, "1")
    proposal = proposals.prepare_write_off(
        fund.treasurer, loan=loan, decided_on=date(2009, 12, 1), reason="the borrower died"
    )
    made = proposals.approve(fund.approver, proposal)
    assert isinstance(made, WriteOff)
    assert (made.prepared_by_id, made.approved_by_id) == (fund.treasurer.pk, fund.approver.pk)
    assert fund.balance("4002") == 200_000 and fund.balance("1301") == 0
    with pytest.raises(Refusal, match="reverse the write-off first"):
        entered.record_repayment(fund.treasurer, loan=loan, amount_fen=100, paid_on=date(2009, 12, 2))


def test_an_extension_stays_within_the_rules(fund: Fund) -> None:
    fund.pay_in(fund.members[0], 2000)
    loan = fund.lend(fund.members[0], 1000, "1", days=360)
    entered.extend_loan(
        fund.treasurer, loan=loan, due_on=DAY + timedelta(540), decided_on=date(2009, 9, 1), reason="drought"
    )
    with pytest.raises(Refusal):
        entered.extend_loan(
            fund.treasurer, loan=loan, due_on=DAY + timedelta(541), decided_on=date(2009, 9, 2), reason="drought"
        )


def test_a_reversal_restores_and_what_follows_goes_first(fund: Fund) -> None:
    for member in fund.members:
        fund.pay_in(member, 2000)
    before = {code: fund.balance(code) for code in ("1001", "1301", "2001", "4003")}
    loan = fund.lend(fund.members[0], 3000, "1")
    lent = {code: fund.balance(code) for code in before}
    repayment, posted = entered.record_repayment(
        fund.treasurer, loan=loan, amount_fen=20_000, paid_on=DAY + timedelta(30)
    )
    voucher = Transfer.objects.get(pk=loan.transfer_id).voucher_id

    def reverse(voucher_id: int) -> None:
        proposal = proposals.prepare_reversal(
            fund.treasurer, society=fund.society, voucher_id=voucher_id, reason="wrong person"
        )
        proposals.approve(fund.approver, proposal)

    with pytest.raises(Refusal) as early:
        reverse(voucher)
    assert early.value.code in ("mutual_funds.built_upon", "ledger.overdrawn")
    reverse(posted.voucher_id)
    assert {code: fund.balance(code) for code in before} == lent
    assert Repayment.objects.get(pk=repayment.pk).voided_at is not None
    reverse(voucher)
    assert {code: fund.balance(code) for code in before} == before
    fund.lend(fund.members[0], 3000, "1")  # the number is free again


def test_a_household_is_one_member_in_its_own_village(fund: Fund) -> None:
    with pytest.raises(Refusal) as twice:
        entered.join(fund.treasurer, society=fund.society, household=fund.members[0].household, joined_on=DAY)
    assert twice.value.code == "mutual_funds.member_one_at_a_time"
    with pytest.raises(Refusal) as elsewhere:
        entered.join(fund.treasurer, society=fund.other, household=household(fund.society.area_id, "H9"), joined_on=DAY)
    assert elsewhere.value.code == "mutual_funds.household_known"


def test_one_society_in_a_village(fund: Fund) -> None:
    with pytest.raises(Refusal) as second:
        founded(fund.treasurer, fund.approver, area_id=fund.society.area_id, name="Second", founded_on=DAY)
    assert second.value.code == "mutual_funds.society_exists"


def test_who_may_do_what(fund: Fund) -> None:
    for nobody, code in ((fund.world.auditor, "access.not_granted"), (fund.world.other_clerk, "area_scope")):
        with pytest.raises(Refusal) as no:
            entered.contribute(nobody, member=fund.members[0], amount_fen=50_000, paid_on=DAY)
        assert no.value.code == code
    assert not Contribution.objects.exists()


@pytest.mark.parametrize(
    ("yuan", "rate", "days", "parts"),
    [(3000, 80, 180, 1), (2999, 83, 359, 7), (1234, 95, 61, 60), (5000, 0, 360, 12), (17, 1000, 99, 3)],
)
def test_the_database_writes_the_schedule_the_rules_say(
    fund: Fund, yuan: int, rate: int, days: int, parts: int
) -> None:
    for member in fund.members:
        fund.pay_in(member, 2000)
    adopted(fund, date(2009, 2, 1), fee_rate_bp=rate, instalments=parts)
    loan = fund.lend(fund.members[0], yuan, "1", days=days)
    expected = naive.schedule(
        principal_fen=yuan * YUAN, fee_rate_bp=rate, lent_on=DAY, term_days=days, instalments=parts
    )
    assert entered.schedule_of(loan) == expected


def test_random_histories_agree_with_a_naive_replay(fund: Fund) -> None:
    for order, seed in (("fee_first", 1), ("principal_first", 2), ("fee_first", 3), ("principal_first", 4)):
        _replay(fund, order, random.Random(seed))


def _replay(fund: Fund, order: str, luck: random.Random) -> None:
    """Random repayments and reversals of one loan; balances and what is owed are recounted in the simplest way after
    each.
    """
    member = fund.members[luck.randrange(3)]
    day = DAY + timedelta(60 * Loan.objects.count() + 1)
    adopted(fund, day, allocation_order=order, instalments=luck.choice([1, 3, 4]))
    for one in fund.members:
        if services.own_fen(one.pk) == 0:
            fund.pay_in(one, 2000, day)
    before = {code: fund.balance(code) for code in ("1001", "1301", "2001", "4003")}
    loan = fund.lend(
        member, luck.randrange(100, 3000), f"{order}{Loan.objects.count()}", day=day, days=luck.randrange(30, 300)
    )
    slots = []
    for i in entered.schedule_of(loan):
        pair = [["fee", i.fee_fen], ["principal", i.principal_fen]]
        slots += pair if order == "fee_first" else pair[::-1]
    owed = sum(fen for _, fen in slots)
    taken: list[tuple[int, int]] = []  # voucher, amount
    while sum(a for _, a in taken) < owed:
        if taken and luck.random() < 0.3:  # the last repayment was a mistake
            voucher, _amount = taken.pop()
            proposals.approve(
                fund.approver,
                proposals.prepare_reversal(fund.treasurer, society=fund.society, voucher_id=voucher, reason="mistake"),
            )
        else:
            left = owed - sum(a for _, a in taken)
            amount = left if len(taken) > 4 else luck.randrange(1, left + 1)
            _made, posted = entered.record_repayment(
                fund.treasurer, loan=loan, amount_fen=amount, paid_on=day + timedelta(len(taken))
            )
            taken.append((posted.voucher_id, amount))
        rest, owes = sum(a for _, a in taken), {"fee": 0, "principal": 0}
        for what, fen in slots:
            part = min(rest, fen)
            owes[what] += part
            rest -= part
        paid = loan.repayments.filter(voided_at=None).aggregate(principal=Sum("principal_fen"), fee=Sum("fee_fen"))
        assert {what: fen or 0 for what, fen in paid.items()} == owes
        assert fund.balance("1301") == before["1301"] + loan.principal_fen - owes["principal"]
        assert fund.balance("4003") == before["4003"] + owes["fee"]
    assert fund.balance("1001") == before["1001"] + sum(i.fee_fen for i in entered.schedule_of(loan))


def test_who_may_approve_a_loan_is_said_in_one_place(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken from the approver, a loan waits for somebody else, by form and by file; what else waits does not."""
    from karez.access import rules as access
    from karez.intake.registry import sheet_named
    from karez.mutual_funds import queries

    fund.pay_in(fund.members[0], 2000)
    terms = {"loan_no": "1", "principal_fen": 1000, "lent_on": DAY, "term_days": 30, "purpose": "trade"}
    loan = proposals.prepare_loan(fund.treasurer, member=fund.members[0], **terms)
    refund = proposals.prepare_refund(fund.treasurer, member=fund.members[0], amount_fen=100, refunded_on=DAY)
    assert list(queries.waiting(fund.approver)) == [loan, refund]
    assert sheet_named("loans").apply_permission == "mutual_funds.approve_loan"
    monkeypatch.setattr(access, "PERMISSIONS", {**access.PERMISSIONS, "mutual_funds.approve_loan": frozenset()})
    assert list(queries.waiting(fund.approver)) == [refund]
    with pytest.raises(Refusal) as no:
        proposals.approve(fund.approver, loan)
    assert no.value.code == "access.not_granted"
    proposals.approve(fund.approver, refund)
