"""Sessions of the database: one ends with its program, one of a page is bounded and says so, and a start names whom it
waits for.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.db import DatabaseError, connections, transaction

from karez.host import waiting
from karez.kernel.refusal import Refusal
from karez.system import database, sessions
from karez.web.middleware import refusal_of

_LONG = "SELECT count(*) FROM generate_series(1, 1000000000000)"


def test_a_statement_ends_with_its_program(committed_db: str) -> None:
    """As after `kill -9` of a program in the middle of an apply: nobody waits for it at the next start."""
    code = (
        "import psycopg, sys; c = psycopg.connect(sys.argv[1]); print(c.info.backend_pid, flush=True); "
        f"c.execute('{_LONG}')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, database.conninfo(database.APP)], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout
        pid = int(program.stdout.readline())
        with database.administrator(committed_db) as admin:
            _until(admin, pid, "state = 'active'")
            program.send_signal(signal.SIGKILL)
            _until(admin, pid, "", gone=True)


def _until(admin: psycopg.Connection[object], pid: int, condition: str, *, gone: bool = False) -> None:
    """Looks again and again; a statement that is never found as asked fails the test by its number of looks."""
    for _ in range(600):
        there = admin.execute(
            f"SELECT 1 FROM pg_stat_activity WHERE pid = %s{' AND ' + condition if condition else ''}".encode(), [pid]
        ).fetchone()
        if bool(there) is not gone:
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid}: not {'gone' if gone else condition}")


def test_a_page_is_bounded_and_worker_and_console_are_not(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(target: str) -> list[str]:
        with psycopg.connect(target) as connection:
            names = (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "client_connection_check_interval",
            )
            return [str((connection.execute(f"SHOW {name}".encode()).fetchone() or [""])[0]) for name in names]

    assert shown(database.conninfo(database.APP)) == ["0", "0", "0", "5s"]
    assert shown(database.conninfo(database.OWNER)) == ["0", "0", "0", "5s"]
    plain = psycopg.conninfo.conninfo_to_dict(database.conninfo(database.APP)) | {"options": ""}
    assert shown(psycopg.conninfo.make_conninfo(**plain)) == ["30s", "5s", "1min", "5s"], (
        "whoever signs in as the app and says nothing"
    )
    monkeypatch.setenv(sessions.PAGES, "1")
    assert shown(database.conninfo(database.APP)) == ["30s", "5s", "1min", "5s"]


def test_the_entry_of_the_web_server_bounds_its_process() -> None:
    code = (
        "import karez.wsgi; from django.conf import settings; "
        "print(settings.DATABASES['default']['OPTIONS']['options'])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, text=True, capture_output=True, check=True)
    assert "statement_timeout=30s" in done.stdout and "lock_timeout=5s" in done.stdout


@pytest.fixture
def holder(committed_db: str) -> Iterator[psycopg.Connection[object]]:
    """Somebody who works with the table of the region and does not end."""
    with psycopg.connect(database.conninfo(database.OWNER)) as other:
        other.execute("LOCK TABLE periods_region")
        yield other
        other.rollback()


@pytest.mark.parametrize(
    ("setting", "statement", "code"),
    [
        ("statement_timeout", _LONG, "database.too_long"),
        ("lock_timeout", "SELECT 1 FROM periods_region", "database.busy"),
    ],
)
def test_what_takes_too_long_is_refused_in_words(holder: object, setting: str, statement: str, code: str) -> None:
    with pytest.raises(DatabaseError) as told, transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(f"SET LOCAL {setting} = '50ms'")
        cursor.execute(statement)
    refusal = refusal_of(told.value)
    assert refusal is not None
    assert (refusal.code, refusal.status) == (code, 503)
    assert all((refusal.record, refusal.found, refusal.expected, refusal.rule, refusal.todo))


def test_a_start_says_whom_it_waits_for_and_goes_on(
    holder: psycopg.Connection[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.05)
    said: list[str] = []

    def tell(words: str) -> None:
        said.append(words)
        holder.rollback()

    with waiting.told(tell), connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE periods_region SET (fillfactor = 90)")
    assert len(said) == 1
    for part in (
        f"process {holder.info.backend_pid}",
        "karez_owner",
        "LOCK TABLE periods_region",
        "pg_terminate_backend",
    ):
        assert part in said[0]


def test_a_start_does_not_wait_for_ever(holder: psycopg.Connection[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.05)
    with (
        pytest.raises(Refusal) as refused,
        waiting.told(lambda _words: None, limit_seconds=1),
        connections["owner"].cursor() as cursor,
    ):
        cursor.execute("ALTER TABLE periods_region SET (fillfactor = 90)")
    assert refused.value.code == "host.busy"
    assert str(holder.info.backend_pid) in refused.value.found
