"""Posting from the temporary table: numbers, totals, all or nothing; and what it refuses."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from karez.access.services import end_founding
from karez.ledger import services
from karez.ledger.models import Account, Book, Transfer, Voucher
from karez.ledger.tests.conftest import DAY, World, make_book

_COLUMNS = (
    "voucher_key, book_id, booking_date, kind, narration, line_no, debit_account_id, credit_account_id, "
    "amount_fen, is_receipt"
)


def fill(world: World, lines: Sequence[tuple[str, int, str, str, int]], *, receipt: bool = False) -> None:
    """Lines: (key, line_no, debit code, credit code, fen)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_bulk_open()")
        for key, no, debit, credit, fen in lines:
            row = [
                key,
                world.book.pk,
                DAY,
                "test",
                key,
                no,
                world.accounts[debit].pk,
                world.accounts[credit].pk,
                fen,
                receipt,
            ]
            cursor.execute(f"INSERT INTO ledger_bulk ({_COLUMNS}) VALUES ({', '.join(['%s'] * 10)})", row)


def post(prepared_by: int | None = 1, approved_by: int | None = 2, batch: int = 7) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_bulk_post(%s, %s, %s)", [batch, prepared_by, approved_by])
        return int(cursor.fetchone()[0])


def refused(sqlstate: str, *posting: Any) -> None:
    with pytest.raises(DatabaseError) as told, transaction.atomic():
        post(*posting)
    assert told.value.__cause__.sqlstate == sqlstate


def test_many_vouchers_post_with_gapless_numbers_and_totals(world: World) -> None:
    world.paid_in(5_00)
    fill(world, [(f"k{i:04}", 1, "1001", "2001", i) for i in range(1, 301)], receipt=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(transfer_id) FROM ledger_bulk WHERE voucher_key = 'k0300'")
        preset = cursor.fetchone()[0]
    assert post(1, None) == 300
    assert list(Voucher.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 302))
    assert Voucher.objects.order_by("-receipt_number").first().receipt_number == 301
    assert Transfer.objects.get(pk=preset).amount_fen == 300
    assert world.account("1001").balance_fen == 5_00 + 300 * 301 // 2
    fill(
        world,
        [("out", 1, "1301", "1001", 7_00), ("out", 2, "1002", "1001", 1_00), ("in", 1, "1001", "1301", 2_00)],
    )
    assert post() == 2  # the same transaction may post again
    assert world.account("1301").balance_fen == 5_00
    assert world.paid_in(1).number == 304


def test_bulk_is_all_or_nothing(world: World) -> None:
    world.paid_in(5_00)
    fill(world, [("a", 1, "1301", "1001", 4_00), ("b", 1, "1301", "1001", 2_00)])
    refused("KZ011")
    assert Voucher.objects.count() == 1
    assert world.account("1001").available_fen == 5_00
    assert world.paid_in(1).number == 2


def test_bulk_needs_two_people_for_money_out_and_whole_vouchers(world: World) -> None:
    world.paid_in(5_00)
    fill(world, [("a", 1, "1301", "1001", 4_00)])
    refused("KZ013", 1, 1)
    refused("KZ013", 1, None)
    fill(world, [("a", 1, "1301", "1001", 4_00)], receipt=True)
    refused("KZ010", 1, None)
    fill(world, [("a", 1, "1301", "1001", 4_00), ("a", 1, "1301", "1001", 1)])
    refused("23505")
    fill(world, [("a", 1, "1301", "1001", 0)])
    refused("23514")
    _other, accounts, _ = make_book(world.treasurer, world.county_id, "Second")
    fill(world, [("a", 1, "1301", "1001", 1)])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_bulk SET credit_account_id = %s", [accounts["1001"].pk])
    refused("KZ010")
    fill(world, [("a", 1, "1301", "1001", 1), ("a", 2, "1301", "1001", 1)])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_bulk SET kind = 'x' WHERE line_no = 2")
    refused("KZ017")


