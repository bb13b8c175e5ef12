"""Declarations of what files may be loaded: a sheet, its columns, its checks. Holds no reading of files and no tables.

A room declares its sheets in `sheets.py` (a module attribute `SHEETS`, a tuple of Sheet); `karez.intake` finds and runs
them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from django.conf import settings
from django.utils import translation

from karez.kernel.messages import Listing, Text, say
from karez.kernel.money import format_fen


class Kind(Enum):
    """Types a cell may have; the staged column's SQL type in brackets."""

    TEXT = "text"  # (text)
    INTEGER = "integer"  # (bigint)
    DECIMAL = "decimal"  # (numeric)
    FEN = "fen"  # written in yuan, staged in fen (bigint)
    DATE = "date"  # (date): 2009-03-31, 2009/3/31, 20090331, 2009年3月31日 or a spreadsheet date
    MONTH = "month"  # (date, first of the month)
    YEAR = "year"  # (integer)
    FLAG = "flag"  # (boolean): yes/no/1/0/true/false/是/否
    CODE = "code"  # (text): one of `codes`
    AREA = "area"  # (text) plus a staged column `<name>_id` (bigint) resolved on `Sheet.area_day`

    @property
    def words(self) -> str:
        """What such a cell holds, as people are told."""
        return _KINDS[self]


_KINDS: Mapping[Kind, str] = {
    Kind.TEXT: say("text"), Kind.INTEGER: say("whole number"), Kind.DECIMAL: say("number"), Kind.FEN: say("amount"),
    Kind.DATE: say("day"), Kind.MONTH: say("month"), Kind.YEAR: say("year"), Kind.FLAG: say("yes or no"),
    Kind.CODE: say("one of a list"), Kind.AREA: say("code of a place"),
}  # fmt: skip


class Days(Enum):
    """Which days a column of days (or years) may hold. None lies ahead, and none in a year that nobody opened."""

    OPENED = "opened"  # of an opened year
    SINCE = "since"  # or earlier: a state that was there before the first year
    ANY = "any"  # not judged: an end, a day of a paper


