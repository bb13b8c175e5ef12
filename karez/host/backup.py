"""Backup, restore, and the drill that proves a backup: database, files and snapshots in one folder, the sealing key in
another.

Holds no schedule: an office's own timer calls `karez backup`. A backup without the key opens no identity, so the two
are kept apart; losing the key loses the identities for good. The manifest names the key by its fingerprint.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from karez import __version__
from karez.host import leftovers, programs
from karez.kernel.files import room_told, side_folder, write_whole
from karez.kernel.refusal import Refusal
from karez.kernel.sealing import file_digest
from karez.system import database, keys, paths, postgres

_FOLDERS = {"files": paths.FILES, "snapshots": paths.SNAPSHOTS}
_TESTED = paths.VAR / "backup-target.json"
_MANIFEST = "manifest.json"
_UNTESTED = "-untested"  # ends a backup's name until it was restored once; only what was counts as a backup anywhere


def back_up(target: Path, keys_to: Path) -> Path:
    """Writes one backup folder under `target` and a copy of the key to `keys_to`; returns the folder, named as untested
    (see `drill`).

    Whatever file the dump names is there: files are linked before it and after it, so that neither one added nor one
    deleted meanwhile is missed. What is written is beside its place until it is whole; what an earlier run left
    half-written goes. Under `alone_in`.
    """
    if keys_to.resolve().is_relative_to(target.resolve()):
        raise Refusal(
            "host.keys_beside_data",
            record=str(keys_to),
            found="a folder inside the backup",
            expected="another place",
            rule="whoever finds a backup must not find its key",
            todo="give --keys-to on another medium",
        )
    with room_told(str(target)):
        for left in target.glob(".karez-*.part"):  # of a run that was killed: nobody else writes here now
            shutil.rmtree(left, ignore_errors=True)
        key = keys.read(keys.keep_copy(keys_to))
        name = _free_name(target)
        made = target / f"{name}{_UNTESTED}"
        with side_folder(made) as side:
            with _linked() as links:
                programs.run(
                    "pg_dump",
                    "--format=custom",
                    "--compress=6",
                    f"--file={side / 'database.dump'}",
                    dbname=database.name(),
                )
                _link_all(links)
                for kept in _FOLDERS:
                    if (links / kept).exists():
                        _copy(links / kept, side / kept)
            digests = {str(p.relative_to(side)): file_digest(p) for p in sorted(side.rglob("*")) if p.is_file()}
            manifest = {
                "version": __version__,
                "made_at": name.removeprefix("karez-"),
                "key": key.fingerprint,
                "files": digests,
            }
            write_whole(side / _MANIFEST, json.dumps(manifest, indent=1).encode())
            side.rename(made)
    return made


def prune(target: Path, keep: int) -> list[Path]:
    """Removes this installation's oldest backups in a folder until `keep` tested ones are left; returns what went.
    Others' backups stay.

    Untested ones never count; those older than the oldest one kept go too. Under `alone_in`, from before the drill of
    the newest: no other run removes one that is being tested.
    """
    ours = keys.read(keys.PLACE).fingerprint
    whole = [path for path in sorted(target.glob("karez-*"), key=_age) if _key_of(path) == ours]
    tested = [path for path in whole if not path.name.endswith(_UNTESTED)]
    kept = tested[-keep:]
    gone = [path for path in whole if len(kept) == keep and _age(path) < _age(kept[0])]
    for path in gone:
        shutil.rmtree(path)
    return gone


def _age(path: Path) -> tuple[str, int]:
    """The moment a backup's name tells, then its number within the second."""
    _karez, stamp, *number = path.name.removesuffix(_UNTESTED).split("-")
    return stamp, int(number[0]) if number and number[0].isdigit() else 1


