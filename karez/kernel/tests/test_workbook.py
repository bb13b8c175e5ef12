"""The reader of workbooks: what a cell says, what is told of a sheet, and that the worst file costs no more than its
bounds.
"""

import csv
import io
from dataclasses import asdict, replace

import pytest

from karez.kernel.tests.packed import MAIN, page, words, xlsx
from karez.kernel.workbook import child
from karez.kernel.workbook.formats import format_of, plain_number
from karez.kernel.workbook.marks import is_mark
from karez.kernel.workbook.parts import Refused
from karez.kernel.workbook.reading import MIB, Limits, Reading, SheetHead, WorkbookRefused, read_bytes

LIMITS = Limits(memory=160 * MIB, seconds=60, unpacked=8 * MIB, rows=1_000, columns=100, cells=100_000, text=MIB)


def read(data: bytes, sheet: int = 0, *, apart: bool = False, **other: int) -> tuple[list[list[str]], Reading]:
    """Records by row of the spreadsheet, from row 1 on; in a process of its own only where asked, as each takes a
    moment to start.
    """
    limits = replace(LIMITS, **other)
    if apart:
        file, told = read_bytes(data, limits, lambda _sheets: sheet)
        file.close()
        return [], told
    target = io.BytesIO()
    done = child.read(io.BytesIO(data), target, asdict(limits), lambda _sheets: sheet)
    return list(csv.reader(io.StringIO(target.getvalue().decode(), newline=""))), Reading(**done)


def refused(data: bytes, *, apart: bool = False, **other: int) -> tuple[str, str]:
    with pytest.raises(WorkbookRefused if apart else Refused) as no:
        read(data, apart=apart, **other)
    return no.value.why, no.value.found  # type: ignore[attr-defined]


def cells(*made: str, **other: object) -> list[str]:
    """What the cells of one row say."""
    row = "".join(f'<c r="{chr(65 + n)}1" {one}</c>' for n, one in enumerate(made))
    return read(xlsx(page(f'<row r="1">{row}</row>'), **other))[0][0]  # type: ignore[arg-type]


SAYS = [  # number format, number held, what the cell says
    ("General", "1580", "1580"),
    ("0.00", "12.345", "12.345"),
    ("#,##0.00", "1234.5", "1234.5"),
    ("General", "0.1", "0.1"),
    ("General", "0.30000000000000004", "0.3"),
    ("General", "1E-5", "0.00001"),
    ("General", "6.4042219700101101E+17", "6.40422197001011e+17"),
    ("0%", "0.01", "1%"),
    ("0.00%", "0.008", "0.8%"),
    ("0%", "-0.29", "-29%"),
    ("0%", "0.28999999999999998", "29%"),
    ('0"%"', "5", "5%"),
    ("0‰", "5", "5‰"),
    ("0%%", "0.01", "100%%"),
    ("0000", "12", "0012"),
    ("0000", "12345", "12345"),
    ('"H-"0000', "12", "H-0012"),
    ("000000000000", "12.5", "000000000012.5"),
    ("0,", "1234567", "#SHOWN! 1234567"),
    ("0!.0,", "1234567", "#SHOWN! 1234567"),
    ('0"."0,', "15000", "#SHOWN! 15000"),
    ("0.0,,", "0", "0"),
    ('[>=10000]0!.0,"万";0', "15000", "#SHOWN! 15000"),
    ('[>=10000]0!.0,"万";0', "150", "150"),
    ('0.00"万元"', "1050", "1050万元"),
    ('0"人"', "12", "12人"),
    ("[$$-409]#,##0.00", "1050", "$1050"),
    ('"US$"#,##0', "7", "US$7"),
    ("[$€-2] #,##0", "7", "€7"),
    ("[$￥-804]#,##0.00", "7", "¥7"),
    ('"¥"#,##0;[Red]"¥"\\-#,##0', "-5", "¥-5"),
    ("[$-804]0", "7", "7"),
    ('_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', "-5", "-5"),
    ('_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', "0", "0"),
    ("#,##0_);[Red]\\(#,##0\\)", "-5", "-5"),
    ("0;-0;;@", "0", "0"),
    (";;;", "5", "#SHOWN! 5"),
    ("0;;", "-5", "#SHOWN! -5"),
    ('"合格";;"不合格"', "1", "合格"),
    ("# ?/?", "0.5", "0.5"),
    ("0.00E+00", "12", "12"),
    ("@", "12", "12"),
    ("[DBNum2]General", "12", "12"),
    ('General"元"', "12", "12元"),
    ("[红色]0", "3", "3"),
    ("", "3", "3"),
    ("yyyy-mm-dd", "39903", "2009-03-31"),
    ('yyyy"年"m"月"d"日"', "39903", "2009-03-31"),
    ("m/d/yy", "39903.4", "2009-03-31"),
    ("yyyy-mm-dd h:mm", "39903.5", "2009-03-31 12:00:00"),
    ("m/d/yy h:mm AM/PM", "39903", "2009-03-31"),
    ("yyyy/m/d;@", "39903", "2009-03-31"),
    ('yyyy"年"m"月"', "39903", "2009-03"),
    ("mmm-yy", "39903", "2009-03"),
    ("yyyy", "39903", "2009"),
    ("[$-804]aaaa", "39903", "#SHOWN! 2009-03-31"),
    ("h:mm", "0.5", "12:00:00"),
    ("[h]:mm", "1.5", "36:00:00"),
    ("yyyy-mm-dd", "60", "1900-02-29"),
    ("yyyy-mm-dd", "59", "1900-02-28"),
    ("yyyy-mm-dd", "-1", "########"),
    ("yyyy-mm-dd", "0", "1900-01-00"),
    ('m"月"d"日"', "39903", "2009-03-31"),
    ("d", "39903", "#SHOWN! 2009-03-31"),
]


