"""The cells of one row typed at once, without a file: what is plainly right is read here, anything else by the road of a file.

What a cell means is said by `kernel/written.py` for both roads, and tests hold this reading to DuckDB's over every kind of
cell. So here stands no word about a fault: a row with a cell that is not plainly right is read anew as a file of one line
(`read_as_file`), which tells of every fault in a file's words, or reads what is unusual and right. Holds no record.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from karez.intake import vault
from karez.intake.models import Fault
from karez.intake.rules import NUMBERS, base_unit, form_of, number_column
from karez.intake.staging import Places, staging_of
from karez.intake.typing import BLANKS, NO, TOTALS, YES
from karez.kernel.encodings import LETTERS, LOST, PRIVATE, is_nonsense
from karez.kernel.folding import fold
from karez.kernel.id_number import fault_of
from karez.kernel.messages import read
from karez.kernel.sheets import Column, Kind, Sheet
from karez.kernel.written import read_day, read_month, read_number, read_year

_RARE = str.maketrans(PRIVATE, LETTERS)
_LOST = re.compile(LOST)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\r\n]")
_PLAIN_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FLAGS = dict.fromkeys(YES, True) | dict.fromkeys(NO, False)


class Unclear(Exception):
    """A cell that is not plainly right."""


def read_row(sheet: Sheet, values: Mapping[str, str]) -> dict[str, Any]:
    """The values of a form's columns as they are staged (money in fen), None where empty; Unclear where one is not plain."""
    number = number_column(sheet)
    read = {c.name: read_cell(c, values.get(c.name, ""), is_number=c is number) for c in sheet.form_columns}
    first = read[sheet.form_columns[0].name]
    if isinstance(first, str) and first.lower().rstrip(":：") in TOTALS:
        raise Unclear
    return read


def read_cell(column: Column, text: str, *, is_number: bool = False) -> Any:
    """What one cell says, None where it is empty; Unclear where it is not plainly right. `is_number`: of a person."""
    cell = _cell(text)
    if column.reference or column.kind is Kind.AREA or column.pattern:
        cell = fold(cell).strip(" ")
    if not cell:
        if column.required:
            raise Unclear
        return None
    if (cell[0] in "=+@-#" and column.kind not in NUMBERS) or (is_number and fault_of(cell)):
        raise Unclear  # perhaps a formula, or a mark of a spreadsheet
    return _typed(column, cell)


def _cell(text: str) -> str:
    return (text if text.isascii() else text.translate(_RARE)).strip(BLANKS)


def _typed(column: Column, cell: str) -> Any:
    if column.kind in (Kind.TEXT, Kind.AREA):
        value: Any = cell
        if column.kind is Kind.TEXT:
            _require_sound(column, cell)
    else:
        narrow = fold(cell)
        if narrow != narrow.strip():
            raise Unclear
        value = _READ[column.kind](column, narrow)
        if value is None:
            raise Unclear
        if (column.low is not None and value < column.low) or (column.high is not None and value > column.high):
            raise Unclear
    if column.pattern and not re.fullmatch(column.pattern, str(value), re.ASCII):
        raise Unclear
    return value


def _require_sound(column: Column, cell: str) -> None:
    damaged = not cell.isascii() and (_LOST.search(cell) or is_nonsense(cell))
    if damaged or len(cell) > column.max_length or _CONTROL.search(cell):
        raise Unclear


def _number(column: Column, cell: str) -> Any:
    found = read_number(cell, form_of(column), unit=base_unit(column))
    if found is None or column.kind is Kind.INTEGER:
        return None if found is None else int(found)
    if column.kind is Kind.FEN:
        return int(found * 100)
    plain = cell.lstrip("+").replace(",", "")
    return Decimal(plain) if _PLAIN_DECIMAL.fullmatch(plain) else Decimal(found.numerator) / found.denominator


def _code(column: Column, cell: str) -> str | None:
    known = {stored.lower(): stored for stored in column.codes.values()} | {
        k.lower(): v for k, v in column.codes.items()
    }
    return known.get(cell.lower())


_READ: dict[Kind, Callable[[Column, str], Any]] = {
    Kind.INTEGER: _number, Kind.DECIMAL: _number, Kind.FEN: _number, Kind.CODE: _code,
    Kind.DATE: lambda _column, cell: read_day(cell), Kind.MONTH: lambda _column, cell: read_month(cell),
    Kind.YEAR: lambda _column, cell: read_year(cell), Kind.FLAG: lambda _column, cell: _FLAGS.get(cell.lower()),
}  # fmt: skip


def as_file(sheet: Sheet, values: Mapping[str, str]) -> bytes:
    """The row as a file of its kind: headings and one line, in UTF-8."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow([column.name for column in sheet.columns])
    written.writerow([values.get(column.name, "").strip() for column in sheet.columns])
    return out.getvalue().encode()


def read_as_file(
    sheet: Sheet, values: Mapping[str, str], places: Callable[[], Places]
) -> tuple[dict[str, Any], list[Fault]]:
    """The same values read as a file of one line is read, and its faults; nothing of it is kept. No values where it is no row."""
    formed = replace(sheet, columns=sheet.form_columns, instead=None)
    with vault.scratch_folder() as folder:
        path = folder / "row.csv"
        path.write_bytes(as_file(formed, values))
        with staging_of(formed, path, places(), lambda _what, _percent: None) as work:
            work.check()
            faults = [
                Fault(**one | {key: read(one[key] or "") for key in ("found", "expected", "todo")})
                for one in work.fault_records()
            ]
            rows = work.records() if work.result.row_count else [{}]
    found = dict(rows[0])
    found.pop("row_no", None)
    for column in sheet.form_columns:
        if column.kind is Kind.DECIMAL and found.get(column.name) is not None:
            found[column.name] = Decimal(found[column.name])
    return found, faults


def today_and(first_year: int | None) -> list[date]:
    """The days on which codes of places are tried where a sheet names no day."""
    first = [] if first_year is None else [date(first_year, 12, 31), date(first_year, 1, 1)]
    return [date.today(), *first]  # a code of the first year that means nothing any more still means what it meant
