"""Installations of their own and the console on them, for tests that run it as an office does. Holds no test.

Without DATABASE_URL an installation may begin with a copy of the migrated cluster that the run keeps: what `karez init`
makes is the same, and the founding, not the schema, is what such a test asks about.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from karez.system import postgres
from tests import kept_cluster

INIT = (
    "init", "--code", "64", "--first-year", "2009", "--controller", "Office", "--legal-basis", "Rule 1",
    "--complaint-body", "Ombudsman", "--admin", "ann", "--admin-name", "Ann", "--password", "a-long-password-9",
)  # fmt: skip
SERVER = os.environ.get("DATABASE_URL", "")
KEPT = "karez_kept"  # the database of the kept cluster
_copied: set[Path] = set()


def new_folder(name: str = "kz-", *, migrated: bool = False) -> Path:
    """A data folder; with a copy of the migrated cluster where asked for and there."""
    made = Path(tempfile.mkdtemp(prefix=name))
    made.chmod(0o711)
    if migrated and not SERVER and kept_cluster.copied_to(made / "pg"):
        _copied.add(made)
    return made


def environment_of(var: Path, **more: str) -> dict[str, str]:
    """The environment of commands on that installation and on no other."""
    drop = (
        "KAREZ_DATABASE",
        "KAREZ_TEST_VAR",
        *(() if SERVER else ("KAREZ_DATABASE_PASSWORDS",)),
    )  # roles are the server's
    environment = {k: v for k, v in os.environ.items() if k not in drop} | {
        "KAREZ_VAR": str(var),
        "KAREZ_DURABLE": "0",
        **more,
    }
    if SERVER:
        environment["KAREZ_DATABASE"] = _database_of(var)
    elif var in _copied:
        environment["KAREZ_DATABASE"] = KEPT
    return environment


def karez(
    var: Path, *words: str, limit: Callable[[], None] | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Runs `karez words` on the installation."""
    return subprocess.run(
        [sys.executable, "-m", "karez", *words],
        env=environment_of(var, **more),
        text=True,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        preexec_fn=limit,
    )


@contextmanager
def founded_in(name: str = "kz-") -> Iterator[Path]:
    """A founded installation, its embedded server kept running; removed afterwards."""
    made = new_folder(name, migrated=True)
    try:
        with postgres.held(postgres.Cluster(made / "pg", durable=False)) if not SERVER else _nothing():
            first = karez(made, *INIT)
            assert first.returncode == 0, first.stderr
            yield made
    finally:
        remove(made)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def remove(var: Path) -> None:
    """Removes the folder, and the database on a server beside."""
    shutil.rmtree(var, ignore_errors=True)
    _copied.discard(var)
    if SERVER:
        with psycopg.connect(SERVER, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{_database_of(var)}" WITH (FORCE)')


def _database_of(var: Path) -> str:
    return var.name.lower().replace("-", "_").replace("'", "_")
