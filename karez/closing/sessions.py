"""Sessions of closing's own: the year locked alone, and one frozen state that several connections read. Holds no rules."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from adbc_driver_postgresql import dbapi
from django.db import connections
from psycopg.conninfo import make_conninfo

from karez.kernel.messages import Listing, read, say
from karez.kernel.refusal import Refusal

LOCK_CLASS = 4711  # the guard of periods: writers hold (4711, year) shared until they commit
WAIT_SECONDS = 30
# What is exported does not depend on where the office is.
_SORTING = "-c work_mem=192MB -c statement_timeout=0 -c jit=off -c TimeZone=UTC"


def conninfo(program: str, options: str = "") -> str:
    """How to reach Django's default database with a connection of one's own, as the app's role."""
    entry = connections["default"].settings_dict
    words = {
        "dbname": entry["NAME"],
        "user": entry["USER"],
        "password": entry["PASSWORD"],
        "host": entry["HOST"],
        "port": entry["PORT"],
    }
    common = entry.get("OPTIONS", {})
    words |= {k: v for k, v in common.items() if k.startswith(("ssl", "keepalives"))}
    words |= {
        "application_name": program,
        "options": f"{common.get('options', '')} {options}".strip(),
    }  # of two the later holds
    return make_conninfo(**{k: str(v) for k, v in words.items() if v})


@contextmanager
def locked_year(year: int, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[psycopg.Connection[Any]]:
    """A session that holds the year alone; waits for open writers, and refuses (periods.busy) naming who holds it."""
    with psycopg.connect(conninfo(f"karez closing {year}"), autocommit=True) as session:
        session.execute("SELECT set_config('lock_timeout', %s, false)", [f"{int(wait_seconds * 1000)}ms"])
        try:
            session.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, year])
        except psycopg.errors.LockNotAvailable:
            raise _busy(session, year, wait_seconds) from None
        session.execute("SELECT set_config('lock_timeout', '0', false)")
        yield session  # ending the session gives the lock back, whatever happens


def _busy(session: psycopg.Connection[Any], year: int, waited: float) -> Refusal:
    holders = session.execute(
        "SELECT karez_say('{1} (process {2}, since {3})', coalesce(nullif(a.application_name, ''), karez_say('a program')),"
        " l.pid::text, coalesce(to_char(a.xact_start, 'HH24:MI:SS'), to_char(a.backend_start, 'HH24:MI:SS'), '?'))"
        " FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY l.pid LIMIT 5",
        [LOCK_CLASS, year],
    ).fetchall()
    signer = session.execute(
        "SELECT u.full_name FROM periods_period p JOIN access_user u ON u.id = p.signed_by_id"
        " WHERE p.year = %s AND p.state = 'closing'",
        [year],
    ).fetchone()
    found = Listing(read(h[0]) for h in holders) or say("somebody who has just finished")
    return Refusal(
        "periods.busy",
        record=say("year {year}", year=year),
        found=say("{signer} is closing it: {work}", signer=signer[0], work=found) if signer else found,
        expected=say("no open write in the year for {waited} seconds", waited=f"{waited:g}"),
        rule=say("a year is closed when nobody is writing in it"),
        todo=say("wait until the work named here is finished, then sign again"),
    )


@dataclass
class FrozenState:
    """One state of the database, read by `session` and by any number of ADBC connections."""

    session: psycopg.Connection[Any]
    snapshot_id: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a statement without parameters."""
        return self.session.execute(sql.encode()).fetchall()

    @contextmanager
    def arrow(self, *, before: Sequence[str] = ()) -> Iterator[Any]:
        """An ADBC cursor that sees the same state; read-only once the statements `before` (temporary tables) are done."""
        with dbapi.connect(conninfo("karez export", _SORTING)) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"SET TRANSACTION SNAPSHOT '{self.snapshot_id}'")
            for statement in (*before, "SET TRANSACTION READ ONLY"):
                cursor.execute(statement)
            yield cursor


@contextmanager
def frozen_state() -> Iterator[FrozenState]:
    """The committed state of this moment, read-only, until the block ends."""
    with psycopg.connect(conninfo("karez export", _SORTING)) as session:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.read_only = True
        row = session.execute("SELECT pg_export_snapshot()").fetchone()
        assert row
        yield FrozenState(session, row[0])
        session.rollback()
