"""The same figure in every sealed year, also those a reopening left behind; the yearbook's list of years where nothing
is to be read yet.
"""

import re
import shutil
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.closing import services as closing
from karez.closing import snapshots
from karez.figures import engine
from karez.figures.declarations import Declarations
from karez.figures.history import GONE, in_years
from karez.kernel.refusal import Refusal
from karez.publication.tests.conftest import ClosedYear
from karez.web.tests import samples
from karez.web.tests.reading import read

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def _client(user: Any, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend=BACKEND)
    return client


def _no_snapshots() -> None:
    for old in snapshots.root().iterdir():
        shutil.rmtree(old)  # the folder is one for the whole run, the databases are many


def _trace(user: Any, year: int, area: int | None = None, language: str = "en") -> str:
    address = reverse("trace:trace", args=["99", year, "small.people"]) + (f"?area={area}" if area else "")
    return read(_client(user, language).get(address).content.decode())


def test_a_figure_over_the_years(two_years: ClosedYear, monkeypatch: pytest.MonkeyPatch) -> None:
    found = in_years(two_years.regional, "small.people")
    assert [(o.sealed.year, o.value, o.change) for o in found] == [(2010, 64, 35), (2009, 29, None)]
    county = two_years.region.counties[1]
    assert [(o.value, o.change) for o in in_years(None, "small.people", area_id=county)] == [(20, 15), (5, None)]
    said = _trace(two_years.regional, 2010)
    assert "+35 persons" in said
    assert [o.compared for o in found] == [2009, None] and "on 2009</div>" in said
    assert f'href="{reverse("trace:trace", args=["99", 2009, "small.people"])}"' in said
    assert f'2009/small.people/?area={county}"' in _trace(two_years.regional, 2010, county)
    # Another definition of the id in 2010: no change is told between what was counted differently.
    known = engine.declared().figures
    other = Declarations(
        (*(replace(f, valid_before=2010) for f in known), *(replace(f, valid_from=2010) for f in known))
    )
    monkeypatch.setattr(engine, "declarations", lambda: other)
    assert [(o.value, o.change) for o in in_years(None, "small.people")] == [(64, None), (29, None)]
    assert "counted by another definition" in _trace(two_years.regional, 2010)


def test_who_sees_only_a_county_sees_its_years(two_years: ClosedYear) -> None:
    county, other = two_years.region.counties
    clerk = add_user(username="clerk", full_name="Li Clerk", password=None)
    grant_role(None, user=clerk, role=Role.COUNTY_OFFICER, area_id=county, starts_on=date(2011, 1, 1))
    assert [o.value for o in in_years(clerk, "small.people", area_id=county)] == [44, 24]
    assert in_years(clerk, "small.people", area_id=other) == []
    nobody = add_user(username="nobody", full_name="No Body", password=None)
    with pytest.raises(Refusal):
        in_years(nobody, "small.people")


def test_a_reopened_year_shows_what_was_replaced(two_years: ClosedYear) -> None:
    first = two_years.snapshot
    closing.reopen(two_years.regional, two_years.approver, year=2010, reason="a list was late")
    assert [(o.sealed.year, o.sealed.current) for o in in_years(None, "small.people")] == [(2010, False), (2009, True)]
    two_years.region.fact(two_years.region.villages[0], starts_on="2010-07-01")
    closing.prepare(two_years.regional, year=2010)
    second = closing.sign(two_years.approver, year=2010)
    found = in_years(None, "small.people")
    assert [(o.sealed.year, o.sealed.current, o.value) for o in found] == [
        (2010, True, 65),
        (2010, False, 64),
        (2009, True, 29),
    ]
    assert [o.change for o in found] == [36, 35, None]
    said = _trace(two_years.regional, 2010)
    assert "the year was opened again since" in said
    assert first.name in said and second.name in said
    snapshots.remove(first)
    assert in_years(None, "small.people")[1].state == GONE
    assert "its snapshot is not on this disk" in _trace(two_years.regional, 2010)
    assert Fraction(65) == in_years(None, "small.people")[0].value


def test_one_sealed_year_says_so(closed_year: ClosedYear) -> None:
    assert "Only 2009 is sealed so far." in _trace(closed_year.regional, 2009)
    assert "封存" in _trace(closed_year.regional, 2009, language="zh-hans")


def test_no_sealed_year_and_rows_in_words(committed_world: Any) -> None:
    samples.build(committed_world)
    closing.provisional(committed_world.regional, year=2009)
    address = reverse("trace:trace", args=["99", 2009, "mutual_funds.loans_outstanding"])
    said = _client(committed_world.regional).get(address).content.decode()
    assert "No year with this figure is sealed yet" in said
    assert "still owed, yuan</th>" in said
    assert "outstanding_fen</th>" not in said


def test_a_year_without_a_snapshot_offers_no_chapter(committed_world: Any) -> None:
    _no_snapshots()
    client, chapter = _client(committed_world.regional), reverse("chapter:chapter", args=["99", 2009])
    said = client.get(reverse("chapter:home")).content.decode()
    assert chapter not in said
    assert reverse("closing:year", args=[2009]) in said
    assert (
        reverse("closing:year", args=[2009])
        not in _client(committed_world.clerk).get(reverse("chapter:home")).content.decode()
    )
    closing.provisional(committed_world.regional, year=2009)
    assert chapter in client.get(reverse("chapter:home")).content.decode()


def test_the_way_to_a_village_is_told_level_by_level(two_years: ClosedYear) -> None:
    """Each level between the region and the place leads to the same figure there, in the reader's language."""
    village = two_years.region.villages[0]
    for language, names in (
        ("en", ["Name 9901", "Name 990101", "Name 990101001"]),
        ("zh-hans", ["名9901", "名990101", "名990101001"]),
    ):
        crumbs = (
            _trace(two_years.regional, 2010, village, language).split('class="breadcrumb"', 1)[1].split("</ol>", 1)[0]
        )
        links = re.findall(r'<a href="[^"]*/small\.people/\?area=(\d+)">([^<]*)</a>', crumbs)
        assert [name for _area, name in links] == names
        assert int(links[1][0]) == two_years.region.counties[0]
    assert "Nothing lies below a village." in _trace(two_years.regional, 2010, village)
    assert "村以下不再分级。" in _trace(two_years.regional, 2010, village, "zh-hans")
    assert "Not collected below" not in _trace(two_years.regional, 2010, village)
    crumbs = _trace(two_years.regional, 2010).split('class="breadcrumb"', 1)[1].split("</ol>", 1)[0]
    assert "?area=" not in crumbs
