"""How the room refuses. Pure: no rows, no clock."""

from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal


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
