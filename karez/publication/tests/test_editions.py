"""An edition goes through three hands before it is public; attacks by raw SQL as the app's role; errata stand beside
it.
"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from karez.kernel.refusal import Refusal
from karez.publication import queries
from karez.publication.models import Edition, EditionStep
from karez.publication.publishing import publication_of, publish
from karez.publication.services import (
    add_erratum,
    approve_erratum,
    prepare_edition,
    review_edition,
    sign_edition,
)
from karez.publication.tests.conftest import CHAPTER, ClosedYear
from karez.publication.tests.reader import texts_of

Connect = Callable[[], psycopg.Connection[Any]]


def _signed(year: ClosedYear) -> Edition:
    edition = prepare_edition(year.statistician, year=2009)
    review_edition(year.regional, edition.pk)
    sign_edition(year.approver, edition.pk)
    return edition


def test_three_people_make_an_edition_public(closed_year: ClosedYear, tmp_path: Path) -> None:
    edition = prepare_edition(closed_year.statistician, year=2009, note="first")
    assert queries.public_edition(2009) is None
    assert not publication_of("99", 2009).signed
    review_edition(closed_year.regional, edition.pk)
    assert queries.edition(closed_year.regional, edition.pk).state == "reviewed"
    assert queries.public_editions() == []
    sign_edition(closed_year.approver, edition.pk)
    told = queries.public_edition(2009)
    assert told is not None
    assert told.signed
    assert [s.name for s in told.steps.values()] == ["Wu Statistician", "Pei Preparer", "Sun Signer"]
    assert told.content.said["snapshot"]["digest"] == closed_year.snapshot.digest
    paths = publish("99", 2009, tmp_path)
    html = (tmp_path / "chapter.html").read_text()
    assert "Wu Statistician" in html
    assert told.edition.digest in html
    assert "Not signed" not in html
    assert (tmp_path / "edition.json").read_text() == told.edition.content
    assert len(paths) == len(set(paths))
    with pytest.raises(Refusal, match="signed edition"):
        publish("99", 2009, tmp_path, number=7)
    with pytest.raises(Refusal):
        prepare_edition(closed_year.statistician, year=2009)  # the same again


def test_small_numbers_are_withheld_with_what_tells_them(closed_year: ClosedYear) -> None:
    content = publication_of("99", 2009).content
    counties = [
        v for (i, c), v in content.cells.items() if i == "small.people" and content.places[c]["level"] == "county"
    ]
    assert counties == [(None, "suppressed")] * 2
    assert content.cells["small.people", "99"] == ("29", "value")
    assert {p["level"] for p in content.places.values()} <= {"region", "prefecture", "county"}


@pytest.fixture
def long_numbers(owner_cursor: Any) -> None:
    """Rows get numbers of seven digits, as places have, which stand nowhere by chance."""
    owner_cursor.execute("ALTER TABLE access_grant ALTER COLUMN id RESTART WITH 7710001")


def _told_of(text: str, marks: set[str]) -> set[str]:
    """What a text tells of rows and villages: their numbers, keys and codes."""
    return (marks & set(re.findall(r"[0-9a-f]+", text))) | set(
        re.findall(r"名99\d{4}001\d|Name 99\d{4}001\d|\b99010\d001\d*|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", text)
    )


def test_nothing_published_tells_of_a_row_or_a_village(
    long_numbers: None, closed_year: ClosedYear, tmp_path: Path
) -> None:
    from karez.access.models import Grant

    publish("99", 2009, tmp_path / "out")
    rows = {str(n) for n in Grant.objects.filter(recorded_by_id=7).values_list("pk", flat=True)}
    keys = {hashlib.md5(n.encode(), usedforsecurity=False).hexdigest() for n in rows}
    villages = {str(n) for n in closed_year.region.villages}
    marks = rows | keys | villages
    assert len(rows) == 29 and min(map(len, marks)) == 7
    for mark in (next(iter(rows)), next(iter(keys)), next(iter(villages)), "990101001", "Name 990101001"):
        assert _told_of(f'{{"a":"{mark}"}}', marks)
    texts = texts_of(tmp_path / "out")
    assert {Path(name).suffix for name in texts} == {
        ".html",
        ".css",
        ".csv",
        ".json",
        ".txt",
        ".pdf",
        ".docx",
        ".xlsx",
        ".zip",
    }
    assert str(closed_year.region.counties[0]) in texts["edition.json"]
    for name, text in texts.items():
        assert _told_of(text, marks) == set(), name


def test_who_may_do_what_and_in_which_order(closed_year: ClosedYear) -> None:
    with pytest.raises(Refusal, match="may do this: Regional officer or Statistician"):
        prepare_edition(closed_year.approver, year=2009)
    edition = prepare_edition(closed_year.regional, year=2009)
    with pytest.raises(Refusal) as early:
        sign_edition(closed_year.approver, edition.pk)
    assert early.value.code == "publication.not_now"
    with pytest.raises(Refusal) as same:
        review_edition(closed_year.regional, edition.pk)
    assert same.value.code == "publication.second_person"
    with pytest.raises(Refusal, match="may do this: Regional officer or Statistician"):
        review_edition(closed_year.approver, edition.pk)
    review_edition(closed_year.statistician, edition.pk)
    with pytest.raises(Refusal):
        review_edition(closed_year.statistician, edition.pk)
    with pytest.raises(Refusal, match="may do this: Approver"):
        sign_edition(closed_year.regional, edition.pk)
    sign_edition(closed_year.approver, edition.pk)
    with pytest.raises(Refusal):
        sign_edition(closed_year.approver, edition.pk)
    with pytest.raises(Refusal, match="no such edition"):
        review_edition(closed_year.statistician, 999)


def test_what_changed_since_is_not_signed(
    closed_year: ClosedYear, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    edition = prepare_edition(closed_year.statistician, year=2009)
    review_edition(closed_year.regional, edition.pk)
    other = tmp_path / "other"
    other.mkdir()
    (other / "chapter.toml").write_text(CHAPTER.replace("People", "Persons"), encoding="utf-8")
    monkeypatch.setenv("KAREZ_CHAPTERS", str(other))
    with pytest.raises(Refusal) as changed:
        sign_edition(closed_year.approver, edition.pk)
    assert changed.value.code == "publication.edition_changed"
    second = prepare_edition(closed_year.statistician, year=2009)
    assert second.number == 2


def test_a_second_edition_keeps_what_the_first_withheld(
    closed_year: ClosedYear, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = _signed(closed_year)
    other = tmp_path / "other"
    other.mkdir()
    (other / "chapter.toml").write_text(CHAPTER.replace("People", "Persons"), encoding="utf-8")
    monkeypatch.setenv("KAREZ_CHAPTERS", str(other))
    second = _signed(closed_year)
    told = [queries.public_edition(2009, number) for number in (1, 2, None)]
    assert [t.edition.pk for t in told if t] == [first.pk, second.pk, second.pk]
    assert told[0].content.cells == told[1].content.cells  # type: ignore[union-attr]
    publish("99", 2009, tmp_path / "first", number=1)
    assert (tmp_path / "first" / "edition.json").read_text() == first.content


def test_an_erratum_stands_beside_the_edition(closed_year: ClosedYear, tmp_path: Path) -> None:
    edition = _signed(closed_year)
    before = queries.public_edition(2009)
    assert before is not None
    wrong: list[dict[str, Any]] = [
        {"figure": "no.such", "corrected": "1"},
        {"figure": "small.people", "corrected": "29"},
        {"figure": "small.people", "corrected": "many"},
        {"figure": "small.people", "corrected": "1e9"},
        {"figure": "small.people", "corrected": "31"},
        {
            "figure": "small.people",
            "corrected": "50",
            "place": next(c for (i, c), v in before.content.cells.items() if v[1] == "suppressed"),
        },
        {"figure": "small.people", "corrected": "50", "reason": " "},
        {"figure": "small.people", "corrected": "3"},
    ]
    codes = []
    for one in wrong:
        with pytest.raises(Refusal) as refused:
            add_erratum(closed_year.statistician, edition.pk, **{"reason": "counted twice", **one})
        codes.append(refused.value.code.removeprefix("publication."))
    assert codes == [
        "not_printed",
        "empty_erratum",
        "no_number",
        "no_number",
        "small_difference",
        "not_printed",
        "empty_erratum",
        "small_difference",
    ]
    erratum = add_erratum(
        closed_year.statistician, edition.pk, figure="small.people", corrected="1,050", reason="a list was left out"
    )
    assert queries.errata_waiting(closed_year.regional) == [erratum]
    assert queries.public_edition(2009).errata == ()  # type: ignore[union-attr]
    with pytest.raises(Refusal):
        approve_erratum(closed_year.statistician, erratum.pk)
    approve_erratum(closed_year.approver, erratum.pk)
    with pytest.raises(Refusal):
        approve_erratum(closed_year.approver, erratum.pk)
    told = queries.public_edition(2009)
    assert told is not None
    assert told.edition.content == before.edition.content
    publish("99", 2009, tmp_path)
    page = (tmp_path / "errata.html").read_text()
    for words in ("1,050 persons", "29 persons", "a list was left out", "Wu Statistician, Sun Signer"):
        assert words in page
    assert "29 persons" in (tmp_path / "chapter.html").read_text()  # the printed value stays
    assert json.loads((tmp_path / "data" / "datapackage.json").read_text())["version"] == "1.1.0"


ATTACKS = [
    "UPDATE publication_edition SET content = 'x'",
    "DELETE FROM publication_edition",
    "TRUNCATE publication_edition CASCADE",
    "UPDATE publication_editionstep SET by_id = 1",
    "DELETE FROM publication_editionstep",
    "UPDATE publication_erratum SET corrected = '7'",
    "DELETE FROM publication_erratumapproval",
    # a text that is not the digest's
    (
        "INSERT INTO publication_edition (year, number, snapshot, snapshot_kind, content, digest) SELECT year, 9, "
        "snapshot, 'sealed', content || ' ', digest FROM publication_edition"
    ),
    # of a provisional snapshot, of none, of another year
    (
        "INSERT INTO publication_edition (year, number, snapshot, snapshot_kind, content, digest) SELECT year, 9, "
        "snapshot, 'provisional', content, digest FROM publication_edition"
    ),
    (
        "INSERT INTO publication_edition (year, number, snapshot, snapshot_kind, content, digest) SELECT year, 9, "
        "repeat('0', 64), 'sealed', content, digest FROM publication_edition"
    ),
    (
        "INSERT INTO publication_edition (year, number, snapshot, snapshot_kind, content, digest) SELECT year + 1, 9, "
        "snapshot, 'sealed', content, digest FROM publication_edition"
    ),
    # the draft as if it were sealed
    (
        "INSERT INTO publication_edition (year, number, snapshot, snapshot_kind, content, digest) SELECT e.year, 9, "
        "r.digest, 'sealed', e.content, e.digest FROM publication_edition e, closing_snapshotrecord r WHERE r.kind = "
        "'provisional'"
    ),
    # the same number twice
    (
        "INSERT INTO publication_edition (year, number, snapshot, snapshot_kind, content, digest) SELECT year, number, "
        "snapshot, 'sealed', content, digest FROM publication_edition"
    ),
    # steps out of order, of nobody, of the same person, of another digest, twice
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT id, digest, "
        "'signed', 'reviewed', 77, 'X', '' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT id, digest, "
        "'signed', NULL, 77, 'X', '' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT id, digest, "
        "'signed', 'prepared', 77, 'X', '' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT id, digest, "
        "'praised', 'prepared', 77, 'X', '' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT id, digest, "
        "'reviewed', 'prepared', 77, ' ', '' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT edition_id, "
        "digest, 'reviewed', 'prepared', by_id, name, '' FROM publication_editionstep"
    ),
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT id, "
        "repeat('0', 64), 'reviewed', 'prepared', 77, 'X', '' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT id, digest, "
        "'prepared', NULL, 77, 'X', '' FROM publication_edition"
    ),
    # an erratum to what is not signed
    (
        "INSERT INTO publication_erratum (edition_id, edition_state, figure, place, printed, corrected, reason, by_id, "
        "name) SELECT id, 'signed', 'f', '99', '1', '2', 'r', 7, 'X' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_erratum (edition_id, edition_state, figure, place, printed, corrected, reason, by_id, "
        "name) SELECT id, 'prepared', 'f', '99', '1', '2', 'r', 7, 'X' FROM publication_edition"
    ),
]
LATER = [
    (
        "INSERT INTO publication_editionstep (edition_id, digest, step, follows, by_id, name, note) SELECT id, digest, "
        "'signed', 'reviewed', 77, 'X', '' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_erratum (edition_id, edition_state, figure, place, printed, corrected, reason, by_id, "
        "name) SELECT id, 'signed', 'f', '99', '1', '1', 'r', 7, 'X' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_erratum (edition_id, edition_state, figure, place, printed, corrected, reason, by_id, "
        "name) SELECT id, 'signed', 'f', '99', '1', '2', ' ', 7, 'X' FROM publication_edition"
    ),
    (
        "INSERT INTO publication_erratumapproval (erratum_id, author_id, by_id, name) SELECT id, by_id, by_id, 'X' FROM "
        "publication_erratum"
    ),
    (
        "INSERT INTO publication_erratumapproval (erratum_id, author_id, by_id, name) SELECT id, by_id + 1, by_id, 'X' "
        "FROM publication_erratum"
    ),
    "UPDATE publication_erratum SET reason = 'other'",
    "DELETE FROM publication_erratum",
]


def test_raw_attacks_on_editions(closed_year: ClosedYear, app_connection: Connect) -> None:
    edition = prepare_edition(closed_year.statistician, year=2009)
    _all_refused(app_connection(), ATTACKS)
    assert EditionStep.objects.count() == 1
    review_edition(closed_year.regional, edition.pk)
    sign_edition(closed_year.approver, edition.pk)
    add_erratum(closed_year.statistician, edition.pk, figure="small.people", corrected="1050", reason="left out")
    _all_refused(app_connection(), LATER)
    assert EditionStep.objects.count() == 3


def _all_refused(raw: psycopg.Connection[Any], attacks: list[str]) -> None:
    for attack in attacks:
        with pytest.raises(psycopg.Error) as stopped, raw.transaction():
            raw.execute(attack)
        assert not isinstance(
            stopped.value, psycopg.errors.SyntaxError | psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn
        ), attack
