"""SQL for DuckDB that types cells and finds bad ones, from a sheet's declaration. Pure text; runs nothing.

How numbers, days and units are written stands in `kernel/written.py` and `kernel/units.py`; a table of cases holds this
SQL to it.

A cell is NULL where it is empty. A typed expression is NULL where the cell is empty or cannot be read; a cell that is
there and typed NULL is a fault. No value of a file ever becomes part of a statement: only declarations do.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from karez.intake.limits import FAULTS_LISTED, FOUND_LENGTH
from karez.intake.rules import NUMBERS, base_unit, form_of, number_column
from karez.kernel.encodings import LETTERS, LOST, MIXED, PRIVATE
from karez.kernel.folding import NARROW, WIDE
from karez.kernel.id_number import _WEIGHTS, DISAGREES
from karez.kernel.messages import Listing, Message, kept, say
from karez.kernel.sheets import Column, Kind, Sheet, codes_in_words, end_in_words, form_in_words
from karez.kernel.workbook import marks
from karez.kernel.written import (
    DAY_REASONS,
    DAYS,
    MONTHS,
    NUMBER_REASONS,
    YEAR,
    Form,
    Reason,
    sign_pattern,
    unit_words,
)
from karez.places.models import Level

_UNIT_BEHIND = "[0-9][0-9,.]* *([^0-9 ,.+-].*)$"
_ONE = Fraction(1)
_NO_WORDS: Mapping[str, Fraction] = {}
BLANKS = " \t\u3000\u00a0\ufeff\u200b"
YES = ("yes", "y", "true", "t", "1", "是", "有")
NO = ("no", "n", "false", "f", "0", "否", "无")
TOTALS = ("合计", "总计", "小计", "共计", "累计", "total", "totals", "grand total", "sum", "subtotal", "sub-total")

_DATE = r"\d{4}([-/])\d{1,2}"
_EXPECTED = {
    Kind.TEXT: say("text"),
    Kind.INTEGER: say("a whole number"),
    Kind.DECIMAL: say("a number in plain digits"),
    Kind.FEN: say("an amount in yuan with at most two decimals, such as 1,200.50"),
    Kind.DATE: say("a day: 2009-03-31, 2009/3/31, 20090331 or 2009年3月31日"),
    Kind.MONTH: say("a month: 2009-03, 2009/3, 200903 or 2009年3月"),
    Kind.YEAR: say("a year of four digits"),
    Kind.FLAG: say("yes or no (是 or 否)"),
    Kind.AREA: say("the code of an area"),
}


_MARKS = {
    marks.SHOWN: ("shown_otherwise", say("a cell that shows what it holds"),
                  say("give the cell a plain number format, and see that the number is in the unit of the column")),
    marks.MERGED: ("merged", say("a value in each cell of its own"), say("undo the merging and write the value into each row")),
    marks.LONG: ("max_length", say("a text as long as a cell may be"), say("shorten the text")),
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
    reasons: tuple[Reason, ...] = ()  # forms that have an expectation and a way out of their own

    def told(self) -> tuple[str, str]:
        """SQL of what was expected and of what to do, by what stands in the cell."""
        if not self.reasons:
            return text(kept(self.expected)), text(kept(self.todo))
        cell = f"lower({name('n_' + self.column)})"
        whens = [f"WHEN regexp_full_match({cell}, {text(reason.pattern)}) THEN " for reason in self.reasons]
        expected = " ".join(
            when + text(kept(reason.expected)) for when, reason in zip(whens, self.reasons, strict=True)
        )
        todo = " ".join(when + text(kept(reason.todo)) for when, reason in zip(whens, self.reasons, strict=True))
        return f"CASE {expected} ELSE {text(kept(self.expected))} END", f"CASE {todo} ELSE {text(kept(self.todo))} END"


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def in_duckdb(message: Message) -> str:
    """SQL of a message as it is kept; its values are SQL."""
    if not message.values:
        return text(kept(message))
    values = ", ".join(f"{text(key)}, CAST({value} AS VARCHAR)" for key, value in message.values.items())
    return f"CAST(json_object('say', {text(message.pattern)}, 'with', json_object({values})) AS VARCHAR)"


def name(value: str) -> str:
    """A quoted identifier."""
    return '"' + value.replace('"', '""') + '"'


def raw_cell(source: str) -> str:
    """A cell without blanks around it, rare letters as they are in Unicode; NULL where nothing is left."""
    # Plain ASCII without tabs is nearly everything, and trimming it of spaces alone is four times as quick.
    plain = f"strlen({source}) = length({source}) AND NOT contains({source}, chr(9))"
    rare = f"regexp_matches({source}, {text(f'[{PRIVATE[0]}-{PRIVATE[-1]}]')})"
    letters = f"CASE WHEN {rare} THEN translate({source}, {text(PRIVATE)}, {text(LETTERS)}) ELSE {source} END"
    return f"NULLIF(CASE WHEN {plain} THEN trim({source}) ELSE trim({letters}, {text(BLANKS)}) END, '')"


def plain_cell(column: Column, source: str) -> str:
    """A cell as it is worked with: of numbers and codes by which something is known, wide signs are made plain."""
    if not (column.reference or column.kind is Kind.AREA or column.pattern):
        return source
    return f"CASE WHEN strlen({source}) = length({source}) THEN {source} ELSE nullif(trim({folded(source)}), '') END"


def narrow_cell(column: Column) -> str:
    """The expression of `n_<name>`, of which a cell is typed: wide signs made plain."""
    raw = name(column.name)
    return f"CASE WHEN strlen({raw}) = length({raw}) THEN {raw} ELSE {folded(raw)} END"


def typed(column: Column, times: Fraction = _ONE, words: Mapping[str, Fraction] = _NO_WORDS) -> str:
    """The expression that types a column's cell out of `n_<name>`.

    `times` is the worth, in the column's unit, of the unit its heading names; `words` are the known units its cells
    name, with theirs.
    """
    n = name("n_" + column.name)
    if column.kind in (Kind.TEXT, Kind.AREA):
        return name(column.name)
    if column.kind in NUMBERS:
        return _number(column, n, times, words)
    if column.kind is Kind.DATE:
        return f"CASE {_days(n)} END"
    if column.kind is Kind.MONTH:
        return f"CAST(date_trunc('month', CASE {_days(n)} {_months(n)} END) AS DATE)"
    if column.kind is Kind.YEAR:
        return _when(n, YEAR, f"CAST({n}[1:4] AS INTEGER)")
    if column.kind is Kind.FLAG:
        return f"CASE WHEN lower({n}) IN ({_list(YES)}) THEN true WHEN lower({n}) IN ({_list(NO)}) THEN false END"
    assert column.kind is Kind.CODE
    return _coded(f"lower({n})", column.codes)


def names_units(column: Column) -> str:
    """Whether a cell holds more than digits and signs; asked before units are looked for, as nearly no file names any."""
    return f"NOT regexp_full_match({name(column.name)}, '[0-9.,+-]*')"


def unit_named_in(column: Column) -> str:
    """The unit behind the digits of a cell, in small letters."""
    return f"regexp_extract(lower({folded(name(column.name))}), {text(_UNIT_BEHIND)}, 1)"


def folded(source: str) -> str:
    """SQL: wide letters, digits and signs made plain (`kernel/folding.py`)."""
    return f"translate({source}, {text(WIDE)}, {text(NARROW)})"


def _number(column: Column, n: str, times: Fraction, words: Mapping[str, Fraction]) -> str:
    """Digits alone the quick way; with a unit behind them, or beneath a heading that names another unit, exactly by
    decimals.
    """
    form = form_of(column)
    sign, low = sign_pattern(form), f"lower({n})"
    cases = []
    if times == 1:
        cases.append((f"regexp_full_match({n}, {text('[+-]?(?:' + form.digits + ')')})", _quick(column, n)))
    if form.money or times != 1:
        cases.append(
            (
                f"regexp_full_match({low}, {text(sign + '(?:' + form.with_worth(times) + ')')})",
                _exact(column, form, low, _factor(times)),
            )
        )
    for word, worth in words.items():
        if times == 1 or word not in unit_words("number"):  # 5万 beneath 万元: ten thousand times or a hundred million
            pattern = f"{sign}(?:{form.with_worth(worth)}) *{re.escape(word)}"
            cases.append((f"regexp_full_match({low}, {text(pattern)})", _exact(column, form, low, _factor(worth))))
    return "CASE " + " ".join(f"WHEN {condition} THEN {result}" for condition, result in cases) + " END"


def _quick(column: Column, n: str) -> str:
    """A number of digits alone, its form judged already."""
    plain = f"replace({n}, ',', '')"
    if column.kind is Kind.INTEGER:
        return f"TRY_CAST(regexp_replace({plain}, '\\.0+$', '') AS BIGINT)"
    if column.kind is Kind.DECIMAL:
        return f"ltrim({plain}, '+')"
    return f"CAST(TRY_CAST({plain} AS DECIMAL(20, 2)) * 100 AS BIGINT)"


def _exact(column: Column, form: Form, low: str, factor: str) -> str:
    """The digits of a cell times a factor, exactly; NULL where more decimals come out than the kind has."""
    digits = f"regexp_replace(regexp_extract({low}, '[0-9][0-9,.]*'), ',', '', 'g')"
    product = f"(TRY_CAST({digits} AS DECIMAL(23, 8)) * {factor})"
    whole = f"CAST({product} AS DECIMAL({25 + form.decimals}, {form.decimals}))"
    below = f"regexp_matches({low}, '^[^0-9]*-')"
    if column.kind is Kind.DECIMAL:
        shown = (
            f"regexp_replace(CAST({whole} AS VARCHAR), '\\.?0*$', '')" if form.decimals else f"CAST({whole} AS VARCHAR)"
        )
        done = f"CASE WHEN {below} THEN '-' ELSE '' END || {shown}"
    else:
        done = f"TRY_CAST({whole} * {10**form.decimals} * CASE WHEN {below} THEN -1 ELSE 1 END AS BIGINT)"
    return f"(CASE WHEN {whole} = {product} THEN {done} END)"


def _factor(worth: Fraction) -> str:
    return f"CAST('{Decimal(worth.numerator) / worth.denominator:f}' AS DECIMAL(14, 4))"


def tests(sheet: Sheet, present: frozenset[str], headed: Mapping[str, str], *, gb18030: bool) -> Iterator[Test]:
    """Every test of single cells, for the columns the file has; more of them where it was read as GB 18030.

    `headed`: columns whose heading names another unit than their own, with that unit.
    """
    number = number_column(sheet)
    for column in sheet.columns:
        if column.name not in present:
            continue
        raw, is_there, done = name(column.name), f"{name(column.name)} IS NOT NULL", name(f"t_{column.name}")
        found = _found(column)
        yield from _mark_tests(column, raw)
        is_there += f" AND NOT ({_is_mark(raw)})"
        if column.required:
            yield Test(
                column.name,
                "required",
                f"{raw} IS NULL",
                "''",
                say("a value"),
                say("fill the cell, or leave the row out"),
            )
        if column.kind is Kind.TEXT:
            yield from _text_tests(column, raw, found)
            yield from _damage_tests(column, raw, gb18030)
        elif column.kind is Kind.AREA:
            yield Test(
                column.name,
                "area",
                f"{is_there} AND {name(column.name + '_id')} IS NULL",
                found,
                _area_expected(column),
                say("look the code up under Places; codes change with the years"),
            )
        else:
            wanted = (
                say("a number in {headed}, the unit in the heading", headed=headed[column.name])
                if column.name in headed
                else expected(column)
            )
            yield Test(column.name, "type", f"{is_there} AND {done} IS NULL", found, wanted, reasons=_reasons(column))
        yield from _bounds(column, done, found)
        if column.pattern and column.kind in (Kind.TEXT, Kind.AREA):
            yield Test(
                column.name,
                "pattern",
                f"{is_there} AND NOT regexp_full_match({done}, {text(column.pattern)})",
                found,
                form_in_words(column),
            )
        if column is number:
            yield Test(
                column.name,
                "id_number",
                f"{is_there} AND NOT ({number_is_right(raw)})",
                found,
                say("18 characters by GB 11643 with a birth date and check character that fit"),
                say("correct it, or leave it empty: nobody is left out for want of a number"),
            )


def expected(column: Column) -> str:
    """What a cell of the column may hold, in words."""
    if column.kind is Kind.CODE:
        return codes_in_words(column)
    words = _EXPECTED[column.kind]
    if column.unit and column.kind is not Kind.FEN:
        return say("{words} ({unit})", words=words, unit=column.unit)
    return words


def identity_record(sheet: Sheet) -> str:
    """The identity cells of a row as one JSON text, empty ones left out; NULL where all are empty."""
    columns = [column for column in sheet.columns if column.identity]
    pairs = [
        (
            f"CASE WHEN {name(c.name)} IS NOT NULL THEN {text(chr(34) + c.name + chr(34) + ':')} || "
            f"CAST(to_json({name(c.name)}) AS VARCHAR) END"
        )
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
    parts = f"replace(replace(regexp_extract({n}, '^[0-9./-]+'), '/', '-'), '.', '-')"
    kinds = (
        (DAYS["iso"], n),
        (DAYS["slash"], f"replace({n}, '/', '-')"),
        (DAYS["digits"], f"{n}[1:4] || '-' || {n}[5:6] || '-' || {n}[7:8]"),
        (DAYS["chinese"], f"rtrim(translate({n}, '年月日号', '--  '), ' ')"),
        ("(?i)" + DAYS["midnight"], parts),
    )
    return " ".join(f"WHEN regexp_full_match({n}, {text(p)}) THEN TRY_CAST({iso} AS DATE)" for p, iso in kinds)


def _months(n: str) -> str:
    kinds = (
        (MONTHS["iso"], f"{n} || '-1'"),
        (MONTHS["slash"], f"replace({n}, '/', '-') || '-1'"),
        (MONTHS["digits"], f"{n}[1:4] || '-' || {n}[5:6] || '-01'"),
        (MONTHS["chinese"], f"rtrim(translate({n}, '年月份', '-  '), ' ') || '-1'"),
    )
    return " ".join(f"WHEN regexp_full_match({n}, {text(p)}) THEN TRY_CAST({iso} AS DATE)" for p, iso in kinds)


def _reasons(column: Column) -> tuple[Reason, ...]:
    if column.kind in (Kind.DATE, Kind.MONTH):
        return DAY_REASONS
    if column.kind not in NUMBERS:
        return ()
    other = Reason(r".*[0-9] *[^0-9 ,.+-].*|[^0-9 ,.+-].*[0-9].*", expected_unit(column))
    return (*NUMBER_REASONS, other)


def expected_heading(column: Column) -> str:
    """What is expected of a heading that names a unit the column's numbers cannot be turned from."""
    unit = base_unit(column)
    return f"the column in {unit}" if unit else "the unit of the column, or none"


