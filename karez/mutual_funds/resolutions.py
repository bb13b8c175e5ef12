"""What is decided about a society without money: its founding, its rules, and that a founding be taken back. Two people
each.

One person prepares it, with number and day of the minutes of the members' meeting; until another agrees nothing of it
holds. It is judged when it is prepared and again when it is agreed to. Amounts are whole fen.
"""

from dataclasses import asdict
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from karez.access.models import User
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.ledger.models import Account
from karez.mutual_funds.loading import CHART
from karez.mutual_funds.models import (
    Gift,
    Grant,
    Loan,
    Member,
    Opening,
    Order,
    Pot,
    Resolution,
    ResolutionAnswer,
    RuleSet,
    Society,
)
from karez.mutual_funds.refusals import database_refusals
from karez.mutual_funds.services import APPROVE, PREPARE, VIEW, Terms, take
from karez.periods.services import counts_on, ends_on, first_open_day
from karez.places.queries import require

_BUILT = (Member, Opening, Grant, Gift, Loan)


@transaction.atomic
def prepare_founding(
    actor: User,
    *,
    area_id: int,
    name: str,
    size_class: str,
    founded_on: date,
    terms: Terms,
    document_no: str,
    document_on: date,
) -> Resolution:
    """Prepares the founding of a village's society with its first rules; refuses a day ahead and a village that has
    one.
    """
    require(actor, PREPARE, area_id)
    _require_document(name, document_no, document_on)
    _require_sane(name, terms)
    _require_foundable(area_id, name, founded_on)
    _require_none_waiting(Resolution.objects.filter(kind="founding", area_id=area_id), name)
    told = {
        "society": {"area_id": area_id, "name": name, "size_class": size_class, "starts_on": founded_on.isoformat()},
        "rules": asdict(terms) | {"starts_on": founded_on.isoformat()},
    }
    return Resolution.objects.create(
        kind="founding",
        area_id=area_id,
        terms=told,
        document_no=document_no,
        document_on=document_on,
        prepared_by_id=actor.pk,
    )


@transaction.atomic
def prepare_rules(
    actor: User, *, society: Society, starts_on: date, terms: Terms, document_no: str, document_on: date
) -> Resolution:
    """Prepares new rules from a day on; the present ones hold until another person agrees.

    Refuses a day ahead, not after the one the present rules began on, on or before which money was lent by them, or
    before the members' meeting.
    """
    require(actor, PREPARE, society.area_id)
    take(society.pk)
    _require_standing(society)
    _require_document(society.name, document_no, document_on)
    _require_sane(society.name, terms)
    _require_rules_day(society, starts_on, document_on)
    _require_none_waiting(Resolution.objects.filter(kind="rules", society=society), society.name)
    told = {"rules": asdict(terms) | {"starts_on": starts_on.isoformat()}}
    return Resolution.objects.create(
        kind="rules",
        area_id=society.area_id,
        society=society,
        terms=told,
        document_no=document_no,
        document_on=document_on,
        prepared_by_id=actor.pk,
    )


@transaction.atomic
def prepare_take_back(actor: User, *, society: Society, reason: str) -> Resolution:
    """Prepares that a founding be taken back; refuses where a member, money or anything else stands on it."""
    require(actor, PREPARE, society.area_id)
    take(society.pk)
    _require_standing(society)
    _require_reason(reason, society.name)
    _require_unbuilt(society)
    _require_none_waiting(Resolution.objects.filter(kind="take_back", society=society), society.name)
    return Resolution.objects.create(
        kind="take_back",
        area_id=society.area_id,
        society=society,
        terms={},
        reason=reason.strip(),
        prepared_by_id=actor.pk,
    )


@transaction.atomic
def approve(actor: User, asked: Resolution) -> Society:
    """Agrees to what was prepared and records it in the same moment; refuses the person who prepared it. Returns the
    society.
    """
    require(actor, APPROVE, asked.area_id)
    if asked.prepared_by_id == actor.pk:
        raise Refusal(
            "mutual_funds.same_person",
            record=_called(asked),
            found=say("you prepared it yourself"),
            expected=say("another person to agree"),
            rule=say("founding and rules of a society are decided by two people"),
            todo=say("wait for a colleague who may approve"),
        )
    if asked.society_id is not None:
        take(asked.society_id)
    _require_waiting(asked)
    with database_refusals():
        ResolutionAnswer.objects.create(resolution=asked, agreed=True, answered_by_id=actor.pk)
        return _RECORD[Resolution.Kind(asked.kind)](actor, asked)


@transaction.atomic
def refuse(actor: User, asked: Resolution, *, reason: str) -> None:
    """Refuses what was prepared, or withdraws one's own, with a reason; nothing changes."""
    require(actor, VIEW if asked.prepared_by_id == actor.pk else APPROVE, asked.area_id)
    _require_reason(reason, _called(asked))
    _require_waiting(asked)
    with database_refusals():
        ResolutionAnswer.objects.create(resolution=asked, agreed=False, reason=reason.strip(), answered_by_id=actor.pk)


