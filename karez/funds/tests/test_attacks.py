"""Raw SQL as the app's role against every invariant of this room."""

from datetime import date
from typing import Any

import psycopg
import pytest

from karez.funds import services
from karez.funds.models import Allocation
from karez.funds.tests.conftest import appropriate, make_line
from karez.kernel.refusal import Refusal
from karez.ledger import services as ledger
from karez.ledger.models import Transfer


@pytest.fixture
def books(committed_world: Any) -> dict[str, Any]:
    """Two lines with money, one allocation."""
    world = committed_world
    first, second = make_line(world, "L-1"), make_line(world, "L-2")
    made, other = appropriate(world, first, 1000, "A-1"), appropriate(world, second, 500, "A-2")
    passed = services.approve(
        world.approver,
        services.prepare_allocation(
            world.finance,
            line=first,
            county_id=world.areas["990101"],
            amount_fen=400,
            happened_on=date(2009, 4, 1),
            reference="B-1",
            document_no="D",
        ),
    )
    assert isinstance(passed, Allocation)
    return {"world": world, "first": first, "second": second, "made": made, "other": other, "passed": passed}


def attack(connect: Any, sql: str, params: list[Any], expected: str) -> None:
    with connect() as connection, pytest.raises(psycopg.Error) as no:
        connection.execute(sql, params)
    assert expected in (no.value.diag.constraint_name or "", no.value.sqlstate or ""), str(no.value)


def appropriation(connect: Any, books: dict[str, Any], expected: str, **change: Any) -> None:
    made = books["made"]
    row = {
        "line_id": made.line_id,
        "area_id": made.area_id,
        "reference": "X",
        "document_no": "D",
        "amount_fen": made.amount_fen,
        "transfer_id": made.transfer_id,
        "happened_on": made.happened_on,
        "counts_on": made.counts_on,
        "recorded_by_id": 1,
    } | change
    sql = f"INSERT INTO funds_appropriation ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})"
    attack(connect, sql, list(row.values()), expected)


def test_appropriation_names_its_own_transfer_once(books: dict[str, Any], app_connection: Any) -> None:
    appropriation(app_connection, books, "funds_appropriation_transfer_once")
    appropriation(app_connection, books, "funds_appropriation_equals_transfer", transfer_id=10**9)
    # The county's side of the allocation is no appropriation, nor is a transfer onto another line.
    passed = books["passed"]
    appropriation(
        app_connection,
        books,
        "KZ060",
        transfer_id=passed.transfer_in_id,
        amount_fen=400,
        happened_on=passed.happened_on,
        counts_on=passed.counts_on,
    )


def test_amount_equals_transfer(books: dict[str, Any], app_connection: Any) -> None:
    passed = books["passed"]
    appropriation(
        app_connection, books, "funds_appropriation_equals_transfer", transfer_id=passed.transfer_out_id, amount_fen=401
    )
    appropriation(app_connection, books, "funds_appropriation_amount_fen_least", amount_fen=0)


def test_allocation_keeps_line_county_and_day(books: dict[str, Any], app_connection: Any, owner_cursor: Any) -> None:
    passed, world = books["passed"], books["world"]
    # Even on a free pair of transfers (the record removed by the owner), another line, county or day is refused.
    owner_cursor.execute("DELETE FROM funds_allocation")
    right = {
        "line_id": passed.line_id,
        "area_id": passed.area_id,
        "reference": "X",
        "document_no": "D",
        "amount_fen": 400,
        "transfer_out_id": passed.transfer_out_id,
        "transfer_in_id": passed.transfer_in_id,
        "happened_on": passed.happened_on,
        "counts_on": passed.counts_on,
        "recorded_by_id": 1,
    }
    sql = f"INSERT INTO funds_allocation ({', '.join(right)}) VALUES ({', '.join(['%s'] * len(right))})"
    changes: list[tuple[dict[str, Any], str]] = [
        ({"line_id": books["second"].pk}, "KZ060"),
        ({"area_id": world.areas["990102"]}, "KZ060"),
        ({"happened_on": date(2009, 5, 1), "counts_on": date(2009, 5, 1)}, "KZ060"),
        ({"transfer_out_id": passed.transfer_in_id, "transfer_in_id": passed.transfer_out_id}, "KZ060"),
        ({"transfer_out_id": passed.transfer_in_id}, "funds_allocation_two_transfers"),
        ({"amount_fen": 399}, "funds_allocation_equals_transfer_out"),
    ]
    for change, expected in changes:
        attack(app_connection, sql, list((right | change).values()), expected)
    with app_connection() as connection:
        connection.execute(sql, list(right.values()))  # the true one is let through


def test_allocated_never_exceeds_appropriated(books: dict[str, Any], app_connection: Any) -> None:
    with app_connection() as connection:
        rows = connection.execute(
            (
                "SELECT account_id, bank_account_id, book_id FROM funds_line_account WHERE book_kind = 'office' AND "
                "line_id = %s"
            ),
            [books["first"].pk],
        ).fetchall()
    account, bank, book = rows[0]
    world = books["world"]
    # 600 is left on the line; the bank holds 1,100 with the other line's money.
    draft = ledger.Draft(book, date(2009, 5, 1), "allocation", "x", (ledger.Line(account, bank, 601),))
    with pytest.raises(Refusal) as no:
        ledger.prepare(world.finance, [draft])
    assert no.value.code == "ledger.overdrawn"
    attack(app_connection, "UPDATE ledger_account SET posted_credit_fen = 10^9 WHERE id = %s", [account], "42501")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE funds_appropriation SET amount_fen = 1",
        "DELETE FROM funds_appropriation",
        "TRUNCATE funds_allocation",
        "UPDATE funds_allocation SET line_id = 1",
        "UPDATE funds_sourceline SET funder_id = 1",
        "DELETE FROM funds_funder",
        "UPDATE funds_proposal SET amount_fen = 1",
        "DELETE FROM funds_proposal",
        "UPDATE funds_grantstandard SET high_fen = 1",
        "UPDATE funds_plantarget SET planned = 1",
    ],
)
def test_nothing_is_changed_or_deleted(books: dict[str, Any], app_connection: Any, sql: str) -> None:
    attack(app_connection, sql, [], "42501")


