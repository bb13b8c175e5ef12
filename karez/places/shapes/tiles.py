"""A map of tiles for regions without shapes: every place a square of one size, at a position given or found from the
order.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from karez.places.shapes.drawing import Drawn, Language, Mark, Number, svg_of

_GAP = 3


class Tile(NamedTuple):
    """A place to be shown; places of one group stand together."""

    code: str
    name_zh: str
    name_en: str
    group: str = ""


def tile_grid(
    places: Sequence[Tile], positions: Mapping[str, tuple[int, int]] | None = None
) -> dict[str, tuple[int, int]]:
    """Column and row of every place: as given, the others in their order below, each group beginning a row of its own.

    No two places get one position; a position given twice is a mistake of the caller (ValueError).
    """
    given = {p.code: positions[p.code] for p in places if positions and p.code in positions}
    if len(set(given.values())) < len(given):
        raise ValueError("two places at one position")
    rest = [p for p in places if p.code not in given]
    columns = max([math.ceil(math.sqrt(1.5 * max(len(places), 1))), *(c + 1 for c, _row in given.values())])
    row = max((r + 1 for _column, r in given.values()), default=0)
    found, column, group = dict(given), 0, rest[0].group if rest else ""
    for place in rest:
        if column == columns or (column and place.group != group):
            column, row = 0, row + 1
        group = place.group
        found[place.code] = (column, row)
        column += 1
    return found


def svg_tiles(
    places: Sequence[Tile],
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
    positions: Mapping[str, tuple[int, int]] | None = None,
) -> str:
    """The tiles drawn and coloured like a map; arguments as of `svg_map`."""
    grid = tile_grid(places, positions)
    columns = max((c + 1 for c, _row in grid.values()), default=1)
    rows = max((r + 1 for _column, r in grid.values()), default=1)
    side = min(90, (width - _GAP) // columns - _GAP)
    drawn = []
    for place in places:
        column, row = grid[place.code]
        x, y = _GAP + column * (side + _GAP), _GAP + row * (side + _GAP)
        name = place.name_zh if lang == "zh" else place.name_en
        path = f"M{x},{y}L{x + side},{y} {x + side},{y + side} {x},{y + side}Z"
        drawn.append(
            Drawn(place.code, name or place.name_zh or place.code, path, x + side / 2, y + side / 2, float(side))
        )
    height = rows * (side + _GAP) + _GAP
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
