"""A file with faulty cells is judged by the sheet's own checks too: every fault at once, and no consequence of another
one.
"""

from types import SimpleNamespace

import pytest

from karez.intake import registry, sound
from karez.intake.models import State
from karez.intake.tests.conftest import FAR, VILLAGES, csv_of, faults_of, id_number, sent
from karez.intake.tests.toy import TOY
from karez.kernel.sheets import Check

V = VILLAGES[0]
HEAD = "ref,village,name,amount,size,phone"


@pytest.fixture
def together(county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The toy sheet with one more check: each village's amounts reach 100 yuan together."""
    from dataclasses import replace

    reach = Check(
        "toy_reach",
        "amount",
        "100 yuan in each village",
        "SELECT min(s.row_no), sum(s.amount)::text FROM {stage} s GROUP BY s.village_id HAVING sum(s.amount) < 10000",
        across=("village",),
    )
    monkeypatch.setitem(registry._ADDED, "toy", replace(TOY, checks=(*TOY.checks, reach)))
    return county


def test_cells_and_checks_are_told_at_once(county: SimpleNamespace) -> None:
    lines = [HEAD, f"a,{V},n,x,13,12345", f"b,{V},n,5,13,12345", f"c,{V},n,5,many,12345", f"d,{V},n,5,4,?"]
    batch = sent(county, "\n".join(lines))
    assert batch.state == State.FAULTY
    assert faults_of(batch) == [
        (2, "amount", "type"),
        (2, "size", "toy_unlucky"),
        (3, "size", "toy_unlucky"),
        (4, "size", "type"),
        (5, "phone", "pattern"),
    ]
    assert batch.fault_count == 5
    (told,) = [notice for notice in batch.notices if notice["what"] == "not_judged" and notice["rule"] == "toy_unlucky"]
    assert (told["rows"], told["of"]) == (1, 4)
    assert (told["why"], told["columns"]) == ("faults", ["size"])


def test_rows_judged_together_with_a_faulty_one_are_left_out(together: SimpleNamespace) -> None:
    v, w, x = VILLAGES[:3]
    lines = [HEAD, f"a,{v},n,x,1,", f"b,{v},n,20,1,", f"c,{w},n,20,1,", f"d,{x},n,60,1,?", f"e,{x},n,50,1,"]
    batch = sent(together, "\n".join(lines))
    assert faults_of(batch) == [(2, "amount", "type"), (4, "amount", "toy_reach"), (5, "phone", "pattern")]
    (told,) = [notice for notice in batch.notices if notice["what"] == "not_judged"]
    assert (told["rule"], told["rows"], told["of"]) == ("toy_reach", 2, 5)


@pytest.mark.parametrize("spoiled", ["z,000000000000,n,90,1,", 'z,640,"n,90', f"z,{V},n,90,1,,,,7"])
def test_where_any_group_may_lack_a_row_the_check_does_not_run(together: SimpleNamespace, spoiled: str) -> None:
    batch = sent(together, "\n".join([HEAD, f"a,{V},n,20,13,", spoiled, f"b,{VILLAGES[1]},n,500,1,"]))
    assert (2, "size", "toy_unlucky") in faults_of(batch)
    assert not [fault for fault in faults_of(batch) if fault[2] == "toy_reach"]
    (told,) = [notice for notice in batch.notices if notice.get("rule") == "toy_reach"]
    assert told["rows"] == told["of"] and "not run" in told["found"]


def test_a_row_of_another_place_and_a_row_twice_are_judged_by_nothing_else(together: SimpleNamespace) -> None:
    lines = [HEAD, f"a,{FAR},n,20,13,", f"b,{V},n,500,1,", f"b,{V},n,500,13,", f"c,{VILLAGES[1]},n,5,13,"]
    batch = sent(together, "\n".join(lines))
    assert faults_of(batch) == [
        (2, "village", "area_scope"),
        (4, "village, ref", "key"),
        (5, "amount", "toy_reach"),
        (5, "size", "toy_unlucky"),
    ]


def test_a_missing_column_stops_the_checks_that_read_it(together: SimpleNamespace) -> None:
    batch = sent(together, "ref,name,amount,size\na,n,20,13\nb,n,20,1\n")
    assert faults_of(batch) == [(1, "village", "missing_column"), (2, "size", "toy_unlucky")]
    (told,) = [notice for notice in batch.notices if notice["what"] == "not_judged"]
    assert (told["rule"], told["why"], told["columns"]) == ("toy_reach", "column", ["village"])


def test_a_clean_file_asks_for_nothing_more(county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound.SoundRows, "__post_init__", lambda _self: pytest.fail("only for faulty files"))
    assert sent(county, csv_of(3)).state == State.CHECKED


def test_every_declared_check_names_columns_of_its_sheet() -> None:
    for sheet in registry.sheets().values():
        for check in sheet.checks:
            assert sound.columns_read(sheet, check), f"{sheet.name}: {check.rule} reads no column"


def test_days_before_the_calendar_are_faults(county: SimpleNamespace) -> None:
    lines = [
        "ref,village,name,id_number,paid_on,born",
        f"a,{V},n,{id_number(1)},0000-01-01,0000-01",
        f"b,{V},n,,2009-01-31,2009-02",
    ]
    assert faults_of(sent(county, "\n".join(lines))) == [(2, "born", "type"), (2, "paid_on", "type")]
