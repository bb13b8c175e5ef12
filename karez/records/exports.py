"""Writes the rows of a list to a file that streams: CSV and XLSX, with numbers as numbers and days as days.

Memory does not grow with the rows: they come from a cursor of the server, a workbook is written row by row to the disk.
Areas stand with code and whole name. Holds no fetching.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

import xlsxwriter
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from karez.kernel.lists import RecordList, Shown
from karez.kernel.money import yuan
from karez.kernel.sheets import Kind
from karez.places.queries import areas_named, names_in_full
from karez.records.cells import heading
from karez.records.cells import text as told
from karez.records.fetching import Row, areas_in

_RUN = tuple("=+-@\t\r\n＝＋－＠")  # a spreadsheet takes a text that begins so for a formula
_AT_ONCE = 2000
T = TypeVar("T")
_MOST_ROWS = 1_048_575  # of a page of a workbook, below its headings
_FORMATS = {Kind.FEN: "#,##0.00", Kind.DATE: "yyyy-mm-dd", Kind.MONTH: "yyyy-mm", Kind.INTEGER: "#,##0"}


def csv_line(cells: Iterable[Any]) -> str:
    """One line of CSV; a text a spreadsheet would run as a formula gets a quote before it."""
    out = io.StringIO()
    csv.writer(out).writerow([f"'{c}" if isinstance(c, str) and c[:1] in _RUN else c for c in cells])
    return out.getvalue()


def headings(listed: RecordList) -> list[str]:
    """The headings of a file."""
    found = []
    for one in listed.in_files:
        found += [_("%(place)s, code") % {"place": heading(one)}] if one.column.kind is Kind.AREA else []
        found.append(heading(one))
    return found


def cells(listed: RecordList, rows: Iterable[Row]) -> Iterator[list[Any]]:
    """The cells of each row: amounts in yuan, days, numbers, words; what areas are called is asked some rows at a time."""
    language = get_language() or "en"
    names, codes = dict[int, str](), dict[int, str]()
    for some in batches(rows):
        new = areas_in(listed, some) - names.keys()
        if new:
            names |= names_in_full(new, language=language, always=True)
            codes |= dict(areas_named(new).values_list("pk", "code"))
        for row in some:
            made: list[Any] = []
            for one in listed.in_files:
                if one.column.kind is Kind.AREA:
                    made.append(codes.get(row[one.name], ""))
                made.append(_typed(one, row[one.name], names))
            yield made


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows, some thousands at a time."""
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _typed(one: Shown, value: Any, names: dict[int, str]) -> Any:
    if value is None or value == "":
        return ""
    if one.words or one.column.kind in (Kind.AREA, Kind.FLAG):
        return told(one, value, names)
    return yuan(value) if one.column.kind is Kind.FEN else value


def as_csv(listed: RecordList, rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a CSV file (UTF-8 with mark, as spreadsheets want it), many in one piece."""
    yield "\ufeff" + csv_line(headings(listed))
    for some in batches(cells(listed, rows)):
        yield "".join(csv_line(row) for row in some)


def as_xlsx(listed: RecordList, rows: Iterable[Row]) -> Iterator[bytes]:
    """The pieces of a workbook: one page, and further ones where it is full."""
    with tempfile.TemporaryFile() as out:
        with xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_numbers": False}) as book:
            bold = book.add_format({"bold": True, "bottom": 1})
            forms = [book.add_format({"num_format": form}) for form in _forms(listed)]
            sheet: Any = None
            at = _MOST_ROWS
            for row in cells(listed, rows):
                if at == _MOST_ROWS:
                    sheet, at = _page(book, listed, bold), 0
                at += 1
                for place, value in enumerate(row):
                    _write(sheet, at, place, value, forms[place])
            if sheet is None:
                _page(book, listed, bold)
        out.seek(0)
        while piece := out.read(65536):
            yield piece


def _forms(listed: RecordList) -> Iterator[str]:
    for one in listed.in_files:
        if one.column.kind is Kind.AREA:
            yield "@"
        yield '0.0#" %"' if one.column.unit == "percent" else _FORMATS.get(one.column.kind, "General")


def _page(book: Any, listed: RecordList, bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for place, words in enumerate(headings(listed)):
        sheet.set_column(place, place, max(12, min(40, 2 + len(words))))
        sheet.write_string(0, place, words, bold)
    return sheet


def _write(sheet: Any, row: int, place: int, value: Any, form: Any) -> None:
    if isinstance(value, date):
        sheet.write_datetime(row, place, datetime(value.year, value.month, value.day), form)  # noqa: DTZ001
    elif isinstance(value, str):
        sheet.write_string(row, place, value, form)
    else:
        sheet.write_number(row, place, float(value), form)
