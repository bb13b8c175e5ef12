"""What holds of every kind of file of every room, made from its declaration: one meaning and one wording by file, by form and
in the database; no identity in plain; one person only where it is declared.
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from karez.access.models import User
from karez.intake import cells, one_row, registry, rules, services
from karez.intake.models import Batch, Fault
from karez.intake.staging import Places, staging_of
from karez.kernel.fields import Meaning, refusal_of
from karez.kernel.sheets import Column, Kind, Sheet
from karez.records.template import example

SHEETS = list(registry.sheets().values())
AREAS = {"region": "99", "prefecture": "9901", "county": "990101", "township": "990101100", "village": "990101100200"}
DAY = date(2009, 3, 2)
of_each_sheet = pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
# Cells as they are typed and pasted: right ones, unlikely ones and wrong ones, for every kind of column.
CELLS = (
    "", " ", "\u3000", "0", "1", "7", "-7", "+7", "7.0", "7.00", "1,080", "1.080", "1080.50", "1,200.50", "12.3456", "0.8", "1e5",
    "3０００", "１，２００．５０", "¥5", "5元", "5万", "1.05万元", "5%", "0.8‰", "630人", "5户", "5天", "5 6", "(100)", "-", "—", "五千", "5²",
    "99999999999999999999", "2009", "2009年", "2009.0", "09", "2009-03-04", "2009/3/4", "20090304", "2009年3月4日", "2009.3.4",
    "2009/3/4 0:00", "2009-03-04T00:00:00Z", "2009/3/4 8:30", "4/3/2009", "2009-02-30", "39876", "2009-03", "200903", "2009年3月",
    "yes", "是", "N", "否", "true", "own", "自缴", "OWN", " own ", "crops", "small", "小村", "registered", "建档户", "bank", "现金",
    "male", "女", "national", "H 1", "Ｈ１", "h-1", "马军", "Ma Jun", " Ma Jun\t", "=1+1", "=SUM(A1)", "@x", "-x", "+86 139", "#N/A",
    "#REF!", "#", "锟斤拷", "ä¸­å›½", "a\tb", "\x07", "x" * 39, "x" * 41, "x" * 201, "x" * 301, "990101100200", "９９０１０１１００２００",
    "640102196001011230", "64010219600101123X", "13900000000", "\ue5e5", "￥3,000.00", "5\u2007", "1\u00a0000", "²", "ⅳ", "K", "ſ",
)  # fmt: skip


def _kinds_of_columns() -> tuple[Column, ...]:
    """One column of every kind there is in any sheet, bounds and names aside."""
    found: dict[object, Column] = {}
    codes = {word: code for sheet in SHEETS for one in sheet.columns for word, code in one.codes.items()}
    for sheet in SHEETS:
        for one in (replace(c, codes=codes) if c.codes else c for c in sheet.columns):
            kind = (one.kind, rules.base_unit(one), one.decimals, bool(one.codes), one.pattern, one.reference)
            found.setdefault((*kind, one == rules.number_column(sheet)), one)
    return tuple(
        replace(
            column, name=f"c{n}_id_number" if key[-1] else f"c{n}", required=False, low=None, high=None, unit_column=""
        )  # type: ignore[index]
        for n, (key, column) in enumerate(found.items())
    )


def test_a_cell_means_the_same_by_form_and_by_file(tmp_path: Path) -> None:
    """Where the quick reading of a form says what a cell is, the reading of files says the same and finds no fault; else the form
    asks that one.
    """
    columns = _kinds_of_columns()
    sheet = replace(
        SHEETS[0], columns=columns, key=(), area_column="", area_day="", day_column="", name_index_column=""
    )
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow([column.name for column in columns])
    for cell in CELLS:
        written.writerow([cell] * len(columns))
    path = tmp_path / "row.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    with staging_of(sheet, path, Places([], [], [DAY]), lambda _what, _share: None) as work:
        work.check()
        by_line = {row["row_no"]: row for row in work.records()}
        faults = {(one["row_no"], one["column"]) for one in work.fault_records()}
    plain = dict.fromkeys((column.kind for column in columns), 0)
    for line, cell in enumerate(CELLS, start=2):
        for column in columns:
            try:
                read = cells.read_cell(column, cell, is_number=column.name.endswith("id_number"))
            except cells.Unclear:
                continue
            plain[column.kind] += read is not None
            there = by_line.get(line, {}).get(column.name)
            assert read == (type(read)(there) if isinstance(read, Decimal) else there), (column.meaning, cell)
            assert column.kind is Kind.AREA or (line, column.name) not in faults, (column.meaning, cell)
    assert min(plain.values()) >= 3, plain


def _values(sheet: Sheet, column_of: Callable[[Column], str | None]) -> dict[str, str]:
    given = {}
    for column in sheet.form_columns:
        spoilt = column_of(column)
        value = example(column, chinese=False, areas=AREAS, day=DAY) if spoilt is None else spoilt
        given[column.name] = f"{value:%Y-%m}" if column.kind is Kind.MONTH and isinstance(value, date) else str(value)
    return given


def _beyond(column: Column) -> str:
    """A cell that breaks a bound of a column, or cannot be read."""
    if column.codes or column.kind is Kind.AREA:
        return "none of them"
    if isinstance(column.high, int) and column.kind in rules.NUMBERS:
        return str(column.high // (100 if column.kind is Kind.FEN else 1) + 1)
    if isinstance(column.low, int) and column.kind in rules.NUMBERS:
        return str(column.low // (100 if column.kind is Kind.FEN else 1) - 1)
    if column.kind is Kind.TEXT:
        return "x" * (column.max_length + 1)
    return "soon"


def _sender(world: Any, sheet: Sheet) -> User:
    from karez.intake.queries import sendable_sheets

    people = (world.regional, world.finance, world.statistician, world.clerk)
    return next(user for user in people if sheet in sendable_sheets(user))


def _told(sheet: Sheet, faults: Iterable[Fault]) -> set[tuple[str, ...]]:
    """What is told of faults; what was found is masked in a file with identity, which others may read."""
    found = not any(column.identity for column in sheet.columns)
    return {(one.column, one.found if found else "", one.expected, one.rule, one.todo) for one in faults}


@of_each_sheet
def test_every_bound_is_told_in_the_same_words_by_form_and_by_file(sheet: Sheet, world: Any) -> None:
    """One row with every column out of its bounds, and one with nothing in it but the first column."""
    actor, first, plain = _sender(world, sheet), sheet.columns[0].name, replace(sheet, instead=None)
    rows = [_values(plain, _beyond), _values(plain, lambda column: None if column.name == first else "")]
    head, *lines = [cells.as_file(plain, row).splitlines() for row in rows]
    sent = services.receive(
        actor, sheet=sheet.name, file_name="x.csv", stream=io.BytesIO(b"\n".join([*head, lines[0][1]]))
    )
    services.stage(sent.pk)
    for row_no, given in enumerate(rows, start=2):
        with pytest.raises(one_row.Faulty) as wrong:
            one_row.judge(actor, plain, given)
        listed = Fault.objects.filter(batch=sent, row_no=row_no)
        assert listed and _told(sheet, wrong.value.faults) == _told(sheet, listed)


@of_each_sheet
def test_a_row_by_form_is_judged_by_every_check_of_its_kind_of_file(sheet: Sheet, world: Any) -> None:
    """Of a row without faulty cells the form finds what a file of that row finds, and keeps nothing of it."""
    actor, given = _sender(world, sheet), _values(replace(sheet, instead=None), lambda _column: None)
    told: set[tuple[str, ...]] = set()
    try:
        one_row.judge(actor, replace(sheet, instead=None), given)
    except one_row.Faulty as wrong:
        told = _told(sheet, wrong.faults)
    kept = Batch.objects.count()
    sent = services.receive(actor, sheet=sheet.name, file_name="x.csv", stream=io.BytesIO(cells.as_file(sheet, given)))
    services.stage(sent.pk)
    assert told == _told(sheet, Fault.objects.filter(batch=sent)) and kept == 0


@of_each_sheet
def test_identity_is_staged_sealed_or_not_at_all(sheet: Sheet, world: Any) -> None:
    hidden = [column for column in sheet.columns if column.identity]
    if not hidden:
        pytest.skip("no identity")
    given = _values(sheet, lambda column: "Ma Secret" if column.identity and "name" in column.name else None)
    read = cells.read_row(sheet, given)
    with connection.cursor() as cursor:
        one_row._write(sheet, read, {c.name: 1 for c in sheet.columns if c.kind is Kind.AREA}, cursor)
        cursor.execute(f"SELECT to_jsonb(r)::text, identity_sealed IS NOT NULL FROM {one_row.STAGE} r")
        staged, sealed = cursor.fetchone()
    assert "Secret" not in staged and sealed


def test_which_acts_one_person_may_record_is_declared() -> None:
    assert {sheet.name for sheet in SHEETS if sheet.by_one} == {
        "contributions", "repayments", "gifts", "loan_extensions", "fund_members"
    }  # fmt: skip


def test_a_bound_broken_by_raw_sql_is_told_in_the_words_of_its_column(db: None) -> None:
    """Of every column that a field means, the database holds the bounds, and says which by the column's own words."""
    held = 0
    for model in apps.get_models():
        for field in (one for one in model._meta.concrete_fields if isinstance(one, Meaning) and one.means):
            column, one = field.means, timedelta(1) if field.kind in (Kind.DATE, Kind.MONTH) else 1
            assert column is not None
            for end, rule, beyond in ((column.low, "least", -one), (column.high, "most", one)):  # type: ignore[operator]
                if end is None:
                    continue
                constraint = f"{model._meta.db_table}_{field.name}_{rule}"
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = %s", [constraint]
                    )
                    (holds,) = cursor.fetchone()
                    cursor.execute(f'SELECT {holds} FROM (SELECT %s AS "{field.column}") x', [field.kept(end) + beyond])  # type: ignore[operator]
                    assert cursor.fetchone() == (False,), constraint
                told = refusal_of(constraint, "x")
                assert told is not None and told.more["column"] == column.name and told.expected
                held += 1
    assert held > 40
