"""The counts and sums of a file, kept with its batch and told in words: money in yuan, every number with its
separators. Asks no database.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from karez.kernel.messages import Number, say
from karez.kernel.money import format_fen
from karez.kernel.sheets import Total

NONE = "–"  # for the first and last day of nothing


class Told(NamedTuple):
    """A total as it is read: what it is, its unit (empty where it is a count), and the number."""

    label: str
    unit: str
    number: str


def kept(total: Total, value: Any) -> dict[str, Any]:
    """A total as a batch keeps it; the sum over nothing is none."""
    return {"label": total.label, "value": "0" if value is None else str(value), "unit": total.unit}


def told(total: Mapping[str, Any]) -> Told:
    """A kept total in words."""
    label, unit = total.get("label", ""), total.get("unit") or ""
    if unit == "day":
        return Told(label, "", str(total.get("value") or NONE))
    value = Decimal(total.get("value") or 0)
    if unit == "fen":
        return Told(label, say("yuan"), format_fen(int(value)))
    plain = value.normalize()
    return Told(label, unit, Number(plain, max(0, -int(plain.as_tuple().exponent))))
