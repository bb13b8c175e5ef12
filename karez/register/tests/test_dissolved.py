"""A dissolved household does not go on living: no case, no assessment after its end, also with two hands at once."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from karez.kernel.refusal import Refusal
from karez.register import services
from karez.register.models import Household
from karez.register.sheets import ASSESSMENTS
from karez.register.tests.staging import faults, stage_assessments
from karez.register.tests.test_pages import JAN
from karez.system import database

Connect = Callable[[], "psycopg.Connection[Any]"]
MAY, JUNE = date(2009, 5, 1), date(2009, 6, 1)
_CASE = (
    "INSERT INTO register_casespell (household_id, stage, starts_on, counts_from, recorded_by_id) VALUES (%s, "
    "'recorded', '2009-05-01', '2009-05-01', 1)"
)
_ASSESSED = """INSERT INTO register_assessment (household_id, year, income_fen, size, line, happened_on, counts_on,
    recorded_by_id)
 SELECT h.id, 2009, 1, 1, 'l', '2009-06-01', '2009-06-01', 1 FROM register_household h"""
_END = """UPDATE register_household SET ends_before = '2009-05-01', counts_before = '2009-05-01', ended_at = now(),
    ended_by_id = 1,
 end_reason = 'x' WHERE id = %s"""


def _home(world: Any, no: str = "7", kind: str = "registered") -> Household:
    return services.add_household(
        world.clerk, village_id=world.areas["990101100200"], household_no=no, starts_on=JAN, kind=kind
    )


def _assess(world: Any, home: Household, day: date) -> None:
    services.assess(world.clerk, household_id=home.pk, year=2009, assessed_on=day, income_fen=1, size=1, line="l")


def test_nothing_new_is_recorded_after_the_end(world: Any) -> None:
    home = _home(world)
    services.dissolve_household(world.clerk, household_id=home.pk, on=MAY, reason="all moved")
    for act in (
        lambda: services.open_case(world.clerk, household_id=home.pk, on=JUNE),
        lambda: services.open_case(world.clerk, household_id=home.pk, on=MAY),
        lambda: _assess(world, home, MAY),
    ):
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.code == "register.household_gone"
    _assess(world, home, date(2009, 4, 30))
    stage_assessments([(home.village_id, "7", 2008, JUNE, 1, 1, "l")])
    assert faults(ASSESSMENTS) == {"household_not_dissolved": [(2, "dissolved 2009-05-01")]}


def test_a_household_does_not_end_before_its_last_assessment(world: Any) -> None:
    home = _home(world)
    _assess(world, home, JUNE)
    with pytest.raises(Refusal) as refused:
        services.dissolve_household(world.clerk, household_id=home.pk, on=MAY, reason="all moved")
    assert refused.value.code == "register.household_gone"
    services.dissolve_household(world.clerk, household_id=home.pk, on=date(2009, 7, 1), reason="all moved")


def test_a_large_statement_is_judged_too(committed_world: Any, app_connection: Connect) -> None:
    ended = _home(committed_world, kind="fund_member_only")
    raw = app_connection()
    raw.execute(_END, [ended.pk])
    raw.execute(
        "INSERT INTO register_household (village_id, household_no, kind, starts_on, counts_from, recorded_by_id)"
        " SELECT village_id, 'n' || n, 'registered', '2009-01-01', '2009-01-01', 1 FROM register_household, "
        "generate_series(1, 1500) n"
    )
    raw.commit()
    with pytest.raises(psycopg.Error) as refused:
        raw.execute(_ASSESSED)
    assert refused.value.sqlstate == "KZ038"
    raw.rollback()
    raw.execute(_ASSESSED + " WHERE h.ends_before IS NULL")
    raw.commit()


@pytest.mark.parametrize("sql", [_CASE, _ASSESSED + " WHERE h.id = %s"])
def test_an_end_and_a_new_record_wait_for_each_other(committed_world: Any, app_connection: Connect, sql: str) -> None:
    home = _home(committed_world, kind="fund_member_only")
    other = _home(committed_world, no="8", kind="fund_member_only")

    def second(statement: str, household: int, told: list[str]) -> None:
        with psycopg.connect(database.conninfo(database.APP)) as raw:
            try:
                raw.execute(statement, [household])
                raw.commit()
                told.append("written")
            except psycopg.Error as error:
                told.append(error.sqlstate or "")

    for household, first, then in ((home.pk, sql, _END), (other.pk, _END, sql)):
        raw, told = app_connection(), list[str]()
        raw.execute(first, [household])
        thread = threading.Thread(target=second, args=(then, household, told))
        thread.start()
        thread.join(0.4)
        assert thread.is_alive(), "the second did not wait for the first"
        raw.commit()
        thread.join(10)
        assert len(told) == 1 and told[0] in {"KZ036", "KZ038"}
