"""A society's voucher is taken back with the records on it, from its own page; the ledger sends there."""

from typing import Any

import pytest
from django.test import Client

from karez.kernel.refusal import Refusal
from karez.ledger import services as ledger
from karez.ledger.models import Transfer, Voucher
from karez.mutual_funds import proposals
from karez.mutual_funds.models import Contribution, Grant, Proposal
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund


def _client(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_contribution_goes_with_its_voucher(fund: Fund) -> None:
    paid = fund.pay_in(fund.members[0], 500)
    voucher = Transfer.objects.get(pk=paid.transfer_id).voucher_id
    address = f"/mutual-funds/{fund.society.pk}/vouchers/{voucher}/take-back/"
    with pytest.raises(Refusal) as no:
        ledger.prepare_reversal(fund.treasurer, voucher, "wrong")
    assert (no.value.code, no.value.more["address"]) == ("ledger.claimed", address)
    client = _client(fund.treasurer)
    assert address in client.get(f"/ledger/vouchers/{voucher}/").content.decode()
    page = client.get(address).content.decode()
    assert "What becomes void" in page
    client.post(address, {"reason": "counted wrongly"})
    waits = Proposal.objects.get(kind="reversal")
    _client(fund.approver).post(f"/mutual-funds/waiting/{waits.pk}/", {"approve": "1"})
    assert Contribution.objects.get(pk=paid.pk).void_reason == "counted wrongly"
    assert fund.balance("2001") == 0
    theirs = f"/mutual-funds/{fund.other.pk}/vouchers/{voucher}/take-back/"
    assert client.get(theirs).status_code == client.get("/mutual-funds/98765/vouchers/1/take-back/").status_code == 404


def test_both_sides_of_a_grant_lead_to_the_society(fund: Fund) -> None:
    proposals.approve(
        fund.approver,
        proposals.prepare_grant(
            fund.world.finance,
            society=fund.society,
            line=fund.line,
            amount_fen=150_000 * YUAN,
            granted_on=DAY,
            document_no="G",
        ),
    )
    grant = Grant.objects.get()
    ours, county = (Transfer.objects.get(pk=t).voucher_id for t in (grant.transfer_id, grant.county_transfer_id))
    for voucher in (ours, county):
        with pytest.raises(Refusal) as no:
            ledger.prepare_reversal(fund.world.finance, voucher, "wrong")
        assert no.value.more["address"] == f"/mutual-funds/{fund.society.pk}/vouchers/{ours}/take-back/"
    assert not Voucher.objects.filter(reverses__isnull=False).exists()
