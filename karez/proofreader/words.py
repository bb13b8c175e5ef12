"""The verdicts of the proofreader and of the comparison in sentences an editor understands. Holds no judgement."""

from collections.abc import Mapping
from fractions import Fraction

from karez.kernel.formula import Sign, Standing
from karez.kernel.interval import Interval
from karez.kernel.messages import Message, say
from karez.kernel.printed import PrintedNumber, Qualifier, digits

_RELATIONS = {
    Sign.AT_MOST: say("The left is at most the right"),
    Sign.AT_LEAST: say("The left is at least the right"),
    Sign.LESS: say("The left is less than the right"),
    Sign.MORE: say("The left is more than the right"),
    Sign.EQUAL: say("The left is equal to the right"),
    Sign.UNEQUAL: say("The left is different from the right"),
}
_STANDINGS = {
    Standing.HOLDS: say("always so"),
    Standing.POSSIBLE: say("possible, but not for all values behind the print"),
    Standing.BROKEN: say("never so"),
}


def printed_text(printed: PrintedNumber) -> Message:
    """A printed number with its hedge."""
    number = digits(printed.fraction, printed.rounding)
    match printed.qualifier:
        case Qualifier.NEARLY:
            return say("nearly {number}", number=number)
        case Qualifier.ABOUT:
            return say("about {number}", number=number)
        case Qualifier.MORE_THAN:
            return say("more than {number}", number=number)
        case Qualifier.AT_LEAST:
            return say("at least {number}", number=number)
        case Qualifier.LESS_THAN:
            return say("less than {number}", number=number)
        case Qualifier.AT_MOST:
            return say("at most {number}", number=number)
    return say("{number}", number=number)


def number_text(value: Fraction) -> str:
    """A computed value in as many digits as help: whole numbers whole, large ones with one decimal, small with three."""
    if value.denominator == 1:
        return digits(value) if value.numerator.bit_length() <= 1024 else say("more than 1e308")
    if abs(value) >= Fraction(1, 2000):
        return digits(value, Fraction(1, 10) if abs(value) >= 1000 else Fraction(1, 1000))
    return f"{float(value):.3g}"


def range_text(interval: Interval) -> str:
    """A range in words, one number where both ends are the same."""
    low, high = interval.lowest, interval.highest
    if low is not None and high is not None:
        if low == high:
            return number_text(low)
        return say("between {low} and {high}", low=number_text(low), high=number_text(high))
    if low is not None:
        number = number_text(low)
        return say("above {number}", number=number) if interval.low_open else say("at least {number}", number=number)
    if high is None:
        return say("any value")
    number = number_text(high)
    return say("below {number}", number=number) if interval.high_open else say("at most {number}", number=number)


def identity_sentence(
    name: str,
    printed: PrintedNumber,
    computed: Fraction | None,
    interval: Interval,
    verdict: str,
    would_hold: Mapping[str, Interval | None],
    remark: str = "",
) -> Message:
    """A verdict on a derivation: what is printed, what its inputs give, and for a failure what would make it hold; then a remark."""
    told = _verdict_sentence(name, printed, computed, interval, verdict, would_hold)
    return say("{told} {remark}", told=told, remark=remark) if remark else told


def _verdict_sentence(
    name: str,
    printed: PrintedNumber,
    computed: Fraction | None,
    interval: Interval,
    verdict: str,
    would_hold: Mapping[str, Interval | None],
) -> Message:
    given = say("no single value") if computed is None else number_text(computed)
    if not interval.is_point:
        rest = range_text(interval)
        given = say("{value} ({range} within the rounding of the inputs)", value=given, range=rest)
    start = say("Printed: {printed}. The inputs give {given}", printed=printed_text(printed), given=given)
    match verdict:
        case "exact":
            return say("{start}: the same.", start=start)
        case "pass":
            return say("{start}: the same at the printed precision.", start=start)
        case "pass_if_rounded":
            return say("{start}: the same only if figures written out in full are taken as rounded.", start=start)
        case "bound":
            return say("{start}: within the printed limit.", start=start)
    options = would_hold_words(name, would_hold)
    if not options:
        return say("{start}: not the same.", start=start)
    every = options[0]
    for option in options[1:]:
        every = say("{first}, or if {second}", first=every, second=option)
    return say("{start}: not the same. It would hold if {options}.", start=start, options=every)


def would_hold_words(
    name: str, would_hold: Mapping[str, Interval | None], labels: Mapping[str, str] | None = None
) -> list[str]:
    """What would make a failing derivation hold, one option for each figure that alone could do it, by label where
    known.
    """
    return [
        say("the printed figure were {range}", range=range_text(needed))
        if key == name
        else say("{id} were {range}", id=_called(key, labels or {}), range=range_text(needed))
        for key, needed in would_hold.items()
        if needed is not None
    ]


def _called(name: str, labels: Mapping[str, str]) -> str:
    return f"{labels[name]} ({name})" if labels.get(name) else name


def relation_sentence(left: Interval, sign: Sign, right: Interval, verdict: Standing) -> Message:
    """A verdict on a relation: both sides and how they compare."""
    return say(
        "Left: {left}; right: {right}. {relation}: {standing}.",
        left=range_text(left),
        right=range_text(right),
        relation=_RELATIONS[sign],
        standing=_STANDINGS[verdict],
    )
