"""One try to stage a batch: cells by DuckDB, rows into the staged table, the sheet's own checks, totals, new state.

Nothing here decides who may; the caller holds the batch alone. What a try leaves behind, the next one removes.
"""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from django.db import connection, transaction

from karez.access.models import User
from karez.access.services import log_read
from karez.intake import days, limits, references, rules, totals, vault
from karez.intake.cells import today_and
from karez.intake.models import Batch
from karez.intake.plain import dropped_places
from karez.intake.sameness import ask_in_file
from karez.intake.scope import region_area_ids
from karez.intake.sound import Judged, SoundRows
from karez.intake.staging import FileStaging, Places, staging_of
from karez.kernel.messages import Number, kept, kept_in, say
from karez.kernel.sheets import Check, Outcome, Sheet, Together
from karez.periods.models import Region
from karez.periods.services import opened_days
from karez.places.queries import visible_area_ids_sql

Report = Callable[[str, int], None]
_AGREES = say("month of birth and sex as the identity number says them")
_DISAGREES_TODO = say(
    "look at the papers: correct the number, the sex or the month, or leave the row as it is if the number was "
    "issued wrongly"
)
# What a check read out of a row is cut; a message of its own is whole.
_FOUND = f"CASE WHEN f.found LIKE '{{\"say\":%%' THEN f.found ELSE left(f.found, {limits.FOUND_LENGTH}) END"
_FOUND_ANEW = ("unknown_column", "unit_converted", "not_judged", "late")  # notices of each try


def load(batch: Batch, sheet: Sheet, report: Report) -> None:
    """Stages the batch from its kept file; afterwards it is checked or faulty."""
    columns = rules.staged_columns(sheet)
    with connection.cursor() as cursor:
        cursor.execute("SELECT intake_begin_staging(%s, %s)", [batch.pk, json.dumps(columns)])
    dropped = dropped_places(batch.notices)
    with (
        vault.decrypted(batch.vault_ref) as path,
        staging_of(sheet, path, places_of(User.objects.get(pk=batch.sender_id), sheet), report, dropped) as work,
    ):
        work.check()
        if work.result.row_count and work.result.fault_count <= limits.FAULTS_LISTED:
            _copy_rows(batch, [column["name"] for column in columns], work)
        with transaction.atomic():
            _finish(batch, sheet, work, report)


def places_of(sender: User, sheet: Sheet) -> Places:
    """Every dated code, and the areas the sender may write rows of a sheet about."""
    region = Region.objects.first()
    days = today_and(region.first_year if region else None)
    allowed, params = visible_area_ids_sql(sender, sheet.send_permission)
    with connection.cursor() as cursor:
        cursor.execute("SELECT area_id, level, code, starts_on, ends_before FROM places_code")
        codes = cursor.fetchall()
        cursor.execute(allowed, params)
        return Places(codes, [row[0] for row in cursor.fetchall()], days)


def _copy_rows(batch: Batch, columns: list[str], work: FileStaging) -> None:
    names = ", ".join(f'"{name}"' for name in ("row_no", *columns))
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY staging.batch_{batch.pk} ({names}) FROM STDIN (FORMAT csv)") as copy:
            for block in work.rows():
                copy.write(block)
        cursor.execute("SELECT intake_close_stage(%s)", [batch.pk])


def _finish(batch: Batch, sheet: Sheet, work: FileStaging, report: Report) -> None:
    """Faults, areas, checks, totals and the new state, in one transaction."""
    with connection.cursor() as cursor:
        faults, told = work.result.fault_count, list[dict[str, Any]]()
        if faults:
            _copy_faults(cursor, batch, work.faults())
        report(say("checking against the records"), 82)
        if work.result.row_count:
            stage = references.resolve(cursor, sheet, f"staging.batch_{batch.pk}")
            more, told = _run_checks(cursor, batch, sheet, work, stage)
            faults += more
            if not faults:
                _ask(cursor, batch, sheet, work, stage)
        totals, years = ([], []) if faults else _totals(cursor, batch, sheet)
        areas = work.area_ids() if work.result.row_count else []
        if not sheet.area_column:
            areas = region_area_ids(User.objects.get(pk=batch.sender_id), sheet.send_permission)
        cursor.execute(
            "INSERT INTO intake_batcharea (batch_id, area_id) SELECT %s, unnest(%s::bigint[])", [batch.pk, areas]
        )
        earlier = [notice for notice in batch.notices if notice["what"] not in _FOUND_ANEW]
        notices = [*earlier, *work.result.notices.items, *told, *days.late_notices(years)]
        cursor.execute(
            "SELECT intake_staged(%s, %s, %s, %s, %s, %s, %s)",
            [
                batch.pk,
                work.result.row_count,
                faults,
                json.dumps(kept_in(totals)),
                json.dumps(kept_in(notices)),
                json.dumps(years),
                json.dumps(work.result.headings),
            ],
        )


