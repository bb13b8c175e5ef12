"""A workbook is read as the CSV file with the same cells, its rows counted as the spreadsheet counts; hostile ones are faults."""

import csv
import io
import random
import zipfile

import pytest
import xlsxwriter

from karez.yearbook.chapter_workbook import WorkbookError, rows_of_workbook
from karez.yearbook.proof import DATA, proof, proof_of

GOOD = [
    ["id", "section", "label", "value", "unit", "qualifier", "rounding", "period", "place", "kind", "programme", "derivation"],
    ["a", "s", "first", "10", "villages", "exact", "1", "2009", "64", "stock", "p", ""],
    ["b", "s", "second", "20.5", "villages", "rounded", "0.1", "2009", "64", "stock", "p", ""],
    ["t", "s", "both", "30.5", "villages", "rounded", "0.1", "2009", "64", "stock", "p", "a + b"],
]


def workbook(rows, *, above=0, numbers=True):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("figures")
        book.add_worksheet("other").write(0, 0, "not read")
        for line, cells in enumerate(rows, start=above):
            for column, cell in enumerate(cells):
                plain = numbers and cell.replace(".", "", 1).replace("-", "", 1).isdigit()
                if plain:
                    sheet.write_number(line, column, float(cell))
                elif cell:
                    sheet.write_string(line, column, cell)
    return out.getvalue()


@pytest.mark.parametrize("name", ["ningxia", "xinjiang"])
@pytest.mark.parametrize("numbers", [True, False])
def test_the_chapters_as_workbooks(name, numbers):
    rows = list(csv.reader(io.StringIO((DATA / f"{name}-2009.csv").read_text("utf-8"))))
    rules = (DATA / f"{name}-2009.rules.csv").read_bytes()
    relations = list(csv.reader(io.StringIO(rules.decode("utf-8"))))
    assert proof_of(workbook(rows, numbers=numbers), workbook(relations)).as_dict() == proof(DATA / f"{name}-2009.csv").as_dict()


def test_rows_are_counted_as_the_spreadsheet_counts():
    rows = [*GOOD, [], ["c", "s", "l", "many", *GOOD[1][4:]]]
    assert [(f.line, f.column) for f in proof_of(workbook(rows, above=3)).faults] == [(9, "value")]


def test_a_formula_is_its_value_and_a_day_its_text():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate(GOOD):
            sheet.write_row(line, 0, cells)
        sheet.write_formula(1, 3, "=4+6", value=10)
        sheet.write_formula(2, 3, "=1/0", value="#DIV/0!")
    answer = proof_of(out.getvalue())
    assert [(f.line, f.column, f.found) for f in answer.faults] == [(3, "value", "an empty cell"), (4, "derivation", "b, whose own row has a fault")]


def test_a_cell_beyond_the_header_is_told_with_its_row():
    rows = [GOOD[0], [*GOOD[1], "", "stray"]]
    assert [(f.line, f.column, f.found) for f in proof_of(workbook(rows)).faults] == [(2, "column 13", "14 cells")]


def test_large_numbers_keep_plain_digits():
    rows = [GOOD[0], ["a", "s", "l", "123456789012345", *GOOD[1][4:]], ["b", "s", "l", "0.00001", *GOOD[1][4:]]]
    assert proof_of(workbook(rows)).faults == ()


def bomb(sheet):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, zipfile.ZipFile(io.BytesIO(workbook(GOOD))) as sound:
        for part in sound.namelist():
            archive.writestr(part, sheet if part.endswith("sheet1.xml") else sound.read(part))
    return out.getvalue()


HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FAR = HEAD + '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
WIDE = HEAD + ("<row>" + "<c><v>1</v></c>" * 2000 + "</row>") * 2000 + "</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (bomb(FAR), "a workbook too large when unpacked"),
        (bomb(WIDE), "a workbook too large when unpacked"),
        (bomb(" " * (97 * 1024 * 1024)), "a workbook too large when unpacked"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 900, "an old (.xls) or password-protected workbook"),
        (workbook(GOOD)[:-200], "a workbook that cannot be read"),
        (workbook([]), "an empty file"),
    ],
)
def test_hostile_workbooks_are_faults(data, found):
    assert [(f.line, f.found) for f in proof_of(data).faults] == [(1, found)]


def test_an_archive_that_is_no_workbook():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("letter.txt", "dear")
    assert [f.found for f in proof_of(out.getvalue()).faults] == ["an archive without worksheets"]


def test_broken_bytes_never_crash():
    chance, sound = random.Random(3), workbook(GOOD)
    for _ in range(300):
        data = bytearray(sound)
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        answer = proof_of(b"PK\x03\x04" + bytes(data)[4:])
        assert answer.faults or answer.identities or answer.figures


def test_truncated_and_flipped_bytes_never_crash():
    chance, sound, told = random.Random(8), workbook(GOOD), []
    for turn in range(300):
        data = bytearray(sound[: chance.randrange(4, len(sound))] if turn % 3 == 0 else sound)
        for _ in range(chance.randrange(0, 20)):
            data[chance.randrange(4, len(data))] ^= chance.randrange(1, 256)
        try:
            list(rows_of_workbook(bytes(data)))
        except WorkbookError as no:
            told.append(no.found)
    assert len(told) > 150


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("damaged", [False, True])
def test_a_packing_no_spreadsheet_uses_is_not_opened(method, damaged):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", FAR * 50)
    data = bytearray(out.getvalue())
    if damaged:
        at = data.index(b"sheet1.xml") + 10
        data[at + 12 : at + 40] = b"\xff" * 28
    told = [(f.line, f.found) for f in proof_of(bytes(data)).faults]
    assert told == [(1, "an archive packed in a way spreadsheets do not use")]


def test_damaged_bytes_inside_a_sheet_are_told():
    data = bytearray(workbook([*GOOD, *[[f"a{n}", *GOOD[1][1:]] for n in range(200)]]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        begins = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    for at in range(begins, begins + 20):
        data[at] ^= 0xA5
    assert [f.found for f in proof_of(bytes(data)).faults] == ["a workbook that cannot be read"]


@pytest.mark.parametrize("hidden", ["xl/elsewhere.xml", "xl/worksheets/other.dat"])
def test_a_sheet_that_lies_elsewhere_is_measured_too(hidden):
    """The workbook says which part is its first sheet; a harmless one of the usual name is no proof."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, zipfile.ZipFile(io.BytesIO(workbook(GOOD))) as sound:
        for part in sound.namelist():
            text = sound.read(part)
            archive.writestr(part, text.replace(b"worksheets/sheet1.xml", hidden.removeprefix("xl/").encode()) if part.endswith(".rels") else text)
        archive.writestr(hidden, FAR)
    assert [f.found for f in proof_of(out.getvalue()).faults] == ["a workbook too large when unpacked"]


@pytest.mark.parametrize("name", ["content.xml", "xl/workbook.bin", "Index/Document.iwa"])
def test_a_table_of_another_kind_is_not_opened(name):
    out = io.BytesIO(workbook(GOOD))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name, "<x/>")
    assert [f.found for f in proof_of(out.getvalue()).faults] == ["an archive without worksheets"]
