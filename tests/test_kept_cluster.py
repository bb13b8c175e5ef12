"""The kept cluster: made once for all who start at once, copied whole, pruned when nobody uses it. Starts no server."""

import fcntl
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import kept_cluster


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "karez-tests"


def _stopped_cluster(folder: Path) -> Path:
    (folder / "base").mkdir(parents=True)
    (folder / "PG_VERSION").write_text("17")
    (folder / "base" / "1").write_bytes(b"rows" * 1000)
    return folder


def test_those_who_start_at_once_make_one_cluster_and_each_gets_a_copy(place: Path, tmp_path: Path) -> None:
    made: list[int] = []

    def start(nth: int) -> bytes:
        def make() -> Path:
            made.append(nth)
            time.sleep(0.1)  # the others come meanwhile
            return _stopped_cluster(tmp_path / f"made-{nth}")

        kept_cluster.copy_to(tmp_path / f"run-{nth}", make)
        return (tmp_path / f"run-{nth}" / "base" / "1").read_bytes()

    with ThreadPoolExecutor(6) as pool:
        copies = list(pool.map(start, range(6)))
    assert copies == [b"rows" * 1000] * 6
    assert len(made) == 1
    assert {p.name for p in place.iterdir()} == {"lock", kept_cluster.digest()}
    assert not (tmp_path / f"made-{made[0]}").exists()


def test_old_clusters_and_those_of_killed_makers_are_pruned_but_none_that_is_being_copied(
    place: Path, tmp_path: Path
) -> None:
    unused, in_use, recent, cut_off = (place / name for name in ("unused", "in_use", "recent", "recent.cut"))
    for folder in (unused, in_use, recent, cut_off):
        _stopped_cluster(folder)
    for folder in (unused, in_use):
        os.utime(folder, (0, time.time() - 30 * 86400))
    reader = os.open(in_use, os.O_RDONLY)
    fcntl.flock(reader, fcntl.LOCK_SH)
    try:
        kept_cluster.copy_to(tmp_path / "run", lambda: _stopped_cluster(tmp_path / "made"))
    finally:
        os.close(reader)
    assert {p.name for p in place.iterdir()} == {"lock", "in_use", "recent", kept_cluster.digest()}


def test_without_a_folder_to_write_in_the_run_makes_its_own(place: Path, tmp_path: Path) -> None:
    place.parent.write_text("no folder")
    kept_cluster.copy_to(tmp_path / "run", lambda: _stopped_cluster(tmp_path / "run"))
    assert (tmp_path / "run" / "PG_VERSION").exists()


def test_one_pruned_before_it_was_copied_is_made_again(place: Path, tmp_path: Path) -> None:
    kept_cluster.copy_to(tmp_path / "first", lambda: _stopped_cluster(tmp_path / "made"))
    shutil.rmtree(place / kept_cluster.digest())
    kept_cluster.copy_to(tmp_path / "second", lambda: _stopped_cluster(tmp_path / "made"))
    assert (tmp_path / "second" / "base" / "1").stat().st_size == 4000
