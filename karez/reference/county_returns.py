"""What counties and the region send already counted: land, residents, rural net income of two years, repayment as
reported.

County numbers are made up around plausible sizes; only their sums and averages are fixed.
"""

from dataclasses import dataclass

import numpy as np

from karez.reference import calibration as c
from karez.reference.counties import counties, shared_out
from karez.reference.lending import Year
from karez.reference.societies import Ints, Societies

# Rough weights by county, in the order of the county list, only to be believable: land, residents (thousands).
_LAND = {"640323": 86, "640324": 55, "640522": 64, "640422": 40, "640402": 35, "640425": 32, "640181": 38, "640302": 14,
         "640424": 11, "640423": 10, "640502": 69, "640521": 42, "640303": 28, "640221": 21, "640381": 19,
         "640104": 8, "640105": 11, "640106": 4, "640121": 9, "640122": 15, "640202": 10, "640205": 14}  # fmt: skip
_PEOPLE = {"640104": 590, "640105": 260, "640106": 240, "640202": 260, "640402": 480, "640422": 470, "640522": 400,
           "640324": 370, "640302": 370, "640502": 380, "640521": 320, "640221": 300, "640303": 150}  # fmt: skip


@dataclass(frozen=True)
class Return:
    """One row of the file of returns."""

    measure: str
    area: str
    year: int
    value: str
    numerator: str
    denominator: str
    unit: str
    document: str


def returns(societies: Societies, year: Year, rng: np.random.Generator) -> list[Return]:
    """Every return of the year, and last year's income."""
    codes = counties()
    land = shared_out(c.AREA_KM2, np.array([_LAND.get(code, 15) for code in codes], dtype=np.float64))
    people = _residents(codes, rng)
    made = [_plain("land_area", "640000", c.AREA_KM2, "km2", "land survey (synthetic)")]
    made += [
        _plain("land_area", code, int(v), "km2", "land survey (synthetic)") for code, v in zip(codes, land, strict=True)
    ]
    made.append(
        _plain("population", "640000", int(people.sum()), "persons", "statistics bureau, residents (synthetic)")
    )
    made += [
        _plain("population", code, int(v), "persons", "statistics bureau, residents (synthetic)")
        for code, v in zip(codes, people, strict=True)
    ]
    made += _incomes(codes, people, rng)
    return made + _repayment(societies, year)


def _residents(codes: list[str], rng: np.random.Generator) -> Ints:
    key = np.isin(codes, c.KEY_COUNTIES)
    weights = np.array([_PEOPLE.get(code, 220) for code in codes]) * rng.normal(1.0, 0.04, len(codes))
    people = np.zeros(len(codes), dtype=np.int64)
    people[key] = shared_out(c.KEY_POPULATION, weights[key])
    people[~key] = shared_out(c.REGION_POPULATION - c.KEY_POPULATION, weights[~key])
    return people


def _incomes(codes: list[str], people: Ints, rng: np.random.Generator) -> list[Return]:
    key = np.flatnonzero(np.isin(codes, c.KEY_COUNTIES))
    spread = rng.normal(0.0, 0.07, len(key)).clip(-0.14, 0.14)
    made = []
    for year, average, share in ((2008, c.KEY_INCOME_BEFORE, 0.872), (2009, c.KEY_INCOME, 0.868)):
        rural = (people[key] * share).astype(np.int64)
        income = (average * (1 + spread + rng.normal(0.0, 0.008, len(key))) * rural).astype(np.int64)
        income[-1] += average * rural.sum() - income.sum()  # the average over all of them is exact
        for code, total, heads in zip(np.array(codes)[key], income, rural, strict=True):
            made.append(
                Return(
                    "rural_net_income",
                    str(code),
                    year,
                    _quotient(int(total), int(heads)),
                    str(total),
                    str(heads),
                    "yuan",
                    "statistics bureau, rural household survey (synthetic)",
                )
            )
    return made


def _repayment(societies: Societies, year: Year) -> list[Return]:
    """Counties report everything due as repaid; the records say otherwise, and the chapter prints both."""
    paid = np.bincount(
        np.searchsorted(np.unique(societies.county), societies.county)[year.loans.society[year.repayments.loan]],
        year.repayments.principal_fen // 100,
    ).astype(np.int64)
    return [
        Return(
            "mutual_fund_repayment_rate",
            str(code),
            c.YEAR,
            "100",
            str(sum_),
            str(sum_),
            "percent",
            "county report on mutual funds (synthetic)",
        )
        for code, sum_ in zip(np.unique(societies.county), paid, strict=True)
        if sum_ > 0
    ]


def _plain(measure: str, area: str, value: int, unit: str, document: str) -> Return:
    return Return(measure, area, c.YEAR, str(value), "", "", unit, document)


def _quotient(numerator: int, denominator: int) -> str:
    """Four decimals, exactly rounded."""
    ten_thousandths = (numerator * 20_000 + denominator) // (2 * denominator)
    return f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04d}"
