"""Files of the register: what is found wrong across rows, what applying writes, what withdrawing takes back."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection

from karez.kernel.messages import read_in
from karez.register import figure_tables, loading, services
from karez.register.checks import CHECKS, REPORTS
from karez.register.models import Assessment, CaseSpell, Household, Identity, Membership, Person
from karez.register.sheets import ASSESSMENTS, REGISTER
from karez.register.tests.staging import applying, faults, stage_assessments, stage_register

JAN = date(2009, 1, 1)


def _row(
    village: int, no: str, relation: str, name: str, number: str = "", *, kind: str = "registered", since: date = JAN
) -> tuple[Any, ...]:
    return (village, no, kind, relation, "1", date(1970, 5, 1), since, name, number)


@pytest.fixture
def village(world: Any) -> int:
    return int(world.areas["990101100200"])


def _apply(world: Any, batch: int = 7) -> Any:
    with connection.cursor() as cursor:
        return loading.apply_register(applying(cursor, sender=world.clerk.pk, approver=world.approver.pk, batch=batch))


def test_a_file_becomes_households_persons_and_memberships(world: Any, village: int) -> None:
    stage_register(
        [
            _row(village, "1", "0", "Ma Li", "11010519491231002X"),
            _row(village, "1", "1", "Wang Fang"),
            _row(village, "2", "0", "Li Wei", kind="fund_member_only", since=date(2009, 6, 1)),
        ]
    )
    assert faults(REGISTER) == {}
    assert _apply(world) == {"households": 2, "cases": 1, "persons": 3, "identities": 3, "memberships": 3}
    assert faults(REGISTER)["person_not_yet_registered"] == [(2, "this number is on the register in household 1")]
    one = Household.objects.get(household_no="1")
    assert [m.is_head for m in one.memberships.order_by("relation")] == [True, False]
    assert CaseSpell.objects.get().household == one
    assert {p.batch_id for p in Person.objects.all()} == {7}


def test_faults_across_rows(world: Any, village: int) -> None:
    number = "11010519491231002X"
    stage_register(
        [
            _row(village, "1", "1", "A", number),
            _row(village, "1", "2", "B", number, kind="fund_member_only"),
            _row(village, "2", "0", "C", since=date(2030, 1, 1)),
            (village, "3", "registered", "0", "1", date(2009, 8, 1), JAN, "D", ""),
            _row(village, "4", "0", "E"),
            _row(village, "4", "0", "F"),
        ]
    )
    found = faults(REGISTER)
    assert {rule: [row for row, _ in rows] for rule, rows in found.items()} == {
        "one_head": [2, 6],
        "household_kind_constant": [3],
        "person_once_in_file": [3],
        "born_before_joining": [5],
        "day_opened": [4],
    }
    assert found["one_head"] == [(2, "0 heads"), (6, "2 heads")]


def test_a_later_file_adds_to_a_household(world: Any, village: int) -> None:
    stage_register([_row(village, "1", "0", "Ma Li")])
    _apply(world)
    stage_register([_row(village, "1", "2", "Ma Jun", since=date(2009, 4, 1))])
    assert faults(REGISTER) == {}
    assert _apply(world, batch=8)["households"] == 0
    assert Membership.objects.filter(household__household_no="1").count() == 2
    stage_register([_row(village, "1", "0", "Ma Bo", kind="fund_member_only")])
    assert set(faults(REGISTER)) == {"one_head", "household_kind_as_recorded"}
    with pytest.raises(IntegrityError, match="register_membership_one_head"):
        _apply(world, batch=9)


def test_a_withdrawn_file_leaves_no_identity(world: Any, village: int) -> None:
    stage_register([_row(village, "1", "0", "Ma Li", "11010519491231002X")])
    _apply(world)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM register_built_on(7)")
        assert cursor.fetchall() == []
        given = applying(cursor, sender=world.clerk.pk, approver=world.approver.pk)
        assert loading.withdraw_register(given) == {
            "memberships": 1,
            "cases": 1,
            "persons": 1,
            "households": 1,
            "identities": 1,
        }
    assert not Identity.objects.exists()
    assert not Membership.objects.filter(voided_at=None).exists()
    assert faults(REGISTER) == {}
    stage_register([_row(village, "1", "0", "Ma Li", "11010519491231002X")])  # sent again, it is staged anew
    assert _apply(world, batch=8)["households"] == 1  # the same number is free again


def test_what_something_stands_on_is_named(world: Any, village: int) -> None:
    stage_register([_row(village, "1", "0", "Ma Li")])
    _apply(world)
    services.assess(
        world.clerk,
        household_id=Household.objects.get().pk,
        year=2009,
        assessed_on=date(2009, 11, 1),
        income_fen=100,
        size=1,
        line="2009-1196",
    )
    with connection.cursor() as cursor:
        cursor.execute(REGISTER.built_on[0].sql, {"batch_id": 7})
        assert read_in(cursor.fetchall()) == [(0, "1 rows of register_assessment")]


def test_assessments(world: Any, village: int) -> None:
    stage_register([_row(village, "1", "0", "Ma Li"), _row(village, "2", "0", "Li Wei", kind="fund_member_only")])
    _apply(world)
    day = date(2009, 11, 20)
    stage_assessments(
        [
            (village, "1", 2009, day, 250_001, 3, "2009-1196"),
            (village, "2", 2009, day, 1, 1, "l"),
            (village, "9", 2009, day, 1, 1, "l"),
            (village, "1", 2010, day, 1, 1, "l"),
        ]
    )
    assert {r: [n for n, _ in rows] for r, rows in faults(ASSESSMENTS).items()} == {
        "household_known": [4],
        "household_registered": [3],
        "assessed_in_or_after_year": [5],
    }
    stage_assessments([(village, "1", 2009, day, 250_001, 3, "2009-1196")])
    with connection.cursor() as cursor:
        given = applying(cursor, sender=world.clerk.pk, approver=world.approver.pk, batch=8)
        assert loading.apply_assessments(given) == {"assessments": 1}
        assert faults(ASSESSMENTS) == {"assessed_once_a_year": [(2, "2009 is assessed already")]}
        assert Assessment.objects.get().income_per_head_fen == 83_334
        assert loading.withdraw_assessments(given) == {"assessments": 1}
    assert faults(ASSESSMENTS) == {}


def _filled(sql: str, year: int = 2009) -> str:
    return sql % {"as_of": f"DATE '{year}-12-31'", "year": year, "year_start": f"DATE '{year}-01-01'"}


def _frozen(table: Any, year: int = 2009) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_filled(table.sql, year))
        names = [c.name for c in cursor.description]
        assert names == ["area_id", *(c.name for c in table.columns)]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_figure_tables_take_the_state_of_31_december(world: Any, village: int) -> None:
    stage_register(
        [
            _row(village, "1", "0", "Ma Li"),
            _row(village, "1", "2", "Ma Jun"),
            _row(village, "1", "3", "X", since=date(2010, 2, 1)),
            _row(village, "2", "0", "Li Wei", kind="fund_member_only"),
            _row(village, "3", "0", "Bai", since=date(2010, 1, 1)),
        ]
    )
    _apply(world)
    head = Household.objects.get(household_no="1")
    services.assess(
        world.clerk, household_id=head.pk, year=2009, assessed_on=date(2009, 11, 1), income_fen=301, size=2, line="l"
    )
    persons = _frozen(figure_tables.PERSONS)
    assert len(persons) == 3
    assert {(p["household_kind"], p["case_status"]) for p in persons} == {
        ("registered", "recorded"),
        ("fund_member_only", None),
    }
    households = {h["kind"]: h for h in _frozen(figure_tables.HOUSEHOLDS)}
    assert len(households) == 2
    assert (households["registered"]["size"], households["registered"]["income_per_head_fen"]) == (2, 151)
    assert (households["fund_member_only"]["size"], households["fund_member_only"]["income_fen"]) == (1, None)
    with connection.cursor() as cursor:  # 2010 is opened when 2009 is closed
        cursor.execute(
            "SELECT periods_prepare_close(2009, 1), periods_begin_close(2009, 2), periods_finish_close(2009, 'digest')"
        )
    services.exit_case(world.clerk, household_id=head.pk, on=date(2010, 3, 1), reason="out_of_poverty")
    assert len(_frozen(figure_tables.PERSONS)) == 3
    assert {h["case_status"] for h in _frozen(figure_tables.HOUSEHOLDS, 2010)} == {"exited", None, "recorded"}
    assert {h["case_status"] for h in _frozen(figure_tables.HOUSEHOLDS)} == {"recorded", None}


def test_closing_checks_find_what_is_wrong(world: Any, village: int) -> None:
    stage_register([_row(village, "1", "0", "Ma Li"), _row(village, "2", "0", "Ma Bo")])
    _apply(world)
    head = Membership.objects.get(household__household_no="1")
    services.move_person(
        world.clerk,
        person_id=head.person_id,
        household_id=Household.objects.get(household_no="2").pk,
        relation=8,
        on=date(2009, 5, 1),
        reason="joined relatives",
    )
    Person.objects.create(sex=1, recorded_by_id=1)
    found = {}
    with connection.cursor() as cursor:
        for check in CHECKS:
            cursor.execute(_filled(check.sql))
            found[check.name] = [row[1] for row in read_in(cursor.fetchall())]
    assert found == {
        "register_spells_do_not_overlap": [],
        "register_one_head": ["0 heads among 0 members"],
        "register_persons_have_households": ["in no household"],
        "register_no_members_after_death": [],
        "register_numbers_once": [],
        "register_assessed": ["2 households without an assessment for 2009"],
    }


def test_the_live_reports_count_what_the_tables_hold(world: Any, village: int) -> None:
    stage_register(
        [
            _row(village, "1", "0", "Ma Li"),
            _row(village, "1", "2", "Ma Jun"),
            _row(village, "2", "0", "Li", kind="fund_member_only"),
        ]
    )
    _apply(world)
    with connection.cursor() as cursor:
        found = {}
        for report in REPORTS:
            cursor.execute(_filled(report.sql))
            found[report.figure] = cursor.fetchall()
    assert found == {"register.households": [(village, 1)], "register.persons": [(village, 2)]}
