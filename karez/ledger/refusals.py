"""Turns the database's no into a Refusal a person can read. Holds the room's table of refusal codes and no rules."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import psycopg
from django.db import DatabaseError, connection, transaction

from karez.kernel.messages import read, say
from karez.kernel.refusal import Refusal


class Answer(NamedTuple):
    """What a state or constraint of the database means to a person."""

    code: str
    expected: str
    rule: str
    todo: str


_BY_STATE = {
    "KZ001": Answer(
        "periods.closed", say("a booking date in an open year"), say("a closed year is not written to"),
        say("book it on the first open day; the voucher keeps the day it happened"),
    ),
    "KZ002": Answer(
        "periods.busy", say("no closing under way"), say("while a year is being closed nothing is written to it"),
        say("try again in a minute"),
    ),
    "KZ009": Answer(
        "ledger.not_its_day", say("the day it happened on, or the first open day where that year is closed"),
        say("a voucher counts from its own day; nothing is put off"), say("book it on the day it happened"),
    ),
    "KZ00A": Answer(
        "ledger.far_day", say("a day until today, in an opened year or the one after it"), say("what is booked has happened"),
        say("correct the day"),
    ),
    "KZ099": Answer(
        "ledger.who_may", say("a person on record who is active and may do this"), say("what is booked and approved names who did it"),
        say("sign in again, or ask a colleague who may"),
    ),
    "KZ010": Answer(
        "ledger.account_of_another_book", say("accounts of the voucher's own book"),
        say("a transfer stays within one book"), say("choose accounts of this book, or prepare a set with one voucher for each " "book"),
    ),
    "KZ011": Answer(
        "ledger.overdrawn", say("at most what is available on the account"),
        say("no account that may not be overdrawn is; pending vouchers reserve"),
        say("lower the amount, or see what is pending on the account"),
    ),
    "KZ012": Answer(
        "ledger.not_a_receipt", say("a debit of cash or bank, and a credit of what the money is for"),
        say("one person alone may only take money in"), say("prepare a voucher for a second person to approve"),
    ),
    "KZ013": Answer(
        "ledger.four_eyes", say("another person than the one who prepared"), say("money goes out by two people"),
        say("ask a colleague who may approve"),
    ),
    "KZ014": Answer(
        "not_found.ledger_set", say("a set that was prepared"), say("only what was prepared is approved or refused"),
        say("open the list of what waits"),
    ),
    "KZ015": Answer(
        "ledger.already_decided", say("a set that still waits"), say("a set is decided once"), say("open the set to see who decided it")
    ),
    "KZ016": Answer(
        "ledger.not_reversible", say("a posted voucher that is no reversal and has none"), say("a voucher is reversed once"),
        say("open the voucher to see its reversal"),
    ),
    "KZ017": Answer(
        "ledger.malformed", say("whole vouchers of amounts above zero"), say("a voucher posts whole or not at all"),
        say("correct the lines and send again"),
    ),
    "KZ018": Answer(
        "ledger.cash_count", say("a count of a cash account, countersigned once by another person"),
        say("the day's cash count is countersigned"), say("count again, or ask a colleague to countersign"),
    ),
}  # fmt: skip
_BY_CONSTRAINT = {
    "ledger_account_not_overdrawn": "KZ011",
    "ledger_voucher_four_eyes": "KZ013",
    "ledger_set_four_eyes": "KZ013",
    "ledger_voucher_reversed_once": "KZ016",
    "ledger_transfer_amount_above_zero": "KZ017",
    "ledger_transfer_two_accounts": "KZ017",
    "ledger_pending_line_amount_above_zero": "KZ017",
    "ledger_pending_line_two_accounts": "KZ017",
    "ledger_voucher_not_booked_before_it_happened": "KZ017",
    "ledger_account_code_once_in_book": "KZ017",
    "ledger_cash_count_says_why_it_differs": "KZ018",
}


@contextmanager
def database_refusals() -> Iterator[None]:
    """Runs one statement; a refusal of the database comes out as a Refusal, and a caller's transaction stays usable."""
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        try:
            yield
        except DatabaseError as error:
            refusal = _refusal(error.__cause__)
            if refusal is None:
                raise
            raise refusal from error


def _refusal(cause: BaseException | None) -> Refusal | None:
    if not isinstance(cause, psycopg.Error):
        return None
    state = _BY_CONSTRAINT.get(cause.diag.constraint_name or "", cause.sqlstate or "")
    answer = _BY_STATE.get(state)
    if answer is None:
        return None
    found = read(cause.diag.message_detail) if state == cause.sqlstate else ""
    return Refusal(
        answer.code,
        record=read(cause.diag.message_primary),
        found=found,
        expected=answer.expected,
        rule=answer.rule,
        todo=answer.todo,
    )
