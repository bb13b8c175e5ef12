"""One table of truth for what a cell means: read by DuckDB as files are, and by Python as forms, the console and the
proofreader are.
"""

from datetime import date
from fractions import Fraction

import duckdb
import pytest

from karez.intake import rules, typing
from karez.kernel.folding import without_end_bracket
from karez.kernel.sheets import Column, Kind, Sheet
from karez.kernel.tests.work import calls
from karez.kernel.units import unit_named, worth_in
from karez.kernel.written import read_day, read_month, read_number, read_year, unit_words

YUAN = Column("c", "", Kind.FEN)
DAYS = Column("c", "", Kind.INTEGER, unit="days")
PERSONS = Column("c", "", Kind.INTEGER, unit="persons")
PERCENT = Column("c", "", Kind.DECIMAL, unit="percent")
PLAIN = Column("c", "", Kind.DECIMAL, decimals=4)
BAD = None

NUMBERS = [
    *[
        (YUAN, "", cell, fen)
        for cell, fen in (
            ("1200.5", 120050),
            ("1,200.50", 120050),
            ("¥1,200.50", 120050),
            ("￥3,000.00", 300000),
            ("３０００", 300000),
            ("１，２００．５０", 120050),
            ("CNY 12", 1200),
            ("人民币12元", 1200),
            ("12 元", 1200),
            ("12元整", 1200),
            ("+5", 500),
            ("-5", -500),
            ("¥-5", -500),
            ("-¥5", -500),
            ("−5", -500),
            ("－5", -500),
            ("150.0000", 15000),
            ("0.1", 10),
            ("5万", 5000000),
            ("5 万", 5000000),
            ("1.05万元", 1050000),
            ("12.345万元", 12345000),
            ("0.5千元", 50000),
            ("3角", 30),
            ("2亿元", 20000000000),
            ("1.0万", 1000000),
            ("5万元整", 5000000),
            ("0.0000001万元", BAD),
            ("1.080千克", BAD),
            ("150.000", BAD),
            ("1.080", BAD),
            ("1.070,10", BAD),
            ("1 080", BAD),
            ("1'080", BAD),
            ("1’080", BAD),
            ("1,08", BAD),
            ("1,0800", BAD),
            ("0,123", BAD),
            ("1.080元", BAD),
            ("1.080百元", BAD),
            ("¥1.080", BAD),
            ("1,080.500", BAD),
            ("1e5", BAD),
            ("1.05E+3", BAD),
            ("(100)", BAD),
            ("（100）", BAD),
            ("-", BAD),
            ("—", BAD),
            ("--5", BAD),
            ("-¥-5", BAD),
            ("100-", BAD),
            ("0x10", BAD),
            ("NaN", BAD),
            ("Infinity", BAD),
            ("inf", BAD),
            ("五千", BAD),
            ("٥", BAD),
            ("5²", BAD),
            ("①", BAD),
            ("$5", BAD),
            ("5美元", BAD),
            ("5%", BAD),
            ("5人", BAD),
            (".5", BAD),
            ("5.", BAD),
            ("1.234", BAD),
            ("1.2345", BAD),
            ("99999999999999999999", BAD),
            ("999999999999999亿", BAD),
            ("5元5角", BAD),
            ("5 6", BAD),
            ("5，", BAD),
        )
    ],
    *[
        (YUAN, "万元", cell, fen)
        for cell, fen in (
            ("1050", 1050000000),
            ("0.28", 280000),
            ("0.125", 125000),
            ("12.345", 12345000),
            ("０．５", 500000),
            ("-0.5", -500000),
            ("500元", 50000),
            ("0.5万元", 500000),
            ("5万", BAD),
            ("0.00000012", BAD),
            ("0.000001", 1),
            ("1.080,5", BAD),
        )
    ],
    (YUAN, "百元", "1.080", BAD),
    (YUAN, "角", "5", 50),
    (YUAN, "元", "5", 500),
    (YUAN, "亿元", "1", 10**10),
    *[
        (DAYS, "", cell, days)
        for cell, days in (
            ("360", 360),
            ("３６０", 360),
            ("360天", 360),
            ("360 日", 360),
            ("360 days", 360),
            ("7.0", 7),
            ("7.00", 7),
            ("7.0000", 7),
            ("1,080", 1080),
            ("+7", 7),
            ("-7", -7),
            ("1.000", BAD),
            ("12个月", BAD),
            ("1年", BAD),
            ("12月", BAD),
            ("2周", BAD),
            ("7.5", BAD),
            ("1,08", BAD),
            ("1e2", BAD),
            ("", BAD),
            ("10%", BAD),
        )
    ],
    (PERSONS, "", "630", 630),
    (PERSONS, "", "630人", 630),
    (PERSONS, "", "0.063万人", 630),
    (PERSONS, "", "5个", 5),
    (PERSONS, "", "5户", BAD),
    (PERSONS, "万人", "630.5", 6305000),
    (PERSONS, "万人", "0.00005", BAD),
    (PERSONS, "千人", "1.234", 1234),
    *[
        (PERCENT, "", cell, share)
        for cell, share in (
            ("0.8", Fraction(4, 5)),
            ("0.8%", Fraction(4, 5)),
            ("1％", 1),
            ("8‰", Fraction(4, 5)),
            ("0.008", Fraction(1, 125)),
            ("0.125", Fraction(1, 8)),
            ("1.080", BAD),
            ("1.0800", Fraction(27, 25)),
            ("5元", BAD),
            ("2个百分点", BAD),
            ("1.5e1", BAD),
            ("-3", -3),
            ("-0.5%", Fraction(-1, 2)),
        )
    ],
    (PERCENT, "‰", "8", Fraction(4, 5)),
    (PERCENT, "‰", "8%", 8),
    *[
        (PLAIN, "", cell, number)
        for cell, number in (
            ("1,234.5", Fraction(2469, 2)),
            ("1234.567", Fraction(1234567, 1000)),
            ("12.3450", Fraction(2469, 200)),
            ("630.000", BAD),
            ("1.23456", BAD),
            ("5%", BAD),
            ("630人", BAD),
            ("0.5万", 5000),
        )
    ],
]


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as db:
        yield db


