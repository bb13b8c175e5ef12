"""Folders a process has to itself in a place shared with others: held by a lock while it lives, told by it from what a
killed one left.

A process's number says nothing: another container has the same ones. Holds no path and reads no setting.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

_LOCK = "held.lock"
_STOP_SECONDS = 20


def hold(folder: Path) -> int:
    """Marks a folder as in use until the handle returned is closed, at the latest when this process ends, however it
    ends.
    """
    handle = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def of_killed(place: Path, pattern: str) -> Iterator[Path]:
    """The folders in `place` whose holder is gone, each held while the caller removes it.

    Only real folders of this user that were once held: no link, nobody else's, and none that is just being made.
    """
    for path in sorted(place.glob(pattern)):
        if not is_ours(path):
            continue
        with contextlib.suppress(OSError):
            handle = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield path
            finally:
                os.close(handle)


def is_ours(path: Path) -> bool:
    """Whether it is a real folder, not a link to one, and belongs to the user of this process."""
    try:
        told = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(told.st_mode) and told.st_uid == os.geteuid()


def remove(folder: Path) -> None:
    """Removes such a folder with the cluster in it, whose server is stopped where it still runs."""
    _stop_server(folder / "pg")
    shutil.rmtree(folder, ignore_errors=True)


def _stop_server(cluster: Path) -> None:
    """At once: nobody reads its data again. Only a process that works in this very folder is the cluster's server,
    whatever its number.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().split()[0])
        for _ in range(_STOP_SECONDS * 20):
            if Path(f"/proc/{pid}/cwd").readlink() != cluster.resolve():
                return
            os.kill(pid, signal.SIGQUIT)
            time.sleep(0.05)
    except (OSError, ValueError, IndexError):
        return
