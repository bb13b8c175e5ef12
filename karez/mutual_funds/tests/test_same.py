"""The same payment twice is never silent: in one file, beside the record, by form, by two senders at once; two lawful
ones pass.
"""

from datetime import date
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.test import Client
from django.urls import reverse

from karez.funds.models import SourceLine
from karez.intake import queries, services
from karez.intake.models import Batch
from karez.kernel.refusal import Refusal
from karez.mutual_funds import proposals
from karez.mutual_funds.models import Contribution, Gift, Loan, Member, Repayment
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund
from karez.mutual_funds.tests.test_sheets import FILES, NEW, county, load, send

__all__ = ["county"]
PAID = "village,household_no,paid_on,amount,kind,receipt_no\n"
BACK = "village,loan_no,paid_on,principal,fee,receipt_no\n"


def _asked(batch: Batch) -> list[tuple[int, str, str]]:
    return list(batch.questions.filter(asks=True).order_by("row_no", "rule").values_list("row_no", "rule", "found"))


def _apply(world: Any, batch: Batch) -> None:
    services.apply(world.approver, batch_id=batch.pk)
    batch.refresh_from_db()
    assert batch.state == "applied", batch.trouble


def _signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_files_that_overlap_ask_their_sender(county: Any) -> None:
    done = load(county, "societies", "society_openings", "grants", "fund_members")
    first = send(county, "contributions", f"{PAID}{NEW},H1,2009-02-16,300,own,\n")
    assert (first.question_count, _asked(first)) == (0, [])
    _apply(county, first)
    second = send(
        county,
        "contributions",
        f"{PAID}{NEW},H1,2009-02-16, 300 ,own,\n{NEW},H2,2009-02-16,300,own,\n{NEW},H2,2009-02-16,300,own,\n",
    )
    assert second.state == "checked" and second.question_count == 2
    assert [(row, rule) for row, rule, _ in _asked(second)] == [(2, "same_on_record"), (4, "same_in_file")]
    assert (
        f"in batch {first.pk}, last recorded on" in _asked(second)[0][2] and _asked(second)[1][2] == "the same as row 3"
    )
    # Nobody applies it, by the service or by raw SQL, and nobody but its sender confirms it.
    with pytest.raises(Refusal) as told:
        services.apply(county.approver, batch_id=second.pk)
    assert told.value.code == "intake.to_be_confirmed"
    for sql in (
        f"SELECT intake_decide({second.pk}, {county.approver.pk})",
        f"SELECT intake_confirm({second.pk}, {county.approver.pk})",
    ):
        with (
            pytest.raises(Error, match=r"confirmed by its sender|another person"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SET LOCAL ROLE karez_app")
            cursor.execute(sql)
    with pytest.raises(Refusal):
        services.confirm(county.approver, batch_id=second.pk)
    assert second not in queries.waiting_for(county.approver)
    page = _signed_in(county.finance).get(reverse("intake:batch", args=[second.pk])).content.decode()
    assert 'value="confirm"' in page and f"in batch {first.pk}, last recorded on" in page
    assert (
        _signed_in(county.finance).post(reverse("intake:decide", args=[second.pk]), {"do": "confirm"}).status_code
        == 302
    )
    second.refresh_from_db()
    assert second.confirmed_by_id == county.finance.pk and second.confirmed_at
    page = _signed_in(county.approver).get(reverse("intake:batch", args=[second.pk])).content.decode()
    assert 'value="apply"' in page and "the same as row 3" in page and "these rows are meant" in page
    again = services.check_again(county.finance, batch_id=second.pk)  # checked anew, confirmed anew
    assert again.confirmed_at is None and again.question_count == 2
    services.confirm(county.finance, batch_id=second.pk)
    _apply(county, second)
    assert Contribution.objects.filter(kind="own", voided_at=None, happened_on=date(2009, 2, 16)).count() == 4
    assert done


def test_two_lawful_ones_of_a_day_pass_without_a_word(county: Any) -> None:
    load(county, "societies", "society_openings", "grants", "fund_members")
    paid = send(
        county,
        "contributions",
        (
            f"{PAID}{NEW},H1,2009-02-16,300,own,\n{NEW},H1,2009-02-16,250,own,\n{NEW},H2,2009-02-16,600,own,A "
            f"1\n{NEW},H2,2009-02-16,600,own,A2\n"
        ),
    )
    assert (paid.state, paid.question_count) == ("checked", 0)
    _apply(county, paid)
    assert sorted(Contribution.objects.exclude(receipt_no="").values_list("receipt_no", flat=True)) == ["A 1", "A2"]
    for receipt, asked in (("a1", 1), ("A3", 0), ("", 1)):
        batch = send(
            county, "contributions", f"{PAID}{NEW},H2,2009-02-16,600,own,{receipt}\n{NEW},H2,2009-02-16,600,refund,\n"
        )
        assert (batch.state, batch.question_count) == ("checked", asked), receipt
    load(county, "loans", loans=FILES["loans"].replace("crops,cash", "crops,"))
    same_day = send(county, "repayments", f"{BACK}{NEW},2009-2,2009-06-05,356,144,\n{NEW},2009-2,2009-06-05,500,0,\n")
    assert (same_day.state, same_day.question_count) == ("checked", 0)
    _apply(county, same_day)
    later = send(county, "repayments", f"{BACK}{NEW},2009-2,2009-06-05,500,0,\n{NEW},2009-2,2009-06-06,100,0,\n")
    assert [(row, rule) for row, rule, _ in _asked(later)] == [(2, "same_on_record")]
    # By form: the amount alone is typed, so either of the two is like it; a receipt or the word of who enters tells it
    # apart.
    loan = Loan.objects.get(loan_no="2009-2")
    with pytest.raises(Refusal) as told:
        entered.record_repayment(county.treasurer, loan=loan, amount_fen=500 * YUAN, paid_on=date(2009, 6, 5))
    assert told.value.code == "form.likely_repeat"
    entered.record_repayment(
        county.treasurer, loan=loan, amount_fen=500 * YUAN, paid_on=date(2009, 6, 5), confirmed=True
    )
    assert Repayment.objects.count() == 3


def test_of_two_senders_of_the_same_the_second_stops_and_is_asked(county: Any) -> None:
    load(county, "societies", "society_openings", "grants", "fund_members")
    one = send(county, "contributions", f"{PAID}{NEW},H1,2009-02-16,300,own,\n")
    other = send(county, "contributions", f"{PAID}{NEW},H1,2009-02-16,300.00,own,\n")
    assert one.question_count == other.question_count == 0
    _apply(county, one)
    with pytest.raises(Refusal) as told:
        services.apply(county.approver, batch_id=other.pk)
    assert told.value.code == "intake.to_be_confirmed" and "row 2" in told.value.found
    other.refresh_from_db()
    assert other.state == "checked" and "row 2" in other.trouble
    assert Contribution.objects.filter(kind="own", batch_id=other.pk).count() == 0
    services.check_again(county.finance, batch_id=other.pk)
    services.confirm(county.finance, batch_id=other.pk)
    _apply(county, other)
    # The same by form, which a file has recorded.
    member = Member.objects.get(household__household_no="H1", society__area_id=county.areas[NEW])
    with pytest.raises(Refusal) as told:
        entered.contribute(county.treasurer, member=member, amount_fen=300 * YUAN, paid_on=date(2009, 2, 16))
    assert told.value.more == {"confirm": True} and f"in batch {other.pk}" in told.value.found


def test_a_form_comes_back_with_a_box_to_tick(fund: Fund) -> None:
    address = reverse("intake:enter", args=["contributions"])
    client = _signed_in(fund.treasurer)
    given = {
        "village": "990101100200",
        "household_no": fund.members[0].household.household_no,
        "amount": "500",
        "kind": "own",
        "paid_on": DAY.isoformat(),
        "account": "cash",
    }
    assert 'name="confirmed"' not in client.get(address).content.decode()
    assert client.post(address, given).status_code == 302
    back = client.post(address, given)
    assert back.status_code == 409 and 'name="confirmed"' in back.content.decode()
    assert Contribution.objects.count() == 1
    assert (
        client.post(address, {**given, "receipt_no": "A 7"}).status_code == 409
    )  # the one on record has no number to tell it apart
    assert client.post(address, {**given, "receipt_no": "A 7", "confirmed": "on"}).status_code == 302
    assert Contribution.objects.get(receipt_no="A 7").amount_fen == 500 * YUAN


def test_gifts_refunds_and_grants_ask_as_well(fund: Fund) -> None:
    entered.accept_gift(fund.treasurer, society=fund.society, giver="A Donor", amount_fen=100, given_on=DAY)
    with pytest.raises(Refusal, match="entered by hand"):
        entered.accept_gift(fund.treasurer, society=fund.society, giver=" a donor", amount_fen=100, given_on=DAY)
    entered.accept_gift(
        fund.treasurer, society=fund.society, giver="A Donor", amount_fen=100, given_on=DAY, confirmed=True
    )
    assert Gift.objects.count() == 2
    fund.pay_in(fund.members[0], 1000)

    def refund(**more: Any) -> Any:
        return proposals.prepare_refund(
            fund.treasurer, member=fund.members[0], amount_fen=10_000, refunded_on=DAY, **more
        )

    first = refund()
    with pytest.raises(Refusal, match="waits for approval"):
        refund()
    second = refund(confirmed=True)
    proposals.approve(fund.approver, first)
    with pytest.raises(Refusal) as told:  # recorded since it was prepared
        proposals.approve(fund.approver, second)
    assert told.value.code == "mutual_funds.same_by_now"
    proposals.refuse(fund.approver, second, reason="prepared anew")
    proposals.approve(fund.approver, refund(confirmed=True))
    line = SourceLine.objects.get(pk=fund.line.pk)

    def grant(document: str) -> Any:
        return proposals.prepare_grant(
            fund.treasurer, society=fund.society, line=line, amount_fen=1_000, granted_on=DAY, document_no=document
        )

    grant("2009/7")
    with pytest.raises(Refusal, match="waits for approval"):
        grant("2009/７")
