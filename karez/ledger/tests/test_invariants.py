"""Every named invariant, attacked by raw SQL as the app's role; constraints behind the functions, as the owner."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from django.db import connection

from karez.kernel.refusal import Refusal
from karez.ledger import services
from karez.ledger.models import Voucher
from karez.ledger.tests.conftest import DAY, World, make_book
from karez.ledger.tests.test_queries import failing
from karez.system import database

Connect = Callable[[], "psycopg.Connection[Any]"]
TABLES = ("book", "account", "set", "voucher", "pending_line", "transfer", "counter", "cash_count")
POST = (
    "SELECT * FROM ledger_post(%(by)s, %(approver)s, %(receipt)s, NULL, %(book)s, %(day)s, %(day)s, 'x', 'x', NULL,"
    " %(debits)s::bigint[], %(credits)s::bigint[], %(amounts)s::bigint[])"
)


def one(world: World, debit: str, credit: str, fen: int, **other: Any) -> dict[str, Any]:
    """The parameters of one voucher of one line for POST."""
    a = world.accounts
    return {
        "by": world.treasurer.pk,
        "approver": None,
        "receipt": True,
        "book": world.book.pk,
        "day": DAY,
        "debits": [a[debit].pk],
        "credits": [a[credit].pk],
        "amounts": [fen],
        **other,
    }


def state_of(raw: psycopg.Connection[Any], sql: str, params: Any = None) -> str:
    """The SQLSTATE or constraint with which a statement is refused."""
    with pytest.raises(psycopg.Error) as told:
        raw.execute(sql, params)
    raw.rollback()
    return told.value.diag.constraint_name or told.value.sqlstate or ""


@pytest.fixture
def seat(committed_world: World, app_connection: Connect) -> psycopg.Connection[Any]:
    """The attacker's connection, as the app's role."""
    return app_connection()


@pytest.fixture
def owner(committed_world: World) -> Any:
    """The owner's connection: for constraints that stand behind the functions."""
    with psycopg.connect(database.conninfo(database.OWNER)) as raw:
        yield raw


def test_the_app_changes_no_table_directly(committed_world: World, seat: psycopg.Connection[Any]) -> None:
    committed_world.paid_in(1_00)
    for table in TABLES:
        column = "prepared_by_id" if table in ("set", "voucher") else "id"
        for sql in (
            f"UPDATE ledger_{table} SET {column} = {column}",
            f"DELETE FROM ledger_{table}",
            f"TRUNCATE ledger_{table} CASCADE",
            f"INSERT INTO ledger_{table} DEFAULT VALUES",
            f"SELECT 1 FROM ledger_{table} FOR UPDATE",
        ):
            assert state_of(seat, sql) == "42501", sql
        seat.execute(f"SELECT * FROM ledger_{table}")


def test_helpers_are_closed_to_the_app(seat: psycopg.Connection[Any]) -> None:
    for call in (
        "ledger_next_number(1, 2009, false)",
        "ledger_take_set(1)",
        "ledger_bulk_moves()",
        "ledger_bulk_ours()",
    ):
        assert state_of(seat, f"SELECT {call}") == "42501"


def test_no_unbalanced_or_crooked_transfer(committed_world: World, seat: psycopg.Connection[Any]) -> None:
    w = committed_world
    assert state_of(seat, POST, one(w, "1001", "2001", 0)) == "ledger_transfer_amount_above_zero"
    assert state_of(seat, POST, one(w, "1001", "2001", -5)) in ("KZ011", "ledger_account_totals_not_negative")
    assert state_of(seat, POST, one(w, "1001", "1001", 5)) in ("KZ012", "ledger_transfer_two_accounts")
    assert state_of(seat, POST, one(w, "1001", "2001", 5, debits=[None])) == "KZ010"
    assert state_of(seat, POST, one(w, "1001", "2001", 5, amounts=[None])) == "KZ011"
    for short in ({"credits": []}, {"debits": []}, {"amounts": None}, {"debits": [], "credits": [], "amounts": []}):
        assert state_of(seat, POST, one(w, "1001", "2001", 5, **short)) == "KZ017"
    mine = [w.accounts["1001"].pk] * 2
    assert state_of(seat, POST, one(w, "1001", "2001", 5, debits=mine, credits=[w.accounts["2001"].pk] * 2)) == "KZ017"
    other, accounts, _ = make_book(w.treasurer, w.county_id, "Second")
    assert state_of(seat, POST, one(w, "1001", "2001", 5, credits=[accounts["2001"].pk])) == "KZ010"
    assert state_of(seat, POST, one(w, "1001", "2001", 5, book=other.pk)) == "KZ010"
    assert failing() == {}
    assert Voucher.objects.count() == 0


