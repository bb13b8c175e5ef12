"""County shapes as shipped, the codes of a day, and both kinds of map as text."""

import csv
import json
import re
from collections import Counter
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.utils import translation

from karez.places.shapes import SUPPRESSED, shapes_of, svg_map, svg_tiles, tile_grid
from karez.places.shapes.drawing import classes_of, plain
from karez.places.shapes.tiles import Tile

HERE = Path(__file__).parent.parent
DAY = date(2009, 12, 31)
SVG = "{http://www.w3.org/2000/svg}"


def region(code: str, day: date = DAY) -> dict[str, Any]:
    found = shapes_of(code, day)
    assert found
    return found


def counties(code: str) -> dict[str, str]:
    with (HERE / "data" / f"counties_{code}.csv").open(encoding="utf-8", newline="") as plain_:
        return {
            r["code"]: r["name_zh"] for r in csv.DictReader(plain_) if r["level"] == "county" and not r["ends_before"]
        }


def rings(feature: dict[str, Any]) -> list[tuple[int, list[tuple[float, float]]]]:
    """Every ring with its place in its polygon; 0 is the outer one."""
    geometry = feature["geometry"]
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [(n, [(p[0], p[1]) for p in ring]) for polygon in polygons for n, ring in enumerate(polygon)]


def area(ring: list[tuple[float, float]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2


@pytest.mark.parametrize(("code", "many"), [("64", 22), ("65", 98)])
def test_every_county_of_2009_has_a_shape(code: str, many: int) -> None:
    found = {f["properties"]["code"]: f["properties"]["name_zh"] for f in region(code)["features"]}
    assert found == counties(code) and len(found) == many
    assert all(set(f["properties"]) == {"code", "code_2009", "name_zh", "name_en"} for f in region(code)["features"])


@pytest.mark.parametrize("code", ["64", "65"])
def test_small_rounded_and_wound_as_the_standard_says(code: str) -> None:
    assert (HERE / "shapes" / f"counties_{code}.json").stat().st_size < 150_000
    for feature in region(code)["features"]:
        for place, ring in rings(feature):
            assert len(ring) >= 4 and ring[0] == ring[-1]
            assert (area(ring) > 0) is (place == 0)  # outer rings against the clock, holes with it
            assert all(round(c, 3) == c for p in ring for c in p)


@pytest.mark.parametrize("code", ["64", "65"])
def test_neighbours_share_their_borders(code: str) -> None:
    """Every stretch of border is used once in each direction inside the region, never twice in one; most are used by
    two counties.
    """
    stretches = Counter(s for f in region(code)["features"] for _n, ring in rings(f) for s in pairwise(ring))
    assert max(stretches.values()) == 1
    both = sum(1 for a, b in stretches if (b, a) in stretches)
    assert both / len(stretches) > 0.6
    edge: dict[tuple[float, float], set[tuple[float, float]]] = {}
    for a, b in stretches:
        if (b, a) not in stretches:
            edge.setdefault(a, set()).add(b)
    loops = _loops(edge)
    outer, whole = max(loops, key=area), sum(area(r) for f in region(code)["features"] for _n, r in rings(f))
    assert area(outer) > 0.995 * whole  # one land without gaps worth speaking of
    holes = [area(r) for r in loops if area(r) < 0]
    assert -sum(holes) < 0.003 * whole


def _loops(edge: dict[tuple[float, float], set[tuple[float, float]]]) -> list[list[tuple[float, float]]]:
    found = []
    while edge:
        ring = [min(edge)]
        while True:
            onward = edge[ring[-1]]
            step = min(onward)
            onward.remove(step)
            if not onward:
                del edge[ring[-1]]
            ring.append(step)
            if step == ring[0]:
                break
        found.append(ring)
    return found


def test_codes_of_a_day() -> None:
    assert shapes_of("640000", DAY) and shapes_of("99", DAY) is None and shapes_of("64", date(2000, 1, 1)) is None
    assert shapes_of("640300", DAY) is None and shapes_of("../etc", DAY) is None
    before = Counter(f["properties"]["code"] for f in region("64", date(2009, 9, 30))["features"])
    assert before["640302"] == 2 and "640303" not in before
    later = {f["properties"]["code"] for f in region("65", date(2022, 1, 1))["features"]}
    assert {"650402", "652902", "654203"} <= later and "652923" not in later
    region("64")["features"].clear()
    assert len(region("64")["features"]) == 22


def a_map(**more: Any) -> str:
    values: dict[str, Any] = {f["properties"]["code"]: n * n for n, f in enumerate(region("64")["features"])}
    values |= {"640104": None, "640105": SUPPRESSED, "640522": Fraction(1000, 3)}
    return svg_map(
        region("64"), values, title="Villages & <funds>", description="as of 31 December", unit="villages", **more
    )


def test_a_map_is_valid_and_says_everything_in_words() -> None:
    root = ET.fromstring(a_map())
    places = [p for p in root.iter(f"{SVG}path") if p.get("data-code")]
    assert len(places) == 22
    words = {p.get("data-code"): p.findtext(f"{SVG}title") for p in places}
    assert words["640323"] == "Yanchi: 121 villages" and words["640522"] == "Haiyuan: 333.33 villages"
    assert words["640104"] == "Xingqing: no data" and words["640105"] == "Xixia: not published"
    assert all(p.findtext(f"{SVG}desc") and p.get("role") == "img" for p in places)
    assert {p.get("class") for p in places} == {"m1", "m2", "m3", "m4", "m5", "mx", "ms"}
    assert root.findtext(f"{SVG}title") == "Villages & <funds>"
    legend = next(g for g in root.iter(f"{SVG}g") if g.get("class") == "legend")
    assert len(list(legend.iter(f"{SVG}rect"))) == 7
    assert "no data" in "".join(legend.itertext())


def test_a_map_keeps_a_strict_policy_and_its_bytes() -> None:
    text = a_map()
    assert "style" not in text and "<script" not in text and not re.search(r"\son\w+=", text)
    assert text == a_map() and len(text) < 90_000
    assert a_map(prefix="other").count('id="map-') == 0


def test_a_map_in_chinese_with_links() -> None:
    with translation.override("zh-hans"):
        root = ET.fromstring(a_map(lang="zh", links={"640323": "/trace?place=640323&year=2009"}))
    assert any("盐池县" in (t.text or "") for t in root.iter(f"{SVG}title"))
    assert [a.get("href") for a in root.iter(f"{SVG}a")] == ["/trace?place=640323&year=2009"]


def test_classes() -> None:
    assert classes_of([]).bounds == ()
    assert classes_of([0, 0]).bounds == ((0, 0, 0),)
    assert classes_of([0, 7]).bounds == ((0, 0, 0), (5, 7, 7))
    assert classes_of([1, 1, 1, 1, 1, 1, 9]).bounds == ((4, 1, 1), (5, 9, 9))
    assert classes_of(range(1, 11)).bounds == ((1, 1, 2), (2, 3, 4), (3, 5, 6), (4, 7, 8), (5, 9, 10))
    uneven = classes_of([-5, *[3] * 20, 4, 5, 6, 7])
    assert [n for n, _low, _high in uneven.bounds] == [1, 2, 3, 4, 5]
    assert all(low <= high for _n, low, high in uneven.bounds)
    assert plain(1234567) == "1,234,567" and plain(Fraction(-1, 3)) == "-0.33"


def test_tiles() -> None:
    tiles = [Tile(f"99{n:04d}", f"地{n}", f"Place {n}", group="a" if n < 3 else "b") for n in range(8)]
    grid = tile_grid(tiles)
    assert len(set(grid.values())) == 8
    assert grid["990003"] == (0, 1)  # a group begins a row
    given = tile_grid(tiles, {"990007": (4, 2)})
    assert given["990007"] == (4, 2) and len(set(given.values())) == 8
    with pytest.raises(ValueError, match="one position"):
        tile_grid(tiles, {"990001": (0, 0), "990002": (0, 0)})
    root = ET.fromstring(svg_tiles(tiles, {"990001": 5, "990002": SUPPRESSED}, title="T", unit="villages"))
    assert len([p for p in root.iter(f"{SVG}path") if p.get("data-code")]) == 8
    assert ET.fromstring(svg_tiles([], {}, title="nothing")) is not None


def test_the_files_are_plain_geojson() -> None:
    for code in ("64", "65"):
        read = json.loads((HERE / "shapes" / f"counties_{code}.json").read_text(encoding="utf-8"))
        assert read["type"] == "FeatureCollection" and "crs" not in read
