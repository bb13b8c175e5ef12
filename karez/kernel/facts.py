"""How a table may be used: abstract models for facts, and the declaration every table makes. Holds no tables.

A fact has two days: when it was true, and the day it counts from. They are the same unless the truth is learnt after
its year was closed; then it counts from the first open day. A mistake is voided with a reason and replaced, never
overwritten. `karez.periods.guard` turns these declarations into grants and triggers.
"""

from enum import Enum

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from karez.kernel.message_field import MessageField


class Usage(Enum):
    """What the application's role may do with a table."""

    EVENT = "event"  # insert; void once. Guarded by `counts_on`.
    SPELL = "spell"  # insert; end once; void once. Guarded by `counts_from`, `counts_before`.
    UNDATED = "undated"  # insert; void once. Says nothing about any day, so no year guards it.
    MUTABLE = "mutable"  # insert, update, delete; history kept by trigger
    OWNED = "owned"  # select only; written by functions the owner defines
    LOG = "log"  # insert and select; never changed
    SCRATCH = "scratch"  # technical: sessions, staging, job queue


class Reach(Enum):
    """Which true days a fact table may speak of. None lies ahead of today or two years after the last opened one,
    unless said so.
    """

    OPENED = "opened"  # of the region's years, from the first on
    SINCE = "since"  # or earlier: what was there when the first year began
    AHEAD = "ahead"  # or later, within ten years: what is decided for days to come


VOID_COLUMNS = ("voided_at", "voided_by_id", "void_reason", "void_counts_on")
END_COLUMNS = ("ends_before", "counts_before", "ended_at", "ended_by_id", "end_reason")


class Fact(models.Model):
    """Who recorded a row, when, from which batch; and its void mark. Every fact table has these columns."""

    facts = Usage.UNDATED

    recorded_at = models.DateTimeField(db_default=Now())
    recorded_by_id = models.BigIntegerField()
    batch_id = models.BigIntegerField(null=True, blank=True)
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by_id = models.BigIntegerField(null=True, blank=True)
    void_reason = MessageField(null=True, blank=True)  # null says "not void"
    void_counts_on = models.DateField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_void_is_whole",
                condition=Q(voided_at=None, voided_by_id=None, void_reason=None, void_counts_on=None)
                | Q(
                    voided_at__isnull=False,
                    voided_by_id__isnull=False,
                    void_counts_on__isnull=False,
                    void_reason__gt="",
                ),
            )
        ]


class UndatedFact(Fact):
    """A row that says nothing about any day, such as the existence of a person."""

    facts = Usage.UNDATED

    class Meta(Fact.Meta):
        abstract = True


class EventFact(Fact):
    """Something that happened on a day."""

    facts = Usage.EVENT
    reach = Reach.OPENED

    happened_on = models.DateField()
    counts_on = models.DateField()

    class Meta(Fact.Meta):
        abstract = True
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_counts_not_before_true",
                condition=Q(counts_on__gte=F("happened_on"))
                & (Q(void_counts_on=None) | Q(void_counts_on__gte=F("counts_on"))),
            ),
        ]


class SpellFact(Fact):
    """Something that holds from a day until before another day (half-open)."""

    facts = Usage.SPELL
    reach = Reach.SINCE

    starts_on = models.DateField()
    counts_from = models.DateField()
    ends_before = models.DateField(null=True, blank=True)
    counts_before = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by_id = models.BigIntegerField(null=True, blank=True)
    end_reason = models.TextField(null=True, blank=True)  # noqa: DJ001 - null says "not ended"

    class Meta(Fact.Meta):
        abstract = True
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_counts_not_before_true",
                condition=Q(counts_from__gte=F("starts_on"))
                & (
                    Q(counts_before=None)
                    | (Q(counts_before__gte=F("ends_before")) & Q(counts_before__gte=F("counts_from")))
                )
                & (Q(void_counts_on=None) | Q(void_counts_on__gte=F("counts_from"))),
            ),
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_end_is_whole",
                condition=Q(ends_before=None, counts_before=None)
                | Q(ends_before__gte=F("starts_on"), counts_before__isnull=False),
            ),
        ]


def holds_on(day: str, alias: str) -> str:
    """SQL condition: the spell of that alias holds on the true day `day`, whatever was known of it when."""
    a = f"{alias}."
    return f"{a}voided_at IS NULL AND {a}starts_on <= {day} AND ({a}ends_before IS NULL OR {a}ends_before > {day})"


def counted_on(day: str = "%s", *, event: bool, alias: str = "") -> str:
    """SQL condition: the row counts on `day`, as the books of that day say. `day` stands twice (thrice for spells)."""
    a = f"{alias}." if alias else ""
    void = f"({a}void_counts_on IS NULL OR {a}void_counts_on > {day})"
    if event:
        return f"({a}counts_on <= {day} AND {void})"
    return f"({a}counts_from <= {day} AND ({a}counts_before IS NULL OR {a}counts_before > {day}) AND {void})"
