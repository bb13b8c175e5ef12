"""A reader with all files of one year, then of two, solves for what is withheld: nothing follows, from no file and from
all together.
"""

from pathlib import Path

import pytest

from karez.closing.tests.conftest import SmallRegion
from karez.publication.models import Edition
from karez.publication.publishing import publish
from karez.publication.services import add_erratum, approve_erratum
from karez.publication.tests.conftest import ClosedYear
from karez.publication.tests.reader import claims_of, differing, follows_from, numbers_of
from karez.publication.tests.test_two_years_signed import _second_year, _sign, signed_year

STOCK, JOINED = "small.people", "small.joined"
COUNTIES = ("990101", "990102")


def _are_the_same(folder: Path) -> None:
    claims = claims_of(folder)
    assert list(differing(claims)) == []
    for name in (
        "data/values.csv",
        "figures.csv",
        "figures.xlsx",
        f"figures/{STOCK}.html",
        f"figures/{STOCK}.zh.html",
        "chapter.docx",
        "chapter.zh.docx",
        "chapter.html",
    ):
        assert (STOCK, "99") in claims[name] or (STOCK, COUNTIES[0]) in claims[name], name  # it was read


def test_one_year(small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """135 people in one county, 6 in the other."""
    signed_year(small_region, monkeypatch, tmp_path, (135, 6))
    out = {2009: tmp_path / "2009"}
    publish("99", 2009, out[2009])
    _are_the_same(out[2009])
    assert not [name for name, told in numbers_of(out[2009]).items() if "135" in told]
    assert all(
        "141" in numbers_of(out[2009])[name]
        for name in ("chapter.pdf", "chapter.zh.pdf", "chapter.docx", "figures.xlsx", "chapter.zh.html", "edition.json")
    )
    assert follows_from(out, {}) == set()
    assert follows_from(out, {}, {(STOCK, COUNTIES[0]): {135}}) == {
        (2009, STOCK, c) for c in COUNTIES
    }  # the reader can solve  # type: ignore[dict-item]


def test_two_years_and_an_erratum(small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """130 and 140 people, then 4 and 137 more: this year's counties, and who joined there, are withheld and do not
    follow.
    """
    first: ClosedYear = signed_year(small_region, monkeypatch, tmp_path, (130, 140))
    edition = Edition.objects.get(year=2009)
    erratum = add_erratum(first.statistician, edition.pk, figure=STOCK, corrected="330", reason="a list was left out")
    approve_erratum(first.approver, erratum.pk)
    second = _second_year(first, (4, 137))
    _sign(second, 2010)
    out = {year: tmp_path / str(year) for year in (2009, 2010)}
    for year, folder in out.items():
        publish("99", year, folder)
        _are_the_same(folder)
    assert claims_of(out[2009])["data/errata.csv"] == {(STOCK, "99"): {330}}
    read = numbers_of(out[2010])
    assert "411" in read["chapter.pdf"] and "141" in read["figures.csv"]
    assert not {(name, n) for name, told in read.items() for n in ("134", "277", "137") if n in told}
    between = {2010: (2009, STOCK, JOINED)}
    assert follows_from(out, between) == set()
    known = follows_from(out, between, {(JOINED, COUNTIES[1]): {137}})  # type: ignore[dict-item]
    assert known >= {(2010, STOCK, c) for c in COUNTIES} | {(2010, JOINED, c) for c in COUNTIES}