def _copy_faults(cursor: Any, batch: Batch, blocks: Iterator[bytes]) -> None:
    cursor.execute("CREATE TEMP TABLE intake_found (LIKE intake_fault INCLUDING DEFAULTS) ON COMMIT DROP")
    cursor.execute("ALTER TABLE intake_found ALTER id DROP NOT NULL, ALTER batch_id DROP NOT NULL")
    with cursor.copy(
        'COPY intake_found (row_no, "column", found, expected, rule, todo) FROM STDIN (FORMAT csv)'
    ) as copy:
        for block in blocks:
            copy.write(block)
    cursor.execute(
        'INSERT INTO intake_fault (batch_id, row_no, "column", found, expected, rule, todo)'
        " SELECT %s, row_no, \"column\", coalesce(found, ''), expected, rule, todo FROM intake_found",
        [batch.pk],
    )
    cursor.execute("DROP TABLE intake_found")


def _run_checks(
    cursor: Any, batch: Batch, sheet: Sheet, work: FileStaging, stage: str
) -> tuple[int, list[dict[str, Any]]]:
    """Runs the sheet's own checks; returns how many faults they found (the first ones of each are listed), and what
    they left out.

    Where cells are faulty each check judges the rows it can judge without them.
    """
    staged, params = work.result, _params(batch, work)
    sound = (
        SoundRows(cursor, sheet, batch.pk, staged.fault_count, staged.row_count, stage) if staged.fault_count else None
    )
    found, told = 0, []
    own = (check for check in sheet.checks if check.outcome is Outcome.FAULT)
    every = [*days.checks(sheet, opened_days()), *references.checks(sheet), *own]
    if not staged.fault_count:  # every row is judged by every check
        gathered = {check.together for check in every if check.together is not None}
        for one in gathered:
            found += _run_together(cursor, one, [check for check in every if check.together is one], stage, params)
        every = [check for check in every if check.together is None]
    for check in every:
        judged = sound.of(check) if sound else Judged(stage)
        if (
            judged.why and (notice := _not_judged(check, judged, staged.row_count)) not in told
        ):  # both ends of a span of days are one check
            told.append(notice)
        if judged.table:
            hits = _run_check(cursor, check, judged.table, params)
            found += hits
            if check.looks_up and hits:
                _log_hits(batch, check, hits)
    return found, told


def _run_check(cursor: Any, check: Check, table: str, params: dict[str, Any]) -> int:
    told = {
        "c_column": check.column,
        "c_expected": kept(check.expected),
        "c_rule": check.rule,
        "c_todo": kept(check.todo),
    }
    cursor.execute(
        'INSERT INTO intake_fault (batch_id, row_no, "column", found, expected, rule, todo)'
        f" SELECT %(batch_id)s, f.row_no, %(c_column)s, {_FOUND}, {_expected(check)}, "
        "%(c_rule)s, %(c_todo)s"
        f" FROM ({check.sql.replace('{stage}', table)}) AS f (row_no, "
        f"found{', expected' if check.tells_expected else ''})"
        f" ORDER BY f.row_no LIMIT {limits.FAULTS_LISTED}",
        params | told,
    )
    return int(cursor.rowcount)


def _run_together(cursor: Any, one: Together, checks: list[Check], table: str, params: dict[str, Any]) -> int:
    """Runs checks over the same rows in one statement; of each the first faults are listed."""
    told = {
        f"c_{what}_{one.rules.index(check.rule)}": kept(getattr(check, what))
        for check in checks
        for what in ("column", "expected", "rule", "todo")
    }
    words = ", ".join(
        f"({n}, %(c_column_{n})s, %(c_expected_{n})s, %(c_rule_{n})s, %(c_todo_{n})s)" for n in range(len(checks))
    )
    cursor.execute(
        'INSERT INTO intake_fault (batch_id, row_no, "column", found, expected, rule, todo)'
        f" SELECT %(batch_id)s, f.row_no, w.col, {_FOUND}, w.expected, w.rule, w.todo FROM"
        " (SELECT *, row_number() OVER (PARTITION BY nth ORDER BY row_no) AS place FROM"
        f" ({one.sql.replace('{stage}', table)}) g (nth, row_no, found)) f"
        f" JOIN (VALUES {words}) w (nth, col, expected, rule, todo) USING (nth)"
        f" WHERE f.place <= {limits.FAULTS_LISTED} ORDER BY f.nth, f.row_no",
        params | told,
    )
    return int(cursor.rowcount)


