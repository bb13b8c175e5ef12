"""Bars drawn as SVG from rows of a chapter: each figure a bar with its label and its number in words. Computes no figures."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_WIDTH, _ROW, _BAR = 640, 46, 18
_ROOM = 150  # beside the longest bar, for its number


def svg_bars(rows: Sequence[Mapping[str, Any]], *, title: str, links: Mapping[str, str]) -> str:
    """One bar per row (id, name, words, exact) that has a value, on one scale from nought; empty where fewer than two have, or one is below it.

    Colours are the classes of maps; `links` gives each figure's own page.
    """
    shown = [(row, Fraction(str(row["exact"]))) for row in rows if row.get("exact") is not None]
    if len(shown) < 2 or min(value for _row, value in shown) < 0 or not any(value for _row, value in shown):
        return ""
    largest = max(value for _row, value in shown)
    height = _ROW * len(shown)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" role="group" aria-labelledby="bars-title" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="13"><title id="bars-title">{escape(title)}</title>'
    )
    return "\n".join([head, *(_bar(n, row, float(value / largest), links[row["id"]]) for n, (row, value) in enumerate(shown)), "</svg>\n"])


def _bar(n: int, row: Mapping[str, Any], share: float, link: str) -> str:
    y, wide = n * _ROW, max(1.0, share * (_WIDTH - _ROOM))
    return (
        f'<a href={quoteattr(link)}><text x="0" y="{y + 13}" fill="currentColor">{escape(row["name"])}</text>'
        f'<rect class="m4" fill="#2f8579" x="0" y="{y + 19}" width="{wide:.1f}" height="{_BAR}" rx="2"/>'
        f'<text x="{wide + 8:.1f}" y="{y + 33}" font-weight="600" fill="currentColor">{escape(row["words"])}</text></a>'
    )
