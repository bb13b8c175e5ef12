"""SQL for DuckDB that types cells and finds bad ones, from a sheet's declaration. Pure text; runs nothing.

A cell is NULL where it is empty. A typed expression is NULL where the cell is empty or cannot be read; a cell that is
there and typed NULL is a fault. No value of a file ever becomes part of a statement: only declarations do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_noop as _

from karez.intake.limits import FAULTS_LISTED, FOUND_LENGTH
from karez.intake.rules import number_column
from karez.kernel.id_number import _WEIGHTS, DISAGREES
from karez.kernel.money import format_fen
from karez.kernel.sheets import Column, Kind, Sheet
from karez.kernel.workbook import marks

_BLANKS = " \t\u3000\u00a0\ufeff\u200b"
_WIDE = "0123456789.,-+:/"
_NARROW = "0123456789.,-+:/"
_YES = ("yes", "y", "true", "t", "1", "是", "有")
_NO = ("no", "n", "false", "f", "0", "否", "无")
TOTALS = ("合计", "总计", "小计", "共计", "累计", "total", "totals", "grand total", "sum", "subtotal", "sub-total")

_DATE = r"\d{4}([-/])\d{1,2}"
_EXPECTED = {
    Kind.TEXT: _("text"),
    Kind.INTEGER: _("a whole number"),
    Kind.DECIMAL: _("a number in plain digits"),
    Kind.FEN: _("an amount in yuan with at most two decimals, such as 1,200.50"),
    Kind.DATE: _("a day: 2009-03-31, 2009/3/31, 20090331 or 2009年3月31日"),
    Kind.MONTH: _("a month: 2009-03, 2009/3, 200903 or 2009年3月"),
    Kind.YEAR: _("a year of four digits"),
    Kind.FLAG: _("yes or no (是 or 否)"),
    Kind.AREA: _("the code of an area"),
}


_MARKS = {
    marks.SHOWN: ("shown_otherwise", _("a cell that shows what it holds"),
                  _("give the cell a plain number format, and see that the number is in the unit of the column")),
    marks.MERGED: ("merged", _("a value in each cell of its own"), _("undo the merging and write the value into each row")),
    marks.LONG: ("max_length", _("a text as long as a cell may be"), _("shorten the text")),
}  # fmt: skip


@dataclass(frozen=True)
class Test:
    """A condition that is true of bad cells, in SQL over the view `cells`, and how to tell of them."""

    column: str
    rule: str
    condition: str
    found: str  # SQL of text
    expected: str
    todo: str = ""


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """A quoted identifier."""
    return '"' + value.replace('"', '""') + '"'


def raw_cell(source: str) -> str:
    """A cell without blanks around it; NULL where nothing is left."""
    # Plain ASCII without tabs is nearly everything, and trimming it of spaces alone is four times as quick.
    plain = f"strlen({source}) = length({source}) AND NOT contains({source}, chr(9))"
    return f"NULLIF(CASE WHEN {plain} THEN trim({source}) ELSE trim({source}, {text(_BLANKS)}) END, '')"


def typed(column: Column) -> str:
    """The expression that types a column's raw cell."""
    raw = name(column.name)
    n = f"(CASE WHEN strlen({raw}) = length({raw}) THEN {raw} ELSE translate({raw}, {text(_WIDE)}, {text(_NARROW)}) END)"
    if column.kind in (Kind.TEXT, Kind.AREA):
        return raw if column.kind is Kind.TEXT else n
    if column.kind is Kind.INTEGER:
        digits = f"regexp_replace(replace({n}, ',', ''), '\\.0+$', '')"
        return _when(n, r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.0+)?", f"TRY_CAST({digits} AS BIGINT)")
    if column.kind is Kind.DECIMAL:
        return _when(n, r"[+-]?(\d{1,18}|\d{1,3}(,\d{3}){1,5})(\.\d{1,10})?", f"replace({n}, ',', '')")
    if column.kind is Kind.FEN:
        digits = f"regexp_replace({n}, '[^0-9.-]', '', 'g')"
        pattern = r"(¥|¥|CNY)?\s*-?(\d{1,15}|\d{1,3}(,\d{3}){1,4})(\.\d{1,2}0*)?\s*(元|yuan)?"
        return _when(n, pattern, f"CAST(TRY_CAST({digits} AS DECIMAL(20, 2)) * 100 AS BIGINT)")
    if column.kind is Kind.DATE:
        return f"CASE {_days(n)} END"
    if column.kind is Kind.MONTH:
        return f"CAST(date_trunc('month', CASE {_days(n)} {_months(n)} END) AS DATE)"
    if column.kind is Kind.YEAR:
        return _when(n, r"\d{4}(年|\.0)?", f"CAST({n}[1:4] AS INTEGER)")
    if column.kind is Kind.FLAG:
        return f"CASE WHEN lower({n}) IN ({_list(_YES)}) THEN true WHEN lower({n}) IN ({_list(_NO)}) THEN false END"
    assert column.kind is Kind.CODE
    return _coded(f"lower({n})", column.codes)


