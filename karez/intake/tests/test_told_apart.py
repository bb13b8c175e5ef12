"""What is told of a file says nobody's number however it is parted, names the place in the file as it was sent, and is
found again when a person is erased.
"""

import json
import sys
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from karez.intake import days, limits, retention, rules, services, telling
from karez.intake.models import Batch, Fault, State
from karez.intake.plain import Notices, _has_long_line, place_as_sent, prepare
from karez.intake.staging import Places, staging_of
from karez.intake.tests.conftest import VILLAGES, make_county, sent
from karez.intake.tests.toy import TOY
from karez.kernel.sheets import Column, Days, Kind
from karez.kernel.spelling import folded_name, folded_name_sql
from karez.periods.services import OpenedDays

V = VILLAGES[0]
BOUND = limits.RECORD_LENGTH


def _sql(query: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    "text",
    [
        "电话（138 0000 0000）",
        "姓名（640102 199001 011234）",
        "电话 138 0000 0000",
        "650,102,199,001,011,234",
        "姓名（LI NA）",
        "姓名 LI",
        "LI（NA）",
        "电话；138；0000；0000",
        "电话, 138, 0000, 0000",
        "A138 B0000 C0000",
        "138（0000）0000",
        "13800000000 characters",
        "6501,0219,9001",
        "138.0000.0000",
    ],
)
def test_no_number_and_no_name_passes_in_pieces(text: str) -> None:
    told = telling.noticed(text)
    assert told != text and "LI" not in told and "NA" not in told
    assert (
        sum(sign.isdigit() for sign in told.removesuffix(" characters, not shown)")) < 8
        and "0000" not in told
        and "011" not in told
    )
    assert telling.noticed(told) == told  # what is shown may be shown
    assert telling.noticed("金额（2009）") == "金额（2009）" and telling.noticed("column D") == "column D"


def test_the_database_has_the_last_word_of_notices_and_headings(county: SimpleNamespace) -> None:
    numbers = ["138 0000 0000", "640102 199001 011234", "650,102,199,001,011,234", "640102199001011234"]
    batch = sent(county, f"ref,village,name\nr1,{V},a\n")
    told = json.dumps([{"what": "unknown_column", "found": f"of {number}", "rows": 12} for number in numbers])
    with connection.cursor() as cursor:
        cursor.execute("SELECT intake_begin_staging(%s, %s)", [batch.pk, json.dumps(rules.staged_columns(TOY))])
        cursor.execute(
            "SELECT intake_staged(%s, 1, 1, '[]', %s, '[]', %s)",
            [batch.pk, told, json.dumps({"name": "姓名 640102199001011234"})],
        )
        received = _sql(
            (
                "SELECT intake_receive('plan_targets', 'f', repeat('a', 64), 1, 'none', repeat('b', 64), repeat('c', "
                "32), current_date, %s, %s)"
            ),
            county.sender.pk,
            told,
        )
    for one in Batch.objects.filter(pk__in=[batch.pk, received]):
        assert one.notices == [{"what": "unknown_column", "found": "of (a number, not shown)", "rows": 12}] * 4
    assert Batch.objects.get(pk=batch.pk).headings == {"name": "姓名 (a number, not shown)"}


def test_a_column_is_told_by_its_place_in_the_file_as_it_was_sent(county: SimpleNamespace) -> None:
    assert [place_as_sent(n, [0, 2, 3]) for n in range(3)] == [1, 4, 5]
    batch = sent(county, f"ref,民族,village,宗教,name,张小凤,备注\nr1,x,{V},y,a,,\n")
    for checked in (batch, services.check_again(county.sender, batch_id=batch.pk)):
        assert [n["found"] for n in checked.notices if n["what"] == "unknown_column"] == [
            "column F (3 characters, not shown)",
            "备注",
        ]
    twice = sent(county, f"民族,ref,village,name,x,X\nb,r1,{V},a,b,c\n")
    assert {f.column for f in twice.faults.filter(rule="duplicate_header")} == {
        "column E (1 character, not shown)",
        "column F (1 character, not shown)",
    }


