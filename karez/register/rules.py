"""What may be said about households and persons: pure checks, and the refusals of this room. Holds no queries and no
clock.
"""

from datetime import date
from typing import Any

from karez.kernel import fields
from karez.kernel.messages import read, say
from karez.kernel.refusal import Refusal

# Constraint of the database -> (code, what was found, what is expected, what to do).
_BROKEN = {
    "register_membership_one_household": (
        "register.in_two_households", say("a membership that counts on some of the same days"), say("one household at a time"),
        say("move the person instead of adding them, or choose a later day"),
    ),
    "register_membership_one_head": (
        "register.two_heads", say("another head on some of the same days"), say("one head at a time"),
        say("give the present head another relation first"),
    ),
    "register_membership_end_is_whole": (
        "register.bad_days", say("an end before the beginning"), say("a day on or after the beginning"), say("choose a later day"),
    ),
    "register_household_no_once": (
        "register.number_taken", say("a household of this number in the village"), say("a number not yet used in the village"),
        say("choose another number, or open the household that has it"),
    ),
    "register_household_number_once": (
        "register.number_taken", say("a household of this number, written in another way"), say("a number not yet used in the village"),
        say("choose another number, or open the household that has it"),
    ),
    "register_person_birth_is_a_month": (
        "register.bad_birth", say("a day of birth"), say("the month of birth, written as its first day"), say("leave the day out"),
    ),
    "register_assessment_once_a_year": (
        "register.assessed_already", say("an assessment of this year"), say("one assessment of a household and year"),
        say("replace the assessment if it is wrong"),
    ),
    "register_assessment_in_or_after_its_year": (
        "register.bad_year", say("a day before the year of the income"), say("a day in that year or later"), say("correct year or day"),
    ),
    "register_casespell_one_stage": (
        "register.case_open", say("a case open on some of the same days"), say("one stage at a time"), say("look at the case as it stands"),
    ),
    "register_exit_once_a_day": ("register.exited", say("an exit on this day"), say("one exit"), say("look at the case as it stands")),
    "register_death_once": ("register.died", say("a recorded death"), say("one death"), say("replace the record if its day is wrong")),
}  # fmt: skip

_BY_STATE = {
    "KZ001": ("periods.closed", say("a day is said only while its year is open")),
    "KZ002": ("periods.busy", say("nothing is written into a year while it is being closed")),
    "KZ004": ("register.already_void", say("a void mark is set once")),
    "KZ005": ("register.already_ended", say("an end is set once")),
    "KZ00A": ("periods.far_day", say("what is recorded has happened, in an opened year or the one after it")),
    "KZ030": ("register.member_after_death", say("nobody belongs to a household after death")),
    "KZ031": ("register.identity_stays", say("identity goes only by a recorded act")),
    "KZ032": ("register.erasure_not_open", say("an erasure is asked for once and carried out once")),
    "KZ036": ("register.household_ended", say("nobody belongs to a household that no longer exists")),
    "KZ035": ("register.erased", say("an erasure is not undone")),
    "KZ038": ("register.household_gone", say("nothing new is recorded of a household that no longer exists")),
    "KZ037": ("register.last_household", say("a person on record belongs or belonged to a household")),
    "KZ033": ("register.same_person", say("an erasure needs two people")),
}


def refusal_of(error: Any, record: str) -> Refusal | None:
    """The refusal that tells a database error of this room, or None where the error is not one of an office's making."""
    cause = error.__cause__ or error
    diag = getattr(cause, "diag", None)
    constraint = getattr(diag, "constraint_name", None) or ""
    told = _BROKEN.get(constraint)
    if told is not None:
        code, found, expected, todo = told
        return Refusal(
            code, record=record, found=found, expected=expected, rule=say("the register's invariants"), todo=todo
        )
    by_state = _BY_STATE.get(getattr(cause, "sqlstate", None) or "")
    if by_state is None or diag is None:
        return fields.refusal_of(constraint, record)
    return Refusal(
        by_state[0],
        record=record,
        found=read(diag.message_primary),
        expected=read(diag.message_detail),
        rule=by_state[1],
        todo=say("look at the record again"),
    )


def check_reason(record: str, reason: str) -> None:
    """Refuses an empty reason."""
    if not reason.strip():
        raise Refusal(
            "register.reason_missing",
            record=record,
            found=say("no reason"),
            expected=say("why, in a few words"),
            rule=say("a change of what was recorded is explained"),
            todo=say("write the reason"),
        )


