"""A voucher on whose money a record stands: the ledger sends to the record's room, and there both go together."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from karez.access.models import User
from karez.funds import queries, services
from karez.funds.models import Allocation, Appropriation, Proposal
from karez.funds.tests.conftest import MILLION, appropriate, make_line
from karez.kernel.refusal import Refusal
from karez.ledger import services as ledger
from karez.ledger.models import Transfer, Voucher


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _said(answer: Any) -> str:
    return str(answer.content.decode())


def _passed(world: Any) -> Allocation:
    line = make_line(world)
    appropriate(world, line, MILLION)
    made = services.approve(
        world.approver,
        services.prepare_allocation(
            world.finance,
            line=line,
            county_id=world.areas["990101"],
            amount_fen=100,
            happened_on=date(2009, 4, 1),
            reference="B-1",
            document_no="D",
        ),
    )
    assert isinstance(made, Allocation)
    return made


def test_the_ledger_refuses_and_says_where(world: Any) -> None:
    passed = _passed(world)
    received = Appropriation.objects.get()
    for transfer, address in (
        (received.transfer_id, f"/funds/appropriations/{received.pk}/take-back/"),
        (passed.transfer_out_id, f"/funds/allocations/{passed.pk}/take-back/"),
        (passed.transfer_in_id, f"/funds/allocations/{passed.pk}/take-back/"),
    ):
        voucher = Transfer.objects.get(pk=transfer).voucher_id
        with pytest.raises(Refusal) as no:
            ledger.prepare_reversal(world.finance, voucher, "wrong")
        assert no.value.code == "ledger.claimed"
        assert address in no.value.todo
        client = _client(world.finance)
        page = _said(client.get(f"/ledger/vouchers/{voucher}/"))
        assert address in page
        assert f"/ledger/vouchers/{voucher}/reverse/" not in page
        assert client.get(f"/ledger/vouchers/{voucher}/reverse/")["Location"] == address
        answer = client.post(f"/ledger/vouchers/{voucher}/reverse/", {"reason": "wrong"})
        assert answer.status_code == 409
        assert "A record of another room stands" in _said(answer) or "a record of another room stands" in _said(answer)
    assert not Voucher.objects.filter(reverses__isnull=False).exists()


def test_record_and_money_are_taken_back_on_the_funds_page(world: Any) -> None:
    passed = _passed(world)
    address = f"/funds/allocations/{passed.pk}/take-back/"
    finance = _client(world.finance)
    assert address in _said(finance.get(f"/funds/lines/{passed.line_id}/"))
    assert "B-1" in _said(finance.get(address))
    assert finance.post(address, {"reason": ""}).status_code == 422
    finance.post(address, {"reason": "wrong county"})
    proposal = Proposal.objects.get(kind=Proposal.Kind.VOID_ALLOCATION)
    assert finance.post(address, {"reason": "again"}).status_code == 409
    _client(world.approver).post(f"/funds/waiting/{proposal.pk}/", {"approve": "1"})
    passed.refresh_from_db()
    assert passed.void_reason == "wrong county"
    assert [b.balance_fen for b in queries.line_balances(world.auditor) if b.book_kind == "county"] == [0]
    assert "already taken back" in _said(finance.post(address, {"reason": "again"}))


def test_who_may_take_back(world: Any) -> None:
    passed = _passed(world)
    address = f"/funds/allocations/{passed.pk}/take-back/"
    assert _client(world.clerk).get(address).status_code == 403  # sees it, does not prepare
    assert _client(world.other_clerk).get(address).status_code == 404
    assert _client(world.other_clerk).get("/funds/allocations/987654/take-back/").status_code == 404
    assert "take-back" not in _said(_client(world.auditor).get(f"/funds/lines/{passed.line_id}/"))
