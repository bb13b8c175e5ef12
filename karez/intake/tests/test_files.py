"""Files as they really come: encodings, delimiters, workbooks, and every kind of broken one."""

import csv
import datetime as dt
import io
import random
import zipfile
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
import xlsxwriter

from karez.intake import limits, queries, services, vault, workbook
from karez.intake.models import Batch, State
from karez.intake.tests.conftest import VILLAGES, csv_of, faults_of, id_number, sent
from karez.kernel.refusal import Refusal
from karez.kernel.tests.packed import page, words, xlsx
from karez.kernel.workbook import child
from karez.kernel.workbook.parts import Refused
from karez.kernel.workbook.reading import WHY

HEAD = "ref,village,name,id_number,amount,paid_on,note"
V = VILLAGES[0]


def staged(batch: Batch) -> list[dict[str, object]]:
    from django.db import connection

    assert batch.state == State.CHECKED, list(batch.faults.values_list("row_no", "column", "found", "expected"))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM staging.batch_{batch.pk} ORDER BY row_no")
        names = [c.name for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def refused(county: SimpleNamespace, content: bytes | str) -> Refusal:
    before = len([p for p in vault.paths.FILES.rglob("*") if p.is_file()])
    with pytest.raises(Refusal) as told:
        sent(county, content)
    assert not list(vault.paths.SCRATCH.glob("intake-*")), "a scratch folder was left behind"
    assert len([p for p in vault.paths.FILES.rglob("*") if p.is_file()]) <= before
    return told.value


def book(rows: list[list[object]], **options: object) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **options}) as made:
        sheet, days = made.add_worksheet(), made.add_format({"num_format": "yyyy-mm-dd"})
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(r, c, dt.datetime.combine(cell, dt.time()), days)
                elif isinstance(cell, tuple):
                    sheet.write_formula(r, c, cell[0], None, cell[1])
                elif isinstance(cell, str):
                    sheet.write_string(r, c, cell)
                else:
                    sheet.write(r, c, cell)
    return out.getvalue()


@pytest.mark.parametrize(
    ("encoding", "delimiter", "newline"),
    [
        ("utf-8", ",", "\n"),
        ("utf-8-sig", ";", "\r\n"),
        ("gb18030", "\t", "\n"),
        ("gb18030", ",", "\r"),
        ("utf-8-sig", "\t", "\r"),
    ],
)
def test_encodings_delimiters_and_line_ends(
    county: SimpleNamespace, encoding: str, delimiter: str, newline: str
) -> None:
    lines = [["编号", "村", "姓名", "金额", "note"], ["a1", V, "马小军", "120.5", "好"], ["a2", V, "李", "3", ""]]
    rows = staged(sent(county, newline.join(delimiter.join(line) for line in lines).encode(encoding)))
    assert [(r["row_no"], r["ref"], r["amount"], r["note"]) for r in rows] == [
        (2, "a1", 12050, "好"),
        (3, "a2", 300, None),
    ]


def test_a_workbook_is_read_as_values(county: SimpleNamespace) -> None:
    rows = [
        ["Ref", "Village Code", " 姓 名 ", "金额(元)", "日期", "size", "note"],
        ["x1", int(V), "马", 12.5, dt.date(2009, 3, 31), 4.0, ("=1+1", "two")],
        ["x2", V, "李", ("=10*10", 100), "2009/4/1", "5", "-3"],
    ]
    made = staged(sent(county, book(rows), name="f.xlsx"))
    assert [(r["village"], r["amount"], r["paid_on"], r["size"], r["note"]) for r in made] == [
        (V, 1250, dt.date(2009, 3, 31), 4, "two"),
        (V, 10000, dt.date(2009, 4, 1), 5, "-3"),
    ]


