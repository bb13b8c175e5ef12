"""What the pictures of money are drawn from: the parts of declared figures in a snapshot made by hand. No database."""

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from karez.chapter.money import ALLOCATED, RECEIVED, capital_of, flow_of
from karez.closing.snapshots import Snapshot
from karez.figures.engine import compute, declared
from karez.figures.tests.small import snapshot_of
from karez.funds.figure_tables import MONEY
from karez.mutual_funds.figure_tables import CAPITAL, MEMBERS, OPENING
from karez.publication.content import Content
from karez.publication.content_making import _held_then

LINES = {"A": ("mutual_funds", "Finance", "财政"), "B": ("training", "Fund", "")}


def money(kind: str, line: str, area: int, yuan: int, year: int = 2009, day: date = date(2009, 3, 1)) -> dict[str, Any]:
    programme, funder, funder_zh = LINES[line]
    return {
        "area_id": area,
        "kind": kind,
        "line_code": line,
        "line_name": f"line {line}",
        "line_year": year,
        "programme": programme,
        "funder_code": funder,
        "funder_name": funder,
        "funder_name_zh": funder_zh,
        "amount_fen": yuan * 100,
        "counts_on": day,
    }


def pot(grant: int, members: int) -> dict[str, Any]:
    return {
        "area_id": 8,
        "grant_fen": grant * 100,
        "contributions_fen": members * 100,
        "gifts_fen": 0,
        "surplus_fen": 0,
    }


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    rows = [
        money("appropriation", "A", 1, 700),
        money("appropriation", "A", 1, 300),
        money("appropriation", "B", 1, 50),
        money("appropriation", "A", 1, 9999, year=2008),
        money("allocation", "A", 3, 600),
        money("allocation", "A", 4, 100),
        money("allocation", "A", 3, 1),
        money("allocation", "B", 4, 50),
        money("allocation", "B", 4, 8888, year=2008),
        money("allocation", "B", 4, 77, year=2008, day=date(2008, 12, 31)),
    ]
    return snapshot_of(
        tmp_path / "s", {MONEY: rows, OPENING: [pot(20, 5), pot(7, 0)], CAPITAL: [pot(20, 5), pot(70, 0), pot(0, 15)]}
    )


def test_the_flow_is_the_figures_told_apart(snapshot: Snapshot) -> None:
    flow = flow_of(snapshot)
    assert flow
    assert flow["lines"] == [
        {
            "code": "A",
            "name": "line A",
            "programme": "mutual_funds",
            "funder_en": "Finance",
            "funder_zh": "财政",
            "funder": "Finance",
            "received": "1000",
        },
        {
            "code": "B",
            "name": "line B",
            "programme": "training",
            "funder_en": "Fund",
            "funder_zh": "",
            "funder": "Fund",
            "received": "50",
        },
    ]
    assert flow["paid"] == [["A", "990003", "601"], ["A", "990004", "100"], ["B", "990004", "50"]]
    assert flow["earlier"] == "8888"
    whole = {v.id: v.value for v in compute(snapshot, [RECEIVED, ALLOCATED])}
    assert sum(Fraction(x["received"]) for x in flow["lines"]) == whole[RECEIVED]
    assert sum(Fraction(value) for _line, _place, value in flow["paid"]) == whole[ALLOCATED]


def test_capital_begins_with_what_was_there_before_the_first_year(snapshot: Snapshot, tmp_path: Path) -> None:
    later = snapshot_of(
        tmp_path / "t", {MONEY: [], OPENING: [pot(20, 5)], CAPITAL: [pot(20, 5), pot(200, 40)]}, year=2010
    )
    states = capital_of([later, snapshot], 1, 2009)
    assert [(s["year"], s["opening"], s["of"], list(s["values"].values())) for s in states] == [
        (2009, True, 2009, ["27", "5"]),
        (2009, False, 2009, ["90", "20"]),
        (2010, False, 2010, ["220", "45"]),
    ]


def test_members_money_of_few_households_is_told_in_no_later_year(tmp_path: Path) -> None:
    """What an earlier year may not tell of its region stands in no picture of a later one; nor what its edition
    withheld.
    """
    members = [
        {"area_id": 8, "society_id": 1, "household_key": UUID(int=k).bytes, "joined_on": date(2009, 1, 1)}
        for k in range(20)
    ]

    def paid_in(households: int) -> dict[Any, list[dict[str, Any]]]:
        paid = [{**pot(0, 5), "society_id": 1, "household_key": UUID(int=k).bytes} for k in range(households)]
        return {OPENING: [{**pot(20, 0), "society_id": 1}, *paid], CAPITAL: paid, MEMBERS: members}

    assert set(_held_then(snapshot_of(tmp_path / "few", paid_in(9)), 1, {})) == {
        "mutual_funds.opening_members",
        "mutual_funds.capital_members",
    }
    plain = snapshot_of(tmp_path / "many", paid_in(10))
    assert set(_held_then(plain, 1, {})) == set()
    said = {"region": {"place": "99"}, "cells": [["mutual_funds.capital_members", "99", None, "suppressed"]]}
    assert set(_held_then(plain, 1, {(2009, 1): Content(json.dumps(said))})) == {"mutual_funds.capital_members"}
    assert set(_held_then(plain, 1, {(2008, 1): Content(json.dumps(said))})) == set()


def test_money_of_households_is_declared_so() -> None:
    """Members' own money, loans, fees and what fell due speak of households; public money and gifts of villages."""
    public = {
        "capital_government",
        "capital_gifts",
        "opening_government",
        "grants_year",
        "grants_year_lgop",
        "opening_gifts",
    }
    of_households = {
        f.id.partition(".")[2]
        for f in declared().of_year(2009).values()
        if f.table
        in (
            "mutual_funds_capital",
            "mutual_funds_opening",
            "mutual_funds_members",
            "mutual_funds_loans",
            "mutual_funds_dues",
        )
        and f.disclosure == "household"
    }
    assert {
        "capital_members",
        "opening_members",
        "capital_surplus",
        "member_households",
        "loans_outstanding",
        "fell_due",
    } <= of_households
    others = [
        f.id
        for f in declared().of_year(2009).values()
        if f.table.startswith("mutual_funds_") and f.table != "mutual_funds_societies" and f.disclosure != "household"
    ]
    assert {i.partition(".")[2] for i in others} <= public


def test_a_snapshot_without_these_tables_has_no_pictures(tmp_path: Path) -> None:
    bare = snapshot_of(tmp_path / "b", {})
    assert flow_of(bare) is None
    assert capital_of([bare], 1, 2009) == []


def test_a_line_that_paid_without_receiving_and_a_table_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [money("appropriation", "A", 1, 700), money("allocation", "B", 4, 50)]
    flow = flow_of(snapshot_of(tmp_path / "u", {MONEY: rows}))
    assert flow and [(x["code"], x["received"]) for x in flow["lines"]] == [("A", "700"), ("B", "0")]
    broken = snapshot_of(tmp_path / "v", {MONEY: rows})
    monkeypatch.setattr("karez.figures.breakdown._cell", lambda *_: "nothing_such")
    assert flow_of(broken) == {"lines": [], "paid": [], "gap": "not_told_apart"}
