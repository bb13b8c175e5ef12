"""The part of a trace that looks along the years: the same figure at the same place in every sealed snapshot, in words.
Computes no figures.
"""

from datetime import datetime
from fractions import Fraction
from typing import Any

from django.urls import reverse
from django.utils.timezone import localdate

from karez.access.models import User
from karez.figures.history import InYear, in_years
from karez.wording.numbers import figure_words


def years_of(
    actor: User, region: str, figure_id: str, area_id: int, *, at_region: bool, language: str
) -> list[dict[str, Any]]:
    """One row for each sealed snapshot, newest first; a year's own trace is linked where the snapshot is the one it
    stands by.
    """
    found = in_years(actor, figure_id, area_id=area_id)
    largest = max((abs(one.value) for one in found if one.value is not None), default=Fraction(0))
    below_nought = any(one.value is not None and one.value < 0 for one in found)
    newest = found[0].figure if found else None
    rows = []
    for one in found:
        address = (
            reverse("trace:trace", args=[region, one.sealed.year, figure_id])
            if one.sealed.current and one.sealed.snapshot
            else ""
        )
        rows.append(
            {
                "year": one.sealed.year,
                "current": one.sealed.current,
                "state": one.state,
                "value": _words(one, one.value, language),
                "change": _change(one, language),
                "compared": one.compared,
                "link": address if at_region or not address else f"{address}?area={area_id}",
                "snapshot": one.sealed.snapshot.name if one.sealed.snapshot else one.sealed.digest[:12],
                "sealed_at": localdate(datetime.fromisoformat(one.sealed.snapshot.taken_at)).isoformat()
                if one.sealed.snapshot
                else "",
                "share": float(one.value / largest) if one.value is not None and largest and not below_nought else None,
                "other_method": one.figure is not newest,
            }
        )
    return rows


def _words(one: InYear, value: Fraction | None, language: str) -> str:
    return "" if value is None else figure_words(value, Fraction(one.figure.rounding), one.figure.unit, language)


def _change(one: InYear, language: str) -> str:
    """The change with its sign; of a share in percentage points."""
    if one.change is None:
        return ""
    unit = "percentage_points" if one.figure.unit == "percent" else one.figure.unit
    words = figure_words(abs(one.change), Fraction(one.figure.rounding), unit, language)
    return ("+" if one.change > 0 else "−" if one.change < 0 else "±") + words
