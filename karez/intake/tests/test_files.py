"""Files as they really come: encodings, delimiters, workbooks, and every kind of broken one."""

import csv
import datetime as dt
import io
import random
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import xlsxwriter

from karez.intake import limits, queries, services, vault, workbook
from karez.intake.models import Batch, State
from karez.intake.tests.conftest import VILLAGES, csv_of, faults_of, id_number, sent
from karez.kernel.refusal import Refusal

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
    [("utf-8", ",", "\n"), ("utf-8-sig", ";", "\r\n"), ("gb18030", "\t", "\n"), ("gb18030", ",", "\r"), ("utf-8-sig", "\t", "\r")],
)
def test_encodings_delimiters_and_line_ends(county: SimpleNamespace, encoding: str, delimiter: str, newline: str) -> None:
    lines = [["编号", "村", "姓名", "金额", "note"], ["a1", V, "马小军", "120.5", "好"], ["a2", V, "李", "3", ""]]
    rows = staged(sent(county, newline.join(delimiter.join(line) for line in lines).encode(encoding)))
    assert [(r["row_no"], r["ref"], r["amount"], r["note"]) for r in rows] == [(2, "a1", 12050, "好"), (3, "a2", 300, None)]


def test_a_workbook_is_read_as_values(county: SimpleNamespace) -> None:
    rows = [
        ["Ref", "Village Code", " 姓 名 ", "金额(元)", "日期", "size", "note"],
        ["x1", int(V), "马", 12.5, dt.date(2009, 3, 31), 4.0, ("=1+1", "two")],
        ["x2", V, "李", ("=10*10", 100), "2009/4/1", "5", "-3"],
    ]
    made = staged(sent(county, book(rows), name="f.xlsx"))
    assert [(r["village"], r["amount"], r["paid_on"], r["size"], r["note"]) for r in made] == [
        (V, 1250, dt.date(2009, 3, 31), 4, "two"), (V, 10000, dt.date(2009, 4, 1), 5, "-3"),
    ]  # fmt: skip


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
    rows = staged(sent(county, "\n".join([head, *(line.replace("c,.,", "c,3,").replace('"1,2"', "2") for line in lines)])))
    day, month = dt.date(2009, 3, 31), dt.date(2009, 3, 1)
    assert [r["amount"] for r in rows] == [120050, 120000, 300, 0]
    assert [r["paid_on"] for r in rows] == [month, day, day, day]
    assert {r["born"] for r in rows} == {month}
    assert [(r["year"], r["size"], str(r["share"]), r["poor"], r["kind"]) for r in rows] == [
        (2009, 1, "1.25", True, "reg"), (2009, 12, "-3", False, "reg"), (2010, 2, "0.1", True, "fund"), (2011, 7, "1234.5", True, "reg"),
    ]  # fmt: skip


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
        (2, "amount", "type"), (2, "id_number", "id_number"), (2, "note", "formula"), (2, "paid_on", "type"), (2, "ref", "required"),
        (3, "amount", "low"), (3, "id_number", "id_number"), (3, "name", "required"), (3, "note", "formula"), (3, "paid_on", "type"),
        (3, "village", "area"),
        (4, "amount", "type"), (4, "note", "max_length"), (4, "paid_on", "type"),
        (5, "amount", "type"), (5, "village, ref", "key"), (6, "name", "formula"),
    ]  # fmt: skip
    assert batch.fault_count == 17
    told = "".join(queries.faults_csv(county.sender, batch.pk))
    assert wrong not in told and good not in told and "cmd|x" not in told and f"{'*' * 14}{wrong[-4:]}" in told
    assert len(told.splitlines()) == 18
    assert all(line[-1] for line in csv.reader(io.StringIO(told)))  # what to do, of every fault
    page = queries.faults_page(county.sender, batch.pk, size=10)
    rest = queries.faults_page(county.sender, batch.pk, after=(page[-1].row_no, page[-1].pk), size=10)
    assert len(page) + len(rest) == 17
    assert not set(page) & set(rest)


