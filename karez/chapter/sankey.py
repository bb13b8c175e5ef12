"""A flow of money drawn as SVG: sources on the left, purposes in the middle, places on the right, bands as wide as
their amounts.

Knows no figures: it is given names, amounts and words. A place and its bands are one link, so the keyboard stops once
at each. Colours are presentation attributes that a page's style sheet overrules by the classes f0 to f5, fx and b0 to
b5.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.sax.saxutils import escape, quoteattr

FILLS = ("#1f6f78", "#c9862b", "#75569a", "#4f7d3b", "#b04f38", "#5c6b7a")
NEUTRAL = "#3d4a4e"
_WIDTH, _BAR, _FONT, _LINE, _TOP = 760, 14, 13, 16, 22
_FLOW = 350  # height of the whole sum
_LEFT_MOST, _RIGHT_MOST, _SLOT, _GAP, _ABOVE = 190, 270, 17, 3, 40
_HALO = 'stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke" class="halo"'


@dataclass(frozen=True)
class Node:
    """A source, a purpose or a place: its name, its amount and the amount in words, and where it leads."""

    name: str
    words: str
    value: Fraction
    link: str = ""


@dataclass(frozen=True)
class Band:
    """Money of a source for a purpose that reached a place, by their positions."""

    source: int
    purpose: int
    place: int
    value: Fraction
    words: str


@dataclass
class _Slot:
    """Where a node stands: the top of its bar and its height, and how much of either side is taken."""

    y: float
    high: float
    taken_in: float = 0.0
    taken_out: float = 0.0


def svg_flow(
    sources: Sequence[Node],
    purposes: Sequence[Node],
    places: Sequence[Node],
    bands: Sequence[Band],
    *,
    heads: tuple[str, str, str],
    title: str,
    description: str,
    prefix: str = "flow",
) -> str:
    """The picture; `bands` in any order, each reaching a place. Empty where nothing flows."""
    whole = sum((s.value for s in sources), Fraction(0))
    if not whole or not bands:
        return ""
    scale = float(_FLOW / whole)
    left = min(
        _LEFT_MOST, max(wide_of(line) for s in sources for line in (*_wrapped(s.name, _LEFT_MOST), s.words)) + 10
    )
    right = min(
        _RIGHT_MOST, max(1.08 * wide_of(heads[2]), *(wide_of(p.name) + wide_of(p.words) + 24 for p in places)) + 12
    )
    x = (left, left + (_WIDTH - left - right - _BAR) / 2, _WIDTH - right - _BAR)
    columns = _columns(sources, purposes, places, scale)
    height = max(c[-1].y + c[-1].high for c in columns) + 22
    first = {(b.source, b.purpose): Fraction(0) for b in bands}
    for b in bands:
        first[b.source, b.purpose] += b.value
    made = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="map flow" role="group" aria-labelledby="{prefix}-title '
            f'{prefix}-desc" {_size(height)}>'
        ),
        f'<title id="{prefix}-title">{escape(title)}</title><desc id="{prefix}-desc">{escape(description)}</desc>',
        _heads(heads, x, left),
    ]
    ends = _second(bands, columns, x, scale, sources, places)
    made += [_source(n, s, columns, x, scale, first, purposes) for n, s in enumerate(sources)]
    made += [_place(p, columns[2][n], x[2], ends[n]) for n, p in enumerate(places)]
    made += [_purpose(p, columns[1][n], x[1]) for n, p in enumerate(purposes)]
    return "\n".join([*made, "</svg>\n"])


def _size(height: float) -> str:
    return (
        f'viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" height="{height:.0f}" font-family="sans-serif" '
        f'font-size="{_FONT}"'
    )


def _columns(
    sources: Sequence[Node], purposes: Sequence[Node], places: Sequence[Node], scale: float
) -> tuple[list[_Slot], list[_Slot], list[_Slot]]:
    """The three columns, their tops in one line: bands only fall, and leave the names of the purposes free."""
    names = [_LINE * (len(_wrapped(s.name, _LEFT_MOST)) + 1) + 8 for s in sources]
    left = [max(float(s.value) * scale, name) + 10 for s, name in zip(sources, names, strict=True)]
    middle = [float(p.value) * scale + _ABOVE for p in purposes]
    right = [max(float(p.value) * scale, _SLOT) + _GAP for p in places]
    return (
        _placed(sources, left, scale, _ABOVE),
        _placed(purposes, middle, scale, 0, low=True),
        _placed(places, right, scale, _ABOVE),
    )


def _placed(
    nodes: Sequence[Node], rooms: Sequence[float], scale: float, above: float, *, low: bool = False
) -> list[_Slot]:
    found, y = [], _TOP + above
    for node, room in zip(nodes, rooms, strict=True):
        high = float(node.value) * scale
        found.append(_Slot(y + (room - high if low else (room - high) / 2), high))
        y += room
    return found


def _heads(heads: tuple[str, str, str], x: tuple[float, float, float], left: float) -> str:
    low = _TOP + _ABOVE - 14
    spots = ((left - 8, low, "end"), (x[1] + _BAR / 2, 16, "middle"), (x[2] + _BAR + 8, low, "start"))
    texts = (
        f'<text x="{at:.1f}" y="{y}" text-anchor="{anchor}" fill="currentColor">{escape(head)}</text>'
        for head, (at, y, anchor) in zip(heads, spots, strict=True)
    )
    return "".join(texts)


def _source(
    n: int,
    node: Node,
    columns: tuple[list[_Slot], list[_Slot], list[_Slot]],
    x: tuple[float, float, float],
    scale: float,
    first: Mapping[tuple[int, int], Fraction],
    purposes: Sequence[Node],
) -> str:
    """A source with its bands to the purposes; its name stands left of its bar."""
    slot, drawn = columns[0][n], []
    for m, purpose in enumerate(purposes):
        if value := first.get((n, m)):
            wide, to = float(value) * scale, columns[1][m]
            said = f"{node.name} → {purpose.name}"
            drawn.append(_band(x[0] + _BAR, slot.y + slot.taken_out, x[1], to.y + to.taken_in, wide, n, said))
            slot.taken_out += wide
            to.taken_in += wide
    drawn.append(_bar(x[0], slot, f"f{n % len(FILLS)}", FILLS[n % len(FILLS)]))
    lines = [*_wrapped(node.name, _LEFT_MOST), node.words]
    y = slot.y + slot.high / 2 - _LINE * (len(lines) / 2 - 0.75)
    for m, line in enumerate(lines):
        weight = ' font-weight="600"' if m == len(lines) - 1 else ""
        drawn.append(
            f'<text x="{x[0] - 8:.1f}" y="{y + m * _LINE:.1f}" text-anchor="end" '
            f'fill="currentColor"{weight}>{escape(line)}</text>'
        )
    return _linked(node.link, drawn)


def _second(
    bands: Sequence[Band],
    columns: tuple[list[_Slot], list[_Slot], list[_Slot]],
    x: tuple[float, float, float],
    scale: float,
    sources: Sequence[Node],
    places: Sequence[Node],
) -> list[list[str]]:
    """The bands from the purposes to each place, with their ends in the source's colour."""
    found: list[list[str]] = [[] for _p in places]
    for b in sorted(bands, key=lambda b: (b.place, b.purpose, b.source)):
        wide, start, end = float(b.value) * scale, columns[1][b.purpose], columns[2][b.place]
        said = f"{sources[b.source].name} → {places[b.place].name}: {b.words}"
        found[b.place].append(
            _band(x[1] + _BAR, start.y + start.taken_out, x[2], end.y + end.taken_in, wide, b.source, said)
        )
        colour = b.source % len(FILLS)
        found[b.place].append(_bar(x[2], _Slot(end.y + end.taken_in, wide), f"f{colour}", FILLS[colour]))
        start.taken_out += wide
        end.taken_in += wide
    return found


