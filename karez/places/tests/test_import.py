"""Another region's places from a file: an invented region, and every fault told by line."""

import io
from datetime import date

import pytest
import xlsxwriter
from django.db import connection

from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Applying
from karez.places import queries
from karez.places.importing import load_rows
from karez.places.models import AreaSpell, Tree
from karez.places.sheets import DESIGNATIONS, PLACES

HEADINGS = "level,code,parent_code,name_zh,name_en,valid_from,valid_to,note\n"
INVENTED = (
    HEADINGS
    + """\
region,AA,,,Aland,2000-01-01,,
prefecture,AA-1,AA,,North,2000-01-01,,
prefecture,AA-2,AA,,South,2000-01-01,,
county,AA-11,AA-1,,Upper,2000-01-01,2012-01-01,
county,AA-11,AA-2,,Upper,2012-01-01,,moved south
township,T7,AA-11,,Seven Wells,2000-01-01,,
village,V1,T7,井村,Well Village,2000-01-01,,
village,V2,T7,,Dry Village,2005-06-01,2010-01-01,
"""
)


def write(tmp_path, text):
    path = tmp_path / "places.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load_file(path):
    """As `karez init` does: read by intake, which stands above this room."""
    from karez.intake.alone import read_file

    read = read_file(PLACES, path)
    return load_rows(read.rows, read.faults, file_name=path.name)


@pytest.mark.django_db
def test_an_invented_region_becomes_a_tree(tmp_path):
    assert load_file(write(tmp_path, INVENTED)) == {"areas": 7, "spells": 8, "in_tree": 7}
    village = queries.area_by_code("V1")
    before, after = (
        queries.ancestors_on(village, date(2011, 12, 31)),
        queries.ancestors_on(village, date(2012, 1, 1)),
    )
    assert before.county_id == after.county_id == queries.area_by_code("AA-11")
    assert before.prefecture_id == queries.area_by_code("AA-1") and after.prefecture_id == queries.area_by_code("AA-2")
    assert [r.level for r in queries.tree_on(date(2004, 1, 1))].count("village") == 1
    assert not Tree.objects.get(code="V2").is_current
    more = HEADINGS + "village,V2,T7,,Dry Village,2011-01-01,,people came back\n"
    assert load_file(write(tmp_path, more)) == {"areas": 0, "spells": 1, "in_tree": 7}
    assert AreaSpell.objects.filter(code="V2").values("area_id").distinct().count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("hamlet,V9,T7,,Name,2000-01-01,,", "level"),
        ("village,,T7,,Name,2000-01-01,,", "code"),
        ("village,V9,T8,,Name,2000-01-01,,", "parent_code"),
        ("village,V9,T7,,Name,1999-01-01,,", "parent_code"),
        ("village,V9,V1,,Name,2000-01-01,,", "parent_code"),
        ("region,BB,AA,,Name,2000-01-01,,", "parent_code"),
        ("village,V9,T7,,,2000-01-01,,", "name_zh"),
        ("village,V9,T7,,Name,2000-13-01,,", "valid_from"),
        ("village,V9,T7,,Name,2000-01-01,1999-01-01,", "valid_to"),
        ("village,V1,T7,,Name,2003-01-01,,", "code"),
    ],
)
def test_a_fault_is_told_by_line_and_column_and_nothing_is_loaded(tmp_path, line, column):
    with pytest.raises(Refusal) as told:
        load_file(write(tmp_path, INVENTED + line + "\n"))
    assert told.value.code == "places.bad_file"
    assert (10, column) in {(f["line"], f["column"]) for f in told.value.more["faults"]}
    assert not Tree.objects.exists()


@pytest.mark.django_db
def test_wrong_headings_are_named(tmp_path):
    with pytest.raises(Refusal) as told:
        load_file(write(tmp_path, "level,code,religion\n"))
    assert {f["column"] for f in told.value.more["faults"]} == {"", "valid_from"}  # and no row; religion is never held


SMALL = "level,code,parent_code,name_zh,name_en,valid_from,valid_to,note\nregion,AA,,甲省,Aland,2000-01-01,,\ncounty,AA-1,AA,乙县,Upper,2000-01-01,,\n"


def workbook(text):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(text.splitlines()):
            sheet.write_row(number, 0, line.split(","))
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        SMALL.encode("gb18030"),
        SMALL.replace(SMALL.splitlines()[0], "级别,代码,上级代码,名称,英文名称,起始日期,终止日期,备注"),
        SMALL.replace(SMALL.splitlines()[0], "Level,Code,Parent_code,Name_zh,Name_en,Valid_from,Valid_to,Note"),
        SMALL.replace(",", ";"),
        SMALL.replace("2000-01-01", "2000/1/1 0:00"),
        SMALL.replace("\ncounty", "\n,,,,,,,\ncounty"),
        SMALL.replace("AA-1", "ＡＡ－１"),
        workbook(SMALL),
    ],
    ids=[
        "gb18030",
        "chinese headings",
        "capitals",
        "semicolons",
        "days with midnight",
        "blank line",
        "wide letters",
        "workbook",
    ],
)
def test_a_first_file_of_places_is_read_as_any_file_sent_in(tmp_path, content):
    assert load_file(write(tmp_path, content)) == {"areas": 2, "spells": 2, "in_tree": 2}
    assert AreaSpell.objects.get(level="county").code == "AA-1"


