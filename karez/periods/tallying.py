"""What a table that only grows holds against its tally, and the tally counted anew where a migration changed the table.

A tally sums whole rows (`sql/tally.sql`), so another column, type or value that a migration brings changes the sum.
Before migrations run, each table is proved; which ones were whole is written down first, so that an upgrade cut off in
the middle goes on from there. Afterwards those of them that no longer fit were changed by the migrations alone, and are
counted anew; that stays on record. A table that did not fit before stays as it is: no upgrade hides what was taken away
or changed. Where an upgrade was cut off before its first migration was done, what was written down says nothing of the
day the next one begins: it is thrown away. Holds no migration.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

from karez import __version__
from karez.periods.guard import tallied_tables

_THERE = """SELECT c.relname, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid
    AND t.tgname = c.relname || '_tally')
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%s)"""


_LAST = "(SELECT coalesce(max(id), 0) FROM django_migrations)"
_UNTOUCHED = f"DELETE FROM periods_tallyrenewal WHERE renewed_at IS NULL AND last_migration >= {_LAST}"


@dataclass(frozen=True)
class Count:
    """Rows of a table and the sum over what is in them."""

    rows: int
    content: int


def counts(cursor: Any, table: str) -> tuple[Count, Count]:
    """A table by its tally, and as it is. In a transaction, for which it sets the time zone: instants are summed as the
    trigger writes them.
    """
    cursor.execute("SET LOCAL TimeZone = 'UTC'")
    cursor.execute(
        "SELECT t.n, t.content, r.n, r.content FROM (SELECT coalesce(sum(rows), 0) AS n, coalesce(sum(content), 0) "
        "AS content"
        " FROM periods_tally WHERE table_name = %s) t, (SELECT count(*) AS n, "
        "coalesce(sum(periods_content(to_jsonb(x))), 0) AS content"
        f' FROM "{table}" x) r',
        [table],
    )
    tallied, content, there, is_now = cursor.fetchone()
    cursor.execute("SET LOCAL TimeZone = DEFAULT")
    return Count(int(tallied), int(content)), Count(int(there), int(is_now))


def before_migrations() -> None:
    """Writes down which tables fit their tallies, before they may be changed; what was written before a migration done
    since stands.
    """
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT to_regclass('periods_tallyrenewal') IS NOT NULL")
        if not cursor.fetchone()[0]:  # the first migrations are still to come
            return
        cursor.execute(_UNTOUCHED)
        cursor.execute("SELECT count(*) FROM periods_tallyrenewal WHERE renewed_at IS NULL")
        if cursor.fetchone()[0]:
            return
        cursor.execute(_THERE, [tallied_tables()])
        for table, is_tallied in cursor.fetchall():
            tallied, there = counts(cursor, table)
            if tallied == there or (
                tallied.rows == 0 and not is_tallied
            ):  # one that this version is the first to count
                cursor.execute(
                    "INSERT INTO periods_tallyrenewal (table_name, version, rows_before, content_before, "
                    "last_migration)"
                    f" VALUES (%s, %s, %s, %s, {_LAST})",
                    [table, __version__, tallied.rows, tallied.content],
                )


def after_migrations() -> list[str]:
    """Counts anew every table that fitted before the migrations and no longer does; returns their names. None where no
    migration was done.
    """
    renewed = []
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        cursor.execute(_UNTOUCHED)
        cursor.execute("SELECT table_name FROM periods_tallyrenewal WHERE renewed_at IS NULL ORDER BY 1")
        for (table,) in cursor.fetchall():
            if table in tallied_tables():
                cursor.execute(f'LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE')  # nothing is added meanwhile
                tallied, there = counts(cursor, table)
                if tallied != there:
                    _renew(cursor, table, there)
                    renewed.append(table)
        cursor.execute("DELETE FROM periods_tallyrenewal WHERE renewed_at IS NULL")  # these fit as they were
    return renewed


def _renew(cursor: Any, table: str, there: Count) -> None:
    cursor.execute("DELETE FROM periods_tally WHERE table_name = %s", [table])
    cursor.execute(
        "INSERT INTO periods_tally (table_name, shard, rows, content) VALUES (%s, 0, %s, %s)",
        [table, there.rows, there.content],
    )
    cursor.execute(
        "UPDATE periods_tallyrenewal SET renewed_at = now(), version = %s, rows_after = %s, content_after = %s"
        " WHERE table_name = %s AND renewed_at IS NULL",
        [__version__, there.rows, there.content, table],
    )
