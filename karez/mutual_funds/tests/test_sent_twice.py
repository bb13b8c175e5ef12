"""A form of money sent twice, one after the other and at the same moment, is recorded once."""

import re
import threading
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from karez.access.models import SentForm, User
from karez.mutual_funds import services
from karez.mutual_funds.models import Contribution
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund

VILLAGE = "990101100200"


def _form(fund: Fund, yuan: int) -> tuple[str, dict[str, Any]]:
    """The address of the page for own money, and what its form sends."""
    address = reverse("intake:enter", args=["contributions"])
    page = _signed_in(fund.treasurer).get(address).content.decode()
    token = re.search(r'name="sent_form" value="([0-9a-f-]{36})"', page)
    assert token
    return address, {
        "village": VILLAGE,
        "household_no": fund.members[0].household.household_no,
        "amount": str(yuan),
        "kind": "own",
        "paid_on": DAY.isoformat(),
        "account": "cash",
        "sent_form": token[1],
    }


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_the_second_sending_leads_to_the_first_record(fund: Fund) -> None:
    address, sent = _form(fund, 500)
    first, second = (_signed_in(fund.treasurer).post(address, sent) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert services.own_fen(fund.members[0].pk) == 500 * YUAN
    anew = _form(fund, 500)[1]  # the form asked for anew may be another payment: it is asked
    assert _signed_in(fund.treasurer).post(address, anew).status_code == 409
    _signed_in(fund.treasurer).post(address, anew | {"confirmed": "on"})
    assert services.own_fen(fund.members[0].pk) == 1000 * YUAN


def test_a_refused_form_can_be_corrected_and_sent_again(fund: Fund) -> None:
    address, sent = _form(fund, 99_999)  # above the rules' ceiling
    refused = _signed_in(fund.treasurer).post(address, sent)
    assert refused.status_code in (409, 422)
    assert sent["sent_form"] in refused.content.decode()
    assert not SentForm.objects.exists()
    assert _signed_in(fund.treasurer).post(address, {**sent, "amount": "500"}).status_code == 302
    assert services.own_fen(fund.members[0].pk) == 500 * YUAN


def test_a_form_amended_after_going_back_is_another_form(fund: Fund) -> None:
    address, sent = _form(fund, 500)
    _signed_in(fund.treasurer).post(address, sent)
    amended = {**sent, "amount": "700", "household_no": fund.members[1].household.household_no}
    assert _signed_in(fund.treasurer).post(address, amended).status_code == 302
    assert [services.own_fen(m.pk) for m in fund.members[:2]] == [500 * YUAN, 700 * YUAN]
    gift = reverse("intake:enter", args=["gifts"])
    given = {
        "village": VILLAGE,
        "giver": "A donor",
        "amount": "100",
        "given_on": DAY.isoformat(),
        "account": "cash",
        "sent_form": sent["sent_form"],
    }
    assert _signed_in(fund.treasurer).post(gift, given).status_code == 302
    assert fund.balance("4002") == 100 * YUAN


def test_anothers_token_is_not_mine(fund: Fund) -> None:
    address, sent = _form(fund, 500)
    _signed_in(fund.treasurer).post(address, sent)
    answer = _signed_in(fund.world.other_clerk).post(address, sent)
    assert answer.status_code == 422  # a place within the areas granted to the sender
    assert Contribution.objects.count() == 1


def test_two_sendings_at_once_are_one_record(committed_fund: Fund) -> None:
    fund = committed_fund
    address, sent = _form(fund, 500)
    answers: list[Any] = []

    def send(client: Client) -> None:
        answers.append(client.post(address, sent))
        connection.close()

    clients = [_signed_in(fund.treasurer) for _ in range(4)]
    threads = [threading.Thread(target=send, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer["Location"] for answer in answers}) == 1
    assert Contribution.objects.count() == 1
