"""A small region whose year is closed, with its own figures and its own chapter; and an edition made by hand, without a
database.
"""

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from karez.access.models import User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.closing import declared as closing_declared
from karez.closing import services as closing
from karez.closing.snapshots import Snapshot
from karez.closing.tests.conftest import DAY, SmallRegion, small_region
from karez.figures import engine, queries
from karez.figures.tests.small import declared, figure
from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import FigureColumn, FigureTable
from karez.publication.content import Content, chapter_as_data
from karez.publication.content_making import _composed, _text
from karez.wording.numbers import LANGUAGES

__all__ = ["small_region"]

PEOPLE = FigureTable(
    name="test_people",
    grain="one row per person",
    columns=(
        FigureColumn("person_key", "uuid", "the person", key=True),
        FigureColumn("role", "text", "the role"),
        FigureColumn("half", "numeric(12,2)", "money"),
    ),
    sql="SELECT area_id, md5(id::text)::uuid, role, id / 2.0 FROM access_grant WHERE "
    + counted_on(DAY, event=False)
    + " AND recorded_by_id = 7",
    order_by="role",
)
FIGURES = "".join(
    [
        figure(
            "small.people",
            table="test_people",
            value="count(*)",
            where="role = 'auditor'",
            empty="zero",
            unit="persons",
            disclosure="person",
            label="people",
            label_zh="人数",
        ),
        figure(
            "small.halves",
            table="test_people",
            value="sum(half)",
            empty="zero",
            unit="yuan",
            rounding=1,
            label="halves",
            label_zh="金额",
        ),
    ]
)
CHAPTER = """
title = "Shaquan {year}"
title_zh = "{year}年沙泉"
[[section]]
title = "People"
title_zh = "人口"
paragraphs = ["{region}: {small.people}, {small.halves}."]
paragraphs_zh = ["{region}：{small.people}。"]
[[table]]
title = "By county"
title_zh = "分县"
by = "county"
figures = ["small.people", "small.halves"]
"""


@dataclass
class ClosedYear:
    """A closed year and three people."""

    region: SmallRegion
    snapshot: Snapshot
    statistician: User
    regional: User
    approver: User