def test_numbers_of_transfers_come_from_the_sequence(world: World) -> None:
    fill(world, [("a", 1, "1001", "2001", 3_00)], receipt=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_bulk SET transfer_id = transfer_id + 1")  # the number of a posting to come
    refused("KZ017", 1, None)


def test_a_batch_is_reversed_voucher_by_voucher(world: World) -> None:
    fill(world, [("a", 1, "1001", "2001", 3_00), ("b", 1, "1001", "2001", 4_00)], receipt=True)
    post(1, None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_bulk_reverse(7, 1, 2, 'withdrawn')")
        assert cursor.fetchone() == (2,)
    assert world.account("1001").balance_fen == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_bulk_reverse(7, 1, 2, 'withdrawn')")
        assert cursor.fetchone() == (0,)
    with pytest.raises(Exception, match="reversal"):
        services.prepare_reversal(world.treasurer, Voucher.objects.filter(batch_id=7).first().pk, "again")


def test_the_bulk_table_must_be_the_ledgers_own(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP VIEW ledger_bulk AS SELECT 1 AS voucher_key")
    for call in ("SELECT ledger_bulk_open()", "SELECT ledger_bulk_post(1, 1, 2)"):
        with pytest.raises(DatabaseError) as told, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(call)
        assert told.value.__cause__.sqlstate == "KZ019"


def test_no_bulk_call_says_that_money_came_with_a_file_that_is_not_at_work(world: World) -> None:
    """Asked when the first people are named; batch 7 is none, or one that others applied long ago."""
    fill(world, [("a", 1, "1001", "2001", 3_00)], receipt=True)
    post(world.treasurer.pk, None)
    end_founding()
    by, other = world.treasurer.pk, world.approver.pk
    fill(world, [("b", 1, "1001", "2001", 3_00)], receipt=True)
    before = Voucher.objects.count(), Book.objects.count(), Account.objects.count()
    for call, params in (
        ("ledger_bulk_post(7, %s, NULL)", [by]),
        ("ledger_bulk_reverse(7, %s, %s, 'x')", [by, other]),
        (
            "ledger_open_books(%s, 7, 'society', ARRAY['B'], ARRAY[%s::bigint], ARRAY[%s::date], '[]')",
            [by, world.county_id, DAY],
        ),
        (
            "ledger_open_accounts(%s, 7, ARRAY[%s::bigint], ARRAY['8'], ARRAY['A'], ARRAY['debit'], NULL, NULL)",
            [by, world.book.pk],
        ),
    ):
        with pytest.raises(DatabaseError) as told, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {call}", params)
        assert told.value.__cause__.sqlstate == "KZ00C", call
    assert (Voucher.objects.count(), Book.objects.count(), Account.objects.count()) == before


def test_books_and_accounts_open_by_the_hundred(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT * FROM ledger_open_books(1, 7, 'society', %s, %s::bigint[], %s::date[],
               '[{"code": "1001", "name": "Cash", "normal_side": "debit"}, {"code": "4001", "name": "Grant", "normal_side": "credit"}]')""",
            [[f"Book {i}" for i in range(300)], [world.county_id] * 300, [DAY] * 300],
        )
        books = cursor.fetchall()
        assert [ordinal for ordinal, _ in books] == list(range(1, 301))
        cursor.execute("SELECT name FROM ledger_book WHERE id = %s", [books[41][1]])
        assert cursor.fetchone() == ("Book 41",)
        ids = [book for _, book in books]
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE holds_money) FROM ledger_account WHERE book_id = ANY(%s)",
            [ids],
        )
        assert cursor.fetchone() == (600, 300)
        again = (
            "SELECT account_id FROM ledger_open_accounts(1, 7, %s::bigint[], %s, %s, %s, NULL, NULL) ORDER BY ordinal"
        )
        cursor.execute(again, [ids[:2], ["L1", "1001"], ["Line", "Cash"], ["credit", "debit"]])
        assert len(set(cursor.fetchall())) == 2
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(again, [ids[:1], ["1001"], ["Cash"], ["credit"]])
