"""A choropleth as SVG text: classes, legend, hatching, words for screen readers. Knows neither counties nor figures.

Colours are presentation attributes, which a page's style sheet overrules by the classes m0 to m5, mx (no data), ms
(suppressed) and mo (outside the reader's areas); there is no style attribute and no style element, so a strict content
security policy holds. Lines and words take the page's text colour. The same input gives the same bytes.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

from django.utils.translation import gettext as _

Number = int | Fraction | Decimal
Language = Literal["en", "zh"]


class Mark(Enum):
    """What a place has in the place of a number."""

    SUPPRESSED = "suppressed"
    OUTSIDE = "outside"  # it has one, which this reader is not shown


SUPPRESSED, OUTSIDE = Mark.SUPPRESSED, Mark.OUTSIDE
FILLS = ("#f3f1ea", "#d4e6dd", "#a3cfc0", "#66ae9f", "#2f8579", "#0f5a52")
_DARK = frozenset({4, 5})  # fills that carry light words
_PATTERNS = frozenset({"mx", "ms", "mo"})
_FEW = 40  # up to so many places have their names on the map
_LEGEND_ROW, _MARGIN, _SWATCH = 22, 8, 16


@dataclass(frozen=True)
class Drawn:
    """A place on the map: its outline, where its name goes, and how wide the name may be."""

    code: str
    name: str
    path: str
    x: float
    y: float
    room: float


@dataclass(frozen=True)
class Classes:
    """Up to six classes: of nought alone, and of about as many places each."""

    bounds: tuple[tuple[int, Number, Number], ...]  # class, lowest and highest value in it

    def of(self, value: Number) -> int:
        """The class of a value."""
        return next((n for n, low, high in self.bounds if low <= value <= high), self.bounds[-1][0])


def svg_map(
    shapes: Mapping[str, Any],
    values: Mapping[str, Number | Mark | None],
    *,
    title: str,
    description: str = "",
    unit: str = "",
    lang: Language = "en",
    width: int = 720,
    prefix: str = "map",
    number: Callable[[Number], str] | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """A map of a GeoJSON's counties coloured by value; `values` by code: a number, SUPPRESSED, OUTSIDE, or None (or
    nothing) where there is none.

    `number` writes a value; `links` makes places links; `prefix` keeps the ids of several maps on a page apart.
    """
    drawn, height = drawn_of(shapes, lang, width)
    return svg_of(
        drawn,
        values,
        width,
        height,
        title=title,
        description=description,
        unit=unit,
        prefix=prefix,
        number=number,
        links=links,
    )


def drawn_of(shapes: Mapping[str, Any], lang: Language, width: int) -> tuple[Sequence[Drawn], int]:
    """A GeoJSON's counties laid out on paper, and its height: the slow half of a map, the same for every figure of a
    day.
    """
    return _projected(shapes["features"], lang, width)


def svg_of(
    drawn: Sequence[Drawn],
    values: Mapping[str, Number | Mark | None],
    width: int,
    height: int,
    *,
    title: str,
    description: str,
    unit: str,
    prefix: str,
    number: Callable[[Number], str] | None,
    links: Mapping[str, str] | None,
) -> str:
    """Places as they lie, coloured and explained."""
    number = number or plain
    classes = classes_of([v for d in drawn if isinstance(v := values.get(d.code), int | Fraction | Decimal)])
    legend, below = _legend(drawn, values, classes, width, height, unit, prefix, number)
    places = [
        _place(d, values.get(d.code), classes, unit, prefix, number, (links or {}).get(d.code, "")) for d in drawn
    ]
    found = [values.get(d.code) for d in drawn]
    names = [_name(d, values.get(d.code), classes) for d in drawn] if len(drawn) <= _FEW else []
    told = f'<desc id="{prefix}-desc">{escape(description)}</desc>' if description else ""
    labelled = f"{prefix}-title {prefix}-desc" if description else f"{prefix}-title"
    size = f' viewBox="0 0 {width} {below}" width="{width}" height="{below}" font-family="sans-serif" font-size="12"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="map" role="group" aria-labelledby="{labelled}"{size}>',
            f'<title id="{prefix}-title">{escape(title)}</title>{told}',
            _patterns(prefix, outside=OUTSIDE in found),
            '<g class="places" stroke="currentColor" stroke-width="0.7" stroke-linejoin="round" fill-rule="evenodd">',
            *places,
            "</g>",
            '<g class="names" text-anchor="middle" pointer-events="none" aria-hidden="true">',
            *(n for n in names if n),
            "</g>",
            *legend,
            "</svg>\n",
        ]
    )


def classes_of(values: Iterable[Number]) -> Classes:
    """Classes of about as many places each; equal values are never parted, nought has its own."""
    ordered = sorted(values)
    positive = [v for v in ordered if v]
    bounds: list[tuple[int, Number, Number]] = [(0, 0, 0)] if len(positive) < len(ordered) else []
    distinct = sorted(set(positive))
    many = min(5, len(distinct))
    groups: list[list[Number]] = [[] for _n in range(many)]
    often = Counter(positive)
    seen, at = 0, -1
    for left, value in zip(range(len(distinct), 0, -1), distinct, strict=True):
        # No class stays empty: neither one passed over now nor one at the end.
        at = max(min(seen * many // len(positive), at + 1), many - left, 0)
        groups[at].append(value)
        seen += often[value]
    first = 1 if many == 5 else 6 - many  # few classes take the strong colours
    for n, group in enumerate(groups):
        bounds.append((first + n, group[0], group[-1]))
    return Classes(tuple(bounds))


def plain(value: Number) -> str:
    """A value with at most two decimals and thousands apart."""
    exact = Fraction(value)
    if exact.denominator == 1:
        return f"{exact.numerator:,}"
    rounded = round(exact * 100)
    text = f"{abs(rounded) // 100:,}.{abs(rounded) % 100:02d}"
    return ("-" if rounded < 0 else "") + text


def _projected(features: Sequence[Mapping[str, Any]], lang: Language, width: int) -> tuple[list[Drawn], int]:
    """Equirectangular, true at the middle latitude, fitted to the width."""
    rings = {n: _rings(f["geometry"]) for n, f in enumerate(features)}
    lons = [p[0] for rs in rings.values() for r in rs for p in r]
    lats = [p[1] for rs in rings.values() for r in rs for p in r]
    west, north = min(lons), max(lats)
    narrow = math.cos(math.radians((north + min(lats)) / 2))
    # Tall regions are not drawn taller than wide.
    scale = min(
        (width - 2 * _MARGIN) / ((max(lons) - west) * narrow), (1.15 * width - 2 * _MARGIN) / (north - min(lats))
    )
    left = (width - (max(lons) - west) * narrow * scale) / 2
    drawn = []
    for n, feature in enumerate(features):
        placed = [
            [(left + (p[0] - west) * narrow * scale, _MARGIN + (north - p[1]) * scale) for p in ring]
            for ring in rings[n]
        ]
        told = feature["properties"]
        largest = max(placed, key=lambda r: abs(_area(r)))
        x, y, room = _label_point(largest)
        drawn.append(
            Drawn(
                told["code"], told["name_zh" if lang == "zh" else "name_en"], " ".join(map(_path, placed)), x, y, room
            )
        )
    height = math.ceil((north - min(lats)) * scale + 2 * _MARGIN)
    return sorted(drawn, key=lambda d: (d.code, d.path)), height


def _rings(geometry: Mapping[str, Any]) -> list[list[list[float]]]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [ring for polygon in polygons for ring in polygon]


def _path(ring: Sequence[tuple[float, float]]) -> str:
    points: list[str] = []
    for x, y in ring[:-1]:
        point = f"{x:.1f},{y:.1f}"
        if not points or points[-1] != point:
            points.append(point)
    return f"M{points[0]}L{' '.join(points[1:])}Z"


def _area(ring: Sequence[tuple[float, float]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2


def _label_point(ring: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """The middle of the widest of some levels across a ring, and how wide it is there: a name belongs where there is
    room.
    """
    top, bottom = min(p[1] for p in ring), max(p[1] for p in ring)
    best = (0.0, 0.0, -1.0)
    for n in range(3, 14):
        y = top + (bottom - top) * n / 16
        crossings = sorted(
            a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
            for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)
            if (a[1] <= y) != (b[1] <= y)
        )
        for left, right in zip(crossings[::2], crossings[1::2], strict=False):
            central = 1 - abs(n - 8) / 16  # of two levels alike the one nearer the middle
            if (right - left) * central > best[2]:
                best = ((left + right) / 2, y, (right - left) * central)
    return best


def _class_and_words(
    value: Number | Mark | None, classes: Classes, unit: str, number: Callable[[Number], str]
) -> tuple[str, str, int]:
    if value is None:
        return "mx", _("no data"), -1
    if isinstance(value, Mark):
        return ("mo", _("outside your areas"), -1) if value is OUTSIDE else ("ms", _("not published"), -1)
    found = classes.of(value)
    return f"m{found}", f"{number(value)} {unit}".strip(), found


def _fill(css: str, prefix: str) -> str:
    return f"url(#{prefix}-{css})" if css in _PATTERNS else FILLS[int(css[1:])]


def _place(
    drawn: Drawn,
    value: Number | Mark | None,
    classes: Classes,
    unit: str,
    prefix: str,
    number: Callable[[Number], str],
    link: str,
) -> str:
    css, words, _found = _class_and_words(value, classes, unit, number)
    shape = (
        f'<path class="{css}" fill="{_fill(css, prefix)}" role="img" data-code={quoteattr(drawn.code)} '
        f'd="{drawn.path}">'
        f"<title>{escape(drawn.name)}: {escape(words)}</title><desc>{escape(drawn.code)}</desc></path>"
    )
    return f"<a href={quoteattr(link)}>{shape}</a>" if link else shape


def _name(drawn: Drawn, value: Number | Mark | None, classes: Classes) -> str:
    """The name where it has room; dark words on light fills and light ones on dark, in both themes."""
    wide = sum(11.0 if ord(c) > 0x2E80 else 5.8 for c in drawn.name)
    if wide > drawn.room * 1.3:
        return ""
    css, _words, found = _class_and_words(value, classes, "", plain)
    fill, on = (
        ("#ffffff", "on-dark")
        if found in _DARK
        else ("currentColor", "on-hatch")
        if css in ("mx", "ms")
        else ("#1a1a1a", "on-light")
    )
    return (
        f'<text class="{on}" x="{drawn.x:.1f}" y="{drawn.y + 4:.1f}" font-size="11" '
        f'fill="{fill}">{escape(drawn.name)}</text>'
    )


def _patterns(prefix: str, *, outside: bool) -> str:
    grid = (
        f'<pattern id="{prefix}-mo" width="7" height="7" patternUnits="userSpaceOnUse">'
        '<path d="M0,3.5H7M3.5,0V7" stroke="currentColor" stroke-opacity="0.16" stroke-width="1" '
        'fill="none"/></pattern>'
    )
    return (
        f'<defs><pattern id="{prefix}-mx" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path d="M-1,1L1,-1M0,6L6,0M5,7L7,5" stroke="currentColor" stroke-opacity="0.35" stroke-width="1" '
        'fill="none"/></pattern>'
        f'<pattern id="{prefix}-ms" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<circle cx="3" cy="3" r="1.2" fill="currentColor" fill-opacity="0.4"/></pattern>'
        + (grid if outside else "")
        + "</defs>"
    )


def _legend(
    drawn: Sequence[Drawn],
    values: Mapping[str, Number | Mark | None],
    classes: Classes,
    width: int,
    top: int,
    unit: str,
    prefix: str,
    number: Callable[[Number], str],
) -> tuple[list[str], int]:
    """Swatches with the numbers found in each class, in rows under the map; and the height with them."""
    entries = [
        (f"m{n}", number(low) if low == high else f"{number(low)} – {number(high)}") for n, low, high in classes.bounds
    ]
    found = [values.get(d.code) for d in drawn]
    entries += [("mx", _("no data"))] if None in found else []
    entries += [("ms", _("not published"))] if SUPPRESSED in found else []
    entries += [("mo", _("outside your areas"))] if OUTSIDE in found else []
    x, y = _MARGIN, top + _MARGIN
    lines = ['<g class="legend">']
    if unit:
        lines.append(f'<text x="{x}" y="{y + 12}" fill="currentColor">{escape(unit)}</text>')
        y += _LEGEND_ROW
    for css, words in entries:
        wide = _SWATCH + 6 + int(sum(12 if ord(c) > 0x2E80 else 7 for c in words)) + 14
        if x + wide > width and x > _MARGIN:
            x, y = _MARGIN, y + _LEGEND_ROW
        lines.append(
            f'<rect class="{css}" x="{x}" y="{y}" width="{_SWATCH}" height="{_SWATCH}" fill="{_fill(css, prefix)}" '
            'stroke="currentColor"'
            f' stroke-width="0.7"/><text x="{x + _SWATCH + 6}" y="{y + 12}" fill="currentColor">{escape(words)}</text>'
        )
        x += wide
    return [*lines, "</g>"], y + _LEGEND_ROW + _MARGIN