def test_lines_that_are_broken_do_not_hide_the_others(county: SimpleNamespace) -> None:
    lines = [HEAD, f"r1,{V},a,,1,,", "r2,too,few", f"r3,{V},b,,1,,,more", f'r4,{V},"c"d,,1,,', f"r5,{V},e,,bad,,", f'r6,{V},"f,,1,,', f"r7,{V},g,,x,,"]
    batch = sent(county, "\n".join(lines) + "\n")
    assert faults_of(batch) == [(3, "", "cells"), (4, "", "cells"), (5, "", "quotes"), (6, "amount", "type"), (7, "", "quotes"), (8, "amount", "type")]


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
        (f"ref,village,name,x,X\na,{V},b,c,d\n", [(1, "X", "duplicate_header"), (1, "x", "duplicate_header")]),
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
    assert told.code == "intake.unreadable" and "line 2, near byte" in told.found
    assert refused(county, csv_of(1).encode("utf-16")).found == "UTF-16"
    assert "zero byte" in refused(county, b"a,b\n\0,1\n").found
    assert "100,000 columns" in refused(county, ",".join(f"c{n}" for n in range(100_000)) + "\n1\n").found
    assert "old (.xls)" in refused(county, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest").found
    assert refused(county, b"PK\x03\x04 no zip").code == "intake.unreadable"


def test_workbooks_that_would_burst(county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def packed(page: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", page)
        return out.getvalue()

    assert refused(county, packed(b" " * 40_000_000)).code == "intake.too_large"
    assert "column" in refused(county, packed(b'<row r="1"><c r="A1"/><c r="XFD1"/></row>')).found
    assert "rows" in refused(county, packed(b'<row r="1048576"><c r="A1048576"/></row>')).found
    monkeypatch.setattr(limits, "XLSX_ROWS", 99_999)
    assert "rows" in refused(county, packed(b'<row r="100001"><c r="A100001"/></row>')).found
    assert workbook.limits is limits


def _rows(many: int) -> bytes:
    return book([["ref", "village", "name", "amount"], *[[f"R{n}", V, f"name {n * 7919 % 1000}", n] for n in range(many)]])


def test_damaged_bytes_inside_a_sheet_are_refused(county: SimpleNamespace) -> None:
    data = bytearray(_rows(300))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        begins = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    for at in range(begins, begins + 20):
        data[at] ^= 0xA5
    told = refused(county, bytes(data))
    assert told.code == "intake.unreadable" and "broken archive" in told.found


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_packing_no_spreadsheet_uses_is_not_opened(county: SimpleNamespace, method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<row/>" * 500)
    data = bytearray(out.getvalue())
    at = data.index(b"sheet1.xml") + 10
    data[at + 12 : at + 40] = b"\xff" * 28
    assert "packed in a way" in refused(county, bytes(data)).found


def test_flipped_and_truncated_workbooks_are_read_or_refused(tmp_path: Path) -> None:
    chance, sound = random.Random(4), _rows(30)
    told: list[str] = []
    for turn in range(300):
        data = bytearray(sound[: chance.randrange(4, len(sound))] if turn % 3 == 0 else sound)
        for _ in range(chance.randrange(0, 20)):
            data[chance.randrange(4, len(data))] ^= chance.randrange(1, 256)
        (tmp_path / "f.xlsx").write_bytes(data)
        try:
            workbook.workbook_to_csv(tmp_path / "f.xlsx", tmp_path / "f.csv", lambda _what, _found: None)
            told.append("read")
        except Refusal as no:
            told.append(no.code)
    assert set(told) <= {"read", "intake.unreadable", "intake.too_large"} and told.count("intake.unreadable") > 150


def test_denied_columns_are_kept_nowhere(county: SimpleNamespace) -> None:
    head = "ref,village,name,民族,amount,Religion,party_member,note,colour"
    text = f"{head}\nr1,{V},a,秘密族,1,secretfaith,yes,n,red\nr2,{V},b,秘密族\n"
    batch = sent(county, text)
    assert [(n["what"], n["found"]) for n in batch.notices] == [
        ("denied_column", "民族 (民族)"), ("denied_column", "Religion (religion)"), ("denied_column", "party_member (party)"),
        ("unknown_column", "colour"),
    ]  # fmt: skip
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