def test_cells_of_every_kind(county: SimpleNamespace) -> None:
    head = "ref,village,name,amount,paid_on,born,year,size,share,poor,kind,phone"
    lines = [
        f'k1,{V},a,"¥1,200.50",2009-3-1,2009-03,2009,1,1.25,yes,Registered,139 0000',
        f"k2,{V},b,1200元,20090331,2009年3月,2009年,12,-3,否,建档户,+86-139",
        f'k3,{V},c,.,2009/03/31,200903,2010,"1,2",0.1,1,fund,12345',
        f'k4,{V},d,0,2009年3月31日,2009-03-15,2011,7.0,"1,234.5",是,reg,12345',
    ]
    batch = sent(county, "\n".join([head, *lines]))
    assert faults_of(batch) == [(4, "amount", "type"), (4, "size", "type")]
    rows = staged(
        sent(county, "\n".join([head, *(line.replace("c,.,", "c,3,").replace('"1,2"', "2") for line in lines)]))
    )
    day, month = dt.date(2009, 3, 31), dt.date(2009, 3, 1)
    assert [r["amount"] for r in rows] == [120050, 120000, 300, 0]
    assert [r["paid_on"] for r in rows] == [month, day, day, day]
    assert {r["born"] for r in rows} == {month}
    assert [(r["year"], r["size"], str(r["share"]), r["poor"], r["kind"]) for r in rows] == [
        (2009, 1, "1.25", True, "reg"),
        (2009, 12, "-3", False, "reg"),
        (2010, 2, "0.1", True, "fund"),
        (2011, 7, "1234.5", True, "reg"),
    ]


def test_every_fault_is_listed(county: SimpleNamespace) -> None:
    good = id_number(1)
    wrong = good[:-1] + ("1" if good[-1] != "1" else "2")
    lines = [
        HEAD,
        f",{V},x,{wrong},abc,2009-02-30,=1+1",
        "r2,640422999999,,123,-5,31.3.2009,@x",
        f"r3,{V},x,{good},1.234,2009-3/31,{'n' * 201}",
        f"r3,{V},y,,1e5,,",
        f"r5,{V},=cmd|x,,1,,plain",
    ]
    batch = sent(county, "\n".join(lines))
    assert batch.state == State.FAULTY
    assert faults_of(batch) == [
        (2, "amount", "type"),
        (2, "id_number", "id_number"),
        (2, "note", "formula"),
        (2, "paid_on", "type"),
        (2, "ref", "required"),
        (3, "amount", "low"),
        (3, "id_number", "id_number"),
        (3, "name", "required"),
        (3, "note", "formula"),
        (3, "paid_on", "type"),
        (3, "village", "area"),
        (4, "amount", "type"),
        (4, "note", "max_length"),
        (4, "paid_on", "type"),
        (5, "amount", "type"),
        (5, "village, ref", "key"),
        (6, "name", "formula"),
    ]
    assert batch.fault_count == 17
    told = "".join(queries.faults_csv(county.sender, batch.pk))
    assert (
        wrong not in told
        and good not in told
        and "cmd|x" not in told
        and wrong[-4:] not in told
        and "(18 characters, not shown)" in told
    )
    assert len(told.splitlines()) == 18
    assert all(line[-1] for line in csv.reader(io.StringIO(told)))  # what to do, of every fault
    page = queries.faults_page(county.sender, batch.pk, size=10)
    rest = queries.faults_page(county.sender, batch.pk, after=(page[-1].row_no, page[-1].pk), size=10)
    assert len(page) + len(rest) == 17
    assert not set(page) & set(rest)


def test_lines_that_are_broken_do_not_hide_the_others(county: SimpleNamespace) -> None:
    lines = [
        HEAD,
        f"r1,{V},a,,1,,",
        "r2,too,few",
        f"r3,{V},b,,1,,,more",
        f'r4,{V},"c"d,,1,,',
        f"r5,{V},e,,bad,,",
        f'r6,{V},"f,,1,,',
        f"r7,{V},g,,x,,",
    ]
    batch = sent(county, "\n".join(lines) + "\n")
    assert faults_of(batch) == [
        (3, "", "cells"),
        (4, "", "cells"),
        (5, "", "quotes"),
        (6, "amount", "type"),
        (7, "", "quotes"),
        (8, "amount", "type"),
    ]


