"""How a computed figure is worded in print: its number at its declared rounding, with its unit. Holds no figures and no sentences."""

from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from karez.kernel.printed import decimals, digits

_MILLION = 1_000_000


def number_words(value: Fraction, rounding: Fraction, unit: str) -> str:
    """The number alone, at its rounding: 85.50 (million understood by `unit_words`), 2,912, 30.5."""
    if unit == "yuan" and _in_millions(value, rounding):
        return digits(value / _MILLION, rounding / _MILLION)
    return digits(value, rounding)


def figure_words(value: Fraction, rounding: Fraction, unit: str) -> str:
    """The number with its unit as a reader expects it: 85.50 million yuan, 30.5 %, 428 villages."""
    number = number_words(value, rounding, unit)
    if unit == "yuan" and _in_millions(value, rounding):
        return _("%(number)s million yuan") % {"number": number}
    if unit == "percent":
        return _("%(number)s %%") % {"number": number}
    return _UNITS[unit].words(number, value) if unit in _UNITS else f"{number} {unit.replace('_', ' ')}"


def _in_millions(value: Fraction, rounding: Fraction) -> bool:
    # Only where the digits then shown are the digits declared: 85,500,000 to 10,000 is 85.50 million.
    return abs(value) >= _MILLION and rounding >= 1000 and decimals(Fraction(rounding) / _MILLION) <= 3


@dataclass(frozen=True)
class _Unit:
    one: str
    many: str

    def words(self, number: str, value: Fraction) -> str:
        plural = 1 if value == 1 else 2
        return f"{number} {ngettext(self.one, self.many, plural)}"


_UNITS = {
    "yuan": _Unit("yuan", "yuan"),
    "km2": _Unit("square kilometre", "square kilometres"),
    "prefectures": _Unit("city of prefecture rank", "cities of prefecture rank"),
    "counties": _Unit("county-level unit", "county-level units"),
    "villages": _Unit("village", "villages"),
    "households": _Unit("household", "households"),
    "persons": _Unit("person", "persons"),
    "years": _Unit("year", "years"),
    "percentage_points": _Unit("percentage point", "percentage points"),
}
