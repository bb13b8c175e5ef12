"""Malformed chapter and rules files: every fault by line and column, no crash, the rest still judged."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from karez.comparison.printed_labels import LABELS
from karez.figures.declarations import KINDS as DECLARED_KINDS
from karez.kernel.tests.work import calls
from karez.proofreader.chapter_file import KINDS, read_chapter
from karez.proofreader.proof import DATA, proof, proof_of

HEADER = "id,section,label,value,unit,qualifier,rounding,period,place,kind,programme,derivation"
GOOD = [
    HEADER,
    "a,s,first,10,villages,exact,1,2009,64,stock,p,",
    "b,s,second,20,villages,exact,1,2009,64,stock,p,",
    "t,s,both,30,villages,exact,1,2009,64,stock,p,a + b",
]


def text(*lines: str) -> bytes:
    return "\n".join([*lines, ""]).encode()


def changed(line: int, **cells: str) -> bytes:
    """The good file with cells of one line changed."""
    names = HEADER.split(",")
    lines = [row.split(",") for row in GOOD]
    for name, cell in cells.items():
        lines[line - 1][names.index(name)] = cell
    return text(*(",".join(row) for row in lines))


def faults(data: bytes, rules: bytes | None = None) -> list[tuple[int, str, str]]:
    return [(f.line, f.column, f.found) for f in proof_of(data, rules).faults]


def test_the_good_file_has_no_fault():
    answer = proof_of(text(*GOOD))
    assert answer.faults == ()
    assert [i.verdict.value for i in answer.identities] == ["exact"]


@pytest.mark.parametrize("column", HEADER.split(","))
def test_a_missing_column_is_named(column):
    names = HEADER.split(",")
    place = names.index(column)
    data = text(*(",".join(c for n, c in enumerate(row.split(",")) if n != place) for row in GOOD))
    answer = proof_of(data, b"left,relation,right\na,<=,b\n")
    assert [(f.line, f.column, f.found) for f in answer.faults] == [(1, column, "no such column")]
    judged = column not in ("id", "value", "qualifier", "rounding")
    assert bool(answer.relations) == judged


@pytest.mark.parametrize(
    ("line", "cells", "column", "found"),
    [
        (2, {"value": "1580 ha"}, "value", "'1580 ha'"),
        (2, {"value": ""}, "value", "an empty cell"),
        (2, {"value": "1e9"}, "value", "'1e9'"),
        (2, {"value": "NaN"}, "value", "'NaN'"),
        (2, {"value": "١٢"}, "value", "'١٢'"),
        (2, {"value": "1" * 31}, "value", "31 characters"),
        (2, {"value": "=1+1"}, "value", "'=1+1'"),
        (2, {"rounding": "0"}, "rounding", "'0'"),
        (2, {"rounding": "-1"}, "rounding", "'-1'"),
        (2, {"rounding": "tens"}, "rounding", "'tens'"),
        (2, {"qualifier": "roughly"}, "qualifier", "'roughly'"),
        (2, {"qualifier": "Exact"}, "qualifier", "'Exact'"),
        (2, {"id": ""}, "id", "an empty cell"),
        (2, {"id": "a b"}, "id", "'a b'"),
        (2, {"id": "1a"}, "id", "'1a'"),
        (2, {"id": "a."}, "id", "'a.'"),
        (3, {"id": "a"}, "id", "'a' again"),
        (2, {"label": "=HYPERLINK(1)"}, "label", "'=HYPERLINK(1)'"),
        (2, {"label": "@SUM(1)"}, "label", "'@SUM(1)'"),
        (2, {"label": "x" * 10_001}, "label", "10001 characters"),
        (2, {"derivation": "=b"}, "derivation", "'=b'"),
        (2, {"derivation": "b +"}, "derivation", "the end at character 4"),
        (2, {"derivation": "sum(b)"}, "derivation", "'(' at character 4"),
        (2, {"derivation": "nobody"}, "derivation", "nobody, which no row has as its id"),
        (2, {"derivation": "a"}, "derivation", "a circle of a"),
    ],
)
def test_a_bad_cell_is_named_with_what_was_expected(line, cells, column, found):
    answer = proof_of(changed(line, **cells))
    first = next(f for f in answer.faults if f.line == line)
    assert (first.column, first.found) == (column, found)
    assert first.expected
    assert sum(f.line == line for f in answer.faults) == 1


def test_every_fault_of_a_row_and_what_follows_from_it_is_told():
    data = changed(2, value="x", rounding="y", qualifier="z")
    assert faults(data) == [
        (2, "value", "'x'"),
        (2, "rounding", "'y'"),
        (2, "qualifier", "'z'"),
        (4, "derivation", "a, whose own row has a fault"),
    ]


def test_a_circle_is_told_at_each_of_its_figures():
    data = text(
        HEADER,
        "a,s,l,1,v,exact,1,2009,64,stock,p,b",
        "b,s,l,1,v,exact,1,2009,64,stock,p,c + 0",
        "c,s,l,1,v,exact,1,2009,64,stock,p,a",
        "d,s,l,1,v,exact,1,2009,64,stock,p,a",
    )
    answer = proof_of(data)
    assert [(f.line, f.column) for f in answer.faults] == [(n, "derivation") for n in (2, 3, 4)]
    assert "a circle of" in answer.faults[0].found
    assert [i.id for i in answer.identities] == ["d"]


@pytest.mark.parametrize(
    ("data", "line", "found"),
    [
        (b"", 1, "an empty file"),
        (b"\n\n  \n", 1, "an empty file"),
        (b"\xef\xbb\xbf", 1, "an empty file"),
        (text(HEADER), 2, "no rows"),
        (b"PK\x03\x04\x14\x00", 1, "a workbook that cannot be read"),
        (b"a" * (32 * 1024 * 1024 + 1), 1, "more than 33,554,432 bytes"),
        (",".join(f"c{n}" for n in range(100_000)).encode(), 1, "100000 columns"),
        (HEADER.replace(",", ";").encode(), 1, "cells divided by semicolons"),
        (HEADER.replace(",", "\t").encode(), 1, "cells divided by tabs"),
        (text(*GOOD).decode().encode("utf-16"), 1, "bytes ff fe 69 00 at byte 1 of the line"),
        (text(*GOOD).replace(b"second", b"\xb5\xff\xb6"), 3, "bytes b5 ff b6 2c at byte 5 of the line"),
        (text(*GOOD[:2], '"b,s,never closed'), 3, "unexpected end of data"),
        (text(*GOOD[:2], '"b"x,s,second'), 3, "',' expected after '\"'"),
    ],
)
def test_files_that_cannot_be_read_on(data, line, found):
    assert [(f[0], f[2]) for f in faults(data)] == [(line, found)]


def test_a_file_as_spreadsheets_in_china_save_it_is_read():
    answer = proof_of(text(*GOOD).replace(b"second", "第二".encode("gb18030")))
    assert answer.faults == ()
    assert answer == proof_of(text(*GOOD).replace(b"second", "第二".encode()))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_one_bad_place_does_not_turn_a_file_into_another(mark):
    """é of Latin-1 and the letter after it are a character of GB 18030; so are the bytes of the Chinese labels, taken
    two by two.
    """
    chinese = [row.replace("first", "互助资金").replace("both", "资金合计") for row in GOOD]
    data = text(*chinese).replace(b"second", "région".encode("latin-1"))
    assert "互助资金" not in data.decode("gb18030")
    (fault,) = proof_of(mark + data).faults
    assert (fault.line, fault.found, fault.expected) == (3, "bytes e9 67 69 6f at byte 6 of the line", "text in UTF-8")


def test_what_was_read_as_gb18030_is_told():
    chinese = text(*GOOD).replace(b"second", "第二个数".encode("gb18030"))
    rules = b"left,relation,right,meaning\na,<=,b,\xd5\xfd\xc8\xb7\n"
    answer = proof_of(chinese, rules)
    assert answer.gb18030 == ("figures", "rules")
    assert answer.relations[0].meaning == "正确"
    assert proof_of(text(*GOOD), rules).gb18030 == ("rules",)
    assert proof_of(text(*GOOD).replace(b"second", "第二".encode())).gb18030 == ()
    assert answer.as_dict().keys() == proof_of(text(*GOOD)).as_dict().keys()


def test_chinese_in_gb18030_is_hardly_ever_taken_for_damaged_utf8():
    labels = LABELS.read_text("utf-8").split(",")
    labels = [label for line in labels for label in line.split() if not label.isascii()]
    assert len(labels) > 100
    for begins in range(0, len(labels) - 5, 5):
        rows = [
            f"r{n},s,{label},10,villages,exact,1,2009,64,stock,p,"
            for n, label in enumerate(labels[begins : begins + 5])
        ]
        answer = proof_of("\n".join([HEADER, *rows]).encode("gb18030"))
        assert (answer.faults, answer.gb18030) == ((), ("figures",))


def test_the_byte_order_mark_crlf_blank_lines_and_spaces_are_nothing():
    data = b"\xef\xbb\xbf" + text(*GOOD[:2], "", " , , ", *GOOD[2:]).replace(b"\n", b"\r\n").replace(b"b,s", b" b ,s")
    answer = proof_of(data)
    assert answer.faults == ()
    assert answer.identities[0].line == 6


def test_lines_are_those_of_the_file_when_a_cell_has_line_breaks():
    data = text(*GOOD[:2], GOOD[2].replace("second", '"se\n\ncond"'), GOOD[3].replace("30", "x"))
    assert faults(data) == [(6, "value", "'x'")]


def test_too_few_and_too_many_cells():
    data = text(*GOOD[:2], GOOD[2] + ",more,more", "c,s,short,3")
    assert faults(data) == [(3, "column 13", "14 cells"), (4, "unit", "4 cells")]


def test_a_column_twice_and_columns_nothing_reads():
    data = text(HEADER + ",value,colour", *(row + ",7,red" for row in GOOD[1:]))
    answer = proof_of(data)
    assert [(f.line, f.column, f.found) for f in answer.faults] == [(1, "value", "the same column again")]
    assert answer.ignored == ("colour",)
    assert [i.verdict.value for i in answer.identities] == ["exact"]


def test_an_unreadable_mark_of_assumed_rounding():
    data = text(HEADER + ",rounding_assumed", *(row + ",perhaps" for row in GOOD[1:]))
    assert faults(data) == [(n, "rounding_assumed", "'perhaps'") for n in (2, 3)] + [
        (4, "rounding_assumed", "'perhaps'"),
    ]


def test_faults_of_a_rules_file():
    rules = text(
        "left,relation,right,meaning",
        "a,<=,b,fine",
        "a,=<,b,",
        "a +,<=,who,",
        "who,<,a,",
        "=a,<=,b,",
        "a,<=",
    )
    answer = proof_of(text(*GOOD), rules)
    assert [(f.file, f.line, f.column) for f in answer.faults] == [
        ("rules", 3, "relation"),
        ("rules", 4, "left"),
        ("rules", 5, "left"),
        ("rules", 6, "left"),
        ("rules", 7, "right"),
    ]
    assert [r.verdict.value for r in answer.relations] == ["holds"]
    assert list(answer.faults[0].as_dict())[:4] == ["line", "column", "found", "expected"]


def test_an_empty_rules_file_is_a_fault_and_no_rules_file_is_none():
    assert faults(text(*GOOD), b"") == [(1, "", "an empty file")]
    assert faults(text(*GOOD), None) == []


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        proof(tmp_path / "none.csv")


def hostile(many: int) -> bytes:
    lines = [f"h{n},s,l,1,v,exact,1,2009,64,stock,p,{'(' * 9_000}" for n in range(many)]
    lines += [f"g{n},s,l,1,v,exact,1,2009,64,stock,p,{'9' * 30}{('*' + '9' * 30) * 200}" for n in range(many)]
    lines += [f"k{n},s,l,1,v,exact,1,2009,64,stock,p,{'a-' * 99}a" for n in range(many)]
    return text(*GOOD, *lines)


def test_work_on_hostile_formulas_grows_with_the_file_and_no_faster():
    answer = proof_of(hostile(10))
    assert (len(answer.faults), len(answer.identities)) == (20, 11)
    few, twice = hostile(10), hostile(20)
    assert calls(lambda: proof_of(twice)) <= 2.1 * calls(lambda: proof_of(few))


@pytest.mark.parametrize("one", ["a-", "(a)+", "1*", "(-a)-"])
def test_work_on_a_formula_grows_with_its_length_and_no_faster(one):
    few, twice = (text(*GOOD, f"k,s,l,1,v,exact,1,2009,64,stock,p,{one * many}a") for many in (60, 120))
    rest = calls(lambda: proof_of(text(*GOOD)))
    assert calls(lambda: proof_of(twice)) - rest <= 2.2 * (calls(lambda: proof_of(few)) - rest)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(data):
    assert proof_of(data, data).as_dict()["faults"]


ningxia = (DATA / "ningxia-2009.csv").read_bytes()[:4_000]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(ningxia)), st.integers(0, 6), st.binary(max_size=6)),
        min_size=1,
        max_size=6,
    )
)
def test_a_damaged_chapter_gets_an_answer(damages):
    data = ningxia
    for place, length, new in damages:
        data = data[:place] + new + data[place + length :]
    proof_of(data).as_dict()


cells = st.one_of(
    st.sampled_from(
        ["a", "b", "t", "10", "-5", "0", "0.1", "nearly", "rounded", "more_than", "a/b", "t-t", "=x", '"', ""]
    ),
    st.text(max_size=8),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(2, 4), st.sampled_from(HEADER.split(",")), cells), max_size=8))
def test_rows_of_odd_cells_get_an_answer(changes):
    data = text(*GOOD)
    names, lines = HEADER.split(","), [row.split(",") for row in GOOD]
    for line, name, cell in changes:
        lines[line - 1][names.index(name)] = cell
    data = "\n".join(",".join(row) for row in lines).encode("utf-8", "surrogatepass")
    answer = proof_of(data, b"left,relation,right\na / b,<=,t\n")
    answer.as_dict()
    assert all(f.found and f.expected and f.line >= 1 for f in answer.faults)
    assert len(read_chapter(data).figures) == answer.figures


def test_kinds_are_those_of_declared_figures():
    assert set(KINDS) == set(DECLARED_KINDS)


@pytest.mark.parametrize("kind", ["thing", "stocks", "stock flow", "存量", "0"])
def test_a_kind_that_is_none_is_told(kind):
    answer = proof_of(changed(3, kind=kind))
    assert [(f.line, f.column, f.found) for f in answer.faults if f.column == "kind"] == [(3, "kind", f"'{kind}'")]
    assert "one of stock, flow, share, growth, average, plan, rule, or an empty cell" in [
        f.expected for f in answer.faults
    ]


@pytest.mark.parametrize("period", ["20x9", "209", "20099", "9", "end_209", "2009-13x", "FY20o9", "0999", "--", "3009"])
def test_a_period_that_can_be_none_is_told(period):
    answer = proof_of(changed(3, period=period))
    assert [(f.line, f.column, f.found) for f in answer.faults if f.column == "period"] == [
        (3, "period", f"'{period}'")
    ]


@pytest.mark.parametrize(
    "period",
    [
        "",
        "2009",
        "end_2009",
        "before_2009",
        "2008-2009",
        "2006–2010",
        "plan_2009_2011",
        "plan",
        "standing",
        "cumulative",
        "2009-12-31",
        "2009Q1",
        "2009-H1",
        "2009年底",
        "11th five-year plan",
        "十一五",
    ],
)
def test_periods_and_kinds_as_people_write_them(period):
    for kind in (*KINDS, "", "Stock"):
        assert proof_of(changed(3, period=period, kind=kind)).faults == ()


@pytest.mark.parametrize(
    "data",
    [
        b"just some notes\non two lines\n",
        b"a\tb\n1\t2\n",
        b"\xff\xfe\x00nothing",
        b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n",
        b"a,b,c\n1,2,3\n",
        b'"x\n',
    ],
)
def test_a_file_named_as_a_workbook_that_is_none_is_told_once(data):
    for name in ("chapter.xlsx", "CHAPTER.XLSX"):
        found = read_chapter(data, name).faults
        assert [(f.line, f.column) for f in found] == [(1, "")]
    if data != b'"x\n':
        assert "not a workbook" in found[0].found
    assert read_chapter(text(*GOOD), "chapter.xlsx").faults == []  # sound CSV under a wrong name is read


def test_a_first_line_with_none_of_the_columns_is_told_once():
    assert faults(b"a,b,c\n1,2,3\n") == [(1, "", "a first line with none of the columns: a,b,c")]


@pytest.mark.parametrize(
    ("cell", "unit", "value"),
    [
        ("2,912", "元", 2912),
        ("２，９１２．５", "元", 2912.5),
        ("1.080", "km", 1.08),
        ("－３", "户", -3),
        ("104 ％", "百分比", 104),
    ],
)
def test_a_number_is_read_as_it_is_printed(cell: str, unit: str, value: float) -> None:
    figures = f'{HEADER}\na,t,x,"{cell}",{unit},rounded,1,2009,x,average,,\n'.encode()
    read = read_chapter(figures)
    assert ([fault.as_dict() for fault in read.faults], [float(one.printed.fraction) for one in read.figures]) == (
        [],
        [value],
    )


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2,91", "a comma between thousands only"),
        ("1e5", "with all its digits"),
        ("2 912", "digits without blanks"),
        ("约5", "plain digits"),
    ],
)
def test_a_number_that_cannot_be_read_is_told_with_its_own_reason(cell: str, expected: str) -> None:
    (fault,) = read_chapter(f'{HEADER}\na,t,x,"{cell}",元,rounded,1,2009,x,average,,\n'.encode()).faults
    assert (fault.column, fault.found) == ("value", f"'{cell}'") and expected in fault.expected
