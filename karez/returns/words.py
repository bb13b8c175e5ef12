"""Measures and their units in the reader's language. Holds no numbers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from karez.returns.models import Measure

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

UNITS: "Mapping[str, _StrPromise]" = {
    "km2": _("square kilometres"), "percent": _("percent"), "persons": _("people"), "yuan": _("yuan"),
}  # fmt: skip


def unit_words(unit: str) -> str:
    """A unit's code in words: square kilometres; the code itself where it has none."""
    return str(UNITS.get(unit) or unit.replace("_", " "))


def measure_words(measure: Measure) -> str:
    """What a measure is called: land area."""
    return measure.label_zh if (get_language() or "").startswith("zh") and measure.label_zh else measure.label


def other_words(measure: Measure) -> str:
    """What it is called in the language the reader does not use."""
    return measure.label if measure_words(measure) == measure.label_zh else measure.label_zh
