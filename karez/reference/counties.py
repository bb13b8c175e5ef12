"""Real villages for the reference year: the shipped divisions read back, and a drawn choice of poor and of fund
villages.

Which village has a fund is made up; only the number by list and the counties named in print are not.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from karez.reference import calibration as c

_SHIPPED = Path(__file__).resolve().parent.parent / "places" / "data"
_RURAL = ("村委会", "村民委员会", "村")
Codes = NDArray[np.str_]


@dataclass(frozen=True)
class Villages:
    """Rural villages of the region in the order of the shipped list, with the county they lie in at the end of 2009."""

    code: Codes
    county: Codes
    name: Codes  # romanised


def counties() -> list[str]:
    """Codes of the 22 county units at the end of 2009."""
    return [row["code"] for row in _rows("counties_64.csv") if row["level"] == "county" and not row["ends_before"]]


def rural_villages() -> Villages:
    """Every village committee of the shipped list; neighbourhood committees of towns are left out."""
    rows = list(_rows("divisions_64.csv"))
    county = {row["code"]: row["parent_code"] for row in rows if row["level"] == "township"}
    county |= {row["township_code"]: row["county_code"] for row in _rows("placements_64.csv") if not row["ends_before"]}
    rural = [row for row in rows if row["level"] == "village" and row["name_zh"].endswith(_RURAL)]
    columns = (
        [row["code"] for row in rural],
        [county[row["parent_code"]] for row in rural],
        [row["name_en"] for row in rural],
    )
    return Villages(*(np.array(column) for column in columns))


def poor_villages(villages: Villages, rng: np.random.Generator) -> Villages:
    """1,404 of them: most in the key counties, none in the county without a fund."""
    return _drawn(villages, rng, c.POOR_IN_KEY, c.POOR_IN_HONGSIPU, c.POOR_VILLAGES)


def fund_villages(poor: Villages, rng: np.random.Generator) -> Villages:
    """428 of the poor villages, in 21 counties."""
    return _drawn(poor, rng, c.SOCIETIES_IN_KEY, c.SOCIETIES_IN_HONGSIPU, c.SOCIETIES)


def _drawn(villages: Villages, rng: np.random.Generator, in_key: int, in_hongsipu: int, in_all: int) -> Villages:
    found, sizes = np.unique(villages.county, return_counts=True)
    key, new = np.isin(found, c.KEY_COUNTIES), found == c.HONGSIPU
    rest = ~key & ~new & (found != c.WITHOUT_SOCIETY)
    quota = np.zeros(len(found), dtype=np.int64)
    for group, total in ((key, in_key), (new, in_hongsipu), (rest, in_all - in_key - in_hongsipu)):
        quota[group] = shared_out(total, sizes[group])
    # Every village draws a lot; within its county the lowest lots win.
    place = np.searchsorted(found, villages.county)
    order = np.lexsort((rng.random(len(place)), place))
    begins = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    rank = np.empty(len(place), dtype=np.int64)
    rank[order] = np.arange(len(place)) - begins[place[order]]
    chosen = rank < quota[place]
    return Villages(villages.code[chosen], villages.county[chosen], villages.name[chosen])


def shared_out(total: int, weights: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.int64]:
    """`total` in whole parts as near to the weights as can be (largest remainders); the parts add up exactly."""
    exact = total * weights / weights.sum()
    parts: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    missing = int(total - parts.sum())
    parts[np.argsort(-(exact - parts), kind="stable")[:missing]] += 1
    return parts


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_SHIPPED / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
