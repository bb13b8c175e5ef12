"""Declarations of figure tables: what closing freezes of a room. Holds no export and no figures.

A room declares them in `figure_tables.py` (a module attribute `FIGURE_TABLES`). A figure table is at one grain, already
joined with its place and the place's ancestors in that year's edition, and holds no identity: random keys and
attributes only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from karez.kernel.messages import Text


@dataclass(frozen=True)
class FigureColumn:
    """A column of a figure table. `sql_type` is one of bigint, integer, numeric(p,s), text, date, boolean, uuid."""

    name: str
    sql_type: str
    meaning: Text
    unit: str = ""
    key: bool = False  # a random key that opens to the record through the register, never a number people know
    label: Text = ""  # what readers call it
    codes: Mapping[Any, Text] = field(default_factory=dict, hash=False)  # what a coded value says; files keep the code

    @property
    def called(self) -> str:
        """What readers call it, in their language."""
        return str(self.label or self.meaning)


# Every figure table with a place begins with these; closing adds them by joining `area_id` of the room's SQL.
PLACE_COLUMNS: tuple[FigureColumn, ...] = (
    FigureColumn("area_id", "bigint", _("the area the row is recorded at"), label=_("place")),
    FigureColumn("area_level", "text", _("its level"), label=_("level of the place")),
    FigureColumn("region_id", "bigint", _("region above it"), label=_("region")),
    FigureColumn("prefecture_id", "bigint", _("prefecture above it, or itself"), label=_("prefecture")),
    FigureColumn("county_id", "bigint", _("county above it, or itself"), label=_("county")),
    FigureColumn("township_id", "bigint", _("township above it, or itself"), label=_("township")),
    FigureColumn("village_id", "bigint", _("village above it, or itself"), label=_("village")),
)


@dataclass(frozen=True)
class FigureTable:
    """One table of a snapshot.

    `sql` selects the declared columns in order, and first `area_id` (the place the row is recorded at), as of the
    closing day. Placeholders: `%(as_of)s` (31 December), `%(year)s`, `%(year_start)s`. Use
    `karez.kernel.facts.counted_on`. Rows must come in a stated, repeatable order only where the order carries meaning;
    closing sorts by `order_by`.
    """

    name: str
    grain: Text  # "one row per ..."
    columns: tuple[FigureColumn, ...]
    sql: str
    order_by: str
    label: Text = ""  # its rows, as readers call them: societies at work on 31 December
    reaches: str = "village"  # lowest level of place the source is recorded at


@dataclass(frozen=True)
class ClosingCheck:
    """A named check before a year is closed: rooms declare them in `checks.py` (a module attribute `CHECKS`).

    `sql` selects (record text, found text, expected text, link text) of what is wrong; no rows means it passes.
    Same placeholders as FigureTable.
    """

    name: str
    label: str
    sql: str
    todo: str
    acceptable: bool = True  # may a named person accept a failure with a reason?


@dataclass(frozen=True)
class LiveReport:
    """A number a room shows live that a figure must equal: rooms declare them in `checks.py` (a module attribute
    `REPORTS`).

    `sql` selects (area_id, value) in the figure's unit, for the whole region or for every place of one level, as of the
    closing day; same placeholders as FigureTable.
    """

    figure: str
    label: str
    sql: str
