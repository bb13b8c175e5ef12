"""The engine: small rows and expected values, and against plain Python over random rows."""

import random
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from karez.closing.snapshots import Snapshot
from karez.figures.attack import RollUp
from karez.figures.declarations import LEVELS
from karez.figures.engine import (
    State,
    cells,
    compute,
    count_rows_behind,
    opened,
    resolve,
    rows_behind,
    sql_of,
)
from karez.figures.publication import relations
from karez.figures.tests.small import COUNTED, FACTS, TREE, VILLAGES, Use, ancestors, figure, snapshot_of
from karez.kernel.refusal import Refusal

ALL = (
    figure("test.rows")
    + figure("test.money", value="sum(amount_fen)", scale=100, unit="yuan")
    + figure("test.people", value="count(distinct person)")
    + figure("test.least", value="min(amount_fen)", empty="missing")
    + figure("test.most", value="max(weight)", empty="missing")
    + figure("test.weight", value="sum(weight)", empty="missing")
    + figure("test.grants", where="kind = 'grant'", value="sum(case when good then amount_fen else 0 end)")
    + figure("test.counties", value="count(distinct county_id)", where="kind = 'grant'")
    + figure("test.each", formula="test.money / test.people")
    + figure("test.total", table="counted", value="sum(total)", empty="missing")
    + figure("test.share", formula="100 * test.rows / test.total")
)

ROWS: list[dict[str, Any]] = [
    {"area_id": 8, "kind": "grant", "amount_fen": 1050, "weight": Decimal("0.125"), "person": 1, "good": True},
    {"area_id": 8, "kind": "gift", "amount_fen": 1, "weight": Decimal("0.125"), "person": 1, "good": True},
    {"area_id": 9, "kind": "grant", "amount_fen": -49, "weight": None, "person": 2, "good": False},
    {"area_id": 10, "kind": "gift", "amount_fen": None, "weight": None, "person": 1, "good": None},
    {"area_id": 11, "kind": "grant", "amount_fen": 2**60, "weight": Decimal("7.5"), "person": 3, "good": True},
    {"area_id": 11, "kind": "grant", "amount_fen": 2**60, "weight": Decimal("7.5"), "person": 3, "good": True},
]


@pytest.fixture
def small(tmp_path: Path, use: Use) -> Snapshot:
    use(ALL)
    return snapshot_of(
        tmp_path / "s", {FACTS: ROWS, COUNTED: [{"area_id": 3, "total": 40}, {"area_id": 4, "total": 0}]}
    )


def _cell(snapshot: Snapshot, name: str, area: int) -> Any:
    return next(v for v in compute(snapshot, [name], LEVELS) if v.area_id == area)


def test_values_at_every_level(small: Snapshot) -> None:
    expected = {
        ("test.rows", 1): 6,
        ("test.rows", 5): 3,
        ("test.rows", 12): 0,
        ("test.money", 3): Fraction(1002, 100),
        ("test.money", 1): Fraction(1002 + 2**61, 100),
        ("test.money", 10): 0,
        ("test.people", 1): 3,
        ("test.people", 3): 2,
        ("test.people", 5): 2,
        ("test.people", 8): 1,
        ("test.least", 3): -49,
        ("test.most", 1): Fraction(15, 2),
        ("test.weight", 3): Fraction(1, 4),
        ("test.grants", 5): 1050,
        ("test.counties", 1): 2,
        ("test.counties", 4): 1,
        ("test.counties", 10): 0,
        ("test.each", 3): Fraction(1002, 200),
        ("test.total", 1): 40,
        ("test.share", 3): 10,
    }
    for (name, area), value in expected.items():
        found = _cell(small, name, area)
        assert (found.value, found.state) == (value, State.VALUE), (name, area)


def test_missing_not_collected_and_division_by_zero(small: Snapshot) -> None:
    assert _cell(small, "test.least", 10).state is State.MISSING
    assert _cell(small, "test.weight", 10).state is State.MISSING
    assert _cell(small, "test.total", 5).state is State.NOT_COLLECTED
    assert _cell(small, "test.share", 8).state is State.NOT_COLLECTED
    assert _cell(small, "test.share", 4).state is State.MISSING  # divided by zero
    assert _cell(small, "test.each", 12).state is State.MISSING  # nobody to divide by
    assert all(v.value is None for v in compute(small, ["test.total"], ["village"]))


def test_a_figure_may_reach_less_far_than_its_table(tmp_path: Path, use: Use) -> None:
    """What is recorded at the region alone is not zero in a county: nobody collected it there."""
    use(
        figure("test.above", reaches="region", value="sum(amount_fen)")
        + figure("test.rows")
        + figure("test.each", formula="test.above / test.rows")
        + figure("test.people", value="count(distinct person)", reaches="county")
        + figure("test.total", table="counted", reaches="region")
    )
    facts = [{"area_id": 1, "amount_fen": 5, "person": 1}, {"area_id": 8, "amount_fen": 5, "person": 2}]
    snapshot = snapshot_of(tmp_path / "s", {FACTS: facts, COUNTED: []})
    assert (
        _cell(snapshot, "test.above", 1).value,
        _cell(snapshot, "test.each", 1).value,
        _cell(snapshot, "test.people", 3).value,
    ) == (10, 5, 1)
    for name, place in (
        ("test.above", 2),
        ("test.above", 3),
        ("test.above", 8),
        ("test.each", 3),
        ("test.people", 5),
        ("test.total", 3),
    ):
        assert (_cell(snapshot, name, place).value, _cell(snapshot, name, place).state) == (
            None,
            State.NOT_COLLECTED,
        ), (name, place)