def test_breaks_in_cells_blank_lines_and_trailing_commas(county: SimpleNamespace) -> None:
    text = f'{HEAD}\nr1,{V},a,,1,,"two\nlines"\n\n,,,,,,\nr2,{V},b,,2,,x,,\n'
    rows = staged(sent(county, text))
    assert [(r["row_no"], r["ref"], r["note"]) for r in rows] == [(2, "r1", "two lines"), (5, "r2", "x")]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", [(0, "", "empty_file")]),
        (HEAD + "\n", [(0, "", "no_rows")]),
        ("ref,name\na,b\n", [(1, "village", "missing_column")]),
        (f"ref,village,name,Ref\na,{V},b,c\n", [(1, "Ref", "duplicate_header")]),
        (
            f"ref,village,name,x,X\na,{V},b,c,d\n",
            [(1, f"column {at} (1 character, not shown)", "duplicate_header") for at in "DE"],
        ),
        (f"no,ref,village,name,amount\n1,a,{V},b,1\n合计,,,,1\n", [(3, "", "totals_row")]),
        (f"ref,village,name,amount\na,{V},b,1\nTotal,,,1\n", [(3, "", "totals_row")]),
    ],
)
def test_faults_of_the_file_as_a_whole(county: SimpleNamespace, text: str, faults: list[tuple[int, str, str]]) -> None:
    batch = sent(county, text)
    assert batch.state == State.FAULTY
    assert [f for f in faults_of(batch) if f[2] != "missing_column" or f in faults] == faults
    if faults[0][2] == "totals_row":
        assert "delete this row" in "".join(queries.faults_csv(county.sender, batch.pk))