def typed(db, column, cell, times=Fraction(1), words=None):
    """What the SQL of a file makes of one cell."""
    source = f"(SELECT {typing.raw_cell('given')} AS c FROM (SELECT CAST(? AS VARCHAR) AS given))"
    narrow = f"(SELECT *, {typing.narrow_cell(column)} AS n_c FROM {source})"
    return db.execute(f"SELECT {typing.typed(column, times, words or {})} FROM {narrow}", [cell]).fetchall()[0][0]


def test_a_number_means_the_same_in_a_file_and_in_a_form(duck):
    seen = []
    for column, heading, cell, _wanted in NUMBERS:
        unit, base = unit_named(heading) if heading else None, rules.base_unit(column)
        times = (worth_in(unit, base) if unit else None) or Fraction(1)
        named = duck.execute(
            f"SELECT {typing.unit_named_in(column)} FROM (SELECT CAST(? AS VARCHAR) AS c)", [cell]
        ).fetchall()[0][0]
        found = typed(duck, column, cell, times, {w: worth for w, worth in unit_words(base).items() if w == named})
        read = read_number(cell, rules.form_of(column), unit=base, times=times)
        if read is not None and column.kind is Kind.FEN:
            read *= 100
        seen.append((column.kind, heading, cell, None if found is None else Fraction(str(found)), read))
    wanted_of_both = [(column.kind, heading, cell, wanted, wanted) for column, heading, cell, wanted in NUMBERS]
    assert [pair for pair in zip(seen, wanted_of_both, strict=True) if pair[0] != pair[1]] == []


DAY, MONTH = date(2009, 3, 4), date(2009, 3, 1)
TIMES = [
    *[
        (Kind.DATE, cell, DAY, read_day)
        for cell in (
            "2009-03-04",
            "2009-3-4",
            "2009/3/4",
            "20090304",
            "2009年3月4日",
            "2009年3月4号",
            "2009.3.4",
            "2009.03.04",
            "２００９－０３－０４",
            "２００９年３月４日",
            "2009／3／4",
            "2009/3/4 0:00",
            "2009/3/4 00:00:00",
            "2009/3/4 0:00:00",
            "2009-03-04 00:00:00",
            "2009-03-04T00:00:00",
            "2009-03-04T00:00:00Z",
            "2009-03-04 00:00:00.000",
            "2009-03-04T00:00:00.000Z",
            "2009-03-04T00:00:00+08:00",
            "2009-03-04T00:00",
            "2009/3/4 上午 12:00:00",
            "2009/3/4 12:00:00 AM",
        )
    ],
    *[
        (Kind.DATE, cell, None, read_day)
        for cell in (
            "2009/3/4 8:30",
            "2009-03-04 08:30:00",
            "2009-03-04T16:00:00Z",
            "2009/3/4 12:00",
            "2009-3/4",
            "2009.3/4",
            "4.3.2009",
            "1/12/2009",
            "09-12-01",
            "2009-02-30",
            "40148",
            "2009-03",
            "2009年3月",
            "二〇〇九年三月四日",
            "0209-03-04",
            "2009-03-04x",
            "2009-03-04 24:00",
            "3009-01-01",
            "-2009-03-04",
        )
    ],
    *[
        (Kind.MONTH, cell, MONTH, read_month)
        for cell in (
            "2009-03",
            "2009/3",
            "200903",
            "2009年3月",
            "2009年3月份",
            "２００９－０３",
            "2009-03-04",
            "2009/3/4 0:00",
        )
    ],
    *[(Kind.MONTH, cell, None, read_month) for cell in ("2009.3", "2009-13", "3-2009", "2009", "Mar-09")],
    *[(Kind.YEAR, cell, 2009, read_year) for cell in ("2009", "２００９", "2009年", "2009年度", "2009.0")],
    *[(Kind.YEAR, cell, None, read_year) for cell in ("09", "2009.5", "二〇〇九", "2,009", "2009-01", "2009.000")],
]


