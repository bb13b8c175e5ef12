"""Printed against computed figures: at printed precision and hedge, with aliases, with nothing computed."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from karez.comparison.printed_against_computed import compare
from karez.kernel.printed import PrintedNumber, Qualifier
from karez.proofreader.chapter_file import PrintedFigure, read_chapter
from karez.proofreader.proof import DATA


def figure(name: str, value: str, qualifier: str = "exact", rounding: str = "1") -> PrintedFigure:
    printed = PrintedNumber(Decimal(value), Qualifier(qualifier), Decimal(rounding), "yuan")
    return PrintedFigure(2, name, "a label", printed, False, None, {})


@pytest.mark.parametrize(
    ("row", "computed", "agrees", "why"),
    [
        (figure("x", "428"), 428, True, "Computed: 428; printed: 428: the same."),
        (figure("x", "428"), 429, False, "Computed: 429; printed: 428: it does not agree exactly."),
        (
            figure("x", "85500000", "rounded", "10000"),
            Decimal("85503000.00"),
            True,
            "Computed: 85,503,000; printed: 85,500,000: it agrees when rounded to 10,000.",
        ),
        (
            figure("x", "30.5", "rounded", "0.1"),
            Fraction(42800, 1404),
            True,
            "Computed: 30.484; printed: 30.5: it agrees when rounded to 0.1.",
        ),
        (
            figure("x", "70", "rounded"),
            Fraction(266800, 3606),
            False,
            "Computed: 73.988; printed: 70: it does not agree when rounded to 1.",
        ),
        (
            figure("x", "40000", "more_than", "10000"),
            40321,
            True,
            "Computed: 40,321; printed: more than 40,000: it agrees with the limit more than.",
        ),
        (
            figure("x", "40000", "more_than", "10000"),
            40000,
            False,
            "Computed: 40,000; printed: more than 40,000: it does not agree with the limit more than.",
        ),
        (figure("x", "10000", "nearly", "10000"), 9_500, True, None),
        (figure("x", "10000", "nearly", "10000"), 10_001, False, None),
        (figure("x", "0"), 0, True, "Computed: 0; printed: 0: the same."),
    ],
)
def test_agreement_is_told_with_its_manner(row, computed, agrees, why):
    result = compare([row], {"x": computed})
    assert result.figures[0].agrees is agrees
    assert why is None or result.figures[0].why == why
    assert result.agreeing == int(agrees)


def test_nothing_computed_is_neither_yes_nor_no():
    result = compare([figure("x", "1"), figure("y", "1")], {"x": None})
    assert [f.agrees for f in result.figures] == [None, None]
    assert [f.reason for f in result.figures] == ["no_value", "no_definition"]
    assert result.figures[1].why == "No definition of this figure exists yet."
    assert (result.agreeing, result.differing, len(result.figures)) == (0, 0, 2)


def test_a_figure_printed_again_is_found_by_its_alias():
    rows = [figure("first", "8"), figure("again", "8"), figure("own", "9")]
    computed = {"first": 8, "own": 9}
    result = compare(rows, computed, {"again": "first", "own": "first", "gone": "first"})
    assert [f.computed for f in result.figures] == [8, 8, 9]
    assert result.agreeing == 3


def test_every_row_of_a_chapter_has_an_entry_and_the_shape_is_stable():
    rows = read_chapter((DATA / "ningxia-2009.csv").read_bytes()).figures
    printed = {row.id: row.printed.value for row in rows if row.printed.qualifier is not Qualifier.MORE_THAN}
    result = compare(rows, printed)
    answer = json.loads(json.dumps(result.as_dict()))
    assert list(answer)[:3] == ["figures", "agreeing", "of"]
    assert (answer["of"], answer["agreeing"]) == (73, 65)
    keys = ["id", "label", "printed", "qualifier", "rounding", "computed", "agrees", "why"]
    assert all(list(entry)[:8] == keys for entry in answer["figures"])
    assert [entry["agrees"] for entry in answer["figures"]].count(None) == 8
