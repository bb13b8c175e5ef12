"""Declarations: the good ones are read, every fault of the others is told, and hostile ones reach nothing."""

from decimal import Decimal
from pathlib import Path

import pytest

from karez.figures.declarations import read
from karez.figures.expressions import NotAllowed, parse_value, parse_where
from karez.figures.tests.small import FACTS, declared, figure
from karez.kernel.figure_tables import FigureColumn, FigureTable

COLUMNS = frozenset({"a", "b", "d", "f", "t", "amount_fen"})

HOSTILE_WHERE = [
    "read_text('/etc/passwd') = 'x'",
    "read_parquet('/tmp/x.parquet') = 1",
    "getenv('HOME') = 'x'",
    "glob('/*') = 'x'",
    "a = (select 1)",
    "a in (select a from persons)",
    "exists (select 1)",
    "a = any(select 1)",
    "a > all(select 1)",
    "with x as (select 1) select 1",
    "select 1",
    "from persons",
    "pragma version",
    "set threads = 1",
    "attach 'x.db'",
    "copy persons to '/tmp/x'",
    "install httpfs",
    "load httpfs",
    "call pragma_version()",
    "create table x (a int)",
    "drop table facts",
    "a = 1; drop table facts",
    "a = 1;",
    ";",
    "a = 1 -- and b = 2",
    "a = 1 /* hm */",
    "/* */ a = 1",
    "# x",
    "row_number() over () = 1",
    "sum(a) over (partition by b) = 1",
    "sum(a) = 1",
    "count(*) > 1",
    "list_transform([a], x -> x + 1) = [1]",
    "[x for x in [1]] = [1]",
    "lambda x: x",
    "a -> 'x' = 1",
    "columns(*) = 1",
    "columns('a.*') = 1",
    "* = 1",
    "t.a = 1",
    "other.a = 1",
    "schema.t.a = 1",
    "unknown = 1",
    "rowid = 1",
    "file_row_number = 1",
    "a = $1",
    "a = ?",
    "a = :x",
    "@a = 1",
    "a[1] = 1",
    "{'a': 1} = 1",
    "struct_pack(a := 1) = 1",
    "a::double = 1",
    "a::float = 1",
    "a::real = 1",
    "cast(a as json) = 1",
    "try_cast(a as int) = 1",
    "a::int[] = 1",
    "a = 1e10",
    "a = 0x10",
    "a / 2 = 1",
    "a ** 2 = 1",
    "a ^ 2 = 1",
    "a << 1 = 1",
    "a & 1 = 1",
    "t like '%x'",
    "t similar to 'x'",
    "regexp_matches(t, 'x')",
    "t ~ 'x'",
    "t || t = 'x'",
    "t collate nocase = 'x'",
    "length(t) = 1",
    "current_date = d",
    "now() = d",
    "today() = d",
    "random() = 1",
    "uuid() = t",
    "current_setting('threads') = '1'",
    "current_user = 'x'",
    "version() = 'x'",
    "d + interval 1 day = d",
    "extract(epoch from d) = 1",
    "date_part('year', d) = 2009",
    "strftime(d, '%Y') = 'x'",
    "t = $$x$$",
    "t = e'x'",
    "t = '\\x'",
    "t = 'a\nb'",
    "case when a = 1 then (select 1) else 2 end = 1",
    "coalesce(a, getenv('X')) = 1",
    "a between 1 and (select 2)",
    "a in (1, getenv('x'))",
    "not (select true)",
    "cast((select 1) as int) = 1",
    "a is (select 1)",
    "a is distinct from (select 1)",
    "query('select 1') = 1",
    "a = 99999999999999999999999",
    "",
    "   ",
    "a =",
    "(a = 1",
    "a = 1)",
    "case when a = 1 then 1",
    "\x00",
    "a = 'x",
    "SELECT",
    "a b c",
    "(" * 400 + "a = 1" + ")" * 400,
    "not " * 450 + "f",
    "-" * 1900 + "a = 1",
    "a = 1 and " * 150 + "a = 1",
    "a" * 3000,
    "case when f then " * 100,
    "unnest([1]) = 1",
    "a = 1 qualify true",
    "a = 1 group by a",
    "a = 1 union select 1",
    "a = 1 limit 1",
    "f and true order by a",
    "a as b",
]
HOSTILE_VALUE = [
    "avg(a)",
    "stddev(a)",
    "median(a)",
    "sum(a) / count(*)",
    "sum(a) + 1",
    "sum(distinct a)",
    "sum(a) filter (where f)",
    "sum(a) over ()",
    "sum(a order by b)",
    "count(a, b)",
    "count(distinct (a, b))",
    "count(distinct a, b)",
    "min(a, 2)",
    "max(a, b)",
    "arg_min(a, b)",
    "list(a)",
    "string_agg(t, ',')",
    "any_value(a)",
    "first(a)",
    "sum(sum(a))",
    "sum((select 1))",
    "sum(getenv('x'))",
    "count(* exclude (a))",
    "count(t.*)",
    "sum(a / 2)",
    "sum(a::double)",
    "sum(columns(*))",
    "sum(*)",
    "min(*)",
    "count(distinct *)",
    "a",
    "1",
    "approx_count_distinct(a)",
    "sum(a) -- x",
    "(select sum(a) from t)",
    "sum(a); sum(b)",
    "count()",
    "sum()",
    "count(*) + count(*)",
    "histogram(a)",
    "sum(a) within group (order by a)",
]


