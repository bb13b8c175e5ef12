"""A figure told apart: the parts add up to it, and nothing that speaks of people is."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from karez.figures.breakdown import Part, breakdown
from karez.figures.engine import compute
from karez.figures.tests.small import FACTS, Use, figure, snapshot_of
from karez.kernel.refusal import Refusal

ROWS = [
    {"area_id": 8, "kind": "a", "amount_fen": 1050, "good": True, "person": 1, "weight": Decimal(1)},
    {"area_id": 9, "kind": "b", "amount_fen": 250, "good": True, "person": 2, "weight": Decimal(1)},
    {"area_id": 11, "kind": "b", "amount_fen": 700, "good": True, "person": 3, "weight": Decimal(1)},
    {"area_id": 11, "kind": "b", "amount_fen": 9999, "good": False, "person": 3, "weight": Decimal(1)},
]


def test_the_parts_add_up(tmp_path: Path, use: Use) -> None:
    use(figure("test.money", value="sum(amount_fen)", where="good", scale=100, unit="yuan"))
    snapshot = snapshot_of(tmp_path / "s", {FACTS: ROWS})
    assert breakdown(snapshot, "test.money", ("kind",), "county") == (
        Part(3, ("a",), Fraction(21, 2)),
        Part(3, ("b",), Fraction(5, 2)),
        Part(4, ("b",), Fraction(7)),
    )
    by_region = breakdown(snapshot, "test.money", ("kind",), "region")
    assert by_region
    assert sum(p.value for p in by_region) == compute(snapshot, ["test.money"])[0].value
    assert breakdown(snapshot, "test.money", ("nothing_of_the_kind",), "region") is None


@pytest.mark.parametrize("more", [{"disclosure": "person"}, {"value": "count(distinct person)"}, {"formula": "2"}])
def test_what_speaks_of_people_or_does_not_add_up_is_refused(tmp_path: Path, use: Use, more: dict[str, str]) -> None:
    use(figure("test.x", **more))
    with pytest.raises(Refusal) as refused:
        breakdown(snapshot_of(tmp_path / "s", {FACTS: ROWS}), "test.x", ("kind",), "region")
    assert refused.value.code == "figures.not_told_apart"
