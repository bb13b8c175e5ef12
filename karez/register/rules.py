"""What may be said about households and persons: pure checks, and the refusals of this room. Holds no queries and no
clock.
"""

from datetime import date
from typing import Any

from karez.kernel import fields
from karez.kernel.refusal import Refusal

# Constraint of the database -> (code, what was found, what is expected, what to do).
_BROKEN = {
    "register_membership_one_household": (
        "register.in_two_households", "a membership that counts on some of the same days", "one household at a time",
        "move the person instead of adding them, or choose a later day",
    ),
    "register_membership_one_head": (
        "register.two_heads", "another head on some of the same days", "one head at a time",
        "give the present head another relation first",
    ),
    "register_membership_end_is_whole": (
        "register.bad_days", "an end before the beginning", "a day on or after the beginning", "choose a later day",
    ),
    "register_household_no_once": (
        "register.number_taken", "a household of this number in the village", "a number not yet used in the village",
        "choose another number, or open the household that has it",
    ),
    "register_household_number_once": (
        "register.number_taken", "a household of this number, written in another way", "a number not yet used in the village",
        "choose another number, or open the household that has it",
    ),
    "register_person_birth_is_a_month": (
        "register.bad_birth", "a day of birth", "the month of birth, written as its first day", "leave the day out",
    ),
    "register_assessment_once_a_year": (
        "register.assessed_already", "an assessment of this year", "one assessment of a household and year",
        "replace the assessment if it is wrong",
    ),
    "register_assessment_in_or_after_its_year": (
        "register.bad_year", "a day before the year of the income", "a day in that year or later", "correct year or day",
    ),
    "register_casespell_one_stage": (
        "register.case_open", "a case open on some of the same days", "one stage at a time", "look at the case as it stands",
    ),
    "register_exit_once_a_day": ("register.exited", "an exit on this day", "one exit", "look at the case as it stands"),
    "register_death_once": ("register.died", "a recorded death", "one death", "replace the record if its day is wrong"),
}  # fmt: skip

_BY_STATE = {
    "KZ001": ("periods.closed", "a day is said only while its year is open"),
    "KZ002": ("periods.busy", "nothing is written into a year while it is being closed"),
    "KZ004": ("register.already_void", "a void mark is set once"),
    "KZ005": ("register.already_ended", "an end is set once"),
    "KZ00A": ("periods.far_day", "what is recorded has happened, in an opened year or the one after it"),
    "KZ030": ("register.member_after_death", "nobody belongs to a household after death"),
    "KZ031": ("register.identity_stays", "identity goes only by a recorded act"),
    "KZ032": ("register.erasure_not_open", "an erasure is asked for once and carried out once"),
    "KZ036": ("register.household_ended", "nobody belongs to a household that no longer exists"),
    "KZ035": ("register.erased", "an erasure is not undone"),
    "KZ038": ("register.household_gone", "nothing new is recorded of a household that no longer exists"),
    "KZ037": ("register.last_household", "a person on record belongs or belonged to a household"),
    "KZ033": ("register.same_person", "an erasure needs two people"),
}


def refusal_of(error: Any, record: str) -> Refusal | None:
    """The refusal that tells a database error of this room, or None where the error is not one of an office's making."""
    cause = error.__cause__ or error
    diag = getattr(cause, "diag", None)
    constraint = getattr(diag, "constraint_name", None) or ""
    told = _BROKEN.get(constraint)
    if told is not None:
        code, found, expected, todo = told
        return Refusal(code, record=record, found=found, expected=expected, rule="the register's invariants", todo=todo)
    by_state = _BY_STATE.get(getattr(cause, "sqlstate", None) or "")
    if by_state is None or diag is None:
        return fields.refusal_of(constraint, record)
    return Refusal(
        by_state[0],
        record=record,
        found=diag.message_primary or "",
        expected=diag.message_detail or "",
        rule=by_state[1],
        todo="look at the record again",
    )


def check_reason(record: str, reason: str) -> None:
    """Refuses an empty reason."""
    if not reason.strip():
        raise Refusal(
            "register.reason_missing",
            record=record,
            found="no reason",
            expected="why, in a few words",
            rule="a change of what was recorded is explained",
            todo="write the reason",
        )