@pytest.mark.parametrize("text", HOSTILE_WHERE)
def test_a_hostile_condition_is_refused(text: str) -> None:
    with pytest.raises(NotAllowed):
        parse_where(text, COLUMNS)


@pytest.mark.parametrize("text", HOSTILE_VALUE)
def test_a_hostile_value_is_refused(text: str) -> None:
    with pytest.raises(NotAllowed):
        parse_value(text, COLUMNS)


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("where", "amount_fen"),
        ("where", "kind = 1 + true"),
        ("where", "kind + 1 = 2"),
        ("value", "sum(kind)"),
        ("value", "min(kind)"),
        ("value", "max(happened_on)"),
        ("value", "sum(cast(kind as text))"),
        ("where", "sum(weight) > 1"),
        ("where", "happened_on"),
    ],
)
def test_types_are_checked(tmp_path: Path, attribute: str, text: str) -> None:
    _, faults = declared(tmp_path, figure("test.x", **{attribute: text}))
    assert [f.attribute for f in faults] == [attribute], faults


def test_every_fault_is_told_with_its_place(tmp_path: Path) -> None:
    text = "\n".join(
        [
            figure("test.good"),
            figure("test.one", where="getenv('x') = 'y'", value="avg(person)", colour="red", unit=..., rounding=0),
            figure("Bad Id", empty="none"),
            figure("test.two", table="elsewhere", scale=0),
            figure("test.three", formula="test.good / test.nowhere", value="count(*)"),
            figure("test.four", formula="test.five + 1", prints=["test.good"]),
            figure("test.five", formula="test.four * 2", valid_from="then"),
            figure("test.five", formula="test.four * 2"),
            figure("test.good", valid_from=2005),
            figure("test.six", formula="(1 +"),
            figure("test.seven", kind="guess", disclosure="nobody", label="  "),
            figure("test.eight", reaches="planet"),
            figure("test.nine", table="counted", reaches="village"),
            figure("test.ten", formula="test.good * 2", reaches="region"),
            figure("test.eleven", own=True),
            figure("test.twelve", value="sum(amount_fen)", own=True, disclosure="household"),
            figure("test.thirteen", own="yes"),
            "[settings]\nx = 1",
        ]
    )
    found, faults = declared(tmp_path, text)
    told = {(f.figure, f.attribute) for f in faults}
    assert told >= {
        ("test.one", "where"),
        ("test.one", "value"),
        ("test.one", "colour"),
        ("test.one", "unit"),
        ("test.one", "rounding"),
        ("figure 3", "id"),
        ("figure 3", "empty"),
        ("test.two", "table"),
        ("test.two", "scale"),
        ("test.three", "value"),
        ("test.four", "prints"),
        ("test.four", "formula"),
        ("test.five", "formula"),
        ("test.five", "valid_from"),
        ("test.good", "id"),
        ("test.six", "formula"),
        ("test.seven", "kind"),
        ("test.seven", "disclosure"),
        ("test.seven", "label"),
        ("-", "settings"),
        ("test.eight", "reaches"),
        ("test.nine", "reaches"),
        ("test.ten", "reaches"),
        ("test.eleven", "own"),
        ("test.twelve", "own"),
        ("test.thirteen", "own"),
    }
    assert all(f.file.endswith("figures.toml") and f.found and f.expected for f in faults)
    assert [f.id for f in found.figures][:1] == ["test.good"]


def test_a_file_that_is_no_toml_and_a_table_with_a_reserved_name(tmp_path: Path) -> None:
    _, faults = declared(tmp_path, "[[figure]\nid")
    assert faults[0].expected == "a TOML file"
    odd = FigureTable("odd", "row", (FigureColumn("year", "integer", "x"),), "", "1", reaches="planet")
    _, faults = declared(tmp_path, figure("test.x"), (FACTS, odd))
    assert [f.attribute for f in faults] == ["year", "reaches"]


def test_two_definitions_of_different_years(tmp_path: Path) -> None:
    found, faults = declared(
        tmp_path,
        figure("test.x", valid_before=2009)
        + figure("test.x", valid_from=2009, where="good")
        + figure("test.y", prints=["test.z"]),
    )
    assert faults == []
    assert found.of_year(2008)["test.x"].where is None
    assert found.of_year(2009)["test.x"].where is not None
    assert found.aliases == {"test.z": "test.y"}


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5_000 + "]" * 5_000,
        "x = " + "9" * 5_000,
        "#" * 1_000_001,
        "\udcff",
        *(figure("test.x", rounding=Decimal(r)) for r in ("nan", "inf", "1e999999999", "1e-999999999", "-1")),
    ],
    ids=["deep", "long number", "large", "no text", "nan", "inf", "endless", "endless small", "negative"],
)
def test_a_file_without_measure_is_a_fault_like_others(tmp_path: Path, text: str) -> None:
    file = tmp_path / "figures.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    _, faults = read([file], (FACTS,))
    assert [f.attribute for f in faults] in (["-"], ["rounding"])
    assert len(str(faults[0])) < 600


def test_a_file_that_cannot_be_read_is_a_fault_like_others(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    _, faults = read(sorted(tmp_path.glob("*.toml")), (FACTS,))
    assert [f.expected for f in faults] == ["a file that can be read"] * 2
