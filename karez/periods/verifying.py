"""Proofs of what is only ever added to, and of the years' history. What a tally is: `sql/tally.sql`."""

from typing import Any

from django.db import connection, transaction

from karez.kernel.counting import counted
from karez.kernel.rooms import declared
from karez.kernel.verifying import Proof, by_sql, rows
from karez.periods.guard import tallied_tables
from karez.periods.tallying import counts

_LABELS = {table: words for room in declared() for table, words in room.tallied.items()}

_RENEWED = (
    "SELECT DISTINCT ON (table_name) table_name, version, renewed_at FROM periods_tallyrenewal WHERE "
    "renewed_at IS NOT NULL ORDER BY table_name, id DESC"
)

# States follow each other; the last one is the year's. A year reopened after it was closed names what was sealed.
_HISTORY = """
WITH told AS (
    SELECT year, state, snapshot, lag(state, 1, CASE WHEN year > (SELECT first_year FROM periods_region)
        THEN 'open' END)
           OVER (PARTITION BY year ORDER BY id) AS before,
           lead(id) OVER (PARTITION BY year ORDER BY id) AS following, prepared_by_id, signed_by_id
               FROM periods_periodchange)
SELECT format('%%s: %%s follows %%s', year, state, coalesce(before, 'nothing')) FROM told
 WHERE (coalesce(before, ''), state) NOT IN (('', 'open'), ('open', 'closing'), ('closing', 'closed'), ('closing',
     'open'), ('closed', 'open'))
UNION ALL SELECT format('%%s is %%s, its history ends with %%s', p.year, p.state, coalesce(t.state, 'nothing'))
  FROM periods_period p LEFT JOIN told t ON t.year = p.year AND t.following IS NULL
 WHERE p.state IS DISTINCT FROM t.state  -- a year is opened by the closing of the one before
   AND NOT (p.state = 'open' AND t.year IS NULL AND EXISTS (SELECT FROM told b WHERE b.year = p.year - 1
       AND b.state = 'closed'))
UNION ALL SELECT format('%%s was closed with %%s, its history says %%s', p.year, left(p.snapshot, 12),
    coalesce(left(t.snapshot, 12), 'nothing'))
  FROM periods_period p JOIN told t ON t.year = p.year AND t.following IS NULL AND t.state = 'closed'
 WHERE p.state = 'closed' AND p.snapshot IS DISTINCT FROM t.snapshot
UNION ALL SELECT format('%%s is in the history and no year of the region', t.year) FROM told t
 WHERE NOT EXISTS (SELECT FROM periods_period p WHERE p.year = t.year)
UNION ALL SELECT format('%%s is missing between the first year and the first open day', y) FROM periods_region r,
       generate_series(r.first_year, extract(year FROM r.first_open_day)::int) y WHERE NOT EXISTS (SELECT
           FROM periods_period p WHERE p.year = y)
UNION ALL SELECT format('the first open day is %%s, the last closed year %%s', r.first_open_day, c.last)
    FROM periods_region r,
       (SELECT max(year) AS last FROM periods_period WHERE state = 'closed') c
 WHERE r.first_open_day <> make_date(coalesce(c.last + 1, r.first_year), 1, 1)
"""


def _tallies() -> list[Proof]:
    """Each table that only grows against its tally: a row taken away, changed or put in past the trigger does not fit."""
    anew = {table: f"; counted anew by version {version} on {at:%Y-%m-%d}" for table, version, at in rows(_RENEWED)}
    with transaction.atomic(), connection.cursor() as cursor:
        return [_tally(cursor, table, anew.get(table, "")) for table in tallied_tables()]


def _tally(cursor: Any, table: str, anew: str) -> Proof:
    tallied, there = counts(cursor, table)
    wrong = []
    if tallied.rows != there.rows:
        wrong.append(
            f"{counted(there.rows, 'row')}, {tallied.rows:,} written: "
            + ("rows are missing" if there.rows < tallied.rows else "rows were put in unseen")
        )
    elif tallied != there:
        wrong.append("as many rows as were written, but not what was written: some were changed")
    return Proof(_LABELS.get(table, table), f"{counted(there.rows, 'row')} as written{anew}", wrong)


def _history() -> Proof:
    return by_sql("states of the years", "each follows the one before, up to the state of today", _HISTORY)


PROOFS = (_tallies, _history)