def expected_unit(column: Column) -> str:
    """What is expected of a cell that names another unit than its column, or one that cannot be turned into it."""
    unit = base_unit(column)
    return (
        say("a number in {unit}, with no unit but one that is a fixed number of {unit}", unit=unit)
        if unit
        else say("a number without a unit")
    )


def _coded(n: str, codes: Mapping[str, str]) -> str:
    written = {stored.lower(): stored for stored in codes.values()} | {k.lower(): v for k, v in codes.items()}
    cases = " ".join(f"WHEN {text(k)} THEN {text(v)}" for k, v in written.items())
    return f"CASE {n} {cases} END"


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(map(text, words))


def _found(column: Column) -> str:
    """What is shown of a bad cell: its beginning; of identity only how long it is."""
    raw = name(column.name)
    return masked(raw) if column.identity else f"left({raw}, {FOUND_LENGTH})"


def masked(raw: str) -> str:
    """SQL: how long a cell is, in words, in place of what stands in it."""
    one, more = say("(1 character, not shown)"), say("({count} characters, not shown)", count=f"length({raw})")
    return f"CASE WHEN length({raw}) = 1 THEN {in_duckdb(one)} ELSE {in_duckdb(more)} END"


def _text_tests(column: Column, raw: str, found: str) -> Iterator[Test]:
    formula = f"regexp_matches({raw}, '^[=+@-]') AND NOT regexp_full_match({raw}, '[+-]?[0-9][0-9 ().-]*')"
    yield Test(
        column.name,
        "formula",
        formula,
        found,
        say("text that does not begin with = + - @"),
        say("it looks like a formula, which a spreadsheet would run; write the text plainly"),
    )
    yield Test(
        column.name,
        "max_length",
        f"length({raw}) > {column.max_length}",
        found,
        say("at most {limit} characters", limit=column.max_length),
    )
    yield Test(
        column.name,
        "control",
        f"regexp_matches({raw}, '[\\x00-\\x08\\x0b-\\x1f\\x7f]')",
        found,
        say("text without control characters"),
    )


