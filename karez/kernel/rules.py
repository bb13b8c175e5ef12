"""Declarations of rules over records: which rows are judged together, and how one that breaks a rule is found.

A rule is written once, over the rows of a key (a member, a loan, a society). The same SQL judges a file before it is
applied, a form before it is prepared, and every statement that writes the table: `karez.records.rules` composes it. A
room declares its rules in `record_rules.py` (a module attribute RULED, a tuple of Ruled). Holds no composing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from django.db.models import Model


class Void(Enum):
    """Which rows on record a rule judges anew once another row of their key was voided."""

    NONE = "none"
    EACH = "each"  # all of them
    LAST = "last"  # the last one, with all before it


@dataclass(frozen=True)
class Rule:
    """What must hold of rows of one table.

    `finds` selects (no bigint, found text) of the rows that break it, from two relations with the columns of its
    `Ruled`: `judged` (never without `no`) and `standing`, which holds those and, with `no` empty, what is on record and
    what waits for a decision (`waits` is true there) under the same keys. Rows are taken in the order of
    `standing.place`: what is on record first, then what is judged, by day.
    """

    name: str  # once in its room
    column: str  # of the table: where a form or a file tells it
    expected: str
    finds: str
    todo: str = ""
    key: tuple[str, ...] = ()  # columns whose rows are judged together; none where a row is judged alone
    only: str = "true"  # SQL over the columns: rows that are judged, and gathered
    across: bool = False  # a row that is missing from a file could make another look wrong
    void: Void = Void.NONE


@dataclass(frozen=True)
class Ruled:
    """One table whose rows are judged, and how they are read wherever they are."""

    model: type[Model]
    state: str  # SQLSTATE of a statement that breaks a rule
    columns: tuple[str, ...]  # of the table, that rules read
    rules: tuple[Rule, ...]
    joins: str = ""  # SQL after `FROM rows b`: what a row belongs to
    also: Mapping[str, str] = field(default_factory=dict)  # further columns: name -> SQL over `b` and the joins
    waiting: str = ""  # SQL of the same `columns`: what was prepared and waits for a decision
    called: str = "''"  # SQL text over a row `j` of `judged`: what people call it
    takes: str = ""  # SQL that locks, for the transaction, what the rows in {added} belong to
    by_one: str = "true"  # SQL over the columns: rows that one person may record
    by_two: str = (
        "batch_id IS NOT NULL"  # SQL over a row of the table: what tells that two people decided about another
    )

    @property
    def table(self) -> str:
        """Name of the table."""
        return str(self.model._meta.db_table)

    @property
    def room(self) -> str:
        """The room that declares it."""
        return str(self.model._meta.app_label)

    def rule(self, name: str) -> Rule:
        """The rule of that name; KeyError where there is none."""
        for one in self.rules:
            if one.name == name:
                return one
        raise KeyError(name)
