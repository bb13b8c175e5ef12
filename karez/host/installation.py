"""What an installation's database says of itself before anything else is read: the fingerprint of its key, its time
zone.

One row, written once by the owner when the database is made. Asked for without Django, whose settings depend on the
answer.
"""

from dataclasses import dataclass

import psycopg

from karez.kernel.refusal import Refusal
from karez.system import clock, database, keys, paths


@dataclass(frozen=True)
class Installation:
    """The row."""

    key_check: str
    time_zone: str


def recorded() -> Installation | None:
    """What the database says; None where there is no database, or an empty one."""
    with database.administrator() as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database.name()]).fetchone():
            return None
    with database.administrator(database.name()) as admin:
        return _read(admin)


def _read(connection: psycopg.Connection[tuple[object, ...]]) -> Installation | None:
    if connection.execute("SELECT to_regclass('public.periods_installation')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT key_check, time_zone FROM public.periods_installation").fetchone()
    return Installation(str(row[0]), str(row[1])) if row else None


def require_ready(*, founding: bool) -> None:
    """Before Django is set up: the key is the database's, the clock is the office's. Makes a key only for a new
    installation.

    Refuses a missing key, another's or a damaged one, an unknown time zone, and, unless it is `founding`, a database
    with nothing in it.
    """
    found = recorded()
    if found is not None:
        clock.keep(found.time_zone)
        keys.check(found.key_check)
    elif founding:
        clock.require_known()
        keys.make_if_missing()
    else:
        raise not_installed()


def record() -> None:
    """Writes the row where there is none: this key, this time zone."""
    with psycopg.connect(database.conninfo(database.OWNER)) as owner:
        owner.execute(
            (
                "INSERT INTO public.periods_installation (id, key_check, time_zone) VALUES (1, %s, %s) ON CONFLICT "
                "(id) DO NOTHING"
            ),
            [keys.read(keys.PLACE).fingerprint, clock.zone()],
        )


def not_installed() -> Refusal:
    """The refusal of a command that works with a region where none was founded."""
    return Refusal(
        "host.not_installed",
        record=str(paths.VAR) if not database.url() else f"database {database.name()}",
        found="no data",
        expected="an installation",
        rule="a region is founded before it is worked with",
        todo="run `karez init` or `karez demo`",
    )