def test_constraints_stand_behind_the_functions(committed_world: World, owner: psycopg.Connection[Any]) -> None:
    w = committed_world
    paid = w.paid_in(10_00)
    _other, accounts, _ = make_book(w.treasurer, w.county_id, "Second")
    line = (
        "INSERT INTO ledger_transfer (book_id, booking_date, voucher_id, line_no, debit_account_id, "
        "credit_account_id, amount_fen) VALUES"
    )
    mine, theirs = w.accounts["1001"].pk, accounts["2001"].pk
    row = f"({w.book.pk}, '{DAY}', {paid.voucher_id}, 2"
    assert state_of(owner, f"{line} {row}, {mine}, {theirs}, 1)") == "ledger_transfer_credit_in_book"
    assert state_of(owner, f"{line} {row}, {theirs}, {mine}, 1)") == "ledger_transfer_debit_in_book"
    assert state_of(owner, f"{line} {row}, {mine}, {mine}, 1)") == "ledger_transfer_two_accounts"
    moved = row.replace(str(DAY), "2010-01-01")
    assert state_of(owner, f"{line} {moved}, {mine}, {w.accounts['2001'].pk}, 1)") == "ledger_transfer_of_voucher"
    spend = f"UPDATE ledger_account SET posted_credit_fen = 1001 WHERE id = {mine}"
    assert state_of(owner, spend) == "ledger_account_not_overdrawn"
    assert state_of(owner, spend.replace("posted_credit", "pending_credit")) == "ledger_account_not_overdrawn"
    change = f"UPDATE ledger_voucher SET %s WHERE id = {paid.voucher_id}"
    assert state_of(owner, change % "year = 2010") == "ledger_voucher_year_of_booking"
    assert state_of(owner, change % "is_receipt = false, receipt_number = NULL") == "ledger_voucher_four_eyes"
    assert state_of(owner, change % "number = NULL") == "ledger_voucher_numbered_when_posted"
    assert state_of(owner, change % "receipt_number = NULL") == "ledger_voucher_numbered_when_posted"
    assert state_of(owner, change % "happened_on = '2010-01-01'") == "ledger_voucher_not_booked_before_it_happened"
    assert state_of(owner, change % "reverses_id = id") == "ledger_voucher_reversal_is_no_receipt"
    w.paid_in(1)
    assert state_of(owner, change % "number = 2") == "ledger_voucher_number_once"
    assert state_of(owner, change % "receipt_number = 2") == "ledger_voucher_receipt_number_once"


def test_nobody_overdraws(committed_world: World, seat: psycopg.Connection[Any]) -> None:
    w = committed_world
    w.paid_in(10_00)
    two_people = {"receipt": False, "approver": w.approver.pk}
    assert state_of(seat, POST, one(w, "1301", "1001", 10_01, **two_people)) == "KZ011"
    services.prepare(w.treasurer, [w.draft("1301", "1001", 4_00)])
    assert state_of(seat, POST, one(w, "1301", "1001", 6_01, **two_people)) == "KZ011"
    assert state_of(seat, POST, one(w, "2001", "4003", 10_01, **two_people)) == "KZ011"
    seat.execute(POST, one(w, "1301", "1001", 6_00, **two_people))
    seat.commit()
    assert w.account("1001").available_fen == 0


