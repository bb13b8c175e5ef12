"""What is taken back or learnt after a year was closed: money and record count on the same day, and any day is shown as
it counted.
"""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from karez.intake.models import Fault
from karez.kernel.refusal import Refusal
from karez.ledger import services as ledger
from karez.ledger.models import Transfer, Voucher
from karez.mutual_funds import inbox, proposals, queries, resolutions
from karez.mutual_funds.lists import GIFTS, GRANTS, SOCIETIES
from karez.mutual_funds.models import Gift, Member, Opening
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund, rows
from karez.mutual_funds.tests.test_sheets import FILES, county, load, send  # noqa: F401 - a fixture

SPRING = date(2010, 3, 1)


def _sql(text: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, params)


def close_2009() -> None:
    """Closes the region's first year."""
    _sql("SELECT periods_prepare_close(2009, 1), periods_begin_close(2009, 2), periods_finish_close(2009, 'digest')")


def reopen_2009() -> None:
    """Opens it again."""
    _sql("SELECT periods_reopen(2009, 1, 2, 'a county was left out')")


def _gift(fund: Fund, yuan: int, day: date) -> tuple[Gift, int]:
    made, posted = entered.accept_gift(
        fund.treasurer, society=fund.society, giver="A firm", amount_fen=yuan * YUAN, given_on=day
    )
    return made, posted.voucher_id


def test_a_reversal_approved_after_a_reopening_counts_with_its_money(fund: Fund) -> None:
    gift, voucher = _gift(fund, 500, DAY)
    close_2009()
    waits = proposals.prepare_reversal(fund.treasurer, society=fund.society, voucher_id=voucher, reason="never came")
    reopen_2009()
    proposals.approve(fund.approver, waits)
    gift.refresh_from_db()
    back = Voucher.objects.get(reverses_id=voucher)
    assert gift.void_counts_on == back.booking_date == date(2010, 1, 1)
    end = date(2009, 12, 31)
    assert [one["id"] for one in rows(fund.treasurer, GIFTS, fund.society.pk, end)] == [gift.pk]
    assert queries.report(fund.treasurer, fund.society.pk, end).gifts_fen == 500 * YUAN
    assert rows(fund.treasurer, GIFTS, fund.society.pk) == []


def test_a_record_void_on_another_day_than_its_money_is_refused(fund: Fund) -> None:
    gift, voucher = _gift(fund, 500, DAY)
    close_2009()
    waits = proposals.prepare_reversal(fund.treasurer, society=fund.society, voucher_id=voucher, reason="never came")
    reopen_2009()
    Gift.objects.filter(pk=gift.pk).update(voided_at=Now(), voided_by_id=1, void_reason="x", void_counts_on=DAY)
    with pytest.raises(Refusal) as no:
        proposals.approve(fund.approver, waits)
    assert no.value.code == "mutual_funds.built_upon" and "counts from 2010-01-01" in no.value.found


def test_what_is_learnt_or_taken_back_later_is_shown_as_it_counted(fund: Fund) -> None:
    kept, voucher = _gift(fund, 500, DAY)
    grant = proposals.approve(
        fund.approver,
        proposals.prepare_grant(
            fund.treasurer, society=fund.society, line=fund.line, amount_fen=100 * YUAN, granted_on=DAY, document_no="G"
        ),
    )
    close_2009()
    late, _ = _gift(fund, 70, date(2009, 6, 1))
    granted = Transfer.objects.get(pk=grant.transfer_id).voucher_id  # type: ignore[union-attr]
    for taken in (voucher, granted):
        proposals.approve(
            fund.approver,
            proposals.prepare_reversal(fund.treasurer, society=fund.society, voucher_id=taken, reason="never came"),
        )
    asked = (fund.treasurer, fund.society.pk)
    for day, gifts, grants in ((date(2009, 12, 31), [kept.pk], [grant.pk]), (SPRING, [late.pk], [])):  # type: ignore[union-attr]
        assert [one["id"] for one in rows(fund.treasurer, GIFTS, fund.society.pk, day)] == gifts
        assert [one["id"] for one in rows(fund.treasurer, GRANTS, fund.society.pk, day)] == grants
        report = queries.report(*asked, day)
        assert report.gifts_fen == sum(Gift.objects.get(pk=pk).amount_fen for pk in gifts)
        assert report.grant_fen == (100 * YUAN if grants else 0)


