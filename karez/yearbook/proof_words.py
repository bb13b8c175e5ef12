"""The verdicts of the proofreader and of the comparison in sentences an editor understands. Holds no judgement."""

from collections.abc import Mapping
from fractions import Fraction

from karez.kernel.formula import Sign, Standing
from karez.kernel.interval import Interval
from karez.kernel.printed import PrintedNumber, digits

_SIGNS = {
    Sign.AT_MOST: "at most",
    Sign.AT_LEAST: "at least",
    Sign.LESS: "less than",
    Sign.MORE: "more than",
    Sign.EQUAL: "equal to",
    Sign.UNEQUAL: "different from",
}
_STANDINGS = {
    Standing.HOLDS: "always so",
    Standing.POSSIBLE: "possible, but not for all values behind the print",
    Standing.BROKEN: "never so",
}


def number_text(value: Fraction) -> str:
    """A computed value in as many digits as help: whole numbers whole, large ones with one decimal, small with three."""
    if value.denominator == 1:
        return f"{digits(value):s}" if value.numerator.bit_length() <= 1024 else "more than 1e308"
    if abs(value) >= Fraction(1, 2000):
        return digits(value, Fraction(1, 10) if abs(value) >= 1000 else Fraction(1, 1000))
    return f"{float(value):.3g}"


def range_text(interval: Interval) -> str:
    """A range in words, one number where both ends are the same."""
    low, high = interval.lowest, interval.highest
    if low is not None and high is not None:
        return number_text(low) if low == high else f"between {number_text(low)} and {number_text(high)}"
    if low is not None:
        return f"{'above' if interval.low_open else 'at least'} {number_text(low)}"
    return (
        "any value" if high is None else f"{'below' if interval.high_open else 'at most'} {number_text(high)}"
    )


def identity_sentence(
    name: str,
    printed: PrintedNumber,
    computed: Fraction | None,
    interval: Interval,
    verdict: str,
    would_hold: Mapping[str, Interval | None],
) -> str:
    """A verdict on a derivation: what is printed, what its inputs give, and for a failure what would make it hold."""
    given = "no single value" if computed is None else number_text(computed)
    if not interval.is_point:
        given += f" ({range_text(interval)} within the rounding of the inputs)"
    start = f"Printed: {printed}. The inputs give {given}"
    match verdict:
        case "exact":
            return f"{start}: the same."
        case "pass":
            return f"{start}: the same at the printed precision."
        case "pass_if_rounded":
            return f"{start}: the same only if figures written out in full are taken as rounded."
        case "bound":
            return f"{start}: within the printed limit."
    options = [
        f"{'the printed figure' if key == name else key} were {range_text(needed)}"
        for key, needed in would_hold.items()
        if needed is not None
    ]
    return f"{start}: not the same. It would hold if {', or if '.join(options)}."


def relation_sentence(left: Interval, sign: Sign, right: Interval, verdict: Standing) -> str:
    """A verdict on a relation: both sides and how they compare."""
    return f"Left: {range_text(left)}; right: {range_text(right)}. Left {_SIGNS[sign]} right: {_STANDINGS[verdict]}."
