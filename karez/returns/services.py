"""The only writers of returns and their approvals. Holds no bulk loading: that is the sheet's.

A return is locked once submitted. Sending it back opens the way to a revision, which is a new row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from karez.access.models import User
from karez.kernel.messages import say
from karez.periods.services import counts_on
from karez.places.queries import require
from karez.returns import rules
from karez.returns.models import Approval, Measure, Return

SUBMIT, APPROVE = "returns.submit", "returns.approve"


@transaction.atomic
def submit_return(
    actor: User,
    *,
    measure: str,
    area_id: int,
    year: int,
    value: Decimal | None,
    document: str,
    numerator: Decimal | None = None,
    denominator: Decimal | None = None,
    document_id: int | None = None,
) -> Return:
    """Submits a number of a measure, place and year in the measure's unit; it is locked from then on.

    A quotient needs numerator and denominator; without `value` it is computed from them. Where an earlier return of the
    same measure, place and year was sent back, the new one replaces it.
    """
    require(actor, SUBMIT, area_id)
    known = Measure.objects.filter(pk=measure).first()
    if known is None:
        raise rules.unknown_measure(measure, sorted(Measure.objects.values_list("pk", flat=True)))
    if value is None and numerator is not None and denominator:
        value = rules.value_of(numerator, denominator, known.scale)
    if value is None:
        raise rules.no_value(f"{known.label} {year}")
    day = date(year, 12, 31)
    earlier = (
        Return.objects.filter(measure=known, area_id=area_id, year=year).exclude(voided_at=None).order_by("-pk").first()
    )
    with _database_refusals(f"{known.label} {year}"):
        return Return.objects.create(
            measure=known,
            area_id=area_id,
            year=year,
            value=value,
            unit=known.unit,
            numerator=numerator,
            denominator=denominator,
            document=document.strip(),
            document_id=document_id,
            replaces=earlier,
            happened_on=day,
            counts_on=counts_on(day),
            recorded_by_id=actor.pk,
        )


@transaction.atomic
def approve_return(actor: User, *, return_id: int) -> Approval:
    """Approves a submitted return; its submitter cannot."""
    found = _return(actor, return_id)
    with _database_refusals(say("return {return_id}", return_id=return_id)):
        return Approval.objects.create(
            of=found,
            submitted_by_id=found.recorded_by_id,
            happened_on=found.happened_on,
            counts_on=counts_on(found.counts_on),
            recorded_by_id=actor.pk,
        )


@transaction.atomic
def send_back_return(actor: User, *, return_id: int, reason: str) -> Return:
    """Sends a submitted or approved return back with a reason: it counts no more, and a revision may be submitted."""
    rules.check_reason(say("return {return_id}", return_id=return_id), reason)
    found = _return(actor, return_id)
    marks = {"voided_at": Now(), "voided_by_id": actor.pk, "void_reason": reason.strip()}
    with _database_refusals(say("return {return_id}", return_id=return_id)):
        day = counts_on(found.counts_on)
        Return.objects.filter(pk=return_id).update(**marks, void_counts_on=day)
        Approval.objects.filter(of=found, voided_at=None).update(**marks, void_counts_on=day)
    found.refresh_from_db()
    return found


def _return(actor: User, return_id: int) -> Return:
    found = Return.objects.select_for_update().filter(pk=return_id).first()
    if found is None:
        raise rules.unknown(return_id)
    require(actor, APPROVE, found.area_id)
    return found


@contextmanager
def _database_refusals(record: str) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        refusal = rules.refusal_of(error, record)
        if refusal is None:
            raise
        raise refusal from error