def is_unbuilt(society: Society) -> bool:
    """Whether nothing stands on a society, so that its founding can be taken back."""
    return society.voided_at is None and not _what_stands(society)


def _record_founding(actor: User, asked: Resolution) -> Society:
    given = asked.terms["society"]
    founded_on = date.fromisoformat(given["starts_on"])
    _require_foundable(asked.area_id, given["name"], founded_on)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT book_id FROM ledger_open_books(%s, NULL, 'society', %s, %s::bigint[], %s::date[], %s::jsonb)",
            [asked.prepared_by_id, [given["name"]], [asked.area_id], [founded_on], CHART],
        )
        book_id = cursor.fetchone()[0]
    made = Society.objects.create(
        area_id=asked.area_id,
        name=given["name"],
        size_class=given["size_class"],
        book_id=book_id,
        starts_on=founded_on,
        counts_from=counts_on(founded_on),
        recorded_by_id=asked.prepared_by_id,
        resolution=asked,
    )
    _rule_set(actor, asked, made)
    return made


def _record_rules(actor: User, asked: Resolution) -> Society:
    assert asked.society is not None and asked.document_on is not None
    society, starts_on = asked.society, date.fromisoformat(asked.terms["rules"]["starts_on"])
    _require_standing(society)
    _require_rules_day(society, starts_on, asked.document_on)
    RuleSet.objects.filter(society=society, voided_at=None, ends_before=None).update(
        ends_before=starts_on,
        counts_before=Greatest(F("counts_from"), ends_on(starts_on)),
        ended_at=Now(),
        ended_by_id=actor.pk,
        end_reason="new rules",
    )
    _rule_set(actor, asked, society)
    return society


def _record_take_back(actor: User, asked: Resolution) -> Society:
    assert asked.society is not None
    society = asked.society
    _require_standing(society)
    _require_unbuilt(society)
    for found in (RuleSet.objects.filter(society=society, voided_at=None), Society.objects.filter(pk=society.pk)):
        found.update(
            voided_at=Now(),
            voided_by_id=actor.pk,
            void_reason=asked.reason,
            void_counts_on=Greatest("counts_from", first_open_day()),
        )
    return society


_RECORD = {
    Resolution.Kind.FOUNDING: _record_founding,
    Resolution.Kind.RULES: _record_rules,
    Resolution.Kind.TAKE_BACK: _record_take_back,
}


def _rule_set(actor: User, asked: Resolution, society: Society) -> RuleSet:
    given: dict[str, Any] = dict(asked.terms["rules"])
    starts_on = date.fromisoformat(given.pop("starts_on"))
    return RuleSet.objects.create(
        society=society,
        resolution=asked,
        prepared_by_id=asked.prepared_by_id,
        approved_by_id=actor.pk,
        starts_on=starts_on,
        counts_from=counts_on(starts_on),
        recorded_by_id=asked.prepared_by_id,
        **given,
    )


# What is refused.


def _require_foundable(area_id: int, name: str, founded_on: date) -> None:
    if founded_on > date.today():
        raise Refusal(
            "mutual_funds.founding_day",
            record=name,
            found=f"{founded_on}",
            expected=say("a day until today"),
            rule=say("a society is recorded when it is founded"),
            todo=say("correct the day of founding"),
        )
    there = (
        Society.objects.filter(area_id=area_id, voided_at=None)
        .exclude(ends_before__lte=founded_on)
        .order_by("starts_on")
        .first()
    )
    if there is not None:
        raise Refusal(
            "mutual_funds.society_exists",
            record=name,
            found=say("{name}, founded on {starts_on}", name=there.name, starts_on=there.starts_on),
            expected=say("a village without a society from that day on"),
            rule=say("one society works in one village"),
            todo=say("change the rules of the society that is there, or take its founding back on its page"),
        )


def _require_rules_day(society: Society, starts_on: date, document_on: date) -> None:
    present = RuleSet.objects.filter(society=society, voided_at=None, ends_before=None).order_by("-starts_on").first()
    lent = (
        Loan.objects.filter(society=society, voided_at=None, happened_on__gte=starts_on)
        .order_by("-happened_on")
        .first()
    )
    if present is None or starts_on <= present.starts_on or lent is not None or starts_on > date.today():
        raise Refusal(
            "mutual_funds.rules_day",
            record=society.name,
            found=say(
                "{day}, but loan {loan_no} was lent on {happened_on} by the present rules",
                day=starts_on,
                loan_no=lent.loan_no,
                happened_on=lent.happened_on,
            )
            if lent
            else str(starts_on),
            expected=say("a day after {starts_on}, until today", starts_on=present.starts_on)
            if present
            else say("a society with rules"),
            rule=say("rules hold from their day on; what was done by the rules before is not judged by new ones"),
            todo=say("choose the day the members' meeting resolved it, or a later one"),
        )
    if starts_on < document_on:
        raise Refusal(
            "mutual_funds.rules_day",
            record=society.name,
            found=say(
                "{starts_on}, before the members' meeting of {document_on}",
                starts_on=starts_on,
                document_on=document_on,
            ),
            expected=say("a day from {document_on} on", document_on=document_on),
            rule=say("rules hold from the day they were resolved, or a later one"),
            todo=say("choose the day the members' meeting resolved it, or a later one"),
        )


