"""A workbook is read as the CSV file with the same cells, its rows counted as the spreadsheet counts; hostile ones are
faults.
"""

import csv
import io
import random
import zipfile
from dataclasses import asdict

import pytest
import xlsxwriter

from karez.kernel.tests.packed import page, words, xlsx
from karez.kernel.workbook import child
from karez.kernel.workbook.parts import Refused
from karez.proofreader.chapter_file import read_chapter
from karez.proofreader.chapter_workbook import LIMITS
from karez.proofreader.proof import DATA, proof, proof_of

GOOD = [
    [
        "id",
        "section",
        "label",
        "value",
        "unit",
        "qualifier",
        "rounding",
        "period",
        "place",
        "kind",
        "programme",
        "derivation",
    ],
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
    assert (
        proof_of(workbook(rows, numbers=numbers), workbook(relations)).as_dict()
        == proof(DATA / f"{name}-2009.csv").as_dict()
    )


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
    assert [(f.line, f.column, f.found) for f in answer.faults] == [
        (3, "value", "'#DIV/0!'"),
        (4, "derivation", "b, whose own row has a fault"),
    ]


def test_a_cell_beyond_the_header_is_told_with_its_row():
    rows = [GOOD[0], [*GOOD[1], "", "stray"]]
    assert [(f.line, f.column, f.found) for f in proof_of(workbook(rows)).faults] == [(2, "column 13", "14 cells")]


def test_large_numbers_keep_plain_digits():
    rows = [GOOD[0], ["a", "s", "l", "123456789012345", *GOOD[1][4:]], ["b", "s", "l", "0.00001", *GOOD[1][4:]]]
    assert proof_of(workbook(rows)).faults == ()


def bomb(sheet):
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        zipfile.ZipFile(io.BytesIO(workbook(GOOD))) as sound,
    ):
        for part in sound.namelist():
            archive.writestr(part, sheet if part.endswith("sheet1.xml") else sound.read(part))
    return out.getvalue()


HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FAR = HEAD + (
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c '
    'r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
)
WIDE = HEAD + ("<row>" + "<c><v>1</v></c>" * 100 + "</row>") * 32_000 + "</sheetData></worksheet>"
ANONYMOUS = xlsx(
    page(words(1, *GOOD[0]) + "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 1_200))),
    strings=f"<si><t>{'x' * 32_000}</t></si>",
)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (bomb(FAR), "something in the cell XFD1048576, far beside the table"),
        (ANONYMOUS, "a workbook with more than 33,554,432 characters"),
        (xlsx("<!DOCTYPE x [<!ENTITY a 'b'>]>" + page("")), "a workbook written in a way spreadsheets do not write"),
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
    for _ in range(20):  # each starts a process
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
            child.read(io.BytesIO(bytes(data)), io.BytesIO(), asdict(LIMITS), lambda _sheets: 0)
        except Refused as no:
            told.append(no.why)
    assert len(told) > 150


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_packing_no_spreadsheet_uses_is_not_opened(method):
    data = bytearray(xlsx(page("<row/>" * 50), method=method))
    at = data.index(b"sheet1.xml") + 10
    data[at + 12 : at + 40] = b"\xff" * 28
    told = [(f.line, f.found) for f in proof_of(bytes(data)).faults]
    assert told == [(1, "an archive packed in a way spreadsheets do not use")]


def row(line, *cells, **made):
    """A row of the good chapter with some cells written by hand."""
    texts = dict(zip(GOOD[0], cells, strict=True))
    found = "".join(
        made[name].replace("{0}", f"{chr(65 + n)}{line}")
        if name in made
        else f'<c r="{chr(65 + n)}{line}" t="inlineStr"><is><t>{text}</t></is></c>'
        for n, (name, text) in enumerate(texts.items())
    )
    return f'<row r="{line}">{found}</row>'


def test_cells_that_hold_no_value_or_show_another_are_faults():
    cells = [
        '<c r="{0}" t="e"><v>#N/A</v></c>',
        '<c r="{0}"><f>A1*2</f></c>',
        '<c r="{0}" s="1"><v>15000</v></c>',
        '<c r="{0}" s="2"><v>0.01</v></c>',
        '<c r="{0}" s="3"><v>5</v></c>',
        '<c r="{0}" s="4"><v>39903</v></c>',
    ]
    rows = words(1, *GOOD[0]) + "".join(row(n, f"a{n}", *GOOD[1][1:], value=cell) for n, cell in enumerate(cells, 2))
    rows += row(8, "a8", *GOOD[1][1:], label='<c r="{0}" t="e"><v>#REF!</v></c>') + row(9, "a9", *GOOD[1][1:], note="")
    answer = proof_of(
        xlsx(
            page(rows, after='<mergeCells><mergeCell ref="G8:G9"/></mergeCells>'),
            formats=["0!.0,", "0%", '0"万元"', "yyyy-m-d"],
        )
    )
    assert [(f.line, f.column, f.found) for f in answer.faults] == [
        (2, "value", "'#N/A'"),
        (3, "value", "'=A1*2'"),
        (4, "value", "'#SHOWN! 15000'"),
        (5, "value", "'1%'"),
        (6, "value", "'5万元'"),
        (7, "value", "'2009-03-31'"),
        (8, "label", "'#REF!'"),
        (9, "rounding", "'#MERGED! G8:G9'"),
    ]


def test_a_share_shown_as_percent_is_read_in_percent():
    good = ["a", "s", "l", "1", "percent", "exact", "1", "2009", "64", "share", "p", ""]
    answer = read_chapter(
        xlsx(page(words(1, *GOOD[0]) + row(2, *good, value='<c r="{0}" s="1"><v>0.0123</v></c>')), formats=["0.00%"])
    )
    assert [str(f.printed.value) for f in answer.figures] == ["1.23"]


def test_which_sheet_was_read_is_told_and_a_hidden_one_is_none():
    chapter = page("".join(words(n, *cells) for n, cells in enumerate(GOOD, 1)))
    other = page(words(1, *GOOD[0]) + words(2, "old", *GOOD[1][1:]))
    far = chapter.replace("</row>", '<c r="IV1" t="inlineStr"><is><t>tmpl</t></is></c></row>', 1).replace(
        "</sheetData>", '<row r="1048576"/></sheetData>'
    )
    data = xlsx(
        other,
        page(words(1, "how to fill")),
        far,
        states=["hidden", "visible", "visible"],
        names=["old", "help", "figures"],
    )
    answer = proof_of(data)
    assert (answer.figures, answer.faults) == (3, ())
    assert answer.told == (
        "Read was the sheet figures.",
        "Not read: the sheets help.",
        "Not read, because they are hidden: the sheets old.",
        "Not read, because it stands far beside the column names: IV1 tmpl.",
    )


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
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        zipfile.ZipFile(io.BytesIO(workbook(GOOD))) as sound,
    ):
        for part in sound.namelist():
            text = sound.read(part)
            archive.writestr(
                part,
                text.replace(b"worksheets/sheet1.xml", hidden.removeprefix("xl/").encode())
                if part.endswith(".rels")
                else text,
            )
        archive.writestr(hidden, FAR)
    assert [f.found for f in proof_of(out.getvalue()).faults] == [
        "something in the cell XFD1048576, far beside the table"
    ]


@pytest.mark.parametrize("name", ["content.xml", "xl/workbook.bin", "Index/Document.iwa"])
def test_a_table_of_another_kind_is_not_opened(name):
    out = io.BytesIO(workbook(GOOD))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name, "<x/>")
    assert [f.found for f in proof_of(out.getvalue()).faults] == ["an archive without worksheets"]
