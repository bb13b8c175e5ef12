"""What looks like something already there: rows of one file, a row and what is on record, and what is entered by form.

What makes two records the same is declared by the rooms (`karez.kernel.sheets.Sameness`); here it is asked of the
database, for a whole file at once and for one act. Whoever sends or enters says that it is meant; nothing is taken
twice in silence.
"""

from datetime import date
from typing import Any

from django.db import connection

from karez.kernel.messages import Listing, Number, kept, say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Applying, Check, Sameness

_IN_FILE = say("a row unlike the others, or a receipt number that tells it apart")
_ON_RECORD = say("nothing like it on record, or a receipt number that tells it apart")
_TODO = say("leave the row out if it is the same one; if it is another one, confirm it")
_NAMED = 5  # rows named in a refusal

# Amounts and days as they stand; receipts tell apart only where both are given.
_FILE = """WITH file AS MATERIALIZED (SELECT row_no, who, day, kind, fen, part, intake_number_key(NULLIF(receipt,
    '')) AS receipt
    FROM ({staged}) r (row_no, who, day, kind, fen, part, receipt))"""
_DIVIDED_ALIKE = "k.part = f.part"  # not asked of one row, whose division may be worked out
_KNOWN = """, known AS MATERIALIZED (SELECT k.who, k.day, k.kind, k.fen, k.part, intake_number_key(NULLIF(k.receipt,
    '')) AS receipt, count(*) AS n,
        max(k.batch_id) AS batch_id, max(k.recorded_at)::date AS recorded_on
    FROM ({recorded}) k (who, day, kind, fen, part, receipt, batch_id, recorded_at)
    WHERE (k.who, k.day) IN (SELECT who, day FROM file) GROUP BY 1, 2, 3, 4, 5, 6)
, alike AS MATERIALIZED (SELECT f.row_no, sum(k.n)::bigint AS n, max(k.batch_id) AS batch_id,
    max(k.recorded_on) AS recorded_on
    FROM file f JOIN known k ON (k.who, k.day, k.kind, k.fen) = (f.who, f.day, f.kind, f.fen) AND {part}
     AND (k.receipt IS NULL OR f.receipt IS NULL OR k.receipt = f.receipt) GROUP BY 1)"""
# The planner knows nothing of what is gathered first and takes it for a row or two; a loop in a loop would cost the
# square.
_NO_NESTED_LOOPS, _LOOPS_AGAIN = (f"SELECT set_config('enable_nestloop', '{way}', true)" for way in ("off", "on"))
_ASK = """INSERT INTO intake_question (batch_id, row_no, "column", found, expected, rule, todo, asks, matches)
    SELECT %(batch)s, q.row_no, %(column)s, q.found, %(expected)s, %(rule)s, %(todo)s, true, q.matches
        FROM ({found}) q (row_no, found, matches)"""
# The first row of those alike is not asked about; the later ones name it.
_TWINS = """SELECT row_no, karez_say('the same as row {1}', twin::text), 0 FROM (SELECT row_no, CASE WHEN receipt IS NULL
    THEN min(row_no) OVER g
        ELSE LEAST(min(row_no) FILTER (WHERE receipt IS NULL) OVER g, min(row_no) OVER (PARTITION BY who, day, kind,
            fen, part, receipt)) END AS twin
    FROM file WINDOW g AS (PARTITION BY who, day, kind, fen, part)) t WHERE twin < row_no"""
_RECORDS = """SELECT row_no, CASE WHEN batch_id IS NULL THEN karez_say('entered by hand, last recorded on {1}', recorded_on::text)
    ELSE karez_say('in batch {1}, last recorded on {2}', batch_id::text, recorded_on::text) END, n FROM alike"""


def ask_in_file(cursor: Any, batch_id: int, same: Sameness, stage: str) -> None:
    """Notes the questions of a staged file without faults: rows alike in it, and rows like what is on record."""
    file = _FILE.format(staged=same.staged.replace("{stage}", stage))
    known = _KNOWN.format(recorded=same.recorded, part=_DIVIDED_ALIKE)
    cursor.execute(_NO_NESTED_LOOPS)
    for rule, expected, found in (
        ("same_in_file", _IN_FILE, _TWINS),
        ("same_on_record", _ON_RECORD, known + " " + _RECORDS),
    ):
        cursor.execute(
            _ASK.format(found=f"{file} {found}" if rule == "same_in_file" else file + found),
            {"batch": batch_id, "column": same.column, "expected": kept(expected), "rule": rule, "todo": kept(_TODO)},
        )
    cursor.execute(_LOOPS_AGAIN)


