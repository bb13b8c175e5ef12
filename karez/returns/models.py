"""Returns: numbers that arrive already counted, with place, year, unit, document, who submitted and who approved.

A return speaks of a year, so its day is that year's 31 December, whenever it is sent; when it was sent stands in
`recorded_at`. It is locked as soon as it is there. Sending it back is its void mark, with the reason; a revision is a
new row. Approval is an event by another person. Holds no sums: shares and averages are figures, made from what is
brought here.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import EventFact, Reach, Usage
from karez.kernel.fields import Decimal, Words, Year
from karez.kernel.sheets import Days
from karez.places.models import Area


class State(models.TextChoices):
    """Where a return stands; derived, never stored."""

    SUBMITTED = "submitted", _("submitted, waits for approval")
    APPROVED = "approved", _("approved")
    SENT_BACK = "sent_back", _("sent back")


class Measure(models.Model):
    """What may be returned: its unit, the levels it is returned at, and whether it is a quotient.

    A quotient brings its numerator and denominator, and its value is `scale` * numerator / denominator within
    `tolerance`.
    """

    facts = Usage.OWNED

    code = models.TextField(primary_key=True)
    label = models.TextField()
    label_zh = models.TextField()
    unit = models.TextField()
    is_quotient = models.BooleanField()
    numerator_label = models.TextField(blank=True)
    denominator_label = models.TextField(blank=True)
    scale = models.DecimalField(max_digits=12, decimal_places=4, db_default=1)
    tolerance = models.DecimalField(max_digits=12, decimal_places=4, db_default=0)
    on_region = models.BooleanField()
    on_county = models.BooleanField()

    def __str__(self) -> str:
        return self.label


class Return(EventFact):
    """One number of one measure, place and year. `happened_on` is 31 December of that year."""

    reach = Reach.SINCE

    measure = models.ForeignKey(Measure, on_delete=models.PROTECT, related_name="returns", db_index=False)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    year = Year("year", _("year the number speaks of"), low=1980, days=Days.SINCE, label=_("year"),
                headers=("年份", "年度"))  # fmt: skip
    value = Decimal("value", _("the number, in its unit"), max_digits=24, decimal_places=4, low=0, decimals=4,
                    unit_column="unit", label=_("value"), headers=("数值",))  # fmt: skip
    unit = Words("unit", _("unit of the number"), max_length=20, label=_("unit"), headers=("计量单位", "单位"))
    numerator = Decimal("numerator", _("for a quotient: what is divided"), max_digits=24, decimal_places=4, decimals=4,
                        null=True, blank=True, low=0, label=_("what is divided"), headers=("分子",))  # fmt: skip
    denominator = Decimal("denominator", _("for a quotient: what it is divided by"), max_digits=24, decimal_places=4,
                          decimals=4, null=True, blank=True, low=0, label=_("divided by"), headers=("分母",))  # fmt: skip
    document = Words("document", _("document the number is taken from"), label=_("document"),
                     headers=("source document", "来源", "文件"))  # fmt: skip
    document_id = models.BigIntegerField(null=True, blank=True)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.UniqueConstraint(
                name="returns_return_one_current", fields=["measure", "area", "year"], condition=Q(voided_at=None)
            ),
            models.UniqueConstraint(name="returns_return_with_submitter", fields=["id", "recorded_by_id"]),
            models.UniqueConstraint(
                name="returns_return_replaced_once", fields=["replaces"], condition=Q(voided_at=None)
            ),
            models.CheckConstraint(
                name="returns_return_of_its_year",
                condition=Q(happened_on__year=F("year"), happened_on__month=12, happened_on__day=31),
            ),
            models.CheckConstraint(
                name="returns_return_quotient_is_whole",
                condition=Q(numerator=None, denominator=None)
                | Q(numerator__isnull=False, denominator__isnull=False, denominator__gt=0),
            ),
            models.CheckConstraint(
                name="returns_return_sent_back_by_another",
                condition=Q(voided_by_id=None) | ~Q(voided_by_id=F("recorded_by_id")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure_id} {self.year} of area {self.area_id}"


class Approval(EventFact):
    """A return was approved, by somebody else than its submitter. Its day is the return's: it speaks of the same year."""

    reach = Reach.SINCE

    # Judged together with the return's own submitter: see `returns.sql`.
    of = models.ForeignKey(Return, on_delete=models.PROTECT, related_name="approvals", db_index=False)
    submitted_by_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.UniqueConstraint(name="returns_approval_once", fields=["of"], condition=Q(voided_at=None)),
            models.CheckConstraint(
                name="returns_approval_by_another", condition=~Q(submitted_by_id=F("recorded_by_id"))
            ),
        ]

    def __str__(self) -> str:
        return f"approval of return {self.of_id}"
