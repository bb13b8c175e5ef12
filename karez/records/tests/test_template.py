"""The blank workbook of every kind of file: what it shows is what the reader takes, in either language."""

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from python_calamine import CalamineWorkbook

from karez.intake import registry, rules
from karez.kernel.sheets import Kind, Sheet
from karez.records.template import choices, example, heading, workbook

AREAS = {"region": "99", "county": "990101", "village": "990101100200"}
DAY = date(2009, 3, 2)
SHEETS = list(registry.sheets().values())


def _pages(made: bytes) -> list[list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(made))
    return [book.get_sheet_by_index(n).to_python() for n in range(len(book.sheet_names))]


def _made(sheet: Sheet, language: str) -> list[list[list[Any]]]:
    with translation.override(language):
        return _pages(workbook(sheet, areas=AREAS, day=DAY))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_its_headings_are_each_one_column(sheet: Sheet, language: str) -> None:
    page = _made(sheet, language)[0]
    matched = rules.match_headings(sheet, page[0])
    assert [matched.places[column.name] for column in sheet.columns] == list(range(len(sheet.columns)))
    assert not matched.unknown and not matched.twice and not matched.missing
    assert len(page) == 1  # nothing below the headings that could be taken for a record


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_its_second_page_explains_each_column(sheet: Sheet, language: str) -> None:
    first, second = _made(sheet, language)
    told = second[1 : 1 + len(sheet.columns)]
    assert [row[0] for row in told] == first[0]
    with translation.override(language):
        assert [row[1] for row in told] == [str(column.meaning) for column in sheet.columns]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_drop_down_offers_what_is_read_as_each_code(sheet: Sheet) -> None:
    for chinese in (False, True):
        for column in (one for one in sheet.columns if one.codes):
            listed = choices(column, chinese=chinese)
            assert [column.codes[word] for word in listed] == list(dict.fromkeys(column.codes.values()))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_an_example_is_within_its_bounds(sheet: Sheet) -> None:
    for column in sheet.columns:
        value = example(column, chinese=False, areas=AREAS, day=DAY)
        if column.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.FEN) and isinstance(column.low, int):
            assert value * (100 if column.kind is Kind.FEN else 1) >= column.low
        assert not column.identity or value == ""  # no example of a person's number or name
        assert heading(sheet, column, chinese=False)


def test_who_may_send_a_file_gets_its_workbook(world: Any) -> None:
    client = Client()
    client.force_login(world.finance)
    answer = client.get("/files/templates/contributions.xlsx")
    assert answer.status_code == 200 and answer["Content-Disposition"] == 'attachment; filename="contributions.xlsx"'
    first, _second = _pages(answer.content)
    assert first[0][0] == "village"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
        page = parts.read("xl/worksheets/sheet1.xml").decode()
    assert '<dataValidation type="list"' in page and "own,granted_base,refund" in page
    assert '<dataValidation type="decimal"' in page and "<formula1>0.01</formula1>" in page
    assert client.get("/files/templates/nothing.xlsx").status_code == 404
    other = Client()
    other.force_login(world.auditor)
    assert other.get("/files/templates/contributions.xlsx").status_code == 404


def test_the_console_writes_one(world: Any, tmp_path: Path) -> None:
    from karez.cli.loading import write_template

    target = tmp_path / "loans.xlsx"
    assert "loans" in write_template("loans", target)
    assert _pages(target.read_bytes())[0][0][1] == "loan number"
