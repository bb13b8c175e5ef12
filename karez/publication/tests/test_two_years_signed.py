"""Two years closed, signed and published; a reader with all files of both years subtracts one from the other and learns
of nobody.
"""

import csv
import json
import shutil
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.closing import declared as closing_declared
from karez.closing import services as closing
from karez.closing import snapshots
from karez.closing.tests.conftest import DAY, SmallRegion
from karez.figures import engine, queries
from karez.figures.tests.small import declared, figure
from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import FigureColumn, FigureTable
from karez.kernel.refusal import Refusal
from karez.publication import services
from karez.publication.models import Edition
from karez.publication.publishing import publish
from karez.publication.queries import signed_contents
from karez.publication.services import (
    add_erratum,
    approve_erratum,
    prepare_edition,
    review_edition,
    sign_edition,
)
from karez.publication.tests.conftest import CHAPTER, ClosedYear

PEOPLE = FigureTable(
    name="test_people",
    grain="one row per person",
    order_by="started_year",
    columns=(
        FigureColumn("person_key", "uuid", "the person", key=True),
        FigureColumn("started_year", "integer", "since"),
    ),
    sql="SELECT area_id, md5(id::text)::uuid, extract(year from starts_on)::int FROM access_grant WHERE "
    + counted_on(DAY, event=False)
    + " AND recorded_by_id = 7",
)
FIGURES = figure(
    "small.people", table="test_people", unit="persons", disclosure="person", label="people", label_zh="人数"
) + figure(
    "small.joined",
    table="test_people",
    where="started_year = year",
    unit="persons",
    disclosure="person",
    kind="flow",
    label="joined",
    label_zh="新增",
)


def _sign(year: ClosedYear, of: int) -> None:
    edition = prepare_edition(year.statistician, year=of)
    review_edition(year.regional, edition.pk)
    sign_edition(year.approver, edition.pk)


def _people(region: SmallRegion, county: int, many: int, year: int) -> None:
    for n in range(many):
        region.fact(region.villages[3 * county + n % 3], starts_on=f"{year}-06-01")


@pytest.fixture
def first_year(small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ClosedYear:
    """2009 closed and signed: 30 people in one county, 40 in the other."""
    return signed_year(small_region, monkeypatch, tmp_path, (30, 40))


def signed_year(
    small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, people: tuple[int, int]
) -> ClosedYear:
    """2009 closed and signed, with so many people in each of two counties."""
    year = _first_closed(small_region, monkeypatch, tmp_path, people)
    _sign(year, 2009)
    return year


def _first_closed(
    small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, people: tuple[int, int]
) -> ClosedYear:
    monkeypatch.setattr(closing_declared, "figure_tables", lambda: (PEOPLE,))
    found, faults = declared(tmp_path / "declared", FIGURES, [PEOPLE])
    assert faults == []
    monkeypatch.setattr(engine, "declarations", lambda: found)
    monkeypatch.setattr(queries, "declarations", lambda: found)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "chapter.toml").write_text(
        CHAPTER.replace("small.halves", "small.joined"), encoding="utf-8"
    )
    monkeypatch.setenv("KAREZ_CHAPTERS", str(tmp_path / "chapters"))
    statistician = add_user(username="statistician", full_name="Wu Statistician", password=None)
    grant_role(None, user=statistician, role=Role.STATISTICIAN, area_id=small_region.region, starts_on=date(2009, 1, 1))
    _people(small_region, 0, people[0], 2009)
    _people(small_region, 1, people[1], 2009)
    closing.prepare(small_region.preparer, year=2009)
    return ClosedYear(
        small_region,
        closing.sign(small_region.signer, year=2009),
        statistician,
        small_region.preparer,
        small_region.signer,
    )


def _second_year(year: ClosedYear, joined: tuple[int, int]) -> ClosedYear:
    _people(year.region, 0, joined[0], 2010)
    _people(year.region, 1, joined[1], 2010)
    closing.prepare(year.regional, year=2010)
    return replace(year, snapshot=closing.sign(year.approver, year=2010))


def _published(folder: Path) -> dict[tuple[str, str], int | None]:
    """What every published file says of each figure at each place; they must all say the same."""
    said = {
        (r["figure"], r["place"]): int(r["value"]) if r["value"] else None
        for r in csv.DictReader((folder / "data" / "values.csv").open())
    }
    text = json.loads((folder / "edition.json").read_text())
    assert {(i, p): None if exact is None else int(exact) for i, p, exact, _state in text["cells"]} == said
    for row in csv.DictReader((folder / "figures.csv").open()):
        assert said[row["id"], row["place"]] == (int(row["value"]) if row["value"] else None)
    for (i, _place), value in said.items():
        page = (folder / "figures" / f"{i}.html").read_text()
        assert value is None or f"{value:,}" in page
    return said