@dataclass(frozen=True)
class Column:
    """One column: what it means and what a cell of it may hold. `headers` are the accepted headings beside `name`."""

    name: str
    meaning: Text
    kind: Kind = Kind.TEXT
    required: bool = True
    unit: str = ""
    headers: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)  # written value (either language) -> stored code
    low: int | date | None = None
    high: int | date | None = None
    max_length: int = 200
    pattern: str = ""  # RE2, whole cell
    days: Days | None = None  # DATE: OPENED unless said otherwise; YEAR: not judged unless said otherwise
    levels: tuple[str, ...] = ()  # AREA: levels accepted, all if empty
    identity: bool = False  # sealed before staging; then `kind` is TEXT and the value is staged nowhere
    reference: bool = (
        False  # TEXT: a number or code by which something is known; wide letters and digits are read as plain ones
    )
    decimals: int | None = None  # DECIMAL: how many decimals are kept; ten where none are declared
    unit_column: str = ""  # the column of the row that names this number's unit
    label: Text = ""  # what the office calls it, for headings of lists, pages and figure tables; its name where none is

    @property
    def called(self) -> Text:
        """What the office calls it, in the reader's language."""
        return self.label or self.name.replace("_", " ")

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading that is taken for it: its name, those of the office, and what it is called in each language."""
        words = [self.name, *self.headers]
        for language, _name in settings.LANGUAGES if self.label else ():
            with translation.override(language):
                words.append(str(self.label))
        return tuple(dict.fromkeys(words))


def end_in_words(column: Column, *, lower: bool) -> str:
    """What a bound of a column says, wherever it is told: at least 0.01 yuan."""
    bound = column.low if lower else column.high
    shown = str(bound)
    if column.kind is Kind.FEN and isinstance(bound, int):
        shown = say("{bound} yuan", bound=format_fen(bound))
    return say("at least {bound}", bound=shown) if lower else say("at most {bound}", bound=shown)


def codes_in_words(column: Column) -> str:
    """What a column of codes takes: one of own, refund."""
    return say("one of {codes}", codes=Listing(dict.fromkeys((*column.codes, *column.codes.values()))))


def form_in_words(column: Column) -> str:
    """How a column with a pattern is written."""
    return say("written as {meaning}", meaning=column.meaning)


@dataclass(frozen=True)
class Reference:
    """How a row names a record that is there: looked up once for the whole file, before any check.

    `joins` is SQL after `FROM {stage} r`, of LEFT JOINs that find one record at most; it may use what references before
    it joined. `ids` are the columns that come of it, name -> SQL; where the first of them stays empty the row names no
    record, which is a fault. Of a check whose SQL names one of `ids` the `columns` are read.
    """

    rule: str
    columns: tuple[str, ...]  # of the sheet, by which it is named; a fault is told at the last one
    ids: Mapping[str, str]
    joins: str
    expected: Text
    todo: Text = ""


@dataclass(frozen=True)
class Choice:
    """What may be chosen in a form where a row names a record, beside the `Reference` that finds it.

    `sql` selects (written text, of text, fen bigint, subject bigint) of the records of the area %(area)s whose written text
    begins with %(words)s, at most %(limit)s; %(day)s is today. `told` says the rest in words: {of}, {yuan}, {name}. `names`,
    where the records are of people, opens their names for who may see them, logged with the purpose: (actor, area, subjects,
    purpose) -> name by subject.
    """

    column: str  # of the sheet, in which it is written
    told: Text
    sql: str
    names: Callable[[Any, int, Sequence[int], str], Mapping[int, str]] | None = None


@dataclass(frozen=True)
class Instead:
    """A column of the form in place of some of the file, which are worked out of it once what the row belongs to is locked.

    `sql` selects the values of the columns `of`, in their order, for the row `r` of {stage}, which has `column` too.
    """

    column: Column
    of: tuple[str, ...]
    sql: str


@dataclass(frozen=True)
class ByOne:
    """Rows that one person records by form, at once and without a second person, and where that leads.

    What the database holds of it is declared with the rules of the table (`kernel.rules.Ruled.by_one`).
    """

    leads_to: tuple[str, str]  # name of the page's address, and SQL of its number, asked when the row is recorded
    when: str = "SELECT true"  # SQL of one boolean, from {stage}
    takes: str = ""  # SQL that locks, for the transaction, what the row in {stage} belongs to


class Outcome(Enum):
    """What becomes of the rows a check finds."""

    FAULT = "fault"  # the file cannot be applied
    QUESTION = "question"  # lawful but unlikely: the sender confirms before another person may apply it
    NOTICE = "notice"  # shown to sender and approver, row by row


@dataclass(frozen=True)
class Together:
    """Checks over the same rows, asked in one statement so that the rows are gathered once. `sql` selects (nth int, row_no
    bigint, found text): the place of the check among `rules`, and what it would find alone.
    """

    rules: tuple[str, ...]
    sql: str


@dataclass(frozen=True)
class Check:
    """A set-based check after typing. `sql` selects (row_no bigint, found text) of the offending rows.

    That of a question selects a third column, matches: how many records a row is like, nought of what only the file
    holds. What its sender confirmed is so many and no more (`karez.intake.sameness.require_still_confirmed`).

    In `sql`, `{stage}` is the staged table; parameters `%(batch_id)s`, `%(sender_id)s`, `%(first_open_day)s`,
    `%(today)s`, and `%(sender_areas)s`: the ids of the areas within the sender's reach. A fault tells nothing of a
    person elsewhere. Of a file with faulty cells it judges the other rows, so name in `across` by which columns rows
    are judged together, where a row that is missing could make another look wrong (a sum that must reach something, not
    one that must not pass it).
    """

    rule: str  # stable name, e.g. "member_in_one_household"
    column: str
    expected: Text
    sql: str
    todo: Text = ""
    across: tuple[
        str, ...
    ] = ()  # ("village", "household_no"); "parent_code=code" where a row looks for others by another column
    looks_up: str = (
        ""  # kind of the read event, where what it finds are persons on record: one event for each file with hits
    )
    outcome: Outcome = Outcome.FAULT  # questions and notices are looked for in files without faults
    together: Together | None = None  # faults only, none of which tells what is expected of the very row
    ruled: bool = False  # a rule of the table, which every statement that writes it is judged by too
    tells_expected: bool = (
        False  # `sql` selects a third column: what is expected of that very row, in place of `expected`
    )


@dataclass(frozen=True)
class Sameness:
    """What makes two records of one kind the same: the same who, day, kind and amount, without receipt numbers that
    differ.

    Declared once for the rows of a file, for a row and what is on record, and for what is entered by form. `staged`
    selects of {stage} (row_no bigint, who bigint, day date, kind text, fen bigint, part text, receipt text), `recorded`
    of what counts on record (who, day, kind, fen, part, receipt, batch_id bigint, recorded_at timestamptz). `part` is
    how the amount is divided, '' where it is not; a form, where it is worked out later, does not compare it.
    """

    column: str  # the day in a file, under which a question is told
    staged: str
    recorded: str


@dataclass(frozen=True)
class Total:
    """A count or sum shown to sender and approver before anything is applied; `sql` selects one number from {stage}."""

    label: Text
    sql: str
    unit: str = ""


@dataclass(frozen=True)
class Applying:
    """What an apply or withdraw function is given."""

    cursor: Any  # a DB-API cursor of the app's role inside the one transaction of the batch
    batch_id: int | None  # None of a row entered by form, which no batch holds
    stage: str  # quoted name of the staged table
    sender_id: int
    approver_id: int | None  # None where one person suffices
    first_open_day: date
    progress: Callable[[str, int], None]  # (what, percent)
    row_count: int = 0  # rows that were checked
    confirmed: bool = False  # of a row without a batch: who enters it says that it is another one


@dataclass(frozen=True)
class Sheet:
    """What a file of this kind holds, who may send and apply it, and how its rows become records."""

    name: str
    label: Text
    about: Text
    columns: tuple[Column, ...]
    apply: Callable[[Applying], Mapping[str, int]]  # writes records, returns counts by what was written
    send_permission: str
    apply_permission: str
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    totals: tuple[Total, ...] = ()
    key: tuple[str, ...] = ()  # columns that make a row unique within a file
    area_column: str = ""  # the AREA column whose place decides who may send the row; "" = region-wide permission
    area_day: str = (
        ""  # DATE column whose day area codes are resolved on; "" = today's tree, then the first year's edition
    )
    day_column: str = ""  # the DATE column whose day a row counts from
    same: Sameness | None = None  # what makes a row the same as another, or as one on record
    number_says: tuple[str, str] | None = (
        None  # MONTH and CODE columns (GB/T 2261.1) that the identity number says as well
    )
    name_index_column: str = ""  # AREA column that keys the name index of identity columns
    built_on: tuple[Check, ...] = ()  # before a withdrawal: facts that stand on this batch (row_no, found)
    withdraw: Callable[[Applying], Mapping[str, int]] | None = None  # None: this sheet cannot be withdrawn
    choices: tuple[Choice, ...] = ()
    instead: Instead | None = None
    by_one: ByOne | None = None  # None: every row is decided by another person

    @property
    def form_columns(self) -> tuple[Column, ...]:
        """The columns of the form of one row: those of a file, but for what the form has in place of some."""
        one = self.instead
        if one is None:
            return self.columns
        made = [one.column if c.name == one.of[0] else c for c in self.columns if c.name not in one.of[1:]]
        return tuple(made)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
