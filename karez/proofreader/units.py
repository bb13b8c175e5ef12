"""What a chapter's units, kinds and periods alone rule out, told beside the verdicts. Holds no arithmetic of
derivations.

A unit is free text; those of `kernel/units.py` are known under several spellings. Only what cannot be right, whatever
the values, is told: a number standing alone, a product, or a unit left empty is never a fault.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from karez.kernel.folding import fold
from karez.kernel.formula import Formula, Step, shorten
from karez.kernel.interval import Interval
from karez.kernel.messages import Message, say
from karez.kernel.units import one_name_of
from karez.proofreader.chapter_file import Chapter, PrintedFigure, Rules

_COUNTS = {"persons", "person_times", "households", "villages", "counties"}
_ONE_THING = _COUNTS | {"percent", "percentage_points", "yuan"}
_HEADINGS = {
    "units",
    "items",
    "list_items",
    "places",
    "organisations",
    "cases",
}  # what may count unlike things together
_WHOLE = Interval.between(0, 100)
_YEAR = re.compile(r"(?:end_)?([12][0-9]{3})")

SHARE = say("a share of a whole lies between 0 and 100 percent")
SHARE_UNIT = say("a share is a part of a whole in percent; percentage points are a difference of shares")
SHARE_OF_UNLIKE = say("a share divides a part by a whole in the same unit")
PART = say("a part is not larger than its whole")
PART_UNIT = say("a part has the unit of its whole")
PART_WHOLE = say("a part names the figure it is part of")
RESTATED = say("a figure said again has the value it had first")
RESTATED_UNIT = say("a figure said again has the unit it had first")
RESTATED_PERIOD = say("a figure said again is of the same year")
ATTENDANCES = say("persons and attendances are not added: one person may attend many times")
POINTS = say("percent and percentage points are unlike: the one is a share, the other a difference of shares")
MIXED = say("only like units are added, subtracted or compared")
RESULT = say("a sum has the unit of what it adds")
PERIODS = say("a year's sum adds figures of that year")
STATES = say("states of two different days are not added: what stood on both would count twice")
NEGATIVE = say("a count of what is there is not below zero")


@dataclass(frozen=True, slots=True)
class UnitFault:
    """Something that units, kinds or periods rule out; `id` is the figure, or the comparison of a rules file."""

    line: int
    id: str
    found: str
    expected: str
    rule: Message
    file: str = "figures"

    def as_dict(self) -> dict[str, Any]:
        """The fault with its stable keys first."""
        stable = {"line": self.line, "id": self.id, "found": self.found, "expected": self.expected, "rule": self.rule}
        return {**stable, "file": self.file}


def unit_of(text: str) -> str:
    """The unit under its one name: width, spaces and capitals put aside, known spellings (`kernel/units.py`) brought
    together.
    """
    return one_name_of(text) or "_".join(fold(text).lower().split())


def unit_faults(chapter: Chapter, rules: Rules) -> Iterator[UnitFault]:
    """All faults of units in a chapter and its rules, in the order of their lines, rules last; in linear time."""
    figures = {figure.id: figure for figure in chapter.figures}
    judge = _Units(figures)
    for figure in chapter.figures:
        yield from judge.alone(figure)
        yield from judge.part(figure, chapter.lines)
        if figure.derivation is not None and all(name in figures for name in figure.derivation.uses):
            yield from judge.derived(figure, figure.derivation)
    for rule in rules.rules:
        sides = (rule.left, rule.right)
        if not all(name in figures for side in sides for name in side.uses):
            continue
        name = shorten(f"{rule.left.text} {rule.sign.value} {rule.right.text}", 120)
        found = [judge.within(side, "") for side in sides]
        pairs = [pair for _, mixed in found for pair in mixed] + _unlike(found[0][0], found[1][0])
        for pair in pairs[:1]:
            yield _mixed(rule.line, name, pair, "rules")


class _Units:
    def __init__(self, figures: dict[str, PrintedFigure]) -> None:
        self.figures = figures
        self.units = {name: unit_of(figure.printed.unit) for name, figure in figures.items()}

    def alone(self, figure: PrintedFigure) -> Iterator[UnitFault]:
        """What a figure's own unit, kind and value rule out."""
        unit, kind = self.units[figure.id], _cell(figure, "kind")
        printed = figure.printed
        if kind == "share" and unit == "percent" and not printed.interval.meets(_WHOLE):
            yield UnitFault(figure.line, figure.id, _number(figure), say("between 0 and 100 percent"), SHARE)
        if kind == "share" and (unit in _COUNTS or unit in ("percentage_points", "yuan")):
            yield UnitFault(
                figure.line, figure.id, say("a share in {unit}", unit=printed.unit), say("percent"), SHARE_UNIT
            )
        if kind == "stock" and unit in _COUNTS and not printed.interval.meets(Interval.between(0, None)):
            yield UnitFault(figure.line, figure.id, _number(figure), say("zero or more"), NEGATIVE)

    def part(self, figure: PrintedFigure, lines: dict[str, int]) -> Iterator[UnitFault]:
        """What the column `part_of` rules out."""
        name = figure.cells.get("part_of", "")
        if not name:
            return
        whole = self.figures.get(name)
        if whole is None or whole is figure:
            found = say("part of {id}", id=shorten(name, 80))
            expected = say("the id of another figure of this file")
            if name in lines and whole is None:
                expected = say("a figure that can be read on line {line}", line=lines[name])
            yield UnitFault(figure.line, figure.id, found, expected, PART_WHOLE)
        elif _unlike(self.units[figure.id], self.units[name]):
            yield _unit_fault(figure, whole, PART_UNIT)
        elif whole.printed.interval.below(figure.printed.interval):
            expected = say("no more than {number}, as {id}", number=_number(whole), id=name)
            yield UnitFault(figure.line, figure.id, _number(figure), expected, PART)

    def derived(self, figure: PrintedFigure, formula: Formula) -> Iterator[UnitFault]:
        """What a derivation's inputs rule out by their units and periods."""
        if formula.single_id is not None:
            yield from self._restated(figure, self.figures[formula.single_id])
            return
        target = self.units[figure.id]
        result, mixed = self.within(formula, target)
        top = formula.nodes[-1]
        points = top.step is Step.SUBTRACT and (result, target) == ("percent", "percentage_points")
        fits = points or target in _HEADINGS
        if mixed:
            yield _mixed(figure.line, figure.id, mixed[0])
        elif top.step in (Step.ADD, Step.SUBTRACT) and not fits and _unlike(result, target):
            yield UnitFault(figure.line, figure.id, say("a sum of {unit}", unit=result), _unit(figure), RESULT)
        if _cell(figure, "kind") == "share" and top.step is Step.DIVIDE:
            yield from self._share(figure, formula)
        yield from self._periods(figure, formula)

    def within(self, formula: Formula, target: str) -> tuple[str, list[tuple[str, str]]]:
        """The unit of a formula ("" where it says nothing) and the pairs of unlike units added on the way."""
        results: list[str] = []
        mixed: list[tuple[str, str]] = []
        for node in formula.nodes:
            left = results[node.left] if node.left >= 0 else ""
            right = results[node.right] if node.right >= 0 else ""
            match node.step:
                case Step.NAME:
                    unit = self.units[node.name]
                case Step.MINUS:
                    unit = left
                case Step.ADD | Step.SUBTRACT:
                    headed = target in _HEADINGS and not ({left, right} & _ONE_THING)
                    # Last year's share and its change in points give this year's share.
                    moved = target == "percent" and {left, right} == {"percent", "percentage_points"}
                    mixed += [] if headed or moved else _unlike(left, right)
                    unit = "percent" if moved else "" if headed and left != right else left or right
                case _:
                    unit = ""  # a product, a quotient or a number: nothing is told of its unit
            results.append(unit)
        return results[-1], mixed

    def _restated(self, figure: PrintedFigure, first: PrintedFigure) -> Iterator[UnitFault]:
        if _unlike(self.units[figure.id], self.units[first.id]):
            yield _unit_fault(figure, first, RESTATED_UNIT)
            return
        here, there = figure.printed, first.printed
        if here.fraction != there.fraction and not here.interval.meets(there.interval):
            expected = say("{number}, as {id} on line {line}", number=_number(first), id=first.id, line=first.line)
            yield UnitFault(figure.line, figure.id, _number(figure), expected, RESTATED)
        one, other = _year(figure), _year(first)
        if one and other and one != other and _cell(figure, "kind") == _cell(first, "kind"):
            yield UnitFault(figure.line, figure.id, _period(figure), _period(first), RESTATED_PERIOD)

    def _share(self, figure: PrintedFigure, formula: Formula) -> Iterator[UnitFault]:
        """A share of one figure in another, `100 * a / b` or `a / b`: both in one unit."""
        names = list(formula.uses)
        plain = len(names) == 2 and all(n.step not in (Step.ADD, Step.SUBTRACT) for n in formula.nodes)
        if not plain or sum(n.step is Step.DIVIDE for n in formula.nodes) > 1:
            return
        part, whole = (self.units[name] for name in names)
        if _unlike(part, whole) and "percent" not in (part, whole):
            found = say("{part} divided by {whole}", part=part, whole=whole)
            yield UnitFault(figure.line, figure.id, found, say("the same unit above and below"), SHARE_OF_UNLIKE)

    def _periods(self, figure: PrintedFigure, formula: Formula) -> Iterator[UnitFault]:
        """A plain sum of figures of one kind: flows of the year itself, states of one day."""
        if any(node.step not in (Step.NAME, Step.ADD) for node in formula.nodes):
            return
        parts = [self.figures[name] for name in formula.uses]
        years = [_year(part) for part in parts]
        kinds = {_cell(part, "kind") for part in parts}
        if not all(years) or len(kinds) > 1:
            return
        told = say("figures of {years}", years=", ".join(sorted(set(years))))
        if kinds == {"flow"} and _cell(figure, "kind") == "flow" and _year(figure) and set(years) != {_year(figure)}:
            yield UnitFault(figure.line, figure.id, told, _period(figure), PERIODS)
        elif kinds == {"stock"} and len(set(years)) > 1:
            yield UnitFault(figure.line, figure.id, told, say("figures of one day"), STATES)


