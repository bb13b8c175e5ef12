"""Snapshots on disk: a folder of Parquet files and a manifest, its digest, verifying it, keeping the newest few. Knows
no database.

A folder is written under another name and renamed when it is whole; it never changes afterwards. Its digest is that of
the manifest's bytes, and the manifest holds the digest of every file.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from karez.kernel.messages import Listing, say
from karez.system import paths

SEALED, PROVISIONAL = "sealed", "provisional"
KEPT = 3  # provisional snapshots
_MANIFEST = "manifest.json"
_SIDE = ".side-"


class Damaged(Exception):
    """A snapshot that is not what its manifest says."""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot's folder."""

    path: Path

    @cached_property
    def _bytes(self) -> bytes:
        return (self.path / _MANIFEST).read_bytes()

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the snapshot says of itself."""
        read: dict[str, Any] = json.loads(self._bytes)
        return read

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest."""
        return hashlib.sha256(self._bytes).hexdigest()

    @property
    def name(self) -> str:
        """The folder's name: region, year and the first twelve digits of the digest."""
        return f"{self.region}-{self.year}-{self.digest[:12]}"

    @property
    def region(self) -> str:
        """Code of the region."""
        return str(self.manifest["region"])

    @property
    def year(self) -> int:
        """The year it is of."""
        return int(self.manifest["year"])

    @property
    def as_of(self) -> date:
        """The day whose state it holds."""
        return date.fromisoformat(self.manifest["as_of"])

    @property
    def kind(self) -> str:
        """sealed or provisional."""
        return str(self.manifest["kind"])

    @property
    def taken_at(self) -> str:
        """The instant it was taken, in ISO 8601."""
        return str(self.manifest["taken_at"])

    @property
    def content(self) -> str:
        """Digest of the tables alone: equal where two snapshots hold the same rows."""
        return str(self.manifest["content"])

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """Name -> what the manifest says of the table."""
        found: dict[str, dict[str, Any]] = self.manifest["tables"]
        return found

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(int(t["rows"]) for t in self.tables.values())

    def file(self, table: str) -> Path:
        """The Parquet file of a table."""
        return self.path / str(self.tables[table]["file"])


def root() -> Path:
    """Where snapshots are kept."""
    return paths.private_folder(paths.SNAPSHOTS)


def side_folder() -> Path:
    """A new folder to write a snapshot in; its name tells which process writes."""
    path = root() / f"{_SIDE}{os.getpid()}-{os.urandom(4).hex()}"
    path.mkdir(mode=0o700)
    return path


def content_digest(tables: dict[str, dict[str, Any]]) -> str:
    """One digest over the digests of all tables."""
    lines = "".join(f"{name} {tables[name]['sha256']}\n" for name in sorted(tables))
    return hashlib.sha256(lines.encode()).hexdigest()


def write_manifest(side: Path, manifest: dict[str, Any]) -> Snapshot:
    """Writes the manifest into a side folder."""
    with (side / _MANIFEST).open("xb") as plain:
        plain.write(json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n")
        plain.flush()
        os.fsync(plain.fileno())
    _fsync_folder(side)
    return Snapshot(side)


def put_in_place(written: Snapshot) -> Snapshot:
    """Renames a whole side folder to its name; from here on the snapshot exists."""
    target = root() / written.name
    written.path.rename(target)
    _fsync_folder(root())
    return Snapshot(target)


def verify(snapshot: Snapshot) -> None:
    """Reads every file again: digests and row counts must be those of the manifest; raises Damaged with every fault."""
    faults: list[str] = []
    if not _is_readable(snapshot):
        raise Damaged(say("the manifest cannot be read"))
    if not snapshot.path.name.startswith(_SIDE) and snapshot.path.name != snapshot.name:
        faults.append(
            say("the folder {name} holds the manifest of {manifest}", name=snapshot.path.name, manifest=snapshot.name)
        )
    if content_digest(snapshot.tables) != snapshot.content:
        faults.append(say("the digest of the content is not that of the tables"))
    for table, told in snapshot.tables.items():
        if Path(told["file"]).name != told["file"]:
            faults.append(say("{table}: its file lies outside the folder", table=table))
            continue
        faults += [
            say("{table}: {fault}", table=table, fault=fault)
            for fault in _file_faults(snapshot.path / told["file"], told)
        ]
    known = {str(t["file"]) for t in snapshot.tables.values()} | {_MANIFEST}
    faults += [
        say("{name}: not in the manifest", name=p.name) for p in sorted(snapshot.path.iterdir()) if p.name not in known
    ]
    if faults:
        raise Damaged(Listing(faults, "; "))


def _file_faults(path: Path, told: dict[str, Any]) -> Iterator[str]:
    try:
        with path.open("rb") as plain:
            digest = hashlib.file_digest(plain, "sha256").hexdigest()
        if digest != told["sha256"]:
            yield say("digest {digest}, the manifest says {expected}", digest=digest, expected=told["sha256"])
            return
        if (rows := pq.read_metadata(path).num_rows) != told["rows"]:
            yield say("{rows} rows, the manifest says {expected}", rows=rows, expected=told["rows"])
    except OSError as error:
        yield say("cannot be read ({reason})", reason=error.strerror)


def existing(*, year: int | None = None, kind: str | None = None) -> list[Snapshot]:
    """Snapshots in place, newest first."""
    found = [s for p in root().iterdir() if not p.name.startswith(".") and (s := _at(p)) and _is_readable(s)]
    wanted = [s for s in found if (year is None or s.year == year) and (kind is None or s.kind == kind)]
    return sorted(wanted, key=lambda s: s.taken_at, reverse=True)


def _at(path: Path) -> Snapshot | None:
    """The snapshot in a folder; the same object as before while its manifest is the same file."""
    try:
        told = (path / _MANIFEST).stat()
    except OSError:
        return None
    return _read_once(path, told.st_ino, told.st_ctime_ns, told.st_size)


@lru_cache(maxsize=64)
def _read_once(path: Path, _inode: int, _changed: int, _size: int) -> Snapshot:
    return Snapshot(path)


def unreadable() -> list[str]:
    """Names of folders in place whose manifest cannot be read."""
    return sorted(
        p.name for p in root().iterdir() if p.is_dir() and not p.name.startswith(".") and not _is_readable(Snapshot(p))
    )


def _is_readable(snapshot: Snapshot) -> bool:
    """Whether a folder has a manifest at all; one damaged folder must not hide the others."""
    try:
        return bool(snapshot.name and snapshot.kind and snapshot.taken_at and isinstance(snapshot.tables, dict))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def named(digest: str) -> Snapshot | None:
    """The snapshot in place with that digest (or its first twelve digits or more); None if there is none."""
    return next((s for s in existing() if len(digest) >= 12 and s.digest.startswith(digest)), None)


def remove(snapshot: Snapshot) -> None:
    """Takes a snapshot away: out of sight first, then off the disk."""
    gone = snapshot.path.with_name(f"{_SIDE}{os.getpid()}-{os.urandom(4).hex()}")
    snapshot.path.rename(gone)
    shutil.rmtree(gone)


def prune() -> None:
    """Keeps the newest few provisional snapshots."""
    for old in existing(kind=PROVISIONAL)[KEPT:]:
        remove(old)


def sweep() -> None:
    """Removes side folders of processes that are no more."""
    for path in root().glob(f"{_SIDE}*"):
        pid = path.name.removeprefix(_SIDE).split("-")[0]
        if not (pid.isdigit() and Path(f"/proc/{pid}").exists()):
            shutil.rmtree(path, ignore_errors=True)


def _fsync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