def test_a_reader_of_both_years_learns_of_nobody(first_year: ClosedYear, tmp_path: Path) -> None:
    second = _second_year(first_year, (4, 30))
    _sign(second, 2010)
    publish("99", 2009, tmp_path / "2009")
    publish("99", 2010, tmp_path / "2010")
    before, after = _published(tmp_path / "2009"), _published(tmp_path / "2010")
    assert before["small.people", "990101"] == 30
    assert after["small.people", "99"] == 104 and after["small.joined", "99"] == 34
    for county in ("990101", "990102"):
        assert after["small.joined", county] is None  # four of them joined in one county
        assert after["small.people", county] is None  # and this year's less last year's would tell it
    # Adding up over places and over the years leaves both counties open: 34 joined, whoever they are.
    assert after["small.people", "99"] - before["small.people", "99"] == 34  # type: ignore[operator]


def test_years_that_differ_by_many_are_printed_whole(first_year: ClosedYear, tmp_path: Path) -> None:
    second = _second_year(first_year, (12, 30))
    _sign(second, 2010)
    publish("99", 2010, tmp_path)
    assert None not in _published(tmp_path).values()


def test_without_the_other_years_snapshot_nothing_is_prepared(first_year: ClosedYear, tmp_path: Path) -> None:
    second = _second_year(first_year, (4, 30))
    _sign(second, 2010)  # withholds
    gone = tmp_path / "gone"
    shutil.move(second.snapshot.path, gone)
    with pytest.raises(Refusal) as refused:
        prepare_edition(second.statistician, year=2009)
    assert refused.value.code == "publication.snapshot_gone"
    shutil.move(gone, second.snapshot.path)
    assert snapshots.named(second.snapshot.digest)
    with pytest.raises(Refusal) as same:
        prepare_edition(second.statistician, year=2009)  # what 2009 printed stays as it is
    assert same.value.code == "publication.same_edition"


@pytest.mark.parametrize(("damaged", "prepared"), [(2009, 2010), (2010, 2009)])
def test_another_years_snapshot_is_read_to_the_last_digit(first_year: ClosedYear, damaged: int, prepared: int) -> None:
    """An edition takes in years before it, and what editions of other years withhold: a file changed since it was
    sealed stops it.
    """
    second = _second_year(first_year, (4, 30))
    _sign(second, 2010)  # withholds
    file = {2009: first_year, 2010: second}[damaged].snapshot.file("test_people")
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(Refusal) as refused:
        prepare_edition(second.statistician, year=prepared)
    assert refused.value.code == "closing.damaged"


def test_an_unsigned_year_is_written_beside_the_signed_ones(first_year: ClosedYear, tmp_path: Path) -> None:
    _second_year(first_year, (4, 30))
    publish("99", 2010, tmp_path)
    assert _published(tmp_path)["small.people", "990101"] is None


def test_two_years_signed_at_once_tell_no_more_than_one_after_the_other(
    small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each edition was prepared before the other was signed. Whoever comes second signs what both together may tell, or
    nothing.
    """
    first = _first_closed(small_region, monkeypatch, tmp_path, (30, 40))
    second = _second_year(first, (4, 30))
    editions = [prepare_edition(second.statistician, year=of) for of in (2009, 2010)]
    for edition in editions:
        review_edition(second.regional, edition.pk)
    told: list[str] = []
    both, content_of = threading.Barrier(2, timeout=60), services.content_of
    began: set[int] = set()

    def worked_out(*words: Any) -> Any:
        content = content_of(*words)
        if threading.get_ident() not in began:  # neither goes on before both have worked out what they sign
            began.add(threading.get_ident())
            both.wait()
        return content

    def sign(edition: int) -> None:
        try:
            sign_edition(second.approver, edition)
            told.append("signed")
        except Refusal as refused:
            told.append(refused.code)
        finally:
            connection.close()

    monkeypatch.setattr(services, "content_of", worked_out)
    threads = [threading.Thread(target=sign, args=(edition.pk,)) for edition in editions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["publication.edition_changed", "signed"]
    assert len(signed_contents()) == 1


def test_an_erratum_approved_while_an_edition_is_signed_counts(
    first_year: ClosedYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = _second_year(first_year, (12, 30))
    edition = prepare_edition(second.statistician, year=2010)
    review_edition(second.regional, edition.pk)
    erratum = add_erratum(
        second.statistician,
        edition_of(2009),
        figure="small.people",
        place="990101",
        corrected="45",
        reason="a list was left out",
    )
    lock = services._one_at_a_time

    def late() -> None:
        monkeypatch.setattr(services, "_one_at_a_time", lock)
        approve_erratum(second.approver, erratum.pk)
        lock()

    monkeypatch.setattr(services, "_one_at_a_time", late)
    with pytest.raises(Refusal) as refused:
        sign_edition(second.approver, edition.pk)  # 42 people, where 45 are known of the year before
    assert refused.value.code == "publication.edition_changed"


def edition_of(year: int) -> int:
    return Edition.objects.get(year=year).pk
