"""Writing files whole or not at all, and a full disk told in words. Holds no names of places."""

import errno
import glob
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from karez.kernel.messages import say
from karez.kernel.refusal import Refusal

# No space, no quota left, a file larger than this process may write.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def room_told(record: str) -> Iterator[None]:
    """Turns a disk that is full into a Refusal naming what was being written; the block itself removes what it began."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise no_room(record, error.strerror or str(error)) from error


def no_room(record: str, found: str) -> Refusal:
    """The refusal of a write for which there is no room."""
    return Refusal(
        "host.no_room",
        record=record,
        found=found,
        expected=say("room for all of it"),
        rule=say("what is written is whole or is not there"),
        todo=say("make room on that disk, or name a folder on another one, and do it again"),
    )


@contextmanager
def side_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` to write in, readable by its owner alone; removed with all in it unless it was renamed
    away.

    What a killed process left beside the same target goes first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{glob.escape(target.name)}-*.part"):
        pid = left.name.removeprefix(f".{target.name}-").split("-")[0]
        if not (pid.isdigit() and Path(f"/proc/{pid}").exists()):
            shutil.rmtree(left, ignore_errors=True)
    side = Path(tempfile.mkdtemp(prefix=f".{target.name}-{os.getpid()}-", suffix=".part", dir=target.parent))
    try:
        yield side
    finally:
        shutil.rmtree(side, ignore_errors=True)


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file beside its place and renames it there: a reader finds the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}.part")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
