"""What may be asked about returns: a place's list, one return with its revisions, what waits for approval. Writes
nothing.
"""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from karez.access.models import User
from karez.places.queries import may, visible_area_ids_sql
from karez.returns import rules
from karez.returns.models import Approval, Measure, Return, State

VIEW, APPROVE = "returns.view", "returns.approve"


@dataclass(frozen=True)
class ReturnPage:
    """A return, where it stands, and the other returns of the same measure, place and year, newest first."""

    row: Return
    state: State
    approval: Approval | None
    revisions: list[Return]
    may_decide: bool


def measures() -> QuerySet[Measure]:
    """What may be returned; public."""
    return Measure.objects.order_by("code")


def returns_of(actor: User, *, year: int | None = None, area_id: int | None = None) -> QuerySet[Return]:
    """The returns of the areas the actor may see, with `is_approved`; newest year first."""
    found = _visible(actor, VIEW).select_related("measure", "area__tree")
    if year is not None:
        found = found.filter(year=year)
    if area_id is not None:
        found = found.filter(area_id=area_id)
    return found.order_by("-year", "measure_id", "area_id", "-pk")


def one_return(actor: User, return_id: int) -> ReturnPage:
    """A return's page."""
    row = _visible(actor, VIEW).select_related("measure", "area__tree").filter(pk=return_id).first()
    if row is None:
        raise rules.unknown(return_id)
    approval = Approval.objects.filter(of=row, voided_at=None).first()
    others = Return.objects.filter(measure_id=row.measure_id, area_id=row.area_id, year=row.year).exclude(pk=row.pk)
    state = state_of(row, is_approved=approval is not None)
    deciding = state is not State.SENT_BACK and row.recorded_by_id != actor.pk and may(actor, APPROVE, row.area_id)
    return ReturnPage(
        row=row, state=state, approval=approval, revisions=list(others.order_by("-pk")), may_decide=deciding
    )


def waiting_for(actor: User) -> QuerySet[Return]:
    """Submitted returns the actor may approve: those of others, in the areas granted, oldest first."""
    approvals = Approval.objects.filter(of=OuterRef("pk"), voided_at=None)
    found = _visible(actor, APPROVE).filter(~Exists(approvals), voided_at=None).exclude(recorded_by_id=actor.pk)
    return found.select_related("measure", "area__tree").order_by("pk")


def sent_back_to(actor: User) -> QuerySet[Return]:
    """The actor's own returns that were sent back and not yet revised."""
    revised = Return.objects.filter(replaces=OuterRef("pk"), voided_at=None)
    return Return.objects.filter(~Exists(revised), recorded_by_id=actor.pk).exclude(voided_at=None).order_by("-pk")


def state_of(row: Return, *, is_approved: bool) -> State:
    """Where a return stands."""
    if row.voided_at is not None:
        return State.SENT_BACK
    return State.APPROVED if is_approved else State.SUBMITTED


def _visible(actor: User, permission: str) -> QuerySet[Return]:
    sql, params = visible_area_ids_sql(actor, permission)
    approvals = Approval.objects.filter(of=OuterRef("pk"), voided_at=None)
    return Return.objects.filter(area_id__in=RawSQL(sql, params)).annotate(is_approved=Exists(approvals))