def test_money_out_needs_two_people(committed_world: World, seat: psycopg.Connection[Any]) -> None:
    w = committed_world
    w.paid_in(10_00)
    out = one(w, "1301", "1001", 1_00)
    assert state_of(seat, POST, out) == "KZ012"
    assert state_of(seat, POST, {**out, "receipt": False}) == "ledger_voucher_four_eyes"
    assert state_of(seat, POST, {**out, "receipt": False, "approver": w.treasurer.pk}) == "ledger_voucher_four_eyes"
    assert state_of(seat, POST, {**out, "receipt": None}) in ("23502", "ledger_voucher_four_eyes", "KZ012")
    assert state_of(seat, POST, {**out, "receipt": False, "approver": w.approver.pk, "by": None}) == "23502"
    set_id = services.prepare(w.treasurer, [w.draft("1301", "1001", 1_00)])
    assert state_of(seat, "SELECT * FROM ledger_approve(%s, %s)", [set_id, w.treasurer.pk]) == "KZ013"
    assert state_of(seat, "SELECT * FROM ledger_approve(%s, NULL)", [set_id]) == "KZ013"
    seat.execute("SELECT * FROM ledger_approve(%s, %s)", [set_id, w.approver.pk])
    seat.commit()
    assert state_of(seat, "SELECT * FROM ledger_approve(%s, %s)", [set_id, w.approver.pk]) == "KZ015"
    assert state_of(seat, "SELECT ledger_refuse_set(%s, %s, 'x')", [set_id, w.approver.pk]) == "KZ015"
    assert state_of(seat, "SELECT * FROM ledger_approve(NULL, %s)", [w.approver.pk]) == "KZ014"
    another = services.prepare(w.treasurer, [w.draft("1301", "1001", 1_00)])
    assert (
        state_of(seat, "SELECT ledger_refuse_set(%s, %s, ' ')", [another, w.approver.pk]) == "ledger_set_decided_once"
    )