def check_day(record: str, day: date, *, today: date, not_before: date | None = None) -> None:
    """Refuses a day in the future, or before something it must follow."""
    if day <= today and (not_before is None or day >= not_before):
        return
    raise Refusal(
        "register.bad_days",
        record=record,
        found=str(day),
        expected=say("a day until {today}, not before {not_before}", today=today, not_before=not_before)
        if not_before
        else say("a day until {today}", today=today),
        rule=say("a fact is recorded after it became true, and follows what it stands on"),
        todo=say("correct the day"),
    )


def number_taken(record: str, as_written: str) -> Refusal:
    """The refusal of a household's number that the village has already, however it is written."""
    return Refusal(
        "register.number_taken",
        record=record,
        found=say("household {as_written} in the village", as_written=as_written),
        expected=say("a number not yet used in the village"),
        rule=say("a household has one number, however it is written"),
        todo=say("choose another number, or open the household that has it"),
    )


def number_disagrees(record: str, how: str) -> Refusal:
    """The refusal of an identity number that says another month of birth or sex; it may be confirmed."""
    return Refusal(
        "register.number_disagrees",
        record=record,
        found=how,
        expected=say("month of birth and sex as the identity number says them"),
        rule=say("what contradicts itself is never taken in silence"),
        todo=say("look at the papers; if it is so all the same, say so and send again"),
        more={"confirm": True},
    )


def same_person(record: str, household_no: str) -> Refusal:
    """The refusal of a person who looks like one of the village already; it may be confirmed."""
    return Refusal(
        "register.same_person_on_record",
        record=record,
        found=say("the same name, sex and month of birth in household {household_no}", household_no=household_no),
        expected=say("a person not yet in the village"),
        rule=say("what looks like something already there is never taken in silence"),
        todo=say("if it is the same person, move them; if it is another one, say so and send again"),
        more={"confirm": True},
    )


def unknown(what: str, number: int) -> Refusal:
    """The refusal of a record that does not exist or may not be seen: in the same words, so that ids cannot be probed."""
    return Refusal(
        "access.not_granted",
        record=say("{what} {number}", what=what, number=number),
        found=say("no such {what} among those you may see", what=what),
        expected=say("a {what} of a village granted to you", what=what),
        rule=say("what a person may see follows the areas granted to them"),
        todo=say("search in the village's list, or ask a colleague who has the role"),
        unseen=True,
    )


def has_members(record: str, count: int) -> Refusal:
    """The refusal to dissolve a household while somebody belongs to it."""
    return Refusal(
        "register.has_members",
        record=record,
        found=say("{count} members on that day or later", count=count),
        expected=say("a household nobody belongs to"),
        rule=say("people do not vanish with their household"),
        todo=say("record for each member where they moved, that they left, or that they died"),
    )


def dissolved_already(record: str, day: date) -> Refusal:
    """The refusal to dissolve a household twice."""
    return Refusal(
        "register.dissolved",
        record=record,
        found=say("not there since {day}", day=day),
        expected=say("a household that goes on"),
        rule=say("an end is set once"),
        todo=say("look at the household's page"),
    )


def not_a_member(person_id: int) -> Refusal:
    """The refusal to move or end where there is no present membership."""
    return Refusal(
        "register.not_a_member",
        record=say("person {person_id}", person_id=person_id),
        found=say("no present household"),
        expected=say("a member of a household"),
        rule=say("only what goes on can end"),
        todo=say("look at the person's page"),
    )


def last_household(person_id: int) -> Refusal:
    """The refusal to void the only membership of a person: nobody could reach the person any more."""
    return Refusal(
        "register.last_household",
        record=say("person {person_id}", person_id=person_id),
        found=say("their only household"),
        expected=say("a person with another household on record"),
        rule=say("a person on record belongs or belonged to a household"),
        todo=say(
            "correct its days, or move the person to the right household; if the person was "
            "entered by mistake, ask on their page that who they are be erased"
        ),
    )


def no_case(household_id: int) -> Refusal:
    """The refusal to assess or exit a household without a case."""
    return Refusal(
        "register.no_case",
        record=say("household {household_id}", household_id=household_id),
        found=say("no open case"),
        expected=say("a household on the register"),
        rule=say("a household recorded for a fund alone is neither assessed nor exited"),
        todo=say("open a case first"),
    )


def not_replaceable(record: str, found: str) -> Refusal:
    """The refusal to void or replace what is not replaced this way."""
    return Refusal(
        "register.not_replaceable",
        record=record,
        found=found,
        expected=say("a membership, an assessment, a case or a death as it stands"),
        rule=say("what other records stand on is not exchanged under them"),
        todo=say("withdraw the batch, or correct the single facts"),
    )
