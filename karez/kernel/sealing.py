"""Sealing of identity values and files: AES-256-GCM, and keyed hashes to search by. Holds no keys and no storage.

A sealed value is `version (1 byte) | nonce (12) | ciphertext and tag`. Hashes are HMAC-SHA256 cut to 16 bytes:
equal inputs meet, nothing can be read back without the key. The name index is keyed per area, so that a name cannot be
followed from one area to another.
"""

import hashlib
import hmac
import json
import os
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from karez.kernel.spelling import folded_name

_VERSION = b"\x01"
_HASH_BYTES = 16
KEY_BYTES = 32


@dataclass(frozen=True)
class SealingKey:
    """The installation's secret. 32 bytes, kept outside the database and outside the repository."""

    secret: bytes

    def __repr__(self) -> str:
        return "SealingKey(...)"

    def _derived(self, purpose: bytes) -> bytes:
        return hmac.digest(self.secret, b"karez/" + purpose, "sha256")

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen digits that tell this key from another and open nothing."""
        return self._derived(b"fingerprint").hex()[:16]

    @cached_property
    def _aead(self) -> AESGCM:
        return AESGCM(self._derived(b"seal"))

    @cached_property
    def _number_key(self) -> bytes:
        return self._derived(b"number")

    def seal(self, plain: bytes, bound_to: bytes = b"") -> bytes:
        """`plain` sealed; different bytes each time. It opens only together with what it is bound to."""
        nonce = os.urandom(12)
        return _VERSION + nonce + self._aead.encrypt(nonce, plain, _VERSION + bound_to)

    def open(self, sealed: bytes, bound_to: bytes = b"") -> bytes:
        """What was sealed; raises cryptography's InvalidTag where key, bytes or what it is bound to are not right."""
        return self._aead.decrypt(sealed[1:13], sealed[13:], sealed[:1] + bound_to)

    def seal_record(self, values: dict[str, str], bound_to: uuid.UUID) -> bytes:
        """Several short texts sealed as one value: one person's identity, bound to the person's random key."""
        return self.seal(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(), bound_to.bytes)

    def open_record(self, sealed: bytes, bound_to: uuid.UUID) -> dict[str, str]:
        """The texts of `seal_record`; InvalidTag where it is another person's."""
        record: dict[str, str] = json.loads(self.open(sealed, bound_to.bytes))
        return record

    def digest(self, purpose: bytes, plain: bytes) -> bytes:
        """32 bytes that the same bytes share for one purpose: a guess of them cannot be confirmed without the key."""
        return hmac.digest(self._derived(b"digest/" + purpose), plain, "sha256")

    def number_hash(self, number: str) -> bytes:
        """16 bytes that two equal identity numbers share (case and blanks apart)."""
        return hmac.digest(self._number_key, number.strip().upper().encode(), "sha256")[:_HASH_BYTES]

    def area_key(self, area_id: int) -> bytes:
        """The key of one area's name index."""
        return self._derived(b"name/%d" % area_id)

    @staticmethod
    def name_hash(area_key: bytes, name: str) -> bytes:
        """16 bytes that two equal names in one area share, however their dots, apostrophes and blanks are written."""
        return hmac.digest(area_key, folded_name(name).encode(), "sha256")[:_HASH_BYTES]


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
