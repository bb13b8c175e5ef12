"""Which rows of a file with faulty cells a sheet's check may judge, so that it tells faults and not their consequences.

A row that is faulty in a column the check reads is left out. Where a check judges rows together (`Check.across`), so
are the rows that are or may be judged together with one left out. Holds no check and no fault; a file without faults
never comes here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from karez.intake import limits, rules
from karez.kernel.messages import say
from karez.kernel.sheets import Check, Sheet

ROW_OUT = ("area_scope", "key")  # the row as a whole is not for this file
_NO_COLUMN = ("missing_column", "duplicate_header")
# Why a check leaves rows out or cannot run; in English for the console, in the reader's language on the page.
WHY = {
    "too_many": say("there are more faults than are listed"),
    "column": say("a column it reads is missing, or there twice"),
    "unread": say("rows that could not be read may belong to the rows it judges together"),
    "any": say("rows with faults in these columns may belong to any of the rows it judges together"),
    "faults": say("there are faults in these columns, or in those of rows judged together with them"),
}
_WORD = re.compile(r"\w+")


def columns_read(sheet: Sheet, check: Check) -> frozenset[str]:
    """The sheet's columns a check's SQL names; rather one too many than one too few."""
    words = set(_WORD.findall(check.sql))
    number, person = rules.number_column(sheet), rules.name_column(sheet)
    hashed = {"number_hash": number, "name_hash": person}
    read = {c.name for c in sheet.columns if {c.name, f"{c.name}_id"} & words and not c.identity}
    named = {column for one in sheet.references if words & set(one.ids) for column in one.columns}
    return frozenset(read | named | {column.name for word, column in hashed.items() if word in words and column})


def pairs_of(check: Check) -> list[tuple[str, str]]:
    """`across` as pairs: the column of a row, and the column of the other rows it is compared with."""
    return [(own, other or own) for own, _sep, other in (item.partition("=") for item in check.across)]


@dataclass(frozen=True)
class Judged:
    """The rows a check may judge: a table to read them from (none where it cannot run), how many are left out, and why.

    `why` is one of `WHY`, or empty where every row is judged; `columns` are those it speaks of.
    """

    table: str = ""
    left_out: int = 0
    why: str = ""
    columns: tuple[str, ...] = ()


@dataclass
class SoundRows:
    """The rows of one staged batch, as far as each check may judge them."""

    cursor: Any
    sheet: Sheet
    batch_id: int
    fault_count: int
    row_count: int
    stage: str
    _made: dict[tuple[Any, ...], Judged] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cursor.execute('SELECT DISTINCT "column", rule FROM intake_fault WHERE batch_id = %s', [self.batch_id])
        found = self.cursor.fetchall()
        self.faulty = {column for column, rule in found if rule not in _NO_COLUMN}
        self.row_out = any(rule in ROW_OUT for _, rule in found)
        self.unread = any(rule in rules.UNREAD for _, rule in found)
        self.gone = {name for column, rule in found if rule in _NO_COLUMN for name in self._named(column)}

    def of(self, check: Check) -> Judged:
        """What the check may judge."""
        read = columns_read(self.sheet, check) | {column for pair in pairs_of(check) for column in pair}
        if self.fault_count > limits.FAULTS_LISTED:
            return Judged(why="too_many")
        if lost := sorted(read & self.gone):
            return Judged(why="column", columns=tuple(lost))
        if check.across and self.unread:
            return Judged(why="unread")
        bad = sorted(read & self.faulty)
        if not bad and not self.row_out:
            return Judged(self.stage)
        key = (tuple(bad), check.across)
        if key not in self._made:
            self._made[key] = self._make(f"intake_sound_{len(self._made)}", bad, pairs_of(check))
        return self._made[key]

    def _named(self, heading: str) -> Iterator[str]:
        yield from rules.match_headings(self.sheet, [heading]).places

    def _make(self, table: str, bad: list[str], pairs: list[tuple[str, str]]) -> Judged:
        values = {"batch": self.batch_id, "bad": bad, "out": list(ROW_OUT)}
        self.cursor.execute(
            f"CREATE TEMP TABLE {table}_bad ON COMMIT DROP AS SELECT DISTINCT row_no FROM intake_fault"
            ' WHERE batch_id = %(batch)s AND row_no > 1 AND ("column" = ANY (%(bad)s) OR rule = ANY (%(out)s))',
            values,
        )
        unknown = self._keys(table, pairs) if pairs else []
        if unknown and any(not known for known in unknown):
            return Judged(why="any", columns=tuple(bad))
        apart = "".join(
            f" AND NOT EXISTS (SELECT FROM {table}_keys b WHERE b.known = {mask}"
            + "".join(f" AND b.k{n} = s.{_quoted(own)}::text" for n, (own, _) in enumerate(pairs) if mask & 1 << n)
            + ")"
            for mask in unknown
        )
        self.cursor.execute(
            f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT s.* FROM {self.stage} s"
            f" WHERE NOT EXISTS (SELECT FROM {table}_bad b WHERE b.row_no = s.row_no){apart}"
        )
        kept = self.cursor.rowcount
        self.cursor.execute(f"ANALYZE {table}")
        return Judged(f"pg_temp.{table}" if kept else "", self.row_count - kept, "faults", tuple(bad))

    def _keys(self, table: str, pairs: list[tuple[str, str]]) -> list[int]:
        """Keeps the keys of the rows left out, faulty ones unknown; returns which patterns of known keys there are, as
        bits.
        """
        keys = ", ".join(
            f"CASE WHEN NOT EXISTS (SELECT FROM intake_fault f WHERE f.batch_id = {int(self.batch_id)} AND f.row_no "
            "= s.row_no"
            f" AND f.\"column\" = '{other}' AND NOT f.rule = ANY (%(out)s)) THEN s.{_quoted(other)}::text END AS k{n}"
            for n, (_, other) in enumerate(pairs)
        )
        known = " + ".join(f"CASE WHEN k{n} IS NULL THEN 0 ELSE {1 << n} END" for n in range(len(pairs)))
        self.cursor.execute(
            f"CREATE TEMP TABLE {table}_keys ON COMMIT DROP AS SELECT *, {known} AS known FROM (SELECT DISTINCT {keys}"
            f" FROM {self.stage} s JOIN {table}_bad b USING (row_no)) k",
            {"out": list(ROW_OUT)},
        )
        self.cursor.execute(f"ANALYZE {table}_keys")
        self.cursor.execute(f"SELECT DISTINCT known FROM {table}_keys ORDER BY 1")
        return [row[0] for row in self.cursor.fetchall()]


def _quoted(column: str) -> str:
    return f'"{column}"'