def test_the_place_is_known_when_the_words_of_a_file_are_forgotten(committed_db: str, owner_cursor: Any) -> None:
    county = make_county()
    batch = sent(county, f"ref,民族,village,name,size,张小凤\nr1,x,{V},a,many,\n")
    owner_cursor.execute("SELECT intake_forget_words(%s)", [batch.pk])
    batch.refresh_from_db()
    assert [n for n in batch.notices if n["what"] != "not_judged"] == [
        {"what": "denied_column", "found": "…", "place": 1}
    ]
    again = services.check_again(county.sender, batch_id=batch.pk)
    assert [n["found"] for n in again.notices if n["what"] == "unknown_column"] == [
        "column F (3 characters, not shown)"
    ]


def test_a_heading_with_a_comma_is_one_column() -> None:
    told = "column D (2 characters, not shown)"
    assert rules.told_column({"ref": "编号"}, told) == [(told, "")]
    assert rules.told_column({"ref": "编号"}, "village, ref") == [("village", ""), ("编号", "ref")]
    assert rules.told_column({}, "Zhang, 元") == [("Zhang, 元", "")] and rules.told_column({}, "") == []


def test_one_row_counts_and_two_rows_count() -> None:
    found = [
        n["found"]
        for n in days.late_notices([{"year": 2008, "rows": rows, "counts_from": "2009-01-01"} for rows in (1, 2000)])
    ]
    assert found == ["1 row of 2008 counts from 2009-01-01", "2,000 rows of 2008 count from 2009-01-01"]
    assert not [one for one in found if _chinese(one) == one]


def _chinese(text: str) -> str:
    from django.utils.translation import override

    with override("zh-hans"):
        return str(text)


def test_a_day_before_the_calendar_is_told_for_what_it_is() -> None:
    opened = OpenedDays(date(2009, 1, 1), date(2010, 12, 31), date(2010, 1, 1))
    for kind, expected in (
        (Kind.DATE, "a day from 1949-10-01 until 2010-12-31"),
        (Kind.YEAR, "a year from 1949 until 2010"),
    ):
        sheet: Any = SimpleNamespace(columns=(Column("since", "since", kind, days=Days.SINCE),))
        ahead, before = days.checks(sheet, opened)
        assert (ahead.expected, before.expected, before.todo) == (expected, expected, "correct the day")
        assert _chinese(ahead.expected) != expected


def test_the_words_of_sheets_are_folded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    telling._words_of.cache_clear()
    folded: list[str] = []
    plain = telling.heading_key
    monkeypatch.setattr(telling, "heading_key", lambda heading: folded.append(heading) or plain(heading))
    telling.heading_words()
    once = len(folded)
    for n in range(500):
        telling.noticed("[a]" * 20 + str(n % 7))
    assert once == len(folded) > 100
    telling._words_of.cache_clear()


def _staged(tmp_path: Path, text: str) -> list[tuple[int, str, str]]:
    folder = Path(mkdtemp(dir=tmp_path))
    source = folder / "received"
    source.write_text(text, encoding="utf-8", newline="")
    notices = Notices(identity=True)
    with staging_of(TOY, prepare(source, folder, TOY, notices), Places([], [], []), lambda _what, _share: None) as work:
        work.check()
        return [(f["row_no"], f["rule"], f["found"]) for f in work.fault_records() if f["rule"] in rules.UNREAD]


@pytest.mark.parametrize("more", ["", 'r8,v,n,"two\nlines"\n'], ids=["quick", "slow"])
@pytest.mark.parametrize("denied", [False, True])
@pytest.mark.parametrize("sign", ["x", "马", "𠀀"])
def test_one_bound_of_a_row_whatever_else_is_in_the_file(tmp_path: Path, more: str, denied: bool, sign: str) -> None:
    head = "ref,village,name,民族\n" if denied else "ref,village,name,note\n"
    right = sign * (BOUND - len("r1,v,n,"))
    assert _staged(tmp_path, f"{head}r1,v,n,{right}\n{more}") == []
    told = f"a row of {BOUND + 1:,} characters"
    assert _staged(tmp_path, f"{head}r1,v,n,{right}{sign}\nr2,v,n,\n{more}") == [(2, "long_row", told)]


