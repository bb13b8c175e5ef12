"""Errata against a reader of everything published: refused when proposed and when approved; known to editions made after them."""

import pytest

from karez.kernel.refusal import Refusal
from karez.yearbook.content import Content
from karez.yearbook.models import Edition
from karez.yearbook.other_editions import _edition
from karez.yearbook.queries import signed_contents
from karez.yearbook.services import add_erratum, approve_erratum
from karez.yearbook.tests.conftest import ClosedYear
from karez.yearbook.tests.test_two_years_signed import first_year

__all__ = ["first_year"]


def _people(year: ClosedYear, place: str, corrected: str) -> int:
    edition = Edition.objects.get(year=2009)
    return add_erratum(year.statistician, edition.pk, figure="small.people", place=place, corrected=corrected, reason="a list was left out").pk


def test_an_erratum_that_tells_of_another_county_is_refused(first_year: ClosedYear) -> None:
    """30 and 40 people in two counties, 70 in all."""
    with pytest.raises(Refusal) as refused:
        _people(first_year, "990101", "67")
    assert refused.value.code == "yearbook.erratum_tells"
    assert "small.people at 990102" in refused.value.found
    _people(first_year, "990101", "50")


def test_errata_are_weighed_together_when_approved(first_year: ClosedYear) -> None:
    region, county = _people(first_year, "99", "58"), _people(first_year, "990101", "52")  # each alone leaves 28, 18 and 18
    approve_erratum(first_year.approver, region)
    with pytest.raises(Refusal) as refused:
        approve_erratum(first_year.approver, county)  # 58 - 52
    assert refused.value.code == "yearbook.erratum_tells"
    with pytest.raises(Refusal) as few:
        _people(first_year, "99", "60")  # two more than the erratum beside it
    assert few.value.code == "yearbook.small_difference"


def test_editions_after_an_erratum_know_it(first_year: ClosedYear) -> None:
    approve_erratum(first_year.approver, _people(first_year, "990101", "50"))
    content = signed_contents()[2009, 1]
    assert content.corrected == {("small.people", "990101"): "50"} and content == Content(content.text)
    edition = _edition(2009, 1, content, other_year=False)
    key = ("small.people", content.places["990101"]["area_id"])
    assert (edition.values[key], edition.printed) == (50, {key: 30})
