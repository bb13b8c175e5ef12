"""Errata against a reader of everything published: refused when proposed and when approved; known to editions made
after them.
"""

from fractions import Fraction

import pytest

from karez.kernel.refusal import Refusal
from karez.publication.content import Content
from karez.publication.models import Edition
from karez.publication.other_editions import _edition
from karez.publication.queries import signed_contents
from karez.publication.services import _exact, add_erratum, approve_erratum
from karez.publication.tests.conftest import ClosedYear
from karez.publication.tests.test_two_years_signed import first_year

__all__ = ["first_year"]


def _people(year: ClosedYear, place: str, corrected: str) -> int:
    edition = Edition.objects.get(year=2009)
    return add_erratum(
        year.statistician,
        edition.pk,
        figure="small.people",
        place=place,
        corrected=corrected,
        reason="a list was left out",
    ).pk


def test_an_erratum_that_tells_of_another_county_is_refused(first_year: ClosedYear) -> None:
    """30 and 40 people in two counties, 70 in all."""
    with pytest.raises(Refusal) as refused:
        _people(first_year, "990101", "67")
    assert refused.value.code == "publication.erratum_tells"
    assert "small.people at 990102" in refused.value.found
    _people(first_year, "990101", "50")


def test_errata_are_weighed_together_when_approved(first_year: ClosedYear) -> None:
    region, county = (
        _people(first_year, "99", "58"),
        _people(first_year, "990101", "52"),
    )  # each alone leaves 28, 18 and 18
    approve_erratum(first_year.approver, region)
    with pytest.raises(Refusal) as refused:
        approve_erratum(first_year.approver, county)  # 58 - 52
    assert refused.value.code == "publication.erratum_tells"
    with pytest.raises(Refusal) as few:
        _people(first_year, "99", "60")  # two more than the erratum beside it
    assert few.value.code == "publication.small_difference"


def test_editions_after_an_erratum_know_it(first_year: ClosedYear) -> None:
    approve_erratum(first_year.approver, _people(first_year, "990101", "50"))
    content = signed_contents()[2009, 1]
    assert content.corrected == {("small.people", "990101"): "50"} and content == Content(content.text)
    edition = _edition(2009, 1, content, other_year=False)
    key = ("small.people", content.places["990101"]["area_id"])
    assert (edition.values[key], edition.printed) == (50, {key: 30})


@pytest.mark.parametrize(
    "written",
    ["1_000", "1000/7", "1e3", "+50", "١٢٣", "12,34", ",500", "1,0000", "5.", ".5", "0x50", "--50", "", "9" * 41],
)
def test_an_erratum_prints_plain_digits(first_year: ClosedYear, written: str) -> None:
    with pytest.raises(Refusal) as refused:
        _people(first_year, "99", written)
    assert refused.value.code == "publication.no_number"


@pytest.mark.parametrize("written", ["-50", "100.5", "1,000.25"])
def test_people_are_whole_and_not_below_zero(first_year: ClosedYear, written: str) -> None:
    with pytest.raises(Refusal) as refused:
        _people(first_year, "99", written)
    assert refused.value.code == "publication.no_count"


@pytest.mark.parametrize(
    ("told", "written", "exact"),
    [
        ({"unit": "persons", "value": "count(*)"}, " 1,000 ", 1000),
        ({"unit": "villages", "value": "sum(value)"}, "12.0", 12),
        ({"unit": "villages", "value": "sum(value)"}, "12.5", None),
        ({"unit": "villages", "formula": "a - b"}, "-3", -3),  # more than were planned
        ({"unit": "villages", "formula": "a / b", "kind": "average"}, "12.5", Fraction("12.5")),
        ({"unit": "yuan", "value": "sum(fen)"}, "-1,234,567.89", Fraction("-1234567.89")),
        ({"unit": "percent", "formula": "100 * a / b", "kind": "growth"}, "-0.5", Fraction("-0.5")),
    ],
)
def test_what_a_figure_may_be(told: dict[str, str], written: str, exact: Fraction | None) -> None:
    figure = {"id": "f", "kind": "stock", **told}
    if exact is None:
        with pytest.raises(Refusal):
            _exact(written, figure)
    else:
        assert _exact(written, figure) == exact
