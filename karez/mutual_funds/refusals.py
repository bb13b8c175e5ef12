"""Turns the database's no of this room into a Refusal a person can read. Holds no rules: those are in `sql/rules.sql`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import DatabaseError, connection, transaction

from karez.access.pages import database_refusal
from karez.kernel.messages import read, say
from karez.kernel.refusal import Refusal
from karez.records import rules

# state of the database -> code, what is expected, the rule, what to do
_STATES: dict[str, tuple[str, str, str, str]] = {
    "KZ001": (
        "periods.closed",
        say("a day in an open year"),
        say("a closed year is not written to"),
        say("record it with its true day; it counts from the first open day"),
    ),
    "KZ002": (
        "periods.busy",
        say("no closing under way"),
        say("while a year is being closed nothing is written to it"),
        say("try again in a minute"),
    ),
    "KZ00A": (
        "periods.far_day",
        say("a day until today, in an opened year or the one after it"),
        say("what is recorded has happened"),
        say("correct the day"),
    ),
    "KZ020": (
        "mutual_funds.pots_mixed",
        say("money between the accounts this kind of record allows"),
        say("the four pots never mix"),
        say("record what really happened, as the kind it is"),
    ),
    "KZ022": (
        "mutual_funds.loan",
        say("a loan by the society's rules, to a member"),
        say("cap, term and open loans are the members' rules"),
        say("see the rules in force that day and the member's loans"),
    ),
    "KZ024": (
        "mutual_funds.grant",
        say("a grant within the standard, from its source line"),
        say("the grant standard of the day"),
        say("see the standard for this class of village, and the county's line"),
    ),
    "KZ025": (
        "mutual_funds.member",
        say("a household of the village that owes nothing and has nothing in when it leaves"),
        say("one member per household, in its own village; own money is returned on leaving"),
        say("settle loans and refund first"),
    ),
    "KZ026": (
        "mutual_funds.write_off",
        say("a write-off or extension by the rules"),
        say("what is still owed is given up whole, on the pot the rules name; extensions end with the rules' limit"),
        say("see the loan and the rules in force"),
    ),
    "KZ027": (
        "mutual_funds.opening",
        say("records that add up to the opening balances"),
        say("what was before the first year is in the opening"),
        say("compare with the opening balances"),
    ),
    "KZ029": (
        "mutual_funds.not_there",
        say("a day from the founding of the society on"),
        say("nothing is given to a society that is not there"),
        say("correct the day, or the day of founding"),
    ),
    "KZ02A": (
        "mutual_funds.four_eyes",
        say("what another person agreed to, as it was asked"),
        say("founding and rules of a society are decided by two people"),
        say("prepare it on the page of the village or the society"),
    ),
    "KZ028": (
        "mutual_funds.built_upon",
        say("nothing that stands on it"),
        say("a record is voided after what stands on it"),
        say("reverse the later records first"),
    ),
}
_SOCIETY = (
    "mutual_funds.society_exists",
    say("a society of the village on these days"),
    say("a village without a society"),
)
_MEMBER = (
    "mutual_funds.member_already",
    say("a household that is a member on these days"),
    say("a household that is no member on that day"),
)
_RULES = ("mutual_funds.rules_overlap", say("rules on these days"), say("one set of rules at a time"))
# constraint of the database -> code, what was found, what is expected; never the database's own words
_CONSTRAINTS: dict[str, tuple[str, str, str]] = {
    "mutual_funds_society_one_at_a_time": _SOCIETY,
    "mutual_funds_society_one_counts": _SOCIETY,
    "mutual_funds_member_one_at_a_time": _MEMBER,
    "mutual_funds_member_one_counts": _MEMBER,
    "mutual_funds_ruleset_one_at_a_time": _RULES,
    "mutual_funds_ruleset_one_counts": _RULES,
    "mutual_funds_loan_number_once": (
        "mutual_funds.loan_number_taken", say("a loan of this number"), say("a number not yet given in the society")
    ),
    "mutual_funds_loan_number_written_once": (
        "mutual_funds.loan_number_taken", say("a loan of this number"), say("a number not yet given in the society")
    ),
    "mutual_funds_resolutionanswer_resolution_id_key": (
        "mutual_funds.already_decided", say("what was decided already"), say("what still waits")
    ),
    "mutual_funds_society_resolution_id_key": ("mutual_funds.already_decided", say("what was decided already"), say("what still waits")),
}  # fmt: skip


@contextmanager
def database_refusals(record: str = "") -> Iterator[None]:
    """Runs statements in a savepoint, judges what is judged at commit, and tells a refusal of the database as a
    Refusal.

    `record` says what was to be recorded, as people know it.
    """
    try:
        with transaction.atomic():
            yield
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except DatabaseError as error:
        refusal = refusal_of(error.__cause__, record)
        if refusal is None:
            raise
        raise refusal from error


def refusal_of(cause: BaseException | None, record: str = "") -> Refusal | None:
    """The refusal a driver's error stands for; None where it is a bug."""
    if not isinstance(cause, psycopg.Error):
        return None
    broken = rules.refusal_of(cause)
    if broken is not None:
        return broken
    if cause.diag.constraint_name in _CONSTRAINTS:
        code, found, expected = _CONSTRAINTS[cause.diag.constraint_name]
        return Refusal(
            code,
            record=record or say("what was sent"),
            found=found,
            expected=expected,
            rule=say("one at a time"),
            todo=say("choose another, or end the earlier one first"),
        )
    if cause.sqlstate not in _STATES:
        return None
    code, expected, rule, todo = _STATES[cause.sqlstate]
    return Refusal(
        code,
        record=record or say("what was sent"),
        found=read(cause.diag.message_primary),
        expected=expected,
        rule=read(cause.diag.message_detail) or rule,
        todo=todo,
    )


def refused_in_place(do: Callable[[], object]) -> Refusal | None:
    """Does it and answers the refusal, to be shown on the page it was asked from; None where it was done."""
    try:
        with transaction.atomic():
            do()
    except Refusal as refusal:
        if refusal.is_nothing_here:
            raise
        return refusal
    except DatabaseError as error:
        told = refusal_of(error.__cause__) or database_refusal(error)
        if told is None:
            raise
        return told
    return None