@pytest.mark.parametrize(("code", "held", "says"), SAYS)
def test_a_number_reads_as_its_cell_shows_it_with_every_digit_it_holds(code: str, held: str, says: str) -> None:
    raw, form = plain_number(held), format_of(code)
    assert (raw if form.plain else form.number(float(held), raw, from_1904=False)[0]) == says
    assert is_mark(says) == says.startswith("#")


def test_formats_that_are_named_by_number_alone() -> None:
    styles = "".join(f'<xf numFmtId="{n}"/>' for n in (0, 10, 14, 22, 31, 57, 58, 49))
    more = {
        "xl/styles.xml": (
            f'<styleSheet xmlns="{MAIN}"><cellStyleXfs><xf '
            f'numFmtId="9"/></cellStyleXfs><cellXfs>{styles}</cellXfs></styleSheet>'
        )
    }
    made = [f's="{n}"><v>39903.5</v>' for n in range(1, 8)]
    assert cells('s="0"><v>0.5</v>', *made, more=more) == [
        "0.5",
        "3990350%",
        "2009-03-31",
        "2009-03-31 12:00:00",
        "2009-03-31",
        "2009-03",
        "2009-03-31",
        "39903.5",
    ]


def test_what_is_shown_is_never_read_as_nothing() -> None:
    assert cells(
        't="e"><f>1/0</f><v>#DIV/0!</v>',
        't="e"><v>#N/A</v>',
        't="e"><v>?</v>',
        "><f>A9*2</f>",
        "><f>A9*2</f><v></v>",
        't="str"><f>IF(1,"")</f><v></v>',
        't="str"><f>A9</f>',
        '><f t="shared" si="0"/><v/>',
        "><f>A9</f><v>7</v>",
        't="b"><v>1</v>',
        't="d"><v>2009-03-31T00:00:00</v>',
        't="inlineStr"><is><t>' + "x" * 32_768 + "</t></is>",
    ) == ["#DIV/0!", "#N/A", "#VALUE!", "=A9*2", "=A9*2", "", "=A9", "=...", "7", "true", "2009-03-31", "#LONG! 32768"]


def test_texts_are_as_shown() -> None:
    strings = (
        "<si><r><t>马</t></r><r><t>小军</t></r><rPh sb='0' "
        "eb='1'><t>ma</t></rPh></si><si><t>孔_x4E8C_</t></si><si><t>_x005F_x4E8C_</t></si>"
    )
    strings += "<si><t>a_x000D_b_x0000_</t></si><si><t>_xD842__xDFB7_</t></si><si><t>_xD842_</t></si>"
    made = [f't="s"><v>{n}</v>' for n in range(6)] + [
        't="inlineStr"><is><t>孔_x4E8C_</t><rPh><t>kong</t></rPh></is>',
        't="str"><f>A1</f><v>_x4E8C_</v>',
    ]
    assert cells(*made, 's="1" t="s"><v>1</v>', strings=strings, formats=['@"村"']) == [
        "马小军",
        "孔二",
        "_x4E8C_",
        "ab_x0000_",
        "𠮷",
        "�",
        "孔二",
        "二",
        "孔二村",
    ]


