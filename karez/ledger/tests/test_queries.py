"""What pages and rooms above ask of the books, and that nobody sees another county's."""

from datetime import date

import pytest
from django.db import connection

from karez.kernel.refusal import Refusal
from karez.ledger import checks, queries, services
from karez.ledger.tests.conftest import DAY, World, make_book

JAN, FEB, DEC = date(2009, 1, 10), date(2009, 2, 10), date(2009, 12, 31)


@pytest.fixture
def busy(world: World) -> World:
    """100 in January, 50 in February, 30 lent in February, 10 of it back on 31 March, one voucher pending."""
    world.paid_in(100_00, JAN)
    world.paid_in(50_00, FEB)
    lent = services.prepare(world.treasurer, [world.draft("1301", "1001", 30_00, FEB, "loan")])
    services.approve(world.approver, lent)
    services.receive(world.treasurer, [world.draft("1001", "1301", 10_00, DAY)])
    services.prepare(world.treasurer, [world.draft("1301", "1001", 5_00, DAY, "loan")])
    return world


def test_cash_book_runs_from_its_opening(busy: World) -> None:
    cash = busy.accounts["1001"].pk
    page = queries.cash_book(busy.approver, cash, FEB, DEC)
    assert (page.opening_fen, page.closing_fen) == (100_00, 130_00)
    assert [(r.debit_fen, r.credit_fen, r.balance_fen) for r in page.rows] == [
        (50_00, 0, 150_00),
        (0, 30_00, 120_00),
        (10_00, 0, 130_00),
    ]
    assert [r.other_code for r in page.rows] == ["2001", "1301", "1301"]
    first = queries.cash_book(busy.approver, cash, FEB, DEC, limit=2)
    rest = queries.cash_book(busy.approver, cash, FEB, DEC, limit=2, after=first.next_after)
    assert [*first.rows, *rest.rows] == page.rows
    assert rest.next_after is None
    contributions = queries.cash_book(busy.approver, busy.accounts["2001"].pk, JAN, DEC)
    assert [r.balance_fen for r in contributions.rows] == [100_00, 150_00]


def test_balances_and_capital_are_of_a_day(busy: World) -> None:
    cash, book = busy.accounts["1001"].pk, busy.book.pk
    days = [date(2009, 1, 9), JAN, FEB, DAY]
    assert [queries.balance_fen(busy.approver, cash, d) for d in days] == [0, 100_00, 120_00, 130_00]
    assert [queries.capital_fen(busy.approver, book, d, ["2001", "4001"]) for d in days] == [
        0,
        100_00,
        150_00,
        150_00,
    ]


def test_trial_balance_balances(busy: World) -> None:
    found = queries.trial_balance(busy.approver, busy.book.pk, FEB)
    assert found.debit_fen == found.credit_fen == 150_00
    assert {r.code: r.balance_fen for r in found.rows if r.balance_fen} == {
        "1001": 120_00,
        "1301": 30_00,
        "2001": 150_00,
    }
    assert len(found.rows) == 7
    make_book(busy.treasurer, busy.county_id, "Second")
    all_books = queries.trial_balances(busy.approver, "society", FEB)
    assert len(all_books) == 2
    assert all_books[busy.book.pk] == found.rows


def test_vouchers_are_paged_by_key(busy: World) -> None:
    every = queries.vouchers(busy.approver, busy.book.pk)
    assert [v.state for v in every] == ["pending", "posted", "posted", "posted", "posted"]
    pages, after = [], None
    while page := queries.vouchers(busy.approver, busy.book.pk, after=after, limit=2):
        pages += page
        after = (page[-1].booking_date, page[-1].pk)
    assert pages == every
    assert len(queries.vouchers(busy.approver, busy.book.pk, kind="loan")) == 2


def test_a_voucher_opens_with_lines_and_people(busy: World) -> None:
    pending, *_, first = queries.vouchers(busy.approver, busy.book.pk)
    page = queries.voucher(busy.approver, pending.pk)
    assert (page.total_fen, page.voucher.state, page.people) == (
        5_00,
        "pending",
        {busy.treasurer.pk: "treasurer"},
    )
    page = queries.voucher(busy.approver, first.pk)
    assert page.lines[0].debit_account.code == "1001"
    assert queries.voucher_of_transfer(busy.approver, page.lines[0].pk).voucher == first
    services.prepare_reversal(busy.treasurer, first.pk, "wrong") if busy.account("2001").available_fen else None
    found = queries.voucher(busy.approver, first.pk).reversal
    assert found is None or found.reverses_id == first.pk


def test_what_waits_is_shown_to_the_second_person(busy: World) -> None:
    (waiting,) = queries.waiting_sets(busy.approver)
    assert queries.waiting_sets(busy.treasurer, permission="ledger.prepare") == []  # one's own is not for oneself
    assert queries.waiting_sets(busy.stranger, permission="ledger.prepare") == []
    found, pages = queries.voucher_set(busy.approver, waiting.pk)
    assert (found.state, [p.total_fen for p in pages]) == ("pending", [5_00])


def test_another_county_sees_nothing(busy: World) -> None:
    cash, book = busy.accounts["1001"].pk, busy.book.pk
    a_voucher = queries.vouchers(busy.approver, book)[-1].pk
    transfer = queries.voucher(busy.approver, a_voucher).lines[0].pk
    (waiting,) = queries.waiting_sets(busy.approver)
    assert queries.books(busy.stranger) == []
    assert queries.trial_balances(busy.stranger, "society", DAY) == {}
    assert queries.transfers(busy.stranger, [transfer]) == []
    assert [t.pk for t in queries.transfers(busy.approver, [transfer])] == [transfer]
    for ask in (
        lambda: queries.book(busy.stranger, book),
        lambda: queries.account(busy.stranger, cash),
        lambda: queries.accounts(busy.stranger, book),
        lambda: queries.vouchers(busy.stranger, book),
        lambda: queries.voucher(busy.stranger, a_voucher),
        lambda: queries.voucher_of_transfer(busy.stranger, transfer),
        lambda: queries.voucher_set(busy.stranger, waiting.pk),
        lambda: queries.cash_book(busy.stranger, cash, JAN, DEC),
        lambda: queries.balance_fen(busy.stranger, cash, DAY),
        lambda: queries.trial_balance(busy.stranger, book, DAY),
        lambda: queries.cash_counts(busy.stranger, book),
    ):
        with pytest.raises(Refusal) as told:
            ask()
        assert told.value.code == "access.not_granted"


def failing(year: int = 2009) -> dict[str, int]:
    """Closing check -> how many rows it finds wrong, of those that find any."""
    found = {}
    params = {"as_of": date(year, 12, 31), "year": year, "year_start": date(year, 1, 1)}
    for check in checks.CHECKS:
        with connection.cursor() as cursor:
            cursor.execute(check.sql, params)
            found[check.name] = len(cursor.fetchall())
    return {name: n for name, n in found.items() if n}


def test_closing_checks_find_what_is_wrong(busy: World) -> None:
    assert failing() == {"ledger_pending": 1}
    services.approve(busy.approver, queries.waiting_sets(busy.approver)[0].pk)
    assert failing() == {}
    early = services.prepare(busy.treasurer, [busy.draft("1301", "1001", 1, date(2009, 1, 1))])
    services.approve(busy.approver, early)  # lent before anything was paid in, by its date
    assert failing() == {"ledger_overdrawn_on_a_day": 1}
