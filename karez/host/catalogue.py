"""Whether what is installed in the database is what this version installs: roles, rights, tables, constraints,
triggers, functions.

What this version installs is not written down a second time: an empty database is made beside the installation's by the
same migrations, and the two are compared. It is removed afterwards. Reads no record.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from karez.host import programs
from karez.kernel.refusal import Refusal
from karez.kernel.verifying import Proof
from karez.periods.state import differences, installed
from karez.system import database, sessions

_SQL = Path(__file__).parent / "sql"


def faults() -> list[str]:
    """How the installation's database differs from one that this version makes."""
    with database.administrator(database.name()) as admin:
        is_now = installed(admin.cursor())
        wrong = [str(row[0]) for row in admin.execute(_read("roles"))]
        wrong += _told_to_roles(admin) + _silenced() + _broken(admin)
    with _made_anew() as fresh, _carried_over(fresh) as carried:
        # A database restored from a dump writes some texts otherwise than one that was migrated; either is this
        # version's.
        patterns = [_installed_in(fresh), _installed_in(carried)]
    found = [set(differences(pattern, is_now)) for pattern in patterns]
    return wrong + sorted(found[0] & found[1])


def proof() -> Proof:
    """What is installed, and whether every reference between records leads somewhere."""
    return Proof(
        "database",
        (
            "roles, rights, tables, constraints, triggers and functions are those of this version; references lead "
            "somewhere"
        ),
        faults(),
    )


def _installed_in(name: str) -> dict[str, str]:
    with database.administrator(name) as admin:
        return installed(admin.cursor())


def _told_to_roles(admin: psycopg.Connection[Any]) -> list[str]:
    """Settings a role of ours is given for every database, other than those of this version."""
    wanted = {database.APP: {f"{key}={value}" for key, value in sessions.of_role().items()}, database.OWNER: set()}
    rows = admin.execute(
        "SELECT rolname, coalesce(rolconfig, '{}') FROM pg_roles WHERE rolname = ANY (%s)", [list(wanted)]
    ).fetchall()
    return [
        f"role {role} is told {', '.join(sorted(set(told) ^ wanted[role]))}"
        for role, told in rows
        if set(told) != wanted[role]
    ]


def _silenced() -> list[str]:
    """Whether a session of the app's role is told anything by which triggers and rules would not be asked."""
    asked = {
        "session_replication_role": "origin",
        "row_security": "on",
        "check_function_bodies": "on",
        "zero_damaged_pages": "off",
    }
    with psycopg.connect(database.conninfo(database.APP)) as app:
        rows = app.execute("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [list(asked)]).fetchall()
    return [f"setting {name} is {found}, not {asked[name]}" for name, found in rows if found != asked[name]]


def _broken(admin: psycopg.Connection[Any]) -> list[str]:
    """Rows whose foreign key leads nowhere."""
    found = []
    for table, name, counting in admin.execute(_read("references")).fetchall():
        row = admin.execute(counting.encode()).fetchone()
        if row and row[0]:
            found.append(f"{row[0]:,} rows of {table} lead nowhere ({name})")
    return found


def _read(name: str) -> bytes:
    return (_SQL / f"{name}.sql").read_bytes()


@contextmanager
def _made_anew() -> Iterator[str]:
    """An empty database of this version on the same server, removed afterwards; its name."""
    with database.scratch("pattern") as name:
        _brought_up(name)
        yield name


@contextmanager
def _carried_over(pattern: str) -> Iterator[str]:
    """The same as a dump carries it over."""
    with database.scratch("carried") as name, tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "schema.dump"
        programs.run("pg_dump", "--schema-only", "--format=custom", f"--file={dump}", dbname=pattern)
        with database.administrator() as admin:
            database.make_database(admin, name)
        programs.run("pg_restore", "--exit-on-error", str(dump), dbname=name)
        _brought_up(name)
        yield name


def _brought_up(name: str) -> None:
    """Migrations where they are missing, rights and guards, in a program of its own: this one is at another database."""
    environment = os.environ | {"KAREZ_DATABASE": name, "DJANGO_SETTINGS_MODULE": "karez.settings"}
    program = (
        "import django; django.setup(); from karez.system import database; from karez.periods import guard; "
        "from django.core.management import call_command\n"
    )
    program += "database.prepare(); from django.db import connections\n"
    program += (
        "'django_migrations' in connections['owner'].introspection.table_names() or call_command('migrate', "
        "database='owner', verbosity=0)\n"
    )
    program += "guard.install()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=environment,
        text=True,
        errors="replace",
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refusal(
            "host.program_failed",
            record="an empty database to compare with",
            found=programs.errors_first(done.stderr),
            expected="one of this version",
            rule="what is installed is compared with what this version installs",
            todo="mend what is named and verify again",
        )
