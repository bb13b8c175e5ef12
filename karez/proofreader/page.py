"""A proof as its page shows it: groups of verdicts, failing first, in words of the reader's language. Holds no
judgement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from karez.proofreader.chapter_file import Chapter
from karez.proofreader.proof import Identity, JudgedRelation, ProofResult
from karez.proofreader.units import sentence
from karez.proofreader.words import (
    identity_sentence,
    number_text,
    printed_text,
    range_text,
    would_hold_words,
)

SHOWN = 300  # of each group on the page; the downloads have all
T = TypeVar("T")
VERDICTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "fail": (_("does not hold"), _("The inputs cannot give the printed figure, whatever was rounded.")),
    "pass_if_rounded": (_("holds if rounded"), _("Only if numbers written out in full are taken as rounded.")),
    "bound": (_("within its limit"), _("Printed as a limit, such as “more than”, and kept.")),
    "pass": (_("holds within rounding"), _("The inputs can give it at the printed precision.")),
    "exact": (_("holds exactly"), _("The printed figures give it to the last digit.")),
}
STANDINGS: dict[str, str | Promise] = {
    "broken": _("broken"),
    "possible": _("possible"),
    "holds": _("holds"),
}


@dataclass(frozen=True)
class Group:
    """The identities or relations of one verdict: how many there are, and those shown."""

    code: str
    words: str | Promise
    meaning: str | Promise
    count: int
    shown: list[dict[str, Any]]

    @property
    def left_out(self) -> int:
        """How many are not shown on the page."""
        return self.count - len(self.shown)


def context_of(result: ProofResult, chapter: Chapter) -> dict[str, Any]:
    """All a result page tells."""
    labels = {figure.id: figure.label for figure in chapter.figures}
    identities = [_group(code, result.identities, labels) for code in VERDICTS]
    relations = [_relations(code, result.relations) for code in STANDINGS]
    judged, failing = len(result.identities), identities[0].count
    return {
        "result": result,
        "told": [str(words) for words in result.told],
        "judged": judged,
        "holding": judged - failing,
        "failing": failing,
        "broken": relations[0].count,
        "identities": [group for group in identities if group.count],
        "relations": [group for group in relations if group.count],
        "units": [{"fault": u, "label": labels.get(u.id, ""), "why": sentence(u)} for u in result.units[:SHOWN]],
        "units_left_out": max(0, len(result.units) - SHOWN),
        "faults": [{"fault": f, "found": str(f.found), "expected": str(f.expected)} for f in result.faults[:SHOWN]],
        "faults_left_out": max(0, len(result.faults) - SHOWN),
    }


def _group(code: str, identities: Iterable[Identity], labels: dict[str, str]) -> Group:
    found, count = _first([i for i in identities if i.verdict.value == code])
    return Group(code, *VERDICTS[code], count, [_identity(i, labels) for i in found])


def _relations(code: str, relations: Iterable[JudgedRelation]) -> Group:
    found, count = _first([r for r in relations if r.verdict.value == code])
    return Group(code, STANDINGS[code], "", count, [{"one": r, "why": str(r.why)} for r in found])


def _first(found: Sequence[T]) -> tuple[Sequence[T], int]:
    return found[:SHOWN], len(found)


def _identity(one: Identity, labels: dict[str, str]) -> dict[str, Any]:
    fails = one.verdict.value == "fail"
    return {
        "one": one,
        "label": labels.get(one.id, ""),
        "printed": str(printed_text(one.printed)),
        "computed": None if one.computed is None else str(number_text(one.computed)),
        "range": str(range_text(one.range)),
        # What would make it hold stands in a list of its own.
        "why": str(identity_sentence(one.id, one.printed, one.computed, one.range, one.verdict.value, {}, one.remark)),
        "options": [str(option) for option in would_hold_words(one.id, one.would_hold_at, labels)],
        "inputs": [(name, labels.get(name, ""), str(printed_text(p))) for name, p in one.inputs.items()]
        if fails
        else [],
    }
