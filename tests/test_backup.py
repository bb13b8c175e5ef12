"""Backup, drill and restore of a founded installation; keys by their fingerprint. On the embedded server, and on
DATABASE_URL's where given.

Runs the console as an office does. Real data in volume are backed up by the main job's test and by the demonstration.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from karez.host import programs
from tests.installations import SERVER, environment_of, founded_in, karez, new_folder, remove

pytestmark = pytest.mark.installation

SMALL_FILE = 64 * 1024  # bytes a process may write to one file: a disk that is full after so many


@pytest.fixture(scope="module")
def founded(django_db_setup: None) -> Iterator[Path]:
    with founded_in("kz-o'er-") as made:  # an apostrophe in the path is nothing special
        yield made


@pytest.fixture
def empty() -> Iterator[Path]:
    made = new_folder()
    yield made
    remove(made)


@pytest.fixture(scope="module")
def backup(founded: Path) -> Iterator[tuple[Path, Path]]:
    """One drilled backup and the folder of its key."""
    folder = new_folder()
    done = karez(founded, "backup", "--to", str(folder / "b"), "--keys-to", str(folder / "k"))
    assert done.returncode == 0, done.stderr
    (made,) = (folder / "b").iterdir()
    yield made, folder / "k"
    shutil.rmtree(folder)


def told(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """One refusal with these words, and no traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_backup_is_private_names_its_key_and_restores(founded: Path, backup: tuple[Path, Path], empty: Path) -> None:
    made, keys = backup
    manifest = json.loads((made / "manifest.json").read_text())
    fingerprint = manifest["key"]
    assert made.name == f"karez-{manifest['made_at']}"
    (copy,) = keys.iterdir()
    assert copy.name == f"sealing-{fingerprint}.key"
    assert (made.stat().st_mode & 0o077, copy.stat().st_mode & 0o077) == (0, 0)
    done = karez(empty, "restore", str(made), "--keys", str(keys))
    assert done.returncode == 0, done.stderr
    assert (empty / "keys" / "sealing.key").read_bytes() == (founded / "keys" / "sealing.key").read_bytes()
    told(karez(empty, "restore", str(made), "--keys", str(keys)), 1, "writes over nothing")
    assert json.loads((founded / "backup-target.json").read_text())["target"] == str(made.parent)
    if SERVER:
        with psycopg.connect(SERVER) as admin:
            left = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'karez_drill_%%'").fetchall()
        assert left == [], "the drill removes its scratch database"


def test_a_damaged_backup_is_not_restored(backup: tuple[Path, Path], empty: Path, tmp_path: Path) -> None:
    made, keys = backup
    copy = tmp_path / made.name
    shutil.copytree(made, copy)
    dump = copy / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-1] + b"x")
    told(karez(empty, "restore", str(copy), "--keys", str(keys)), 1, "database.dump", "another digest")
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text()[:-20])
    told(karez(empty, "restore", str(copy), "--keys", str(keys)), 1, "manifest.json", "cannot be read")
    assert list(empty.iterdir()) == [], "nothing was begun"


def test_a_restore_with_another_key_leaves_nothing_behind(
    backup: tuple[Path, Path], empty: Path, tmp_path: Path
) -> None:
    made, keys = backup
    (right,) = keys.iterdir()
    (tmp_path / "sealing-0123456789abcdef.key").write_bytes(b"k" * 32)
    told(karez(empty, "restore", str(made), "--keys", str(tmp_path)), 2, right.name, "sealing-0123456789abcdef.key")
    (tmp_path / right.name).write_bytes(b"k" * 32)
    told(karez(empty, "restore", str(made), "--keys", str(tmp_path)), 1, "fingerprint")
    (tmp_path / right.name).write_bytes(b"12345")
    told(karez(empty, "restore", str(made), "--keys", str(tmp_path)), 1, "a file of 5 bytes")
    assert list(empty.iterdir()) == []
    (empty / "keys").mkdir()
    (empty / "keys" / "sealing.key").write_bytes(b"k" * 32)  # an installation whose database is elsewhere
    told(karez(empty, "restore", str(made), "--keys", str(keys)), 1, "sealing.key")
    assert (empty / "keys" / "sealing.key").read_bytes() == b"k" * 32


def test_keys_of_two_installations_lie_side_by_side(founded: Path, backup: tuple[Path, Path], tmp_path: Path) -> None:
    _made, keys = backup
    (ours,) = keys.iterdir()
    secret = ours.read_bytes()
    other = keys / "sealing-0123456789abcdef.key"
    other.write_bytes(b"k" * 32)
    ours.write_bytes(b"z" * 32)  # somebody put another key in its place
    done = karez(founded, "backup", "--to", str(tmp_path / "b"), "--keys-to", str(keys))
    told(done, 1, ours.name, "fingerprint")
    assert (ours.read_bytes(), other.read_bytes()) == (b"z" * 32, b"k" * 32), "no key is written over"
    assert not list((tmp_path / "b").iterdir())
    ours.write_bytes(secret)
    other.unlink()
    told(karez(founded, "backup", "--to", str(tmp_path), "--keys-to", str(tmp_path / "keys")), 1, "another place")


