"""What may be said in a return: pure checks, and the refusals of this room. Holds no queries."""

from decimal import Decimal
from typing import Any

from karez.kernel import fields
from karez.kernel.refusal import Refusal

# Constraint or state of the database -> (code, what is expected, what to do).
_BROKEN = {
    "returns_return_one_current": (
        "returns.locked", "one return of a measure, place and year", "ask for the return to be sent back, then send the revision",
    ),
    "returns_return_quotient_is_whole": (
        "returns.half_quotient", "numerator and a denominator above zero, or neither", "bring both parts",
    ),
    "returns_return_sent_back_by_another": (
        "returns.same_person", "another person than the submitter", "ask a colleague with the permission",
    ),
    "returns_approval_by_another": (
        "returns.same_person", "another person than the submitter", "ask a colleague with the permission",
    ),
    "returns_approval_once": ("returns.approved_already", "one approval", "look at the return"),
    "returns_return_replaced_once": ("returns.replaced_already", "one revision of a return", "look at the newer return"),
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
            found=diag.message_primary or "",
            expected=expected,
            rule="a submitted return is locked",
            todo=todo,
        )
    code_by_state = _BY_STATE.get(getattr(cause, "sqlstate", None) or "")
    if code_by_state is None:
        return fields.refusal_of(diag.constraint_name or "", record)
    return Refusal(
        code_by_state,
        record=record,
        found=diag.message_primary or "",
        expected=diag.message_detail or "",
        rule="what is returned must be checkable",
        todo="correct the return and send it again",
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
            found="no reason",
            expected="why, in a few words",
            rule="who sends a return back says why",
            todo="write the reason",
        )


def unknown(number: int) -> Refusal:
    """The refusal of a return that does not exist or may not be seen, in the same words."""
    return Refusal(
        "access.not_granted",
        record=f"return {number}",
        found="no such return among those you may see",
        expected="a return of an area granted to you",
        rule="what a person may see follows the areas granted to them",
        todo="look in the list of returns",
        unseen=True,
    )


def unknown_measure(code: str, known: list[str]) -> Refusal:
    """The refusal of a measure that is not on the list."""
    return Refusal(
        "returns.unknown_measure",
        record=code,
        found="no such measure",
        expected=", ".join(known),
        rule="measures are declared before they are returned",
        todo="choose from the list",
    )


def no_value(record: str) -> Refusal:
    """The refusal of a return without a number."""
    return Refusal(
        "returns.no_value",
        record=record,
        found="no number",
        expected="a value, or a numerator and a denominator above zero",
        rule="an empty return says nothing",
        todo="bring the number",
    )