def _expected(check: Check) -> str:
    """SQL of what is expected: of the row, where the check tells it."""
    return "f.expected" if check.tells_expected else "%(c_expected)s"


def _params(batch: Batch, work: FileStaging) -> dict[str, Any]:
    region = Region.objects.first()
    return {
        "batch_id": batch.pk,
        "sender_id": batch.sender_id,
        "today": date.today(),
        "first_open_day": region.first_open_day if region else date.min,
        "sender_areas": list(work.places.allowed),
    }


def _ask(cursor: Any, batch: Batch, sheet: Sheet, work: FileStaging, stage: str) -> None:
    """Notes what is lawful but unlikely in a file without faults: what its sender is asked, and what both people are
    told.
    """
    params = _params(batch, work)
    if sheet.same is not None:
        ask_in_file(cursor, batch.pk, sheet.same, stage)
    _note_disagreements(cursor, batch, sheet, work)
    for check in (c for c in sheet.checks if c.outcome is not Outcome.FAULT):
        told = {
            "c_column": check.column,
            "c_expected": kept(check.expected),
            "c_rule": check.rule,
            "c_todo": kept(check.todo),
        }
        asks = check.outcome is Outcome.QUESTION
        cursor.execute(
            'INSERT INTO intake_question (batch_id, row_no, "column", found, expected, rule, todo, asks, matches)'
            f" SELECT %(batch_id)s, f.row_no, %(c_column)s, {_FOUND}, "
            f"{_expected(check)}, %(c_rule)s, %(c_todo)s, %(asks)s,"
            f" {'f.matches' if asks else 0} FROM ({check.sql.replace('{stage}', stage)})"
            f" AS f (row_no, found{', expected' if check.tells_expected else ''}{', matches' if asks else ''})"
            + ("" if asks else f" ORDER BY f.row_no LIMIT {limits.FAULTS_LISTED}"),
            params | told | {"asks": asks},
        )
        if check.looks_up and cursor.rowcount > 0:
            _log_hits(batch, check, int(cursor.rowcount))


def _note_disagreements(cursor: Any, batch: Batch, sheet: Sheet, work: FileStaging) -> None:
    """Notes rows whose identity number says another month of birth or sex; judged where the number is unsealed, and not
    shown.
    """
    number = rules.number_column(sheet)
    columns = '(batch_id, row_no, "column", found, expected, rule, todo, asks)'
    with cursor.copy(f"COPY intake_question {columns} FROM STDIN") as copy:
        for row_no, found in work.disagreements():
            copy.write_row(
                (
                    batch.pk,
                    row_no,
                    number.name if number else "",
                    found,
                    kept(_AGREES),
                    "number_agrees",
                    kept(_DISAGREES_TODO),
                    False,
                )
            )


def _log_hits(batch: Batch, check: Check, hits: int) -> None:
    """A file whose persons are looked for on record is a search by its sender; which persons were found stands in its
    faults.
    """
    sender = User.objects.get(pk=batch.sender_id)
    log_read(
        sender, kind=check.looks_up, subject_id=batch.pk, purpose=f"check of batch {batch.pk}: {check.rule}", rows=hits
    )


def _not_judged(check: Check, judged: Judged, rows: int) -> dict[str, Any]:
    """The notice that a check left rows out, or could not run at all (`rows` is then all of them)."""
    left = judged.left_out if judged.table else rows
    told = (
        say("{left} of {rows} rows left out", left=Number(left), rows=Number(rows)) if judged.table else say("not run")
    )
    return {
        "what": "not_judged",
        "rule": check.rule,
        "expected": check.expected,
        "rows": left,
        "of": rows,
        "why": judged.why,
        "columns": list(judged.columns),
        "found": say("{rule}: {told}", rule=check.rule, told=told),
    }


def _totals(cursor: Any, batch: Batch, sheet: Sheet) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Counts, sums, first and last day of a file without faults; and how many rows are of which year."""
    stage, made = f"staging.batch_{batch.pk}", []
    for total in sheet.totals:
        cursor.execute(total.sql.replace("{stage}", stage))
        made.append(totals.kept(total, cursor.fetchone()[0]))
    return [*made, *days.totals(cursor, sheet, stage)], days.years(cursor, sheet, stage, opened_days())