def check_day(record: str, day: date, *, today: date, not_before: date | None = None) -> None:
    """Refuses a day in the future, or before something it must follow."""
    if day <= today and (not_before is None or day >= not_before):
        return
    raise Refusal(
        "register.bad_days",
        record=record,
        found=str(day),
        expected=f"a day until {today}" + (f", not before {not_before}" if not_before else ""),
        rule="a fact is recorded after it became true, and follows what it stands on",
        todo="correct the day",
    )


def number_taken(record: str, as_written: str) -> Refusal:
    """The refusal of a household's number that the village has already, however it is written."""
    return Refusal(
        "register.number_taken",
        record=record,
        found=f"household {as_written} in the village",
        expected="a number not yet used in the village",
        rule="a household has one number, however it is written",
        todo="choose another number, or open the household that has it",
    )


def number_disagrees(record: str, how: str) -> Refusal:
    """The refusal of an identity number that says another month of birth or sex; it may be confirmed."""
    return Refusal(
        "register.number_disagrees",
        record=record,
        found=how,
        expected="month of birth and sex as the identity number says them",
        rule="what contradicts itself is never taken in silence",
        todo="look at the papers; if it is so all the same, say so and send again",
        more={"confirm": True},
    )


def same_person(record: str, household_no: str) -> Refusal:
    """The refusal of a person who looks like one of the village already; it may be confirmed."""
    return Refusal(
        "register.same_person_on_record",
        record=record,
        found=f"the same name, sex and month of birth in household {household_no}",
        expected="a person not yet in the village",
        rule="what looks like something already there is never taken in silence",
        todo="if it is the same person, move them; if it is another one, say so and send again",
        more={"confirm": True},
    )


def unknown(what: str, number: int) -> Refusal:
    """The refusal of a record that does not exist or may not be seen: in the same words, so that ids cannot be probed."""
    return Refusal(
        "access.not_granted",
        record=f"{what} {number}",
        found=f"no such {what} among those you may see",
        expected=f"a {what} of a village granted to you",
        rule="what a person may see follows the areas granted to them",
        todo="search in the village's list, or ask a colleague who has the role",
        unseen=True,
    )


def has_members(record: str, count: int) -> Refusal:
    """The refusal to dissolve a household while somebody belongs to it."""
    return Refusal(
        "register.has_members",
        record=record,
        found=f"{count} members on that day or later",
        expected="a household nobody belongs to",
        rule="people do not vanish with their household",
        todo="record for each member where they moved, that they left, or that they died",
    )


def dissolved_already(record: str, day: date) -> Refusal:
    """The refusal to dissolve a household twice."""
    return Refusal(
        "register.dissolved",
        record=record,
        found=f"not there since {day}",
        expected="a household that goes on",
        rule="an end is set once",
        todo="look at the household's page",
    )


def not_a_member(person_id: int) -> Refusal:
    """The refusal to move or end where there is no present membership."""
    return Refusal(
        "register.not_a_member",
        record=f"person {person_id}",
        found="no present household",
        expected="a member of a household",
        rule="only what goes on can end",
        todo="look at the person's page",
    )


def last_household(person_id: int) -> Refusal:
    """The refusal to void the only membership of a person: nobody could reach the person any more."""
    return Refusal(
        "register.last_household",
        record=f"person {person_id}",
        found="their only household",
        expected="a person with another household on record",
        rule="a person on record belongs or belonged to a household",
        todo="correct its days, or move the person to the right household; if the person was entered by mistake, "
        "ask on their page"
        " that who they are be erased",
    )


def no_case(household_id: int) -> Refusal:
    """The refusal to assess or exit a household without a case."""
    return Refusal(
        "register.no_case",
        record=f"household {household_id}",
        found="no open case",
        expected="a household on the register",
        rule="a household recorded for a fund alone is neither assessed nor exited",
        todo="open a case first",
    )


def not_replaceable(record: str, found: str) -> Refusal:
    """The refusal to void or replace what is not replaced this way."""
    return Refusal(
        "register.not_replaceable",
        record=record,
        found=found,
        expected="a membership, an assessment, a case or a death as it stands",
        rule="what other records stand on is not exchanged under them",
        todo="withdraw the batch, or correct the single facts",
    )