def _is_mark(raw: str) -> str:
    """Whether a cell holds something, and no value: an error of a spreadsheet, a mark of the reader of workbooks, a
    formula.
    """
    return (
        f"CASE WHEN starts_with({raw}, '#') THEN regexp_full_match({raw}, {text(marks.PATTERN)}) ELSE "
        f"starts_with({raw}, '=') END"
    )


def _mark_tests(column: Column, raw: str) -> Iterator[Test]:
    shown = f"regexp_extract({raw}, '^[#A-Z0-9/!?]*')" if column.identity else f"left({raw}, {FOUND_LENGTH})"
    ours = " OR ".join(f"starts_with({raw}, {text(begin + ' ')})" for begin in _MARKS)
    for begin, (rule, expected, todo) in _MARKS.items():
        yield Test(column.name, rule, f"starts_with({raw}, {text(begin + ' ')})", shown, expected, todo)
    error = (
        f"CASE WHEN starts_with({raw}, '#') THEN regexp_full_match({raw}, {text(marks.PATTERN)}) AND NOT "
        f"({ours}) ELSE false END"
    )
    yield Test(
        column.name,
        "spreadsheet_error",
        error,
        shown,
        say("a value, not an error of the spreadsheet"),
        say("mend the formula, or write the value into the cell"),
    )
    if column.kind is not Kind.TEXT:
        yield Test(
            column.name,
            "formula",
            f"starts_with({raw}, '=')",
            shown,
            say("a value: of this formula the file holds no result"),
            say("open the workbook, save it and send it again, or write the value into the cell"),
        )