def _require_sane(record: str, terms: Terms) -> None:
    """The bounds the database has; they are wide, the members decide within them."""
    wrong = [
        name
        for name, ok in (
            ("loan_cap_fen", terms.loan_cap_fen > 0),
            ("term_cap_days", terms.term_cap_days > 0),
            ("extension_days_max", terms.extension_days_max >= 0),
            ("fee_rate_bp", 0 <= terms.fee_rate_bp <= 1000),
            ("contribution_max_fen", 0 <= terms.contribution_min_fen <= terms.contribution_max_fen),
            ("open_loans_max", terms.open_loans_max > 0),
            ("instalments", 1 <= terms.instalments <= min(60, terms.term_cap_days)),
            ("min_members", terms.min_members >= 0),
            ("min_poor_share", 0 <= terms.min_poor_share <= 100),
            ("allocation_order", terms.allocation_order in Order.values),
            ("write_off_pot", terms.write_off_pot in Pot.values and terms.write_off_pot != Pot.CONTRIBUTIONS),
        )
        if not ok
    ]
    if wrong:
        raise Refusal(
            "mutual_funds.rules_range",
            record=record,
            found=say("{field}: {value}", field=wrong[0], value=getattr(terms, wrong[0])),
            expected=say("a number the rules can have"),
            rule=say("caps, terms and rates are above zero and in order; instalments fit the term"),
            todo=say("correct it"),
        )


def _require_document(record: str, document_no: str, document_on: date) -> None:
    if document_no.strip() and document_on <= date.today():
        return
    raise Refusal(
        "mutual_funds.minutes",
        record=record,
        found=say("{document_on}, number “{document_no}”", document_on=document_on, document_no=document_no),
        expected=say("a number, and a day until today"),
        rule=say("founding and rules follow from minutes of a members' meeting"),
        todo=say("give number and day of the minutes"),
    )


def _require_standing(society: Society) -> None:
    if Society.objects.filter(pk=society.pk, voided_at=None, ends_before=None).exists():
        return
    raise Refusal(
        "mutual_funds.not_there",
        record=society.name,
        found=say("a society that has ended, or whose founding was taken back"),
        expected=say("a society that is there"),
        rule=say("nothing is given to a society that is not there"),
        todo=say("see the page of its village"),
    )


def _what_stands(society: Society) -> str:
    for model in _BUILT:
        if model._default_manager.filter(society=society, voided_at=None).exists():
            return model.__name__.lower()
    moved = Account.objects.filter(book_id=society.book_id)
    if moved.exclude(posted_debit_fen=F("posted_credit_fen")).exists():
        return say("money")
    return say("reserved money") if moved.exclude(pending_debit_fen=0, pending_credit_fen=0).exists() else ""


def _require_unbuilt(society: Society) -> None:
    stands = _what_stands(society)
    if stands:
        raise Refusal(
            "mutual_funds.built_upon",
            record=society.name,
            found=say("at least one record of it: {stands}", stands=stands),
            expected=say("nothing that stands on it"),
            rule=say("a record is voided after what stands on it"),
            todo=say("take those back first, or decide what waits"),
        )


def _require_none_waiting(like: Any, record: str) -> None:
    found = like.filter(answer=None).first()
    if found is not None:
        raise Refusal(
            "mutual_funds.already_waiting",
            record=record,
            found=say("the same asked before, number {found}", found=found.pk),
            expected=say("nothing of this kind waiting"),
            rule=say("one thing is decided at a time"),
            todo=say("have that decided, or withdraw it, then prepare anew"),
        )


def _require_waiting(asked: Resolution) -> None:
    if ResolutionAnswer.objects.filter(resolution=asked).exists():
        raise Refusal(
            "mutual_funds.already_decided",
            record=_called(asked),
            found=say("what was decided already"),
            expected=say("what still waits"),
            rule=say("a decision is made once"),
            todo=say("see who decided it, and when"),
        )


def _require_reason(reason: str, record: str) -> None:
    if not reason.strip():
        raise Refusal(
            "mutual_funds.reason_missing",
            record=record,
            found=say("no reason"),
            expected=say("why, in a few words"),
            rule=say("write-offs and reversals say why"),
            todo=say("write the reason"),
        )


def _called(asked: Resolution) -> str:
    return asked.society.name if asked.society else str(asked.terms["society"]["name"])
