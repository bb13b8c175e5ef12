"""Printed figures of a chapter against computed ones, each at its printed precision and hedge. Holds no computing of
figures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from karez.kernel.printed import PrintedNumber, Qualifier, digits, plain_number, rounds_to
from karez.proofreader.chapter_file import PrintedFigure
from karez.proofreader.words import number_text

Computed = Decimal | Fraction | int | None


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One printed figure; `agrees` is None where nothing is computed, `reason` is a stable word for why."""

    id: str
    label: str
    printed: PrintedNumber
    computed: Fraction | None
    agrees: bool | None
    reason: str  # same, within, differs, no_value, no_definition
    line: int

    @property
    def why(self) -> str:
        """The comparison as a sentence."""
        if self.reason == "no_definition":
            return "No definition of this figure exists yet."
        if self.computed is None:
            return "The figure is defined but has no value for this place and year."
        start = f"Computed: {number_text(self.computed)}; printed: {self.printed}"
        if self.reason == "same":
            return f"{start}: the same."
        if self.reason == "within":
            return f"{start}: it agrees {_manner(self.printed)}."
        return f"{start}: it does not agree {_manner(self.printed)}."

    def as_dict(self) -> dict[str, Any]:
        """The figure with its stable keys first."""
        return {
            "id": self.id,
            "label": self.label,
            "printed": plain_number(self.printed.fraction),
            "qualifier": self.printed.qualifier.value,
            "rounding": plain_number(self.printed.rounding),
            "computed": None if self.computed is None else plain_number(self.computed),
            "agrees": self.agrees,
            "why": self.why,
            "unit": self.printed.unit,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class CompareResult:
    """All rows compared, in the order of the file."""

    figures: tuple[ComparedFigure, ...]

    @property
    def agreeing(self) -> int:
        """How many agree."""
        return sum(figure.agrees is True for figure in self.figures)

    @property
    def differing(self) -> int:
        """How many do not; the rest has nothing computed."""
        return sum(figure.agrees is False for figure in self.figures)

    def as_dict(self) -> dict[str, Any]:
        """The whole answer; the first three keys are stable, `of` counts every row of the file."""
        return {
            "figures": [figure.as_dict() for figure in self.figures],
            "agreeing": self.agreeing,
            "of": len(self.figures),
            "differing": self.differing,
        }


def compare(
    rows: Iterable[PrintedFigure], computed: Mapping[str, Computed], aliases: Mapping[str, str] | None = None
) -> CompareResult:
    """Each row against the computed figure of its id, in the unit printed; `aliases` maps ids printed again to their
    figure's.
    """
    return CompareResult(tuple(_compared(row, computed, aliases or {}) for row in rows))


def _compared(row: PrintedFigure, computed: Mapping[str, Computed], aliases: Mapping[str, str]) -> ComparedFigure:
    name = row.id if row.id in computed else aliases.get(row.id, row.id)
    found = computed.get(name)
    value = None if found is None else Fraction(found)
    if value is None:
        agrees, reason = None, "no_value" if name in computed else "no_definition"
    else:
        agrees = rounds_to(value, row.printed)
        reason = "differs" if not agrees else "same" if value == row.printed.fraction else "within"
    return ComparedFigure(row.id, row.label, row.printed, value, agrees, reason, row.line)


def _manner(printed: PrintedNumber) -> str:
    """The hedge of a printed number as a manner of agreeing."""
    match printed.qualifier:
        case Qualifier.EXACT:
            return "exactly"
        case Qualifier.ROUNDED:
            return f"when rounded to {digits(printed.rounding, printed.rounding)}"
        case Qualifier.NEARLY:
            return "with the word nearly, taken as at most a tenth or one unit of rounding below"
        case Qualifier.ABOUT:
            return "with the word about, taken as at most a tenth or one unit of rounding away"
        case limit:
            return f"with the limit {limit.value.replace('_', ' ')}"
