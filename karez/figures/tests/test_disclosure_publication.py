"""From a snapshot to its cells, the units behind them and the relations; and a whole region."""

import random
from pathlib import Path

import pytest

from karez.closing.snapshots import Snapshot
from karez.figures import engine, publication
from karez.figures.attack import Kind, Place, RollUp, relations_of
from karez.figures.disclosure import COMPLEMENT, LEFT_OPEN, SHARE, SMALL, TOO_FINE, Cell, suppress
from karez.figures.publication import cells_for_publication
from karez.figures.tests.small import declared, figure, snapshot_of
from karez.kernel.figure_tables import FigureColumn, FigureTable
from karez.kernel.formula import parse_formula

PERSONS = FigureTable(
    name="small_persons",
    grain="one row per person",
    order_by="1",
    sql="",
    columns=(FigureColumn("key", "integer", "person", key=True), FigureColumn("sex", "integer", "sex")),
)
LOANS = FigureTable(
    name="small_loans",
    grain="one row per loan",
    order_by="1",
    sql="",
    columns=(
        FigureColumn("household_key", "integer", "household", key=True),
        FigureColumn("loan_id", "bigint", "loan"),
        FigureColumn("left_fen", "bigint", "left"),
    ),
)
DUES = FigureTable(
    name="small_dues",
    grain="one row per instalment",
    order_by="1",
    sql="",
    columns=(FigureColumn("loan_id", "bigint", "loan"), FigureColumn("due_fen", "bigint", "due")),
)
REPORTS = FigureTable(
    name="small_reports",
    grain="one row per report",
    order_by="1",
    sql="",
    columns=(FigureColumn("value", "numeric(12,2)", "told"),),
)
CAPITAL = FigureTable(
    name="small_capital",
    grain="one row per payment",
    order_by="1",
    sql="",
    columns=tuple(FigureColumn(name, "bigint", name) for name in ("society_id", "own_fen", "fee_fen", "grant_fen")),
)
MEMBERS = FigureTable(
    name="small_members",
    grain="one row per member",
    order_by="1",
    sql="",
    columns=(
        FigureColumn("household_key", "integer", "household", key=True),
        FigureColumn("society_id", "bigint", "society"),
    ),
)
TEXT = "".join(
    [
        figure("small.persons", table="small_persons", disclosure="person", unit="persons"),
        figure("small.women", table="small_persons", where="sex = 2", disclosure="person", unit="persons"),
        figure("small.men", table="small_persons", where="sex = 1", disclosure="person", unit="persons"),
        figure("small.share", formula="100 * small.women / small.persons", unit="percent", kind="share"),
        figure("small.most", formula="small.men - small.women", disclosure="person", unit="persons"),
        figure("small.due", table="small_dues", value="sum(due_fen)", scale=100, disclosure="household", unit="yuan"),
        figure("small.told", table="small_reports", value="sum(value)", disclosure="person", unit="persons"),
        figure("small.paid", table="small_reports", value="sum(value)", disclosure="household", unit="yuan"),
        figure(
            "small.left", table="small_loans", value="sum(left_fen)", scale=100, disclosure="household", unit="yuan"
        ),
    ]
)
# Persons by village: 8, 9 in township 5 and 10 in 6, both of county 3; 11, 12 in township 7 of county 4.
WOMEN, MEN = {8: 2, 9: 1, 10: 20, 11: 15, 12: 15}, {8: 20, 9: 20, 10: 20, 11: 20, 12: 20}


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """A snapshot with those persons, and loans of two households in village 8, of which one owes nothing."""
    found, faults = declared(tmp_path / "declared", TEXT, (PERSONS, LOANS, DUES, REPORTS))
    assert faults == []
    monkeypatch.setattr(engine, "declarations", lambda: found)
    monkeypatch.setattr(publication, "WHOLES", {"small.persons": ("small.women", "small.men")})
    people = [(village, sex) for sex, by in ((2, WOMEN), (1, MEN)) for village, many in by.items() for _ in range(many)]
    persons = [{"area_id": village, "key": n, "sex": sex} for n, (village, sex) in enumerate(people)]
    owed = ((1, 50_000), (1, 20_000), (2, 0))
    loans = [{"area_id": 8, "household_key": k, "left_fen": left, "loan_id": n} for n, (k, left) in enumerate(owed)]
    loans += [{"area_id": 11, "household_key": k, "left_fen": 10_000, "loan_id": k} for k in range(10, 30)]
    dues = [{"area_id": 8, "loan_id": n, "due_fen": 100} for n in (0, 0, 1, 2)]
    reports = [{"area_id": 8, "value": 12}, {"area_id": 9, "value": 30}]
    return snapshot_of(tmp_path / "snapshot", {PERSONS: persons, LOANS: loans, DUES: dues, REPORTS: reports})