@pytest.fixture
def closed_year(small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ClosedYear:
    """2009 closed: 24 people in one county, 5 in the other."""
    monkeypatch.setattr(closing_declared, "figure_tables", lambda: (PEOPLE,))
    found, faults = declared(tmp_path / "declared", FIGURES, [PEOPLE])
    assert faults == []
    monkeypatch.setattr(engine, "declarations", lambda: found)
    monkeypatch.setattr(queries, "declarations", lambda: found)
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    (chapters / "chapter.toml").write_text(CHAPTER, encoding="utf-8")
    monkeypatch.setenv("KAREZ_CHAPTERS", str(chapters))
    statistician = add_user(username="statistician", full_name="Wu Statistician", password=None)
    grant_role(None, user=statistician, role=Role.STATISTICIAN, area_id=small_region.region, starts_on=date(2009, 1, 1))
    for n in range(29):
        small_region.fact(small_region.villages[n % 3 if n < 24 else 3 + n % 3])
    closing.prepare(small_region.preparer, year=2009)
    snapshot = closing.sign(small_region.signer, year=2009)
    return ClosedYear(small_region, snapshot, statistician, small_region.preparer, small_region.signer)


def _figure(name: str, unit: str, rounding: str, label: str, label_zh: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "label": label,
        "label_zh": label_zh,
        "unit": unit,
        "kind": "stock",
        "disclosure": "none",
        "rounding": rounding,
        "valid_from": 2006,
        "valid_before": None,
        "source": "records",
        "prints": [],
        "note": "",
        "table": "t",
        "where": "",
        "value": "sum(x)",
        "empty": "zero",
        "scale": 1,
        "sql": 'SELECT sum(x) FROM "t"',
    } | more


@pytest.fixture
def content() -> Content:
    """An edition of four figures at a region, a prefecture and two counties, with the shipped chapter around them."""
    figures = [
        _figure("mutual_funds.funds_2009", "yuan", "10000", "money pooled during the year", "本年安排互助资金"),
        _figure("mutual_funds.villages_total", "villages", "1", "villages running a mutual fund", "互助资金村合计"),
        _figure(
            "mutual_funds.member_households",
            "households",
            "1",
            "rural households that are members",
            "入社农户",
            disclosure="household",
        ),
        _figure(
            "mutual_funds.village_share", "percent", "0.1", "share of all poor villages", "占贫困村比例", kind="share"
        ),
    ]
    places = [("99", "region", "Shaquan", "沙泉自治区", ""), ("9901", "prefecture", "Beiquan", "北泉市", "99")]
    places += [("990101", "county", "Liujing", "柳井县", "9901"), ("990102", "county", "Shiliang", "石梁县", "9901")]
    values = {
        "mutual_funds.funds_2009": ("85500000", "85500000", None, None),
        "mutual_funds.villages_total": ("428", "428", "400", "28"),
        "mutual_funds.member_households": ("40232", "40232", None, None),
        "mutual_funds.village_share": ("10700/351", None, None, None),
    }
    state = {
        "mutual_funds.funds_2009": "not_collected",
        "mutual_funds.member_households": "suppressed",
        "mutual_funds.village_share": "missing",
    }
    said: dict[str, Any] = {
        "format": 1,
        "year": 2009,
        "synthetic": True,
        "controller": "Shaquan Office",
        "region": {"code": "99", "place": "99", "name_en": "Shaquan", "name_zh": "沙泉自治区"},
        "snapshot": {
            "name": "99-2009-abc",
            "digest": "a" * 64,
            "as_of": "2009-12-31",
            "taken_at": "2010-02-03T04:05:06.789+00:00",
        },
        "figures": figures,
        "places": [
            {"code": c, "level": level, "name_en": en, "name_zh": zh, "area_id": n, "parent": p}
            for n, (c, level, en, zh, p) in enumerate(places, 1)
        ],
        "cells": [
            [i, place[0], exact, "value" if exact else state[i]]
            for i, column in values.items()
            for place, exact in zip(places, column, strict=True)
        ],
        "flow": {
            "lines": [
                {
                    "code": "F-1",
                    "name": "line",
                    "programme": "mutual_funds",
                    "funder_en": "Finance office",
                    "funder_zh": "财政厅",
                    "received": "80000000",
                },
                {
                    "code": "F-2",
                    "name": "line",
                    "programme": "mutual_funds",
                    "funder_en": "Another fund",
                    "funder_zh": "另一资金",
                    "received": "5500000",
                },
            ],
            "paid": [["F-1", "990101", "70000000"], ["F-1", "990102", "9870000"], ["F-2", "990101", "5500000"]],
        },
        "capital": [
            {
                "year": 2009,
                "opening": n == 0,
                "of": 2009,
                "snapshot": "99-2009-abc",
                "values": {"mutual_funds.funds_2009": value},
            }
            for n, value in enumerate(("31520000", "154460000"))
        ],
    }
    plain = Content(_text(said))
    said["chapters"] = {language: chapter_as_data(_composed(plain, language)) for language in LANGUAGES}
    return Content(json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


@pytest.fixture
def two_years(closed_year: ClosedYear) -> ClosedYear:
    """2009 and 2010 closed: in 2010 another 20 people in the first county and 15 in the second; `snapshot` is that of
    2010.
    """
    for n in range(35):
        closed_year.region.fact(closed_year.region.villages[n % 3 if n < 20 else 3 + n % 3], starts_on="2010-06-01")
    closing.prepare(closed_year.regional, year=2010)
    return replace(closed_year, snapshot=closing.sign(closed_year.approver, year=2010))
