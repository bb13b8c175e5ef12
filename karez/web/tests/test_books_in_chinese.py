"""Books on a Chinese page: no account's name and no narration of the program stays English, and what people typed stays
as typed.
"""

import re
from datetime import date
from functools import cache
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from karez.figures.vouchers import transfers_of
from karez.ledger import services as ledger
from karez.ledger.models import Account, Book, Transfer, Voucher
from karez.mutual_funds import proposals, services
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund, fund  # noqa: F401 - a fixture
from karez.mutual_funds.tests.test_sheets import county, load  # noqa: F401 - a fixture
from karez.web.locale.raised_books import book_texts


@cache
def _pieces() -> set[str]:
    return {
        piece.strip(" ,")
        for text in book_texts()
        for piece in re.split(r"\{\d+\}", text)
        if re.search("[A-Za-z]{3}", piece)
    }


def _page(user: Any, address: str, language: str = "zh-hans") -> str:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(
        r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    ).replace("&#x27;", "'")


def _english_in(page: str) -> set[str]:
    return {piece for piece in _pieces() if re.search(rf"\b{re.escape(piece)}\b", page)}


@pytest.fixture
def booked(fund: Fund) -> Fund:  # noqa: F811
    """A society in whose book everything happened once."""
    services.accept_gift(
        fund.treasurer, society=fund.society, giver="Bank of Grant, Ltd", amount_fen=100 * YUAN, given_on=DAY
    )
    for member in fund.members:
        fund.pay_in(member, 2000)
    grant = proposals.prepare_grant(
        fund.treasurer,
        society=fund.society,
        line=fund.line,
        amount_fen=150_000 * YUAN,
        granted_on=DAY,
        document_no="No 7, 2009",
    )
    proposals.approve(fund.approver, grant)
    loan, lost = fund.lend(fund.members[0], 1000, "2009-1"), fund.lend(fund.members[1], 50, "2009-2")
    services.record_repayment(fund.treasurer, loan=loan, amount_fen=50 * YUAN, paid_on=DAY)
    services.accept_gift(fund.treasurer, society=fund.society, giver="A firm", amount_fen=100 * YUAN, given_on=DAY)
    refund = proposals.prepare_refund(fund.treasurer, member=fund.members[2], amount_fen=10 * YUAN, refunded_on=DAY)
    proposals.approve(fund.approver, refund)
    services.record_repayment(fund.treasurer, loan=lost, amount_fen=10 * YUAN, paid_on=DAY)
    proposals.approve(
        fund.approver, proposals.prepare_write_off(fund.treasurer, loan=lost, decided_on=DAY, reason="drowned")
    )
    return fund


def test_vouchers_and_books_are_told_in_chinese(booked: Fund) -> None:
    books = {book.pk for book in Book.objects.filter(kind__in=["office", "county"])} | {booked.society.book_id}
    addresses = [f"/ledger/books/{pk}/" for pk in books]
    addresses += [
        f"/ledger/vouchers/{pk}/" for pk in Voucher.objects.filter(book__in=books).values_list("pk", flat=True)
    ]
    addresses += [
        f"/ledger/accounts/{pk}/?first=2009-01-01&last=2009-12-31"
        for pk in Account.objects.filter(book__in=books).values_list("pk", flat=True)
    ]
    for address in ["/ledger/", *addresses, f"/funds/lines/{booked.line.pk}/"]:
        page = _page(booked.world.finance, address).replace("Bank of Grant, Ltd", "")
        assert not _english_in(page), address
        assert "county office" not in page and "regional office" not in page


def test_what_people_typed_stays(booked: Fund) -> None:
    typed = Voucher.objects.get(narration="Gift of Bank of Grant, Ltd")
    assert "Bank of Grant, Ltd捐赠" in _page(booked.world.finance, f"/ledger/vouchers/{typed.pk}/")
    given = Voucher.objects.get(book=booked.society.book_id, kind="grant")
    assert "财政投入，No 7, 2009" in _page(booked.world.finance, f"/ledger/vouchers/{given.pk}/")
    back = proposals.prepare_reversal(
        booked.treasurer, society=booked.society, voucher_id=typed.pk, reason="Grant, and no gift"
    )
    proposals.approve(booked.approver, back)
    reversal = Voucher.objects.get(reverses=typed)
    assert "Grant, and no gift" in _page(booked.world.finance, f"/ledger/vouchers/{reversal.pk}/")
    english = _page(booked.world.finance, f"/ledger/vouchers/{given.pk}/", "en")
    assert "Grant, No 7, 2009" in english and "Bank" in english


def test_the_book_of_a_county_takes_the_name_of_its_place(booked: Fund) -> None:
    book = Book.objects.get(kind="county")
    place = book.area.tree
    assert place.name_zh and book.name == f"{place.name_en} county office"
    assert f"{place.name_zh}县级办公室" in _page(booked.world.finance, f"/ledger/books/{book.pk}/")
    assert book.name in _page(booked.world.finance, f"/ledger/books/{book.pk}/", "en")
    assert "县级办公室" in _page(booked.world.finance, f"/places/{book.area_id}/")


def test_what_waits_and_a_trace_are_told_in_chinese(booked: Fund) -> None:
    accounts = services.accounts_of(booked.society)
    draft = ledger.Draft(
        booked.society.book_id,
        DAY,
        "transfer",
        "to the bank of the township",
        (ledger.Line(accounts["1002"], accounts["1001"], 5),),
    )
    waits = ledger.prepare(booked.world.finance, [draft], permission="ledger.prepare")
    for address in (f"/ledger/sets/{waits}/", reverse("ledger:pending")):
        page = _page(booked.approver, address)
        assert "to the bank of the township" in page and not _english_in(page), address
    moved = transfers_of([{"transfer_id": pk} for pk in Transfer.objects.values_list("pk", flat=True)])
    with translation.override("zh-hans"):
        trace = render_to_string("trace/trace_vouchers.html", {"transfers": moved})
    plain = re.sub("<[^>]+>", " ", trace).replace("&#x27;", "'").replace("Bank of Grant, Ltd", "")
    assert "社员缴纳互助金" in plain and not _english_in(plain)


def test_what_a_file_booked_is_told_in_chinese(county: Any) -> None:  # noqa: F811
    load(county)
    for voucher in Voucher.objects.all():
        assert not _english_in(_page(county.finance, f"/ledger/vouchers/{voucher.pk}/")), voucher.narration
    first = date(2009, 1, 1)
    cash_books = Account.objects.filter(holds_money=True).values_list("pk", flat=True)
    for pk in cash_books:
        assert not _english_in(_page(county.finance, f"/ledger/accounts/{pk}/?first={first}&last=2009-12-31"))
