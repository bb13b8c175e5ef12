"""Files kept encrypted: uploaded files and documents, read back as streams. Holds no table; callers keep the reference.

A file is a head (mark, the 16 bytes of its reference) and chunks (nonce, AES-256-GCM ciphertext and tag). Each chunk is
bound to its reference, its place in the file and to being the last one or not: chunks can be neither moved, swapped nor
cut off, and no file can be put in the place of another.
"""

import hashlib
import io
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from karez.intake.limits import VAULT_CHUNK
from karez.system import paths

_MARK = b"KZV1"
_NONCE, _TAG, _ID = 12, 16, 16
_SCRATCH_PREFIX = "intake-"


@dataclass(frozen=True)
class Kept:
    """What was put away: the reference to fetch it by, and digest (SHA-256, hexadecimal) and size of the plain bytes."""

    ref: str
    digest: str
    size: int


def put(chunks: Iterable[bytes]) -> Kept:
    """Puts plain bytes away encrypted; on return they are on the disk. Memory stays flat."""
    ref = uuid.uuid4().hex
    target = _path(ref)
    paths.private_folder(paths.FILES)
    paths.private_folder(target.parent)
    draft = target.with_suffix(".part")
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file_id = bytes.fromhex(ref)
            file.write(_MARK + file_id)
            for index, chunk, is_last in _even(chunks):
                nonce = os.urandom(_NONCE)
                file.write(nonce + _aead().encrypt(nonce, chunk, _bound(file_id, index, is_last)))
                digest.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    return Kept(ref, digest.hexdigest(), size)


def put_file(path: Path) -> Kept:
    """Puts a plain file away encrypted."""
    with path.open("rb") as file:
        return put(iter(lambda: file.read(VAULT_CHUNK), b""))


def chunks(ref: str) -> Iterator[bytes]:
    """The plain bytes of a kept file, piece by piece; InvalidTag where it was changed or is another's,
    FileNotFoundError if gone.
    """
    with _path(ref).open("rb") as file:
        head = file.read(len(_MARK) + _ID)
        assert head[: len(_MARK)] == _MARK, "not a file of the vault"
        file_id, index = bytes.fromhex(ref), 0  # not what the file says of itself
        sealed = file.read(_NONCE + VAULT_CHUNK + _TAG)
        while sealed:
            following = file.read(_NONCE + VAULT_CHUNK + _TAG)
            yield _aead().decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(file_id, index, not following))
            sealed, index = following, index + 1


def digest(ref: str) -> str:
    """SHA-256 of the plain bytes of a kept file; raises as `chunks` does."""
    found = hashlib.sha256()
    for chunk in chunks(ref):
        found.update(chunk)
    return found.hexdigest()


def open_stream(ref: str) -> BinaryIO:
    """A kept file as a readable binary stream."""
    return io.BufferedReader(_Stream(chunks(ref)), VAULT_CHUNK)


def delete(ref: str) -> None:
    """Deletes a kept file; no error where it is gone already."""
    _path(ref).unlink(missing_ok=True)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of this process readable by its owner alone, removed with all in it on leaving."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH_PREFIX}{os.getpid()}-", dir=paths.private_folder(paths.SCRATCH)))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def decrypted(ref: str) -> Iterator[Path]:
    """A kept file in clear in a scratch folder of its own, removed on leaving."""
    with scratch_folder() as folder:
        path = folder / "plain"
        write(path, chunks(ref))
        yield path


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Writes bytes to a new file readable by its owner alone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in pieces:
            file.write(piece)


def clean_leftovers() -> int:
    """Removes scratch folders of processes that are no more, and files half put away; returns how many."""
    gone = 0
    for folder in paths.private_folder(paths.SCRATCH).glob(f"{_SCRATCH_PREFIX}*"):
        if not _is_alive(folder.name.split("-")[1]):
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _aead() -> AESGCM:
    return AESGCM(settings.SEALING_KEY._derived(b"vault"))


def _bound(file_id: bytes, index: int, is_last: bool) -> bytes:
    return file_id + index.to_bytes(8, "big") + bytes([is_last])


def _path(ref: str) -> Path:
    assert len(ref) == 32 and ref.isalnum(), "a reference of the vault"
    return paths.FILES / ref[:2] / ref


def _even(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """The same bytes in chunks of one size, numbered, the last one marked; one empty chunk where there are none."""
    waiting, index = bytearray(), 0
    for piece in pieces:
        waiting += piece
        while len(waiting) > VAULT_CHUNK:
            yield index, bytes(waiting[:VAULT_CHUNK]), False
            del waiting[:VAULT_CHUNK]
            index += 1
    yield index, bytes(waiting), True


class _Stream(io.RawIOBase):
    """An iterator of bytes as a raw stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
