"""Seals the identity cells of staged rows, batch by batch. The one place where Python goes through rows.

A row gives one sealed record of all its identity cells, a hash of its number and a hash of its name keyed by an area,
so that no name can be followed from area to area. Values agree with `karez.kernel.sealing`; the keyed digests are
prepared once a key, which makes them three times as quick.
"""

import hashlib
import os
from typing import Any

import pyarrow as pa

from karez.kernel.sealing import _HASH_BYTES, _VERSION, SealingKey
from karez.kernel.spelling import folded_name

_BLOCK = 64
_INNER, _OUTER = bytes(x ^ 0x36 for x in range(256)), bytes(x ^ 0x5C for x in range(256))


class KeyedHash:
    """HMAC-SHA256 with its key worked in beforehand, cut to the length of the register's hashes."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        assert len(key) <= _BLOCK
        padded = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(padded.translate(_INNER))
        self._outer = hashlib.sha256(padded.translate(_OUTER))

    def of(self, plain: bytes) -> str:
        """The hash of some bytes, as hexadecimal text."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(plain)
        outer.update(inner.digest())
        return outer.hexdigest()[: 2 * _HASH_BYTES]


class Sealer:
    """Seals columns of identity records, numbers and names; results are PostgreSQL's hexadecimal text of bytes."""

    def __init__(self, key: SealingKey) -> None:
        self._key = key
        self._encrypt = key._aead.encrypt
        self._number = KeyedHash(key._number_key)
        self._areas: dict[int | None, KeyedHash] = {}

    def records(self, column: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Sealed records of JSON texts, as `SealingKey.seal` makes them, and the random key each is bound to: its
        person's to be.
        """
        plain = column.to_pylist()
        noise, keys, encrypt = os.urandom(12 * len(plain)), os.urandom(16 * len(plain)), self._encrypt
        sealed: list[str | None] = []
        bound: list[str] = []
        head = "\\x" + _VERSION.hex()
        for place, text in enumerate(plain):
            key = keys[16 * place : 16 * place + 16]
            bound.append("\\x" + key.hex())
            if text is None:
                sealed.append(None)
                continue
            nonce = noise[12 * place : 12 * place + 12]
            sealed.append(head + nonce.hex() + encrypt(nonce, text.encode(), _VERSION + key).hex())
        return pa.array(sealed, pa.string()), pa.array(bound, pa.string())

    def numbers(self, column: pa.Array) -> pa.Array:
        """Hashes of numbers, as `SealingKey.number_hash` makes them."""
        of = self._number.of
        return pa.array(
            [None if t is None else "\\x" + of(t.strip().upper().encode()) for t in column.to_pylist()], pa.string()
        )

    def names(self, column: pa.Array, areas: pa.Array) -> pa.Array:
        """Hashes of names keyed by area, as `SealingKey.name_hash` makes them; none without an area."""
        pairs: Any = zip(column.to_pylist(), areas.to_pylist(), strict=True)
        known = self._areas
        hashes: list[str | None] = []
        for text, area in pairs:
            if text is None or area is None:
                hashes.append(None)
                continue
            keyed = known.get(area)
            if keyed is None:
                keyed = known[area] = KeyedHash(self._key.area_key(area))
            hashes.append("\\x" + keyed.of(folded_name(text).encode()))
        return pa.array(hashes, pa.string())