@pytest.mark.django_db
def test_a_first_file_of_places_is_refused_in_words_as_any_file_sent_in(tmp_path):
    with pytest.raises(Refusal) as told:
        load_file(write(tmp_path, SMALL.replace("Upper,2000-01-01,,", "Upper,2000-01-01,,,,x")))
    assert [(f["line"], f["found"]) for f in told.value.more["faults"]] == [(3, "10 cells")]
    with pytest.raises(Refusal, match="UTF-16"):
        load_file(write(tmp_path, SMALL.encode("utf-16")))
    with pytest.raises(Refusal, match="not UTF-8"):
        load_file(write(tmp_path, SMALL.encode().replace("乙县".encode(), "乙县".encode()[1:])))
    assert not Tree.objects.exists()


def stage(sheet, rows):
    """A staged table as intake makes it; returns its name."""
    kinds = {"date": "date", "area": "text"}
    columns = [f"{c.name} {kinds.get(c.kind.value, 'text')}" for c in sheet.columns]
    columns += [f"{c.name}_id bigint" for c in sheet.columns if c.kind.value == "area"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE staged (row_no bigint, {', '.join(columns)}) ON COMMIT DROP")
        for number, row in enumerate(rows, start=1):
            names = ", ".join(row)
            cursor.execute(
                f"INSERT INTO staged (row_no, {names}) VALUES (%s{', %s' * len(row)})",
                [number, *row.values()],
            )
    return "staged"


def run_checks(sheet, name):
    found = set()
    with connection.cursor() as cursor:
        for check in sheet.checks:
            cursor.execute(check.sql.replace("{stage}", name), {"batch_id": 1})
            found |= {(check.rule, row[0]) for row in cursor.fetchall()}
        for total in sheet.totals:
            cursor.execute(total.sql.format(stage=name))
    return found


def applying(cursor, name):
    return Applying(
        cursor=cursor,
        batch_id=5,
        stage=name,
        sender_id=1,
        approver_id=2,
        first_open_day=date(2009, 1, 1),
        progress=lambda *_: None,
    )


def test_the_sheet_of_designations(ningxia):
    village, other = ningxia("640422100200"), ningxia("640422100201")
    base = {"list": "three_ensures_1", "valid_from": date(2010, 1, 1), "document": "doc. 5"}
    rows = [
        base | {"area_code": "640422100200", "area_code_id": village},
        base | {"area_code": "640422100201", "area_code_id": other},
        base | {"area_code": "640422100201", "area_code_id": other, "list": "three_ensures_2"},
        base | {"area_code": "640422", "area_code_id": ningxia("640422"), "list": "national_key_county"},
        base
        | {
            "area_code": "640422",
            "area_code_id": ningxia("640422"),
            "list": "poor_village",
            "valid_to": date(2009, 1, 1),
        },
    ]
    name = stage(DESIGNATIONS, rows)
    assert run_checks(DESIGNATIONS, name) == {
        ("designations_once", 2),
        ("designations_once", 3),
        ("designations_once", 4),
        ("designations_days_in_order", 5),
    }
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM staged WHERE row_no > 2")
        assert DESIGNATIONS.apply(applying(cursor, name)) == {"designations": 2}
        assert DESIGNATIONS.withdraw(applying(cursor, name)) == {"designations": 2}


def test_the_sheet_of_places(ningxia):
    new = {
        "level": "village",
        "code": "640422100999",
        "parent_code": "640422100",
        "name_zh": "新村",
        "valid_from": date(2010, 1, 1),
    }
    name = stage(PLACES, [new, new | {"code": "640422100200"}, new | {"code": "9", "parent_code": "8"}])
    assert run_checks(PLACES, name) == {("places_code_free", 2), ("places_parent_known", 3)}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM staged WHERE row_no > 1")
        assert PLACES.apply(applying(cursor, name)) == {"areas": 1, "area_spells": 1}
    made = Tree.objects.get(code="640422100999")
    assert made.parent_id == ningxia("640422100")
    assert AreaSpell.objects.get(area_id=made.pk).batch_id == 5


@pytest.mark.django_db
def test_an_area_is_on_a_list_once_at_a_time() -> None:
    """Of a file: each row is held against all the others, not against its neighbour alone; and of what is on record."""
    (once,) = (c for c in DESIGNATIONS.checks if c.rule == "designations_once")
    rows = [
        ("key_village", "1990-01-01", "2000-01-01"),
        ("key_village", "1991-01-01", "1992-01-01"),
        ("key_village", "1999-12-31", None),
        ("three_ensures_one", "1990-01-01", "1995-01-01"),
        ("three_ensures_two", "1994-01-01", None),
        ("other", "1990-01-01", None),
        ("other", "1989-01-01", "1990-01-01"),
        ("wrong", "1990-01-01", "1980-01-01"),
        ("wrong", "1985-01-01", None),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE listed (row_no bigint, area_code_id bigint, list text, valid_from date, valid_to "
            "date) ON COMMIT DROP"
        )
        for n, row in enumerate(rows, 2):
            cursor.execute("INSERT INTO listed VALUES (%s, %s, %s, %s, %s)", [n, 1, *row])
        cursor.execute(once.sql.replace("{stage}", "listed"), {})
        assert sorted(n for n, _list in cursor.fetchall()) == [2, 3, 4, 5, 6]
