"""No table, form or file of any room may ask for what must not be recorded about a person: whole words, in both
languages.
"""

from importlib import import_module
from importlib.util import find_spec

import pytest
from django.apps import apps
from django.db import connection

from karez.kernel.denied import denied_word
from karez.kernel.sheets import Sheet


@pytest.mark.parametrize(
    "name", ["ethnic_group", "minzu", "民族", "religion", "宗教信仰", "political_status", "faith", "party"]
)
def test_the_list_knows_the_words(name: str) -> None:
    assert denied_word(name)


_TRADITIONAL = [
    "民族別",
    "族別",
    "種族",
    "宗教信仰",
    "政治面貌",
    "是否黨員",
    "團員",
    "黨派",
    "入黨時間",
    "思想表現",
    "服務態度",
    "指紋",
    "人臉照片",
    "聲紋",
    "步態",
]
_PINYIN = [
    "minzu",
    "minzuchengfen",
    "zongjiao_xinyang",
    "zhengzhi mianmao",
    "ShiFouDangYuan",
    "tuanyuan",
    "zhiwen",
    "zubie",
]
_UYGHUR_WORDS = [
    "مىللىتى", "مىللەت تەركىبى", "دىن", "دىنىي ئېتىقادى", "سىياسىي قىياپىتى", "كومپارتىيە ئەزاسى", "مەسچىت", "بارماق ئىزى",
    "دینى", "milliti", "Diniy étiqadi", "siyasiy qiyapiti", "partiye ezasi", "meschit",
]  # fmt: skip


@pytest.mark.parametrize("name", [*_TRADITIONAL, *_PINYIN, *_UYGHUR_WORDS, "信教群众", "清真寺"])
def test_the_list_knows_them_in_the_scripts_of_the_regions(name: str) -> None:
    assert denied_word(name)


@pytest.mark.parametrize(
    "name",
    [
        "counterparty_id",
        "traced_on",
        "集团员工人数",
        "集團員工",
        "通信教育",
        "政策",
        "品种",
        "millet_area",
        "xinyang_county",
        "dining_room",
        "nongmin zuzhi",
        "nongminzuzhi",
        "سىياسەت",
        "يىلدىن باشلاپ",
        "ئائىلە نومۇرى",
        "irrigated",
        "Hoze",
    ],
)
def test_words_that_only_look_alike_are_let_in(name: str) -> None:
    assert not denied_word(name)


def test_no_model_has_such_a_field() -> None:
    names = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if denied_word(field.name) or denied_word(model.__name__)
    ]
    assert names == []


def test_no_table_of_the_database_has_such_a_column(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        columns = cursor.fetchall()
    assert len(columns) > 100
    assert [(table, column) for table, column in columns if denied_word(column) or denied_word(table)] == []


def _sheets() -> list[Sheet]:
    modules = [f"{config.name}.sheets" for config in apps.get_app_configs() if config.name.startswith("karez.")]
    return [sheet for name in modules if find_spec(name) for sheet in import_module(name).SHEETS]


def test_no_sheet_asks_for_it() -> None:
    sheets = _sheets()
    assert {"register", "assessments", "returns"} <= {sheet.name for sheet in sheets}
    headings = [(s.name, h) for s in sheets for c in s.columns for h in (c.name, *c.headers, *c.codes)]
    assert [pair for pair in headings if denied_word(pair[1])] == []


def test_no_form_asks_for_it() -> None:
    modules = [f"{config.name}.forms" for config in apps.get_app_configs() if config.name.startswith("karez.")]
    found = []
    for name in modules:
        if not find_spec(name):
            continue
        for form in vars(import_module(name)).values():
            fields = getattr(form, "base_fields", {})
            found += [(name, field) for field in fields if denied_word(field)]
    assert found == []
