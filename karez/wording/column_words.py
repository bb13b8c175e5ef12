"""The columns and tables of a snapshot in words, for headings of rows and for the catalogue. Holds no figures.

Words come from the declarations of the rooms; amounts are frozen in fen and shown in yuan.
"""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from karez.closing.declared import figure_tables
from karez.closing.export import all_columns
from karez.kernel.figure_tables import FigureColumn


def value_words(column: str, value: Any) -> Any:
    """A coded value in words: small village; any other value, and a code without words, as it stands."""
    if value is None or isinstance(value, bool):
        return value
    words = next((c.codes[value] for c in _named(column) if value in c.codes), None)
    return value if words is None else str(words)


def table_words(table: str) -> str:
    """The rows of a figure table: societies at work on 31 December."""
    return str(next((t.label or t.grain for t in figure_tables() if t.name == table), table.replace("_", " ")))


def column_name(table: str, column: str) -> str:
    """A column in words: amount."""
    found = next(_named(column, table), None) or next(_named(column), None)
    return found.called if found else column.replace("_", " ")


def column_words(table: str, column: str) -> str:
    """A column's heading with the unit its values are shown in: amount, yuan."""
    found = column_name(table, column)
    return _("%(column)s, yuan") % {"column": found} if column.endswith("_fen") else found


def meaning(table: str, column: str) -> str:
    """What the declaration says of a column; empty where the table no longer has it."""
    return next((str(c.meaning) for c in _named(column, table)), "")


def _named(column: str, table: str = "") -> Iterator[FigureColumn]:
    """The declared columns of that name: of one table, or of all."""
    tables = (t for t in figure_tables() if table in ("", t.name))
    return (c for t in tables for c in all_columns(t) if c.name == column)
