"""Columns drawn as SVG: a group for each state, a bar for each source, every bar with its number above it. Computes no
figures.

Colours are presentation attributes that a page's style sheet overrules by the classes f0 to f5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.sax.saxutils import escape, quoteattr

from karez.chapter.sankey import FILLS, wide_of

_WIDTH, _HIGH, _TOP, _FOOT = 760, 230, 62, 46
_BAR_MOST = 86


@dataclass(frozen=True)
class Bar:
    """An amount, its number in words, what it is in a sentence, and where it leads."""

    value: Fraction
    words: str
    said: str
    link: str = ""


@dataclass(frozen=True)
class Group:
    """The bars of a state in the order of the sources, its name, and a second line under it."""

    name: str
    under: str
    bars: tuple[Bar, ...]


def svg_columns(
    groups: Sequence[Group], legend: Sequence[str], *, unit: str, title: str, description: str, prefix: str = "columns"
) -> str:
    """The chart on one scale from nought; empty without a value above it."""
    values = [b.value for g in groups for b in g.bars]
    if not values or max(values) <= 0 or min(values) < 0:
        return ""
    scale = float(_HIGH / max(values))
    room = _WIDTH / len(groups)
    height = _TOP + _HIGH + _FOOT
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="13"'
    made = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="map" role="group" aria-labelledby="{prefix}-title '
            f'{prefix}-desc" {size}>'
        ),
        f'<title id="{prefix}-title">{escape(title)}</title><desc id="{prefix}-desc">{escape(description)}</desc>',
        _legend(legend, unit),
        *(_group(group, n * room, room, scale) for n, group in enumerate(groups)),
        f'<path d="M0,{_TOP + _HIGH}H{_WIDTH}" stroke="currentColor" stroke-width="1" fill="none"/>',
        "</svg>\n",
    ]
    return "\n".join(made)


def _legend(legend: Sequence[str], unit: str) -> str:
    drawn, x = [], 0.0
    for n, name in enumerate(legend):
        colour = n % len(FILLS)
        drawn.append(
            f'<rect class="f{colour}" fill="{FILLS[colour]}" x="{x:.1f}" y="4" width="14" height="14"/>'
            f'<text x="{x + 20:.1f}" y="16" fill="currentColor">{escape(name)}</text>'
        )
        x += wide_of(name) + 48
    drawn.append(f'<text x="{_WIDTH}" y="16" text-anchor="end" fill="currentColor">{escape(unit)}</text>')
    return "".join(drawn)


def _group(group: Group, left: float, room: float, scale: float) -> str:
    gap = 6 if len(group.bars) * 12 < room else 1
    wide = min(_BAR_MOST, (room * 0.8 - gap * (len(group.bars) - 1)) / len(group.bars))
    x = left + (room - wide * len(group.bars) - gap * (len(group.bars) - 1)) / 2
    size = 13 if wide >= 40 else 10
    drawn = []
    for n, bar in enumerate(group.bars):
        high, colour = float(bar.value) * scale, n % len(FILLS)
        one = (
            f'<rect class="f{colour}" fill="{FILLS[colour]}" x="{x:.1f}" y="{_TOP + _HIGH - high:.2f}" '
            f'width="{wide:.1f}" height="{high:.2f}">'
            f"<title>{escape(bar.said)}</title></rect>"
            f'<text x="{x + wide / 2:.1f}" y="{_TOP + _HIGH - high - 6:.2f}" font-size="{size}" font-weight="600" '
            'text-anchor="middle"'
            f' fill="currentColor">{escape(bar.words)}</text>'
        )
        label = f" aria-label={quoteattr(bar.said)}"
        drawn.append(f"<a href={quoteattr(bar.link)}{label}>{one}</a>" if bar.link else f"<g>{one}</g>")
        x += wide + gap
    middle = left + room / 2
    drawn.append(
        f'<text x="{middle:.1f}" y="{_TOP + _HIGH + 20}" text-anchor="middle" font-weight="600" '
        f'fill="currentColor">{escape(group.name)}</text>'
        f'<text x="{middle:.1f}" y="{_TOP + _HIGH + 38}" text-anchor="middle" '
        f'fill="currentColor">{escape(group.under)}</text>'
    )
    return "".join(drawn)