def _damage_tests(column: Column, raw: str, gb18030: bool) -> Iterator[Test]:
    """Words that are another's nonsense: told, and never sealed or recorded unseen. What stands there is not shown."""
    wide = f"strlen({raw}) <> length({raw})"
    todo = say("write the word anew, or open the file where it was made and save it as CSV UTF-8")
    for pattern in (LOST, MIXED) if gb18030 else (LOST,):
        yield Test(
            column.name,
            "damaged",
            f"CASE WHEN {wide} THEN regexp_matches({raw}, {text(pattern)}) ELSE false END",
            masked(raw),
            say("words as they were written; characters were lost or read in another encoding"),
            todo,
        )


def _bounds(column: Column, done: str, found: str) -> Iterator[Test]:
    number = f"CAST({done} AS DECIMAL(38, 10))" if column.kind is Kind.DECIMAL else done
    for rule, bound, sign in (("low", column.low, "<"), ("high", column.high, ">")):
        if bound is not None:
            value = f"DATE '{bound.isoformat()}'" if isinstance(bound, date) else str(int(bound))
            words = end_in_words(column, lower=rule == "low")
            yield Test(column.name, rule, f"{number} {sign} {value}", found, words)


def _area_expected(column: Column) -> str:
    return say(
        "the code of one {levels} on that day",
        levels=Listing((Level(one).label for one in column.levels), " or ") or say("area"),
    )