@pytest.mark.parametrize("denied", [False, True])
def test_a_long_cell_over_lines_is_a_long_row_and_a_forgotten_quote_is_one(tmp_path: Path, denied: bool) -> None:
    head = "ref,village,name,民族\n" if denied else "ref,village,name,note\n"
    lines = "\n".join(["x" * 10_000] * 20)
    length = len(f'r1,v,n,"{lines}"')
    assert _staged(tmp_path, f'{head}r1,v,n,"{lines}"\nr2,v,n,ok\n') == [
        (2, "long_row", f"a row of {length:,} characters")
    ]
    for text in ('r1,v,"n,x\nr2,v,n,y\n', f'r1,v,"n,x\nr2,v,n,{"y" * BOUND}\n'):
        assert [one[:2] for one in _staged(tmp_path, head + text) if one[0] == 2] == [(2, "quotes")]


def test_long_lines_are_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECORD_LENGTH", 3)
    for text in (b"abc\nabc\n", b"ab\n\nabc", b"abcd\n", b"a\nabcd", b"a\nbb\nccc\nabcd\na", b"abc\n\n\nabc"):
        for cut in range(1, 9):
            begun, found = 0, False
            for block in (text[n : n + cut] for n in range(0, len(text), cut)):
                found = found or _has_long_line(block, begun)
                begun = len(block) - at - 1 if (at := block.rfind(b"\n")) >= 0 else begun + len(block)
            assert found == any(len(line) > 3 for line in text.split(b"\n")), (text, cut)


def test_sql_folds_a_name_as_python_does(db: None) -> None:
    names = [
        "买买提·艾力",
        "买买提•艾力",
        "D\u00b4Arcy",
        "Ｄ’ＡＲＣＹ",
        "ÉLISE-Ünal",
        "ЁЛКА",
        "d arcy",
        "马 小\u200b军",
        "佐々木",
        "Ma2",
        "%_\\'",
        "ﷺ",
    ]
    letters = [chr(n) for n in range(0x20, 0x3400) if chr(n).casefold() == chr(n).lower()] + list("ＡＺａ０９ﾞ〇")
    given = names + [f"a{sign}b" for sign in letters]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t, {folded_name_sql('t')} FROM unnest(%s::text[]) t", [given])
        found = cursor.fetchall()
    unlike = [(t, sql) for t, sql in found if sql != folded_name(t) and sql]
    assert len(unlike) < 30, (
        sys.version,
        unlike,
    )  # letters newer than the server's Unicode, and small letters made by folding only
    assert not [one for one in unlike if one[0] in names]


def test_words_of_files_are_found_however_they_are_spelt(committed_db: str, owner_cursor: Any) -> None:
    county = make_county()
    made = {}
    for n, name in enumerate(("贷款申请 买买提•艾力.csv", "买买提艾力", "电话 138-0000-0000", "买买提", "LI  NA list")):
        with connection.cursor() as cursor:
            cursor.execute(
                (
                    "SELECT intake_receive('plan_targets', %s, repeat(%s, 64), 1, 'none', repeat('b', 64), repeat('c', "
                    "32), current_date, %s, '[]')"
                ),
                ["x" if n == 2 else name, str(n), county.sender.pk],
            )
            made[cursor.fetchone()[0]] = name
    owner_cursor.execute(
        'UPDATE intake_batch SET notices = \'[{"what": "x", "found": "电话 1380 000 0000"}]\' WHERE id = %s',
        [list(made)[2]],
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO intake_fault (batch_id, row_no, found, rule) VALUES (%s, 1, '买买提 艾力', 'x')",
            [list(made)[3]],
        )
    marked: list[int] = []
    retention._forget_words(
        ["买买提·艾力", "13800000000", "Li Na", "·", "x"], lambda batch, _whole: marked.append(batch)
    )
    assert marked == list(made)


def test_what_batches_say_is_read_apart_from_what_their_faults_say(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name\nr1,{V},a\nr1,{V},b\n")
    Fault.objects.bulk_create(Fault(batch=batch, row_no=n, rule="key", found="the same as row 2") for n in range(300))
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + retention.telling_sql(), {"words": ["买买提·艾力", "x1", "y2"]}
        )
        plan = cursor.fetchone()[0]
    scans = [
        node
        for node in _nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
        if node.get("Relation Name")
    ]
    assert {node["Relation Name"]: node["Actual Loops"] for node in scans} == {
        "intake_batch": 1,
        "intake_fault": 1,
    } and len(scans) == 2
    assert batch.state == State.FAULTY


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]
