"""A start that has to wait says for whom. Holds no start.

Bringing a database up changes tables, rights and triggers, and PostgreSQL lets nobody do that while another works with
them. Who waits is told after a moment which program it is, since when it works and what can be done, and is refused
after a bounded time.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.db import connections
from django.db.utils import OperationalError

from karez.kernel.refusal import Refusal
from karez.system import database

LIMIT_SECONDS = 600
_LOOK_SECONDS = 2.0
_BLOCKING = """
SELECT b.pid, coalesce(nullif(b.application_name, ''), 'a program'), b.usename, to_char(b.xact_start, 'HH24:MI:SS'),
       date_trunc('second', now() - b.xact_start)::text, b.state, left(regexp_replace(b.query, '\\s+', ' ', 'g'), 80)
  FROM pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) p JOIN pg_stat_activity b ON b.pid = p
 WHERE w.pid = %s ORDER BY b.xact_start LIMIT 1
"""


@dataclass(frozen=True)
class Holder:
    """Who works with what is waited for."""

    pid: int
    program: str
    role: str
    since: str
    lasting: str
    state: str
    query: str

    def __str__(self) -> str:
        doing = "holds a transaction open after" if self.state.startswith("idle") else "is at"
        return (
            f"process {self.pid} of the database ({self.program}, {self.role}), which since {self.since} "
            f"({self.lasting}) {doing}: {self.query}"
        )


@contextmanager
def told(tell: Callable[[str], None], *, limit_seconds: float = LIMIT_SECONDS) -> Iterator[None]:
    """While the block works as the owner, `tell` hears whom it waits for; refuses (host.busy) after the limit."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_backend_pid(), set_config('lock_timeout', %s, false)", [f"{int(limit_seconds * 1000)}ms"]
        )
        pid = cursor.fetchone()[0]
    seen: list[Holder] = []
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(pid, seen, done, tell), daemon=True)
    watch.start()
    try:
        yield
        with connections["owner"].cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise _busy(seen, limit_seconds) from error
        raise
    finally:
        done.set()
        watch.join()


def _watch(pid: int, seen: list[Holder], done: threading.Event, tell: Callable[[str], None]) -> None:
    """Looks every moment who stands in the way of that process; each is told once."""
    try:
        with database.administrator(database.name()) as admin:
            while not done.wait(_LOOK_SECONDS):
                row = admin.execute(_BLOCKING, [pid]).fetchone()
                if row and row[0] not in [holder.pid for holder in seen]:
                    seen.append(Holder(row[0], *map(str, row[1:])))
                    tell(
                        f"Waiting for {seen[-1]}. It goes on when that is done; to end it: SELECT "
                        f"pg_terminate_backend({row[0]})"
                    )
    except psycopg.Error:  # the start itself says what is wrong with the database
        return


def _busy(seen: list[Holder], waited: float) -> Refusal:
    return Refusal(
        "host.busy",
        record=f"database {database.name()}",
        found=f"{seen[-1]}" if seen else "somebody who has just finished",
        expected=f"nobody at work for {waited:g} seconds",
        rule="tables, rights and triggers are changed when nobody works with them",
        todo="wait until the work named here is done, or end it, then start again",
    )
