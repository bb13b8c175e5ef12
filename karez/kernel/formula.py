"""Formulas over figure ids: read by a small parser, evaluated on exact values or intervals, never executed.

A formula has numbers, ids with dots, + - * / and parentheses; a relation is two formulas with a comparison between. No
calls, no powers, no text. Length, depth, size and the length of the fractions on the way are limited, so no input can
run long or deep. Holds no figures.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cached_property

from karez.kernel.interval import ZERO, DividesByZeroError, Interval
from karez.kernel.messages import say

MAX_CHARACTERS = 8_000
MAX_DEPTH = 50
MAX_NODES = 1_000
MAX_DIGITS = 30
MAX_BITS = 8_192  # of numerator and denominator together, in any value on the way

ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_TOKEN = re.compile(
    rf"[ \t]*(?:(?P<name>{ID.pattern})|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<compare><=|>=|==|!=|<|>|=)|(?P<operator>[-+*/])|(?P<bracket>[()]))"
)


class FormulaError(ValueError):
    """A formula that cannot be read or evaluated: what was found where (characters counted from 1), what was expected."""

    def __init__(self, position: int, found: str, expected: str) -> None:
        super().__init__(f"character {position}: found {found}, expected {expected}")
        self.position, self.found, self.expected = position, found, expected


class Step(Enum):
    """What one step of a formula does."""

    NUMBER = "number"
    NAME = "name"
    MINUS = "unary -"
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


class Sign(Enum):
    """The comparison of a relation."""

    AT_MOST = "<="
    AT_LEAST = ">="
    LESS = "<"
    MORE = ">"
    EQUAL = "=="
    UNEQUAL = "!="


class Standing(Enum):
    """Whether a relation is true for all values its figures may have, for some, or for none."""

    HOLDS = "holds"
    POSSIBLE = "possible"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Node:
    """One step; `left` and `right` are places of earlier steps."""

    step: Step
    number: Fraction = ZERO
    name: str = ""
    left: int = -1
    right: int = -1


@dataclass(frozen=True)
class Formula:
    """A read formula: its steps in the order they are worked out, the last being the result."""

    text: str
    nodes: tuple[Node, ...]

    @cached_property
    def uses(self) -> Counter[str]:
        """How often each id is used, in the order of first use."""
        return Counter(node.name for node in self.nodes if node.step is Step.NAME)

    @property
    def single_id(self) -> str | None:
        """The id where the formula is nothing else: a figure printed again."""
        return self.nodes[0].name if len(self.nodes) == 1 and self.nodes[0].name else None


@dataclass(frozen=True)
class Relation:
    """Two formulas compared."""

    left: Formula
    sign: Sign
    right: Formula


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # name, number, compare, operator, bracket, end
    text: str
    position: int

    @property
    def shown(self) -> str:
        return say("the end") if self.kind == "end" else f"'{shorten(self.text, 40)}'"


def parse_formula(text: str) -> Formula:
    """The formula in a text; raises FormulaError at the first thing that does not belong."""
    reader = _Reader(text)
    reader.sum(0)
    if reader.token.kind != "end":
        raise reader.error(say("an operator (+ - * /) or the end"))
    return Formula(text.strip(), tuple(reader.nodes))


def parse_sign(text: str) -> Sign:
    """The comparison in a text (a single = is read as ==); raises FormulaError on anything else."""
    try:
        return Sign("==" if text.strip() == "=" else text.strip())
    except ValueError:
        raise FormulaError(
            1, f"'{shorten(text, 40)}'", say("one of {these}", these=" ".join(s.value for s in Sign))
        ) from None


def parse_relation(text: str) -> Relation:
    """The relation in a text such as `a + b <= c`; raises FormulaError where it is not one comparison of two formulas."""
    reader = _Reader(text)
    reader.sum(0)
    middle, nodes = reader.token, tuple(reader.nodes)
    if middle.kind != "compare":
        raise reader.error(say("an operator (+ - * /) or a comparison"))
    reader.nodes = []
    reader.advance()
    reader.sum(0)
    if reader.token.kind != "end":
        raise reader.error(say("an operator (+ - * /) or the end"))
    end = middle.position - 1 + len(middle.text)
    left = Formula(text[: middle.position - 1].strip(), nodes)
    return Relation(left, parse_sign(middle.text), Formula(text[end:].strip(), tuple(reader.nodes)))


class _Reader:
    """Recursive descent over the tokens; recursion happens at an opening parenthesis only and is limited there."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise FormulaError(
                MAX_CHARACTERS + 1,
                say("{count} characters", count=len(text)),
                say("at most {limit}", limit=MAX_CHARACTERS),
            )
        self.text = text
        self.end = len(text.rstrip(" \t"))
        self.offset = 0
        self.nodes: list[Node] = []
        self.token = self._next()

    def _next(self) -> _Token:
        if self.offset >= self.end:
            return _Token("end", "", self.end + 1)
        match = _TOKEN.match(self.text, self.offset)
        if match is None:
            rest = self.text[self.offset :].lstrip(" \t")
            raise FormulaError(
                len(self.text) - len(rest) + 1,
                f"'{shorten(rest[0], 40)}'",
                say("an id, a number, + - * / or parentheses"),
            )
        self.offset = match.end()
        kind = match.lastgroup or ""
        return _Token(kind, match[kind], match.start(kind) + 1)

    def advance(self) -> None:
        self.token = self._next()

    def error(self, expected: str) -> FormulaError:
        return FormulaError(self.token.position, self.token.shown, expected)

    def add(self, node: Node) -> int:
        if len(self.nodes) >= MAX_NODES:
            raise FormulaError(
                self.token.position, say("a longer formula"), say("at most {limit} steps", limit=MAX_NODES)
            )
        self.nodes.append(node)
        return len(self.nodes) - 1

    def sum(self, depth: int) -> int:
        left = self._product(depth)
        while self.token.kind == "operator" and self.token.text in "+-":
            step = Step(self.token.text)
            self.advance()
            left = self.add(Node(step, left=left, right=self._product(depth)))
        return left

    def _product(self, depth: int) -> int:
        left = self._factor(depth)
        while self.token.kind == "operator" and self.token.text in "*/":
            step = Step(self.token.text)
            self.advance()
            left = self.add(Node(step, left=left, right=self._factor(depth)))
        return left

    def _factor(self, depth: int) -> int:
        negative = False
        while self.token.kind == "operator" and self.token.text == "-":
            negative = not negative
            self.advance()
        place = self._atom(depth)
        return self.add(Node(Step.MINUS, left=place)) if negative else place

    def _atom(self, depth: int) -> int:
        token = self.token
        if token.kind == "name":
            self.advance()
            return self.add(Node(Step.NAME, name=token.text))
        if token.kind == "number":
            if len(token.text) > MAX_DIGITS:
                raise self.error(say("a number of at most {limit} digits", limit=MAX_DIGITS))
            self.advance()
            return self.add(Node(Step.NUMBER, Fraction(Decimal(token.text))))
        if token.text != "(" or token.kind != "bracket":
            raise self.error(say("an id, a number or an opening parenthesis"))
        if depth >= MAX_DEPTH:
            raise self.error(say("at most {limit} parentheses inside each other", limit=MAX_DEPTH))
        self.advance()
        place = self.sum(depth + 1)
        if self.token.text != ")":
            raise self.error(say("an operator (+ - * /) or a closing parenthesis"))
        self.advance()
        return place


