"""What may be said about places: pure checks and the refusals of this room. Holds no queries."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from karez.kernel import fields
from karez.kernel.messages import read, say
from karez.kernel.refusal import Refusal

# Constraint of the database -> (code, what was found, what is expected, what to do).
_BROKEN = {
    "places_areaspell_one_at_a_time": (
        "places.overlap", say("two statements about the area on the same day"), say("one name, code and parent at a time"),
        say("end the earlier statement first, or choose a later day"),
    ),
    "places_areaspell_one_counts": (
        "places.overlap", say("two statements about the area counting on the same day"), say("one name, code and parent at a time"),
        say("end the earlier statement first, or choose a later day"),
    ),
    "places_areaspell_code_once": (
        "places.code_taken", say("another area has this code on some of these days"), say("a code names one area of a level at a time"),
        say("check the code, or end the other area's use of it first"),
    ),
    "places_areaspell_named": ("places.no_name", say("no name in either language"), say("a name"), say("give a name")),
    "places_areaspell_only_regions_have_no_parent": (
        "places.no_parent", say("no parent, or a region with one"), say("a parent for every area but a region"), say("name the parent"),
    ),
    "places_areaspell_not_its_own_parent": (
        "places.no_parent", say("the area itself as its parent"), say("an area of a higher level"), say("name the parent"),
    ),
    "places_areaspell_end_is_whole": (
        "places.bad_days", say("an end before the beginning"), say("a day after the beginning"), say("choose a later day"),
    ),
    "places_areaspell_counts_not_before_true": (
        "places.bad_days", say("an end before the beginning"), say("a day after the beginning"), say("choose a later day"),
    ),
    "places_designation_counts_not_before_true": (
        "places.bad_days", say("an end before the beginning"), say("a day after the beginning"), say("choose a later day"),
    ),
    "places_designation_one_at_a_time": (
        "places.overlap", say("the area already on this list on some of these days"), say("once at a time"),
        say("end the earlier designation first"),
    ),
    "places_designation_one_counts": (
        "places.overlap", say("the area already on this list on some of these days"), say("once at a time"),
        say("end the earlier designation first"),
    ),
    "places_designation_one_class": (
        "places.overlap", say("the village already in another class of the three ensures"), say("one class at a time"),
        say("end the other class first"),
    ),
    "places_designation_end_is_whole": (
        "places.bad_days", say("an end before the beginning"), say("a day after the beginning"), say("choose a later day"),
    ),
}  # fmt: skip


def refusal_of(error: Any, record: str) -> Refusal | None:
    """The refusal that tells a database error of this room, or None where the error is not of this room."""
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None) or ""
    told = _BROKEN.get(constraint)
    if told is not None:
        code, found, expected, todo = told
        return Refusal(
            code, record=record, found=found, expected=expected, rule=say("places are dated statements"), todo=todo
        )
    if getattr(error, "sqlstate", "") == "KZ081":
        return Refusal(
            "places.no_parent",
            record=read(error.diag.message_detail) or record,
            found=read(error.diag.message_primary),
            expected=say("a parent of a higher level on every one of its days"),
            rule=say("every area but a region lies in another"),
            todo=say("move the areas under it first, or choose a day on which the parent exists"),
        )
    return fields.refusal_of(constraint, record)


def has_ended(area_id: int, ends_before: date | None) -> Refusal:
    """The refusal to change what is no more."""
    return Refusal(
        "places.has_ended",
        record=say("area {area_id}", area_id=area_id),
        found=say("ended before {ends_before}", ends_before=ends_before) if ends_before else say("no such area"),
        expected=say("an area that goes on"),
        rule=say("an end is set once"),
        todo=say("work with its successor; a wrong end is voided and replaced"),
    )


def already_void(record: str) -> Refusal:
    """The refusal to void twice."""
    return Refusal(
        "places.already_void",
        record=record,
        found=say("a statement already withdrawn"),
        expected=say("one that stands"),
        rule=say("a void mark is set once"),
        todo=say("look at the statement that replaced it"),
    )


def check_reason(record: str, reason: str) -> None:
    """Refuses an empty reason."""
    if not reason.strip():
        raise Refusal(
            "places.reason_missing",
            record=record,
            found=say("no reason"),
            expected=say("why, in a few words"),
            rule=say("every change of a place is explained"),
            todo=say("name the decision or document"),
        )


def check_document(record: str, document: str) -> None:
    """Refuses a designation without its document."""
    if not document.strip():
        raise Refusal(
            "places.document_missing",
            record=record,
            found=say("no document"),
            expected=say("title and number of the document"),
            rule=say("a place stands on a list by a document"),
            todo=say("name the document"),
        )


def check_change(record: str, now: Mapping[str, Any], since: date, day: date, changes: Mapping[str, Any]) -> None:
    """Refuses a change that changes nothing of `now`, or that starts no later than `since`, the day that statement
    began.
    """
    if all(now[name] == value for name, value in changes.items()):
        raise Refusal(
            "places.no_change",
            record=record,
            found=say("the same as before"),
            expected=say("something new"),
            rule=say("a new statement says something new"),
            todo=say("check what was to change"),
        )
    if day <= since:
        raise Refusal(
            "places.bad_days",
            record=record,
            found=say("{day}, while the present statement holds since {since}", day=day, since=since),
            expected=say("a day after {since}", since=since),
            rule=say("what was said before is voided, not overwritten"),
            todo=say("choose a later day, or replace the wrong statement"),
        )


def check_parts(area_id: int, parts: Sequence[Sequence[int]], children: Sequence[int]) -> None:
    """Refuses a split of fewer than two parts, or one that leaves a child over or gives it twice."""
    given = [child for part in parts for child in part]
    if len(parts) >= 2 and sorted(given) == sorted(children):
        return
    raise Refusal(
        "places.bad_split",
        record=say("area {area_id}", area_id=area_id),
        found=say(
            "{parts} parts with {areas} areas, while {children} lie under it",
            parts=len(parts),
            areas=len(given),
            children=len(children),
        ),
        expected=say("at least two parts, and each area below in exactly one"),
        rule=say("nothing is lost or doubled when an area is split"),
        todo=say("name for each area below the part it goes to"),
    )
