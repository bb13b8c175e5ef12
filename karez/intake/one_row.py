"""One row of any declared sheet without a file: read, judged with what is on record, and recorded where one person suffices.

The row goes the way a file goes, in few statements: its cells mean what a file's mean (`cells`), what it names is looked up by
the same references, the same checks judge it, and the sheet's own `apply` writes it, without a batch. What differs is only
where the rows lie: in a temporary table of one row, which ends with the transaction. Decision 19. Holds no form and no sheet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import pyarrow as pa
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from karez.access.models import User
from karez.access.pages import database_refusal
from karez.access.queries import granted_area_ids
from karez.access.services import log_read
from karez.intake import cells, days, limits, references, rules, services
from karez.intake.loading import places_of
from karez.intake.models import Fault
from karez.intake.sealing import Sealer
from karez.intake.sound import ROW_OUT, columns_read
from karez.kernel.messages import Text, Told, read
from karez.kernel.reading import while_reading
from karez.kernel.sheets import Applying, ByOne, Check, Column, Kind, Outcome, Sheet, Together
from karez.periods.services import OpenedDays, opened_days
from karez.places.queries import LIES_BELOW, visible_area_ids_sql
from karez.records import rules as record_rules

STAGE = "pg_temp.intake_row"
_ROW = 2  # as in a file of one line: the headings are row 1
_SEALED = ("identity_sealed", "identity_key", "number_hash", "name_hash")


class Faulty(Exception):
    """A row that cannot be recorded; nothing of it is kept."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.faults = faults


class ForTwo(Exception):
    """A row without faults that another person decides about; nothing of it is kept here."""


@dataclass(frozen=True)
class _Work:
    """What judging and recording one row shares. `faults` are of its cells."""

    actor: User
    sheet: Sheet
    cursor: Any
    opened: OpenedDays | None
    faults: list[Fault]
    by_one: bool  # whether one person suffices

    @property
    def bad(self) -> frozenset[str]:
        """The columns whose cells are faulty; what reads them is not judged."""
        bad = {fault.column for fault in self.faults}
        instead = self.sheet.instead
        return frozenset(bad | set(instead.of)) if instead and instead.column.name in bad else frozenset(bad)

    @property
    def first_open_day(self) -> date:
        """The day facts may count from."""
        return self.opened.first_open if self.opened else date.min


def judge(actor: User, sheet: Sheet, values: Mapping[str, str]) -> bool:
    """Whether one person suffices for a row that somebody entered (text by column of the form); Faulty where it is wrong."""
    with transaction.atomic(), connection.cursor() as cursor:
        work = _staged(actor, sheet, values, cursor)
        _judge(work)
        return work.by_one


