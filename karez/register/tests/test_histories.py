"""Random histories of a person against a naive replay; and a closed year that later learning does not change."""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from karez.kernel.facts import counted_on
from karez.register import figure_tables, services
from karez.register.models import Membership

JAN = date(2009, 1, 1)


def _new(relation: int = 1) -> services.NewPerson:
    return services.NewPerson(sex=1, birth_month=date(1970, 1, 1), relation=relation, since=JAN)


@pytest.fixture
def homes(world: Any) -> list[int]:
    village = world.areas["990101100200"]
    return [
        services.add_household(world.clerk, village_id=village, household_no=str(n), starts_on=JAN).pk for n in range(3)
    ]


def _household_on(person_id: int, day: date) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            (
                "SELECT household_id FROM register_membership WHERE person_id = %(person)s AND "
                f"{counted_on('%(day)s', event=False)}"
            ),
            {"person": person_id, "day": day},
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("seed", range(8))
def test_a_history_says_the_same_as_a_naive_replay(world: Any, homes: list[int], seed: int) -> None:
    chance = random.Random(seed)
    person = services.add_person(world.clerk, household_id=homes[0], new=_new()).pk
    said: list[tuple[date, int | None]] = [(JAN, homes[0])]
    day = JAN
    for _ in range(8):
        day += timedelta(days=chance.randrange(0, 60))
        if said[-1][1] is not None and chance.random() < 0.3:
            services.end_membership(world.clerk, person_id=person, on=day, reason="left")
            said.append((day, None))
        else:
            home = chance.choice(homes)
            services.move_person(world.clerk, person_id=person, household_id=home, relation=8, on=day, reason="moved")
            said.append((day, home))
    if chance.random() < 0.5:
        day += timedelta(days=10)
        services.record_death(world.clerk, person_id=person, on=day)
        said.append((day, None))
    for offset in range(0, 500, 7):
        asked = JAN + timedelta(days=offset)
        replayed = [home for since, home in said if since <= asked][-1]
        assert _household_on(person, asked) == ([] if replayed is None else [replayed]), (seed, asked, said)


def _frozen(table: Any, year: int) -> list[tuple[Any, ...]]:
    values = {"as_of": f"DATE '{year}-12-31'", "year": year, "year_start": f"DATE '{year}-01-01'"}
    with connection.cursor() as cursor:
        cursor.execute(table.sql % values)
        return sorted(cursor.fetchall(), key=str)


def test_what_is_learnt_after_the_close_changes_the_next_year_only(world: Any, homes: list[int]) -> None:
    dead, moved, wrong = (services.add_person(world.clerk, household_id=homes[n], new=_new(0)).pk for n in range(3))
    told = services.assess(
        world.clerk, household_id=homes[2], year=2009, assessed_on=date(2009, 11, 1), income_fen=1000, size=1, line="l"
    )
    before = [_frozen(table, 2009) for table in figure_tables.FIGURE_TABLES]
    with connection.cursor() as cursor:
        for call in (
            "periods_prepare_close(2009, 1)",
            "periods_begin_close(2009, 2)",
            "periods_finish_close(2009, 'd')",
        ):
            cursor.execute(f"SELECT {call}")
    services.record_death(world.clerk, person_id=dead, on=date(2009, 11, 15))
    services.move_person(
        world.clerk, person_id=moved, household_id=homes[0], relation=8, on=date(2009, 12, 1), reason="learnt late"
    )
    services.void_and_replace(world.approver, row=told, changes={"income_fen": 5}, reason="typo")
    services.correct_person(world.clerk, person_id=wrong, sex=2, birth_month=None, reason="card seen")
    services.exit_case(world.clerk, household_id=homes[1], on=date(2009, 12, 20), reason="moved_away")
    assert [_frozen(table, 2009) for table in figure_tables.FIGURE_TABLES] == before
    persons = _frozen(figure_tables.PERSONS, 2010)
    assert len(persons) == 2
    assert Membership.objects.get(person_id=dead).ends_before == date(2009, 11, 15)
    assert {row[3] for row in _frozen(figure_tables.HOUSEHOLDS, 2010)} == {"recorded", "exited"}
