"""PostgreSQL's own programs, of the version of the server they work on, and what they say when they fail.

A dump made by a newer program holds settings an older server does not know, so the major versions are the same.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from karez.kernel.refusal import Refusal
from karez.system import database, postgres

_VERSION = re.compile(r"\b(\d+)(?:\.\d+)*\b")


def run(program: str, *words: str, dbname: str) -> None:
    """Runs a program of PostgreSQL on a database of the server, as its administrator; refuses with its own words,
    errors first.
    """
    target = conninfo_to_dict(database.administrator_target(dbname))
    password = target.pop("password", None)  # everybody on the machine may read a program's arguments
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    told = make_conninfo(**{k: str(v) for k, v in target.items() if v is not None})
    done = subprocess.run(
        [str(folder() / program), f"--dbname={told}", *words],
        text=True,
        errors="replace",
        capture_output=True,
        check=False,
        env=environment,
    )
    if done.returncode != 0:
        raise Refusal(
            "host.program_failed",
            record=program,
            found=errors_first(done.stderr) or f"it ended with code {done.returncode}",
            expected="no error",
            rule="what is half done counts as nothing",
            todo="mend what is named and run it again",
        )


def errors_first(said: str, limit: int = 1500) -> str:
    """What a program said, its errors before its hints and progress, cut to a length that is read."""
    lines = [line for line in said.splitlines() if line.strip()]
    bad = [line for line in lines if re.search(r"\b(error|fatal|panic)\b", line, re.IGNORECASE)]
    return "\n".join([*bad, *(line for line in lines if line not in bad)])[:limit]


def folder() -> Path:
    """Where the programs of the server's own major version are; refuses where they are not installed."""
    if not database.url():
        return postgres.bin_folder()
    with database.administrator() as admin:
        return _folder_of(admin.info.server_version // 10000)


@cache
def _folder_of(major: int) -> Path:
    for place in _places(major):
        if _major_of(place / "pg_dump") == major and _major_of(place / "pg_restore") == major:
            return place
    raise Refusal(
        "host.no_programs",
        record="pg_dump, pg_restore",
        found=f"none of version {major} in the usual places",
        expected=f"those of the server's own version, PostgreSQL {major}",
        rule="a dump is read back by the version that made it",
        todo=f"install postgresql-client-{major}, or name the folder of its programs in KAREZ_PG_BIN",
    )


def _places(major: int) -> Iterator[Path]:
    if given := os.environ.get("KAREZ_PG_BIN"):
        yield Path(given)
    yield Path(f"/usr/lib/postgresql/{major}/bin")  # Debian
    yield Path(f"/usr/pgsql-{major}/bin")  # Red Hat
    if found := shutil.which("pg_dump"):
        yield Path(found).resolve().parent
    yield postgres.bin_folder()


def _major_of(program: Path) -> int | None:
    try:
        said = subprocess.run([str(program), "--version"], text=True, capture_output=True, check=False).stdout
    except OSError:
        return None
    found = _VERSION.search(said)
    return int(found[1]) if found else None
