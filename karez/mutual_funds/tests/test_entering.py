"""One record by form, on the road of a file: its hints and bounds, faults at their fields, two people, and no doubles."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from karez.access.models import ReadEvent
from karez.intake import registry
from karez.intake.models import Batch, State
from karez.mutual_funds.models import Contribution
from karez.mutual_funds.tests.conftest import YUAN, Fund

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


def test_a_contribution_is_entered_by_one_and_decided_by_another(committed_fund: Fund) -> None:
    fund, address = committed_fund, "/files/enter/contributions/"
    page = signed_in(fund.treasurer).get(f"{address}?village={VILLAGE}").content.decode()
    assert f'value="{VILLAGE}" selected' in page and "Amount (yuan)" in page and "who pays" not in page
    assert page.count(" required") >= 5 and "number of the household, unique in its village" in page
    answer = signed_in(fund.treasurer).post(address, {**GIVEN, "household_no": _number(fund)})
    batch = Batch.objects.get(sheet="contributions")
    assert answer.status_code == 302 and answer["Location"] == f"/files/{batch.pk}/" and batch.state == State.CHECKED
    assert not Contribution.objects.exists()
    shown = signed_in(fund.approver).get(f"/files/{batch.pk}/").content.decode()
    assert "What it says" in shown and "250.00 yuan" in shown and "A 1" in shown
    assert signed_in(fund.treasurer).post(f"/files/{batch.pk}/decide/", {"do": "apply"}).status_code in (403, 409)
    from karez.intake import services

    services.apply(fund.approver, batch_id=batch.pk)
    made = Contribution.objects.get()
    assert (made.amount_fen, made.happened_on, made.receipt_no, made.batch_id) == (
        250 * YUAN,
        date(2009, 3, 4),
        "A 1",
        batch.pk,
    )


def test_faults_stand_at_their_fields_in_the_words_of_a_file(committed_fund: Fund) -> None:
    client, address = signed_in(committed_fund.treasurer), "/files/enter/contributions/"
    low = client.post(address, {**GIVEN, "household_no": _number(committed_fund), "amount": "99"})
    page = low.content.decode()
    assert low.status_code == 422 and 'value="99"' in page  # nothing typed is lost
    assert 'aria-describedby="id_amount_helptext id_amount_faults"' in page and 'id="id_amount_faults"' in page
    assert "99.00 yuan in all, 100.00 yuan to 2,000.00 yuan allowed" in page
    assert "between the least and the most the society" in page and "take in what the rules allow" in page
    unread = client.post(
        address, {**GIVEN, "household_no": _number(committed_fund), "amount": "1.000", "paid_on": "soon"}
    )
    assert unread.status_code == 422 and unread.content.decode().count("invalid-feedback") == 2
    empty = client.post(address, {"village": VILLAGE})
    assert empty.status_code == 422 and not Batch.objects.filter(state=State.CHECKED).exists()
    assert set(Batch.objects.values_list("state", flat=True)) == {State.REFUSED}


def test_the_same_form_sent_twice_is_one_and_another_form_is_another(committed_fund: Fund) -> None:
    client, address = signed_in(committed_fund.treasurer), "/files/enter/contributions/"
    given = {**GIVEN, "household_no": _number(committed_fund), "sent_form": "a"}
    first, second = client.post(address, given), client.post(address, given)
    assert first["Location"] == second["Location"] and Batch.objects.count() == 1
    assert client.post(address, given | {"sent_form": "b"})["Location"] != first["Location"]
    assert Batch.objects.count() == 2 and 'name="sent_form" value="' in client.get(address).content.decode()


def test_a_row_is_shown_to_its_sender_and_to_who_decides_alone(committed_fund: Fund) -> None:
    world = committed_fund.world
    address = "/files/enter/assessments/"
    page = signed_in(world.clerk).get(address)
    assert page.status_code == 200
    given = {"village": VILLAGE, "household_no": _number(committed_fund), "year": "2009", "size": "4", "income": "900"}
    columns = registry.sheet_named("assessments").columns
    answer = signed_in(world.clerk).post(address, {c.name: given.get(c.name, "") for c in columns})
    assert answer.status_code in (302, 422)
    given = {**GIVEN, "household_no": _number(committed_fund)}
    shown = signed_in(committed_fund.treasurer).post("/files/enter/contributions/", given)["Location"]
    before = ReadEvent.objects.count()
    assert "What it says" in signed_in(committed_fund.treasurer).get(shown).content.decode()
    assert ReadEvent.objects.count() == before
    assert "What it says" not in signed_in(world.statistician).get(shown).content.decode()
    assert "What it says" in signed_in(committed_fund.approver).get(shown).content.decode()
    assert ReadEvent.objects.latest("pk").kind == "intake.row" and ReadEvent.objects.count() == before + 1


def test_what_was_typed_wrongly_is_kept_nowhere(committed_fund: Fund) -> None:
    client, address = signed_in(committed_fund.treasurer), "/files/enter/contributions/"
    client.post(address, {**GIVEN, "household_no": _number(committed_fund), "amount": "99"})
    batch = Batch.objects.get()
    assert batch.state == State.REFUSED and batch.file_deleted_at is not None


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
                assert all(f'name="{column.name}"' in page for column in sheet.columns)
