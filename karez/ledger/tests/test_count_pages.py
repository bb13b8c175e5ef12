"""The cash count on its pages: counted by one, countersigned by another, its difference explained; elsewhere nothing
opens.
"""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from karez.access.models import User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.kernel.refusal import Refusal
from karez.ledger import inbox, services
from karez.ledger.models import CashCount
from karez.ledger.tests.conftest import DAY, World


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _said(answer: Any) -> str:
    return str(answer.content.decode())


def test_one_counts_and_another_countersigns(world: World) -> None:
    world.paid_in(50_000)
    page = f"/ledger/accounts/{world.accounts['1001'].pk}/counts/"
    mine = _client(world.treasurer)
    assert "Not counted yet" in _said(mine.get(page))
    assert page in _said(mine.get(f"/ledger/accounts/{world.accounts['1001'].pk}/"))
    answer = mine.post(page, {"counted_on": DAY, "counted_fen": "480.00"})
    assert answer.status_code == 409
    assert "480.00 yuan counted, 500.00 in the book, and no note" in _said(answer)
    assert 'value="480.00"' in _said(answer)  # nothing typed is lost
    assert not CashCount.objects.exists()
    said = _said(
        mine.post(page, {"counted_on": DAY, "counted_fen": "480.00", "note": "change given wrongly"}, follow=True)
    )
    assert "-20.00" in said or "−20.00" in said
    count = CashCount.objects.get()
    assert "waits for a colleague" in said
    assert f"/ledger/counts/{count.pk}/countersign/" not in said
    assert [i.count for i in inbox.items(world.treasurer)] == [0]
    assert [i.count for i in inbox.items(world.colleague)] == [1]
    other = _client(world.colleague)
    assert "change given wrongly" in _said(other.get("/ledger/counts/"))
    assert "Countersigned, under your name." in _said(
        other.post(f"/ledger/counts/{count.pk}/countersign/", follow=True)
    )
    count.refresh_from_db()
    assert count.countersigned_by_id == world.colleague.pk
    assert "Nothing waits" in _said(other.get("/ledger/counts/"))
    again = other.post(f"/ledger/counts/{count.pk}/countersign/")
    assert (again.status_code, CashCount.objects.count()) == (409, 1)


def test_who_counts_and_who_countersigns(world: World) -> None:
    account = world.accounts["1001"]
    count = services.count_cash(world.treasurer, account=account, counted_on=DAY, counted_fen=0)
    with pytest.raises(Refusal, match=r"ledger\.cash_count|another person"):
        services.countersign_cash(world.treasurer, count.pk)
    auditor = add_user(username="auditor", full_name="Auditor", password=None)
    grant_role(None, user=auditor, role=Role.AUDITOR, area_id=world.county_id, starts_on=date(2009, 1, 1))
    with pytest.raises(Refusal, match="no role over this area that may do this"):
        services.countersign_cash(auditor, count.pk)
    said = _said(_client(auditor).get(f"/ledger/accounts/{account.pk}/counts/"))
    assert "Record the count" not in said
    assert "countersign/" not in said
    assert (
        _client(auditor)
        .post(f"/ledger/accounts/{account.pk}/counts/", {"counted_on": DAY, "counted_fen": "0"})
        .status_code
        == 403
    )
    assert "holds no money" in _said(
        _client(world.treasurer).get(f"/ledger/accounts/{world.accounts['2001'].pk}/counts/")
    )
