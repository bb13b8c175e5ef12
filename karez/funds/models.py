"""Funders, source lines, the money that comes in on them and goes to counties, grant standards and plan targets.

Holds no balance: money lies in the ledger, on one account for each line and book. Grants to villages belong to the room
of village mutual funds, which stands above this one.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import EventFact, Reach, SpellFact, UndatedFact, Usage
from karez.places.models import Area

_CODE = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_PROGRAMME = r"^[a-z][a-z0-9_]*$"


class FunderKind(models.TextChoices):
    """Who a funder is to the office."""

    CENTRAL_OFFICE = "central_office", _("central anti-poverty office")
    CENTRAL_FINANCE = "central_finance", _("central finance")
    REGION_FINANCE = "region_finance", _("regional finance")
    PREFECTURE_FINANCE = "prefecture_finance", _("prefecture finance")
    COUNTY_FINANCE = "county_finance", _("county finance")
    LINE_DEPARTMENT = "line_department", _("line department")
    BANK = "bank", _("bank")
    ENTERPRISE = "enterprise", _("enterprise")
    DONOR = "donor", _("donor")
    PAIRED_REGION = "paired_region", _("paired region")
    OTHER = "other", _("other")


class SizeClass(models.TextChoices):
    """The size of village a grant standard speaks of; `any` excludes the other two at the same time."""

    ANY = "any", _("any village")
    SMALL = "small", _("small village")
    BIG = "big", _("big village")


class Funder(UndatedFact):
    """A body that gives money. Its code is what files call it."""

    code = models.TextField()
    name_en = models.TextField()
    name_zh = models.TextField(blank=True, default="")
    kind = models.TextField(choices=FunderKind.choices)

    class Meta(UndatedFact.Meta):
        constraints = [
            *UndatedFact.Meta.constraints,
            models.CheckConstraint(name="funds_funder_kind_known", condition=Q(kind__in=FunderKind.values)),
            models.CheckConstraint(name="funds_funder_code_plain", condition=Q(code__regex=_CODE)),
            models.CheckConstraint(name="funds_funder_named", condition=Q(name_en__gt="")),
            models.UniqueConstraint(name="funds_funder_code_once", fields=["code"], condition=Q(voided_at=None)),
        ]

    def __str__(self) -> str:
        return self.name_en


class SourceLine(UndatedFact):
    """Money of one funder for one programme in one budget year, by one document: the earmark a payment names.

    In every book that holds its money it has an account of its own, `account_code`, which cannot be overdrawn.
    """

    code = models.TextField()
    funder = models.ForeignKey(Funder, on_delete=models.PROTECT, related_name="lines")
    programme = models.TextField()
    year = models.IntegerField()
    document_no = models.TextField()
    name = models.TextField()

    class Meta(UndatedFact.Meta):
        constraints = [
            *UndatedFact.Meta.constraints,
            models.CheckConstraint(name="funds_sourceline_code_plain", condition=Q(code__regex=_CODE)),
            models.CheckConstraint(name="funds_sourceline_programme_plain", condition=Q(programme__regex=_PROGRAMME)),
            models.CheckConstraint(name="funds_sourceline_year_sane", condition=Q(year__gte=1980, year__lte=2200)),
            models.CheckConstraint(name="funds_sourceline_has_document", condition=Q(document_no__gt="")),
            models.UniqueConstraint(name="funds_sourceline_code_once", fields=["code"], condition=Q(voided_at=None)),
            models.UniqueConstraint(
                name="funds_sourceline_one_purpose",
                fields=["funder", "programme", "year", "document_no"],
                condition=Q(voided_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def account_code(self) -> str:
        """The code of this line's account in any book."""
        return f"L{self.pk}"


