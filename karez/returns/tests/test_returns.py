"""Returns: submitted and locked, sent back and revised, approved by another; the file; what closing takes of them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from karez.kernel.messages import read_in
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Applying
from karez.periods import services as periods
from karez.returns import checks, figure_tables, inbox, queries, services, sheets
from karez.returns.models import Approval, Return, State

Connect = Callable[[], "psycopg.Connection[Any]"]


def _refused(code: str) -> Any:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


def _submit(world: Any, *, measure: str = "population", value: Decimal | None = Decimal(300000), **more: Any) -> Return:
    given = {"area_id": world.areas["990101"], "year": 2009, "document": "Statistics sheet 3"} | more
    return services.submit_return(world.clerk, measure=measure, value=value, **given)


def _designate(area_id: int, since: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO places_designation (area_id, list, document, mark, note, starts_on, counts_from, "
            "recorded_by_id)"
            " VALUES (%s, 'national_key_county', 'list', 'sourced', '', %s, GREATEST(%s, DATE '2009-01-01'), 1)",
            [area_id, since, since],
        )


def _filled(sql: str, year: int = 2009) -> str:
    return sql % {"as_of": f"DATE '{year}-12-31'", "year": year, "year_start": f"DATE '{year}-01-01'"}


def _frozen(year: int = 2009) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_filled(figure_tables.VALUES.sql, year))
        names = [c.name for c in cursor.description]
        assert names == ["area_id", *(c.name for c in figure_tables.VALUES.columns)]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_a_return_is_locked_until_sent_back(world: Any) -> None:
    first = _submit(world)
    with _refused("returns.locked"):
        _submit(world, value=Decimal(310000))
    assert queries.one_return(world.clerk, first.pk).state is State.SUBMITTED
    assert [r.pk for r in queries.waiting_for(world.approver)] == [first.pk]
    assert [item.count for item in inbox.items(world.approver)] == [1]
    assert list(queries.waiting_for(world.clerk)) == []
    services.send_back_return(world.approver, return_id=first.pk, reason="last year's number")
    assert [item.urgent for item in inbox.items(world.clerk)] == [True]
    second = _submit(world, value=Decimal(310000))
    assert second.replaces_id == first.pk
    assert inbox.items(world.clerk) == []
    services.approve_return(world.approver, return_id=second.pk)
    page = queries.one_return(world.auditor, second.pk)
    assert (page.state, [r.pk for r in page.revisions], page.may_decide) == (State.APPROVED, [first.pk], False)
    assert queries.one_return(world.clerk, first.pk).row.void_reason == "last year's number"
    assert [(r["return_id"], r["value"]) for r in _frozen()] == [(second.pk, Decimal(310000))]


def test_an_approved_return_can_be_sent_back_and_counts_no_more(world: Any) -> None:
    first = _submit(world)
    services.approve_return(world.approver, return_id=first.pk)
    with _refused("returns.approved_already"):
        services.approve_return(world.approver, return_id=first.pk)
    services.send_back_return(world.second_approver, return_id=first.pk, reason="wrong place")
    assert _frozen() == []
    assert Approval.objects.get().void_reason == "wrong place"
    with _refused("returns.not_open"):
        services.approve_return(world.approver, return_id=first.pk)


def test_who_submits_does_not_approve(world: Any) -> None:
    mine = services.submit_return(
        world.regional, measure="population", area_id=world.region, year=2009, value=Decimal(1), document="d"
    )
    with _refused("returns.same_person"):
        services.approve_return(world.regional, return_id=mine.pk)
    with _refused("returns.same_person"):
        services.send_back_return(world.regional, return_id=mine.pk, reason="changed my mind")


def test_places_of_others_are_refused(world: Any) -> None:
    mine = _submit(world)
    with _refused("access.not_granted"):
        _submit(world, area_id=world.areas["990102"])
    with _refused("access.not_granted"):
        services.approve_return(world.clerk, return_id=mine.pk)
    with _refused("access.not_granted"):
        queries.one_return(world.other_clerk, mine.pk)
    assert list(queries.returns_of(world.other_clerk)) == []
    assert [r.is_approved for r in queries.returns_of(world.clerk, year=2009)] == [False]


def test_a_quotient_brings_its_parts(world: Any) -> None:
    with _refused("returns.no_value"):
        _submit(world, measure="rural_net_income", value=None)
    with _refused("returns.wrong_unit"):
        _submit(world, measure="rural_net_income", value=Decimal(2912))
    with _refused("returns.quotient_differs"):
        _submit(
            world,
            measure="rural_net_income",
            value=Decimal(2950),
            numerator=Decimal(2_912_000),
            denominator=Decimal(1000),
        )
    with _refused("returns.half_quotient"):
        _submit(world, measure="rural_net_income", value=Decimal(2950), numerator=Decimal(2_912_000))
    made = _submit(
        world, measure="rural_net_income", value=None, numerator=Decimal(2_912_400), denominator=Decimal(1000)
    )
    assert (made.value, made.unit) == (Decimal("2912.4"), "yuan")
    rate = _submit(
        world,
        measure="mutual_fund_repayment_rate",
        value=Decimal(100),
        numerator=Decimal(99_960),
        denominator=Decimal(100_000),
    )
    assert rate.unit == "percent"
    with _refused("returns.unknown_measure"):
        _submit(world, measure="happiness")
    with _refused("returns.wrong_level"):
        services.submit_return(
            world.statistician,
            measure="population",
            area_id=world.areas["990101100"],
            year=2009,
            value=Decimal(1),
            document="d",
        )
    with _refused("record.out_of_bounds"):
        _submit(world, document=" ")


def test_closing_takes_the_year_and_the_year_before(world: Any) -> None:
    _designate(world.areas["990101"], "2002-01-01")
    _designate(world.areas["990102"], "2010-01-01")
    income = {"measure": "rural_net_income", "value": None, "denominator": Decimal(1000)}
    rows = [
        _submit(world),
        _submit(world, **income, numerator=Decimal(2_500_000), year=2008),
        _submit(world, **income, numerator=Decimal(2_912_000)),
        _submit(world, year=2007),
    ]
    for row in rows:
        services.approve_return(world.approver, return_id=row.pk)
    other = services.submit_return(
        world.statistician,
        measure="population",
        area_id=world.areas["990102"],
        year=2009,
        value=Decimal(5),
        document="d",
    )
    assert len(_frozen()) == 3
    services.approve_return(world.approver, return_id=other.pk)
    frozen = _frozen()
    assert sorted((r["measure"], r["value_year"], r["key_county"]) for r in frozen) == [
        ("population", 2009, False),
        ("population", 2009, True),
        ("rural_net_income", 2008, True),
        ("rural_net_income", 2009, True),
    ]


def _checked() -> dict[str, list[str]]:
    found = {}
    with connection.cursor() as cursor:
        for check in checks.CHECKS:
            cursor.execute(_filled(check.sql))
            found[check.name] = [row[1] for row in read_in(cursor.fetchall())]
    return found


def test_what_is_missing_stops_the_close(world: Any) -> None:
    _designate(world.areas["990101"], "2002-01-01")
    one = _submit(world)
    assert _checked() == {
        "returns_of_key_counties": [
            "population 2009: none approved",
            "rural_net_income 2008: none approved",
            "rural_net_income 2009: none approved",
        ],
        "returns_of_region": ["land_area 2009: none approved", "population 2009: none approved"],
        "returns_decided": [f"population 2009 of area {world.areas['990101']}"],
    }
    services.approve_return(world.approver, return_id=one.pk)
    after = _checked()
    assert after["returns_decided"] == []
    assert len(after["returns_of_key_counties"]) == 2


_STAGED = """CREATE TEMP TABLE staged (row_no bigint, measure text, area text, area_id bigint, year int, value numeric,
    numerator numeric,
 denominator numeric, unit text, document text)"""


def _stage(*rows: tuple[Any, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged")
        cursor.execute(_STAGED)
        for number, row in enumerate(rows, 2):
            cursor.execute(
                "INSERT INTO staged VALUES (%s, %s, 'code', %s, %s, %s, %s, %s, %s, 'sheet')", [number, *row]
            )


def _faults() -> dict[str, list[int]]:
    found = {}
    with connection.cursor() as cursor:
        for check in sheets.RETURNS.checks:
            cursor.execute(check.sql.replace("{stage}", "staged"), {"today": date(2026, 1, 1)})
            if rows := cursor.fetchall():
                found[check.rule] = [row[0] for row in rows]
        for total in sheets.RETURNS.totals:
            cursor.execute(total.sql.replace("{stage}", "staged"))
    return found


def _applying(world: Any, cursor: Any, batch: int) -> Applying:
    return Applying(
        cursor=cursor,
        batch_id=batch,
        stage="staged",
        sender_id=world.clerk.pk,
        approver_id=world.approver.pk,
        first_open_day=date(2009, 1, 1),
        progress=lambda *_: None,
    )


def test_a_file_of_returns(world: Any) -> None:
    county = world.areas["990101"]
    _stage(
        ("population", county, 2009, 300000, None, None, "households"),
        ("population", world.areas["990101100"], 2009, 1, None, None, "persons"),
        ("rural_net_income", county, 2009, 2912, None, None, "yuan"),
        ("rural_net_income", county, 2008, 2912, 2_950_000, 1000, "yuan"),
        ("mutual_fund_repayment_rate", county, 2031, 100, 1000, 1000, "percent"),
    )
    assert _faults() == {
        "unit_of_measure": [2],
        "level_of_measure": [3],
        "quotient_brings_its_parts": [4],
        "quotient_agrees": [5],
        "year_not_ahead": [6],
    }
    with connection.cursor() as cursor:  # the unit that is right is named beside the one that was written
        cursor.execute(
            next(c.sql for c in sheets.RETURNS.checks if c.rule == "unit_of_measure").replace("{stage}", "staged")
        )
        assert read_in(cursor.fetchall()) == [
            (2, "households", "persons: the unit of residents at the end of the year")
        ]
    good = (
        ("population", county, 2009, 300000, None, None, "persons"),
        ("rural_net_income", county, 2009, 2912, 2_912_000, 1000, "yuan"),
    )
    _stage(*good)
    assert _faults() == {}
    with connection.cursor() as cursor:
        assert sheets.apply_returns(_applying(world, cursor, 1)) == {"returns": 2, "approvals": 2}
        assert _faults() == {"not_returned_yet": [2, 3]}
        assert len(_frozen()) == 2
        assert sheets.withdraw_returns(_applying(world, cursor, 1)) == {"approvals": 2, "returns": 2}
        assert _frozen() == []
        assert _faults() == {}
        sheets.apply_returns(_applying(world, cursor, 2))
    assert Return.objects.filter(voided_at=None, replaces__isnull=False).count() == 2


def test_invariants_hold_against_raw_sql(committed_world: Any, app_connection: Connect) -> None:
    world = committed_world
    one = _submit(world)
    raw = app_connection()
    insert = """INSERT INTO returns_return (measure_id, area_id, year, value, unit, numerator, denominator, document,
        happened_on,
     counts_on, recorded_by_id, replaces_id) VALUES (%s, %s, 2009, %s, %s, %s, %s, %s, %s, %s, 1, %s)"""
    day, county = "2009-12-31", world.areas["990101"]
    approve = (
        "INSERT INTO returns_approval (of_id, submitted_by_id, happened_on, counts_on, recorded_by_id) "
        "VALUES (%s, %s, %s, %s, %s)"
    )
    attacks: list[tuple[str, list[Any], str]] = [
        (insert, ["population", county, 1, "persons", None, None, "d", day, day, None], "returns_return_one_current"),
        (insert, ["land_area", county, 1, "km2", None, None, "", day, day, None], "returns_return_document_filled"),
        (insert, ["land_area", county, -1, "km2", None, None, "d", day, day, None], "returns_return_value_least"),
        (
            insert,
            ["land_area", county, 1, "km2", None, None, "d", "2009-12-30", day, None],
            "returns_return_of_its_year",
        ),
        (
            insert,
            ["rural_net_income", county, 1, "yuan", 1, None, "d", day, day, None],
            "returns_return_quotient_is_whole",
        ),
        (insert, ["land_area", county, 1, "km2", None, None, "d", day, day, one.pk], "KZ053"),
        (insert, ["land_area", county, 1, "mu", None, None, "d", day, day, None], "KZ050"),
        (insert, ["rural_net_income", county, 5, "yuan", 1, 1, "d", day, day, None], "KZ051"),
        (insert, ["land_area", world.areas["9901"], 1, "km2", None, None, "d", day, day, None], "KZ052"),
        (approve, [one.pk, one.recorded_by_id, day, day, one.recorded_by_id], "returns_approval_by_another"),
        (approve, [one.pk, 12345, day, day, one.recorded_by_id], "returns_approval_of_its_submitter"),
        (approve, [one.pk, one.recorded_by_id, "2009-12-30", "2009-12-30", 99], "KZ054"),
        (
            (
                "UPDATE returns_return SET voided_at = now(), voided_by_id = recorded_by_id, void_reason = 'x', "
                "void_counts_on = counts_on"
            ),
            [],
            "returns_return_sent_back_by_another",
        ),
    ]
    for sql, params, expected in attacks:
        with pytest.raises(psycopg.Error) as refused:
            raw.execute(sql, params)
        assert expected in {refused.value.sqlstate, refused.value.diag.constraint_name}, sql
        raw.rollback()
    for attack in (
        "UPDATE returns_return SET value = 1",
        "DELETE FROM returns_approval",
        "UPDATE returns_measure SET unit = 'x'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute(attack)
        raw.rollback()


def test_a_sent_back_return_is_not_approved_meanwhile(committed_world: Any, app_connection: Connect) -> None:
    one = _submit(committed_world)
    back, approval = app_connection(), app_connection()
    back.execute(
        (
            "UPDATE returns_return SET voided_at = now(), voided_by_id = 99, void_reason = 'x', void_counts_on = "
            "counts_on WHERE id = %s"
        ),
        [one.pk],
    )
    approval.execute("SET lock_timeout = '300ms'")
    approval.commit()
    insert = (
        "INSERT INTO returns_approval (of_id, submitted_by_id, happened_on, counts_on, recorded_by_id) VALUES "
        "(%s, %s, %s, %s, 99)"
    )
    params = [one.pk, one.recorded_by_id, "2009-12-31", "2009-12-31"]
    with pytest.raises(psycopg.errors.LockNotAvailable):
        approval.execute(insert, params)
    approval.rollback()
    back.commit()
    with pytest.raises(psycopg.Error) as refused:
        approval.execute(insert, params)
    assert refused.value.sqlstate == "KZ054"


def test_the_live_report_is_what_a_place_returned_itself(world: Any) -> None:
    row = services.submit_return(
        world.statistician,
        measure="population",
        area_id=world.region,
        year=2009,
        value=Decimal(6250000),
        document="Bulletin",
    )
    assert _reported("overview.region_population") == []
    services.approve_return(world.approver, return_id=row.pk)
    assert _reported("overview.region_population") == [(world.region, Decimal(6250000))]


def _reported(figure: str) -> list[tuple[int, Decimal]]:
    report = next(r for r in checks.REPORTS if r.figure == figure)
    with connection.cursor() as cursor:
        cursor.execute(_filled(report.sql))
        return list(cursor.fetchall())


def test_a_temporary_table_does_not_stand_in_for_the_measures(committed_world: Any, app_connection: Connect) -> None:
    raw = app_connection()
    raw.execute("CREATE TEMP TABLE returns_measure AS SELECT * FROM public.returns_measure")
    raw.execute("UPDATE pg_temp.returns_measure SET unit = 'souls', is_quotient = false")
    with pytest.raises(psycopg.Error) as refused:
        raw.execute(
            "INSERT INTO returns_return (measure_id, area_id, year, value, unit, document, happened_on, counts_on, "
            "recorded_by_id)"
            " VALUES ('population', %s, 2009, 1, 'souls', 'd', '2009-12-31', '2009-12-31', 1)",
            [committed_world.areas["990101"]],
        )
    assert refused.value.sqlstate == "KZ050"


def test_what_is_no_number_is_no_return(committed_world: Any, app_connection: Connect) -> None:
    raw = app_connection()
    with pytest.raises(psycopg.Error) as refused:
        raw.execute(
            "INSERT INTO returns_return (measure_id, area_id, year, value, unit, document, happened_on, counts_on, "
            "recorded_by_id)"
            " VALUES ('population', %s, 2009, 'NaN', 'persons', 'd', '2009-12-31', '2009-12-31', 1)",
            [committed_world.areas["990101"]],
        )
    assert refused.value.sqlstate == "KZ051"


def test_the_list_tells_measure_and_unit_in_the_reader_s_language(world: Any) -> None:
    row = _submit(world)
    for language, words in (("en", ("residents at the end of the year", "people")), ("zh-hans", ("年末总人口", "人"))):
        client = Client(headers={"accept-language": language})
        client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
        said = client.get("/returns/").content.decode()
        assert f">{words[0]}</a>" in said and f'<td class="nowrap">{words[1]}</td>' in said
        one = client.get(f"/returns/{row.pk}/").content.decode()
        assert f'<span class="tile-words">{words[1]}</span>' in one


def test_a_return_begins_with_a_year_that_is_open(world: Any) -> None:
    """The last year where it is open, else the open year nearest to it; never one before the region's first or after
    its last.
    """
    opened = [p.year for p in periods.years() if p.state == "open"]
    assert periods.year_to_report(date(opened[0] + 1, 3, 1)) == opened[0]
    assert periods.year_to_report(date(1990, 3, 1)) == opened[0]
    assert periods.year_to_report(date(2190, 3, 1)) == opened[-1]
    client = Client()
    client.force_login(world.statistician, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("returns:submit")).content.decode()
    assert f'name="year" value="{periods.year_to_report(date.today())}"' in page
