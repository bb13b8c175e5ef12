"""The catalogues: whole, compiled as they stand, every placeholder kept; and pages speak Chinese, whoever said it."""

import gettext
import io
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.utils import translation

from karez.closing.declared import closing_checks
from karez.closing.models import CheckResult, Preparation
from karez.funds.tests.conftest import appropriate, make_line
from karez.intake import services as intake
from karez.kernel.messages import kept, read, say
from karez.ledger.models import Account, Book, Voucher
from karez.mutual_funds import proposals
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund, fund  # noqa: F401 - a fixture
from karez.web.locale.refresh import catalogues, messages, sql_in_python, sql_messages

_PLACES = re.compile(r"%\([a-z_]+\)[sd]|%%|%s|\{\w+\}")
_REFRESH = "run python karez/web/locale/refresh.py and translate what is empty"


def _client(user: Any, language: str = "zh-hans") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _page(user: Any, address: str, language: str = "zh-hans") -> str:
    answer = _client(user, language).get(address)
    assert answer.status_code == 200, address
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", text).replace("&#x27;", "'")


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.parents[1].name)
def test_a_catalogue_is_whole_and_compiled(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = [message for message in read_po(file, locale=path.parents[1].name) if message.id]
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    said = {message if isinstance(message, str) else message[0] for _file, message in messages()}
    assert said == {m.id if isinstance(m.id, str) else m.id[0] for m in catalogue}, _REFRESH
    for message in catalogue:
        told = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = message.id[-1] if isinstance(message.id, tuple) else message.id
        for text in told:
            assert text, f"{_REFRESH}: {message.id}"
            assert sorted(_PLACES.findall(text)) == sorted(_PLACES.findall(wanted)), message.id
        if isinstance(message.id, str):
            assert compiled.gettext(message.id) == message.string, _REFRESH


def test_messages_are_collected_from_python_and_sql() -> None:
    found = {message for _file, message in messages()}
    for text in (
        "nothing of this number",  # given to a refusal
        "line {number} moves {amount} fen",  # in a list of faults
        "Account {1} {2} of {3} would be overdrawn.",  # raised by the database
        "{1} in all, {2} to {3} allowed",  # SQL in Python, in a template that is filled first
        "Source line {1}",  # an account opened in SQL
        "once in a file; it stands first in row {row}",  # SQL of DuckDB
        "Surplus of fees",  # a chart of accounts
    ):
        assert text in found, text
    assert list(sql_messages("SELECT karez_say('it''s {1}', x), karez_say(y)")) == ["it's {1}"]
    assert list(sql_in_python("f\"SELECT karez_say('{{1}} of {{2}}', {column})\"")) == ["{1} of {2}"]


def test_pages_speak_chinese(world: Any) -> None:
    page = _client(world.clerk).get("/places/").content.decode()
    assert "行政区划" in page and 'lang="zh-hans"' in page and "柳井县" in page
    with translation.override("zh-hans"):
        assert translation.gettext("Yearbook") == "年鉴"


def test_pages_of_who_is_signed_in_are_kept_nowhere(world: Any) -> None:
    client = Client()
    assert client.get("/proof/").headers.get("Cache-Control") != "private, no-store"
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    for address in ("/", "/places/", "/nowhere/"):
        assert client.get(address)["Cache-Control"] == "private, no-store", address


def _allocation(world: Any, language: str, amount: str) -> tuple[int, str]:
    line = make_line(world)
    appropriate(world, line, 100_000)
    given = {
        "county": world.areas["990101"],
        "amount_fen": amount,
        "happened_on": "2009-03-05",
        "reference": "A-2",
        "document_no": "2009/2",
    }
    answer = _client(world.finance, language).post(f"/funds/lines/{line.pk}/prepare/allocation/", given)
    return answer.status_code, answer.content.decode()


def test_a_refusal_of_the_program(world: Any) -> None:
    status, page = _allocation(world, "zh-hans", "0")
    assert status == 409
    assert "<dd>0.00 元</dd>" in page and "大于零的金额" in page and "付款须有金额转移" in page
    assert "an amount above zero" not in page


def test_english_stays_english(world: Any) -> None:
    _status, page = _allocation(world, "en", "0")
    assert "<dd>0.00 yuan</dd>" in page and "an amount above zero" in page


def test_a_refusal_of_the_database(world: Any) -> None:
    status, page = _allocation(world, "zh-hans", "5000")
    assert status == 409
    assert "将被透支" in page and "可用 100000 分，拟支出 500000 分" in page and "would be" not in page


def test_the_faults_of_a_file(world: Any) -> None:
    rows = (
        "level,code,name_zh,name_en,parent_code,valid_from\nhamlet,99010199,新村,New,9901011,2009-31-12\nvillage,,,,,\n"
        'village,"{""say"": ""open"", ""with"": []}",新村,New,9901011,2009-12-31\n'
    )
    batch = intake.receive(world.administrator, sheet="places", file_name="p.csv", stream=io.BytesIO(rows.encode()))
    intake.stage(batch.pk)
    page = _client(world.administrator).get(f"/files/{batch.pk}/").content.decode()
    assert "日期：2009-03-31" in page and "下列之一：" in page and "填写单元格" in page
    assert "2009-31-12" in page and "a day: 2009" not in page and "a value<" not in page
    answer: Any = _client(world.administrator).get(f"/files/{batch.pk}/faults.csv")
    file = b"".join(answer.streaming_content).decode()
    assert "2009-31-12,日期：2009-03-31" in file.replace('"', "") and "应为" in file.split("\n", maxsplit=1)[0]


def test_the_checks_of_a_closing(world: Any) -> None:
    check = next(c for c in closing_checks() if c.name == "funds_records_equal_books")
    wrong = {
        "record": say("{1} in {2}", **{"1": "2009-A", "2": "Liujing"}),
        "found": say("{1} fen on record", **{"1": "100"}),
        "expected": read(kept(say("{1} fen in the books", **{"1": "0"}))),
        "link": "",
    }
    made = Preparation.objects.create(year=2009, prepared_by_id=world.statistician.pk, draft="0" * 64)
    CheckResult.objects.create(
        preparation=made,
        name=check.name,
        label=check.label,
        todo=check.todo,
        acceptable=False,
        failures=1,
        rows=[wrong],
        rows_digest="0" * 64,
    )
    page = _client(world.approver).get("/closing/2009/").content.decode()
    assert (
        "下达与拨付的记录与办公室和各县账簿收到的金额逐项相符" in page and "记录 100 分" in page and "账簿 0 分" in page
    )
    assert "or take back the record" not in page and "2009-A，Liujing" in page


def test_books_are_told_in_chinese_and_what_people_typed_stays(fund: Fund) -> None:  # noqa: F811
    entered.accept_gift(
        fund.treasurer, society=fund.society, giver="Bank of Grant, Ltd", amount_fen=100 * YUAN, given_on=DAY
    )
    gift = Voucher.objects.latest("pk")
    back = proposals.prepare_reversal(
        fund.treasurer, society=fund.society, voucher_id=gift.pk, reason="Grant, and no gift"
    )
    proposals.approve(fund.approver, back)
    page = _page(fund.world.finance, f"/ledger/vouchers/{gift.pk}/")
    assert "Bank of Grant, Ltd捐赠" in page and "Gift of" not in page
    assert "Gift of Bank of Grant, Ltd" in _page(fund.world.finance, f"/ledger/vouchers/{gift.pk}/", "en")
    reversal = Voucher.objects.get(reverses=gift)
    assert "Grant, and no gift" in _page(fund.world.finance, f"/ledger/vouchers/{reversal.pk}/")
    book = _page(fund.world.finance, f"/ledger/books/{fund.society.book_id}/")
    assert "占用费结余" in book and "Surplus of fees" not in book and "Cash in hand" not in book
    bank = Account.objects.get(book=fund.society.book_id, code="1001")
    assert "Cash" not in _page(fund.world.finance, f"/ledger/accounts/{bank.pk}/?first=2009-01-01&last=2009-12-31")


def test_the_book_of_a_county_takes_the_name_of_its_place(fund: Fund) -> None:  # noqa: F811
    county = Book.objects.get(kind="county", area_id=fund.world.areas["990101"])
    place = county.area.tree
    assert county.name == f"{place.name_en} county office"
    assert f"{place.name_zh}县级办公室" in _page(fund.world.finance, f"/ledger/books/{county.pk}/")
    assert county.name in _page(fund.world.finance, f"/ledger/books/{county.pk}/", "en")
    assert "县级办公室" in _page(fund.world.finance, f"/places/{county.area_id}/")