def test_a_reversal_happens_once_and_is_not_reversed(committed_world: World, seat: psycopg.Connection[Any]) -> None:
    w = committed_world
    paid = w.paid_in(10_00)
    reverse = "SELECT ledger_prepare_reversal(%s, %s, NULL, 'wrong')"
    found = seat.execute(reverse, [paid.voucher_id, w.treasurer.pk]).fetchone()
    seat.commit()
    assert state_of(seat, reverse, [paid.voucher_id, w.colleague.pk]) == "KZ016"
    (reversal,) = services.approve(w.approver, found[0])
    assert state_of(seat, reverse, [paid.voucher_id, w.colleague.pk]) == "KZ016"
    assert state_of(seat, reverse, [reversal.voucher_id, w.colleague.pk]) == "KZ016"
    assert state_of(seat, reverse, [10**9, w.colleague.pk]) == "KZ016"
    # Going round by the temporary table, which takes any voucher's id.
    w.paid_in(1)
    a = w.accounts
    for target, fen in ((paid.voucher_id, 10_00), (reversal.voucher_id, 10_00), (w.paid_in(5).voucher_id, 4)):
        seat.execute("SELECT ledger_bulk_open()")
        seat.execute(
            """INSERT INTO ledger_bulk (voucher_key, book_id, booking_date, kind, narration, debit_account_id,
                credit_account_id,
               amount_fen, reverses_id) VALUES ('k', %s, %s, 'x', 'x', %s, %s, %s, %s)""",
            [w.book.pk, DAY, a["2001"].pk, a["1001"].pk, fen, target],
        )
        expected = "ledger_voucher_reversed_once" if target == paid.voucher_id else "KZ016"
        assert state_of(seat, "SELECT ledger_bulk_post(NULL, 1, 2)") == expected
    (set_id,) = seat.execute("SELECT max(id) FROM ledger_set").fetchone()
    assert (
        state_of(
            seat,
            "SELECT ledger_write_set(1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        )
        == "42501"
    )
    assert Voucher.objects.filter(set_id=set_id).count() == 1


def test_a_closed_year_takes_no_money(committed_world: World, seat: psycopg.Connection[Any]) -> None:
    w = committed_world
    paid = w.paid_in(10_00)
    w.paid_in(1_00)
    waiting = services.prepare(w.treasurer, [w.draft("1301", "1001", 1_00)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT periods_prepare_close(2009, 1)")
        cursor.execute("SELECT periods_begin_close(2009, 2)")
        cursor.execute("SELECT periods_finish_close(2009, 'digest')")
    assert state_of(seat, POST, one(w, "1001", "2001", 5)) == "KZ001"
    assert state_of(seat, "SELECT * FROM ledger_approve(%s, %s)", [waiting, w.approver.pk]) == "KZ001"
    early = "SELECT ledger_prepare_reversal(%s, %s, %s, 'wrong')"
    assert state_of(seat, early, [paid.voucher_id, w.treasurer.pk, DAY]) == "KZ001"
    seat.execute(early, [paid.voucher_id, w.treasurer.pk, None])  # counts from the first open day
    seat.rollback()
    services.refuse_set(w.approver, waiting, "the year is closed")  # moves nothing
    assert state_of(seat, "SELECT ledger_count_cash(%s, %s, 1, '', 1)", [w.accounts["1001"].pk, DAY]) == "KZ001"


def test_a_difference_is_never_stored_unexplained(committed_world: World, seat: psycopg.Connection[Any]) -> None:
    account = committed_world.accounts["1001"].pk
    count = "SELECT ledger_count_cash(%s, %s, %s, %s, 1)"
    for note in ("", "  \n", None):
        assert state_of(seat, count, [account, DAY, 1, note]) == "ledger_cash_count_says_why_it_differs"
    seat.execute(count, [account, DAY, 1, "a coin found"])
    seat.execute(count, [account, DAY, 0, ""])  # as the book says


def test_a_temporary_table_cannot_stand_in_for_ours(committed_world: World, seat: psycopg.Connection[Any]) -> None:
    w = committed_world
    seat.execute("CREATE TEMP TABLE ledger_account AS SELECT * FROM ledger_account")
    seat.execute("UPDATE ledger_account SET may_overdraw = true")
    seat.execute("CREATE TEMP TABLE ledger_counter AS SELECT * FROM ledger_counter")
    seat.commit()
    two_people = {"receipt": False, "approver": w.approver.pk}
    assert state_of(seat, POST, one(w, "1301", "1001", 1, **two_people)) == "KZ011"
    seat.execute("SET search_path = pg_temp, public")
    assert state_of(seat, POST, one(w, "1301", "1001", 1, **two_people)) == "KZ011"


def test_a_voucher_counts_from_its_own_day(
    committed_world: World, seat: psycopg.Connection[Any], owner_cursor: Any
) -> None:
    """By every way in: at once, prepared, and in bulk; while the year is open, and after it was closed."""
    w = committed_world
    a = w.accounts
    post = POST.replace("%(day)s, %(day)s", "%(happened)s, %(day)s")
    prepare = (
        "SELECT ledger_prepare(%(by)s, ARRAY[%(book)s]::bigint[], ARRAY[%(happened)s]::date[], "
        "ARRAY[%(day)s]::date[], ARRAY['x'], ARRAY['x'],"
        " ARRAY[NULL]::bigint[], ARRAY[1], ARRAY[1], %(debits)s::bigint[], %(credits)s::bigint[], "
        "%(amounts)s::bigint[])"
    )
    words = one(w, "1001", "2001", 5) | {"happened": "2009-03-30"}  # booked on the 31st
    for sql in (post, prepare):
        assert state_of(seat, sql, words) == "KZ009"
        assert state_of(seat, sql, words | {"day": "2010-01-01"}) == "KZ009"  # put off into another year
    seat.execute("SELECT ledger_bulk_open()")
    seat.execute(
        "INSERT INTO ledger_bulk (voucher_key, book_id, booking_date, happened_on, kind, narration, "
        "debit_account_id, credit_account_id, amount_fen,"
        " is_receipt) VALUES ('a', %s, '2009-03-31', '2009-03-30', 'x', 'x', %s, %s, 5, true)",
        [w.book.pk, a["1001"].pk, a["2001"].pk],
    )
    assert state_of(seat, "SELECT ledger_bulk_post(NULL, %s, NULL)", [w.treasurer.pk]) == "KZ009"
    seat.execute(post, words | {"day": "2009-03-30"})
    seat.commit()
    owner_cursor.execute("UPDATE periods_region SET first_open_day = '2010-01-01'")
    assert state_of(seat, post, words | {"day": "2010-01-02"}) == "KZ009"
    seat.execute(post, words | {"day": "2010-01-01"})  # learnt after the close: from the first open day
    seat.commit()
    assert Voucher.objects.filter(booking_date="2010-01-01", happened_on="2009-03-30").count() == 1


def test_a_draft_put_off_is_refused_in_words(committed_world: World) -> None:
    w = committed_world
    draft = replace(w.draft("1001", "2001", 5), happened_on=date(2009, 3, 1))
    with pytest.raises(Refusal) as no:
        services.receive(w.treasurer, [draft])
    assert no.value.code == "ledger.not_its_day"
    assert "2009-03-01" in no.value.record
