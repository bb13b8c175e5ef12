"""Each closing check speaks up when what it watches for happens, and only then."""

from datetime import date
from typing import Any

import pytest
from django.db import connection

from karez.funds import checks, services
from karez.funds.models import SourceLine
from karez.funds.tests.conftest import appropriate, make_line
from karez.ledger import services as ledger
from karez.ledger.models import Transfer

DAY = date(2009, 4, 1)


def failing() -> dict[str, int]:
    """How many rows each check that fails finds."""
    found = {}
    with connection.cursor() as cursor:
        for check in checks.CHECKS:
            cursor.execute(check.sql, {"as_of": date(2009, 12, 31), "year": 2009, "year_start": date(2009, 1, 1)})
            rows = cursor.fetchall()
            assert all(len(row) == 4 and all(isinstance(cell, str) for cell in row) for row in rows)
            found[check.name] = len(rows)
    return {name: count for name, count in found.items() if count}


@pytest.fixture
def two(world: Any, line: SourceLine) -> tuple[SourceLine, SourceLine]:
    """Two lines with money."""
    other = make_line(world, "2009-B")
    appropriate(world, line, 1000, "A-1")
    appropriate(world, other, 500, "A-2")
    return line, other


def accounts(line: SourceLine) -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT book_id, account_id, bank_account_id FROM funds_line_account WHERE line_id = %s", [line.pk]
        )
        return cursor.fetchone()


def test_all_pass_on_money_that_went_its_way(world: Any, two: Any) -> None:
    services.approve(
        world.approver,
        services.prepare_allocation(
            world.finance,
            line=two[0],
            county_id=world.areas["990101"],
            amount_fen=400,
            happened_on=DAY,
            reference="B-1",
            document_no="D",
        ),
    )
    assert failing() == {}


def test_money_posted_without_a_record(world: Any, two: Any) -> None:
    proposal = services.prepare_appropriation(
        world.finance, line=two[0], amount_fen=7, happened_on=DAY, reference="A-3", document_no="D"
    )
    assert failing() == {"funds_nothing_waits": 1}
    ledger.approve(world.approver, proposal.set_id)
    assert failing() == {"funds_records_equal_books": 1}
    services.approve(world.second_approver, proposal)
    assert failing() == {}


def test_voucher_reversed_without_its_record(world: Any, two: Any) -> None:
    made = two[1].appropriations.get()
    reversal = ledger.prepare_reversal(
        world.finance, Transfer.objects.get(pk=made.transfer_id).voucher_id, "wrong", permission="funds.prepare"
    )
    ledger.approve(world.approver, reversal)
    assert failing() == {"funds_records_equal_books": 1}


def test_money_of_one_line_spent_as_another(world: Any, two: Any) -> None:
    book, first, _bank = accounts(two[0])
    _book, second, _bank = accounts(two[1])
    draft = ledger.Draft(book, DAY, "correction", "from one line to another", (ledger.Line(first, second, 100),))
    ledger.approve(world.approver, ledger.prepare(world.finance, [draft]))
    assert failing() == {"funds_lines_keep_apart": 1, "funds_records_equal_books": 1}


def test_programme_without_a_standard(world: Any, two: Any) -> None:
    words = {"programme": "mutual_funds", "size_class": "any", "low_fen": 1, "high_fen": 2, "document_no": "D"}
    old = services.set_standard(world.finance, starts_on=date(2006, 1, 1), **words)
    assert failing() == {}
    services.end_standard(world.approver, old, ends_before=date(2009, 1, 1), reason="raised")
    assert failing() == {"funds_year_has_standards": 1}
