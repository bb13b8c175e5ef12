"""Stages rows for a sheet by hand, runs its checks and applies it: what intake does, without files."""

from datetime import date
from typing import Any

from django.db import connection

from karez.intake import days
from karez.kernel.sheets import Applying, Kind, Sheet
from karez.periods.services import opened_days

_TYPES = {Kind.INTEGER: "bigint", Kind.DECIMAL: "numeric", Kind.FEN: "bigint", Kind.DATE: "date", Kind.YEAR: "integer"}


def stage(sheet: Sheet, rows: list[dict[str, Any]]) -> str:
    """A staged table of typed rows; an AREA column takes (code, area id). Returns its name."""
    columns = [f"{c.name} {_TYPES.get(c.kind, 'text')}" for c in sheet.columns]
    columns += [f"{c.name}_id bigint" for c in sheet.columns if c.kind is Kind.AREA]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS staged; CREATE TEMP TABLE staged (row_no bigint, {', '.join(columns)})")
        for number, row in enumerate(rows, 1):
            plain = {k: v for k, v in row.items() if not isinstance(v, tuple)}
            for name, value in row.items():
                if isinstance(value, tuple):
                    plain[name], plain[f"{name}_id"] = value
            names = ", ".join(["row_no", *plain])
            marks = ", ".join(["%s"] * (len(plain) + 1))
            cursor.execute(f"INSERT INTO staged ({names}) VALUES ({marks})", [number, *plain.values()])
    return "staged"


def faults(sheet: Sheet, rows: list[dict[str, Any]], batch_id: int = 1) -> set[tuple[str, int]]:
    """(rule, row) of every check that speaks up."""
    name, found = stage(sheet, rows), set()
    params = {"batch_id": batch_id, "sender_id": 1, "first_open_day": date(2009, 1, 1), "today": date(2026, 1, 1)}
    with connection.cursor() as cursor:
        for check in (*days.checks(sheet, opened_days()), *sheet.checks):
            cursor.execute(check.sql.replace("{stage}", name), params)
            found |= {(check.rule, row[0]) for row in cursor.fetchall()}
    return found


def given(sender: int, approver: int, batch_id: int, cursor: Any, name: str = "staged") -> Applying:
    """What apply and withdraw are handed."""
    return Applying(cursor, batch_id, name, sender, approver, date(2009, 1, 1), lambda _what, _percent: None)


def apply(sheet: Sheet, rows: list[dict[str, Any]], sender: int, approver: int, batch_id: int = 1) -> dict[str, int]:
    """Checks (none may speak up), then applies."""
    assert faults(sheet, rows, batch_id) == set()
    name = stage(sheet, rows)
    with connection.cursor() as cursor:
        return dict(sheet.apply(given(sender, approver, batch_id, cursor, name)))


def withdraw(sheet: Sheet, sender: int, approver: int, batch_id: int = 1) -> dict[str, int]:
    """Takes an applied batch back."""
    assert sheet.withdraw is not None
    with connection.cursor() as cursor:
        return dict(sheet.withdraw(given(sender, approver, batch_id, cursor)))