def test_void_needs_the_reversal(books: dict[str, Any], app_connection: Any) -> None:
    void = "UPDATE {} SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = counts_on"
    attack(app_connection, void.format("funds_appropriation"), [], "KZ061")
    attack(app_connection, void.format("funds_allocation"), [], "KZ061")


def test_closed_year_is_guarded(books: dict[str, Any], app_connection: Any) -> None:
    last_year, passed = date(2008, 12, 31), books["passed"]
    free = {"transfer_id": passed.transfer_in_id, "amount_fen": passed.amount_fen}
    appropriation(app_connection, books, "KZ001", counts_on=last_year, happened_on=last_year, **free)


def test_one_standard_at_a_time(committed_world: Any, app_connection: Any) -> None:
    sql = (
        "INSERT INTO funds_grantstandard (area_id, programme, size_class, low_fen, high_fen, document_no, "
        "starts_on, counts_from,"
        " recorded_by_id) VALUES (%s, 'mutual_funds', %s, %s, %s, 'D', %s, '2009-01-01', 1)"
    )
    area = committed_world.region
    with app_connection() as connection:
        connection.execute(sql, [area, "small", 5, 9, "2009-01-01"])
    attack(app_connection, sql, [area, "small", 5, 9, "2008-09-01"], "funds_grantstandard_one_at_a_time")
    attack(app_connection, sql, [area, "any", 5, 9, "2008-03-01"], "funds_grantstandard_one_at_a_time")
    attack(app_connection, sql, [area, "big", 9, 5, "2009-01-01"], "funds_grantstandard_low_to_high")
    attack(app_connection, sql, [area, "huge", 5, 9, "2009-01-01"], "funds_grantstandard_size_class_codes")
    with app_connection() as connection:
        connection.execute(sql, [area, "big", 5, 9, "2009-01-01"])


def test_one_target_at_a_time(committed_world: Any, app_connection: Any) -> None:
    sql = (
        "INSERT INTO funds_plantarget (area_id, code, label, planned, unit, from_year, until_year, document_no, "
        "starts_on,"
        " counts_from, recorded_by_id) VALUES (%s, 'a.b', 'a plan', %s, 'villages', %s, %s, 'D', '2009-01-01', "
        "'2009-01-01', 1)"
    )
    area = committed_world.region
    with app_connection() as connection:
        connection.execute(sql, [area, 1404, 2009, 2011])
    attack(app_connection, sql, [area, 1404, 2009, 2011], "funds_plantarget_one_at_a_time")
    attack(app_connection, sql, [area, 1404, 2011, 2009], "funds_plantarget_years_in_order")
    attack(app_connection, sql, [area, -1, 2009, 2011], "funds_plantarget_planned_least")


def test_money_moved_from_line_to_line_or_given_back_is_no_appropriation(
    books: dict[str, Any], app_connection: Any
) -> None:
    world, passed = books["world"], books["passed"]
    lines = _accounts(app_connection, books)
    moved = ledger.Draft(
        book_id=lines["book"],
        booking_date=date(2009, 5, 1),
        kind="other",
        narration="line to line",
        lines=(ledger.Line(lines["first"], lines["second"], 100),),
    )
    (posted,) = ledger.approve(world.approver, ledger.prepare(world.finance, [moved]))
    words = {"happened_on": date(2009, 5, 1), "counts_on": date(2009, 5, 1)}
    appropriation(
        app_connection,
        books,
        "KZ060",
        line_id=books["second"].pk,
        transfer_id=posted.transfer_ids[0],
        amount_fen=100,
        **words,
    )
    # What comes back to the office when an allocation is reversed was appropriated once already.
    voucher = Transfer.objects.get(pk=passed.transfer_out_id).voucher_id
    (back,) = ledger.approve(
        world.approver,
        ledger.prepare_reversal(
            world.finance, voucher, "wrong county", booking_date=date(2009, 5, 1), permission="funds.prepare"
        ),
    )
    appropriation(app_connection, books, "KZ060", transfer_id=back.transfer_ids[0], amount_fen=400, **words)


def _accounts(connect: Any, books: dict[str, Any]) -> dict[str, int]:
    with connect() as raw:
        rows = raw.execute(
            "SELECT line_id, account_id, book_id FROM funds_line_account WHERE book_kind = 'office'"
        ).fetchall()
    accounts = {line: account for line, account, _book in rows}
    return {"first": accounts[books["first"].pk], "second": accounts[books["second"].pk], "book": rows[0][2]}


def test_a_line_with_money_is_not_void(books: dict[str, Any], app_connection: Any) -> None:
    void = (
        "UPDATE funds_sourceline SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = "
        "'2009-06-01' WHERE id = %s"
    )
    attack(app_connection, void, [books["first"].pk], "KZ062")
