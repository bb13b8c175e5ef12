"""What is refused or found wrong is told in the reader's language: every text of the source, and what pages show."""

import gettext
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.test import Client

from karez.closing.declared import closing_checks
from karez.closing.models import CheckResult, Preparation
from karez.funds.tests.conftest import appropriate, make_line
from karez.intake import services as intake
from karez.kernel.tests.work import calls
from karez.web import said
from karez.web.locale.raised import texts
from karez.web.locale.raised_books import book_texts, named
from karez.web.locale.raised_sql import sql_texts

CATALOGUE = Path(said.__file__).parent / "locale" / "zh_Hans" / "LC_MESSAGES" / "refusals.po"
_PLACES = re.compile(r"\{\d+\}")
_REFRESH = "run python karez/web/locale/refresh_refusals.py and translate what is empty"


BOOKS = CATALOGUE.with_name("books.po")


def _translations(catalogue: Path = CATALOGUE) -> dict[str, str]:
    with catalogue.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale="zh_Hans") if m.id}


def _reader(user: Any, language: str = "zh-hans") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.parametrize(("catalogue", "source"), [(CATALOGUE, texts), (BOOKS, book_texts)])
def test_every_text_of_the_source_is_translated(catalogue: Path, source: Callable[[], dict[str, set[str]]]) -> None:
    known = _translations(catalogue)
    missing = {text: sorted(files) for text, files in source().items() if not known.get(text)}
    assert not missing, f"{_REFRESH}: {missing}"
    for english, chinese in known.items():
        assert sorted(_PLACES.findall(english)) == sorted(_PLACES.findall(chinese)), english


@pytest.mark.parametrize("catalogue", [CATALOGUE, BOOKS])
def test_compiled_as_it_stands(catalogue: Path) -> None:
    with catalogue.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for english, chinese in _translations(catalogue).items():
        assert compiled.gettext(english) == chinese, _REFRESH


def test_the_reader_finds_what_it_must() -> None:
    found = texts()
    for text in (
        "nothing of this number",  # a constant
        "the same file as {1}, received {2}, {3}",  # an f-string
        "no role with the permission {1} over the region",  # put together, with a branch
        "an old (.xls) or password-protected workbook",  # given to a helper that raises
        "line {1} moves {2} fen",  # in a list of faults
        "Account {1} {2} of {3} would be overdrawn.",  # of the database
        "once in a file; it stands first in row {1}",
    ):
        assert text in found, text
    assert list(sql_texts("SELECT 'loan ' || l.no, 'not ours', x FROM l WHERE k = 'own'")) == ["loan {1}", "not ours"]


def test_the_reader_finds_what_is_written_into_books() -> None:
    found = book_texts()
    for text in (
        "Surplus of fees",  # a chart of accounts
        "Bank",  # one in SQL
        "Source line {1}",  # an account opened in SQL
        "Loan {1} written off",  # given to a helper that drafts
        "appropriation {1}, {2}",  # a branch
        "Own money returned to members",  # a case in a query
        "Grant to a village society, {1}",  # put together in a query
    ):
        assert text in found, text
    assert list(
        named("SELECT f('a, b', c) AS x, CASE k WHEN 'own' THEN 'Paid in, ' || d ELSE 'Paid out' END AS narration")
    ) == ["Paid in, {1}", "Paid out"]


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("Surplus of fees", "占用费结余"),
        ("Gift of Bank of Grant, Ltd", "Bank of Grant, Ltd捐赠"),
        ("allocation A, b, 2009/1", "拨付 A，b, 2009/1"),
        ("Grant to 柳井互助社, open", "拨付柳井互助社，open"),
        ("wound up", "wound up"),
        (
            "nothing of this number",
            "nothing of this number",
        ),  # told when something is refused, never written into a book
    ],
)
def test_of_a_book_only_the_programs_words_are_told(english: str, chinese: str) -> None:
    assert said.booked(english, "zh-hans") == chinese
    assert said.booked(english, "en") == english
    assert said.booked("Grant, and no gift", "zh-hans", typed=True) == "Grant, and no gift"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("nothing of this number", "没有此编号"),
        ("voucher 12", "凭证 12"),
        ("a voucher of a book", "某账簿的凭证"),  # the part is a known word
        ("Set 7 was already refused.", "第 7 组已经否决。"),
        ("the code of one county or township on that day", "当日一个县或乡镇的代码"),
        ("voucher 1: no lines; voucher 2: line 1 moves 0 fen", "凭证 1：没有分录；凭证 2：第 1 行转移 0 分"),
        (
            "voucher 1: a narration of 1 characters",
            "凭证 1：摘要有 1 个字符",
        ),  # and not: voucher 1: a narration, of 1 characters
        ("2009-A in Liujing", "2009-A，Liujing"),
        ("notes of the county.csv", "notes of the county.csv"),
        ("this number is on the register in household 12 of another village", "此号码已登记在册（他村 12 户）"),
        ("this number is on the register elsewhere", "此号码已登记在册（他处）"),
        ("at most 1,200.50 yuan", "不超过 1,200.50 元"),
        ("one sort of thing nobody knows", "one sort of thing nobody knows"),
        ("柳井村", "柳井村"),
        ("", ""),
    ],
)
def test_told_in_chinese(english: str, chinese: str) -> None:
    assert said.said(english, "zh-hans") == chinese
    assert said.said(english, "en") == english
    assert said.said(english, "fr") == english


