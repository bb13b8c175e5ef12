"""What a newcomer reads of a file: for whom it waits, its own headings, one line a check that could not judge, and
words that hide no more than they must.
"""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from karez.cli.deeds import _tell_loaded
from karez.cli.loading import _told, in_words
from karez.cli.program import UNUSABLE
from karez.host import install
from karez.intake import inbox, queries, registry, services, telling, words
from karez.intake.models import TO_CONFIRM, Batch, State
from karez.intake.rules import word_key
from karez.intake.tests.conftest import VILLAGES, csv_of, sent
from karez.intake.tests.toy import TOY
from karez.kernel import messages
from karez.kernel.counting import counted
from karez.kernel.messages import kept, say
from karez.kernel.sheets import Check, Days, Kind, Outcome
from karez.web.tests.reading import read

V = VILLAGES[0]
NAMES = (
    "张小凤",
    "张小凤（备注）",
    "备注（张小凤）",
    "姓名[张小凤]",
    "zhang san",
    "Zhang, 元",
    "周 成",
    "周(成)",
    "欧阳 修",
    "花名册 张小凤",
    "民族（张小凤） (民族)",
)


def _page(user: Any, name: str, *args: int, language: str = "en") -> str:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return read(client.get(reverse(name, args=args)).content.decode())