class Appropriation(EventFact):
    """Money a funder has put on a line: into the bank of the office's book, onto the line's account."""

    reach = Reach.SINCE

    line = models.ForeignKey(SourceLine, on_delete=models.PROTECT, related_name="appropriations")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")  # the region whose office received it
    reference = models.TextField()
    document_no = models.TextField()
    amount_fen = models.BigIntegerField()
    transfer_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(name="funds_appropriation_amount_positive", condition=Q(amount_fen__gt=0)),
            models.UniqueConstraint(name="funds_appropriation_transfer_once", fields=["transfer_id"]),
            models.UniqueConstraint(
                name="funds_appropriation_reference_once", fields=["reference"], condition=Q(voided_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Allocation(EventFact):
    """Money of a line passed from the region to a county: out of the office's book, into the county's, one set."""

    reach = Reach.SINCE

    line = models.ForeignKey(SourceLine, on_delete=models.PROTECT, related_name="allocations")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")  # the county that received it
    reference = models.TextField()
    document_no = models.TextField()
    amount_fen = models.BigIntegerField()
    transfer_out_id = models.BigIntegerField()
    transfer_in_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(name="funds_allocation_amount_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="funds_allocation_two_transfers", condition=~Q(transfer_out_id=F("transfer_in_id"))
            ),
            models.UniqueConstraint(name="funds_allocation_transfer_out_once", fields=["transfer_out_id"]),
            models.UniqueConstraint(name="funds_allocation_transfer_in_once", fields=["transfer_in_id"]),
            models.UniqueConstraint(
                name="funds_allocation_reference_once", fields=["reference"], condition=Q(voided_at=None)
            ),
        ]
        indexes = [models.Index(fields=["area"], name="funds_allocation_by_area")]

    def __str__(self) -> str:
        return self.reference


class Proposal(models.Model):
    """What a set of prepared vouchers is for, until another person approves or refuses the set in the ledger."""

    facts = Usage.LOG

    class Kind(models.TextChoices):
        """What approval will record."""

        APPROPRIATION = "appropriation", _("appropriation")
        ALLOCATION = "allocation", _("allocation")
        VOID_APPROPRIATION = "void_appropriation", _("reversal of an appropriation")
        VOID_ALLOCATION = "void_allocation", _("reversal of an allocation")

    set_id = models.BigIntegerField(unique=True)
    second_set_id = models.BigIntegerField(null=True, unique=True)  # an allocation is reversed in two books
    kind = models.TextField(choices=Kind.choices)
    line = models.ForeignKey(SourceLine, on_delete=models.PROTECT, related_name="+")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    amount_fen = models.BigIntegerField()
    happened_on = models.DateField()
    reference = models.TextField()
    document_no = models.TextField()
    reason = models.TextField(blank=True, default="")
    appropriation = models.ForeignKey(Appropriation, null=True, on_delete=models.PROTECT, related_name="+")
    allocation = models.ForeignKey(Allocation, null=True, on_delete=models.PROTECT, related_name="+")
    prepared_by_id = models.BigIntegerField()
    prepared_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="funds_proposal_kind_known",
                condition=Q(kind__in=["appropriation", "allocation", "void_appropriation", "void_allocation"]),
            ),
            models.CheckConstraint(name="funds_proposal_amount_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="funds_proposal_void_names_its_record",
                condition=Q(kind="void_appropriation", appropriation__isnull=False, allocation=None, reason__gt="")
                | Q(kind="void_allocation", allocation__isnull=False, appropriation=None, reason__gt="")
                & Q(second_set_id__isnull=False)
                | Q(kind__in=["appropriation", "allocation"], appropriation=None, allocation=None, second_set_id=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class GrantStandard(SpellFact):
    """What one village may be granted under a programme, from a day until before another: from `low_fen` to `high_fen`."""

    reach = Reach.AHEAD

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")  # the region that set it
    programme = models.TextField()
    size_class = models.TextField(choices=SizeClass.choices)
    low_fen = models.BigIntegerField()
    high_fen = models.BigIntegerField()
    document_no = models.TextField()

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(
                name="funds_grantstandard_programme_plain", condition=Q(programme__regex=_PROGRAMME)
            ),
            models.CheckConstraint(
                name="funds_grantstandard_class_known", condition=Q(size_class__in=SizeClass.values)
            ),
            models.CheckConstraint(
                name="funds_grantstandard_low_to_high", condition=Q(low_fen__gt=0, high_fen__gte=F("low_fen"))
            ),
            models.CheckConstraint(name="funds_grantstandard_has_document", condition=Q(document_no__gt="")),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.size_class} {self.low_fen}-{self.high_fen} from {self.starts_on}"


class PlanTarget(SpellFact):
    """A number an adopted plan wants reached over some years, or a period a plan lasts where it names no number.

    The spell says how long the plan stands as adopted; `from_year` and `until_year` (both included) are the plan's own.
    """

    reach = Reach.AHEAD

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    code = models.TextField()
    label = models.TextField()
    planned = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    unit = models.TextField()
    from_year = models.IntegerField()
    until_year = models.IntegerField()
    document_no = models.TextField()

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(
                name="funds_plantarget_code_plain", condition=Q(code__regex=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")
            ),
            models.CheckConstraint(
                name="funds_plantarget_years_in_order",
                condition=Q(from_year__gte=1980, until_year__gte=F("from_year"), until_year__lte=2200),
            ),
            models.CheckConstraint(
                name="funds_plantarget_planned_not_negative", condition=Q(planned=None) | Q(planned__gte=0)
            ),
            models.CheckConstraint(name="funds_plantarget_has_unit", condition=Q(unit__gt="")),
            models.CheckConstraint(name="funds_plantarget_has_document", condition=Q(document_no__gt="")),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.from_year}-{self.until_year}"