def _unlike(one: str, other: str) -> list[tuple[str, str]]:
    return [(one, other)] if one and other and one != other else []


def _mixed(line: int, name: str, pair: Sequence[str], file: str = "figures") -> UnitFault:
    found = say("{one} with {other}", one=pair[0], other=pair[1])
    rule = MIXED
    if set(pair) == {"persons", "person_times"}:
        rule = ATTENDANCES
    elif set(pair) == {"percent", "percentage_points"}:
        rule = POINTS
    return UnitFault(line, name, found, say("one unit in all parts"), rule, file)


def _unit_fault(figure: PrintedFigure, other: PrintedFigure, rule: Message) -> UnitFault:
    expected = say("{unit}, as {id}", unit=other.printed.unit, id=other.id)
    return UnitFault(figure.line, figure.id, _unit(figure), expected, rule)


def _unit(figure: PrintedFigure) -> str:
    return shorten(figure.printed.unit, 60)


def _number(figure: PrintedFigure) -> Message:
    return say("{number} {unit}", number=str(figure.printed), unit=_unit(figure))


def _cell(figure: PrintedFigure, column: str) -> str:
    return figure.cells.get(column, "").lower()


def _year(figure: PrintedFigure) -> str:
    found = _YEAR.fullmatch(_cell(figure, "period"))
    return found[1] if found else ""


def _period(figure: PrintedFigure) -> Message:
    return say("a figure of {period}", period=shorten(figure.cells.get("period", ""), 40))


def sentence(fault: UnitFault) -> str:
    """A unit fault as one sentence in the active language."""
    return str(
        say(
            "Found {found}; expected {expected}: {rule}.",
            found=fault.found,
            expected=fault.expected,
            rule=fault.rule,
        )
    )
