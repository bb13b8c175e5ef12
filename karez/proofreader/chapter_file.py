"""Reading a chapter's figures and its rules from CSV or XLSX, telling every fault by line and column. Holds no
judgement of them.

A chapter has one row for each printed figure. `derivation` is a formula over other ids that should give the printed
value; `rounding_assumed` marks figures printed in full whose trailing zeros are taken as rounding (a remark in `note`
says the same in older files). A rules file has one relation a row. Nothing of a file is kept or executed.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from karez.kernel.encodings import meant_as_utf8
from karez.kernel.folding import fold
from karez.kernel.formula import ID, Formula, FormulaError, Sign, parse_formula, parse_sign, shorten
from karez.kernel.messages import Message, say
from karez.kernel.printed import PrintedNumber, Qualifier
from karez.kernel.units import PERCENT, unit_named
from karez.kernel.workbook.marks import MERGED, SHOWN, is_mark
from karez.kernel.written import NUMBER_REASONS, reason_for
from karez.proofreader.chapter_workbook import WorkbookError, is_workbook, rows_of_workbook

REQUIRED = (
    "id", "section", "label", "value", "unit", "qualifier", "rounding",
    "period", "place", "kind", "programme", "derivation",
)  # fmt: skip
OPTIONAL = ("rounding_assumed", "note", "part_of")
RULE_REQUIRED = ("left", "relation", "right")
RULE_OPTIONAL = ("meaning",)
KINDS = ("stock", "flow", "share", "growth", "average", "plan", "rule")  # those of declared figures

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_CELL = 10_000
MAX_ID = 200
MAX_HEADING = 200
MAX_DIGITS = 30

_NUMBER = re.compile(
    r"-?(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?"
)  # as printed: 1.080 has three decimals, 2,912 a separator
# Message and numbers of a period: end_2009, 2006-2008, 2009-12-31, 2009Q1, 11th_plan; a year has four digits.
_RUN = re.compile(r"[A-Za-z0-9]+")
_YEAR = re.compile(r"[12][0-9]{3}(?:[QqHh][1-4])?")
_BESIDE_YEAR = re.compile(r"[0-9]{1,2}|[QqHh][1-4]")
_WORD = re.compile(r"[A-Za-z]+|[0-9]{1,2}(?:st|nd|rd|th)", re.IGNORECASE)
_WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xls")
_ASSUMED_REMARK = "trailing zeros taken as rounding"
_PLAIN = say("a number in plain digits, such as 1580 or 0.1")
_ABOVE_ZERO = say("a number above zero in plain digits, such as 1580 or 0.1")
_FLAGS = {"": False, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a file that cannot be used: where, what was found there, what was expected."""

    line: int
    column: str
    found: str
    expected: str
    file: str = "figures"

    def as_dict(self) -> dict[str, Any]:
        """The fault with its stable keys first."""
        return {
            "line": self.line,
            "column": self.column,
            "found": self.found,
            "expected": self.expected,
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class PrintedFigure:
    """One readable row of a chapter; `cells` are all its cells by column."""

    line: int
    id: str
    label: str
    printed: PrintedNumber
    rounding_assumed: bool
    derivation: Formula | None
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a rules file."""

    line: int
    left: Formula
    sign: Sign
    right: Formula
    cells: Mapping[str, str]


@dataclass
class Chapter:
    """The readable rows of a chapter, all faults, the line of every id (readable or not), columns nothing reads;
    whether it was no UTF-8.
    """

    figures: list[PrintedFigure] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    gb18030: bool = False  # read so, because it is no UTF-8
    told: tuple[str, ...] = ()  # of the workbook, if it was one: which sheet was read, what is hidden


@dataclass
class Rules:
    """The readable rows of a rules file and all its faults; whether it was no UTF-8."""

    rules: list[Rule] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    gb18030: bool = False
    told: tuple[str, ...] = ()


def read_chapter(data: bytes, name: str = "") -> Chapter:
    """The figures in the bytes of a chapter file; every fault is listed, none raised. `name` is what the file is
    called, if anything.
    """
    chapter = Chapter()
    table = Table(data, "figures", REQUIRED, OPTIONAL, chapter.faults, name)
    for line, cells in table.rows():
        figure = _Row(line, cells, chapter.faults).figure(chapter.lines)
        if figure is not None:
            chapter.figures.append(figure)
    chapter.ignored, chapter.gb18030, chapter.told = table.ignored, table.gb18030, tuple(table.told)
    return chapter


def read_rules(data: bytes) -> Rules:
    """The relations in the bytes of a rules file; every fault is listed, none raised."""
    rules = Rules()
    table = Table(data, "rules", RULE_REQUIRED, RULE_OPTIONAL, rules.faults)
    for line, cells in table.rows():
        rule = _Row(line, cells, rules.faults, "rules").rule()
        if rule is not None:
            rules.rules.append(rule)
    rules.gb18030, rules.told = table.gb18030, tuple(table.told)
    return rules


class Table:
    """A CSV file or first sheet with a header: its rows as cells by column, and what is wrong with its shape."""

    def __init__(
        self,
        data: bytes,
        file: str,
        required: tuple[str, ...],
        optional: tuple[str, ...],
        faults: list[Fault],
        name: str = "",
    ) -> None:
        self.data, self.file, self.faults = data, file, faults
        self.misnamed = name.lower().endswith(_WORKBOOK_NAMES) and not is_workbook(data)
        self.required, self.known = required, required + optional
        self.ignored: tuple[str, ...] = ()
        self.gb18030 = False
        self.told: list[str] = []

    def fault(self, line: int, column: str, found: str, expected: str) -> None:
        self.faults.append(Fault(line, column, found, expected, self.file))

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        records = self._records()
        line, header = next(records, (1, []))
        if not header and self.faults:
            return
        if not header:
            self.fault(
                1,
                "",
                say("an empty file"),
                say("a first line naming the columns {columns}", columns=",".join(self.required)),
            )
            return
        names = self._header(line, header)
        if names is None:
            return
        seen = False
        for line, record in records:
            seen = True
            if len(record) == len(names):
                yield line, {name: cell.strip() for name, cell in zip(names, record, strict=True) if name}
            else:
                column = _column(len(names)) if len(record) > len(names) else names[len(record)]
                expected = say("{count} cells, as in the first line", count=len(names))
                self.fault(line, column, say("{count} cells", count=len(record)), expected)
        if not seen and not self.faults:
            self.fault(line + 1, "", say("no rows"), say("at least one row below the column names"))

    def _text(self) -> str | None:
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if self.misnamed:
                self._no_workbook()
                return None
            meant = self.data.startswith(codecs.BOM_UTF8) or meant_as_utf8([error.object])
            if not meant:
                try:  # what spreadsheets in China save as CSV
                    text = self.data.decode("gb18030")
                    self.gb18030 = True
                    return text
                except UnicodeDecodeError:
                    pass
            # Counted in what was decoded: the byte order mark, if any, is not part of it.
            data: bytes = error.object
            line = data.count(b"\n", 0, error.start) + 1
            at = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
            found = " ".join(f"{byte:02x}" for byte in data[error.start : error.start + 4])
            found = say("bytes {bytes} at byte {place} of the line", bytes=found, place=at)
            self.fault(line, "", found, say("text in UTF-8") if meant else say("text in UTF-8 or GB 18030"))
            return None

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Records with the line each begins on; blank ones are passed over, and no more are read than a chapter can
        have.
        """
        if len(self.data) > MAX_BYTES:
            self.fault(1, "", say("more than {limit} bytes", limit=f"{MAX_BYTES:,}"), say("a smaller file"))
            return
        records = self._of_workbook() if is_workbook(self.data) else self._of_text()
        for count, (line, record) in enumerate(r for r in records if any(cell.strip() for cell in r[1])):
            if count > MAX_ROWS:
                limit = f"{MAX_ROWS:,}"
                self.fault(line, "", say("more than {limit} rows", limit=limit), say("at most {limit}", limit=limit))
                return
            yield line, record

    def _of_workbook(self) -> Iterator[tuple[int, list[str]]]:
        """The rows of the sheet, each as wide as the header, or wider where something stands beyond it."""
        width = 0
        try:
            for line, record in rows_of_workbook(self.data, self._knows, self.told.append):
                last = max((place for place, cell in enumerate(record, start=1) if cell.strip()), default=0)
                width = width or last
                yield line, [*record[: max(width, last)], *[""] * (width - len(record))]
        except WorkbookError as error:
            self.fault(1, "", error.found, error.expected)

    def _knows(self, header: Sequence[str]) -> bool:
        return bool(set(self.required) & {cell.strip().lower() for cell in header})

    def _of_text(self) -> Iterator[tuple[int, list[str]]]:
        """The records of CSV text; broken quoting ends the reading."""
        text = self._text()
        if text is None:
            return
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        while True:
            begins = reader.line_num + 1
            try:
                record = next(reader, None)
            except csv.Error as error:
                expected = say("cells in balanced quotes; the rest is not read")
                self.fault(begins, "", shorten(str(error), 80), expected)
                return
            if record is None:
                return
            yield begins, record

    def _header(self, line: int, header: list[str]) -> list[str] | None:
        """The column names; None where nothing below them can be read."""
        if len(header) > MAX_COLUMNS:
            found = say("{count} columns", count=len(header))
            self.fault(line, _column(MAX_COLUMNS), found, say("at most {limit}", limit=MAX_COLUMNS))
            return None
        if self.misnamed and not set(self.required) & {cell.strip().lower() for cell in header}:
            self._no_workbook()
            return None
        if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
            tabs, semicolons = say("cells divided by tabs"), say("cells divided by semicolons")
            self.fault(line, "", tabs if "\t" in header[0] else semicolons, say("cells divided by commas"))
            return None
        for place, cell in enumerate(header):
            if len(cell) > MAX_HEADING:
                found = say("a heading of {count} characters", count=f"{len(cell):,}")
                self.fault(line, _column(place), found, say("at most {limit}", limit=MAX_HEADING))
                return None
        names = [cell.strip().lower() for cell in header]
        if not set(self.required) & set(names):
            self._no_columns(line, header)
            return None
        for place, name in enumerate(names):
            if name in names[:place]:
                column = shorten(name, 40) or _column(place)
                self.fault(line, column, say("the same column again"), say("each column once"))
                names[place] = ""
        for name in self.required:
            if name not in names:
                self.fault(
                    line, name, say("no such column"), say("the columns {columns}", columns=",".join(self.required))
                )
        self.ignored = tuple(shorten(name, 40) for name in names if name and name not in self.known)
        return names

    def _no_workbook(self) -> None:
        columns = ",".join(self.required)
        self.fault(
            1,
            "",
            say("a file that is not a workbook, though it is named as one"),
            say("XLSX, or CSV with the columns {columns}", columns=columns),
        )

    def _no_columns(self, line: int, header: list[str]) -> None:
        found = say("a first line with none of the columns: {line}", line=shorten(",".join(header), 80))
        self.fault(line, "", found, say("the columns {columns}", columns=",".join(self.required)))


def mark_words(cell: str) -> Message:
    """What is expected of a cell that holds something and no value."""
    if cell.startswith(SHOWN):
        return say("a cell that shows what it holds, in a plain number format")
    if cell.startswith(MERGED):
        return say("a value in each cell, none merged with another")
    return say("a value, not an error of the spreadsheet")


def _column(place: int) -> Message:
    return say("column {number}", number=place + 1)


class _Row:
    """One record being read; a cell whose column is missing is passed over, the header's fault has told it."""

    def __init__(self, line: int, cells: dict[str, str], faults: list[Fault], file: str = "figures") -> None:
        self.line, self.cells, self.faults, self.file = line, cells, faults, file
        self.usable = True
        self.told: set[str] = set()

    def cell(self, column: str) -> str | None:
        """The cell, None where its column is missing or its fault is told already."""
        return None if column in self.told else self.cells.get(column)

    def fault(self, column: str, found: str, expected: str) -> None:
        self.usable = False
        self.told.add(column)
        self.faults.append(Fault(self.line, column, found, expected, self.file))

    def figure(self, lines: dict[str, int]) -> PrintedFigure | None:
        """The row as a figure, None where a fault makes it unusable; its id is noted in `lines` either way."""
        self._check_cells()
        name = self._id(lines)
        value, rounding = self._number("value"), self._number("rounding", above_zero=True)
        qualifier, assumed = self._qualifier(), self._assumed()
        self._check_kind()
        self._check_period()
        derivation = self._formula("derivation") if self.cells.get("derivation") else None
        if not self.usable or name is None or value is None or rounding is None or qualifier is None:
            return None
        printed = PrintedNumber(value, qualifier, rounding, self.cells.get("unit", ""))
        return PrintedFigure(self.line, name, self.cells.get("label", ""), printed, assumed, derivation, self.cells)

    def rule(self) -> Rule | None:
        """The row as a relation, None where a fault makes it unusable."""
        self._check_cells()
        left, right, sign = self._formula("left"), self._formula("right"), None
        if (cell := self.cell("relation")) is not None:
            try:
                sign = parse_sign(cell)
            except FormulaError as error:
                self.fault("relation", error.found, error.expected)
        if not self.usable or left is None or sign is None or right is None:
            return None
        return Rule(self.line, left, sign, right, self.cells)

    def _check_cells(self) -> None:
        for column, cell in self.cells.items():
            if cell[:1] in ("=", "@") and column != "relation":
                expected = say("a value, not a formula of a spreadsheet")
                self.fault(column, f"'{shorten(cell, 40)}'", expected)
            elif is_mark(cell):
                self.fault(column, f"'{shorten(cell, 40)}'", mark_words(cell))
            elif len(cell) > MAX_CELL:
                found = say("{count} characters", count=len(cell))
                self.fault(column, found, say("at most {limit}", limit=MAX_CELL))

    def _id(self, lines: dict[str, int]) -> str | None:
        name = self.cell("id")
        if name is None:
            return None
        if len(name) > MAX_ID or not ID.fullmatch(name):
            expected = say("letters, digits, _ and dots, such as funds.total; at most {limit}", limit=MAX_ID)
            self.fault("id", _shown(name), expected)
            return None
        if name in lines:
            found = say("'{id}' again", id=shorten(name, 80))
            self.fault("id", found, say("each id once; it stands on line {line}", line=lines[name]))
            return None
        lines[name] = self.line
        return name

    def _number(self, column: str, *, above_zero: bool = False) -> Decimal | None:
        cell = self.cell(column)
        if cell is None:
            return None
        expected = _ABOVE_ZERO if above_zero else _PLAIN
        given, cell = cell, fold(cell).strip()
        if cell.endswith("%") and unit_named(self.cells.get("unit", "")) == PERCENT:
            cell = cell[:-1].rstrip()  # as a spreadsheet shows a share
        if len(cell) > MAX_DIGITS:
            limited = say("{what}; at most {limit} characters", what=expected, limit=MAX_DIGITS)
            self.fault(column, say("{count} characters", count=len(cell)), limited)
            return None
        number = Decimal(cell.replace(",", "")) if _NUMBER.fullmatch(cell) else None
        if number is None or (above_zero and number <= 0):
            reason = reason_for(cell, NUMBER_REASONS) if number is None and cell else None
            self.fault(column, _shown(given), say(reason.expected) if reason else expected)
            return None
        return number

    def _qualifier(self) -> Qualifier | None:
        cell = self.cell("qualifier")
        if cell is None:
            return None
        try:
            return Qualifier(cell)
        except ValueError:
            expected = say("one of {these}", these=", ".join(q.value for q in Qualifier))
            self.fault("qualifier", _shown(cell), expected)
            return None

    def _check_kind(self) -> None:
        cell = self.cell("kind")
        if cell and cell.lower() not in KINDS:
            self.fault("kind", _shown(cell), say("one of {these}, or an empty cell", these=", ".join(KINDS)))

    def _check_period(self) -> None:
        cell = self.cell("period")
        if cell and not _is_period(cell):
            self.fault(
                "period",
                _shown(cell),
                say("a year of four digits or words, such as 2009, end_2009, 2006-2008 or plan, or an empty cell"),
            )

    def _assumed(self) -> bool:
        cell = (self.cell("rounding_assumed") or "").lower()
        if cell not in _FLAGS:
            self.fault("rounding_assumed", f"'{shorten(cell, 40)}'", say("true, false or an empty cell"))
            return False
        return _FLAGS[cell] or _ASSUMED_REMARK in self.cells.get("note", "")

    def _formula(self, column: str) -> Formula | None:
        cell = self.cell(column)
        if cell is None:
            return None
        try:
            return parse_formula(cell)
        except FormulaError as error:
            found = say("{what} at character {place}", what=error.found, place=error.position)
            self.fault(column, found, error.expected)
            return None


def _is_period(cell: str) -> bool:
    """Whether a period can be meant: its numbers are years, or days, months, quarters and ordinals; words are free."""
    runs = _RUN.findall(cell)
    dated = any(_YEAR.fullmatch(run) for run in runs)
    sound = all(_YEAR.fullmatch(run) or _WORD.fullmatch(run) or (dated and _BESIDE_YEAR.fullmatch(run)) for run in runs)
    return sound and any(character.isalnum() for character in cell)


def _shown(cell: str) -> str:
    return f"'{shorten(cell, 40)}'" if cell else say("an empty cell")
