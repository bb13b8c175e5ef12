"""Sealed rows against the records: which differences are found where persons were erased since. What else `karez
verify` proves: elsewhere.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import duckdb
import pytest

from karez.closing import verifying
from karez.closing.sessions import frozen_state
from karez.register.figure_tables import PERSONS
from karez.register.models import ErasureRequest, Household, Membership, Person
from karez.register.queries import ERASED_KEYS

_HOUSE, _OTHER_HOUSE = UUID(int=50), UUID(int=51)
_COLUMNS = "area_id, key, household_key, household_kind, case_status, relation, sex, birth_year"
Row = tuple[int, int, UUID, int]  # area, key, household, year of birth
_SEALED: list[Row] = [
    (1, 1, _HOUSE, 1950),
    (1, 2, _HOUSE, 1952),
    (2, 3, _OTHER_HOUSE, 1950),
    (2, 4, _OTHER_HOUSE, 1950),
]
_ERASED = {2: 102, 3: 103}  # the keys those persons had, and have since


def _write(path: Path, rows: list[Row]) -> None:
    with duckdb.connect() as duck:
        duck.execute(
            "CREATE TABLE t (area_id BIGINT, key UUID, household_key UUID, household_kind TEXT, case_status TEXT, "
            "relation INTEGER, sex INTEGER, birth_year INTEGER)"
        )
        duck.executemany(
            "INSERT INTO t VALUES (?, ?, ?, 'registered', 'recorded', 0, 1, ?)",
            [(a, str(UUID(int=k)), str(h), y) for a, k, h, y in rows],
        )
        duck.execute(f"COPY t TO '{path}' (FORMAT parquet)")


def _with(**changes: tuple[int, Any]) -> list[Row]:
    """Today's rows, those of erased persons under their new keys; `changes` are column -> (row, value)."""
    rows = [[a, _ERASED.get(k, k), h, y] for a, k, h, y in _SEALED]
    for column, (row, value) in changes.items():
        rows[row][["area", "key", "household", "year"].index(column)] = value
    return [tuple(row) for row in rows]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("today", "found"),
    [
        (_with(), False),
        (_with(key=(0, 77)), True),  # of somebody who was not erased
        (_with(key=(0, 4)), True),  # exchanged for another's
        (_with(year=(1, 1953)), True),  # of an erased person, but for the key
        (_with(household=(2, _HOUSE)), True),
        (_with(area=(3, 1)), True),
        (_with()[:-1], True),
        (_with()[1:2] * 2 + _with()[2:], True),
        ([*_with(), (1, 102, _HOUSE, 1950)], True),
    ],
)
def test_keys_are_compared_of_everybody_but_the_erased(tmp_path: Path, today: list[Row], found: bool) -> None:
    _write(tmp_path / "sealed.parquet", _SEALED)
    _write(tmp_path / f"{PERSONS.name}.parquet", today)
    sealed: Any = SimpleNamespace(file=lambda _name: tmp_path / "sealed.parquet")
    erased = [str(UUID(int=key)) for key in _ERASED.values()]
    assert bool(list(verifying._differences(sealed, PERSONS, tmp_path, erased))) is found


def test_without_erasures_every_key_is_compared(tmp_path: Path) -> None:
    _write(tmp_path / "sealed.parquet", _SEALED)
    _write(tmp_path / f"{PERSONS.name}.parquet", _with())
    sealed: Any = SimpleNamespace(file=lambda _name: tmp_path / "sealed.parquet")
    (told,) = verifying._differences(sealed, PERSONS, tmp_path, [])
    assert "2 sealed rows" in told and "2 rows of the records" in told


def test_the_keys_of_erased_persons_are_those_they_have_today(committed_world: Any) -> None:
    household = Household.objects.create(
        village_id=committed_world.areas["990101100200"],
        household_no="1",
        kind="registered",
        starts_on="2009-01-01",
        counts_from="2009-01-01",
        recorded_by_id=1,
    )
    people = [Person.objects.create(sex=1, birth_month="1970-01-01", recorded_by_id=1) for _ in range(2)]
    for n, person in enumerate(people):
        Membership.objects.create(
            person=person,
            household=household,
            relation=str(n),
            is_head=n == 0,
            starts_on="2009-01-01",
            counts_from="2009-01-01",
            recorded_by_id=1,
        )
    request = ErasureRequest.objects.create(person=people[0], requested_by_id=committed_world.clerk.pk, reason="asked")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT register_erase(%s, %s)", [request.pk, committed_world.approver.pk])
    with frozen_state() as state:
        found = state.rows(ERASED_KEYS)
    now = Person.objects.get(pk=people[0].pk).key
    assert found == [(now,)] and now != people[0].key
