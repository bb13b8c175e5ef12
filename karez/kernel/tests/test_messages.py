"""Messages: English where they are made, the reader's language where they are shown, the same after they were kept."""

import copy
import json
import pickle
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.utils.translation import gettext_lazy, override

from karez.kernel.message_field import label_sql
from karez.kernel.messages import Listing, Message, Number, english, kept, kept_in, read, read_in, say
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal

AMOUNT = say("at least {bound}", bound=say("{bound} yuan", bound=format_fen(120_050)))


def _chinese(text: object) -> str:
    with override("zh-hans"):
        return str(text)


@pytest.mark.parametrize(
    ("message", "text", "chinese"),
    [
        (say("nothing of this number"), "nothing of this number", "没有此编号"),
        (AMOUNT, "at least 1,200.50 yuan", "不低于 1,200.50 元"),
        (say("a {what} of a book", what=say("voucher")), "a voucher of a book", "某账簿的凭证"),
        (say("state {state}", state=gettext_lazy("open")), "state open", "状态为未关账"),
        (Listing([say("region"), say("village")], " or "), "region or village", "自治区或村"),
        (say("voucher {number}: {fault}", number=1, fault=say("no lines")), "voucher 1: no lines", "凭证 1：没有分录"),
        (say("ended before {ends_before}", ends_before=date(2009, 3, 1)), "ended before 2009-03-01", None),
        (say("Gift of {1}", **{"1": "Bank of Grant, Ltd"}), "Gift of Bank of Grant, Ltd", "Bank of Grant, Ltd捐赠"),
    ],
)
def test_told_and_kept(message: str, text: str, chinese: str | None) -> None:
    again = read(kept(message))
    for one in (message, again, copy.copy(message), pickle.loads(pickle.dumps(again))):
        assert one == text and str(one) == text and f"{one}" == text and json.loads(json.dumps(one)) == text
        if chinese is not None:
            assert _chinese(one) == chinese
    assert type(again) is type(message) and kept(again) == kept(message)
    with override("zh-hans"):
        assert english(message) == english(kept(message)) == text


def test_what_is_put_together_is_still_told() -> None:
    both = say("no lines") + " · " + say("voucher")
    assert both == "no lines · voucher" and _chinese(both) == "没有分录 · 凭证"
    assert _chinese("(" + say("voucher")) == "(凭证"
    assert _chinese(read(kept(both))) == _chinese(both)


def test_numbers_are_parted_as_the_language_does() -> None:
    number = Number(Decimal("1234567.5"), 2)
    assert number == "1,234,567.50"
    for code, told in (("en", "1,234,567.50"), ("zh-hans", "1,234,567.50"), ("de", "1.234.567,50")):
        with override(code):
            assert str(number) == str(read(kept(number))) == told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        '{"say": "cut off',
        '{"say":',
        '{"number": "many"}',
        '{"say": 1, "with": {"x": {"say": []}}',
        '{"say": "a", "with": ' + "[" * 5000,
        '{"list": 7}',
    ],
)
def test_what_is_no_message_stays_as_it_stands(text: str) -> None:
    assert read(text) == text
    assert kept(read(text)) == text


def test_nothing_of_a_pattern_is_evaluated() -> None:
    hostile = read('{"say": "{x.__class__} {x!r} {0} {y}", "with": {"x": "a"}}')
    assert hostile == "{x.__class__} {x!r} {0} {y}"
    deep = kept(say("no lines"))
    for _ in range(20):
        deep = json.dumps({"say": "{1}", "with": [deep]})
    assert isinstance(read(deep), str)


def test_values_in_json() -> None:
    rows = [{"record": say("voucher"), "n": 3, "link": "/x/", "why": None}]
    stored = json.loads(json.dumps(kept_in(rows)))
    assert stored[0]["record"] == kept(say("voucher")) and stored[0]["n"] == 3
    assert read_in(stored) == rows and isinstance(read_in(stored)[0]["record"], Message)


def test_a_refusal_is_told_whole() -> None:
    refusal = Refusal("x.y", record=say("voucher"), found=say("no lines"), rule="r", todo=say("choose from the list"))
    assert str(refusal) == "voucher: found no lines; rule: r. What to do: choose from the list."
    with override("zh-hans"):
        assert str(refusal) == "凭证： 实为没有分录； 规则：r。 如何处理：请从列表中选择。"
        assert refusal.as_dict()["found"] == "没有分录"
    assert str(Refusal("x.y")) == "x.y"


def test_the_database_says_the_same(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT karez_say('nothing of this number'), karez_say('at least {1}', karez_yuan(120050)),"
            " karez_say('a', NULL), %s, " + label_sql("'open'", {"open": gettext_lazy("open")}),
            [AMOUNT],
        )
        plain, yuan, empty, written, label = cursor.fetchone()
    assert plain == kept(say("nothing of this number"))
    assert read(yuan) == "at least 1,200.50" and read(empty) == "a"
    assert written == kept(AMOUNT) and read(label) == "open"
    assert _chinese(read(yuan)) == "不低于 1,200.50"