def test_what_cannot_be_read_is_refused_and_not_kept(county: SimpleNamespace) -> None:
    broken = csv_of(3).encode().replace("马".encode(), b"\xff\xff", 1)
    told = refused(county, broken)
    assert told.code == "intake.unreadable" and "line 2, name: a byte that is not UTF-8, near byte 17" in told.found
    assert refused(county, csv_of(1).encode("utf-16")).found == "UTF-16"
    assert "zero byte" in refused(county, b"a,b\n\0,1\n").found
    assert "100,000 columns" in refused(county, ",".join(f"c{n}" for n in range(100_000)) + "\n1\n").found
    assert "old (.xls)" in refused(county, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest").found
    assert refused(county, b"PK\x03\x04 no zip").code == "intake.unreadable"


def test_workbooks_that_would_burst(county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    head = words(1, "ref", "village", "name")
    far = head + '<row r="2"><c r="A2" t="inlineStr"><is><t>R1</t></is></c><c r="XFD2"><v>1</v></c></row>'
    assert "XFD2" in refused(county, xlsx(page(far))).found
    text = f"<si><t>{'x' * 30_000}</t></si>"
    many = head + "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 200))
    monkeypatch.setattr(limits, "XLSX_TEXT", limits.MIB)
    assert "characters" in refused(county, xlsx(page(many), strings=text)).found
    monkeypatch.setattr(limits, "XLSX_ROWS", 99)
    assert "99 rows" in refused(county, xlsx(page(many), strings="<si><t>x</t></si>")).found
    monkeypatch.setattr(limits, "XLSX_UNPACKED_BYTES", limits.MIB)
    told = refused(county, xlsx(page(many, after=" " * limits.MIB)))
    assert (told.code, told.found) == ("intake.too_large", "a workbook too large when unpacked")
    monkeypatch.setattr(limits, "XLSX_MEMORY_BYTES", 24 * limits.MIB)
    monkeypatch.setattr(limits, "XLSX_UNPACKED_BYTES", 64 * limits.MIB)
    strings = "".join(f"<si><t>{n}{'y' * 900}</t></si>" for n in range(15_000))
    assert "memory" in refused(county, xlsx(page(many), strings=strings)).found


def test_cells_of_a_workbook_that_are_no_values_are_faults(county: SimpleNamespace) -> None:
    """By row and column, in every kind of column, identity too: an error, a formula without a result, a number shown
    otherwise.
    """
    texts = "".join(f'<c r="{c}2" t="inlineStr"><is><t>{t}</t></is></c>' for c, t in zip("AB", ("r1", V), strict=True))
    cells = (
        '<c r="C2" t="e"><f>A9</f><v>#NAME?</v></c><c r="D2" t="e"><v>#N/A</v></c><c r="E2"><f>E3*2</f></c><c '
        'r="F2" s="1"><v>39903</v></c>'
        '<c r="G2" s="2"><v>15000</v></c><c r="H2" s="3"><v>0.01</v></c><c r="I2" t="e"><v>#REF!</v></c>'
    )
    rows = (
        words(1, "ref", "village", "name", "id_number", "amount", "born", "share", "size", "kind")
        + f'<row r="2">{texts}{cells}</row>'
    )
    rows += words(3, "r2", V, "a", "", "1", "2009-03", "2", "3", "reg") + '<row r="4"><c r="A4" s="4"><v>12</v></c>'
    rows += f'<c r="B4"><v>{V}</v></c><c r="C4" t="inlineStr"><is><t>b</t></is></c></row>'
    data = xlsx(
        page(rows, after='<mergeCells><mergeCell ref="I3:I4"/></mergeCells>'), formats=["yyyy", "0!.0,", "0%", "0000"]
    )
    batch = sent(county, data, name="f.xlsx")
    assert faults_of(batch) == [
        (2, "amount", "formula"),
        (2, "born", "type"),
        (2, "id_number", "spreadsheet_error"),
        (2, "kind", "spreadsheet_error"),
        (2, "name", "spreadsheet_error"),
        (2, "share", "shown_otherwise"),
        (2, "size", "type"),
        (4, "kind", "merged"),
    ]
    found = {(f.column, f.rule): f.found for f in batch.faults.all()}
    assert found["name", "spreadsheet_error"] == "#NAME?" and found["share", "shown_otherwise"] == "#SHOWN! 15000"
    assert (found["size", "type"], found["amount", "formula"], found["kind", "merged"]) == (
        "… %",
        "(5 characters, not shown)",
        "#MERGED! I3:I4",
    )


def test_errors_of_a_spreadsheet_in_a_csv_are_faults(county: SimpleNamespace) -> None:
    batch = sent(county, f"{HEAD}\nr1,{V},#N/A,,#DIV/0!,########,#1 in the list\n#REF!,{V},b,,1,,\n")
    assert faults_of(batch) == [
        (2, "amount", "spreadsheet_error"),
        (2, "name", "spreadsheet_error"),
        (2, "paid_on", "spreadsheet_error"),
        (3, "ref", "spreadsheet_error"),
    ]


def test_what_is_read_of_a_workbook_is_told(county: SimpleNamespace) -> None:
    """The shown sheet with the headings is read, wherever it stands; a hidden one never; all else is a notice."""
    rows = words(2, "ref", "village", "name", "paid_on").replace(
        "</row>", '<c r="IV2" t="inlineStr"><is><t>tmpl</t></is></c></row>'
    )
    rows += (
        words(3, "0012", V, "孔_x4E8C_")
        .replace("<row ", '<row hidden="1" ')
        .replace("</row>", '<c r="D3" s="1"><v>39903</v></c></row>')
    )
    rows += '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t> </t></is></c></row>'
    table = page(rows, before='<cols><col min="1" max="1" hidden="1"/></cols>')
    old = page(words(1, "ref", "village", "name") + words(2, "x", V, "old"))
    data = xlsx(
        old,
        page(words(1, "how to fill")),
        table,
        formats=['m"月"d"日"'],
        states=["hidden", "visible", "visible"],
        names=["旧名单", "填表说明", "花名册"],
    )
    batch = sent(county, data, name="f.xlsx")
    assert [(r["row_no"], r["ref"], r["paid_on"]) for r in staged(batch)] == [(3, "0012", dt.date(2009, 3, 31))]
    assert [(n["what"], n["found"]) for n in batch.notices] == [
        ("sheet_read", "花名册"),
        ("other_sheet", "填表说明"),
        ("hidden_sheet", "(3 characters, not shown)"),
        ("empty_rows_above", "1"),
        ("hidden_row", "3"),
        ("hidden_column", "A"),
        ("far_cell", "IV2 (4 characters, not shown)"),
        ("yearless_day", "D3"),
    ]
    told = refused(
        county, xlsx(page(words(1, "how to fill")), old, states=["visible", "hidden"], names=["填表说明", "旧名单"])
    )
    assert "of the sheet 填表说明, none of them a known heading" in told.found


def _rows(many: int) -> bytes:
    return book(
        [["ref", "village", "name", "amount"], *[[f"R{n}", V, f"name {n * 7919 % 1000}", n] for n in range(many)]]
    )


def test_damaged_bytes_inside_a_sheet_are_refused(county: SimpleNamespace) -> None:
    data = bytearray(_rows(300))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        begins = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    for at in range(begins, begins + 20):
        data[at] ^= 0xA5
    told = refused(county, bytes(data))
    assert told.code == "intake.unreadable" and "cannot be read" in told.found


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_packing_no_spreadsheet_uses_is_not_opened(county: SimpleNamespace, method: int) -> None:
    data = bytearray(xlsx(page(words(1, "ref") * 50), method=method))
    at = data.index(b"sheet1.xml") + 10
    data[at + 12 : at + 40] = b"\xff" * 28
    assert "in a way spreadsheets do not write" in refused(county, bytes(data)).found


def test_flipped_and_truncated_workbooks_are_read_or_refused(tmp_path: Path) -> None:
    chance, sound = random.Random(4), _rows(30)
    told: list[str] = []
    for turn in range(300):
        data = bytearray(sound[: chance.randrange(4, len(sound))] if turn % 3 == 0 else sound)
        for _ in range(chance.randrange(0, 20)):
            data[chance.randrange(4, len(data))] ^= chance.randrange(1, 256)
        (tmp_path / "f.xlsx").write_bytes(data)
        try:
            child.read((tmp_path / "f.xlsx").open("rb"), io.BytesIO(), asdict(workbook._limits()), lambda _sheets: 0)
            told.append("read")
        except Refused as no:
            told.append(no.why)
    assert set(told) <= {"read", *WHY} and told.count("broken") > 150


def test_denied_columns_are_kept_nowhere(county: SimpleNamespace) -> None:
    head = "ref,village,name,民族,amount,Religion,party_member,note,colour"
    text = f"{head}\nr1,{V},a,秘密族,1,secretfaith,yes,n,red\nr2,{V},b,秘密族\n"
    batch = sent(county, text)
    assert [(n["what"], n["found"]) for n in batch.notices] == [
        ("denied_column", "民族 (民族)"),
        ("denied_column", "Religion (religion)"),
        ("denied_column", "(party)"),
        ("unknown_column", "column I (6 characters, not shown)"),
    ]
    kept = b"".join(vault.chunks(batch.vault_ref)).decode()
    assert "秘密族" not in kept and "secretfaith" not in kept and "民族" not in kept and "red" in kept
    assert faults_of(batch) == [(3, "", "cells")]
    rows = [["ref", "village", "name", "民族", "note"], ["r1", V, "a", "秘密族", "n"]]
    made = sent(county, book(rows), name="f.xlsx")
    assert made.state == State.CHECKED
    assert "秘密族" not in b"".join(vault.chunks(made.vault_ref)).decode()


def test_staging_again_gives_the_same(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(5))
    again = services.stage(batch.pk, again=True)
    assert (again.state, again.row_count, again.notices) == (batch.state, batch.row_count, batch.notices)
    faulty = sent(county, csv_of(1) + "x\n")
    first = faults_of(faulty)
    assert faults_of(services.stage(faulty.pk, again=True)) == first


def test_checks_of_the_sheet_find_rows(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name,size\nr1,{V},a,12\nr2,{V},b,13\n")
    assert faults_of(batch) == [(3, "size", "toy_unlucky")]