@pytest.fixture
def asking(county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The toy sheet with a check that asks the sender about rows of size 7."""
    ask = Check(
        "toy_seven",
        "size",
        "another size",
        "SELECT row_no, 'seven', 0 FROM {stage} WHERE size = 7",
        todo="look again",
        outcome=Outcome.QUESTION,
    )
    monkeypatch.setitem(registry._ADDED, "toy", replace(TOY, checks=(*TOY.checks, ask)))
    return county


def test_a_file_that_waits_for_its_sender_is_called_so_everywhere(asking: SimpleNamespace) -> None:
    batch = sent(asking, f"ref,village,name,size\nr1,{V},a,7\n")
    assert (batch.state, batch.waits_for_sender, batch.state_in_words) == (State.CHECKED, True, TO_CONFIRM)
    mark = f'<span aria-hidden="true">? </span>{TO_CONFIRM}</span>'
    for person in (asking.sender, asking.approver):
        assert mark in _page(person, "intake:batches") and mark in _page(person, "intake:batch", batch.pk)
        assert str(State.CHECKED.label) not in _page(person, "intake:batch", batch.pk)
    assert "已检查，等待报送人确认有关行" in _page(asking.sender, "intake:batches", language="zh-hans")
    assert 'id="confirm"' in _page(asking.sender, "intake:batches") and 'id="confirm"' not in _page(
        asking.approver, "intake:batches"
    )
    assert {str(item.words): item.count for item in inbox.items(asking.sender)}["Your files with rows to confirm"] == 1
    assert not queries.waiting_for(asking.approver).exists()
    console = in_words(_told(batch))
    assert console["state"] == str(TO_CONFIRM) and console["question_rows"][0]["todo"] == "look again"
    done = services.confirm(asking.sender, batch_id=batch.pk)
    assert (done.waits_for_sender, done.state_in_words) == (False, State.CHECKED.label)
    assert mark not in _page(asking.sender, "intake:batches") and list(queries.waiting_for(asking.approver)) == [batch]
    assert not sent(asking, csv_of(2)).waits_for_sender


def test_faults_name_columns_as_the_file_heads_them(county: SimpleNamespace) -> None:
    batch = sent(county, f"编号,村,姓名,金额（元）,Size\nr1,{V},a,?,13\n")
    assert batch.headings == {"ref": "编号", "village": "村", "name": "姓名", "amount": "金额（元）", "size": "Size"}
    page = _page(county.sender, "intake:batch", batch.pk)
    assert '<code>金额（元）</code> <span class="text-secondary">(amount)</span>' in page
    assert "<code>Size</code></span>" in page  # the same but for its case
    assert ",金额（元） (amount)," in "".join(queries.faults_csv(county.sender, batch.pk))
    told = _told(batch)
    assert {(row["column"], row["heading"]) for row in told["fault_rows"]} == {
        ("amount", "金额（元） (amount)"),
        ("size", "Size"),
    }
    assert {row["column"] for row in in_words(told)["fault_rows"]} == {"金额（元） (amount)", "Size"}
    twice = sent(county, f"编号,村,姓名\nr1,{V},a\nr1,{V},b\n")
    assert {(f.column, f.found) for f in twice.faults.all()} == {("village, ref", "the same as row 2")}
    assert '<code>村</code> <span class="text-secondary">(village)</span>, <code>编号</code>' in _page(
        county.sender, "intake:batch", twice.pk
    )


def test_a_name_in_a_heading_is_not_kept_with_it(county: SimpleNamespace) -> None:
    batch = sent(county, f"编号,村,姓名（张小凤）,金额（王五 元）,张小凤\nr1,{V},a,x,1\n")
    kept = Batch.objects.filter(pk=batch.pk).values("headings", "notices", "faults__column", "faults__found")
    assert batch.headings["name"] == "姓名（…）"
    assert "张小凤" not in str(list(kept)) and "王五" not in str(list(kept))
    assert [n["found"] for n in batch.notices if n["what"] == "unknown_column"] == [
        "column E (3 characters, not shown)"
    ]


def test_identity_twice_a_missing_column_and_a_day_are_told_for_what_they_are(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name,身份证号,本人身份证号码,贷款（万元）,paid_on\nr1,{V},a,,,1,2019-02-16\n")
    told = {fault.rule: fault for fault in batch.faults.all()}
    assert (
        told["identity_column"].found == "a second column of the same identity"
        and told["day_opened"].found == "2019-02-16"
    )
    assert [n["found"] for n in batch.notices if n["what"] == "unknown_column"] == ["column F …（万元）"]
    assert "add the column" in sent(county, "ref,name\nr1,a\n").faults.get(rule="missing_column").todo
    assert (
        "keep the one column"
        in sent(county, f"ref,village,name,Ref\na,{V},b,c\n").faults.get(rule="duplicate_header").todo
    )


def test_what_could_not_be_judged_is_one_line_a_check(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name,paid_on,size\nr1,{V},a,soon,many\nr2,{V},b,2009-01-01,1\n")
    lines = [(n["rule"], n["expected"], tuple(n["columns"])) for n in batch.notices if n["what"] == "not_judged"]
    assert len(lines) == len(set(lines)) and [rule for rule, _, _ in lines].count("day_opened") == 1
    page = _page(county.sender, "intake:batch", batch.pk)
    folded = page.index("could not judge every row because of the faults</summary>")
    assert page.index('id="faults"') < folded < page.index('id="decide"')
    assert "1 of 2 rows left out" in page[folded:]
    assert all(len(n["found"]) < 60 for n in batch.notices if n["what"] == "not_judged")
    told = _told(batch)
    assert len(told["not_judged"]) == len(lines) and "not_judged" not in in_words(told)["notices"]


def test_each_fault_says_what_to_do_at_the_console_too(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name,size\nr1,{V},a,many\n")
    assert batch.faults.get().todo == ""
    assert _told(batch)["fault_rows"][0]["todo"] == str(queries.CORRECT)
    assert str(queries.CORRECT) in _page(county.sender, "intake:batch", batch.pk)


def test_the_console_says_who_is_next(asking: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    faulty, waiting, ready = (sent(asking, f"ref,village,name,size\nr1,{V},a,{size}\n") for size in ("many", "7", "8"))
    assert _tell_loaded([_told(batch) for batch in (faulty, waiting, ready)], "csv") == UNUSABLE
    shown = capsys.readouterr()
    assert str(TO_CONFIRM) in shown.out and str(queries.CORRECT) in shown.out
    assert f"Batch {faulty.pk}, not judged because of the faults: toy_unlucky: not run." in shown.err
    assert f"Batch {waiting.pk}: 1 row looks like something already there. Leave it out" in shown.err
    assert f"Batch {ready.pk}: another person applies it: karez apply {ready.pk} --by OTHER" in shown.err


def test_one_is_one(county: SimpleNamespace) -> None:
    assert (counted(1, "row"), counted(0, "batch", "batches"), counted(1200, "row")) == (
        "1 row",
        "0 batches",
        "1,200 rows",
    )
    batch = sent(county, f"ref,village,name,x,X\nr1,{V},a,b,c,d\n")
    assert {f.column for f in batch.faults.filter(rule="duplicate_header")} == {
        f"column {at} (1 character, not shown)" for at in "DE"
    }
    assert telling.not_shown("x") == "(1 character, not shown)"


def test_a_number_of_a_person_is_told_by_its_own_length(county: SimpleNamespace) -> None:
    batch = sent(county, f"ref,village,name,id_number\nr1,{V},a,64042219700101123\n")
    assert batch.faults.get(rule="id_number").found == "(17 characters, not shown)"


def _sql(function: str, *values: object) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({', '.join(['%s'] * len(values))})", values)
        return cursor.fetchone()[0]


def test_the_database_knows_the_same_words(db: None) -> None:
    registry._ADDED.pop("toy", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, is_heading, is_unit FROM intake_word")
        found = {key: (heading, unit) for key, heading, unit in cursor.fetchall()}
    headings = telling.heading_words()
    assert found == {word: (word in headings, word in telling.UNIT_WORDS) for word in headings | telling.UNIT_WORDS}
    for word in ("Village code", "ＡＢ－１２", "金额 ", "10,000 元", "m²", "％", "id_number", "*姓名"):
        assert _sql("intake_word_key", word) == word_key(word)
    for unit in ("元", "万元", "美元", "persons", "10,000 yuan", "%", "公顷"):
        assert telling.noticed(unit) == unit
        said = _sql("intake_told", kept(say("the heading says {unit}", unit=unit)), "unit", True)
        assert messages.read(said) == f"the heading says {unit}"
        assert unit[0].isdigit() or _sql("intake_told", f"5{unit}", "type", True) == f"… {unit}"
    for heading in ("姓名", "身份证号", "village", "合计"):
        assert telling.noticed(heading) == heading
        assert _sql("intake_told", heading, "type", True) == heading
        assert _sql("intake_told", f"row 3, {heading}", "a_check", True) == f"row 3, {heading}"


@pytest.mark.parametrize("text", NAMES)
def test_no_name_is_among_the_words(db: None, text: str) -> None:
    parts = ("张小凤", "zhang san", "Zhang", "欧阳", "修", "周 成", "周(成)")
    said = [
        telling.noticed(text),
        str(messages.read(_sql("intake_told", kept(say("the heading says {unit}", unit=text)), "unit", True))),
        _sql("intake_told", f"5{text}", "type", True),
        *(_sql("intake_told", text, rule, True) for rule in ("type", "area", "unit")),
    ]
    assert not [one for one in said if any(part in one for part in parts)]


def test_words_are_written_anew_with_the_declarations(committed_db: str, owner_cursor: Any) -> None:
    owner_cursor.execute("DELETE FROM intake_word WHERE key = '姓名'")
    owner_cursor.execute("INSERT INTO intake_word (key, is_heading, is_unit) VALUES ('张小凤', true, false)")
    assert install.words is words
    words.install()
    owner_cursor.execute("SELECT key FROM intake_word WHERE key IN ('姓名', '张小凤')")
    assert owner_cursor.fetchall() == [("姓名",)]


def test_days_ahead_and_years_nobody_opened_say_what_to_do() -> None:
    from datetime import date

    from karez.intake.days import checks
    from karez.kernel.sheets import Column
    from karez.periods.services import YEAR_OPENS, OpenedDays

    sheet: Any = SimpleNamespace(columns=(Column("paid_on", "day", Kind.DATE, days=Days.OPENED),))
    past = [check.todo for check in checks(sheet, OpenedDays(date(2009, 1, 1), date(2010, 12, 31), date(2010, 1, 1)))]
    assert past[0] == YEAR_OPENS and "page Closing" in YEAR_OPENS and "nobody opens one before it" in str(past[1])
    now = [
        check.todo
        for check in checks(sheet, OpenedDays(date(2009, 1, 1), date(date.today().year + 1, 12, 31), date(2010, 1, 1)))
    ]
    assert now[0] == "correct the day: it lies ahead of today"
