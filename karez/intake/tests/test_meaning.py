"""What a file says by its headings, its encoding and its unknown columns: turned and told, or refused; never left out
unsaid.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace

import pytest

from karez.intake import registry, rules
from karez.intake.models import Batch, State
from karez.intake.plain import Notices, prepare
from karez.intake.staging import Places, staging_of
from karez.intake.telling import heading_shown
from karez.intake.tests.conftest import VILLAGES, faults_of, id_number, sent
from karez.intake.tests.test_files import book, refused, staged
from karez.kernel.encodings import LETTERS, PERHAPS_NONSENSE, PRIVATE, is_nonsense
from karez.kernel.personal import looks_personal
from karez.kernel.sheets import Kind, Sheet
from karez.proofreader.chapter_file import read_chapter

V = VILLAGES[0]


def notices(batch: Batch, what: str) -> list[str]:
    return [notice["found"] for notice in batch.notices if notice["what"] == what]


def test_a_heading_in_another_unit_is_turned_and_told_and_the_total_follows(county: SimpleNamespace) -> None:
    batch = sent(
        county,
        f"ref,village,name,金额（万元）,share\nr1,{V},a,1050,1\nr2,{V},b,12.345,1.0800\nr3,{V},c,500元,5万\n".replace(
            ",share", ",note"
        ),
    )
    assert notices(batch, "unit_converted") == ["金额（万元）: 万元 × 10,000 = yuan"]
    assert [row["amount"] for row in staged(batch)] == [1050000000, 12345000, 50000]
    assert {total["label"]: total["value"] for total in batch.totals}["amount"] == "1062395000"


def test_a_cell_that_is_no_number_is_told_the_unit_its_heading_names(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name,金额(万元)\nr1,{V},a,abc\n")
    assert [f.expected for f in batch.faults.all()] == ["a number in 万元, the unit in the heading"]
    batch = sent(county, f"ref,village,name,金额(元)\nr1,{V},a,abc\n")
    assert [f.expected for f in batch.faults.all()] == ["an amount in yuan with at most two decimals, such as 1,200.50"]


@pytest.mark.parametrize(
    ("heading", "fault"),
    [
        ("金额(美元)", ("the heading says 美元", "the column in yuan")),
        ("amount (persons)", ("the heading says persons", "the column in yuan")),
        ("size (元)", ("the heading says 元", "the unit of the column, or none")),
    ],
)
def test_a_heading_in_a_unit_that_cannot_be_turned_is_refused_naming_both(
    county: SimpleNamespace, heading: str, fault: tuple[str, str]
) -> None:
    batch = sent(county, f"ref,village,name,{heading}\nr1,{V},a,5\n")
    assert [(row.row_no, row.rule, row.found, row.expected) for row in batch.faults.all()] == [(1, "unit", *fault)]


def test_a_unit_beside_the_numbers_is_not_left_out(county: SimpleNamespace) -> None:
    assert faults_of(sent(county, f"ref,village,name,amount,单位\nr1,{V},a,5,万元\n")) == [(1, "单位", "unit")]
    assert faults_of(sent(county, f"ref,village,name,amount,currency\nr1,{V},a,5,USD\n")) == [
        (1, "column E (8 characters, not shown)", "unit")
    ]
    assert sent(county, f"ref,village,name,amount,单位,币种\nr1,{V},a,5,县扶贫办,人民币\n").state == State.CHECKED


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("银行", ("ABC", "CCB")),
        ("联社", ("RCC", "RCC")),
        ("状态", ("NEW", "NEW")),
        ("住处", ("1单元", "2单元")),
        ("对象", ("个人", "家庭")),
    ],
)
def test_a_column_of_words_that_only_look_like_units_is_left_out_with_a_notice(
    county: SimpleNamespace, heading: str, cells: tuple[str, str]
) -> None:
    batch = sent(county, f"ref,village,name,amount,{heading}\nr1,{V},a,5,{cells[0]}\nr2,{V},b,5,{cells[1]}\n")
    assert batch.state == State.CHECKED and len(notices(batch, "unknown_column")) == 1


def test_a_heading_without_end_is_refused_with_its_column(county: SimpleNamespace) -> None:
    long = "a/" * 2000
    for content in (
        f"ref,village,name,{long}\nr1,{V},a,1\n",
        book([["ref", "village", "name", long], ["r1", V, "a", "1"]]),
    ):
        assert refused(county, content).found == "a heading of 4,000 characters in column 4"
    (fault,) = read_chapter(f"id,{long}\n1,2\n".encode()).faults
    assert (fault.column, fault.found, fault.expected) == ("column 2", "a heading of 4,000 characters", "at most 200")


def test_wide_letters_and_digits_are_the_plain_ones(county: SimpleNamespace) -> None:
    number = id_number(3)
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in number)
    village = "".join(chr(ord(sign) + 0xFEE0) for sign in V)
    batch = sent(
        county,
        f'ref,village,name,id_number,amount,paid_on,born,year,size,poor,phone\nＲ－１２,{village},a,{wide},"￥３，０００．５０",２００９－１２－０１,１９８０－０１,２００９,１２,１,１３９１２３４５６７８\n',
    )
    (row,) = staged(batch)
    assert (
        row["ref"],
        row["village"],
        row["amount"],
        str(row["paid_on"]),
        str(row["born"]),
        row["year"],
        row["size"],
        row["poor"],
        row["phone"],
    ) == (
        "R-12",
        V,
        300050,
        "2009-12-01",
        "1980-01-01",
        2009,
        12,
        True,
        "13912345678",
    )
    (plain,) = staged(sent(county, f"ref,village,name,id_number\nr1,{V},a,{number}\n"))
    assert bytes(row["number_hash"]) == bytes(plain["number_hash"])  # type: ignore[call-overload]


def test_what_cannot_be_read_is_told_with_its_own_reason(county: SimpleNamespace) -> None:
    head = "ref,village,name,amount,paid_on,size"
    cells = [
        ("150.000", "2009/3/4 8:30", "1e5"),
        ("(100)", "1/12/2009", "12个月"),
        ("—", "40148", "五"),
        ("5美元", "2009-02-30", "1 080"),
    ]
    batch = sent(county, "\n".join([head, *(f"r{n},{V},a,{','.join(row)}" for n, row in enumerate(cells))]))
    told = {(row.row_no, row.column): row.expected for row in batch.faults.all()}
    assert told == {
        (2, "amount"): "a number that can be read in one way only",
        (2, "paid_on"): "a day without a time of day",
        (2, "size"): "a number with all its digits",
        (3, "amount"): "a number below zero with a minus sign in front, such as -100",
        (3, "paid_on"): "a day with its year first, such as 2009-03-31",
        (3, "size"): "a number without a unit",
        (4, "amount"): "a number, or an empty cell where there is none",
        (4, "paid_on"): "a day such as 2009-03-31, not a spreadsheet's number of it",
        (4, "size"): "a number in the digits 0 to 9",
        (5, "amount"): "a number in yuan, with no unit but one that is a fixed number of yuan",
        (5, "paid_on"): "a day: 2009-03-31, 2009/3/31, 20090331 or 2009年3月31日",
        (5, "size"): "digits without blanks or apostrophes between them",
    }


@pytest.mark.parametrize(
    "heading",
    [
        "身份证号码",
        "证件号码",
        "公民身份证号",
        "公民身份号码",
        "身份证",
        "居民身份证号",
        "ID card no.",
        "本人身份证号码",
        "SFZ",
        "sfzh",
    ],
)
def test_identity_under_a_common_heading_is_identity(county: SimpleNamespace, heading: str) -> None:
    (row,) = staged(sent(county, f"ref,village,人员姓名,{heading}\nr1,{V},a,{id_number(1)}\n"))
    assert row["number_hash"] and row["name_hash"]


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("户主身份证号", ("", "")),
        ("编码2", (id_number(1), "x")),
        ("代号", ("640422650101123", "")),
        ("卡", ("6222021234567890128", "")),
        ("tel2", ("13912345678", "139-1234-5679")),
        ("银行账号", ("", "1")),
        ("编码2", ("'" + id_number(1), "")),
        ("编码2", ("".join(chr(ord(sign) + 0xFEE0) for sign in id_number(1)), "")),
    ],
)
def test_an_unknown_column_of_identity_is_refused_without_showing_it(
    county: SimpleNamespace, heading: str, cells: tuple[str, str]
) -> None:
    batch = sent(county, f"ref,village,name,{heading}\nr1,{V},a,{cells[0]}\nr2,{V},b,{cells[1]}\n")
    assert faults_of(batch) == [(1, heading_shown(heading, 3), "identity_column")]
    assert not notices(batch, "unknown_column")  # not told as left out as well
    assert not any(cell and cell in str(list(batch.faults.values())) for cell in cells if len(cell) > 3)


def test_columns_of_other_things_are_left_out_with_a_notice(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name,证件类型,开户行,amuont,文号\nr1,{V},a,身份证,农行,2009,640422201201\n")
    assert batch.state == State.CHECKED
    assert notices(batch, "unknown_column") == [
        "column D (4 characters, not shown)",
        "column E (3 characters, not shown)",
        "column F (6 characters, not shown) (amount?)",
        "文号",
    ]
    assert not any(
        looks_personal(h)
        for s in registry.sheets().values()
        if s.name != "toy"
        for c in s.columns
        if not c.identity
        for h in (c.name, *c.headers)
    )


def test_a_file_with_a_damaged_byte_is_refused_where_it_is_damaged(county: SimpleNamespace) -> None:
    sound = f"ref,village,姓名,note\nr1,{V},马小军,好\nr2,{V},李四,\nr3,{V},王五,\n".encode()
    for word in ("马小军", "王五"):
        damaged = sound.replace(word.encode(), word.encode()[:1] + word.encode()[2:])
        line = sound[: sound.index(word.encode())].count(b"\n") + 1
        assert f"line {line}, 姓名: a byte that is not UTF-8" in refused(county, damaged).found
    batch = sent(county, sound.decode().encode("gb18030"))
    assert batch.state == State.CHECKED and notices(batch, "read_as_gb18030") == ["GB 18030"]


def test_words_of_a_wrong_encoding_are_told_and_not_shown(county: SimpleNamespace) -> None:
    spoilt = [
        "马\ufffd军",
        "锟斤拷",
        "\ue123某",
        "马小军李四".encode().decode("gb18030", "ignore"),
        "马小军".encode().decode("latin-1"),
    ]
    lines = [f"r{n},{V},{word},ok" for n, word in enumerate(spoilt)]
    batch = sent(county, "\n".join(["ref,village,name,note", *lines, f"r9,{V},艾力·买买提,ئەلى", f"rA,{V},龘,é"]))
    assert {(row, column, rule) for row, column, rule in faults_of(batch)} == {
        (n + 2, "name", "damaged") for n in range(5)
    }
    assert not any(word in str(list(batch.faults.values())) for word in spoilt)
    assert faults_of(sent(county, f"ref,village,name\nr1,{V},马Ж军\n".encode("gb18030"))) == [(2, "name", "damaged")]


def test_headings_of_the_offices_files_are_turned_or_refused_in_every_sheet() -> None:
    cases = [
        ("appropriations", "金额(万元)", 10000),
        ("appropriations", "金额（元）", 1),
        ("assessments", "家庭纯收入（万元）", 10000),
        ("assessments", "人口数(人)", 1),
        ("loans", "借款金额(万元)", 10000),
        ("loans", "期限(月)", None),
        ("loans", "期限(天)", 1),
        ("loans", "借款金额(美元)", None),
        ("returns", "数值(万人)", None),
        ("returns", "数值(人)", 1),
        ("societies", "月占用费率(%)", 1),
        ("societies", "月占用费率(‰)", rules.Fraction(1, 10)),
        ("societies", "最长借款期限(月)", None),
        ("societies", "最少社员户数(户)", 1),
        ("societies", "可同时借款笔数(笔)", 1),
        ("plan_targets", "计划数(万)", None),
    ]
    for sheet_name, heading, worth in cases:
        sheet = registry.sheet_named(sheet_name)
        matched = rules.match_headings(sheet, [heading])
        ((column, _place),) = matched.places.items()
        assert rules.conversion(sheet.column(column), matched.units[column]) == worth, heading


def of_workbook(
    sheet: Sheet, tmp_path: Path, *rows: Sequence[object]
) -> tuple[list[dict[str, object]], list[tuple[str, str]]]:
    """The typed rows of a workbook as that sheet, and the faults of its numbers."""
    folder = Path(mkdtemp(dir=tmp_path))
    path = folder / "sent.xlsx"
    path.write_bytes(book([list(row) for row in rows]))
    with staging_of(
        sheet, prepare(path, folder, sheet, Notices()), Places([], [], []), lambda _what, _share: None
    ) as work:
        work.check()
        return work.records(), [
            (fault["column"], fault["found"]) for fault in work.fault_records() if fault["rule"] in ("type", "low")
        ]


def test_three_decimals_of_a_number_the_spreadsheet_holds_are_decimals(tmp_path: Path) -> None:
    head = ("measure", "area", "year", "value", "numerator", "denominator", "unit", "document")
    rows, faults = of_workbook(
        registry.sheets()["returns"],
        tmp_path,
        head,
        ("population", "64", 2009, 12.345, 1.08, 999.125, "persons", 12.345),
        ("population", "64", 2009, -12.345, 0.125, 1234.567, "persons", "1.080"),
        ("population", "64", 2009, "12.345", 1, 1, "persons", "a"),
    )
    assert [(r["value"], r["numerator"], r["denominator"], r["document"]) for r in rows] == [
        ("12.3450", "1.08", "999.1250", "12.345"),
        ("-12.3450", "0.125", "1234.567", "1.080"),
        (None, "1", "1", "a"),
    ]
    assert sorted(faults) == [("value", "-12.3450"), ("value", "12.345")]  # below nought, and written as a text
    money = registry.sheets()["appropriations"]
    head = tuple(column.name for column in money.columns)
    of = {Kind.FEN: 1.08, Kind.DATE: "2009-03-01", Kind.YEAR: 2009, Kind.AREA: "64"}
    (row,), _faults = of_workbook(money, tmp_path, head, [of.get(c.kind, "x") for c in money.columns])
    assert row["amount"] == 108
    (row,), faults = of_workbook(
        money, tmp_path, head, [{**of, Kind.FEN: 150.125}.get(c.kind, "x") for c in money.columns]
    )
    assert row["amount"] is None and ("amount", "150.1250") in faults


def test_a_check_may_tell_what_is_expected_of_each_row(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name,size\nr1,{V},a,27\nr2,{V},b,5\n")
    assert [(row.row_no, row.rule, row.found, row.expected) for row in batch.faults.all()] == [
        (2, "toy_named", "27", "28: the size after 27")
    ]


def test_numbers_of_households_are_no_old_cards(county: SimpleNamespace) -> None:
    for village in (V, "640422201299"):
        rows = [f"r{n},{V},a{n},{village}{n:03}" for n in range(1, 5)]
        assert sent(county, "\n".join(["ref,village,name,户码", *rows])).state == State.CHECKED
    rows = [f"r{n},{V},a{n},6404226{n}0101{n:03}" for n in range(1, 5)]
    assert [rule for _row, _column, rule in faults_of(sent(county, "\n".join(["ref,village,name,户码", *rows])))] == [
        "identity_column"
    ]


def test_rare_letters_of_names_are_the_same_in_every_encoding(county: SimpleNamespace) -> None:
    names = ["\u9fb4某", "\U000215d7某", "\u9fb9", "\u4723某"]
    packed = [b"\xfe\x59\xc4\xb3", b"\xfe\x6c\xc4\xb3", b"\xfe\x7e", "\ue850某".encode()]
    plain = staged(
        sent(county, "\n".join(["ref,village,name", *(f"r{n},{V},{word}" for n, word in enumerate(names[:3]))]))
    )
    old = staged(
        sent(
            county,
            b"ref,village,\xd0\xd5\xc3\xfb\n"
            + b"\n".join(f"r{n},{V},".encode() + word for n, word in enumerate(packed[:3])),
        )
    )
    assert [bytes(row["name_hash"]) for row in plain] == [bytes(row["name_hash"]) for row in old]  # type: ignore[call-overload]
    assert all(sign < "\ue000" or sign > "\uf8ff" for sign in LETTERS)
    assert len(set(LETTERS)) == len(LETTERS) == len(PRIVATE) == 90


def test_words_of_a_wrong_encoding_are_found_wherever_they_stand(county: SimpleNamespace) -> None:
    rows = [f"r{n},{V},马小{n}" for n in range(2500)]
    rows += [
        f"x{n},{V},{word}"
        for n, word in enumerate(
            (
                "马小军".encode().decode("gb18030", "ignore"),
                "a马b军".encode().decode("cp1252", "ignore"),
                "马小军".encode().decode("latin-1"),
            )
        )
    ]
    assert [(row, rule) for row, _column, rule in faults_of(sent(county, "\n".join(["ref,village,name", *rows])))] == [
        (2502, "damaged"),
        (2503, "damaged"),
        (2504, "damaged"),
    ]
    assert all(
        re.search(PERHAPS_NONSENSE, word)
        for name in ("马小军", "x李四", "·买买提")
        for code in ("gb18030", "latin-1")
        for word in (name.encode().decode(code, "ignore"),)
        if is_nonsense(word)
    )


@pytest.mark.parametrize(
    "heading",
    [
        "护照",
        "护照号码",
        "passport",
        "Passport No.",
        "军官证号",
        "残疾证号",
        "低保证号",
        "户口簿号",
        "户口本编号",
        "驾驶证号",
        "残疾人证编号",
        "港澳通行证号",
    ],
)
def test_numbers_of_other_papers_are_identity(heading: str) -> None:
    assert looks_personal(heading)
    assert not looks_personal(heading + "类型")
