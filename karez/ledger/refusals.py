"""Turns the database's no into a Refusal a person can read. Holds the room's table of refusal codes and no rules."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import psycopg
from django.db import DatabaseError, connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from karez.kernel.refusal import Refusal


class Answer(NamedTuple):
    """What a state or constraint of the database means to a person."""

    code: str
    expected: str | Promise
    rule: str | Promise
    todo: str | Promise


_BY_STATE = {
    "KZ001": Answer(
        "periods.closed", _("a booking date in an open year"), _("a closed year is not written to"),
        _("book it on the first open day; the voucher keeps the day it happened"),
    ),
    "KZ002": Answer(
        "periods.busy", _("no closing under way"), _("while a year is being closed nothing is written to it"),
        _("try again in a minute"),
    ),
    "KZ009": Answer(
        "ledger.not_its_day", _("the day it happened on, or the first open day where that year is closed"),
        _("a voucher counts from its own day; nothing is put off"), _("book it on the day it happened"),
    ),
    "KZ00A": Answer(
        "ledger.far_day", _("a day until today, in an opened year or the one after it"), _("what is booked has happened"),
        _("correct the day"),
    ),
    "KZ099": Answer(
        "ledger.who_may", _("a person on record who is active and may do this"), _("what is booked and approved names who did it"),
        _("sign in again, or ask a colleague who may"),
    ),
    "KZ010": Answer(
        "ledger.account_of_another_book", _("accounts of the voucher's own book"),
        _("a transfer stays within one book"), _("choose accounts of this book, or prepare a set with one voucher for each " "book"),
    ),
    "KZ011": Answer(
        "ledger.overdrawn", _("at most what is available on the account"),
        _("no account that may not be overdrawn is; pending vouchers reserve"),
        _("lower the amount, or see what is pending on the account"),
    ),
    "KZ012": Answer(
        "ledger.not_a_receipt", _("a debit of cash or bank, and a credit of what the money is for"),
        _("one person alone may only take money in"), _("prepare a voucher for a second person to approve"),
    ),
    "KZ013": Answer(
        "ledger.four_eyes", _("another person than the one who prepared"), _("money goes out by two people"),
        _("ask a colleague who may approve"),
    ),
    "KZ014": Answer(
        "not_found.ledger_set", _("a set that was prepared"), _("only what was prepared is approved or refused"),
        _("open the list of what waits"),
    ),
    "KZ015": Answer(
        "ledger.already_decided", _("a set that still waits"), _("a set is decided once"), _("open the set to see who decided it")
    ),
    "KZ016": Answer(
        "ledger.not_reversible", _("a posted voucher that is no reversal and has none"), _("a voucher is reversed once"),
        _("open the voucher to see its reversal"),
    ),
    "KZ017": Answer(
        "ledger.malformed", _("whole vouchers of amounts above zero"), _("a voucher posts whole or not at all"),
        _("correct the lines and send again"),
    ),
    "KZ018": Answer(
        "ledger.cash_count", _("a count of a cash account, countersigned once by another person"),
        _("the day's cash count is countersigned"), _("count again, or ask a colleague to countersign"),
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
    found = cause.diag.message_detail or "" if state == cause.sqlstate else ""
    return Refusal(
        answer.code,
        record=cause.diag.message_primary or "",
        found=found,
        expected=str(answer.expected),
        rule=str(answer.rule),
        todo=str(answer.todo),
    )
