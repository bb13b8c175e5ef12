"""What may be said in a return: pure checks, and the refusals of this room. Holds no queries."""

from decimal import Decimal
from typing import Any

from karez.kernel import fields
from karez.kernel.messages import read, say
from karez.kernel.refusal import Refusal

# Constraint or state of the database -> (code, what is expected, what to do).
_BROKEN = {
    "returns_return_one_current": (
        "returns.locked", say("one return of a measure, place and year"), say("ask for the return to be sent back, then send the revision"),
    ),
    "returns_return_quotient_is_whole": (
        "returns.half_quotient", say("numerator and a denominator above zero, or neither"), say("bring both parts"),
    ),
    "returns_return_sent_back_by_another": (
        "returns.same_person", say("another person than the submitter"), say("ask a colleague with the permission"),
    ),
    "returns_approval_by_another": (
        "returns.same_person", say("another person than the submitter"), say("ask a colleague with the permission"),
    ),
    "returns_approval_once": ("returns.approved_already", say("one approval"), say("look at the return")),
    "returns_return_replaced_once": ("returns.replaced_already", say("one revision of a return"), say("look at the newer return")),
}  # fmt: skip
_BY_STATE = {
    "KZ001": "periods.closed", "KZ002": "periods.busy", "KZ004": "returns.sent_back_already", "KZ050": "returns.wrong_unit",
    "KZ051": "returns.quotient_differs", "KZ052": "returns.wrong_level", "KZ053": "returns.locked", "KZ054": "returns.not_open",
}  # fmt: skip


def refusal_of(error: Any, record: str) -> Refusal | None:
    """The refusal that tells a database error of this room, or None where the error is not of an office's making."""
    cause = error.__cause__ or error
    diag = getattr(cause, "diag", None)
    if diag is None:
        return None
    told = _BROKEN.get(diag.constraint_name or "")
    if told is not None:
        code, expected, todo = told
        return Refusal(
            code,
            record=record,
            found=read(diag.message_primary),
            expected=expected,
            rule=say("a submitted return is locked"),
            todo=todo,
        )
    code_by_state = _BY_STATE.get(getattr(cause, "sqlstate", None) or "")
    if code_by_state is None:
        return fields.refusal_of(diag.constraint_name or "", record)
    return Refusal(
        code_by_state,
        record=record,
        found=read(diag.message_primary),
        expected=read(diag.message_detail),
        rule=say("what is returned must be checkable"),
        todo=say("correct the return and send it again"),
    )


def value_of(numerator: Decimal, denominator: Decimal, scale: Decimal) -> Decimal:
    """The value of a quotient, to four decimals."""
    return (scale * numerator / denominator).quantize(Decimal("0.0001"))


def check_reason(record: str, reason: str) -> None:
    """Refuses an empty reason."""
    if not reason.strip():
        raise Refusal(
            "returns.reason_missing",
            record=record,
            found=say("no reason"),
            expected=say("why, in a few words"),
            rule=say("who sends a return back says why"),
            todo=say("write the reason"),
        )


def unknown(number: int) -> Refusal:
    """The refusal of a return that does not exist or may not be seen, in the same words."""
    return Refusal(
        "access.not_granted",
        record=say("return {number}", number=number),
        found=say("no such return among those you may see"),
        expected=say("a return of an area granted to you"),
        rule=say("what a person may see follows the areas granted to them"),
        todo=say("look in the list of returns"),
        unseen=True,
    )


def unknown_measure(code: str, known: list[str]) -> Refusal:
    """The refusal of a measure that is not on the list."""
    return Refusal(
        "returns.unknown_measure",
        record=code,
        found=say("no such measure"),
        expected=", ".join(known),
        rule=say("measures are declared before they are returned"),
        todo=say("choose from the list"),
    )


def no_value(record: str) -> Refusal:
    """The refusal of a return without a number."""
    return Refusal(
        "returns.no_value",
        record=record,
        found=say("no number"),
        expected=say("a value, or a numerator and a denominator above zero"),
        rule=say("an empty return says nothing"),
        todo=say("bring the number"),
    )