def record(actor: User, sheet: Sheet, values: Mapping[str, str], *, confirmed: bool = False) -> str:
    """Records a row for which one person suffices, and answers the address of what it became.

    Faulty where it is wrong, ForTwo where another person decides. Refuses what is like something on record unless
    `confirmed` to be another one. A kill leaves nothing: it is one transaction.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            work = _staged(actor, sheet, values, cursor)
            _judge(work, written_next=work.by_one)
            if not work.by_one:
                raise ForTwo
            return _apply(work, confirmed)
    except DatabaseError as error:
        judge(actor, sheet, values)  # tells all that is wrong, at its fields
        if (first := _told(error, sheet)) is None:
            raise
        raise Faulty([first]) from error


def _told(error: DatabaseError, sheet: Sheet) -> Fault | None:
    """What the database's no means to people: at its field where it is a rule's; a refusal where it is another's, and None
    where it is a fault of the program.
    """
    broken = record_rules.refusal_of(error.__cause__)
    check = next((c for c in sheet.checks if broken and c.rule == broken.code.replace(".", "_", 1)), None)
    if broken is not None and check is not None:
        return _fault(sheet, check, broken.found)
    refusal = broken or database_refusal(error) or services.refusal_in(error, str(sheet.label))
    if refusal is not None:
        raise refusal from error
    return None


# Staging.


def _staged(actor: User, sheet: Sheet, values: Mapping[str, str], cursor: Any) -> _Work:
    """The row in its table, with the areas and records it names, and what it belongs to locked where one person suffices."""
    opened, faults = opened_days(), list[Fault]()
    try:
        with while_reading():  # what the actor may is asked once
            services.require_sender(actor, sheet)
            read = cells.read_row(sheet, values)
            areas = _areas(actor, sheet, read, opened, cursor)
    except cells.Unclear:
        read, faults = cells.read_as_file(sheet, values, lambda: places_of(actor, sheet))
        if not read or any(fault.rule in ROW_OUT for fault in faults):
            raise Faulty(faults) from None
        whole = read | {fault.column: None for fault in faults}
        areas = _areas(actor, sheet, whole, opened, cursor)
    return _Work(actor, sheet, cursor, opened, faults, _write(sheet, read, areas, cursor))


def _areas(
    actor: User, sheet: Sheet, read: Mapping[str, Any], opened: OpenedDays | None, cursor: Any
) -> dict[str, int]:
    """The area each AREA column's code meant on its day; Unclear where it meant none, several, or none of the sender's."""
    found: dict[str, int] = {}
    for column in (c for c in sheet.form_columns if c.kind is Kind.AREA and read[c.name] is not None):
        day = read[sheet.area_day] if sheet.area_day else None
        day = date(day, 12, 31) if isinstance(day, int) else day
        tried = [day] if day else cells.today_and(opened.first.year if opened else None)
        cursor.execute(
            """SELECT x.area_id, """
            + LIES_BELOW.format(area="x.area_id", granted="%(granted)s")
            + """ FROM (SELECT min(c.area_id) AS area_id
              FROM unnest(%(days)s::date[]) WITH ORDINALITY d (day, nth) JOIN places_code c
                ON c.code = %(code)s AND c.starts_on <= d.day AND (c.ends_before IS NULL OR c.ends_before > d.day)
                 AND (%(any)s OR c.level = ANY (%(levels)s)) GROUP BY d.nth HAVING count(DISTINCT c.area_id) = 1
            ORDER BY d.nth LIMIT 1) x""",
            {
                "days": tried,
                "code": read[column.name],
                "levels": list(column.levels),
                "any": not column.levels,
                "granted": granted_area_ids(actor, sheet.send_permission),
            },
        )
        row = cursor.fetchone()
        if row is None or (column.name == sheet.area_column and not row[1]):
            raise cells.Unclear
        found[column.name] = row[0]
    return found


def _write(sheet: Sheet, read: Mapping[str, Any], areas: Mapping[str, int], cursor: Any) -> bool:
    """Makes the table of the row; whether one person suffices for it. Then what it belongs to is locked, so that what is
    judged now stays so. One journey to the database.
    """
    given = {c.name: read[c.name] for c in sheet.form_columns if not c.identity}
    given |= {f"{column}_id": area for column, area in areas.items()} | _sealed(sheet, read, areas)
    columns = [
        f'{_ROW}::bigint AS "row_no"',
        *(_typed(one["name"], one["type"]) for one in rules.staged_columns(sheet)),
    ]
    if sheet.instead is not None:
        columns.append(_typed(sheet.instead.column.name, rules.SQL_TYPES[sheet.instead.column.kind]))
    ids = "".join(f", {sql} AS {name}" for one in sheet.references for name, sql in one.ids.items())
    joins = " ".join(one.joins for one in sheet.references)
    names = {name: given.get(name) for name in (*given, *(c["name"] for c in rules.staged_columns(sheet)))}
    one = sheet.by_one or ByOne(("", ""), when="SELECT false")
    takes = f", ({one.takes})" if one.takes else ""
    taken = f"SELECT w.by_one{takes} FROM ({one.when}) w (by_one) WHERE w.by_one".replace("{stage}", STAGE)
    cursor.execute(
        f"DROP TABLE IF EXISTS {STAGE}; CREATE TEMP TABLE intake_row ON COMMIT DROP AS SELECT r.*{ids}"
        f" FROM (SELECT {', '.join(columns)}) r {joins}; {taken}",
        names,
    )
    _last(cursor)
    return cursor.fetchone() is not None


def _last(cursor: Any) -> None:
    """Goes on to what the last of several statements answered."""
    while cursor.nextset():
        pass


def _typed(name: str, sql_type: str) -> str:
    return f'%({name})s::{sql_type} AS "{name}"'


def _sealed(sheet: Sheet, read: Mapping[str, Any], areas: Mapping[str, int]) -> dict[str, str | None]:
    """What is staged of identity: sealed and hashed as of a file, nothing in plain."""
    identity = [c for c in sheet.form_columns if c.identity]
    if not identity:
        return {}
    number, person, sealer = rules.number_column(sheet), rules.name_column(sheet), Sealer(settings.SEALING_KEY)
    plain = {c.name: read[c.name] for c in identity if read[c.name] is not None}
    record, key = sealer.records(pa.array([rules.identity_text(plain)], pa.string()))
    area = pa.array([areas.get(sheet.name_index_column)], pa.int64())
    numbers = sealer.numbers(_one(read, number))
    names = sealer.names(_one(read, person if sheet.name_index_column else None), area)
    return dict(zip(_SEALED, (column.to_pylist()[0] for column in (record, key, numbers, names)), strict=True))


def _one(read: Mapping[str, Any], column: Column | None) -> pa.Array:
    return pa.array([read[column.name] if column else None], pa.string())


# Judging.


def _judge(work: _Work, *, written_next: bool = False) -> None:
    """Faulty where a check finds the row wrong. Of one `written_next` the table's own rules are left to the statement that
    writes it, unless something is wrong already.
    """
    own = [check for check in work.sheet.checks if check.outcome is Outcome.FAULT]
    if written_next and not work.faults and not _faults(work, [check for check in own if not check.ruled]):
        return
    if faults := [*work.faults, *_faults(work, own)]:
        raise Faulty(faults)


def _faults(work: _Work, own: list[Check]) -> list[Fault]:
    parts, told = list[str](), list[Check]()
    every = [*days.checks(work.sheet, work.opened), *references.checks(work.sheet), *own]
    if work.bad:
        every = [check for check in every if not columns_read(work.sheet, check) & work.bad]
    together = {} if work.bad else {check.together: None for check in every if check.together is not None}
    for check in (c for c in every if c.together not in together):
        expected = "f.expected" if check.tells_expected else "NULL"
        more = ", expected" if check.tells_expected else ""
        parts.append(
            f"SELECT {len(told)} AS nth, f.found::text, {expected}::text AS expected FROM ({check.sql}) f (row_no, found{more})"
        )
        told.append(check)
    for group in together:
        parts.append(
            f"SELECT {len(told)} + f.nth AS nth, f.found::text, NULL::text FROM ({group.sql}) f (nth, row_no, found)"
        )
        told += _in_order(group, own)
    if not parts:
        return []
    sql = " UNION ALL ".join(parts).replace("{stage}", STAGE)
    work.cursor.execute(f"{_divided(work)}{sql} ORDER BY 1", _params(work, sql))
    _last(work.cursor)
    found = work.cursor.fetchall()
    _log_hits(work, [told[nth] for nth, _found, _expected in found])
    return [_fault(work.sheet, told[nth], read(words or ""), read(expected or "")) for nth, words, expected in found]


def _divided(work: _Work) -> str:
    """SQL that works out what the form has one column in place of."""
    instead = work.sheet.instead
    if instead is None or instead.column.name in work.bad:
        return ""
    of = ", ".join(f'"{name}"' for name in instead.of)
    return f"UPDATE {STAGE} SET ({of}) = ({instead.sql.replace('{stage}', STAGE)}); "


def _in_order(group: Together, checks: Iterable[Check]) -> list[Check]:
    by_rule = {check.rule: check for check in checks if check.together is group}
    return [by_rule[rule] for rule in group.rules]


def _params(work: _Work, sql: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        "batch_id": None,
        "sender_id": work.actor.pk,
        "today": date.today(),
        "first_open_day": work.first_open_day,
    }
    if "%(sender_areas)s" in sql:
        allowed, values = visible_area_ids_sql(work.actor, work.sheet.send_permission)
        work.cursor.execute(allowed, values)
        params["sender_areas"] = [row[0] for row in work.cursor.fetchall()]
    return params


def _fault(sheet: Sheet, check: Check, found: Text, expected: Text | None = None) -> Fault:
    instead = sheet.instead
    return Fault(
        row_no=_ROW,
        column=instead.column.name if instead and check.column in instead.of else check.column,
        found=found if isinstance(found, Told) else str(found)[: limits.FOUND_LENGTH],
        expected=cast("str", expected or check.expected),
        rule=check.rule,
        todo=cast("str", check.todo),
    )


def _log_hits(work: _Work, broken: list[Check]) -> None:
    """A row whose persons are looked for on record is a search by who enters it."""
    for check in {one.rule: one for one in broken if one.looks_up}.values():
        log_read(work.actor, kind=check.looks_up, subject_id=None, purpose=f"one entered by form: {check.rule}")


# Recording.


def _apply(work: _Work, confirmed: bool) -> str:
    given = Applying(
        cursor=work.cursor,
        batch_id=None,
        stage=STAGE,
        sender_id=work.actor.pk,
        approver_id=None,
        first_open_day=work.first_open_day,
        progress=lambda _what, _percent: None,
        row_count=1,
        confirmed=confirmed,
    )
    work.sheet.apply(given)
    work.cursor.execute(
        "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"
    )  # what is judged at commit is told
    assert work.sheet.by_one is not None
    page, sql = work.sheet.by_one.leads_to
    work.cursor.execute(sql.replace("{stage}", STAGE))
    return reverse(page, args=[work.cursor.fetchone()[0]])