def test_days_of_the_system_of_1904() -> None:
    assert cells('s="1"><v>38441</v>', formats=["yyyy-mm-dd"], from_1904=True) == ["2009-03-31"]


FAR = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>{0}</t></is></c></row>'


def test_nothing_is_nothing_however_far_away() -> None:
    table = words(1, "a", "b") + words(2, "1", "2")
    colour = page(table.replace("</row>", '<c r="XFD1" s="0"/></row>', 1) + FAR.format(" \u3000"))
    assert read(xlsx(colour))[0] == [["a", "b"], ["1", "2"]]
    target = io.BytesIO()
    child.read(io.BytesIO(xlsx(page(table + FAR.format("x")))), target, asdict(LIMITS), lambda _sheets: 0)
    assert target.getvalue() == b"a,b\n1,2\n" + b"\n" * 1_048_573 + b"x,\n"  # a record in the row where it stands


def test_a_word_far_to_the_right_is_told_with_its_cell() -> None:
    mark = '<c r="IV{0}" t="inlineStr"><is><t>tmpl</t></is></c></row>'
    rows, told = read(xlsx(page(words(1, "a").replace("</row>", mark.format(1)) + words(2, "1"))))
    assert (rows, told.places) == ([["a"], ["1"]], {"far_cell": ["IV1 tmpl"]})
    assert refused(xlsx(page(words(1, "a") + words(2, "1").replace("</row>", mark.format(2))))) == ("far", "IV2")


def test_hidden_sheets_are_not_read_and_all_that_is_not_read_is_told() -> None:
    pages = [page(words(1, name)) for name in "abcd"]
    data = xlsx(*pages, states=["hidden", "visible", "veryHidden", "visible"], names=["A", "B", "C", "D"])
    heads: list[SheetHead] = []
    file, told = read_bytes(data, LIMITS, lambda sheets: heads.extend(sheets) or 1)  # type: ignore[func-returns-value]
    with file:
        assert file.read() == b"d\n"
    assert heads == [SheetHead("B", ["b"]), SheetHead("D", ["d"])]
    assert (told.sheet, told.others, told.hidden) == ("D", ["B"], ["A", "C"])
    assert refused(xlsx(pages[0], states=["hidden"]))[0] == "hidden"


def test_hidden_rows_and_columns_are_read_and_told() -> None:
    rows = (
        words(1, "a", "b", "c")
        + words(2, "1", "2").replace("<row ", '<row hidden="1" ')
        + words(4, "3", "", "").replace("<row ", '<row ht="0" ')
    )
    made, told = read(xlsx(page(rows, before='<cols><col min="2" max="16384" hidden="1"/></cols>')))
    assert made == [["a", "b", "c"], ["1", "2", ""], [], ["3", "", ""]]
    assert told.places == {"hidden_row": ["2", "4"], "hidden_column": ["B", "C"]}


def test_what_a_merged_cell_covers_is_marked() -> None:
    rows = (
        words(1, "title")
        + words(2, "a", "b", "c")
        + words(3, "1", "2", "3")
        + words(4, "", "5", "6")
        + words(5, "7", "8")
        + words(6, "note")
    )
    merged = (
        "<mergeCells>"
        + "".join(f'<mergeCell ref="{ref}"/>' for ref in ("A1:C1", "A3:A4", "B5:C5", "A6:C6"))
        + "</mergeCells>"
    )
    assert read(xlsx(page(rows, after=merged)))[0] == [
        ["title"],
        ["a", "b", "c"],
        ["1", "2", "3"],
        ["#MERGED! A3:A4", "5", "6"],
        ["7", "8", "#MERGED! B5:C5"],
        ["note", "", ""],
    ]
    overlap = '<mergeCells><mergeCell ref="A1:B4"/><mergeCell ref="B2:C3"/></mergeCells>'
    assert refused(xlsx(page(rows, after=overlap)))[0] == "broken"


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"/><row r="1"/>',
        '<row r="1"><c r="A2"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
        '<row r="1"><c r="A1"><v>1_0</v></c></row>',
        '<row r="1"><c r="A1"><v>nan</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>9</v></c></row>',
        '<row r="9999999999"/>',
        '<row r="x"/>',
        '<row r="1"><c r="AAAA1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="zz"><v>1</v></c></row>',
    ],
)
def test_a_sheet_that_contradicts_itself_is_refused(rows: str) -> None:
    assert refused(xlsx(page(rows)))[0] == "broken"


