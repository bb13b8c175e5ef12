"""The proofreader: whether the figures of a chapter fit together at the precision they are printed with. Holds no
pages.

A *derivation* says how a printed figure follows from others; its verdict is `exact` (the printed values give it
exactly), `pass` (they can give it within rounding), `pass_if_rounded` (only if figures printed in full are taken as
rounded), `bound` (the figure is a limit such as "more than" and is kept) or `fail`. A *relation* of a rules file
`holds` for all values the figures may have, is `possible` for some, or is `broken` for all. What cannot be judged is a
fault, never a silent gap.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from karez.kernel.formula import Formula, FormulaError, Sign, Standing, Step, ranges_of, shorten, standing, value_of
from karez.kernel.interval import DividesByZeroError, Interval
from karez.kernel.messages import say
from karez.kernel.printed import PrintedNumber, plain_number
from karez.proofreader.chapter_file import (
    MAX_BYTES,
    Chapter,
    Fault,
    PrintedFigure,
    Rule,
    Rules,
    read_chapter,
    read_rules,
)
from karez.proofreader.circles import circles
from karez.proofreader.units import UnitFault, unit_faults
from karez.proofreader.words import identity_sentence, relation_sentence, would_hold_words
from karez.proofreader.would_hold import would_hold_at

Progress = Callable[[int, int], None]
_TELL_EVERY = 500
DATA = Path(__file__).parent / "data"


class Verdict(Enum):
    """What is said of a derivation."""

    EXACT = "exact"
    PASS = "pass"  # noqa: S105 - a verdict
    PASS_IF_ROUNDED = "pass_if_rounded"  # noqa: S105 - a verdict
    BOUND = "bound"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Identity:
    """A derivation judged. `would_hold_at` is empty unless it fails; its first entry is the printed figure itself."""

    line: int
    id: str
    formula: str
    printed: PrintedNumber
    computed: Fraction | None  # None where a divisor's printed value is zero but its range goes beyond
    range: Interval
    verdict: Verdict
    inputs: Mapping[str, PrintedNumber]
    would_hold_at: Mapping[str, Interval | None]
    remark: str = ""  # what is to be said of it whatever the verdict

    def as_dict(self) -> dict[str, Any]:
        """The identity with its stable keys first."""
        return {
            "id": self.id,
            "formula": self.formula,
            "printed": plain_number(self.printed.fraction),
            "computed": None if self.computed is None else plain_number(self.computed),
            **_ends(self.range),
            "verdict": self.verdict.value,
            "inputs": {
                name: {"printed": plain_number(printed.fraction), **_ends(printed.interval)}
                for name, printed in self.inputs.items()
            },
            "would_hold_at": {name: needed and _ends(needed) for name, needed in self.would_hold_at.items()},
            "why": self.why,
            "remark": self.remark,
            "line": self.line,
        }

    @property
    def would_hold(self) -> list[str]:
        """What would make it hold, each option in words."""
        return would_hold_words(self.id, self.would_hold_at)

    @property
    def why(self) -> str:
        """The verdict as a sentence."""
        return identity_sentence(
            self.id, self.printed, self.computed, self.range, self.verdict.value, self.would_hold_at, self.remark
        )


@dataclass(frozen=True, slots=True)
class JudgedRelation:
    """A relation judged, with the ranges of its two sides."""

    line: int
    left: str
    sign: Sign
    right: str
    verdict: Standing
    left_range: Interval
    right_range: Interval
    meaning: str

    def as_dict(self) -> dict[str, Any]:
        """The relation with its stable keys first."""
        return {
            "left": self.left,
            "relation": self.sign.value,
            "right": self.right,
            "verdict": self.verdict.value,
            "left_range": _ends(self.left_range),
            "right_range": _ends(self.right_range),
            "meaning": self.meaning,
            "why": self.why,
            "line": self.line,
        }

    @property
    def why(self) -> str:
        """The verdict as a sentence."""
        return relation_sentence(self.left_range, self.sign, self.right_range, self.verdict)


@dataclass(frozen=True)
class ProofResult:
    """All that was judged and all that could not be; `units` stand beside the verdicts, `ignored` names columns nothing
    reads.

    `gb18030` names the files ("figures", "rules") that are no UTF-8 and were read so; the words of a file do not change
    verdicts.
    """

    identities: tuple[Identity, ...]
    relations: tuple[JudgedRelation, ...]
    faults: tuple[Fault, ...]
    figures: int
    ignored: tuple[str, ...] = ()
    units: tuple[UnitFault, ...] = ()
    gb18030: tuple[str, ...] = field(default=(), compare=False)
    told: tuple[str, ...] = field(default=(), compare=False)  # of workbooks: which sheet was read, what is hidden

    @property
    def sound(self) -> bool:
        """Whether no derivation fails and no relation is broken; faults of rows and of units are apart."""
        return not any(i.verdict is Verdict.FAIL for i in self.identities) and not any(
            r.verdict is Standing.BROKEN for r in self.relations
        )

    def as_dict(self) -> dict[str, Any]:
        """The whole answer; the first three keys are stable."""
        return {
            "identities": [identity.as_dict() for identity in self.identities],
            "relations": [relation.as_dict() for relation in self.relations],
            "faults": [fault.as_dict() for fault in self.faults],
            "units": [fault.as_dict() for fault in self.units],
            "figures": self.figures,
            "ignored_columns": list(self.ignored),
        }


def proof(figures_file: Path, rules_file: Path | None = None, progress: Progress | None = None) -> ProofResult:
    """The verdicts on a chapter file and its rules, by default those that belong to it; raises OSError where a file
    cannot be read.
    """
    chapter = read_chapter(_bytes(figures_file), figures_file.name)
    rules = Rules()
    if path := rules_file or rules_beside(figures_file):
        rules = read_rules(_bytes(path))
        if rules_file is None and path.parent == DATA and not _fits(rules, chapter):
            rules = Rules()  # another chapter that happens to be named as a carried one
    return judge(chapter, rules, progress)


def proof_of(figures: bytes, rules: bytes | None = None, progress: Progress | None = None) -> ProofResult:
    """The same on the bytes of the files, without rules where none are given; `progress` is told how many of all
    derivations and relations are judged.
    """
    return judge(read_chapter(figures), Rules() if rules is None else read_rules(rules), progress)


def rules_beside(figures_file: Path) -> Path | None:
    """The rules file that belongs to a chapter file: `<name>.rules.csv` beside it, else that of the carried chapter so
    named.
    """
    name = figures_file.stem + ".rules.csv"
    return next((path for path in (figures_file.with_name(name), DATA / name) if path.is_file()), None)


def judge(chapter: Chapter, rules: Rules, progress: Progress | None = None) -> ProofResult:
    """The verdicts on what was read; time grows linearly with the number of derivations and relations."""
    steps = judging(chapter, rules)
    while True:
        try:
            done, total = next(steps)
        except StopIteration as end:
            result: ProofResult = end.value
            return result
        if progress is not None and (done % _TELL_EVERY == 0 or done == total):
            progress(done, total)


def judging(chapter: Chapter, rules: Rules) -> Generator[tuple[int, int], None, ProofResult]:
    """The same step by step: yields how many of all derivations and relations are judged, and returns the result."""
    if chapter.faults and not chapter.figures:  # nothing to judge rules by: the faults of the file say it all
        rules = Rules(faults=rules.faults, gb18030=rules.gb18030, told=rules.told)
    work = _Judging(chapter)
    derived = [figure for figure in chapter.figures if figure.derivation is not None]
    circular = work.circular(derived)
    total = len(derived) + len(rules.rules)
    identities, relations = [], []
    for done, figure in enumerate(derived):
        yield done, total
        if figure.id not in circular:
            identities.append(work.identity(figure))
    for done, rule in enumerate(rules.rules, start=len(derived)):
        yield done, total
        relations.append(work.relation(rule))
    yield total, total
    faults = [*chapter.faults, *rules.faults, *work.faults]
    return ProofResult(
        tuple(i for i in identities if i is not None),
        tuple(r for r in relations if r is not None),
        tuple(sorted(faults, key=lambda fault: (fault.file, fault.line))),
        len(chapter.figures),
        chapter.ignored,
        tuple(unit_faults(chapter, rules)),
        tuple(name for name, read in (("figures", chapter), ("rules", rules)) if read.gb18030),
        (*chapter.told, *rules.told),
    )


class _Judging:
    """The readable figures by id, each with its value, its range, and its range if nothing in it is assumed."""

    def __init__(self, chapter: Chapter) -> None:
        self.lines = chapter.lines
        self.faults: list[Fault] = []
        self.printed = {figure.id: figure.printed for figure in chapter.figures}
        self.values = {figure.id: figure.printed.fraction for figure in chapter.figures}
        self.ranges = {figure.id: figure.printed.interval for figure in chapter.figures}
        self.assumed = {figure.id for figure in chapter.figures if figure.rounding_assumed}
        self.unassumed = {
            name: Interval.point(self.values[name]) if name in self.assumed else interval
            for name, interval in self.ranges.items()
        }

    def circular(self, derived: Iterable[PrintedFigure]) -> set[str]:
        """The ids whose derivations lead back to themselves, each circle told as a fault of its members."""
        links = {f.id: tuple(f.derivation.uses) for f in derived if f.derivation is not None}
        found: set[str] = set()
        for circle in circles(links):
            found.update(circle)
            shown, more = ", ".join(circle[:4]), len(circle) - 4
            told = say("a circle of {ids}", ids=shown)
            if more > 0:
                told = say("a circle of {ids} and {more} more", ids=shown, more=more)
            for name in circle:
                expected = say("a formula that does not lead back to the figure itself")
                self.faults.append(Fault(self.lines[name], "derivation", told, expected))
        return found

    def identity(self, figure: PrintedFigure) -> Identity | None:
        """The derivation judged, None (and a fault) where it cannot be."""
        formula = figure.derivation
        if formula is None or not self._known(formula, figure.line, "derivation", "figures"):
            return None
        target = self.ranges[figure.id]
        try:
            ranges = ranges_of(formula, self.ranges)
            computed = self._value(formula)
            verdict = self._verdict(figure, ranges[-1], computed)
        except (DividesByZeroError, FormulaError) as error:
            self._unworkable(error, figure.line, "derivation", "figures")
            return None
        needed: dict[str, Interval | None] = {}
        if verdict is Verdict.FAIL:
            needed = {figure.id: ranges[-1], **would_hold_at(formula, ranges, self.values, target)}
        inputs = {name: self.printed[name] for name in formula.uses}
        return Identity(
            figure.line,
            figure.id,
            formula.text,
            figure.printed,
            computed,
            ranges[-1],
            verdict,
            inputs,
            needed,
            _remark(figure, formula, ranges),
        )

    def relation(self, rule: Rule) -> JudgedRelation | None:
        """The relation judged, None (and a fault) where it cannot be."""
        sides: list[Interval] = []
        for column, formula in (("left", rule.left), ("right", rule.right)):
            if not self._known(formula, rule.line, column, "rules"):
                continue
            try:
                sides.append(ranges_of(formula, self.ranges)[-1])
            except (DividesByZeroError, FormulaError) as error:
                self._unworkable(error, rule.line, column, "rules")
        if len(sides) < 2:
            return None
        left, right = sides
        verdict = standing(left, rule.sign, right)
        meaning = rule.cells.get("meaning", "")
        return JudgedRelation(rule.line, rule.left.text, rule.sign, rule.right.text, verdict, left, right, meaning)

    def _value(self, formula: Formula) -> Fraction | None:
        try:
            return value_of(formula, self.values)
        except DividesByZeroError:
            return None  # the range says what can be said

    def _verdict(self, figure: PrintedFigure, computed: Interval, value: Fraction | None) -> Verdict:
        target = self.ranges[figure.id]
        if not computed.meets(target):
            return Verdict.FAIL
        if value == figure.printed.fraction:
            return Verdict.EXACT
        formula = figure.derivation
        if formula is not None and not self.assumed.isdisjoint((figure.id, *formula.uses)):
            strict = ranges_of(formula, self.unassumed)[-1]
            if not strict.meets(self.unassumed[figure.id]):
                return Verdict.PASS_IF_ROUNDED
        return Verdict.BOUND if figure.printed.qualifier.is_bound else Verdict.PASS

    def _known(self, formula: Formula, line: int, column: str, file: str) -> bool:
        known = True
        for name in formula.uses:
            if name in self.printed:
                continue
            known = False
            if name in self.lines:
                found = say("{id}, whose own row has a fault", id=name)
                expected = say("a figure that can be read on line {line}", line=self.lines[name])
            else:
                found = say("{id}, which no row has as its id", id=shorten(name, 80))
                expected = say("an id of this file")
            self.faults.append(Fault(line, column, found, expected, file))
        return known

    def _unworkable(self, error: Exception, line: int, column: str, file: str) -> None:
        if isinstance(error, FormulaError):
            self.faults.append(Fault(line, column, error.found, error.expected, file))
        else:
            found = say("a division by what is zero or may lie on both sides of it")
            self.faults.append(Fault(line, column, found, say("a divisor that is not zero"), file))


def _remark(figure: PrintedFigure, formula: Formula, ranges: list[Interval]) -> str:
    """Of a growth or share over what is below zero: the division can be right, and still says nothing."""
    kind = figure.cells.get("kind", "").strip()
    below = any(
        node.step is Step.DIVIDE and (highest := ranges[node.right].highest) is not None and highest < 0
        for node in formula.nodes
    )
    if not below or kind not in ("growth", "share"):
        return ""
    if kind == "growth":
        return say("A growth over a base below zero: its sign and size say nothing.")
    return say("A share of a whole below zero: its sign and size say nothing.")


def _ends(interval: Interval) -> dict[str, int | float | str | None]:
    """Both ends of a range, None for no limit."""
    low, high = interval.lowest, interval.highest
    return {
        "low": None if low is None else plain_number(low),
        "high": None if high is None else plain_number(high),
    }


def _fits(rules: Rules, chapter: Chapter) -> bool:
    return all(name in chapter.lines for rule in rules.rules for side in (rule.left, rule.right) for name in side.uses)


def _bytes(path: Path) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MAX_BYTES + 1)
