"""Batches an actor may see, those that wait for them, and the faults of one, page by page or as a file. Writes nothing.

A batch is seen by its sender, and by whoever may see all the places it speaks of (`intake.view`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from karez.access.models import User
from karez.access.queries import granted_area_ids
from karez.intake import limits, registry, rules
from karez.intake.models import Batch, Fault, Progress, Question, State
from karez.intake.scope import covered_sql, covers
from karez.kernel.messages import kept, say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Sheet
from karez.places.queries import visible_areas
from karez.records.exports import csv_line

CORRECT = _("correct the cell and send the file again")  # what to do where a fault says nothing of its own
FAULT_HEADINGS = (_("row"), _("column"), _("found"), _("expected"), _("rule"), _("what to do"))


def batches(actor: User) -> QuerySet[Batch]:
    """Every batch the actor may see, newest first."""
    return Batch.objects.filter(Q(sender_id=actor.pk) | _covered(actor, "intake.view")).order_by("-pk")


def batch_for(actor: User, batch_id: int) -> Batch:
    """One batch; refuses in the same words one that is not there and one the actor may not see."""
    found = batches(actor).filter(pk=batch_id).first()
    if found is None:
        raise Refusal(
            "not_found",
            record=say("batch {batch_id}", batch_id=batch_id),
            found=say("no such batch among those you may see"),
            expected=say("a batch of your places"),
            rule=say("what a person may see follows the areas granted to them"),
            todo=say("see the list of batches"),
        )
    return found


def waiting_for(actor: User) -> QuerySet[Batch]:
    """Checked batches that the actor may apply or refuse: sent by another, who was asked nothing or has answered,
    oldest first.
    """
    may = Q(pk__in=[])
    by_permission: dict[str, list[str]] = {}
    for sheet in registry.sheets().values():
        by_permission.setdefault(sheet.apply_permission, []).append(sheet.name)
    for permission, names in by_permission.items():
        if granted_area_ids(actor, permission):
            may |= Q(sheet__in=names) & _covered(actor, permission)
    return (
        Batch.objects.filter(may, state=State.CHECKED, waits_for_sender=False)
        .exclude(sender_id=actor.pk)
        .order_by("pk")
    )


def to_confirm(actor: User) -> QuerySet[Batch]:
    """Files the actor sent, with rows that look like others and wait for the actor's word, oldest first."""
    return batches(actor).filter(sender_id=actor.pk, waits_for_sender=True).order_by("pk")


def may_apply(actor: User, batch: Batch) -> bool:
    """Whether the actor is a second person with the permission over all the batch's places."""
    return actor.pk != batch.sender_id and covers(actor, registry.sheet_named(batch.sheet).apply_permission, batch)


def sendable_sheets(actor: User) -> list[Sheet]:
    """The sheets the actor may send somewhere."""
    held: dict[str, bool] = {}
    for sheet in registry.sheets().values():
        if sheet.send_permission not in held:
            held[sheet.send_permission] = bool(granted_area_ids(actor, sheet.send_permission))
    return [sheet for sheet in registry.sheets().values() if held[sheet.send_permission]]


def example_areas(actor: User, sheet: Sheet) -> dict[str, str]:
    """A code by level, of places this person may send rows about: for the example of a blank workbook."""
    found = visible_areas(actor, sheet.send_permission).filter(is_current=True).order_by("level", "code")
    return dict(found.distinct("level").values_list("level", "code"))


def progress_of(batch: Batch) -> Progress | None:
    """How far the work on a batch is; None where nobody works on it."""
    return Progress.objects.filter(batch_id=batch.pk).first()


def faults_page(
    actor: User,
    batch_id: int,
    *,
    after: tuple[int, int] = (-1, 0),
    size: int = limits.FAULT_PAGE,
    only: Mapping[str, str] | None = None,
) -> list[Fault]:
    """Faults of a batch by row, beginning after the (row_no, id) of the last one seen; `only` those of a column and
    rule.
    """
    batch = batch_for(actor, batch_id)
    later = Q(row_no__gt=after[0]) | Q(row_no=after[0], pk__gt=after[1])
    return list(Fault.objects.filter(later, batch=batch, **(only or {})).order_by("row_no", "pk")[:size])


def questions_page(actor: User, batch_id: int, *, asks: bool, size: int = limits.FAULT_PAGE) -> list[Question]:
    """The first rows of a batch its sender is asked about (`asks`), or that both people are told of, by row."""
    batch = batch_for(actor, batch_id)
    return list(Question.objects.filter(batch=batch, asks=asks).order_by("row_no", "pk")[:size])


def faults_by_rule(actor: User, batch_id: int) -> list[dict[str, Any]]:
    """How many listed faults a batch has by column and rule, the most frequent first; `asked` is by what `faults_page` takes
    the column.
    """
    batch = batch_for(actor, batch_id)
    counted = Fault.objects.filter(batch=batch).values("column", "rule", "expected").annotate(count=Count("pk"))
    return [dict(row) | {"asked": kept(row["column"])} for row in counted.order_by("-count", "column", "rule")]


def faults_csv(actor: User, batch_id: int, language: str = "en") -> Iterator[str]:
    """The faults of a batch as lines of CSV (UTF-8 with mark, as spreadsheets want it), streamed, in the language
    given.
    """
    batch = batch_for(actor, batch_id)
    with translation.override(language):
        yield "\ufeff" + csv_line(tuple(map(str, FAULT_HEADINGS)))
    faults = Fault.objects.filter(batch=batch).order_by("row_no", "pk")
    for fault in faults.iterator(chunk_size=2000):
        with translation.override(language):  # not around the yield: who reads the lines has a language of their own
            column = rules.column_in_words(batch.headings, fault.column)
            told = map(str, (column, fault.found, fault.expected, fault.rule, fault.todo or CORRECT))
            line = csv_line((fault.row_no, *told))
        yield line


def _covered(actor: User, permission: str) -> Q:
    condition, params = covered_sql(actor, permission)
    return Q(pk__in=RawSQL(f"SELECT id FROM intake_batch WHERE {condition}", params))
