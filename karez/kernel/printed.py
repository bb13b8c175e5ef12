"""A printed number: its value, its hedge and its last printed digit, and what it therefore says. Holds no parsing of
files.

All arithmetic is exact. Rounding is half away from zero, which statistical yearbooks use; a tie is the only place where
another rule would differ.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from karez.kernel.interval import Interval

NEARLY_SHARE = Fraction(1, 10)  # how far below "nearly 200 million" may lie, unless one unit of rounding is more


class Qualifier(Enum):
    """The hedge in front of a printed number."""

    EXACT = "exact"
    ROUNDED = "rounded"
    NEARLY = "nearly"
    ABOUT = "about"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    LESS_THAN = "less_than"
    AT_MOST = "at_most"

    @property
    def is_bound(self) -> bool:
        """Whether the number is only a limit, with no limit on the other side."""
        return self in _ONE_SIDED


_ONE_SIDED = frozenset({Qualifier.MORE_THAN, Qualifier.AT_LEAST, Qualifier.LESS_THAN, Qualifier.AT_MOST})

_WORDS = {
    Qualifier.EXACT: "",
    Qualifier.ROUNDED: "",
    Qualifier.NEARLY: "nearly ",
    Qualifier.ABOUT: "about ",
    Qualifier.MORE_THAN: "more than ",
    Qualifier.AT_LEAST: "at least ",
    Qualifier.LESS_THAN: "less than ",
    Qualifier.AT_MOST: "at most ",
}


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as printed: `rounding` is the worth of its last printed digit (10000 for 85.50 million, 0.1 for 30.5)."""

    value: Decimal
    qualifier: Qualifier = Qualifier.EXACT
    rounding: Decimal = Decimal(1)
    unit: str = ""

    @property
    def fraction(self) -> Fraction:
        """The printed value, exactly."""
        return Fraction(self.value)

    @property
    def interval(self) -> Interval:
        """The values that may stand behind the print; both ends of a rounding are inside, as its rule at ties is
        unknown.
        """
        value, unit = self.fraction, Fraction(self.rounding)
        slack = max(abs(value) * NEARLY_SHARE, unit)
        match self.qualifier:
            case Qualifier.EXACT:
                return Interval.point(value)
            case Qualifier.ROUNDED:
                return Interval.between(value - unit / 2, value + unit / 2)
            case Qualifier.NEARLY:  # nearer to zero than printed
                return Interval.between(*((value, value + slack) if value < 0 else (value - slack, value)))
            case Qualifier.ABOUT:
                return Interval.between(value - slack, value + slack)
            case Qualifier.MORE_THAN:
                return Interval.between(value, None, low_open=True)
            case Qualifier.AT_LEAST:
                return Interval.between(value, None)
            case Qualifier.LESS_THAN:
                return Interval.between(None, value, high_open=True)
            case Qualifier.AT_MOST:
                return Interval.between(None, value)

    def __str__(self) -> str:
        return _WORDS[self.qualifier] + digits(self.fraction, self.rounding)


def round_half_away(value: Fraction | Decimal | int, unit: Fraction | Decimal | int) -> Fraction:
    """The multiple of `unit` nearest to the value; a tie goes away from zero."""
    value, unit = Fraction(value), Fraction(unit)
    if unit <= 0:
        raise ValueError("a unit of rounding is above zero")
    units = (2 * abs(value) + unit) // (2 * unit)
    return (units if value >= 0 else -units) * unit


def rounds_to(computed: Fraction | Decimal | int, printed: PrintedNumber) -> bool:
    """Whether a computed exact value would be printed so: rounded (half away from zero) to its last digit, under its
    hedge.
    """
    if printed.qualifier is Qualifier.ROUNDED and not printed.fraction % Fraction(printed.rounding):
        return round_half_away(computed, printed.rounding) == printed.fraction
    return printed.interval.contains(Fraction(computed))


def digits(value: Fraction | Decimal | int, unit: Fraction | Decimal | int = 1) -> str:
    """The value rounded to `unit` in plain digits with thousands separators: 85,500,000 or 30.5."""
    unit = Fraction(unit)
    places = decimals(unit)
    scaled = round_half_away(value, unit) * 10**places
    whole, rest = divmod(abs(scaled.numerator // scaled.denominator), 10**places)
    text = f"{whole:,}" + (f".{rest:0{places}d}" if places else "")
    return f"-{text}" if scaled < 0 else text


def decimals(unit: Fraction | Decimal) -> int:
    """How many decimals a unit of rounding shows: 0 for 10000 and 1, 1 for 0.1."""
    places, unit = 0, Fraction(unit)
    while unit.denominator != 1 and places < 30:
        places, unit = places + 1, unit * 10
    return places


def plain_number(value: Fraction | Decimal | int) -> int | float | str:
    """The value as JSON can carry it: whole numbers exactly, others as the nearest double, text beyond its range."""
    value = Fraction(value)
    if value.denominator == 1 and abs(value.numerator).bit_length() <= 1024:
        return value.numerator
    try:
        return float(value)
    except OverflowError:
        return f"{'-' if value < 0 else ''}more than 1e308"
