"""Stands in for intake in tests of applying: a staged table made by hand, with identity sealed as intake seals it."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection

from karez.intake import days
from karez.kernel.messages import read_in
from karez.kernel.sealing import SealingKey
from karez.kernel.sheets import Applying, Outcome, Sheet
from karez.periods.services import first_open_day, opened_days

_REGISTER = """CREATE TEMP TABLE staged (row_no bigint, village text, village_id bigint, household_no text,
    household_kind text,
 person_no bigint, relation text, sex text, birth_month date, since date, identity_sealed bytea, identity_key bytea,
     number_hash bytea, name_hash bytea)"""
_ASSESSMENTS = """CREATE TEMP TABLE staged (row_no bigint, village text, village_id bigint, household_no text, year int,
 assessed_on date, income bigint, size bigint, line text)"""


def stage_register(rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of (village_id, household_no, kind, relation, sex, birth_month, since, name, id_number)."""
    key = settings.SEALING_KEY
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged")
        cursor.execute(_REGISTER)
        for number, (village, no, kind, relation, sex, born, since, name, id_number) in enumerate(rows, 2):
            whose = uuid.uuid4()
            cursor.execute(
                "INSERT INTO staged VALUES (%s, '', %s, %s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    number,
                    village,
                    no,
                    kind,
                    relation,
                    sex,
                    born,
                    since,
                    key.seal_record({"name": name, "id_number": id_number}, whose),
                    whose.bytes,
                    key.number_hash(id_number) if id_number else None,
                    SealingKey.name_hash(key.area_key(village), name),
                ],
            )


def stage_assessments(rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of (village_id, household_no, year, assessed_on, income_fen, size, line)."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged")
        cursor.execute(_ASSESSMENTS)
        for number, (village, *rest) in enumerate(rows, 2):
            cursor.execute("INSERT INTO staged VALUES (%s, '', %s, %s, %s, %s, %s, %s, %s)", [number, village, *rest])


def faults(sheet: Sheet) -> dict[str, list[tuple[int, str]]]:
    """What the sheet's checks find in the staged rows, by rule; rules that find nothing are left out."""
    found = {}
    values = {
        "batch_id": 7,
        "sender_id": 1,
        "first_open_day": first_open_day(),
        "today": date(2026, 1, 1),
        "sender_areas": sender_areas(),
    }
    with connection.cursor() as cursor:
        for check in (*days.checks(sheet, opened_days()), *(c for c in sheet.checks if c.outcome is Outcome.FAULT)):
            cursor.execute(check.sql.replace("{stage}", "staged"), values)
            if rows := read_in(cursor.fetchall()):
                found[check.rule] = sorted(rows)
        for total in sheet.totals:
            cursor.execute(total.sql.replace("{stage}", "staged"), values)
            assert cursor.fetchone()[0] is not None
    return found


def sender_areas() -> list[int]:
    """Every village of the tests' world but those of the second county."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT area_id FROM places_tree WHERE code NOT LIKE '990102%%'", [])
        return [row[0] for row in cursor.fetchall()]


def applying(cursor: Any, *, sender: int, approver: int, batch: int = 7) -> Applying:
    """What intake would hand to an apply function."""
    return Applying(
        cursor=cursor,
        batch_id=batch,
        stage="staged",
        sender_id=sender,
        approver_id=approver,
        first_open_day=first_open_day(),
        progress=lambda *_: None,
    )