def test_a_founding_learnt_late_is_not_there_before_it_counts(fund: Fund) -> None:
    day = date(2009, 1, 12)
    assert [one["id"] for one in rows(fund.treasurer, SOCIETIES, day=day)] == [fund.society.pk, fund.other.pk]
    close_2009()
    before = {one["id"] for one in rows(fund.treasurer, SOCIETIES, day=date(2009, 12, 31))}
    _sql(
        (
            "UPDATE mutual_funds_member SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = "
            "'2010-01-01' WHERE society_id = %s"
        ),
        fund.other.pk,
    )
    resolutions.approve(
        fund.approver, resolutions.prepare_take_back(fund.treasurer, society=fund.other, reason="wrong village")
    )
    assert {one["id"] for one in rows(fund.treasurer, SOCIETIES, day=date(2009, 12, 31))} == before
    assert fund.other.pk not in {one["id"] for one in rows(fund.treasurer, SOCIETIES, day=SPRING)}


def test_an_opening_voucher_leads_to_the_file_it_came_in(county: Any) -> None:  # noqa: F811
    done = load(county, "societies", "society_openings")
    opening = Opening.objects.get()
    batch = reverse("intake:batch", args=[done["society_openings"].pk])
    assert inbox.takes_back(opening.voucher_id) == batch
    with pytest.raises(Refusal) as no:
        ledger.prepare_reversal(county.finance, opening.voucher_id, "wrong")
    assert (no.value.code, no.value.more["address"]) == ("ledger.claimed", batch)
    with pytest.raises(Refusal) as neither:
        proposals.prepare_reversal(
            county.finance, society=opening.society, voucher_id=opening.voucher_id, reason="wrong"
        )
    assert neither.value.code == "mutual_funds.opening_voucher"
    assert not Voucher.objects.filter(reverses__isnull=False).exists()
    client = Client()
    client.force_login(county.finance, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert batch in client.get(reverse("ledger:voucher", args=[opening.voucher_id])).content.decode()


def test_a_dissolved_household_settles_and_does_no_more(
    committed_fund: Fund, owner_cursor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fund, end = committed_fund, date(2009, 5, 1)
    member = fund.members[0]
    for one in fund.members:
        fund.pay_in(one, 1000)
    loan = fund.lend(member, 500, "1")
    owner_cursor.execute(
        "ALTER TABLE register_household DISABLE TRIGGER mutual_funds_household_ends"
    )  # as data of older days may be
    owner_cursor.execute(
        (
            "UPDATE register_household SET ends_before = %s, counts_before = %s, ended_at = now(), ended_by_id = 1, "
            "end_reason = 'x' WHERE id = %s"
        ),
        [end, end, member.household_id],
    )
    owner_cursor.execute("ALTER TABLE register_household ENABLE TRIGGER mutual_funds_household_ends")
    member = Member.objects.get(pk=member.pk)
    for act in (lambda: fund.pay_in(member, 100, end), lambda: fund.lend(member, 100, "2", day=end)):
        with pytest.raises(Refusal) as no:
            act()
        assert no.value.code == "mutual_funds.household_there"
    with pytest.raises(Refusal, match="dissolved on") as base:
        entered.give_base_share(fund.treasurer, fund.approver, member=member, amount_fen=100, given_on=end)
    assert base.value.code == "mutual_funds.household_there"
    with monkeypatch.context() as past, pytest.raises(Refusal, match="dissolved on"):
        past.setattr(proposals, "refuse_if_broken", lambda *_, **__: None)  # the database alone
        fund.lend(member, 100, "2", day=end)
    entered.record_repayment(
        fund.treasurer, loan=loan, amount_fen=entered.schedule_of(loan)[0].total_fen, paid_on=date(2009, 6, 1)
    )
    left = proposals.prepare_refund(
        fund.treasurer, member=member, amount_fen=1000 * YUAN, refunded_on=date(2009, 6, 1), leaving=True
    )
    proposals.approve(fund.approver, left)
    member.refresh_from_db()
    assert member.ends_before == date(2009, 6, 1)


def test_a_file_names_the_rows_of_a_dissolved_household(county: Any, owner_cursor: Any) -> None:  # noqa: F811
    load(county, "societies", "society_openings", "grants", "fund_members")
    owner_cursor.execute("ALTER TABLE register_household DISABLE TRIGGER mutual_funds_household_ends")
    owner_cursor.execute(
        "UPDATE register_household SET ends_before = '2009-02-12', counts_before = '2009-02-12', ended_at = now(), "
        "ended_by_id = 1,"
        " end_reason = 'x' WHERE household_no = 'H2' AND starts_on > '2009-01-01'"
    )
    owner_cursor.execute("ALTER TABLE register_household ENABLE TRIGGER mutual_funds_household_ends")
    paid = send(county, "contributions", FILES["contributions"])
    told = Fault.objects.filter(batch=paid, rule="mutual_funds_household_there").values_list("row_no", "column")
    assert list(told) == [(6, "paid_on")]  # the base share; what was paid before and the refund after stay
    lent = send(county, "loans", FILES["loans"])
    assert list(
        Fault.objects.filter(batch=lent, rule="mutual_funds_household_there").values_list("row_no", flat=True)
    ) == [4]
