"""Turns the database's no of this room into a Refusal a person can read. Holds no rules: those are in `sql/rules.sql`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import DatabaseError, connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from karez.access.pages import database_refusal
from karez.kernel.refusal import Refusal
from karez.records import rules

# state of the database -> code, what is expected, the rule, what to do
_STATES: dict[str, tuple[str, str | Promise, str | Promise, str | Promise]] = {
    "KZ001": (
        "periods.closed",
        _("a day in an open year"),
        _("a closed year is not written to"),
        _("record it with its true day; it counts from the first open day"),
    ),
    "KZ002": (
        "periods.busy",
        _("no closing under way"),
        _("while a year is being closed nothing is written to it"),
        _("try again in a minute"),
    ),
    "KZ00A": (
        "periods.far_day",
        _("a day until today, in an opened year or the one after it"),
        _("what is recorded has happened"),
        _("correct the day"),
    ),
    "KZ020": (
        "mutual_funds.pots_mixed",
        _("money between the accounts this kind of record allows"),
        _("the four pots never mix"),
        _("record what really happened, as the kind it is"),
    ),
    "KZ022": (
        "mutual_funds.loan",
        _("a loan by the society's rules, to a member"),
        _("cap, term and open loans are the members' rules"),
        _("see the rules in force that day and the member's loans"),
    ),
    "KZ024": (
        "mutual_funds.grant",
        _("a grant within the standard, from its source line"),
        _("the grant standard of the day"),
        _("see the standard for this class of village, and the county's line"),
    ),
    "KZ025": (
        "mutual_funds.member",
        _("a household of the village that owes nothing and has nothing in when it leaves"),
        _("one member per household, in its own village; own money is returned on leaving"),
        _("settle loans and refund first"),
    ),
    "KZ026": (
        "mutual_funds.write_off",
        _("a write-off or extension by the rules"),
        _("what is still owed is given up whole, on the pot the rules name; extensions end with the rules' limit"),
        _("see the loan and the rules in force"),
    ),
    "KZ027": (
        "mutual_funds.opening",
        _("records that add up to the opening balances"),
        _("what was before the first year is in the opening"),
        _("compare with the opening balances"),
    ),
    "KZ029": (
        "mutual_funds.not_there",
        _("a day from the founding of the society on"),
        _("nothing is given to a society that is not there"),
        _("correct the day, or the day of founding"),
    ),
    "KZ02A": (
        "mutual_funds.four_eyes",
        _("what another person agreed to, as it was asked"),
        _("founding and rules of a society are decided by two people"),
        _("prepare it on the page of the village or the society"),
    ),
    "KZ028": (
        "mutual_funds.built_upon",
        _("nothing that stands on it"),
        _("a record is voided after what stands on it"),
        _("reverse the later records first"),
    ),
}
_SOCIETY = (
    "mutual_funds.society_exists",
    _("a society of the village on these days"),
    _("a village without a society"),
)
_MEMBER = (
    "mutual_funds.member_already",
    _("a household that is a member on these days"),
    _("a household that is no member on that day"),
)
_RULES = ("mutual_funds.rules_overlap", _("rules on these days"), _("one set of rules at a time"))
# constraint of the database -> code, what was found, what is expected; never the database's own words
_CONSTRAINTS: dict[str, tuple[str, str | Promise, str | Promise]] = {
    "mutual_funds_society_one_at_a_time": _SOCIETY,
    "mutual_funds_society_one_counts": _SOCIETY,
    "mutual_funds_member_one_at_a_time": _MEMBER,
    "mutual_funds_member_one_counts": _MEMBER,
    "mutual_funds_ruleset_one_at_a_time": _RULES,
    "mutual_funds_ruleset_one_counts": _RULES,
    "mutual_funds_loan_number_once": (
        "mutual_funds.loan_number_taken", _("a loan of this number"), _("a number not yet given in the society")
    ),
    "mutual_funds_loan_number_written_once": (
        "mutual_funds.loan_number_taken", _("a loan of this number"), _("a number not yet given in the society")
    ),
    "mutual_funds_resolutionanswer_resolution_id_key": (
        "mutual_funds.already_decided", _("what was decided already"), _("what still waits")
    ),
    "mutual_funds_society_resolution_id_key": ("mutual_funds.already_decided", _("what was decided already"), _("what still waits")),
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
            record=record or str(_("what was sent")),
            found=str(found),
            expected=str(expected),
            rule=str(_("one at a time")),
            todo=str(_("choose another, or end the earlier one first")),
        )
    if cause.sqlstate not in _STATES:
        return None
    code, expected, rule, todo = _STATES[cause.sqlstate]
    return Refusal(
        code,
        record=record or str(_("what was sent")),
        found=cause.diag.message_primary or "",
        expected=str(expected),
        rule=cause.diag.message_detail or str(rule),
        todo=str(todo),
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