def test_places_bring_their_own_numbers(tmp_path: Path, use: Use) -> None:
    """The region prints what it returned itself; where a place returned nothing, all of those below it stand for it, or
    nobody does.
    """
    own: dict[str, Any] = {"table": "counted", "value": "sum(total)", "empty": "missing", "own": True}
    use(figure("test.own", **own) + figure("test.share", formula="100 * test.own / test.own"))
    whole = snapshot_of(
        tmp_path / "whole",
        {COUNTED: [{"area_id": 1, "total": 50}, {"area_id": 3, "total": 40}, {"area_id": 4, "total": 9}]},
    )
    assert [_cell(whole, "test.own", a).value for a in (1, 2, 3, 4)] == [50, 49, 40, 9]
    assert (_cell(whole, "test.own", 5).state, _cell(whole, "test.share", 2).value) == (State.NOT_COLLECTED, 100)
    assert [[r["area_id"] for r in rows_behind(whole, "test.own", a)] for a in (1, 2, 3)] == [[1], [3, 4], [3]]
    part = snapshot_of(tmp_path / "part", {COUNTED: [{"area_id": 3, "total": 40}]})
    assert [(_cell(part, "test.own", a).value, _cell(part, "test.own", a).state) for a in (1, 2, 4)] == [
        (None, State.MISSING)
    ] * 3
    sums = snapshot_of(tmp_path / "sums", {COUNTED: [{"area_id": 3, "total": 40}, {"area_id": 4, "total": 9}]})
    assert [_cell(sums, "test.own", a).value for a in (1, 2)] == [49, 49]
    assert count_rows_behind(sums, "test.own", 1, visible=[3]) == (1, 1)
    assert not [
        r for r in relations(resolve(None, 2009)) if isinstance(r, RollUp)
    ]  # a reader cannot subtract where nothing need add up


def test_the_order_and_the_levels_asked_for(small: Snapshot) -> None:
    values = compute(small, ["test.money", "test.rows"], ["county", "region"])
    assert [(v.id, v.area_id) for v in values] == [(i, a) for i in ("test.money", "test.rows") for a in (1, 3, 4)]
    assert len(compute(small)) == 11
    with pytest.raises(Refusal):
        compute(small, ["test.unknown"])


def test_a_snapshot_without_the_table_or_column_says_missing(tmp_path: Path, use: Use) -> None:
    use(ALL)
    old = snapshot_of(tmp_path / "old", {FACTS: ROWS})
    assert [v.state for v in compute(old, ["test.total", "test.share", "test.rows"])] == [
        State.MISSING,
        State.MISSING,
        State.VALUE,
    ]


def test_rows_behind_are_the_rows_of_the_figure(small: Snapshot) -> None:
    first = rows_behind(small, "test.grants", 1, limit=2)
    second = rows_behind(small, "test.grants", 1, after_key=first[-1]["row"], limit=2)
    assert [r["area_id"] for r in first + second] == [8, 9, 11, 11]
    assert [r["row"] for r in first + second] == [0, 2, 4, 5]
    assert rows_behind(small, "test.grants", 10) == []
    assert count_rows_behind(small, "test.grants", 1, visible=[8, 12]) == (1, 3)
    assert [r["area_id"] for r in rows_behind(small, "test.grants", 1, visible=[8, 12])] == [8]
    assert rows_behind(small, "test.each", 1) == []


def test_the_sql_shown_gives_the_value(small: Snapshot) -> None:
    with opened(small) as duck:
        by_area = dict(duck.execute(sql_of("test.grants", small)).fetchall())
    assert by_area == {8: 1050, 9: 0, 10: None, 11: 2**61}
    assert sql_of("test.each", small).count("SELECT") == 2


def test_a_key_of_its_own_in_every_row_is_counted_as_rows(tmp_path: Path, use: Use) -> None:
    use(figure("test.people", value="count(distinct person)", where="good"))
    rows = [{"area_id": a, "person": n, "good": n % 3 > 0} for n, a in enumerate((8, 8, 9, 11, 12, 12, 12))]
    snapshot = snapshot_of(tmp_path / "s", {FACTS: rows})
    before = compute(snapshot, None, LEVELS)
    assert "DISTINCT" in sql_of("test.people", snapshot)
    for column in snapshot.manifest["tables"]["facts"]["columns"]:
        column["unique"] = column["name"] == "person"
    assert "DISTINCT" not in sql_of("test.people", snapshot)
    assert compute(snapshot, None, LEVELS) == before
    assert before[0].value == 4