def tests(sheet: Sheet, present: frozenset[str]) -> Iterator[Test]:
    """Every test of single cells, for the columns the file has."""
    number = number_column(sheet)
    for column in sheet.columns:
        if column.name not in present:
            continue
        raw, is_there, done = name(column.name), f"{name(column.name)} IS NOT NULL", name(f"t_{column.name}")
        found = _found(column)
        yield from _mark_tests(column, raw)
        is_there += f" AND NOT ({_is_mark(raw)})"
        if column.required:
            yield Test(column.name, "required", f"{raw} IS NULL", "''", _("a value"), _("fill the cell, or leave the row out"))
        if column.kind is Kind.TEXT:
            yield from _text_tests(column, raw, found)
        elif column.kind is Kind.AREA:
            yield Test(column.name, "area", f"{is_there} AND {name(column.name + '_id')} IS NULL", found, _area_expected(column),
                       _("look the code up under Places; codes change with the years"))  # fmt: skip
        else:
            yield Test(column.name, "type", f"{is_there} AND {done} IS NULL", found, expected(column))
        yield from _bounds(column, done, found)
        if column.pattern and column.kind in (Kind.TEXT, Kind.AREA):
            yield Test(column.name, "pattern", f"{is_there} AND NOT regexp_full_match({done}, {text(column.pattern)})", found,
                       f"written as {column.meaning}")  # fmt: skip
        if column is number:
            yield Test(column.name, "id_number", f"{is_there} AND NOT ({_number_is_right(raw)})", _number_found(raw),
                       _("18 characters by GB 11643 with a birth date and check character that fit"),
                       _("correct it, or leave it empty: nobody is left out for want of a number"))  # fmt: skip


def expected(column: Column) -> str:
    """What a cell of the column may hold, in words."""
    if column.kind is Kind.CODE:
        return "one of " + ", ".join(dict.fromkeys((*column.codes, *column.codes.values())))
    return _EXPECTED[column.kind] + (f" ({column.unit})" if column.unit and column.kind is not Kind.FEN else "")


def identity_record(sheet: Sheet) -> str:
    """The identity cells of a row as one JSON text, empty ones left out; NULL where all are empty."""
    columns = [column for column in sheet.columns if column.identity]
    pairs = [
        f"CASE WHEN {name(c.name)} IS NOT NULL THEN {text(chr(34) + c.name + chr(34) + ':')} || CAST(to_json({name(c.name)}) AS VARCHAR) END"
        for c in columns
    ]
    any_there = " OR ".join(f"{name(c.name)} IS NOT NULL" for c in columns)
    return f"CASE WHEN {any_there} THEN '{{' || concat_ws(',', {', '.join(pairs)}) || '}}' END"


