"""How the room refuses. Pure: no rows, no clock."""

from karez.kernel.messages import say
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal


def check_amount(amount_fen: int, record: str) -> None:
    """Refuses an amount that is not above zero."""
    if amount_fen <= 0:
        raise Refusal(
            "funds.amount",
            record=record,
            found=say("{amount} yuan", amount=format_fen(amount_fen)),
            expected=say("an amount above zero"),
            rule=say("a payment moves money"),
            todo=say("correct the amount"),
        )


def check_text(value: str, what: str, record: str) -> None:
    """Refuses an empty text where one is needed: a reference, a document's number, a reason."""
    if not value.strip():
        raise Refusal(
            "funds.text_missing",
            record=record,
            found=say("no {what}", what=what),
            expected=say("a {what}", what=what),
            rule=say("money names its papers"),
            todo=say("write the {what}", what=what),
        )


def reference_taken(reference: str) -> Refusal:
    """The refusal of a reference already recorded."""
    return Refusal(
        "funds.reference_taken",
        record=reference,
        found=say("a record with this reference"),
        expected=say("a reference not recorded before"),
        rule=say("a payment is recorded once"),
        todo=say("open the record; if this is another payment, give it its own reference"),
    )
