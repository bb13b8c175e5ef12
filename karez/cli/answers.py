"""Printing of lists: as a table for people, as CSV or JSON for programs. Holds no queries."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import click

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print; JSON goes to stdout alone.",
)


def plain(value: Any) -> Any:
    """A JSON-ready value: exact numbers stay exact (integers, else decimal text), days in ISO form."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def say_json(value: Any) -> None:
    """Prints one JSON document to stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1, default=plain)
    sys.stdout.write("\n")


def say_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: str, title: str = "") -> None:
    """Prints rows as a table or as CSV."""
    if form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows([[_cell(row.get(c)) for c in columns] for row in rows])
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, show_lines=False)
    for column in columns:
        # A long word goes on in the next line; nothing of an answer is cut off.
        table.add_column(
            column, justify="right" if column in ("value", "printed", "computed", "rows") else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*[_shown(row.get(c)) for c in columns])
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def _cell(value: Any) -> str:
    return "" if value is None else str(plain(value) if isinstance(value, Fraction | Decimal) else value)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Fraction | Decimal | float):
        number = plain(value) if isinstance(value, Fraction | Decimal) else value
        return (
            f"{number:,}" if isinstance(number, int) else f"{number:,.4g}" if abs(number) < 1000 else f"{number:,.2f}"
        )
    return str(value)
