"""The chapter's pictures: widths to scale, labels apart, the table's amounts the drawing's, hostile names only names."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from karez.chapter.compose import Section
from karez.chapter.pictures import Named, Picture, capital_picture, coverage_picture, flow_picture, placed
from karez.places.shapes import shapes_of
from karez.places.shapes.drawing import drawn_of

SVG = "{http://www.w3.org/2000/svg}"
PLACES = {f"9901{n:02d}": Named(100 + n, f"County {n}", f"第{n}县") for n in range(1, 61)}


def line(code: str, received: int, programme: str = "mutual_funds", funder: str = "") -> dict[str, str]:
    return {
        "code": code,
        "name": code,
        "programme": programme,
        "funder_en": funder or f"Funder {code}",
        "funder_zh": f"资金{code}",
        "received": str(received),
    }


def flow(lines: Sequence[dict[str, str]], paid: Sequence[tuple[str, int, int]]) -> dict[str, Any]:
    return {"lines": list(lines), "paid": [[code, f"9901{place:02d}", str(value)] for code, place, value in paid]}


TWO = flow(
    [line("A", 6_000_000), line("B", 2_000_000)], [("A", 1, 4_000_000), ("A", 2, 1_000_000), ("B", 2, 2_000_000)]
)


def drawn(picture: Picture | None) -> ET.Element:
    assert picture is not None
    return ET.fromstring(picture.svg)


def texts(root: ET.Element) -> list[tuple[float, float, str]]:
    return [(float(t.get("x") or 0), float(t.get("y") or 0), t.text or "") for t in root.iter(f"{SVG}text")]


def test_bars_are_as_high_as_their_money() -> None:
    root = drawn(flow_picture(TWO, PLACES, year=2009, language="en"))
    high = [(r.get("class"), float(r.get("height") or 0)) for r in root.iter(f"{SVG}rect")]
    whole = next(h for css, h in high if css == "fx")
    assert sum(h for css, h in high if css == "f0") == pytest.approx(
        whole * 12 / 8, abs=0.05
    )  # A at its source and at the places' ends
    assert sum(h for css, h in high if css == "f1") == pytest.approx(whole * 4 / 8, abs=0.05)
    assert len(list(root.iter(f"{SVG}path"))) == 2 + 4  # two to the purpose; four on: three paid, one kept


def test_the_table_has_the_amounts_of_the_picture() -> None:
    made = flow_picture(
        TWO, PLACES, year=2009, language="en", link=lambda figure, area, _year: f"/{figure}/{area or ''}"
    )
    assert made
    assert [[cell.text for cell in row] for row in made.rows] == [
        ["Received by the region", "6.00", "2.00", "8.00"],
        ["County 1", "4.00", "–", "4.00"],
        ["County 2", "1.00", "2.00", "3.00"],
        ["Not yet passed on", "1.00", "–", "1.00"],
    ]
    assert made.rows[1][0].link == "/funds.allocated/101"
    assert made.description == (
        "Lines of 2009, as of 31 December 2009: 8.00 million yuan came in from 2 sources; 7.00 million yuan of "
        "it was passed on to 2 counties."
    )
    root = drawn(made)
    assert {a.get("href") for a in root.iter(f"{SVG}a")} == {
        "/funds.received/",
        "/funds.allocated/101",
        "/funds.allocated/102",
    }
    said = {t for _x, _y, t in texts(root)}
    assert {"6.00 million yuan", "village mutual funds", "County 1", "3.00", "Not yet passed on"} <= said


def test_sources_are_funders_and_one_is_one() -> None:
    both = flow(
        [line("A", 6_000_000, funder="Finance"), line("B", 2_000_000, funder="Finance") | {"funder_zh": "资金A"}],
        [("A", 1, 4_000_000), ("B", 1, 1_000_000)],
    )
    made = flow_picture(both | {"earlier": "1500000"}, PLACES, year=2009, day="2009-10-05", language="en")
    assert made
    assert made.description == (
        "Lines of 2009, as of 5 October 2009: 8.00 million yuan came in from one source; 5.00 million yuan of it "
        "was passed on to one county."
        " Of lines of earlier years, 1.50 million yuan was passed on in 2009; it is not drawn here."
    )
    coded = flow(
        [line(c, 1_000_000, funder="Finance") | {"funder": code} for c, code in (("A", "X"), ("B", "Y"))], [("A", 1, 5)]
    )
    told = flow_picture(coded, PLACES, year=2009, language="zh")
    assert (
        told
        and told.description.startswith("2009年各批次资金，截至2009年12月31日：共到位")
        and "来自2个来源" in told.description
    )


def test_what_cannot_be_drawn_is_a_named_gap() -> None:
    made = flow_picture(
        flow([line("A", 6_000_000)], [("A", 1, 4_000_000), ("B", 2, 1_000_000)]), PLACES, year=2009, language="en"
    )
    assert made and made.svg == ""
    assert "cannot be drawn: of a line, more was passed on than came in" in made.description
    assert [[c.text for c in row] for row in made.rows] == [
        ["Received by the region", "6.00", "–", "6.00"],
        ["County 1", "4.00", "–", "4.00"],
        ["County 2", "–", "1.00", "1.00"],
        ["Not yet passed on", "2.00", "-1.00", "1.00"],
    ]
    gap = flow_picture({"lines": [], "paid": [], "gap": "x"}, PLACES, year=2009, language="zh")
    assert gap and (gap.svg, gap.rows) == ("", ()) and "无法绘制此图" in gap.description


def test_it_speaks_chinese() -> None:
    made = flow_picture(TWO, PLACES, year=2009, language="zh")
    assert made
    assert made.title == "2009年扶贫资金的来源与去向"
    assert {"600万元", "村级互助资金", "第1县", "尚未下拨"} <= {t for _x, _y, t in texts(drawn(made))}


@pytest.mark.parametrize("many", [1, 22, 60])
def test_no_label_lies_on_another(many: int) -> None:
    lines = [line(f"L{n}", 1_000_000 * (n + 1), programme=f"programme_{n % 2}") for n in range(5)]
    paid = [(f"L{n % 5}", n % many + 1, 10_000 + 1000 * n) for n in range(max(many, 5))]
    root = drawn(flow_picture(flow(lines, paid), PLACES, year=2009, language="en"))
    seen = texts(root)
    assert len(seen) < 110
    for column in {x for x, _y, _t in seen}:
        ys = sorted(y for x, y, _t in seen if x == column)
        assert all(b - a >= 14.9 for a, b in pairwise(ys)), column
    wide = float(root.get("width") or 0)
    assert all(0 <= x <= wide for x, _y, _t in seen)
    assert max(y for _x, y, _t in seen) <= float(root.get("height") or 0)


def test_places_out_of_sight_and_the_smallest_of_many_stand_together() -> None:
    made = flow_picture(TWO, PLACES, year=2009, language="en", seen={"990101"})
    assert made
    assert [row[0].text for row in made.rows] == [
        "Received by the region",
        "County 1",
        "Other places",
        "Not yet passed on",
    ]
    assert "County 2" not in made.svg
    wide = flow([line("A", 60_000_000)], [("A", n, 1_000_000) for n in range(1, 61)])
    made = flow_picture(wide, PLACES, year=2009, language="en")
    assert made
    assert len(made.rows) == 61
    assert "31 other counties" in made.svg


def test_small_money_is_told_in_yuan_and_no_money_not_at_all() -> None:
    made = flow_picture(flow([line("A", 500)], [("A", 1, 499)]), PLACES, year=2009, language="en")
    assert made
    assert [c.text for c in made.rows[-1]] == ["Not yet passed on", "1", "1"]
    assert flow_picture(None, PLACES, year=2009, language="en") is None
    assert flow_picture(flow([], []), PLACES, year=2009, language="en") is None


def test_names_are_only_names() -> None:
    hostile = line("A", 8_000_000, funder="</text><script>alert(1)</script>")
    made = flow_picture(
        flow([hostile], [("A", 1, 8_000_000)]),
        {"990101": Named(1, '<&">', "")},
        year=2009,
        language="en",
        link=lambda *_: '/"><x',
    )
    assert "<script" not in made.svg if made else False
    drawn(made)  # well formed


STATES = [
    {"year": 2009, "opening": True, "of": 2009, "values": {"o.gov": "20440000", "o.mem": "11081400"}},
    {"year": 2009, "opening": False, "of": 2009, "values": {"c.gov": "105940000", "c.mem": "48520000"}},
    {"year": 2010, "opening": False, "of": 2010, "values": {"c.gov": "130000000", "c.mem": "60000000"}},
]
LABELS = {"c.gov": "government", "c.mem": "members"}


def test_capital_has_a_group_for_each_state() -> None:
    made = capital_picture(STATES, LABELS, language="en", link=lambda figure, _area, year: f"/{year}/{figure}/")
    root = drawn(made)
    assert made
    assert [row[0].text for row in made.rows] == ["Before 2009", "End of 2009", "End of 2010"]
    assert [c.text for c in made.rows[1]] == ["End of 2009", "105.94", "48.52", "154.46"]
    assert [a.get("href") for a in root.iter(f"{SVG}a")][:3] == ["/2009/o.gov/", "/2009/o.mem/", "/2009/c.gov/"]
    bars = [float(r.get("height") or 0) for r in root.iter(f"{SVG}rect") if r.find(f"{SVG}title") is not None]
    assert bars[2] / bars[4] == pytest.approx(float(Fraction(10594, 13000)), abs=0.001)
    assert made.description == "Before 2009: 31.52 million yuan. End of 2010: 190.00 million yuan."
    zh = capital_picture(STATES, {"c.gov": "财政", "c.mem": "农户"}, language="zh")
    assert zh
    assert zh.rows[0][0].text == "2009年以前"


def county(n: int, exact: str | None, figure: str = "mutual_funds.coverage", state: str = "value") -> dict[str, Any]:
    return {
        "id": figure,
        "label": "covered",
        "label_zh": "覆盖率",
        "unit": "percent",
        "kind": "share",
        "rounding": "0.1",
        "exact": exact,
        "value": None,
        "state": state,
        "place": f"9901{n:02d}",
        "place_name": f"County {n}",
        "place_name_zh": f"第{n}县",
        "level": "county",
        "area_id": n,
        "as_of": "2009-12-31",
        "snapshot": "s",
    } | ({"value": float(Fraction(exact))} if exact else {})


def test_the_map_shows_the_first_figure_of_coverage_that_is_there() -> None:
    rows = [county(1, "75/4"), county(2, None, state="missing"), county(1, "7", "mutual_funds.villages_total")]
    made = coverage_picture(rows, region="99", language="zh")
    assert made
    assert made.figure == "mutual_funds.coverage"
    assert [[c.text for c in row] for row in made.rows] == [["第1县", "18.8"], ["第2县", "无数据"]]
    assert "无数据" in made.svg
    assert coverage_picture([county(1, None)], region="99", language="en") is None


def test_counties_out_of_sight_are_not_said_to_be_empty() -> None:
    codes = sorted(d.code for d in drawn_of(shapes_of("64", date(2009, 12, 31)) or {}, "en", 640)[0])
    mine = county(1, "75/4") | {"place": codes[0]}
    made = coverage_picture([mine], region="64", language="en", outside=codes[1:])
    root = drawn(made)
    titles = [t.text or "" for t in root.iter(f"{SVG}title")]
    assert sum(t.endswith(": outside your areas") for t in titles) == len(codes) - 1
    assert not any("no data" in t for t in titles)
    legend = "".join(
        t.text or "" for g in root.iter(f"{SVG}g") if g.get("class") == "legend" for t in g.iter(f"{SVG}text")
    )
    assert "outside your areas" in legend and "no data" not in legend
    assert made and "map-mo" not in made.svg and "coverage-mo" in made.svg
    whole = coverage_picture(
        [county(n, "7") | {"place": code} for n, code in enumerate(codes)], region="64", language="en"
    )
    assert whole and "-mo" not in whole.svg


def test_a_picture_stands_where_its_section_asks_for_it() -> None:
    pictures = [capital_picture(STATES, LABELS, language="en"), flow_picture(TWO, PLACES, year=2009, language="en")]
    asked, others = placed([Section("one", (), ("flow", "coverage")), Section("two", ())], pictures)
    assert [[p.name for p in own] for _s, own in asked] == [["flow"], []]
    assert [p.name for p in others] == ["capital"]
    assert not re.search(r"<(script|style)|style=", pictures[0].svg if pictures[0] else "")
