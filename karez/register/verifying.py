"""Proofs of identities: each opens for its own person and for nobody else, and is found by what it holds. Shows no
identity.
"""

from collections.abc import Iterator
from typing import Any

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.db import connection, transaction

from karez.kernel.sealing import SealingKey
from karez.kernel.verifying import Proof, rows

_BATCH = 5000
_IDENTITIES = """
DECLARE identities NO SCROLL CURSOR FOR
SELECT i.person_id, p.key, i.sealed, i.number_hash, i.name_hash, v.villages FROM register_identity i
  JOIN register_person p ON p.id = i.person_id
  LEFT JOIN (SELECT m.person_id, array_agg(DISTINCT h.village_id) AS villages FROM register_membership m
               JOIN register_household h ON h.id = m.household_id GROUP BY 1) v ON v.person_id = i.person_id
"""
# Files brought so many; corrections hand an identity on, forms bring more, and erasing takes away one for each record
# of a person.
_GONE = """
SELECT format('%s identities are there, files brought %s and %s persons were erased: some are missing', h.n, b.n, e.n)
  FROM (SELECT count(*) AS n FROM register_identity) h,
       (SELECT coalesce(sum((counts->>'identities')::bigint), 0) AS n FROM intake_batch WHERE sheet = 'register'
           AND state = 'applied') b,
       (SELECT count(*) AS n FROM register_erasure) e
 WHERE h.n + e.n < b.n
""".replace("%", "%%")


def _identities() -> Proof:
    key: SealingKey = settings.SEALING_KEY
    wrong, count = [], 0
    for row in _rows():
        count += 1
        if fault := _fault(key, *row):
            wrong.append(f"person {row[0]}: {fault}")
    wrong += [str(row[0]) for row in rows(_GONE)]
    return Proof("identities", f"{count:,} open for their own persons and are found by what they hold", wrong)


def _rows() -> Iterator[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_IDENTITIES)
        while True:
            cursor.execute(f"FETCH {_BATCH} FROM identities")
            found = cursor.fetchall()
            yield from found
            if len(found) < _BATCH:
                break


def _fault(
    key: SealingKey,
    _person: int,
    person_key: Any,
    sealed: bytes,
    number: bytes | None,
    name: bytes | None,
    villages: list[int],
) -> str:
    try:
        held = key.open_record(bytes(sealed), person_key)
    except InvalidTag:
        return "the identity is another person's, or was changed"
    wanted = key.number_hash(held["id_number"]) if held.get("id_number") else None
    if (bytes(number) if number is not None else None) != wanted:
        return "is found by a number that is not its own, or by none"
    keyed = (
        [key.name_hash(key.area_key(village), held["name"]) for village in villages or []] if held.get("name") else []
    )
    if (name is None) != (not keyed) or (name is not None and bytes(name) not in keyed):
        return "is found by a name that is not its own, or by none"
    return ""


PROOFS = (_identities,)
