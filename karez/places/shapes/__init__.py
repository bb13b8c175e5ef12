"""County shapes for maps, a grid of tiles where there are none, and both drawn as SVG. Holds no figures and asks no
database.

The shapes are those of the counties at the end of 2009, much simplified: a picture to read figures on, never a proof of
a border.
"""

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from karez.places.shapes.drawing import SUPPRESSED, svg_map
from karez.places.shapes.tiles import svg_tiles, tile_grid

_HERE = Path(__file__).parent
_FIRST_DAY = date(2004, 12, 31)  # the oldest table of places that is shipped

# Counties younger than the first day: their first day, and the county their land is drawn with before it (none: not
# drawn).
_SINCE = {"640303": (date(2009, 10, 1), "640302"), "650109": (date(2007, 8, 1), "")}
# The same county under another code, from the table of codes at the end of that year on.
_RECODED = {
    "652101": (2015, "650402"), "652122": (2015, "650421"), "652123": (2015, "650422"),
    "652201": (2016, "650502"), "652222": (2016, "650521"), "652223": (2016, "650522"),
    "652923": (2019, "652902"), "654223": (2021, "654203"),
}  # fmt: skip


def shapes_of(region_code: str, day: date) -> dict[str, Any] | None:
    """The region's counties as GeoJSON (RFC 7946) with the codes in force on a day; None where none are shipped.

    Properties: `code`, `name_zh`, `name_en` (names of 2009), `code_2009`.
    """
    text = _text(region_code[:2]) if region_code[:2].isdigit() and region_code[2:].strip("0") == "" else None
    if text is None or day < _FIRST_DAY:
        return None
    whole: dict[str, Any] = json.loads(text)
    for feature in whole["features"]:
        told = feature["properties"]
        told["code_2009"] = told["code"]
        told["code"] = code_on(told["code"], day)
    whole["features"] = [f for f in whole["features"] if f["properties"]["code"]]
    return whole


def code_on(code: str, day: date) -> str:
    """The code on a day of the county that had the given one at the end of 2009; empty if its land was not a county's
    then.
    """
    since, before = _SINCE.get(code, (_FIRST_DAY, ""))
    year, later = _RECODED.get(code, (9999, ""))
    if day < since:
        return before
    return later if later and day >= date(year, 12, 31) else code


@cache
def _text(region: str) -> str | None:
    file = _HERE / f"counties_{region}.json"
    return file.read_text(encoding="utf-8") if file.exists() else None


__all__ = ["SUPPRESSED", "code_on", "shapes_of", "svg_map", "svg_tiles", "tile_grid"]
