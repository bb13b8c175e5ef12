"""Intervals of exact fractions, bounds open, closed or infinite, with the four operations. Holds no printed numbers.

An operation returns the smallest interval around every result its inputs allow. It treats its two inputs as
independent, so a formula that uses an input twice may be given too wide a range, never too narrow a one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

Number = Fraction | int

# A bound is (side, value): side -1 and 1 are the infinities, whose value is 0, so that tuples order as the bounds do.
Bound = tuple[int, Fraction]
ZERO = Fraction(0)
MINUS_INFINITY: Bound = (-1, ZERO)
PLUS_INFINITY: Bound = (1, ZERO)


class DividesByZeroError(ArithmeticError):
    """The divisor is zero, or may be on either side of it: the quotient says nothing."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All fractions between two bounds; an open bound is not itself inside. Infinite bounds are open."""

    low: Bound
    high: Bound
    low_open: bool = False
    high_open: bool = False

    @staticmethod
    def point(value: Number) -> "Interval":
        """The interval that holds one value."""
        bound = (0, Fraction(value))
        return Interval(bound, bound)

    @staticmethod
    def between(
        low: Number | None, high: Number | None, *, low_open: bool = False, high_open: bool = False
    ) -> "Interval":
        """The interval from `low` to `high`; None is without bound on that side."""
        below = MINUS_INFINITY if low is None else (0, Fraction(low))
        above = PLUS_INFINITY if high is None else (0, Fraction(high))
        assert below <= above, "an interval runs upward"
        return Interval(below, above, low_open or low is None, high_open or high is None)

    @property
    def lowest(self) -> Fraction | None:
        """The lower bound, None where there is none."""
        return None if self.low[0] else self.low[1]

    @property
    def highest(self) -> Fraction | None:
        """The upper bound, None where there is none."""
        return None if self.high[0] else self.high[1]

    @property
    def is_point(self) -> bool:
        """Whether it holds one value only."""
        return self.low == self.high

    @property
    def is_everything(self) -> bool:
        """Whether it has no bound on either side."""
        return bool(self.low[0] and self.high[0])

    def contains(self, value: Number) -> bool:
        """Whether the value is inside."""
        bound = (0, Fraction(value))
        above = self.low < bound or (self.low == bound and not self.low_open)
        return above and (bound < self.high or (bound == self.high and not self.high_open))

    def meets(self, other: "Interval") -> bool:
        """Whether some value is inside both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return low < high or (low == high and not low_open and high_closed)

    def within(self, other: "Interval") -> bool:
        """Whether every value is inside the other too."""
        low_fits = (self.low, self.low_open) >= (other.low, other.low_open)
        return low_fits and (self.high, not self.high_open) <= (other.high, not other.high_open)

    def below(self, other: "Interval") -> bool:
        """Whether every value is less than every value of the other."""
        return self.high < other.low or (self.high == other.low and (self.high_open or other.low_open))

    def not_above(self, other: "Interval") -> bool:
        """Whether every value is less than or equal to every value of the other."""
        return self.high <= other.low

    def __neg__(self) -> "Interval":
        return Interval(_negated(self.high), _negated(self.low), self.high_open, self.low_open)

    def __add__(self, other: "Interval") -> "Interval":
        low = self.low if self.low[0] else other.low if other.low[0] else (0, self.low[1] + other.low[1])
        high = self.high if self.high[0] else other.high if other.high[0] else (0, self.high[1] + other.high[1])
        return Interval(low, high, self.low_open or other.low_open, self.high_open or other.high_open)

    def __sub__(self, other: "Interval") -> "Interval":
        return self + -other

    def __mul__(self, other: "Interval") -> "Interval":
        if self.is_point and other.is_point:
            return Interval.point(self.low[1] * other.low[1])
        mine = ((self.low, self.low_open), (self.high, self.high_open))
        others = ((other.low, other.low_open), (other.high, other.high_open))
        return _hull([_corner(a, b) for a in mine for b in others])

    def __truediv__(self, other: "Interval") -> "Interval":
        """The quotient; raises DividesByZeroError where the divisor is zero or lies on both sides of it."""
        return self * other.reciprocal()

    def reciprocal(self) -> "Interval":
        """One over each value except zero; a range that only touches zero runs to infinity on that side."""
        zero = (0, ZERO)
        if self.low < zero < self.high or self.low == zero == self.high:
            raise DividesByZeroError
        if self.low >= zero:
            high = PLUS_INFINITY if self.low == zero else (0, 1 / self.low[1])
            low = zero if self.high[0] else (0, 1 / self.high[1])
            return Interval(low, high, self.high_open, self.low == zero or self.low_open)
        return -((-self).reciprocal())


EVERYTHING = Interval(MINUS_INFINITY, PLUS_INFINITY, low_open=True, high_open=True)


def _negated(bound: Bound) -> Bound:
    return (-bound[0], -bound[1])


def _corner(one: tuple[Bound, bool], two: tuple[Bound, bool]) -> tuple[Bound, bool]:
    """The product of two bounds, and whether it is left out. Zero times infinity is zero: the hull needs the limit."""
    (side1, value1), open1 = one
    (side2, value2), open2 = two
    sign1, sign2 = side1 or _sign(value1), side2 or _sign(value2)
    if not sign1 * sign2:
        # A zero that is inside makes the product zero whatever the other is.
        attained = (not sign1 and not open1) or (not sign2 and not open2)
        return (0, ZERO), not attained
    if side1 or side2:
        return (sign1 * sign2, ZERO), True
    return (0, value1 * value2), open1 or open2


def _hull(corners: Iterable[tuple[Bound, bool]]) -> Interval:
    corners = list(corners)
    low, low_open = min(corners)  # equal bounds: False sorts first, a closed one wins
    high, high_closed = max((bound, not is_open) for bound, is_open in corners)
    return Interval(low, high, low_open, not high_closed)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)