def number_is_right(raw: str) -> str:
    """SQL: a cell is an identity number of GB 11643, its check character and birth date sound."""
    first17 = f"CAST({raw}[1:17] AS BIGINT)"
    digits = " + ".join(f"({first17} // {10 ** (17 - i)}) % 10 * {w}" for i, w in enumerate(_WEIGHTS, 1))
    birth = f"TRY_CAST({raw}[7:10] || '-' || {raw}[11:12] || '-' || {raw}[13:14] AS DATE) IS NOT NULL"
    return (
        f"CASE WHEN regexp_full_match({raw}, '[0-9]{{17}}[0-9Xx]')"
        f" THEN substr('10X98765432', CAST(({digits}) % 11 AS INTEGER) + 1, 1) = upper({raw}[18]) AND {birth}"
        f" AND {raw}[7:10] <> '0000' ELSE false END"
    )


def number_disagrees(sheet: Sheet) -> str:
    """SQL of (row_no, found) over `cells`: rows whose right number says another month of birth or sex; none where
    nothing is declared.
    """
    number = number_column(sheet)
    if number is None or sheet.number_says is None:
        return ""
    raw, (month, sex) = name(number.name), (name(f"t_{column}") for column in sheet.number_says)
    told = " ".join(
        f"WHEN month = {m} AND sex = {s} THEN {text(kept(words))}" for (m, s), words in DISAGREES.items() if words
    )
    return (
        f"SELECT row_no, CASE {told} END FROM (SELECT row_no, coalesce(strftime({month}, '%Y%m') <> {raw}[7:12], "
        "false) AS month,"
        f" coalesce({sex} IN ('1', '2') AND (CAST({raw}[17] AS INTEGER) % 2 = 1) <> ({sex} = '1'), false) AS sex"
        f" FROM cells WHERE regexp_full_match({raw}, '[0-9]{{17}}[0-9Xx]')) n WHERE month OR sex ORDER BY row_no "
        f"LIMIT {FAULTS_LISTED}"
    )