def test_constants_of_the_year(tmp_path: Path, use: Use) -> None:
    use(figure("test.now", where="year(happened_on) = year and happened_on between year_start and as_of"))
    rows = [
        {"area_id": 8, "happened_on": d}
        for d in (date(2008, 12, 31), date(2009, 1, 1), date(2009, 12, 31), date(2010, 1, 1))
    ]
    assert compute(snapshot_of(tmp_path / "s", {FACTS: rows}))[0].value == 2


def test_one_that_fails_is_named(tmp_path: Path, use: Use) -> None:
    use(figure("test.fine") + figure("test.broken", value="sum(cast(kind as bigint))"))
    snapshot = snapshot_of(tmp_path / "s", {FACTS: ROWS})
    with pytest.raises(Refusal) as refused:
        compute(snapshot)
    assert refused.value.record == "test.broken"


def test_one_that_fails_stops_no_other(tmp_path: Path, use: Use) -> None:
    """Neither those of its table nor those of others; what is made from it cannot be computed either."""
    use(
        figure("test.bad", value="sum(cast(kind as bigint))")
        + figure("test.rows")
        + figure("test.people", value="count(distinct person)")
        + figure("test.of_bad", formula="test.bad / test.rows")
        + figure("test.worse", value="count(distinct cast(kind as bigint))")
        + figure("test.where", where="cast(kind as bigint) = 3")
        + figure("test.total", table="counted", value="sum(total)")
    )
    snapshot = snapshot_of(tmp_path / "s", {FACTS: ROWS, COUNTED: [{"area_id": 3, "total": 40}]})
    computed = cells(snapshot, resolve(None, 2009), LEVELS)
    assert set(computed.undefined) == {"test.bad", "test.of_bad", "test.worse", "test.where"}
    assert all("Could not convert" in why for why in computed.undefined.values())
    assert {computed.value(i, 1).state for i in computed.undefined} == {State.UNDEFINED}
    assert [computed.value(i, 1).value for i in ("test.rows", "test.people", "test.total")] == [6, 3, 40]


def test_the_database_of_the_engine_reaches_nothing_else(small: Snapshot) -> None:
    with opened(small) as duck:
        for attack in (
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM glob('/etc/*')",
            "SET enable_external_access = true",
            "SET threads = 1",
            "RESET lock_configuration",
            "COPY facts TO '/tmp/karez-attack.csv'",
            "ATTACH '/tmp/karez-attack.db'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SELECT * FROM '/etc/passwd'",
            "SELECT getenv('HOME')",
            "EXPORT DATABASE '/tmp/karez-attack'",
        ):
            with pytest.raises(duckdb.Error):
                duck.execute(attack).fetchall()
        assert duck.execute("SELECT count(*) FROM facts").fetchone() == (6,)


def test_the_same_bytes_on_every_run(tmp_path: Path, use: Use) -> None:
    use(ALL)
    chance = random.Random(7)
    rows = [_random_row(chance) for _ in range(20_000)]
    snapshot = snapshot_of(tmp_path / "s", {FACTS: rows, COUNTED: []})
    assert len({str(compute(snapshot, None, LEVELS)) for _ in range(8)}) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), size=st.integers(0, 60))
def test_rolling_up_equals_counting_directly(
    tmp_path_factory: pytest.TempPathFactory, use: Use, seed: int, size: int
) -> None:
    use(ALL)
    chance = random.Random(seed)
    rows = [_random_row(chance) for _ in range(size)]
    snapshot = snapshot_of(tmp_path_factory.mktemp("s"), {FACTS: rows, COUNTED: []})
    for value in compute(
        snapshot, ["test.rows", "test.money", "test.people", "test.least", "test.weight", "test.counties"], LEVELS
    ):
        level = TREE[value.area_id][0]
        mine = [r for r in rows if ancestors(r["area_id"])[f"{level}_id"] == value.area_id]
        assert value.value == _direct(value.id, mine), (value.id, value.area_id)


def _random_row(chance: random.Random) -> dict[str, Any]:
    return {
        "area_id": chance.choice((*VILLAGES, 5, 3, 1)),
        "kind": chance.choice(("grant", "gift")),
        "amount_fen": chance.choice((None, chance.randrange(-(10**15), 10**15))),
        "weight": chance.choice((None, Decimal(chance.randrange(10**6)) / 1000)),
        "person": chance.choice((None, chance.randrange(9))),
        "good": chance.choice((True, False, None)),
    }


def _direct(name: str, rows: list[dict[str, Any]]) -> Fraction | int | None:
    money = [r["amount_fen"] for r in rows if r["amount_fen"] is not None]
    weight = [r["weight"] for r in rows if r["weight"] is not None]
    counties = {ancestors(r["area_id"])["county_id"] for r in rows if r["kind"] == "grant"} - {None}
    return {
        "test.rows": len(rows),
        "test.money": Fraction(sum(money), 100),
        "test.people": len({r["person"] for r in rows} - {None}),
        "test.least": min(money) if money else None,
        "test.weight": Fraction(sum(weight)) if weight else None,
        "test.counties": len(counties),
    }[name]
