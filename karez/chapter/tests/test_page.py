"""A chapter's page is kept for the next reader, and never for one who may see less."""

import os
from datetime import date
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from karez.access.models import User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.chapter import page as chapter_page
from karez.closing import services as closing
from karez.publication.services import prepare_edition, review_edition, sign_edition
from karez.publication.tests.conftest import ClosedYear

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def read(user: User, language: str = "en") -> str:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend=BACKEND)
    return client.get(reverse("chapter:chapter", args=["99", 2009])).content.decode()


@pytest.fixture
def officers(closed_year: ClosedYear) -> list[User]:
    """An officer of each of the two counties."""
    made = []
    for n, county in enumerate(closed_year.region.counties):
        user = add_user(username=f"officer{n}", full_name=f"Officer {n}", password=None)
        grant_role(None, user=user, role=Role.COUNTY_OFFICER, area_id=county, starts_on=date(2010, 1, 1))
        made.append(user)
    return made


def test_a_kept_page_is_for_readers_who_see_the_same(closed_year: ClosedYear, officers: list[User]) -> None:
    first, second = (f'<th scope="row" class="fw-normal nowrap">Name 9901{n:02d}</th>' for n in (1, 2))
    whole = read(closed_year.regional)
    assert first in whole
    assert second in whole
    for _again in range(2):
        one, other = (read(user) for user in officers)
        assert (first in one, second in one) == (True, False)
        assert (first in other, second in other) == (False, True)
    assert "Officer 0" in read(officers[0])
    assert "Officer 0" not in read(closed_year.regional)


def test_it_is_worked_out_once(closed_year: ClosedYear, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(closed_year.statistician)
    monkeypatch.setattr(chapter_page, "compose", None)
    assert "Name 990101" in before
    assert "Name 990101" in read(closed_year.regional)


def test_the_language_and_a_changed_chapter_are_seen_at_once(closed_year: ClosedYear, tmp_path: Path) -> None:
    assert "People" in read(closed_year.regional)
    assert "人口" in read(closed_year.regional, "zh-hans")
    file = tmp_path / "chapters" / "chapter.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"People"', '"Everybody"'), encoding="utf-8")
    os.utime(file, ns=(1, file.stat().st_mtime_ns + 1_000_000))
    assert "Everybody" in read(closed_year.regional)


def test_nobodys_signature_stands_over_other_figures(closed_year: ClosedYear) -> None:
    edition = prepare_edition(closed_year.statistician, year=2009)
    review_edition(closed_year.regional, edition.pk)
    sign_edition(closed_year.approver, edition.pk)
    assert str(edition.digest) in read(closed_year.regional)
    closing.reopen(closed_year.regional, closed_year.approver, year=2009, reason="a list was late")
    closed_year.region.fact(closed_year.region.villages[0])
    closing.prepare(closed_year.regional, year=2009)
    closing.sign(closed_year.approver, year=2009)
    page = read(closed_year.regional)
    assert "of an earlier state" in page
    assert str(edition.digest) not in page
    assert closed_year.statistician.full_name not in page


def test_no_second_edition_is_offered_while_one_waits(closed_year: ClosedYear) -> None:
    offered = f'action="{reverse("publication:prepare", args=["99", 2009])}"'
    assert offered in read(closed_year.statistician)
    edition = prepare_edition(closed_year.statistician, year=2009)
    assert offered not in read(closed_year.statistician)
    client = Client()
    client.force_login(closed_year.statistician, backend=BACKEND)
    assert (
        "Prepare it anew" in client.get(reverse("publication:edition", args=[edition.pk])).content.decode()
    )  # should its figures have changed
    review_edition(closed_year.regional, edition.pk)
    assert offered not in read(closed_year.statistician)
    sign_edition(closed_year.approver, edition.pk)
    assert offered in read(closed_year.statistician)
