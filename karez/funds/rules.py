"""What grant standards say, and how the room refuses. Pure: no rows, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Standard:
    """A grant standard as far as a grant is judged by it; `ends_before` None is open."""

    size_class: str
    low_fen: int
    high_fen: int
    starts_on: date
    ends_before: date | None


def standard_for(standards: Iterable[Standard], *, size_class: str, day: date) -> Standard | None:
    """The standard for a size of village on a day; a size not classed (`any`, `old`) is only met by one for any
    village.
    """
    wanted = ("any", size_class)
    for one in standards:
        if one.size_class in wanted and one.starts_on <= day and (one.ends_before is None or day < one.ends_before):
            return one
    return None


def check_grant(standard: Standard | None, *, amount_fen: int, programme: str, day: date, record: str) -> None:
    """Refuses a grant outside the standard of its day, or on a day without one."""
    if standard is None:
        raise Refusal(
            "funds.no_standard",
            record=record,
            found=f"no standard of {programme} on {day}",
            expected="a grant standard in force",
            rule="a village is granted what the standard of the day allows",
            todo="have the standard recorded first",
        )
    if not standard.low_fen <= amount_fen <= standard.high_fen:
        raise Refusal(
            "funds.outside_standard",
            record=record,
            found=f"{format_fen(amount_fen)} yuan",
            expected=f"{format_fen(standard.low_fen)} to {format_fen(standard.high_fen)} yuan",
            rule="a village is granted what the standard of the day allows",
            todo="correct the amount or the size of the village",
        )


def check_amount(amount_fen: int, record: str) -> None:
    """Refuses an amount that is not above zero."""
    if amount_fen <= 0:
        raise Refusal(
            "funds.amount",
            record=record,
            found=f"{format_fen(amount_fen)} yuan",
            expected="an amount above zero",
            rule="a payment moves money",
            todo="correct the amount",
        )


def check_text(value: str, what: str, record: str) -> None:
    """Refuses an empty text where one is needed: a reference, a document's number, a reason."""
    if not value.strip():
        raise Refusal(
            "funds.text_missing",
            record=record,
            found=f"no {what}",
            expected=f"a {what}",
            rule="money names its papers",
            todo=f"write the {what}",
        )


def reference_taken(reference: str) -> Refusal:
    """The refusal of a reference already recorded."""
    return Refusal(
        "funds.reference_taken",
        record=reference,
        found="a record with this reference",
        expected="a reference not recorded before",
        rule="a payment is recorded once",
        todo="open the record; if this is another payment, give it its own reference",
    )
