"""One record by form: its hints, bounds and choices, faults at their fields, one person or two, and no doubles."""

import threading
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from karez.access.models import ReadEvent, SentForm
from karez.intake import one_row, registry, services
from karez.intake.models import Batch, State
from karez.ledger.models import Voucher
from karez.mutual_funds.models import Contribution, Repayment
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund
from karez.places.queries import may
from karez.register import services as register

ADDRESS = "/files/enter/contributions/"
VILLAGE = "990101100200"
GIVEN = {
    "village": VILLAGE,
    "paid_on": "2009-03-04",
    "amount": "250",
    "kind": "own",
    "account": "cash",
    "receipt_no": "A 1",
}


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _number(fund: Fund) -> str:
    return str(fund.members[0].household.household_no)


def entered(fund: Fund, **other: str) -> dict[str, str]:
    return {**GIVEN, "household_no": _number(fund), **other}


def test_money_that_comes_in_is_recorded_at_once_by_one(committed_fund: Fund) -> None:
    fund = committed_fund
    page = signed_in(fund.treasurer).get(f"{ADDRESS}?village={VILLAGE}").content.decode()
    assert f'value="{VILLAGE}" selected' in page and "Amount (yuan)" in page and "who pays" not in page
    assert page.count(" required") >= 5 and "number of the household, unique in its village" in page
    answer = signed_in(fund.treasurer).post(ADDRESS, entered(fund))
    made = Contribution.objects.get()
    assert (made.amount_fen, made.happened_on, made.receipt_no, made.batch_id, made.recorded_by_id) == (
        250 * YUAN, date(2009, 3, 4), "A 1", None, fund.treasurer.pk,
    )  # fmt: skip
    voucher = Voucher.objects.get(book=fund.society.book)
    assert answer.status_code == 302 and answer["Location"] == f"/ledger/vouchers/{voucher.pk}/"
    assert voucher.receipt_number == 1 and not Batch.objects.exists()
    with pytest.raises(DatabaseError, match="household"), transaction.atomic():  # held by the database
        Contribution.objects.create(
            member=made.member, kind="granted_base", amount_fen=100, happened_on=DAY, counts_on=DAY,
            recorded_by_id=fund.treasurer.pk,
        )  # fmt: skip


def test_money_that_goes_out_is_prepared_and_decided_by_another(committed_fund: Fund) -> None:
    fund = committed_fund
    fund.pay_in(fund.members[0], 500)
    answer = signed_in(fund.treasurer).post(ADDRESS, entered(fund, kind="refund"))
    batch = Batch.objects.get()
    assert answer["Location"] == f"/files/{batch.pk}/" and batch.state == State.CHECKED
    assert Contribution.objects.count() == 1
    shown = signed_in(fund.approver).get(f"/files/{batch.pk}/").content.decode()
    assert "What it says" in shown and "250.00 yuan" in shown and "A 1" in shown
    assert signed_in(fund.treasurer).post(f"/files/{batch.pk}/decide/", {"do": "apply"}).status_code in (403, 409)
    services.apply(fund.approver, batch_id=batch.pk)
    assert Contribution.objects.get(kind="refund").batch_id == batch.pk


def test_faults_stand_at_their_fields_in_the_words_of_a_file_and_nothing_is_kept(committed_fund: Fund) -> None:
    client = signed_in(committed_fund.treasurer)
    low = client.post(ADDRESS, entered(committed_fund, amount="99"))
    page = low.content.decode()
    assert low.status_code == 422 and 'value="99"' in page  # nothing typed is lost
    assert 'aria-describedby="id_amount_helptext id_amount_faults"' in page and 'id="id_amount_faults"' in page
    assert "99.00 yuan in all, 100.00 yuan to 2,000.00 yuan allowed" in page
    assert "between the least and the most the society" in page and "take in what the rules allow" in page
    unread = client.post(ADDRESS, entered(committed_fund, amount="1.000", paid_on="soon"))
    assert unread.status_code == 422 and unread.content.decode().count("invalid-feedback") == 2
    empty = client.post(ADDRESS, {"village": VILLAGE})
    assert empty.status_code == 422 and empty.content.decode().count("fill the cell") == 4
    assert client.post(ADDRESS, entered(committed_fund, household_no="X9")).status_code == 422
    assert not Batch.objects.exists() and not Contribution.objects.exists() and not SentForm.objects.exists()