def test_cells_and_the_units_behind_them(snapshot: Snapshot) -> None:
    made = cells_for_publication(snapshot, levels=("region", "county", "township"))
    by_key = {(c.figure, c.place): c for c in made.cells}
    assert by_key["small.women", 5] == Cell("small.women", 5, 3, 3, "person", Kind.COUNT)
    assert by_key["small.share", 5].units == 43 and by_key["small.share", 5].unit == "person"
    assert (by_key["small.most", 6].value, by_key["small.most", 6].units) == (0, 0)
    assert by_key["small.most", 7].units == 10  # the difference, not the 40 and 30 it is made of
    left = by_key["small.left", 5]
    assert (left.value, left.units, left.unit, left.kind) == (700, 1, "household", Kind.AMOUNT)
    assert by_key["small.left", 6].units == 0
    assert by_key["small.due", 5].units == 2  # three loans of two households
    assert by_key["small.told", 5].units == 42 and by_key["small.paid", 5].units == 1  # nobody says of how many
    assert made.tree[5] == Place(3, "township")


def test_the_decision_over_a_snapshot(snapshot: Snapshot) -> None:
    made = cells_for_publication(snapshot, levels=("region", "county", "township"))
    found = made.suppressed()
    assert found.suppressed["small.women", 5] == SMALL and found.suppressed["small.share", 5] == SHARE
    assert ("small.men", 5) in found.suppressed or (
        "small.persons",
        5,
    ) in found.suppressed  # women and men are all persons
    assert found.suppressed["small.left", 3] == SMALL  # one household owes in the whole county
    assert ("small.women", 6) in found.suppressed and not found.exposed
    assert not any(
        place == 1 for figure_, place in found.suppressed if figure_ in ("small.women", "small.share", "small.persons")
    )


def test_money_of_societies_is_that_of_their_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that name only a society: twelve households put in 900 in county 3, four 50 in county 4, and of one society
    nobody is known.
    """
    text = "".join(
        figure(f"small.{name}", table="small_capital", value=f"sum({column})", scale=100, disclosure=unit, unit="yuan")
        for name, column, unit in (
            ("members", "own_fen", "household"),
            ("fees", "fee_fen", "household"),
            ("public", "grant_fen", "village"),
        )
    ) + figure("small.whole", formula="small.public + small.members", disclosure="household", unit="yuan")
    found, faults = declared(tmp_path / "declared", text, (CAPITAL, MEMBERS))
    assert faults == []
    monkeypatch.setattr(engine, "declarations", lambda: found)
    paid = [(8, 1, 60_000), (8, 1, 30_000), (11, 2, 5_000), (12, 3, 100)]
    rows = [
        {"area_id": a, "society_id": n, "own_fen": fen, "fee_fen": 7 if n == 1 else 0, "grant_fen": 1_000_000}
        for a, n, fen in paid
    ]
    members = [{"area_id": 8, "society_id": 1, "household_key": k} for k in range(12)] + [
        {"area_id": 11, "society_id": 2, "household_key": k} for k in range(20, 24)
    ]
    made = cells_for_publication(
        snapshot_of(tmp_path / "s", {CAPITAL: rows, MEMBERS: members}), levels=("region", "county")
    )
    by_key = {(c.figure, c.place): (c.value, c.units, c.unit) for c in made.cells}
    assert by_key["small.members", 3] == (900, 12, "household") and by_key["small.members", 4] == (51, 5, "household")
    assert by_key["small.fees", 3][1] == 12 and by_key["small.fees", 4][1] == 0
    assert by_key["small.whole", 4] == (20_051, 5, "household") and by_key["small.public", 4][2] == "village"
    withheld = made.suppressed().suppressed
    assert withheld["small.members", 4] == SMALL and withheld["small.whole", 4] == SMALL
    assert {("small.members", 3), ("small.whole", 3)} <= withheld.keys() and ("small.public", 4) not in withheld


def test_money_is_that_of_whom_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A society of twelve: all paid in, one paid a fee. The fee is one household's, however many members there are."""
    text = "".join(
        figure(
            f"small.{name}", table="small_keyed", value=f"sum({column})", scale=100, disclosure="household", unit="yuan"
        )
        for name, column in (("members", "own_fen"), ("fees", "fee_fen"))
    )
    keyed = FigureTable(
        "small_keyed",
        CAPITAL.grain,
        (*CAPITAL.columns, FigureColumn("household_key", "integer", "whose", key=True)),
        "",
        "1",
    )
    found, faults = declared(tmp_path / "declared", text, (keyed, MEMBERS))
    assert faults == []
    monkeypatch.setattr(engine, "declarations", lambda: found)
    rows = [{"area_id": 8, "society_id": 1, "own_fen": 5_000, "fee_fen": 0, "household_key": k} for k in range(12)]
    rows += [{"area_id": 8, "society_id": 1, "own_fen": 0, "fee_fen": 4_000, "household_key": 3}]
    rows += [
        {"area_id": 11, "society_id": n, "own_fen": 100, "fee_fen": 0, "household_key": None} for n in (2, 3)
    ]  # nobody is told: two at least
    members = [{"area_id": 8, "society_id": 1, "household_key": k} for k in range(12)]
    made = cells_for_publication(
        snapshot_of(tmp_path / "s", {keyed: rows, MEMBERS: members}), levels=("region", "county")
    )
    units = {(c.figure, c.place): c.units for c in made.cells}
    assert (units["small.members", 3], units["small.fees", 3], units["small.members", 4]) == (12, 1, 2)
    assert made.suppressed().suppressed["small.fees", 3] == SMALL