def value_of(formula: Formula, values: Mapping[str, Fraction]) -> Fraction:
    """The formula's exact value; raises DividesByZeroError, and FormulaError where the fractions grow too long."""
    results: list[Fraction] = []
    for node in formula.nodes:
        match node.step:
            case Step.NUMBER:
                result = node.number
            case Step.NAME:
                result = values[node.name]
            case Step.MINUS:
                result = -results[node.left]
            case Step.ADD:
                result = results[node.left] + results[node.right]
            case Step.SUBTRACT:
                result = results[node.left] - results[node.right]
            case Step.MULTIPLY:
                result = results[node.left] * results[node.right]
            case Step.DIVIDE:
                if not results[node.right]:
                    raise DividesByZeroError
                result = results[node.left] / results[node.right]
        _check_length(result)
        results.append(result)
    return results[-1]


def ranges_of(formula: Formula, ranges: Mapping[str, Interval]) -> list[Interval]:
    """The range of every step when each id may be anywhere in its range; the last is the formula's. Raises as
    `value_of`.
    """
    results: list[Interval] = []
    for node in formula.nodes:
        match node.step:
            case Step.NUMBER:
                result = Interval.point(node.number)
            case Step.NAME:
                result = ranges[node.name]
            case Step.MINUS:
                result = -results[node.left]
            case Step.ADD:
                result = results[node.left] + results[node.right]
            case Step.SUBTRACT:
                result = results[node.left] - results[node.right]
            case Step.MULTIPLY:
                result = results[node.left] * results[node.right]
            case Step.DIVIDE:
                result = results[node.left] / results[node.right]
        _check_length(result.low[1])
        _check_length(result.high[1])
        results.append(result)
    return results


def standing(left: Interval, sign: Sign, right: Interval) -> Standing:
    """Whether a comparison is true for all, some or none of the values in two ranges."""
    match sign:
        case Sign.AT_LEAST:
            return standing(right, Sign.AT_MOST, left)
        case Sign.MORE:
            return standing(right, Sign.LESS, left)
        case Sign.AT_MOST:
            always, never = left.not_above(right), right.below(left)
        case Sign.LESS:
            always, never = left.below(right), right.not_above(left)
        case Sign.EQUAL | Sign.UNEQUAL:
            always, never = left.is_point and left == right, not left.meets(right)
            if sign is Sign.UNEQUAL:
                always, never = never, always
    return Standing.HOLDS if always else Standing.BROKEN if never else Standing.POSSIBLE


def shorten(text: str, length: int) -> str:
    """The text on one line in printable characters, cut to a length, for faults."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: length + 1])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def _check_length(value: Fraction) -> None:
    if value.numerator.bit_length() + value.denominator.bit_length() > MAX_BITS:
        raise FormulaError(
            1, say("numbers growing too long"), say("values within {limit} binary digits", limit=MAX_BITS)
        )