def test_the_same_form_sent_twice_is_one_and_another_form_is_another(committed_fund: Fund) -> None:
    client, refund = signed_in(committed_fund.treasurer), entered(committed_fund, kind="refund", sent_form="a")
    committed_fund.pay_in(committed_fund.members[0], 1000)
    first, second = client.post(ADDRESS, refund), client.post(ADDRESS, refund)
    assert first["Location"] == second["Location"] and Batch.objects.count() == 1
    assert client.post(ADDRESS, refund | {"sent_form": "b"})["Location"] != first["Location"]
    assert Batch.objects.count() == 2 and 'name="sent_form" value="' in client.get(ADDRESS).content.decode()


def test_a_record_is_chosen_by_its_number_and_what_the_reader_may_know_of_it(committed_fund: Fund) -> None:
    fund, number = committed_fund, _number(committed_fund)
    head = register.NewPerson(sex=1, birth_month=date(1970, 1, 1), relation=0, since=date(2009, 1, 20), name="Ma Jun")
    register.add_person(fund.world.clerk, household_id=fund.members[0].household_id, new=head)
    fund.pay_in(fund.members[0], 1000)
    fund.lend(fund.members[0], 700, "L 7")
    client, before = signed_in(fund.world.clerk), ReadEvent.objects.count()
    page = client.get(f"{ADDRESS}?village={VILLAGE}").content.decode()
    assert f'<option value="{number}">Ma Jun</option>' in page and 'list="id_household_no_options"' in page
    look = ReadEvent.objects.latest("pk")
    assert (look.kind, look.subject_id, look.rows) == ("names_of_heads", fund.society.area_id, 3)
    assert "contributions" in look.purpose and ReadEvent.objects.count() == before + 1
    asked = f"{ADDRESS}household_no/?village={VILLAGE}&household_no="
    assert client.get(asked + number).content.decode().count("<option") == 1
    assert "<option" not in client.get(asked + "zz").content.decode()
    unnamed = signed_in(fund.treasurer).get(asked).content.decode()
    assert unnamed.count("<option") == 3 and ("Ma Jun" in unnamed) is may(
        fund.treasurer, "register.view", fund.society.area_id
    )
    assert "<option" not in signed_in(fund.world.other_clerk).get(asked).content.decode()
    loans = client.get(f"/files/enter/repayments/loan_no/?village={VILLAGE}&loan_no=L").content.decode()
    assert f'<option value="L 7">household {number} Ma Jun, 700.00 yuan still owed</option>' in loans
    lines = signed_in(fund.treasurer).get(f"/files/enter/grants/source_line/?village={VILLAGE}").content.decode()
    assert '<option value="LGOP-2009-1">600,000.00 yuan left</option>' in lines


def test_an_amount_paid_back_is_divided_by_the_order_and_its_faults_stand_at_it(committed_fund: Fund) -> None:
    fund = committed_fund
    for member in fund.members:
        fund.pay_in(member, 1000)
    loan = fund.lend(fund.members[0], 3000, "1")
    client, address = signed_in(fund.treasurer), "/files/enter/repayments/"
    button = client.get(f"/mutual-funds/loans/{loan.pk}/").content.decode()
    assert f"{address}?village={VILLAGE}&amp;loan_no=1" in button
    given = {"village": VILLAGE, "loan_no": "1", "paid_on": "2009-05-04", "amount": "200", "account": "cash"}
    assert client.post(address, given).status_code == 302
    paid = Repayment.objects.get()
    assert (paid.fee_fen, paid.principal_fen) == (14_400, 5_600)
    over = client.post(address, given | {"amount": "3000"})
    assert over.status_code == 422 and 'id="id_amount_faults"' in over.content.decode()
    assert "owed 3,000.00 yuan" in over.content.decode()
    asked = client.post(address, given)
    assert asked.status_code == 409 and 'name="confirmed"' in asked.content.decode()
    assert client.post(address, given | {"confirmed": "on"}).status_code == 302
    assert Repayment.objects.count() == 2


