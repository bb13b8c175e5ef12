"""Declarations of lists and of pages of record: what is shown of the rows of a table, who sees it, how it is asked for.

A room declares its lists in `lists.py` (module attributes LISTS, a tuple of RecordList, and PAGES, of RecordPage);
`karez.records` finds them by name, makes their SQL, draws them and writes them to files. In SQL, `t` is the record,
`%(day)s` the day a list is of, `%(within)s` the id of the record it is held to. Holds no engine and no page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from karez.kernel.fields import column_of
from karez.kernel.messages import Text
from karez.kernel.sheets import Column, Kind


@dataclass(frozen=True)
class Link:
    """Where a cell leads, for who may see it: `address` is a page of record by its name, or an address with numbers.

    `key` names the values of the row that are its numbers, by blanks. Who may follow it has `permission` (of a page of
    record its own, of an address its room's `view`) over the area that the value `over` says: the row's own, without it.
    """

    address: str
    key: str
    over: str = ""
    permission: str = ""


@dataclass(frozen=True)
class Shown:
    """One value of a row: what it means (`column`: its heading, kind, unit) and the SQL that reads it.

    A value of Kind.AREA is the id of an area. `words` are those of its codes, as a reader is told them. Where `filtered`,
    a list can be held to some of its values: codes one by one, days from and to.
    """

    name: str
    column: Column
    sql: str
    words: Mapping[Any, Text] = field(default_factory=dict)
    link: Link | None = None
    filtered: bool = False
    badge: str = ""  # its colour, where the value stands out as long as there is one
    is_act: bool = False  # what a reader may do with the row: not there for who may not follow it, and in no file


def shown(model: type[Model], of: str, *, name: str = "", sql: str = "", **more: Any) -> Shown:
    """A field of a model as a value of a row: of the record itself (`t`) unless `sql` says where it is read."""
    words = dict(getattr(model._meta.get_field(of), "choices", None) or ())
    return Shown(name or of, column_of(model, of), sql or f"t.{of}", words, **more)


def worked_out(name: str, sql: str, label: Text, kind: Kind = Kind.TEXT, **more: Any) -> Shown:
    """A value that is joined or computed, with the words of its heading."""
    of_column = {key: more.pop(key) for key in ("unit", "decimals", "reference") if key in more}
    if kind is Kind.FEN:
        of_column.setdefault("unit", "yuan")
    return Shown(name, Column(name, label, kind, required=False, label=label, **of_column), sql, **more)


@dataclass(frozen=True)
class Sort:
    """An order of the whole list, either way round: by these values of a row, none of them ever empty, then by its id.

    `index` is the index of the database that gives it, "" where the list is held to one record and so is short.
    """

    name: str
    by: tuple[str, ...]
    index: str = ""
    descending: bool = False  # which way round it begins


@dataclass(frozen=True)
class Search:
    """What a search looks in: `sql` is a condition on `%(words)s`, which is what was typed, read by `read`."""

    label: Text
    sql: str
    read: Callable[[str], str] = str


def containing(words: str) -> str:
    """Words as LIKE looks for them inside a text."""
    for sign in "\\%_":
        words = words.replace(sign, f"\\{sign}")
    return f"%{words}%"


@dataclass(frozen=True)
class Total:
    """A sum over all rows that are asked for, of a list that is held to one record."""

    label: Text
    sql: str
    kind: Kind = Kind.FEN


@dataclass(frozen=True)
class RecordList:
    """A list of records.

    `place` is SQL of the area by which who sees a row is decided, with the permission `view`. A list that belongs to one
    record (a society's loans) names in `within` the pages of record it may be held to, each with SQL of that record's id.
    """

    name: str  # room.what
    label: Text
    model: type[Model]
    columns: tuple[Shown, ...]
    place: str
    view: str
    sorts: tuple[Sort, ...]  # the first is the order nobody asked for
    source: str = ""  # SQL that selects the records, where they are not the table's rows
    joins: str = ""  # SQL after `FROM records t`
    where: str = "t.voided_at IS NULL"
    key: str = "t.id"
    also: Mapping[str, str] = field(default_factory=dict)  # values nobody is shown: ids a link needs
    within: Mapping[str, str] = field(default_factory=dict)
    search: Search | None = None
    totals: tuple[Total, ...] = ()
    home: str = ""  # the address of its page, where that is not the common one
    reads: str = ""  # kind of the read that is logged, where rows tell of households or persons
    in_file: bool = True  # whether a reader may take it away as a file
    of_a_day: bool = False  # shows what counts on a day that can be chosen
    about: Text = ""
    empty: Text = ""  # what is said where nothing is there yet, and what to do

    @property
    def room(self) -> str:
        """The room that declares it."""
        return self.name.partition(".")[0]

    @property
    def in_files(self) -> tuple[Shown, ...]:
        """The columns a file has: all but acts."""
        return tuple(one for one in self.columns if not one.is_act)

    def column(self, name: str) -> Shown:
        """The value of that name; KeyError where none is."""
        for one in self.columns:
            if one.name == name:
                return one
        raise KeyError(name)


@dataclass(frozen=True)
class Receipt:
    """What is printed for who paid in: the values of the page that stand on it, where `number` is not empty."""

    label: Text
    number: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class RecordPage:
    """The page of one record: its facts, the lists held to it, its history, its documents; a receipt where money came in.

    A record that has a page of its own in its room names it in `home`: such a page is no more than what lists are held to.
    """

    name: str
    label: Text
    model: type[Model]
    place: str
    view: str
    columns: tuple[Shown, ...] = ()
    joins: str = ""
    title: Text = ""  # how a record is called: a pattern of its values by name; its label, without
    also: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    documents: tuple[str, str] | None = (
        None  # kind of the documents shown with it, and the value that is their record's id
    )
    receipt: Receipt | None = None
    home: str = ""
    reads: str = ""

    @property
    def key(self) -> str:
        """SQL of the record's id."""
        return "t.id"