def day_of_area(sheet: Sheet) -> str:
    """SQL of the day area codes are resolved on, NULL for today's tree."""
    if not sheet.area_day:
        return "CAST(NULL AS DATE)"
    column = sheet.column(sheet.area_day)
    done = typed(column)
    return f"make_date({done}, 12, 31)" if column.kind is Kind.YEAR else done


def _when(n: str, pattern: str, result: str) -> str:
    return f"CASE WHEN regexp_full_match({n}, {text(pattern)}) THEN {result} END"


def _days(n: str) -> str:
    kinds = (
        (r"[12]\d{3}-\d{1,2}-\d{1,2}([ T]00:00:00)?", f"{n}[1:10]"),
        (r"[12]\d{3}/\d{1,2}/\d{1,2}", f"replace({n}, '/', '-')"),
        (r"[12]\d{7}", f"{n}[1:4] || '-' || {n}[5:6] || '-' || {n}[7:8]"),
        (r"[12]\d{3}年\d{1,2}月\d{1,2}日", f"rtrim(translate({n}, '年月日', '-- '), ' ')"),
    )
    return " ".join(f"WHEN regexp_full_match({n}, {text(p)}) THEN TRY_CAST({iso} AS DATE)" for p, iso in kinds)


def _months(n: str) -> str:
    kinds = (
        (r"[12]\d{3}-\d{1,2}", f"{n} || '-1'"),
        (r"[12]\d{3}/\d{1,2}", f"replace({n}, '/', '-') || '-1'"),
        (r"[12]\d{5}", f"{n}[1:4] || '-' || {n}[5:6] || '-01'"),
        (r"[12]\d{3}年\d{1,2}月份?", f"rtrim(translate({n}, '年月份', '-  '), ' ') || '-1'"),
    )
    return " ".join(f"WHEN regexp_full_match({n}, {text(p)}) THEN TRY_CAST({iso} AS DATE)" for p, iso in kinds)


def _coded(n: str, codes: Mapping[str, str]) -> str:
    written = {stored.lower(): stored for stored in codes.values()} | {k.lower(): v for k, v in codes.items()}
    cases = " ".join(f"WHEN {text(k)} THEN {text(v)}" for k, v in written.items())
    return f"CASE {n} {cases} END"


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(map(text, words))


def _found(column: Column) -> str:
    """What is shown of a bad cell: its beginning; of identity only how long it is."""
    raw = name(column.name)
    return _masked(raw) if column.identity else f"left({raw}, {FOUND_LENGTH})"


def _masked(raw: str) -> str:
    return f"'(' || length({raw}) || ' characters, not shown)'"


def _text_tests(column: Column, raw: str, found: str) -> Iterator[Test]:
    formula = f"regexp_matches({raw}, '^[=+@-]') AND NOT regexp_full_match({raw}, '[+-]?[0-9][0-9 ().-]*')"
    yield Test(column.name, "formula", formula, found, _("text that does not begin with = + - @"),
               _("it looks like a formula, which a spreadsheet would run; write the text plainly"))  # fmt: skip
    yield Test(column.name, "max_length", f"length({raw}) > {column.max_length}", found, f"at most {column.max_length} characters")
    yield Test(column.name, "control", f"regexp_matches({raw}, '[\\x00-\\x08\\x0b-\\x1f\\x7f]')", found, _("text without control characters"))


def _is_mark(raw: str) -> str:
    """Whether a cell holds something, and no value: an error of a spreadsheet, a mark of the reader of workbooks, a formula."""
    return f"CASE WHEN starts_with({raw}, '#') THEN regexp_full_match({raw}, {text(marks.PATTERN)}) ELSE starts_with({raw}, '=') END"