def _place(node: Node, slot: _Slot, x: float, ends: Iterable[str]) -> str:
    y = slot.y + slot.high / 2 + 4.5
    name = _cut(node.name, _RIGHT_MOST - wide_of(node.words) - 24)
    words = (
        f'<text x="{x + _BAR + 8:.1f}" y="{y:.1f}" fill="currentColor">{escape(name)}</text>'
        f'<text x="{_WIDTH - 4}" y="{y:.1f}" text-anchor="end" fill="currentColor" '
        f'font-weight="600">{escape(node.words)}</text>'
    )
    return _linked(node.link, [*ends, words])


def _purpose(node: Node, slot: _Slot, x: float) -> str:
    at = f'x="{x + _BAR / 2:.1f}" text-anchor="middle" fill="currentColor" {_HALO}'
    return _linked(
        node.link,
        [
            _bar(x, slot, "fx", NEUTRAL),
            f'<text {at} y="{slot.y - 22:.1f}">{escape(node.name)}</text>',
            f'<text {at} y="{slot.y - 7:.1f}" font-weight="600">{escape(node.words)}</text>',
        ],
    )


def _linked(link: str, drawn: Iterable[str]) -> str:
    inside = "".join(drawn)
    return f"<a href={quoteattr(link)}>{inside}</a>" if link else f"<g>{inside}</g>"


def _band(x0: float, y0: float, x1: float, y1: float, wide: float, colour: int, said: str) -> str:
    n, middle = colour % len(FILLS), (x0 + x1) / 2
    path = (
        f"M{x0:.1f},{y0:.2f}C{middle:.1f},{y0:.2f} {middle:.1f},{y1:.2f} {x1:.1f},{y1:.2f}"
        f"V{y1 + wide:.2f}C{middle:.1f},{y1 + wide:.2f} {middle:.1f},{y0 + wide:.2f} {x0:.1f},{y0 + wide:.2f}Z"
    )
    return f'<path class="b{n}" fill="{FILLS[n]}" fill-opacity="0.42" d="{path}"><title>{escape(said)}</title></path>'


def _bar(x: float, slot: _Slot, css: str, fill: str) -> str:
    return f'<rect class="{css}" fill="{fill}" x="{x:.1f}" y="{slot.y:.2f}" width="{_BAR}" height="{slot.high:.2f}"/>'


# How wide words are, near enough.


def wide_of(text: str) -> float:
    return sum(_FONT if ord(c) > 0x2E80 else 0.56 * _FONT for c in text)


def _wrapped(text: str, most: float) -> list[str]:
    """The words in at most three lines."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and wide_of(longer) > most - 20 and len(lines) < 3:
            lines.append(word)
        else:
            lines[-1] = longer
    return [_cut(line, most - 10) for line in lines]


def _cut(text: str, most: float) -> str:
    if wide_of(text) <= most:
        return text
    while text and wide_of(text) > most - _FONT:
        text = text[:-1]
    return text.rstrip() + "…"
