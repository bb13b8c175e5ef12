"""The 428 societies, when each was founded, and the grant it got: 108 before the year, 320 in two waves of it.

Spring's societies get the money of the first three tranches, autumn's that of the last; Hongsipu, a county unit only
since October, is in the second wave.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from karez.reference import calibration as c
from karez.reference.counties import Villages, shared_out

Days = NDArray[np.datetime64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Societies:
    """One entry for each society. `wave` 0 is before the year; amounts in yuan; `line` is -1 for old ones."""

    village: NDArray[np.str_]
    name: NDArray[np.str_]
    county: NDArray[np.str_]
    wave: Ints
    big: NDArray[np.bool_]
    tranche: Ints
    founded_on: Days
    granted_on: Days
    grant: Ints
    members: Ints
    allocated_on: Days  # when the county got the money of this grant

    def __len__(self) -> int:
        return len(self.village)


def found_societies(chosen: Villages, rng: np.random.Generator, scale: int) -> Societies:
    """Waves, tranches, days, grants and numbers of members of all fund villages."""
    count = len(chosen.code)
    tranche = _tranches(chosen, rng)
    wave = np.where(tranche < 0, 0, np.array([t.wave for t in c.TRANCHES])[tranche])
    big = _big(tranche, rng)
    founded, allocated, granted = _days(chosen, wave, rng)
    grant = np.where(big, c.BIG_GRANT, c.SMALL_GRANT)
    old = wave == 0
    grant[old] = _old_grants(int(old.sum()), rng)
    weights = rng.normal(1.0, 0.18, count).clip(0.68, 1.5) * np.where(big, 1.1, 0.9)
    return Societies(
        chosen.code,
        chosen.name,
        chosen.county,
        wave,
        big,
        tranche,
        founded,
        granted,
        grant,
        shared_out(c.MEMBERS * scale, weights),
        allocated,
    )


def _tranches(chosen: Villages, rng: np.random.Generator) -> Ints:
    """Which tranche pays each society; -1 for the old ones, which lie in the key counties mostly and never in Hongsipu."""
    tranche = np.full(len(chosen.code), -2, dtype=np.int64)
    lots = rng.random(len(tranche))
    key, new = np.isin(chosen.county, c.KEY_COUNTIES), chosen.county == c.HONGSIPU
    for group, number in ((key, c.OLD_IN_KEY), (~key & ~new, c.OLD_SOCIETIES - c.OLD_IN_KEY)):
        tranche[_first(group, lots, number)] = -1
    last = len(c.TRANCHES) - 1
    tranche[new] = last
    for i, part in enumerate(c.TRANCHES):
        missing = part.small + part.big - int((tranche == i).sum())
        tranche[_first(tranche == -2, lots, missing)] = i
    assert (tranche != -2).all()
    return tranche


def _first(group: NDArray[np.bool_], lots: NDArray[np.float64], number: int) -> Ints:
    where = np.flatnonzero(group)
    return where[np.argsort(lots[where], kind="stable")[:number]]


def _big(tranche: Ints, rng: np.random.Generator) -> NDArray[np.bool_]:
    big = np.zeros(len(tranche), dtype=bool)
    lots = rng.random(len(tranche))
    for i, part in enumerate(c.TRANCHES):
        big[_first(tranche == i, lots, part.big)] = True
    big[tranche == -1] = lots[tranche == -1] < 0.5
    return big


def _days(chosen: Villages, wave: Ints, rng: np.random.Generator) -> tuple[Days, Days, Days]:
    """Founding, allocation to the county, grant: in that order, and the grant within six weeks after both."""
    count = len(wave)
    first = np.array(["2006-05-10", "2009-03-10", "2009-09-01"], dtype="datetime64[D]")[wave]
    spread = np.array([900, 75, 35])[wave]
    first = np.where(chosen.county == c.HONGSIPU, np.datetime64("2009-10-09"), first)
    spread = np.where(chosen.county == c.HONGSIPU, 12, spread)
    founded = first + (rng.random(count) * spread).astype("timedelta64[D]")
    allocated = np.array(["2006-01-01", "2009-04-13", "2009-09-14"], dtype="datetime64[D]")[wave]
    allocated = np.where(chosen.county == c.HONGSIPU, np.datetime64("2009-10-15"), allocated)
    granted = np.maximum(founded, allocated) + rng.integers(5, 25, count).astype("timedelta64[D]")
    return founded, allocated, granted


def _old_grants(count: int, rng: np.random.Generator) -> Ints:
    """Whole thousands between 150,000 and 200,000 that add up to what is known."""
    low, high = 150, 200
    grants = rng.choice(np.array([170, 180, 190, 200]), count, p=[0.05, 0.15, 0.3, 0.5]).astype(np.int64)
    return settled(grants, c.OLD_GRANTS // 1000, low, high, rng) * 1000


def settled(values: Ints, total: int, low: int, high: int, rng: np.random.Generator) -> Ints:
    """The values moved by single steps, a few each, until they add up to `total`, none leaving `low` to `high`."""
    values = values.copy()
    while gap := int(total - values.sum()):
        step = 1 if gap > 0 else -1
        room = np.flatnonzero(values < high if step > 0 else values > low)
        assert len(room), "no total within these bounds"
        values[rng.permutation(room)[: abs(gap)]] += step
    return values
