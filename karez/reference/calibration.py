"""The numbers the reference year is made to give. Read by the generator alone: the product computes them from records.

Amounts are in yuan here, as in the files.
"""

from dataclasses import dataclass

import numpy as np

YEAR = 2009
FIRST_DAY = np.datetime64("2009-01-01", "D")
LAST_DAY = np.datetime64("2009-12-31", "D")
PROGRAMME = "mutual_funds"

KEY_COUNTIES = ("640323", "640324", "640402", "640422", "640423", "640424", "640425", "640522")
HONGSIPU = "640303"  # a county unit of its own from October of the year
WITHOUT_SOCIETY = "640202"  # the one county unit of 22 no fund reaches: the most urban

POOR_VILLAGES = 1_404
POOR_IN_KEY = 1_009
POOR_IN_HONGSIPU = 50
SOCIETIES = 428
SOCIETIES_IN_KEY = 330
SOCIETIES_IN_HONGSIPU = 26
OLD_SOCIETIES = 108
OLD_IN_KEY = 92
OLD_GRANTS = 20_440_000  # within 150,000-200,000 each

SMALL_GRANT, BIG_GRANT = 200_000, 300_000
MEMBERS_PER_SOCIETY = 94  # on average
MEMBERS = 40_232
CONTRIBUTIONS = 48_520_000
CONTRIBUTION_LOW, CONTRIBUTION_HIGH = 200, 5_000

LOANS = 120_640_000  # paid out in the year; the last loans of a society leave a little of its budget over
LOAN_SIZES = np.array([1_500, 2_000, 2_500, 3_000, 4_000, 5_000])
LOAN_SHARES = np.array([0.02, 0.08, 0.10, 0.24, 0.25, 0.31])
LOAN_CAP, TERM_CAP_DAYS = 5_000, 365
FEE_PER_TEN_THOUSAND_A_MONTH = 80  # 0.8 %

AREA_KM2 = 66_400
REGION_POPULATION = 6_252_000
KEY_POPULATION = 2_380_400
KEY_INCOME, KEY_INCOME_BEFORE = 2_912, 2_577  # yuan a head


@dataclass(frozen=True)
class Tranche:
    """Part of a source line's money: when the office received it, and how many small and big villages it is for."""

    line: str
    received_on: str
    small: int
    big: int
    wave: int  # 1: societies of spring, 2: societies of autumn

    @property
    def amount(self) -> int:
        """Yuan, exactly what the villages are granted."""
        return self.small * SMALL_GRANT + self.big * BIG_GRANT


TRANCHES = (
    Tranche("2009-LGOP-MF", "2009-02-16", 0, 35, 1),
    Tranche("2009-SANXI-MF", "2009-03-05", 100, 0, 1),
    Tranche("2009-NXFIN-MF", "2009-03-20", 0, 100, 1),
    Tranche("2009-NXFIN-MF", "2009-08-12", 5, 80, 2),
)
