"""The catalogue page: every declared figure, found by its words, in both languages; for who is signed in."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from karez.figures.declarations import declarations
from karez.wording.column_words import column_words, value_words

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def _client(user: Any, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend=BACKEND)
    return client


def test_every_declared_figure_stands_in_it(world: Any) -> None:
    address = reverse("trace:catalogue")
    assert Client().get(address).status_code == 302
    said = _client(world.clerk).get(address).content.decode()
    for figure in declarations().figures:
        assert f'id="{figure.id}"' in said
        assert figure.label[1:].replace("'", "&#x27;") in said
    assert "Counts: societies at work on 31 December." in said
    assert "founded_year &lt; year" in said
    assert "training.key_counties_labour_scope" in said  # printed again under another id


@pytest.mark.parametrize(
    ("asked", "found", "not_found"),
    [
        ({"q": "repayment counties"}, "mutual_funds.repayment_rate", "overview.area"),
        ({"q": "借款余额"}, "mutual_funds.loans_outstanding", "register.men"),
        ({"room": "register"}, "register.men", "overview.area"),
        ({"kind": "plan", "q": "target"}, "mutual_funds.target_villages", "register.men"),
        ({"q": "no such words"}, "Take a word away", "overview.area"),
        ({"q": "<script>"}, "&lt;script&gt;", "<script>alert"),
    ],
)
def test_a_search_leaves_what_it_asks_for(world: Any, asked: dict[str, str], found: str, not_found: str) -> None:
    said = _client(world.clerk).get(reverse("trace:catalogue"), asked).content.decode()
    assert found in said
    assert f'id="{not_found}"' not in said


def test_in_chinese(world: Any) -> None:
    said = _client(world.clerk, "zh-hans").get(reverse("trace:catalogue")).content.decode()
    assert "指标目录" in said
    assert "贫困村" in said
    assert "Columns it reads" not in said


def test_every_column_of_a_figure_table_has_words(world: Any) -> None:
    from karez.closing.declared import figure_tables

    told = [
        one
        for t in figure_tables()
        for one in (t.label, t.grain, *(w for c in t.columns for w in (c.label, c.meaning)))
    ]
    assert all(told)
    with translation.override("zh-hans"):
        assert not [str(one) for one in told if str(one).isascii()]
    with translation.override("en"):
        assert column_words("funds_money", "amount_fen") == "amount, yuan"
    assert column_words("no_such", "some_thing") == "some thing"


def test_coded_values_are_told_in_words_and_others_as_they_stand() -> None:
    for column, code, english, chinese in (
        ("kind", "appropriation", "appropriation", "下达"),
        ("programme", "mutual_funds", "village mutual funds", "村级互助资金"),
        ("funder_kind", "central_office", "central anti-poverty office", ""),
        ("size_class", "old", "older than the classes", ""),
        ("case_status", "exited", "exited", "已退出"),
        ("household_kind", "registered", "registered", ""),
    ):
        with translation.override("en"):
            assert value_words(column, code) == english
        with translation.override("zh-hans"):
            assert value_words(column, code) == chinese or (
                not chinese and not str(value_words(column, code)).isascii()
            )
    assert (value_words("kind", "no_such"), value_words("purpose", "old"), value_words("size_class", None)) == (
        "no_such",
        "old",
        None,
    )


def test_the_ways_of_a_trace_are_told_in_chinese_as_an_act() -> None:
    with translation.override("zh-hans"):
        assert translation.gettext("open the document").startswith("打开")