def test_a_cell_is_told_as_it_was_written() -> None:
    for written in ("open", "10 to 12", "no 7", "county"):
        assert said.said(written, "zh-hans", cell=True) == written
    assert said.said("(12 characters, not shown)", "zh-hans", cell=True) == "（12 个字符，不予显示）"


def test_a_long_and_hostile_text_takes_no_more_calls_than_a_short_one() -> None:
    """Each call looks through the text once at most, so calls are what may grow: they are bounded by the patterns there
    are.
    """
    for hostile in (
        "; expected found ",
        "a",
        "voucher 1: ",
        "; voucher 1: x",
        ", ",
        "in of and to at no ",
        "a no 1 of 1 in 1 to 1 and 1 ",
        "batch 1: found 1; expected 1; rule: 1. What to do: 1. ",
    ):
        for times in (1000, 2000, 3900):
            text = (hostile * times)[:times]
            assert calls(lambda text=text: said.said(text, "zh-hans")) < 100_000, (hostile, times)  # type: ignore[misc]
    assert calls(lambda: said.said("x" * 10**7, "zh-hans")) < 20, "a text too long is not looked at"


def _allocation(world: Any, user: Any, language: str, amount: str) -> tuple[int, str]:
    line = make_line(world)
    appropriate(world, line, 100_000)
    given = {
        "county": world.areas["990101"],
        "amount_fen": amount,
        "happened_on": "2009-03-05",
        "reference": "A-2",
        "document_no": "2009/2",
    }
    answer = _reader(user, language).post(f"/funds/lines/{line.pk}/prepare/allocation/", given)
    return answer.status_code, answer.content.decode()


def test_a_refusal_of_the_program(world: Any) -> None:
    status, page = _allocation(world, world.finance, "zh-hans", "0")
    assert status == 409
    assert "<dd>0.00 元</dd>" in page and "大于零的金额" in page and "付款须有金额转移" in page
    assert "an amount above zero" not in page


def test_english_stays_english(world: Any) -> None:
    _status, page = _allocation(world, world.finance, "en", "0")
    assert "<dd>0.00 yuan</dd>" in page and "an amount above zero" in page


def test_a_refusal_of_the_database(world: Any) -> None:
    status, page = _allocation(world, world.finance, "zh-hans", "5000")
    assert status == 409
    assert "将被透支" in page and "可用 100000 分，拟支出 500000 分" in page and "would be" not in page


def test_the_faults_of_a_file(world: Any) -> None:
    rows = (
        "level,code,name_zh,name_en,parent_code,valid_from\nhamlet,99010199,新村,New,9901011,2009-31-12\nvillage,,,,,\n"
    )
    batch = intake.receive(
        world.administrator, sheet="places", file_name="places.csv", stream=io.BytesIO(rows.encode())
    )
    intake.stage(batch.pk)
    page = _reader(world.administrator).get(f"/files/{batch.pk}/").content.decode()
    assert "日期：2009-03-31" in page and "下列之一：" in page and "填写单元格" in page
    assert "2009-31-12" in page and "a day: 2009" not in page and "a value<" not in page
    file = b"".join(_reader(world.administrator).get(f"/files/{batch.pk}/faults.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "2009-31-12,日期：2009-03-31" in file.replace('"', "") and "应为" in file.split("\n", maxsplit=1)[0]


def test_the_checks_of_a_closing(world: Any) -> None:
    check = next(c for c in closing_checks() if c.name == "funds_records_equal_books")
    wrong = {"record": "2009-A in Liujing", "found": "100 fen on record", "expected": "0 fen in the books", "link": ""}
    made = Preparation.objects.create(year=2009, prepared_by_id=world.statistician.pk, draft="0" * 64)
    CheckResult.objects.create(
        preparation=made,
        name=check.name,
        label=str(check.label),
        todo=str(check.todo),
        acceptable=False,
        failures=1,
        rows=[wrong],
        rows_digest="0" * 64,
    )
    page = _reader(world.approver).get("/closing/2009/").content.decode()
    assert (
        "下达与拨付的记录与办公室和各县账簿收到的金额逐项相符" in page and "记录 100 分" in page and "账簿 0 分" in page
    )
    assert "or take back the record" not in page