def _mark_tests(column: Column, raw: str) -> Iterator[Test]:
    shown = f"regexp_extract({raw}, '^[#A-Z0-9/!?]*')" if column.identity else f"left({raw}, {FOUND_LENGTH})"
    ours = " OR ".join(f"starts_with({raw}, {text(begin + ' ')})" for begin in _MARKS)
    for begin, (rule, expected, todo) in _MARKS.items():
        yield Test(column.name, rule, f"starts_with({raw}, {text(begin + ' ')})", shown, expected, todo)
    error = f"CASE WHEN starts_with({raw}, '#') THEN regexp_full_match({raw}, {text(marks.PATTERN)}) AND NOT ({ours}) ELSE false END"
    yield Test(column.name, "spreadsheet_error", error, shown, _("a value, not an error of the spreadsheet"),
               _("mend the formula, or write the value into the cell"))  # fmt: skip
    if column.kind is not Kind.TEXT:
        yield Test(column.name, "formula", f"starts_with({raw}, '=')", shown, _("a value: of this formula the file holds no result"),
                   _("open the workbook, save it and send it again, or write the value into the cell"))  # fmt: skip


def _bounds(column: Column, done: str, found: str) -> Iterator[Test]:
    number = f"CAST({done} AS DECIMAL(38, 10))" if column.kind is Kind.DECIMAL else done
    for bound, sign, words in ((column.low, "<", "at least"), (column.high, ">", "at most")):
        if bound is not None:
            value = f"DATE '{bound.isoformat()}'" if isinstance(bound, date) else str(int(bound))
            shown = f"{format_fen(int(bound))} yuan" if column.kind is Kind.FEN and not isinstance(bound, date) else str(bound)
            yield Test(column.name, "low" if sign == "<" else "high", f"{number} {sign} {value}", found, f"{words} {shown}")


def _area_expected(column: Column) -> str:
    return f"the code of one {' or '.join(column.levels) or 'area'} on that day"


def _number_is_right(raw: str) -> str:
    first17 = f"CAST({raw}[1:17] AS BIGINT)"
    digits = " + ".join(f"({first17} // {10 ** (17 - i)}) % 10 * {w}" for i, w in enumerate(_WEIGHTS, 1))
    birth = f"TRY_CAST({raw}[7:10] || '-' || {raw}[11:12] || '-' || {raw}[13:14] AS DATE) IS NOT NULL"
    return (
        f"CASE WHEN regexp_full_match({raw}, '[0-9]{{17}}[0-9Xx]')"
        f" THEN substr('10X98765432', CAST(({digits}) % 11 AS INTEGER) + 1, 1) = upper({raw}[18]) AND {birth}"
        f" AND {raw}[7:10] <> '0000' ELSE false END"
    )


def number_disagrees(sheet: Sheet) -> str:
    """SQL of (row_no, found) over `cells`: rows whose right number says another month of birth or sex; none where nothing is declared."""
    number = number_column(sheet)
    if number is None or sheet.number_says is None:
        return ""
    raw, (month, sex) = name(number.name), (name(f"t_{column}") for column in sheet.number_says)
    told = " ".join(f"WHEN month = {m} AND sex = {s} THEN {text(words)}" for (m, s), words in DISAGREES.items() if words)
    return (
        f"SELECT row_no, CASE {told} END FROM (SELECT row_no, coalesce(strftime({month}, '%Y%m') <> {raw}[7:12], false) AS month,"
        f" coalesce({sex} IN ('1', '2') AND (CAST({raw}[17] AS INTEGER) % 2 = 1) <> ({sex} = '1'), false) AS sex"
        f" FROM cells WHERE regexp_full_match({raw}, '[0-9]{{17}}[0-9Xx]')) n WHERE month OR sex ORDER BY row_no LIMIT {FAULTS_LISTED}"
    )


def _number_found(raw: str) -> str:
    masked = f"CASE WHEN length({raw}) < 12 THEN repeat('*', CAST(length({raw}) AS BIGINT)) ELSE repeat('*', CAST(length({raw}) - 4 AS BIGINT)) || right({raw}, 4) END"
    return f"left({masked}, {FOUND_LENGTH}) || CASE WHEN length({raw}) <> 18 THEN ', ' || length({raw}) || ' characters' ELSE '' END"
