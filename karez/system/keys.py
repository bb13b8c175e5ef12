"""The file of the sealing key: made once for a new installation, known by its fingerprint ever after. Holds no
encryption.

The fingerprint stands in the database and in each backup's manifest. It tells two keys apart and opens nothing. A key
that is lost or another's is never replaced: what was sealed with it could not be opened any more.
"""

import os
import secrets
from pathlib import Path

from karez.kernel.files import room_told
from karez.kernel.refusal import Refusal
from karez.kernel.sealing import KEY_BYTES, SealingKey
from karez.system import paths

PLACE = paths.KEYS / "sealing.key"


class NoKey(SealingKey):
    """Stands in the settings of a program that runs beside no installation; whoever would seal or open with it is
    refused.
    """

    def _derived(self, purpose: bytes) -> bytes:
        raise _missing(PLACE, "the key of this installation")


def for_settings() -> SealingKey:
    """The installation's key, or NoKey where none is kept. Makes nothing. Refuses a file that cannot be a key."""
    return read(PLACE) if PLACE.exists() else NoKey(b"")


def django_secret(key: SealingKey) -> str:
    """What Django signs cookies and forms with: derived from the key, or good for this process alone where there is
    none.
    """
    return secrets.token_hex() if isinstance(key, NoKey) else key._derived(b"django").hex()


def read(place: Path) -> SealingKey:
    """The key in a file; refuses a missing one, and a file that cannot be a key."""
    try:
        secret = place.read_bytes()
    except FileNotFoundError:
        raise _missing(place, "the file of a sealing key") from None
    if len(secret) != KEY_BYTES:
        raise Refusal(
            "host.key_malformed",
            record=str(place),
            found=f"a file of {len(secret):,} bytes",
            expected=f"{KEY_BYTES} bytes",
            rule="a sealing key has a fixed length",
            todo="put the key's file back from the place its copy is kept in",
        )
    return SealingKey(secret)


def make_if_missing() -> SealingKey:
    """The key of a new installation, made where none is kept (readable by its owner alone); the first of two starters
    wins.
    """
    if not PLACE.exists():
        write(PLACE, os.urandom(KEY_BYTES))
    return read(PLACE)


def check(fingerprint: str) -> None:
    """Refuses unless the key kept here is the one the database was sealed with."""
    if not PLACE.exists():
        raise _missing(PLACE, f"the key with the fingerprint {fingerprint}")
    require(read(PLACE), fingerprint, PLACE)


def require(key: SealingKey, fingerprint: str, place: Path) -> None:
    """Refuses a key that is not the one of that fingerprint."""
    if key.fingerprint != fingerprint:
        raise Refusal(
            "host.key_differs",
            record=str(place),
            found=f"a key with the fingerprint {key.fingerprint}",
            expected=f"the one with the fingerprint {fingerprint}",
            rule="identities and files open with the key they were sealed with",
            todo=(
                "put the right key's file in its place; the copy that `karez backup` kept bears its fingerprint "
                "in its name"
            ),
        )


def copy_name(fingerprint: str) -> str:
    """What the copy of a key is called where keys are kept: two installations may keep theirs in one folder."""
    return f"sealing-{fingerprint}.key"


def keep_copy(folder: Path) -> Path:
    """Keeps a copy of this installation's key in a folder, and returns its place; never writes over another key."""
    key = read(PLACE)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = folder / copy_name(key.fingerprint)
    if place.exists():
        require(read(place), key.fingerprint, place)
        return place
    write(place, key.secret)
    return place


def find_copy(folder: Path, fingerprint: str) -> SealingKey:
    """The key of that fingerprint in a folder of keys; refuses where it is not there, naming the keys that are."""
    place = folder / copy_name(fingerprint)
    if not place.exists():
        others = sorted(one.name for one in folder.glob("*.key"))
        raise Refusal(
            "host.no_backup_here",
            record=str(place),
            found=f"no such file; there are {', '.join(others)}" if others else "no such file",
            expected=f"the key with the fingerprint {fingerprint}",
            rule="a backup is one folder, its key is kept in another",
            todo="name the folder that was given to `karez backup` as --keys-to",
        )
    key = read(place)
    require(key, fingerprint, place)
    return key


def write(place: Path, secret: bytes) -> None:
    """Writes a key to a place where none is, whole or not at all; a place taken meanwhile stays as it is."""
    paths.private_folder(place.parent)
    draft = place.with_suffix(f".{os.getpid()}")
    with room_told(str(place)):
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, place)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)


def _missing(place: Path, expected: str) -> Refusal:
    return Refusal(
        "host.key_missing",
        record=str(place),
        found="no such file",
        expected=expected,
        rule="an installation without its key opens no identity and no file, so it does not run",
        todo="put the key's file back from the place its copy is kept in (--keys-to of `karez backup`)",
    )