def test_rows_and_cells_need_not_say_where_they_are() -> None:
    rows = "<row><c><v>1</v></c><c><v>2</v></c></row><row/><row><c r='B5'><v>3</v></c></row><row><c><v>4</v></c></row>"
    assert read(xlsx(page(rows)))[0] == [["1", "2"], [], [], [], ["", "3"], ["4", ""]]


# What is made to do harm.


def test_a_long_text_in_many_cells_is_bounded_before_it_is_expanded() -> None:
    long = f"<si><t>{'x' * 32_000}</t></si>"
    row = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 900))
    data = xlsx(page(row), strings=long)
    assert len(data) < 20_000
    assert refused(data, apart=True) == ("text", "")
    _rows, told = read(data, apart=True, text=64 * MIB)
    assert told.rows == 899 and told.peak_kib < 64 * 1024


def test_the_child_ends_by_its_limits_and_nothing_else_does() -> None:
    strings = "".join(f"<si><t>{n}{'y' * 900}</t></si>" for n in range(30_000))
    data = xlsx(page(words(1, "a")), strings=strings)
    assert refused(data, apart=True, memory=40 * MIB, unpacked=64 * MIB) == ("memory", "")
    cells_ = "".join(f'<row r="{n}">' + "<c><v>0.5</v></c>" * 100 + "</row>" for n in range(1, 5_000))
    assert (
        refused(xlsx(page(cells_)), apart=True, seconds=1, unpacked=64 * MIB, rows=10_000, cells=10**7, text=10**8)[0]
        == "time"
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (xlsx('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + page(words(1, "x"))), "entities"),
        (xlsx(page(words(1, "x")), more={"xl/styles.xml": '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'}), "entities"),
        (xlsx(page(words(1, "x"), before=f"<!--{'-x' * 400_000}-->")), "markup"),
        (xlsx(page(words(1, "x"), after=" " * 9 * MIB)), "unpacked"),
        (xlsx(*[page("")] * 1_001), "sheets"),
        (xlsx(page("".join(words(n, "x") for n in range(1, 1_003)))), "rows"),
        (
            xlsx(page(words(1, "x"), after="<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 50_001 + "</mergeCells>")),
            "merged",
        ),
        (xlsx(page(words(1, "x")))[:-300], "broken"),
        (b"PK\x03\x04 no zip", "broken"),
        (xlsx(page(words(1, "x")), more={"content.xml": "<x/>"}), "no_workbook"),
        (xlsx(), "no_workbook"),
        (xlsx(page(words(1, "x")), method=14), "packing"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_no_spreadsheet_writes_is_refused(data: bytes, why: str) -> None:
    assert refused(data)[0] == why


def test_an_old_workbook_is_told_as_such() -> None:
    assert refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on", apart=True)[0] == "old"
    assert refused(b"PK\x03\x04 no zip", apart=True)[0] == "broken"


@pytest.mark.parametrize(
    "one",
    [
        f"<!--{'x' * 400_000}-->",
        '<row r="{0}"><c r="A{0}" ' + "".join(f'a{n}="" ' for n in range(2_000)) + "/></row>",
        '<row r="{0}"><c r="A{0}"><v>1</v></c></row>' * 1,
        "<c <c <c <c ".replace("<", "&lt;") * 500,
        "<x>" * 300 + "</x>" * 300,
    ],
    ids=["comments", "attributes", "cells", "beginnings", "nesting"],
)
def test_work_grows_with_the_file_and_no_faster(one: str) -> None:
    def work(many: int) -> int:
        _rows, told = read(
            unpacked=64 * MIB, data=xlsx(page("".join(one.replace("{0}", str(n)) for n in range(1, many + 1))))
        )
        return told.looked + 100 * told.elements

    few, twice = work(20), work(40)
    assert twice <= 2.1 * few
