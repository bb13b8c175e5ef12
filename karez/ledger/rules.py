"""What a draft must be before it is sent to the database. Pure; knows no account and no balance.

The database says the same again and more; here it is said earlier and for all drafts at once.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from karez.kernel.messages import Listing, say
from karez.kernel.refusal import Refusal

NARRATION_LIMIT = 500


class Line(NamedTuple):
    """One amount, in fen, moved from the credited to the debited account."""

    debit_account_id: int
    credit_account_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A voucher to be. `booking_date` is the day the money counts from, `happened_on` the true day where it differs."""

    book_id: int
    booking_date: date
    kind: str
    narration: str
    lines: tuple[Line, ...]
    document_id: int | None = None
    happened_on: date | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """What posting gave a voucher: its number in book and year, its transfers in the order of its lines."""

    voucher_id: int
    number: int
    transfer_ids: tuple[int, ...]
    receipt_number: int | None = None


def check_drafts(drafts: list[Draft]) -> None:
    """Refuses drafts that could not be vouchers, naming every fault and not the first one."""
    faults = [
        say("voucher {number}: {fault}", number=i, fault=fault)
        for i, draft in enumerate(drafts, 1)
        for fault in draft_faults(draft, date.today())
    ]
    if not drafts:
        faults.append(say("no voucher at all"))
    if faults:
        raise Refusal(
            "ledger.malformed",
            record=say("{count} vouchers", count=len(drafts)),
            found=Listing(faults, "; "),
            expected=say("a narration, and lines that move an amount above zero between two accounts"),
            rule=say("a voucher posts whole or not at all"),
            todo=say("correct the lines and send again"),
        )


def draft_faults(draft: Draft, today: date) -> list[str]:
    """What is wrong with a draft, in words; empty where nothing is. Money is booked when it moved, never ahead."""
    faults: list[str] = [] if draft.lines else [say("no lines")]
    if not draft.narration.strip() or len(draft.narration) > NARRATION_LIMIT:
        faults.append(say("a narration of {count} characters", count=len(draft.narration)))
    if draft.happened_on is not None and draft.happened_on > draft.booking_date:
        faults.append(
            say(
                "booked on {booking_date}, before it happened on {happened_on}",
                booking_date=draft.booking_date,
                happened_on=draft.happened_on,
            )
        )
    if draft.booking_date > today:
        faults.append(say("booked on {booking_date}, which has not come yet", booking_date=draft.booking_date))
    for no, line in enumerate(draft.lines, 1):
        if line.amount_fen <= 0:
            faults.append(say("line {number} moves {amount} fen", number=no, amount=line.amount_fen))
        if line.debit_account_id == line.credit_account_id:
            faults.append(say("line {number} has one account on both sides", number=no))
    return faults