def test_two_people_at_one_loan_at_once(committed_fund: Fund) -> None:
    fund = committed_fund
    fund.pay_in(fund.members[0], 2000)
    fund.lend(fund.members[0], 1000, "1")
    given = {"village": VILLAGE, "loan_no": "1", "paid_on": "2009-05-04", "amount": "600", "account": "cash"}
    told: list[str] = []

    def pay(receipt: str) -> None:
        try:
            one_row.record(fund.treasurer, registry.sheet_named("repayments"), {**given, "receipt_no": receipt})
            told.append("recorded")
        except one_row.Faulty as wrong:
            told.append(f"{wrong.faults[0].column}: {wrong.faults[0].rule}")
        finally:
            connection.close()

    threads = [threading.Thread(target=pay, args=[receipt]) for receipt in ("A 1", "A 2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told) == ["amount: mutual_funds_repayment_within_owed", "recorded"]


def test_late_facts_are_told_and_count_from_the_first_open_day(committed_fund: Fund, owner_cursor: Any) -> None:
    fund = committed_fund
    owner_cursor.execute("SELECT periods_first_open_day()")
    (day,) = owner_cursor.fetchone()
    assert day == date(2009, 1, 1)
    owner_cursor.execute("UPDATE periods_period SET state = 'closed' WHERE year = 2009")
    owner_cursor.execute("UPDATE periods_region SET first_open_day = '2010-01-01'")
    client = signed_in(fund.treasurer)
    answer = client.post(ADDRESS, entered(fund), follow=True)
    assert "The year 2009 is closed: it counts from 2010-01-01." in answer.content.decode()
    assert Contribution.objects.get().counts_on == date(2010, 1, 1)


def test_a_row_is_shown_to_its_sender_and_to_who_decides_alone(committed_fund: Fund) -> None:
    world = committed_fund.world
    address = "/files/enter/assessments/"
    page = signed_in(world.clerk).get(address)
    assert page.status_code == 200
    given = {"village": VILLAGE, "household_no": _number(committed_fund), "year": "2009", "size": "4", "income": "900"}
    columns = registry.sheet_named("assessments").columns
    answer = signed_in(world.clerk).post(address, {c.name: given.get(c.name, "") for c in columns})
    assert answer.status_code in (302, 422)
    committed_fund.pay_in(committed_fund.members[0], 1000)
    shown = signed_in(committed_fund.treasurer).post(ADDRESS, entered(committed_fund, kind="refund"))["Location"]
    before = ReadEvent.objects.count()
    assert "What it says" in signed_in(committed_fund.treasurer).get(shown).content.decode()
    assert ReadEvent.objects.count() == before
    assert "What it says" not in signed_in(world.statistician).get(shown).content.decode()
    assert "What it says" in signed_in(committed_fund.approver).get(shown).content.decode()
    assert ReadEvent.objects.latest("pk").kind == "intake.row" and ReadEvent.objects.count() == before + 1


def test_a_village_leads_to_the_forms_about_it(committed_fund: Fund) -> None:
    client, area = signed_in(committed_fund.treasurer), committed_fund.society.area_id
    assert f"/places/{area}/enter/" in client.get(f"/places/{area}/").content.decode()
    page = client.get(f"/places/{area}/enter/").content.decode()
    assert f"/files/enter/contributions/?village={VILLAGE}" in page and "/files/enter/register/" not in page
    assert signed_in(committed_fund.world.auditor).get(f"/places/{area}/enter/").status_code == 200


def test_who_may_not_send_it_finds_no_form(committed_world: Any) -> None:
    assert signed_in(committed_world.auditor).get("/files/enter/contributions/").status_code == 404
    assert signed_in(committed_world.finance).get("/files/enter/nothing/").status_code == 404


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_kind_of_file_has_a_form(world: Any, language: str) -> None:
    for user in (world.finance, world.regional, world.statistician):
        client = signed_in(user)
        client.cookies["django_language"] = language
        for sheet in registry.sheets().values():
            answer = client.get(f"/files/enter/{sheet.name}/")
            assert answer.status_code in (200, 404), sheet.name
            if answer.status_code == 200:
                page = answer.content.decode()
                assert all(f'name="{column.name}"' in page for column in sheet.form_columns)
