"""What the pictures of money are drawn from: the parts of declared figures in a snapshot made by hand. No database."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from karez.closing.snapshots import Snapshot
from karez.figures.engine import compute
from karez.figures.tests.small import snapshot_of
from karez.funds.figure_tables import MONEY
from karez.mutual_funds.figure_tables import CAPITAL
from karez.yearbook.money import ALLOCATED, RECEIVED, capital_of, flow_of

LINES = {"A": ("mutual_funds", "Finance", "财政"), "B": ("training", "Fund", "")}


def money(kind: str, line: str, area: int, yuan: int, year: int = 2009) -> dict[str, Any]:
    programme, funder, funder_zh = LINES[line]
    return {
        "area_id": area, "kind": kind, "line_code": line, "line_name": f"line {line}", "line_year": year, "programme": programme,
        "funder_code": funder, "funder_name": funder, "funder_name_zh": funder_zh, "amount_fen": yuan * 100,
    }  # fmt: skip


def pot(opening: bool, grant: int, members: int) -> dict[str, Any]:
    return {"area_id": 8, "opening": opening, "grant_fen": grant * 100, "contributions_fen": members * 100, "gifts_fen": 0, "surplus_fen": 0}


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    rows = [
        money("appropriation", "A", 1, 700), money("appropriation", "A", 1, 300), money("appropriation", "B", 1, 50),
        money("appropriation", "A", 1, 9999, year=2008), money("allocation", "A", 3, 600), money("allocation", "A", 4, 100),
        money("allocation", "A", 3, 1), money("allocation", "B", 4, 50), money("allocation", "B", 4, 8888, year=2008),
    ]  # fmt: skip
    return snapshot_of(tmp_path / "s", {MONEY: rows, CAPITAL: [pot(True, 20, 5), pot(False, 70, 0), pot(False, 0, 15)]})


def test_the_flow_is_the_figures_told_apart(snapshot: Snapshot) -> None:
    flow = flow_of(snapshot)
    assert flow
    assert flow["lines"] == [
        {"code": "A", "name": "line A", "programme": "mutual_funds", "funder_en": "Finance", "funder_zh": "财政", "received": "1000"},
        {"code": "B", "name": "line B", "programme": "training", "funder_en": "Fund", "funder_zh": "", "received": "50"},
    ]
    assert flow["paid"] == [["A", "990003", "601"], ["A", "990004", "100"], ["B", "990004", "50"]]
    whole = {v.id: v.value for v in compute(snapshot, [RECEIVED, ALLOCATED])}
    assert sum(Fraction(x["received"]) for x in flow["lines"]) == whole[RECEIVED]
    assert sum(Fraction(value) for _line, _place, value in flow["paid"]) == whole[ALLOCATED]


def test_capital_begins_with_what_was_there_before_the_first_year(snapshot: Snapshot, tmp_path: Path) -> None:
    later = snapshot_of(tmp_path / "t", {MONEY: [], CAPITAL: [pot(True, 20, 5), pot(False, 200, 40)]}, year=2010)
    states = capital_of([later, snapshot], 1, 2009)
    assert [(s["year"], s["opening"], s["of"], list(s["values"].values())) for s in states] == [
        (2009, True, 2009, ["20", "5"]), (2009, False, 2009, ["90", "20"]), (2010, False, 2010, ["220", "45"]),
    ]  # fmt: skip


def test_a_snapshot_without_these_tables_has_no_pictures(tmp_path: Path) -> None:
    bare = snapshot_of(tmp_path / "b", {})
    assert flow_of(bare) is None
    assert capital_of([bare], 1, 2009) == []
