"""Anyone reads signed editions as their published pages; nothing unsigned, nobody's notes, nothing outside the
edition's files.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from karez.access import visitor_calls as proof_limit
from karez.publication import public_views
from karez.publication.formats import pdf
from karez.publication.models import Edition
from karez.publication.publishing import files_of, signed_publication
from karez.publication.queries import public_edition
from karez.publication.services import (
    add_erratum,
    approve_erratum,
    prepare_edition,
    review_edition,
    sign_edition,
)
from karez.publication.tests.conftest import CHAPTER, ClosedYear

LIST = "/editions/"


def _get(path: str, language: str = "en", client: Client | None = None) -> Any:
    return (client or Client()).get(path, headers={"accept-language": language})


def test_only_what_is_signed_is_there(closed_year: ClosedYear) -> None:
    assert "No edition is signed yet" in _get(LIST).content.decode()
    edition = prepare_edition(closed_year.statistician, year=2009, note="between us")
    review_edition(closed_year.regional, edition.pk, note="Pei's remark")
    for path in (LIST, f"{LIST}2009/1/", f"{LIST}2009/1/chapter.html", f"{LIST}2009/1/edition.json"):
        answer = _get(path)
        assert answer.status_code == (200 if path == LIST else 404)
        assert edition.digest not in answer.content.decode()
    sign_edition(closed_year.approver, edition.pk)
    said = _get(LIST).content.decode()
    for words in ("Chapter 2009, edition 1", "Wu Statistician", "Pei Preparer", "Sun Signer", edition.digest):
        assert words in said
    for secret in ("between us", "remark"):
        assert secret not in said
    second = prepare_edition_again(closed_year)
    assert _get(f"{LIST}2009/2/chapter.html").status_code == 404
    assert second.digest not in _get(LIST).content.decode()
    assert f'href="{LIST}"' in _get(reverse("account_login")).content.decode()


def prepare_edition_again(year: ClosedYear) -> Edition:
    """Another edition that nobody signed; its text is its own."""
    Path(os.environ["KAREZ_CHAPTERS"], "chapter.toml").write_text(
        CHAPTER.replace("People", "Persons"), encoding="utf-8"
    )
    return prepare_edition(year.statistician, year=2009)


def test_its_pages_are_the_published_ones(closed_year: ClosedYear) -> None:
    edition = prepare_edition(closed_year.statistician, year=2009)
    review_edition(closed_year.regional, edition.pk)
    sign_edition(closed_year.approver, edition.pk)
    told = public_edition(2009)
    assert told is not None
    for path, data in files_of(signed_publication(told)).items():
        if path != "digests.txt":
            answer = _get(f"{LIST}2009/1/{path}")
            assert answer.content == data, path
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert ("attachment" in answer.get("Content-Disposition", "")) == (
                not path.endswith((".html", ".css", ".png"))
            )
            assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert _get(f"{LIST}2009/1/").url == f"{LIST}2009/1/chapter.html"
    assert _get(f"{LIST}2009/1/", "zh-hans").url == f"{LIST}2009/1/chapter.zh.html"
    assert "29 persons" in _get(f"{LIST}2009/1/chapter.html").content.decode()
    odd = [
        "no.html",
        "figures/nothing.html",
        "../../edition.json",
        "%2e%2e/edition.json",
        "figures/",
        "data/../edition.json",
        "digests.txt",
        "x.pdf",
    ]
    odd += ["figures/small.people.html/", "style.css/x"]
    for path in odd:
        assert _get(f"{LIST}2009/1/{path}").status_code == 404, path
    for path in (f"{LIST}2009/99999999999999/", f"{LIST}99999999999/1/", f"{LIST}2008/1/", f"{LIST}2009/0/"):
        assert _get(path).status_code == 404
    assert Client().post(LIST).status_code == 405
    erratum = add_erratum(
        closed_year.statistician, edition.pk, figure="small.people", corrected="1050", reason="a list was left out"
    )
    assert "1,050" not in _get(f"{LIST}2009/1/errata.html").content.decode()
    approve_erratum(closed_year.approver, erratum.pk)
    assert "1,050" in _get(f"{LIST}2009/1/errata.html").content.decode()
    assert "One erratum" in _get(LIST).content.decode()


def test_a_page_made_before_reads_no_text_again(closed_year: ClosedYear) -> None:
    """The signed text is long; of a page that is kept in memory only the digest is asked for."""
    edition = prepare_edition(closed_year.statistician, year=2009)
    review_edition(closed_year.regional, edition.pk)
    sign_edition(closed_year.approver, edition.pk)
    first, second = CaptureQueriesContext(connection), CaptureQueriesContext(connection)
    with first:
        assert _get(f"{LIST}2009/1/chapter.html").status_code == 200
    with second:
        assert _get(f"{LIST}2009/1/catalogue.html").status_code == 200
    assert [any('"content"' in q["sql"] for q in asked.captured_queries) for asked in (first, second)] == [True, False]


def test_a_name_no_font_has_is_told(closed_year: ClosedYear, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are there; a format that would leave a character out says which, in the reader's language."""
    edition = prepare_edition(closed_year.statistician, year=2009)
    review_edition(closed_year.regional, edition.pk)
    sign_edition(closed_year.approver, edition.pk)
    monkeypatch.setattr(pdf, "_drawable", lambda: frozenset(map(chr, range(32, 127))))
    assert _get(f"{LIST}2009/1/chapter.html").status_code == 200
    for name in ("chapter.pdf", "chapter.zh.pdf"):
        answer = _get(f"{LIST}2009/1/{name}")
        assert answer.status_code == 409
        assert "U+" in answer.content.decode() and "characters no font has" in answer.content.decode()
        assert _get(f"{LIST}2009/1/{name}", "zh-hans").content != answer.content


def test_too_many_pages_wait(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_views, "EDITIONS_CALLS", 2)
    assert [_get(LIST).status_code for _ in range(3)] == [200, 200, 429]
    assert int(_get(LIST)["Retry-After"]) <= proof_limit.WINDOW_SECONDS
    assert _get("/proof/").status_code == 200
