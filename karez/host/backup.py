"""Backup, restore, and the drill that proves a backup: database, files and snapshots in one folder, the sealing key in another.

Holds no schedule: an office's own timer calls `karez backup`. A backup without the key opens no identity, so the two are
kept apart; losing the key loses the identities for good.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from karez import __version__
from karez.host import database, paths, postgres
from karez.kernel.refusal import Refusal
from karez.kernel.sealing import file_digest

_FOLDERS = {"files": paths.FILES, "snapshots": paths.SNAPSHOTS}
_TESTED = paths.VAR / "backup-target.json"


def back_up(target: Path, keys_to: Path) -> Path:
    """Writes one backup folder under `target` and the key to `keys_to`; returns the folder.

    The database comes first: files are only ever added, so whatever the dump names is there when the files are copied.
    """
    if keys_to.resolve().is_relative_to(target.resolve()):
        raise Refusal(
            "host.keys_beside_data", record=str(keys_to), found="a folder inside the backup", expected="another place",
            rule="whoever finds a backup must not find its key", todo="give --keys-to on another medium",
        )  # fmt: skip
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    side, made = target / f".{stamp}.part", target / f"karez-{stamp}"
    side.mkdir(parents=True, mode=0o700)  # it holds all there is
    _program("pg_dump", "--format=custom", "--compress=6", f"--file={side / 'database.dump'}", _open_target())
    for name, folder in _FOLDERS.items():
        if folder.exists():
            shutil.copytree(folder, side / name)
    digests = {str(p.relative_to(side)): file_digest(p) for p in sorted(side.rglob("*")) if p.is_file()}
    manifest = {"version": __version__, "made_at": stamp, "files": digests}
    (side / "manifest.json").write_text(json.dumps(manifest, indent=1))
    keys_to.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copy2(paths.KEYS / "sealing.key", keys_to / "sealing.key")
    side.rename(made)
    return made


def restore(source: Path, keys: Path) -> None:
    """Restores a backup into an empty installation; refuses where anything is there or a digest differs."""
    manifest = _verified(source)
    if not database.url() and database.cluster().made:
        raise Refusal(
            "host.not_empty", record=str(paths.VAR), found="an installation", expected="an empty data folder",
            rule="a restore writes over nothing", todo="set KAREZ_VAR to a new folder",
        )  # fmt: skip
    _must_be(keys / "sealing.key", "the folder the key was kept in")
    key, ours = (keys / "sealing.key").read_bytes(), paths.KEYS / "sealing.key"
    if ours.exists() and ours.read_bytes() != key:
        raise Refusal(
            "host.not_empty", record=str(ours), found="the key of another installation", expected="no key, or the same one",
            rule="a lost key loses the identities sealed with it", todo="set KAREZ_VAR to a new folder",
        )  # fmt: skip
    database.prepare()
    with psycopg.connect(_administrator_target()) as admin:
        row = admin.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    if row and row[0]:
        raise Refusal(
            "host.not_empty", record="database", found=f"{row[0]} tables", expected="none",
            rule="a restore writes over nothing", todo="name an empty database in DATABASE_URL",
        )  # fmt: skip
    _keep_key(key, ours)
    for name, folder in _FOLDERS.items():
        if (source / name).exists():
            shutil.copytree(source / name, folder, dirs_exist_ok=True)
    _program("pg_restore", "--exit-on-error", f"--dbname={_open_target()}", str(source / "database.dump"))
    assert manifest["version"]


def drill(made: Path, keys: Path) -> None:
    """Restores a backup into an empty cluster of its own and verifies it there; records the target as tested."""
    with tempfile.TemporaryDirectory(prefix="karez-drill-") as folder:
        Path(folder).chmod(0o711)  # the server's user passes through
        environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "KAREZ_DATABASE")}
        environment |= {"KAREZ_VAR": folder, "KAREZ_DURABLE": "0"}
        words = [sys.executable, "-m", "karez", "restore", str(made.resolve()), "--keys", str(keys.resolve())]
        done = subprocess.run(words, env=environment, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise Refusal(
                "host.drill_failed", record=str(made), found=done.stderr.strip()[-2000:], expected="a restore that verifies",
                rule="a backup counts once it was restored", todo="mend what is named, then back up again",
            )  # fmt: skip
    _TESTED.write_text(json.dumps({"target": str(made.parent.resolve()), "tested_at": datetime.now(UTC).isoformat()}))


def verify_restored() -> list[str]:
    """What was verified in this installation: snapshots' digests, trial balances; refuses where something does not agree."""
    from karez.cli.closing import verify_all

    rows = verify_all()
    bad = [row for row in rows if not row["good"]]
    if bad:
        raise Refusal(
            "host.restore_differs", record=str(bad[0]["what"]), found=str(bad[0]["told"]), expected="what was backed up",
            rule="a restore is verified before it is used", todo="use an older backup, and keep this one for study",
        )  # fmt: skip
    return [f"{row['what']}: {row['told']}" for row in rows]


def require_tested_target() -> None:
    """Refuses to serve real data before a backup was made and restored once. Synthetic regions are free."""
    from karez.periods.services import region

    if region().synthetic or _TESTED.exists():
        return
    raise Refusal(
        "host.no_backup", record="backup", found="no tested backup target", expected="one backup restored in a drill",
        rule="what an office records must survive its machine", todo="run `karez backup --to FOLDER --keys-to OTHER`",
    )  # fmt: skip


def _must_be(path: Path, what: str) -> None:
    if not path.is_file():
        raise Refusal(
            "host.no_backup_here", record=str(path), found="no such file", expected=what,
            rule="a backup is one folder, its key is kept in another", todo="name the folders that `karez backup` printed and was given",
        )  # fmt: skip


def _verified(source: Path) -> dict[str, Any]:
    _must_be(source / "manifest.json", "one backup folder (karez-...)")
    manifest: dict[str, Any] = json.loads((source / "manifest.json").read_text())
    for name, digest in manifest["files"].items():
        path = source / name
        if not path.exists() or file_digest(path) != digest:
            raise Refusal(
                "host.backup_damaged", record=name, found="missing" if not path.exists() else "another digest",
                expected=digest, rule="a backup is restored as it was made", todo="use another backup",
            )  # fmt: skip
    return manifest


def _administrator_target() -> str:
    if database.url():
        return psycopg.conninfo.make_conninfo(database.url(), dbname=database.name())
    return psycopg.conninfo.make_conninfo(host=str(paths.CLUSTER), user="postgres", dbname=database.name())


def _open_target() -> str:
    """The same for a program's arguments, which everybody on the machine may read: without the password."""
    told = conninfo_to_dict(_administrator_target())
    return psycopg.conninfo.make_conninfo(**{k: str(v) for k, v in told.items() if k != "password" and v is not None})


def _keep_key(key: bytes, place: Path) -> None:
    paths.private_folder(place.parent)
    place.touch(mode=0o600)
    place.write_bytes(key)


def _program(name: str, *words: str) -> None:
    password = conninfo_to_dict(_administrator_target()).get("password")
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    words = (str(postgres.bin_folder() / name), *words)
    done = subprocess.run(words, text=True, capture_output=True, check=False, env=environment)
    if done.returncode != 0:
        raise Refusal(
            "host.program_failed", record=name, found=done.stderr.strip()[-1500:], expected="no error",
            rule="a half backup is none", todo="mend what is named and run it again",
        )  # fmt: skip
