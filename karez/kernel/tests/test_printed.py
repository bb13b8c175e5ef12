"""Printed numbers and intervals: tables of cases, and properties against exact sampling."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karez.kernel.interval import DividesByZeroError, Interval
from karez.kernel.printed import (
    PrintedNumber,
    Qualifier,
    digits,
    plain_number,
    round_half_away,
    rounds_to,
)


def printed(value: str, qualifier: str = "rounded", rounding: str = "1") -> PrintedNumber:
    return PrintedNumber(Decimal(value), Qualifier(qualifier), Decimal(rounding))


@pytest.mark.parametrize(
    ("value", "qualifier", "rounding", "low", "high"),
    [
        ("1580", "exact", "1", 1580, 1580),
        ("1000000", "exact", "1000000", 1000000, 1000000),
        ("85500000", "rounded", "10000", 85495000, 85505000),
        ("30.5", "rounded", "0.1", Fraction(3045, 100), Fraction(3055, 100)),
        ("200000000", "nearly", "1000000", 180000000, 200000000),
        ("10000", "nearly", "10000", 0, 10000),
        ("630000", "nearly", "10000", 567000, 630000),
        ("-100", "nearly", "1", -100, -90),
        ("100", "about", "1", 90, 110),
        ("40000", "more_than", "10000", 40000, None),
        ("1", "at_least", "1", 1, None),
        ("10", "less_than", "1", None, 10),
        ("10", "at_most", "1", None, 10),
    ],
)
def test_what_a_printed_number_says(value, qualifier, rounding, low, high):
    interval = printed(value, qualifier, rounding).interval
    assert (interval.lowest, interval.highest) == (low, high)


@pytest.mark.parametrize(
    ("qualifier", "inside"),
    [("more_than", False), ("at_least", True), ("less_than", False), ("at_most", True)],
)
def test_limits_leave_out_or_take_in_their_own_value(qualifier, inside):
    assert printed("10", qualifier).interval.contains(10) is inside


@pytest.mark.parametrize(
    ("computed", "value", "qualifier", "rounding", "agrees"),
    [
        ("85504999", "85500000", "rounded", "10000", True),
        ("85505000", "85500000", "rounded", "10000", False),  # a tie goes away from zero
        ("85495000", "85500000", "rounded", "10000", True),
        ("85494999.99", "85500000", "rounded", "10000", False),
        ("-0.05", "-0.1", "rounded", "0.1", True),
        ("-0.049", "0", "rounded", "0.1", True),
        ("428", "428", "exact", "1", True),
        ("428.0001", "428", "exact", "1", False),
        ("1000001", "1000000", "exact", "1000000", False),
        ("40001", "40000", "more_than", "10000", True),
        ("40000", "40000", "more_than", "10000", False),
        ("40000", "40000", "at_least", "10000", True),
        ("39999", "40000", "at_least", "10000", False),
        ("9", "10", "less_than", "1", True),
        ("10", "10", "less_than", "1", False),
        ("10", "10", "at_most", "1", True),
        ("180000000", "200000000", "nearly", "1000000", True),
        ("179999999", "200000000", "nearly", "1000000", False),
        ("200000001", "200000000", "nearly", "1000000", False),
        ("105", "100", "about", "1", True),
        ("111", "100", "about", "1", False),
        ("1234.4", "1234", "rounded", "10", True),  # printed finer than its rounding: within half a unit
    ],
)
def test_agreement_at_printed_precision_and_hedge(computed, value, qualifier, rounding, agrees):
    assert rounds_to(Fraction(Decimal(computed)), printed(value, qualifier, rounding)) is agrees


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("85500000", "10000", "85,500,000"),
        ("30.484", "0.1", "30.5"),
        ("30", "0.1", "30.0"),
        ("-1234.5", "1", "-1,235"),
        ("-0.04", "0.1", "0.0"),
        ("0.005", "0.01", "0.01"),
    ],
)
def test_digits(value, unit, text):
    assert digits(Decimal(value), Decimal(unit)) == text


def test_a_printed_number_reads_with_its_hedge():
    assert str(printed("40000", "more_than", "10000")) == "more than 40,000"
    assert str(printed("30.5", "rounded", "0.1")) == "30.5"
    assert str(printed("200000000", "nearly", "1000000")) == "nearly 200,000,000"


def test_numbers_for_json_are_exact_where_json_can_be():
    assert plain_number(10**20) == 10**20
    assert plain_number(Fraction(61, 2)) == 30.5
    assert isinstance(plain_number(Fraction(10**700, 3)), str)
    assert isinstance(plain_number(Fraction(-(10**700))), str)


fractions = st.fractions(min_value=-50, max_value=50, max_denominator=12)


@given(fractions, st.fractions(min_value=Fraction(1, 10), max_value=20, max_denominator=10))
def test_rounding_is_to_the_nearest_multiple_and_symmetric(value, unit):
    result = round_half_away(value, unit)
    assert result % unit == 0
    assert abs(result - value) <= unit / 2
    assert round_half_away(-value, unit) == -result
    if abs(result - value) == unit / 2:
        assert abs(result) > abs(value)


@given(fractions, st.fractions(min_value=Fraction(1, 10), max_value=20, max_denominator=10))
def test_what_rounds_to_a_print_lies_in_its_interval(value, unit):
    result = round_half_away(value, unit)
    number = PrintedNumber(Decimal(0), Qualifier.ROUNDED, Decimal(1))
    object.__setattr__(number, "value", result)  # a fraction a decimal could not write
    object.__setattr__(number, "rounding", unit)
    assert rounds_to(value, number)
    assert number.interval.contains(value)


@st.composite
def intervals_with_a_member(draw):
    member = draw(fractions)
    low = draw(st.one_of(st.none(), st.just(member), st.fractions(max_value=member, min_value=-99)))
    high = draw(st.one_of(st.none(), st.just(member), st.fractions(min_value=member, max_value=99)))
    low_open = low is not None and low < member and draw(st.booleans())
    high_open = high is not None and high > member and draw(st.booleans())
    return Interval.between(low, high, low_open=low_open, high_open=high_open), member


@given(intervals_with_a_member(), intervals_with_a_member())
def test_operations_contain_every_result(one, two):
    (a, x), (b, y) = one, two
    assert a.contains(x)
    assert (a + b).contains(x + y)
    assert (a - b).contains(x - y)
    assert (a * b).contains(x * y)
    assert (-a).contains(-x)
    try:
        quotient = a / b
    except DividesByZeroError:
        assert b.contains(0)
    else:
        assert y == 0 or quotient.contains(x / y)


@given(intervals_with_a_member(), intervals_with_a_member())
def test_comparisons_agree_with_members(one, two):
    (a, x), (b, y) = one, two
    if a.below(b):
        assert x < y
        assert not a.meets(b)
    if a.not_above(b):
        assert x <= y
    if x == y:
        assert a.meets(b)
    assert a.meets(b) == b.meets(a)
    if not a.meets(b):
        assert a.below(b) or b.below(a)
    if a.within(b):
        assert b.contains(x)


closed = st.tuples(fractions, fractions).map(lambda ends: Interval.between(min(ends), max(ends)))


@given(closed, closed)
def test_results_of_closed_ranges_are_tight(a, b):
    corners = [x * y for x in (a.lowest, a.highest) for y in (b.lowest, b.highest)]
    assert ((a * b).lowest, (a * b).highest) == (min(corners), max(corners))
    assert ((a + b).lowest, (a + b).highest) == (a.lowest + b.lowest, a.highest + b.highest)
    assert (a * b).contains(min(corners))


def test_division_by_a_range_around_zero_says_nothing():
    one = Interval.point(1)
    for divisor in (Interval.point(0), Interval.between(-1, 1), Interval.between(None, None)):
        with pytest.raises(DividesByZeroError):
            one / divisor


def test_division_by_a_range_that_touches_zero_runs_to_infinity():
    quotient = Interval.point(10) / Interval.between(0, 5)
    assert (quotient.lowest, quotient.highest) == (2, None)
    quotient = Interval.point(10) / Interval.between(-5, 0)
    assert (quotient.lowest, quotient.highest) == (None, -2)
    quotient = Interval.between(1, 2) / Interval.between(4, None)
    assert (quotient.lowest, quotient.highest) == (0, Fraction(1, 2))
    assert not quotient.contains(0)


def test_a_bound_left_out_stays_left_out():
    above = Interval.between(5, None, low_open=True)
    for result in (above + Interval.point(1), above - Interval.point(1), above * Interval.point(2)):
        assert not result.contains(result.lowest)
    assert not (-above).contains(-5)
    assert (above * Interval.point(0)).is_point
