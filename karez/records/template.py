"""The blank workbook of a sheet: headings with drop-downs and bounds, a page that explains each column, an example.

Made from the declaration alone, in the reader's language; what is filled in can be sent as it is. Holds no sheet.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from io import BytesIO
from typing import Any

import xlsxwriter
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from karez.kernel.sheets import Column, Kind, Sheet

ROWS = 1000  # rows below the headings that have drop-downs and bounds
_CJK = re.compile(r"[\u4e00-\u9fff]")
_LISTED = 255  # signs a drop-down of a workbook may hold
_TOLD = 255  # and a hint
_NUMBERS = {Kind.INTEGER: "0", Kind.DECIMAL: "General", Kind.FEN: "0.00", Kind.YEAR: "0"}
_FORMATS = {Kind.DATE: "yyyy-mm-dd", Kind.MONTH: "yyyy-mm", **_NUMBERS}


def heading(sheet: Sheet, column: Column, *, chinese: bool) -> str:
    """The heading of a column in the reader's language: one that no other column of the sheet answers to."""
    if column.label:
        return str(column.label)
    others = {word for one in sheet.columns if one is not column for word in one.headers}
    own = [word for word in column.headers if _CJK.search(word) and word not in others] if chinese else []
    return own[0] if own else column.name.replace("_", " ")


def choices(column: Column, *, chinese: bool) -> list[str]:
    """What may be written in a column of codes, one word a code, in the reader's language."""
    words: dict[str, str] = {}
    for written, code in column.codes.items():
        if code not in words or (chinese and _CJK.search(written) and not _CJK.search(words[code])):
            words[code] = written
    if column.kind is Kind.FLAG:
        return ["是", "否"] if chinese else ["yes", "no"]
    return list(words.values())


def example(column: Column, *, chinese: bool, areas: Mapping[str, str], day: date) -> Any:
    """A value the column takes. `areas` are a code by level of place; `day` is one of an opened year."""
    if column.kind is Kind.AREA:
        return next((areas[level] for level in (column.levels or tuple(areas)) if level in areas), "")
    if column.kind in (Kind.CODE, Kind.FLAG):
        return next(iter(choices(column, chinese=chinese)), "")
    if column.kind in (Kind.DATE, Kind.MONTH):
        return day
    if column.kind is Kind.YEAR:
        return day.year
    if column.kind in _NUMBERS:
        scale = 100 if column.kind is Kind.FEN else 1
        low = int(column.low) if isinstance(column.low, int) else 0
        high = int(column.high) if isinstance(column.high, int) else None
        return max(low, min(1 * scale, high) if high is not None else 1 * scale) / scale
    return "" if column.identity else "1" if column.reference else _("as it is written")


def workbook(sheet: Sheet, *, areas: Mapping[str, str], day: date) -> bytes:
    """The workbook of a sheet: the page to be filled in, and one that explains it with an example row."""
    chinese = (get_language() or "").startswith("zh")
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        _blank(book, sheet, chinese)
        _explained(book, sheet, chinese, areas, day)
    return out.getvalue()


def _blank(book: Any, sheet: Sheet, chinese: bool) -> None:
    page = book.add_worksheet(_title(str(sheet.label)))
    needed, free = book.add_format({"bold": True, "bottom": 1}), book.add_format({"bottom": 1})
    page.freeze_panes(1, 0)
    for place, column in enumerate(sheet.columns):
        form = book.add_format({"num_format": _FORMATS.get(column.kind, "@")})
        words = heading(sheet, column, chinese=chinese)
        page.write_string(0, place, words, needed if column.required else free)
        page.set_column(place, place, max(12, min(30, 2 + len(words) * (2 if chinese else 1))), form)
        page.data_validation(1, place, ROWS, place, _validation(column, chinese))


def _validation(column: Column, chinese: bool) -> dict[str, Any]:
    """The drop-down or bounds of a column, with what it means as a hint."""
    told = {"input_message": str(column.meaning)[:_TOLD], "ignore_blank": True, "show_error": True}
    listed = choices(column, chinese=chinese)
    if listed and len(",".join(listed)) <= _LISTED:
        return told | {"validate": "list", "source": listed}
    low, high = column.low, column.high
    if column.kind in _NUMBERS and isinstance(low, int):
        scale = 100 if column.kind is Kind.FEN else 1
        whole = column.kind in (Kind.INTEGER, Kind.YEAR)
        bounds: dict[str, Any] = {"validate": "integer" if whole else "decimal"}
        if isinstance(high, int):
            return told | bounds | {"criteria": "between", "minimum": low / scale, "maximum": high / scale}
        return told | bounds | {"criteria": ">=", "value": low / scale}
    if column.kind in (Kind.DATE, Kind.MONTH):
        return told | {"validate": "date", "criteria": ">=", "value": datetime(1900, 1, 1)}  # noqa: DTZ001
    return told | {"validate": "any"}


def _explained(book: Any, sheet: Sheet, chinese: bool, areas: Mapping[str, str], day: date) -> None:
    page = book.add_worksheet(_title(_("Columns")))
    bold, wrapped = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True, "valign": "top"})
    heads = (_("Heading"), _("What it means"), _("Needed"), _("Unit"), _("May be"), _("Example"))
    for place, (words, width) in enumerate(zip(heads, (22, 60, 9, 10, 44, 18), strict=True)):
        page.set_column(place, place, width)
        page.write_string(0, place, words, bold)
    for row, column in enumerate(sheet.columns, start=1):
        cells = (
            heading(sheet, column, chinese=chinese),
            str(column.meaning),
            _("yes") if column.required else _("no"),
            _(column.unit) if column.unit else "",
            _bounds(column, chinese),
        )
        for place, words in enumerate(cells):
            page.write_string(row, place, words, wrapped)
        value = example(column, chinese=chinese, areas=areas, day=day)
        form = book.add_format({"num_format": _FORMATS.get(column.kind, "@"), "align": "left", "valign": "top"})
        if isinstance(value, date):
            page.write_datetime(row, 5, datetime(value.year, value.month, value.day), form)  # noqa: DTZ001
        elif isinstance(value, int | float):
            page.write_number(row, 5, value, form)
        else:
            page.write_string(row, 5, str(value), form)
    page.write_string(len(sheet.columns) + 2, 0, str(sheet.about), book.add_format({"italic": True}))


def _bounds(column: Column, chinese: bool) -> str:
    """What a cell may hold, in words: the listed words, the bounds, the number of signs."""
    listed = choices(column, chinese=chinese)
    if listed:
        return ", ".join(listed)
    scale = 100 if column.kind is Kind.FEN else 1
    ends = [n // scale if isinstance(n, int) else n for n in (column.low, column.high)]
    if ends[0] is not None and ends[1] is not None:
        return _("from %(low)s to %(high)s") % {"low": ends[0], "high": ends[1]}
    if ends[0] is not None:
        return _("from %(low)s on") % {"low": ends[0]}
    if column.kind is Kind.TEXT:
        return _("up to %(n)s signs") % {"n": column.max_length}
    return ""


def _title(words: str) -> str:
    """A name a page of a workbook may have."""
    return re.sub(r"[\[\]:*?/\\]", " ", words)[:31]
