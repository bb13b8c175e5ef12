"""The five files: applied, faults found, taken back."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection

from karez.funds import checks, figure_tables, sheets
from karez.funds.models import Allocation, Appropriation, Funder, GrantStandard, PlanTarget, SourceLine
from karez.funds.tests.staged import apply, faults, withdraw

LINES = [
    {
        "line_code": f"2009-{x}",
        "line_name": x,
        "funder_code": x,
        "funder_name": f"Office {x}",
        "funder_kind": kind,
        "programme": "mutual_funds",
        "year": 2009,
        "document_no": "No. 1",
    }
    for x, kind in (("LGOP", "central_office"), ("FIN", "region_finance"))
]
MONEY = [
    {
        "reference": "A-1",
        "line_code": "2009-LGOP",
        "happened_on": date(2009, 2, 16),
        "amount": 1050,
        "document_no": "D 1",
    },
    {
        "reference": "A-2",
        "line_code": "2009-FIN",
        "happened_on": date(2009, 3, 16),
        "amount": 7500,
        "document_no": "D 2",
    },
]


def shares(world: Any) -> list[dict[str, Any]]:
    first, second = (("990101", world.areas["990101"]), ("990102", world.areas["990102"]))
    row = {"happened_on": date(2009, 4, 13), "document_no": "D 3"}
    return [
        {**row, "reference": "B-1", "line_code": "2009-LGOP", "amount": 1050, "county": first},
        {**row, "reference": "B-2", "line_code": "2009-FIN", "amount": 4000, "county": first},
        {**row, "reference": "B-3", "line_code": "2009-FIN", "amount": 3000, "county": second},
    ]


def load(world: Any, upto: int = 3) -> None:
    who = (world.finance.pk, world.approver.pk)
    files = [(sheets.SOURCE_LINES, LINES), (sheets.APPROPRIATIONS, MONEY), (sheets.ALLOCATIONS, shares(world))]
    for batch, (sheet, rows) in enumerate(files[:upto], 1):
        apply(sheet, rows, *who, batch_id=batch)


def failing(name: str) -> list[Any]:
    check = next(c for c in checks.CHECKS if c.name == name)
    with connection.cursor() as cursor:
        cursor.execute(check.sql, {"as_of": date(2009, 12, 31), "year": 2009, "year_start": date(2009, 1, 1)})
        return cursor.fetchall()


def frozen(table: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(table.sql, {"as_of": date(2009, 12, 31), "year": 2009, "year_start": date(2009, 1, 1)})
        names = [c.name for c in cursor.description]
        assert names == ["area_id", *(c.name for c in table.columns)]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_applied_files_become_records_and_money(world: Any) -> None:
    load(world)
    assert Funder.objects.count() == SourceLine.objects.count() == 2
    assert [a.amount_fen for a in Appropriation.objects.order_by("pk")] == [1050, 7500]
    assert [a.area_id for a in Allocation.objects.order_by("pk")] == [
        world.areas[c] for c in ("990101", "990101", "990102")
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT book_kind, sum(balance_fen) FROM funds_line_account GROUP BY 1")
        assert dict(cursor.fetchall()) == {"office": 500, "county": 8050}
    assert all(failing(c.name) == [] for c in checks.CHECKS)
    money = frozen(figure_tables.MONEY)
    assert sum(m["amount_fen"] for m in money if m["kind"] == "appropriation") == 8550
    assert {m["funder_kind"] for m in money} == {"central_office", "region_finance"}


def test_withdrawn_batches_take_the_money_back(world: Any) -> None:
    load(world)
    who = (world.finance.pk, world.approver.pk)
    with pytest.raises(DatabaseError, match="overdrawn"):  # the counties hold the money
        from django.db import transaction

        with transaction.atomic():
            withdraw(sheets.APPROPRIATIONS, *who, batch_id=2)
    assert withdraw(sheets.ALLOCATIONS, *who, batch_id=3) == {"allocation": 3, "vouchers": 6}
    assert withdraw(sheets.APPROPRIATIONS, *who, batch_id=2) == {"appropriation": 2, "vouchers": 2}
    assert withdraw(sheets.SOURCE_LINES, *who, batch_id=1) == {"source_lines": 2, "funders": 2}
    assert frozen(figure_tables.MONEY) == [] and all(failing(c.name) == [] for c in checks.CHECKS)
    load(world)  # the same files go in again


def test_faults_of_lines(world: Any) -> None:
    load(world, 1)
    twice = [
        LINES[0],
        {**LINES[1], "line_code": "new", "funder_name": "Another name", "document_no": "No. 2"},
        {**LINES[1], "line_code": "new-2"},
    ]
    assert faults(sheets.SOURCE_LINES, twice) == {
        ("funds_line_new", 1),
        ("funds_line_one_purpose", 1),
        ("funds_line_one_purpose", 3),
        ("funds_funder_one_name", 2),
        ("funds_funder_one_name", 3),
    }


def test_faults_of_money(world: Any) -> None:
    load(world, 2)
    bad = [
        {**MONEY[0]},
        {**MONEY[0], "reference": "A-9", "line_code": "no-such"},
        {**MONEY[0], "reference": "A-8", "happened_on": date(2030, 1, 1)},
    ]
    assert faults(sheets.APPROPRIATIONS, bad) == {
        ("funds_reference_free", 1),
        ("funds_line_known", 2),
        ("day_opened", 3),
    }
    rows = shares(world)
    rows.append({**rows[0], "reference": "B-4", "amount": 1})
    assert faults(sheets.ALLOCATIONS, rows) == {("funds_within_appropriation", 4)}


def standard(size: str, low: int, high: int, start: date, end: date | None) -> dict[str, Any]:
    return {
        "programme": "mutual_funds",
        "size_class": size,
        "low": low,
        "high": high,
        "valid_from": start,
        "valid_to": end,
        "document_no": "D",
    }


def test_standards_and_targets_become_figures(world: Any) -> None:
    who = (world.finance.pk, world.approver.pk)
    year = date(2009, 1, 1)
    rows = [
        standard("any", 15_000_000, 20_000_000, date(2006, 1, 1), year),
        standard("small", 20_000_000, 20_000_000, year, None),
        standard("big", 30_000_000, 30_000_000, year, None),
    ]
    assert apply(sheets.GRANT_STANDARDS, rows, *who) == {"grant_standards": 3}
    target = {
        "code": "mutual_funds.villages",
        "label": "all poor villages",
        "planned": Decimal(1404),
        "unit": "villages",
        "from_year": 2009,
        "until_year": 2011,
        "valid_from": year,
        "document_no": "D",
    }
    pilot = {
        **target,
        "code": "mutual_funds.pilot",
        "planned": None,
        "unit": "years",
        "from_year": 2006,
        "until_year": 2008,
        "valid_from": date(2006, 1, 1),
    }
    assert apply(sheets.PLAN_TARGETS, [target, pilot], *who, batch_id=2) == {"plan_targets": 2}
    table = {(r["kind"], r["code"], r["size_class"]): r for r in frozen(figure_tables.RULES)}
    old = table["standard", "mutual_funds", "any"]
    assert (old["low_fen"], old["from_on"], old["until_on"]) == (15_000_000, date(2006, 1, 1), year)
    assert table["standard", "mutual_funds", "big"]["until_on"] is None
    assert (
        table["target", "mutual_funds.villages", None]["years"],
        table["target", "mutual_funds.villages", None]["years_left"],
    ) == (3, 2)
    assert table["target", "mutual_funds.pilot", None]["years"] == 3
    again = [standard("small", 1, 1, date(2009, 6, 1), None), standard("any", 2, 1, date(2005, 1, 1), date(2004, 1, 1))]
    assert faults(sheets.GRANT_STANDARDS, again) == {
        ("funds_one_standard", 1),
        ("funds_low_to_high", 2),
        ("funds_days_in_order", 2),
    }
    long, inside, next_to, later, other = (
        standard("small", 1, 1, date(1990, 1, 1), date(2000, 1, 1)),
        standard("small", 1, 1, date(1991, 1, 1), date(1992, 1, 1)),
        standard("big", 1, 1, date(1992, 1, 1), date(1993, 1, 1)),
        standard("any", 1, 1, date(1999, 1, 1), date(2001, 1, 1)),
        standard("any", 1, 1, date(2001, 1, 1), date(2006, 1, 1)),
    )
    assert faults(sheets.GRANT_STANDARDS, [long, inside, next_to, later, other]) == {
        ("funds_one_standard", n) for n in (1, 2, 4)
    }
    assert faults(sheets.PLAN_TARGETS, [target, {**target, "code": "x.y", "until_year": 2001}]) == {
        ("funds_one_target", 1),
        ("funds_years_in_order", 2),
    }
    assert withdraw(sheets.GRANT_STANDARDS, *who) == {"grant_standards": 3}
    assert withdraw(sheets.PLAN_TARGETS, *who, batch_id=2) == {"plan_targets": 2}
    assert frozen(figure_tables.RULES) == []
    assert GrantStandard.objects.count() == 3 and PlanTarget.objects.count() == 2