def test_villages_are_too_fine(snapshot: Snapshot) -> None:
    made = cells_for_publication(snapshot, ["small.men"], levels=("region", "village"))
    assert set(made.suppressed().suppressed.values()) == {TOO_FINE}


def big(many_villages: int, figures: int) -> tuple[dict[int, Place], list[Cell], list[object]]:
    """A region of 22 counties with persons, households, villages and money, and a formula in ten."""
    rng, tree = random.Random(9), {1: Place(None, "region")}
    tree |= {n: Place(1, "county") for n in range(2, 24)}
    tree |= {n: Place(2 + n % 22, "township") for n in range(24, 284)}
    tree |= {n: Place(24 + n % 260, "village") for n in range(284, 284 + many_villages)}
    cells: list[Cell] = []
    relations: list[object] = []
    for number in range(figures):
        name, unit = f"f{number}", ("person", "household", "village", "none")[number % 4]
        total = dict.fromkeys(tree, 0)
        for village in range(284, 284 + many_villages):
            value, place = rng.randint(1, 20) if rng.random() < 0.1 else 0, village
            while value and place:
                total[place] += value
                place = tree[place].parent_id or 0
        cells += [Cell(name, p, v, v, unit, Kind.COUNT) for p, v in total.items()]
        relations.append(RollUp(name))
        if number % 10 == 9:
            one, other = f"f{number - 1}", f"f{number - 5}"
            values = {(c.figure, c.place): c for c in cells if c.figure in (one, other)}
            cells += [
                Cell(
                    f"{name}.sum",
                    p,
                    (values[one, p].value or 0) + (values[other, p].value or 0),
                    values[one, p].units,
                    "person",
                    Kind.COUNT,
                )
                for p in tree
            ]
            relations += [RollUp(f"{name}.sum"), *relations_of(f"{name}.sum", parse_formula(f"{one} + {other}"))]
    return tree, cells, relations


def test_a_whole_region() -> None:
    """17 figures at 1,284 places."""
    tree, cells, relations = big(1_000, 16)
    found = suppress(cells, tree, relations)  # type: ignore[arg-type]
    assert len(cells) > 20_000 and found.report.by_reason[SMALL] > 100 < found.report.by_reason[COMPLEMENT]
    assert not found.exposed and found.report.narrowest is not None and found.report.narrowest >= LEFT_OPEN.counts
