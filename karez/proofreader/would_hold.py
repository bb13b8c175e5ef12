"""What values of its inputs would make a failing formula hold. Holds no verdicts.

An input used once is found by undoing the formula step by step from the printed range, the other inputs anywhere in
theirs. An input used more than once (a share of a sum it is part of, a growth) is found with the others at their
printed values, where the formula is a ratio of straight lines in it.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from karez.kernel.formula import Formula, Step
from karez.kernel.interval import EVERYTHING, ZERO, DividesByZeroError, Interval

_MAX_NODES_REPEATED = 200  # a longer formula with a repeated input is not solved for it
_LINE = 2  # coefficients of a straight line
_MAX_COEFFICIENTS = 4

Polynomial = tuple[Fraction, ...]  # coefficients, constant first
Ratio = tuple[Polynomial, Polynomial]


def would_hold_at(
    formula: Formula, ranges: Sequence[Interval], values: Mapping[str, Fraction], target: Interval
) -> dict[str, Interval | None]:
    """For each input the values with which the formula can reach `target`; None where no value or no single range does.

    `ranges` are the formula's steps as `ranges_of` gives them.
    """
    needed = _undo(formula, ranges, target)
    places = {node.name: place for place, node in enumerate(formula.nodes) if node.name}
    found: dict[str, Interval | None] = {}
    for name, count in formula.uses.items():
        if count > 1:
            repeated = len(formula.nodes) <= _MAX_NODES_REPEATED
            found[name] = _solve(formula, name, values, target) if repeated else None
        else:
            found[name] = needed[places[name]]
    return found


def _undo(formula: Formula, ranges: Sequence[Interval], target: Interval) -> list[Interval | None]:
    """The range each step needs so that the result can be in `target`; steps come after what they use, so from the end."""
    needed: list[Interval | None] = [None] * len(formula.nodes)
    needed[-1] = target
    for place in range(len(formula.nodes) - 1, -1, -1):
        node, result = formula.nodes[place], needed[place]
        if result is None:
            continue
        left, right = ranges[node.left], ranges[node.right]  # -1 for none: read, not used
        match node.step:
            case Step.MINUS:
                needed[node.left] = -result
            case Step.ADD:
                needed[node.left], needed[node.right] = result - right, result - left
            case Step.SUBTRACT:
                needed[node.left], needed[node.right] = result + right, left - result
            case Step.MULTIPLY:
                needed[node.left], needed[node.right] = _quotient(result, right), _quotient(result, left)
            case Step.DIVIDE:
                needed[node.left], needed[node.right] = result * right, _quotient(left, result)
    return needed


def _quotient(product: Interval, factor: Interval) -> Interval | None:
    """What times `factor` can be in `product`: None for nothing, or for two separate ranges."""
    if product.contains(0) and factor.contains(0):
        return EVERYTHING
    try:
        return product / factor
    except DividesByZeroError:
        return None


def _solve(formula: Formula, name: str, values: Mapping[str, Fraction], target: Interval) -> Interval | None:
    ratio = _as_ratio(formula, name, values)
    if ratio is None or len(ratio[0]) > _LINE or len(ratio[1]) > _LINE:
        return None
    (q, p), (s, r) = ((*part, ZERO, ZERO)[:2] for part in ratio)
    slope = p * s - q * r
    if not slope:
        return None  # the input cancels out
    if not r:
        return (target * Interval.point(s) - Interval.point(q)) * Interval.point(1 / p)
    # (px + q) / (rx + s) = y, so x = -s/r + (q - sp/r) / (ry - p), in which y stands once.
    below = target * Interval.point(r) - Interval.point(p)
    try:
        return Interval.point(-s / r) + Interval.point(q - s * p / r) / below
    except DividesByZeroError:
        return None


def _as_ratio(formula: Formula, name: str, values: Mapping[str, Fraction]) -> Ratio | None:
    """The formula as a ratio of two polynomials in one input, the others at their values; None where it grows too long."""
    one: Polynomial = (Fraction(1),)
    results: list[Ratio] = []
    for node in formula.nodes:
        match node.step:
            case Step.NUMBER:
                result: Ratio = (_trim((node.number,)), one)
            case Step.NAME:
                result = ((ZERO, Fraction(1)) if node.name == name else _trim((values[node.name],)), one)
            case Step.MINUS:
                result = (_times(results[node.left][0], (Fraction(-1),)), results[node.left][1])
            case Step.ADD:
                result = _ratio_sum(results[node.left], results[node.right], 1)
            case Step.SUBTRACT:
                result = _ratio_sum(results[node.left], results[node.right], -1)
            case Step.MULTIPLY:
                (a, b), (c, d) = results[node.left], results[node.right]
                result = (_times(a, c), _times(b, d))
            case Step.DIVIDE:
                (a, b), (c, d) = results[node.left], results[node.right]
                result = (_times(a, d), _times(b, c))
        if max(len(result[0]), len(result[1])) > _MAX_COEFFICIENTS or not result[1]:
            return None
        results.append(result)
    return results[-1]


def _ratio_sum(one: Ratio, two: Ratio, sign: int) -> Ratio:
    (a, b), (c, d) = one, two
    c = tuple(sign * x for x in c)
    return (_plus(a, c), b) if b == d else (_plus(_times(a, d), _times(c, b)), _times(b, d))


def _plus(one: Polynomial, two: Polynomial) -> Polynomial:
    length = max(len(one), len(two))
    padded = ((*part, *(ZERO,) * (length - len(part))) for part in (one, two))
    return _trim(tuple(a + b for a, b in zip(*padded, strict=True)))


def _times(one: Polynomial, two: Polynomial) -> Polynomial:
    result = [ZERO] * max(0, len(one) + len(two) - 1) if one and two else []
    for i, a in enumerate(one):
        for j, b in enumerate(two):
            result[i + j] += a * b
    return _trim(tuple(result))


def _trim(polynomial: Polynomial) -> Polynomial:
    """Without leading zeros; the zero polynomial is empty."""
    while polynomial and not polynomial[-1]:
        polynomial = polynomial[:-1]
    return polynomial