def test_a_day_a_month_and_a_year_mean_the_same_in_a_file_and_in_a_form(duck):
    seen = [(kind, cell, typed(duck, Column("c", "", kind), cell), read(cell)) for kind, cell, _wanted, read in TIMES]
    wanted_of_both = [(kind, cell, wanted, wanted) for kind, cell, wanted, _read in TIMES]
    assert [pair for pair in zip(seen, wanted_of_both, strict=True) if pair[0] != pair[1]] == []


def test_the_units_of_a_heading_are_read_wherever_they_stand():
    columns = (
        Column("amount", "", Kind.FEN, headers=("金额",)),
        Column("term", "", Kind.INTEGER, unit="days", headers=("期限", "期限(天)")),
        Column("size", "", Kind.INTEGER, unit="persons", headers=("人口数",)),
        Column("rate", "", Kind.DECIMAL, unit="percent", headers=("费率",)),
        Column("paid_on", "", Kind.DATE, headers=("日期",)),
        Column("place", "", headers=("村",)),
    )
    sheet = Sheet("s", "", "", columns, lambda _given: {}, "p", "q")
    cases = [
        *[
            (heading, "amount", 10000)
            for heading in (
                "金额(万元)",
                "金额（万元）",
                "金额【万元】",
                "金额[万元]",
                "金额/万元",
                "金额：万元",
                "金额（单位：万元）",
                "金额 万元",
                "金额万元",
                "(万元)金额",
                "金额(万)",
                "amount (10,000 yuan)",
                "Amount in 10,000 yuan",
                "金额(万元,含税)",
                "金额（人民币万元）",
            )
        ],
        ("金额(千元)", "amount", 1000),
        ("金额(百元)", "amount", 100),
        ("金额(亿元)", "amount", 10**8),
        ("金额(角)", "amount", Fraction(1, 10)),
        ("金额(元)", "amount", 1),
        ("金额(必填)", "amount", 1),
        *[
            (heading, "amount", 1)
            for heading in (
                "金额（个人）",
                "金额(家庭)",
                "金额(YTD)",
                "金额(in person)",
                "金额(多元化)",
                "金额(单元)",
                "金额(万源市)",
                "金额(千阳)",
                "amount (ALL)",
                "amount (NEW)",
                "金额（农户）",
            )
        ],
        *[
            (heading, "amount", None)
            for heading in (
                "金额(美元)",
                "amount (USD)",
                "amount_usd",
                "金额($)",
                "金额(港币)",
                "金额(MYR)",
                "amount_GEL",
                "金额(新元)",
                "金额(元/人)",
                "金额(人)",
                "金额(%)",
                "金额（元、万元）",
            )
        ],
        *[
            (heading, "term", None)
            for heading in (
                "期限(月)",
                "期限（个月）",
                "期限(年)",
                "期限/月",
                "term (months)",
                "term, months",
                "期限(周)",
                "期限(元)",
            )
        ],
        ("期限(天)", "term", 1),
        ("期限(日)", "term", 1),
        ("term (days)", "term", 1),
        ("人口数(人)", "size", 1),
        ("人口数(万人)", "size", 10000),
        ("人口数(千人)", "size", 1000),
        ("人口数(户)", "size", None),
        ("人口数(2009年末)", "size", 1),
        ("费率(%)", "rate", 1),
        ("费率（‰）", "rate", Fraction(1, 10)),
        ("费率(百分点)", "rate", None),
        ("费率(%/年)", "rate", None),
        ("日期(年)", "paid_on", 1),
        ("村(户)", "place", 1),
    ]
    for heading, wanted, worth in cases:
        matched = rules.match_headings(sheet, [heading])
        assert list(matched.places) == [wanted], heading
        said = matched.units.get(wanted)
        assert (rules.conversion(sheet.column(wanted), said) if said else 1) == worth, heading
    assert rules.match_headings(sheet, ["村户", "总金额", "金额合计", "日期月", "金额(千)万元"]).places == {}


def test_looking_at_a_heading_grows_with_its_length():
    columns = (Column("amount", "", Kind.FEN, headers=("金额",)),)
    sheet = Sheet("s", "", "", columns, lambda _given: {}, "p", "q")
    for sign in ("a/", "(", "()", "[ ", "(((a)", " ", "in ", "万", "计 "):
        work = [
            calls(lambda many=many, sign=sign: rules.match_headings(sheet, [("金额" + sign * many)[:many]]))
            for many in (90, 180, 4000)
        ]
        assert work[1] < 2.2 * work[0] + 400 and work[2] < work[0], sign
    assert [
        without_end_bracket(text) for text in ("a(b)", "a (b)(c) ", "(a)", "a(b)c", "a(b", "a(x)\nb(y)", "(" * 10**6)
    ] == ["a", "a ", "(a)", "a(b)c", "a(b", "a(x)\nb", "(" * 10**6]