def require_confirmed(given: Applying, same: Sameness) -> None:
    """Refuses, so that nothing stays written, where by now more is on record like a row than when its sender was asked.

    To be called by a sheet's `apply` when what it writes to is locked: of two files with the same rows, checked before
    either was applied, the second finds what the first one wrote.
    """
    file = _FILE.format(staged=same.staged.replace("{stage}", given.stage))
    if given.batch_id is None:
        _require_another(given, file + _KNOWN.format(recorded=same.recorded, part="true"))
        return
    given.cursor.execute(_NO_NESTED_LOOPS)
    given.cursor.execute(
        file
        + _KNOWN.format(recorded=same.recorded, part=_DIVIDED_ALIKE)
        + f""" SELECT count(*), (array_agg(a.row_no ORDER BY a.row_no))[1:{_NAMED}] FROM alike a LEFT
            JOIN intake_question q
        ON q.batch_id = %s AND q.row_no = a.row_no AND q.rule = 'same_on_record' WHERE a.n > coalesce(q.matches, 0)""",
        [given.batch_id],
    )
    count, first = given.cursor.fetchone()
    given.cursor.execute(_LOOPS_AGAIN)
    _refuse_unconfirmed(given, count, first)


def _require_another(given: Applying, alike: str) -> None:
    """Refuses a row entered by form that is like one on record, unless who enters it says that it is another one."""
    if given.confirmed:
        return
    given.cursor.execute(f"{alike} SELECT batch_id, recorded_on FROM alike")
    if (found := given.cursor.fetchone()) is not None:
        raise _likely_repeat("", *found)


def require_still_confirmed(given: Applying, check: Check) -> None:
    """The same for a check that asks its sender: refuses where a row is like more records by now than its sender was
    asked about.
    """
    given.cursor.execute(
        f"""SELECT count(*), (array_agg(a.row_no ORDER BY a.row_no))[1:{_NAMED}]
        FROM ({check.sql.replace("{stage}", given.stage)}) a (row_no, found, matches) LEFT JOIN intake_question q
          ON q.batch_id = %s AND q.row_no = a.row_no AND q.rule = %s WHERE a.matches > coalesce(q.matches, 0)""",
        [given.batch_id, check.rule],
    )
    _refuse_unconfirmed(given, *given.cursor.fetchone())


def _refuse_unconfirmed(given: Applying, count: int, first: list[int]) -> None:
    if not count:
        return
    rows: str = Listing(first)
    if count > _NAMED:
        rows = say("{rows} and {count} more", rows=rows, count=Number(count - _NAMED))
    raise Refusal(
        "intake.to_be_confirmed",
        record=say("batch {batch_id}", batch_id=given.batch_id),
        found=say("row {first}: the same is on record by now", first=first[0])
        if count == 1
        else say("rows {rows}: the same is on record by now", rows=rows),
        expected=say("nothing like it on record, or the sender's word that it is meant"),
        rule=say("what looks like something already there is never taken in silence"),
        todo=say("check the batch again: it then asks its sender about these rows"),
    )


def times_on_record(same: Sameness, *, who: int, day: date, kind: str, fen: int, receipt: str = "") -> int:
    """How often the same is on record, for one act entered by form; the caller holds what it writes to."""
    return _found(same, who, day, kind, fen, receipt)[0]


def require_another(
    same: Sameness,
    record: str,
    *,
    confirmed: bool,
    who: int,
    day: date,
    kind: str,
    fen: int,
    receipt: str = "",
    waiting: int = 0,
) -> int:
    """Refuses what is on record already (or waits, `waiting` times) unless it is confirmed to be another one; returns
    how often it is there.

    The refusal's `more` says that it may be confirmed: a form then comes back with a box to tick.
    """
    times, batch_id, recorded_on = _found(same, who, day, kind, fen, receipt)
    if confirmed or not times + waiting:
        return times
    raise _likely_repeat(record, batch_id, recorded_on)


def _likely_repeat(record: str, batch_id: int | None, recorded_on: date | None) -> Refusal:
    where = (
        say("in batch {batch_id}, recorded on {recorded_on}", batch_id=batch_id, recorded_on=recorded_on)
        if batch_id
        else say("entered by hand, recorded on {recorded_on}", recorded_on=recorded_on)
    )
    return Refusal(
        "form.likely_repeat",
        record=record,
        found=say("the same of that day is there already: {where}", where=where)
        if recorded_on
        else say("the same of that day waits for approval"),
        expected=say("another one, or a receipt number that tells it apart"),
        rule=say("what looks like something already there is never taken in silence"),
        todo=say("leave it if it is the same one; if it is another one, say so and send again"),
        more={"confirm": True},
    )


def _found(
    same: Sameness, who: int, day: date, kind: str, fen: int, receipt: str
) -> tuple[int, int | None, date | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(*), max(k.batch_id), max(k.recorded_at)::date
            FROM ({same.recorded}) k (who, day, kind, fen, part, receipt, batch_id, recorded_at)
            WHERE k.who = %(who)s AND k.day = %(day)s AND k.kind = %(kind)s AND k.fen = %(fen)s
                AND (coalesce(k.receipt, '') = '' OR %(receipt)s = ''
              OR intake_number_key(k.receipt) = intake_number_key(%(receipt)s))""",
            {"who": who, "day": day, "kind": kind, "fen": fen, "receipt": receipt.strip()},
        )
        times, batch_id, recorded_on = cursor.fetchone()
        return int(times), batch_id, recorded_on