def test_without_its_key_an_installation_does_not_run(founded: Path) -> None:
    place = founded / "keys" / "sealing.key"
    secret = place.read_bytes()
    try:
        place.unlink()
        for words in (("serve",), ("verify",), ("upgrade",)):
            told(karez(founded, *words), 1, "sealing.key", "no such file")
        assert not place.exists(), "no key is made anew"
        place.write_bytes(b"k" * 32)
        told(karez(founded, "verify"), 1, "fingerprint")
        place.write_bytes(b"12345")
        told(karez(founded, "verify"), 1, "a file of 5 bytes")
    finally:
        place.write_bytes(secret)
    assert karez(founded, "verify").returncode == 0


def _full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILE, SMALL_FILE))


@pytest.mark.skipif(not SERVER, reason="the embedded server itself would be under the limit; run on a server beside")
def test_a_backup_for_which_there_is_no_room_leaves_nothing(founded: Path, tmp_path: Path) -> None:
    done = karez(founded, "backup", "--to", str(tmp_path / "b"), "--keys-to", str(tmp_path / "k"), limit=_full_disk)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "b").iterdir()) == []


def test_a_backup_whose_drill_fails_is_named_as_untested(founded: Path, tmp_path: Path) -> None:
    """A program that cannot restore stands for whatever a drill may fail of. Meanwhile no other run has the folder."""
    broken, free = tmp_path / "broken", tmp_path / "free"
    broken.write_text(f"#!/bin/sh\nflock --nonblock '{tmp_path / 'b'}' touch '{free}' || touch '{free}.not'\nexit 1\n")
    broken.chmod(0o755)
    program = f"import sys; sys.executable = {str(broken)!r}; from karez.cli import main; main()"
    words = ["backup", "--to", str(tmp_path / "b"), "--keys-to", str(tmp_path / "k"), "--keep", "1"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=environment_of(founded),
        text=True,
        capture_output=True,
        check=False,
    )
    told(done, 1, "named as untested")
    assert not free.exists() and free.with_name("free.not").exists()
    (failed,) = (tmp_path / "b").iterdir()
    assert failed.name.endswith("-untested")
    done = karez(founded, *words)  # the next one is good: it stays, and the older untested one is no second backup
    assert done.returncode == 0, done.stderr
    (kept,) = (tmp_path / "b").iterdir()
    assert "untested" not in kept.name and f"Backup {kept} counts as tested" in done.stderr


def test_the_oldest_backups_of_this_installation_go(founded: Path, backup: tuple[Path, Path], tmp_path: Path) -> None:
    """Also two of one second; another installation's backup in the same folder stays, and so does what is no backup.

    Untested ones are not counted: one newer than what is kept stays, an older one goes.
    """
    ours = json.loads((backup[0] / "manifest.json").read_text())
    names = (
        "karez-20100101T000000Z",
        "karez-20100101T000000Z-2",
        "karez-20100101T000000Z-10",
        "karez-20090101T000000Z",
        "karez-20080101T000000Z",
    )
    untested = (
        "karez-20110101T000000Z-untested",
        "karez-20100101T000000Z-11-untested",
        "karez-20090201T000000Z-untested",
    )
    for name in (*names, *untested):
        (tmp_path / name).mkdir()
        key = "0123456789abcdef" if name == names[-1] else ours["key"]
        (tmp_path / name / "manifest.json").write_text(json.dumps(ours | {"key": key}))
    (tmp_path / "karez-notes").mkdir()
    program = (
        "from pathlib import Path; from karez.host import backup; print(*[p.name for p in "
        f"backup.prune(Path({str(tmp_path)!r}), 2)])"
    )
    environment = os.environ | {"KAREZ_VAR": str(founded)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, text=True, capture_output=True, check=True)
    assert done.stdout.split() == [names[3], untested[2], names[0]]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [names[1], names[2], names[4], *untested[:2], "karez-notes"]
    )


def test_errors_come_before_hints() -> None:
    said = (
        "pg_restore: creating TABLE x\npg_restore: warning: more\npg_restore: error: could not do it\nHINT: no\n"
        + "noise\n" * 500
    )
    assert programs.errors_first(said).splitlines()[0] == "pg_restore: error: could not do it"
    assert len(programs.errors_first(said)) <= 1500