def _key_of(path: Path) -> str:
    try:
        return str(json.loads((path / _MANIFEST).read_text())["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


@contextmanager
def _linked() -> Iterator[Path]:
    """A folder of the installation's disk in which every kept file has a second name, until the block ends."""
    with tempfile.TemporaryDirectory(
        prefix=f"backup-{os.getpid()}-", dir=paths.private_folder(paths.SCRATCH)
    ) as folder:
        _link_all(Path(folder))
        yield Path(folder)


def _link_all(links: Path) -> None:
    """Gives a second name to every file that has none yet; one deleted in this moment is passed over."""
    for name, folder in _FOLDERS.items():
        for path in folder.rglob("*") if folder.exists() else ():
            second = links / name / path.relative_to(folder)
            if path.is_dir():
                second.mkdir(parents=True, exist_ok=True)
            elif not second.exists():
                second.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileNotFoundError):
                    os.link(path, second)


def _copy(folder: Path, target: Path) -> None:
    """A folder with all in it; one error where a part cannot be copied, not a list of them."""
    try:
        shutil.copytree(folder, target)
    except shutil.Error as error:
        first = error.args[0][0]
        raise OSError(getattr(first[2], "errno", None), str(first[2]), str(first[0])) from error


@contextmanager
def alone_in(target: Path) -> Iterator[None]:
    """One run at a time writes, tests and removes backups in a folder of them."""
    with room_told(str(target)):
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(target, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                "host.backup_running",
                record=str(target),
                found="another backup is being written or tested there",
                expected="one at a time",
                rule="a backup that is not whole is removed by the next one",
                todo="wait until it has ended",
            ) from None
        yield
    finally:
        os.close(handle)


def _free_name(target: Path) -> str:
    """A name from the moment; two backups of one second differ by a number."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (f"karez-{stamp}{f'-{number}' if number > 1 else ''}" for number in range(1, 1000))
    return next(name for name in names if not (target / name).exists() and not (target / f"{name}{_UNTESTED}").exists())


def restore(source: Path, key_folder: Path) -> None:
    """Restores a backup into an empty installation; refuses where anything is there, or where key or digests differ.

    The key is judged first: a restore with another one would leave an installation that opens nothing.
    """
    paths.require_place()
    manifest = _verified(source)
    key = keys.find_copy(key_folder, manifest["key"])
    _require_empty()
    if keys.PLACE.exists() and keys.read(keys.PLACE) != key:
        raise Refusal(
            "host.not_empty",
            record=str(keys.PLACE),
            found="the key of another installation",
            expected="no key, or the same one",
            rule="a lost key loses the identities sealed with it",
            todo="set KAREZ_VAR to a new folder",
        )
    with _taken_back_unless_whole():
        database.prepare()
        programs.run(
            "pg_restore",
            "--exit-on-error",
            "--single-transaction",
            str(source / "database.dump"),
            dbname=database.name(),
        )
        keys.write(keys.PLACE, key.secret)
        with room_told(str(paths.VAR)):
            for name, folder in _FOLDERS.items():
                if (source / name).exists():
                    shutil.copytree(source / name, folder)


@contextmanager
def _taken_back_unless_whole() -> Iterator[None]:
    """Where a restore fails, what it made goes again, so that the next one finds the empty place this one found."""
    there = {path for path in (*_FOLDERS.values(), keys.PLACE) if path.exists()}
    try:
        yield
    except BaseException:
        for path in {*_FOLDERS.values(), keys.PLACE} - there:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        if not database.url():
            postgres.remove(database.cluster())
        else:
            with database.administrator() as admin:
                database.drop_database(admin, database.name())
        raise


def _require_empty() -> None:
    found = ""
    if not database.url() and database.cluster().made:
        found = "an installation"
    elif database.url() and (tables := _tables()):
        found = f"{tables} tables in the database {database.name()}"
    if not found:
        return
    raise Refusal(
        "host.not_empty",
        record=str(paths.VAR),
        found=found,
        expected="an empty data folder and database",
        rule="a restore writes over nothing",
        todo="set KAREZ_VAR to a new folder, and name another database in DATABASE_URL or KAREZ_DATABASE",
    )


def _tables() -> int:
    with database.administrator() as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database.name()]).fetchone():
            return 0
    with database.administrator(database.name()) as admin:
        row = admin.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        return int(row[0]) if row else 0


def _clear_drills() -> None:
    """Removes what drills that were killed left behind: a copy of everything, with its key."""
    for left in leftovers.of_killed(Path(tempfile.gettempdir()), "karez-drill-*"):
        leftovers.remove(left)


def drill(made: Path, key_folder: Path) -> Path:
    """Restores a backup beside the installation and verifies it there; returns the backup under its name as a tested
    one.

    One that fails, or whose drill was cut off, keeps the name that says it is untested. With the embedded server in a
    cluster of its own; on a server of the office's in a scratch database of that server. Either is removed afterwards.
    """
    _clear_drills()
    with (
        database.scratch("drill") if database.url() else contextlib.nullcontext("") as scratch,
        tempfile.TemporaryDirectory(prefix=f"karez-drill-{os.getpid()}-") as folder,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(os.close, leftovers.hold(Path(folder)))
        Path(folder).chmod(0o711)  # the server's user passes through
        environment = {k: v for k, v in os.environ.items() if k != "KAREZ_DATABASE"}
        environment |= {"KAREZ_VAR": folder, "KAREZ_DURABLE": "0"}
        if database.url():
            environment |= {"KAREZ_DATABASE": scratch, "KAREZ_DATABASE_PASSWORDS": str(database.password_file())}
        words = [
            sys.executable,
            "-P",
            "-m",
            "karez",
            "restore",
            str(made.resolve()),
            "--keys",
            str(key_folder.resolve()),
        ]
        done = subprocess.run(words, env=environment, text=True, errors="replace", capture_output=True, check=False)
        if done.returncode != 0:
            raise Refusal(
                "host.drill_failed",
                record=str(made),
                found=programs.errors_first(done.stderr, 2000),
                expected="a restore that verifies",
                rule="a backup counts once it was restored",
                todo="mend what is named, then back up again; this one stays, named as untested",
            )
    tested = made.with_name(made.name.removesuffix(_UNTESTED))
    made.rename(tested)
    told = {"target": str(tested.parent.resolve()), "tested_at": datetime.now(UTC).isoformat()}
    write_whole(_TESTED, json.dumps(told).encode())
    return tested


def verify_restored() -> list[str]:
    """What was verified in this installation: snapshots' digests, trial balances; refuses where something does not
    agree.
    """
    from karez.host.verifying import verify_all

    rows = verify_all(restored=True)
    bad = [row for row in rows if not row["good"]]
    if bad:
        raise Refusal(
            "host.restore_differs",
            record=str(bad[0]["what"]),
            found=str(bad[0]["told"]),
            expected="what was backed up",
            rule="a restore is verified before it is used",
            todo="use an older backup, and keep this one for study",
        )
    return [f"{row['what']}: {row['told']}" for row in rows]


def require_tested_target() -> None:
    """Refuses to serve real data before a backup was made and restored once. Synthetic regions are free."""
    from karez.periods.services import region

    if region().synthetic or _TESTED.exists():
        return
    raise Refusal(
        "host.no_backup",
        record="backup",
        found="no tested backup target",
        expected="one backup restored in a drill",
        rule="what an office records must survive its machine",
        todo="run `karez backup --to FOLDER --keys-to OTHER`",
    )


def _must_be(path: Path, what: str) -> None:
    if not path.is_file():
        raise Refusal(
            "host.no_backup_here",
            record=str(path),
            found="no such file",
            expected=what,
            rule="a backup is one folder, its key is kept in another",
            todo="name the folders that `karez backup` printed and was given",
        )


def _verified(source: Path) -> dict[str, Any]:
    _must_be(source / _MANIFEST, "one backup folder (karez-...)")
    try:
        manifest: dict[str, Any] = json.loads((source / _MANIFEST).read_text())
        files, _key = dict(manifest["files"]), str(manifest["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(
            "host.backup_damaged",
            record=_MANIFEST,
            found=f"it cannot be read ({error})",
            expected="what `karez backup` wrote",
            rule="a backup is restored as it was made",
            todo="use another backup",
        ) from error
    for name, digest in files.items():
        path = source / name
        if not path.exists() or file_digest(path) != digest:
            raise Refusal(
                "host.backup_damaged",
                record=name,
                found="missing" if not path.exists() else "another digest",
                expected=digest,
                rule="a backup is restored as it was made",
                todo="use another backup",
            )
    return manifest
