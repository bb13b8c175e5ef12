"""Funders, source lines, the money that comes in on them and goes to counties, grant standards and plan targets.

Holds no balance: money lies in the ledger, on one account for each line and book. Grants to villages belong to the room
of village mutual funds, which stands above this one.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import EventFact, Reach, SpellFact, UndatedFact, Usage
from karez.kernel.fields import Coded, Day, Decimal, Fen, Words, Year
from karez.kernel.messages import Text
from karez.kernel.sheets import Days
from karez.places.models import Area

_CODE = "[A-Za-z0-9][A-Za-z0-9_.-]*"


def _programme(meaning: Text) -> Words:
    return Words("programme", meaning, pattern="[a-z][a-z0-9_]*", max_length=60, label=_("programme"),
                 headers=("项目类别", "用途代码"))  # fmt: skip


def _document(meaning: Text) -> Words:
    return Words("document_no", meaning, label=_("document number"), headers=("文号", "文件号"))


def _starts_on() -> Day:
    return Day("valid_from", _("first day this is in force"), days=Days.SINCE, label=_("in force from"),
               headers=("起始日期", "生效日期"))  # fmt: skip


def _ends_before() -> Day:
    return Day("valid_to", _("first day this is no longer in force; empty while it is"), null=True, blank=True,
               days=Days.ANY, label=_("in force before"), headers=("终止日期", "失效日期"))  # fmt: skip


def _reference() -> Words:
    return Words("reference", _("reference of the payment in the office's own papers"), max_length=60, reference=True,
                 label=_("reference"), headers=("编号", "凭证号"))  # fmt: skip


def _paid_on() -> Day:
    return Day("happened_on", _("day of the payment"), label=_("day"), headers=("日期", "到账日期"))


def _amount() -> Fen:
    return Fen("amount", _("amount"), low=1, label=_("amount"), headers=("金额", "金额（元）"))


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

    code = Words("funder_code", _("code of the funder"), pattern=_CODE, max_length=60, label=_("funder"),
                 headers=("资金来源代码",))  # fmt: skip
    name_en = Words(
        "funder_name", _("name of the funder"), label=_("name of the funder"), headers=("资金来源", "来源单位")
    )
    name_zh = Words("funder_name_zh", _("Chinese name of the funder"), blank=True, default="",
                    label=_("name of the funder, in Chinese"), headers=("资金来源中文名",))  # fmt: skip
    kind = Coded("funder_kind", _("kind of funder"), choices=FunderKind, label=_("kind of funder"), headers=("来源类别",),
                 written={"国务院扶贫办": "central_office", "中央财政": "central_finance", "自治区财政": "region_finance",
                          "省财政": "region_finance", "市财政": "prefecture_finance", "县财政": "county_finance",
                          "行业部门": "line_department", "银行": "bank", "企业": "enterprise", "捐赠": "donor",
                          "对口帮扶": "paired_region", "其他": "other"})  # fmt: skip

    class Meta(UndatedFact.Meta):
        constraints = [
            *UndatedFact.Meta.constraints,
            models.UniqueConstraint(name="funds_funder_code_once", fields=["code"], condition=Q(voided_at=None)),
        ]

    def __str__(self) -> str:
        return self.name_en


class SourceLine(UndatedFact):
    """Money of one funder for one programme in one budget year, by one document: the earmark a payment names.

    In every book that holds its money it has an account of its own, `account_code`, which cannot be overdrawn.
    """

    code = Words("line_code", _("code of the line"), pattern=_CODE, max_length=60, label=_("source line"),
                 headers=("资金代码", "指标代码"))  # fmt: skip
    funder = models.ForeignKey(Funder, on_delete=models.PROTECT, related_name="lines")
    programme = _programme(_("programme the money is for"))
    year = Year("year", _("budget year"), low=1980, high=2200, label=_("budget year"), headers=("年度", "预算年度"))
    document_no = _document(_("number of the document that opens it"))
    name = Words("line_name", _("what the line is called"), label=_("name of the source line"),
                 headers=("资金名称", "指标名称"))  # fmt: skip

    class Meta(UndatedFact.Meta):
        constraints = [
            *UndatedFact.Meta.constraints,
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
    reference = _reference()
    document_no = _document(_("number of the document that orders it"))
    happened_on = _paid_on()
    amount_fen = _amount()
    transfer_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.UniqueConstraint(name="funds_appropriation_transfer_once", fields=["transfer_id"]),
            models.UniqueConstraint(
                name="funds_appropriation_reference_once", fields=["reference"], condition=Q(voided_at=None)
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)


class Allocation(EventFact):
    """Money of a line passed from the region to a county: out of the office's book, into the county's, one set."""

    reach = Reach.SINCE

    line = models.ForeignKey(SourceLine, on_delete=models.PROTECT, related_name="allocations")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")  # the county that received it
    reference = _reference()
    document_no = _document(_("number of the document that orders it"))
    happened_on = _paid_on()
    amount_fen = _amount()
    transfer_out_id = models.BigIntegerField()
    transfer_in_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
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
        return str(self.reference)


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
    programme = _programme(_("programme"))
    size_class = Coded("size_class", _("size of village"), choices=SizeClass, label=_("class of village"),
                       headers=("村类别", "村规模"), written={"不分": "any", "小村": "small", "大村": "big"})  # fmt: skip
    low_fen = Fen("low", _("lowest grant"), low=1, label=_("lowest grant"), headers=("下限", "最低标准"))
    high_fen = Fen("high", _("highest grant"), low=1, label=_("highest grant"), headers=("上限", "最高标准"))
    starts_on, ends_before = _starts_on(), _ends_before()
    document_no = _document(_("number of the document that sets it"))

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(name="funds_grantstandard_low_to_high", condition=Q(high_fen__gte=F("low_fen"))),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.size_class} {self.low_fen}-{self.high_fen} from {self.starts_on}"


class PlanTarget(SpellFact):
    """A number an adopted plan wants reached over some years, or a period a plan lasts where it names no number.

    The spell says how long the plan stands as adopted; `from_year` and `until_year` (both included) are the plan's own.
    """

    reach = Reach.AHEAD

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    code = Words("code", _("what is planned"), pattern=r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", max_length=80,
                 label=_("code"), headers=("指标代码",))  # fmt: skip
    label = Words("label", _("the plan in words"), label=_("plan"), headers=("指标名称", "计划"))
    planned = Decimal("planned", _("number planned; empty where only a period is"), max_digits=24, decimal_places=4,
                      null=True, low=0, unit_column="unit", label=_("number planned"), headers=("计划数",))  # fmt: skip
    unit = Words("unit", _("unit of the number"), max_length=40, label=_("unit"), headers=("单位",))
    from_year = Year("from_year", _("first year of the plan"), low=1980, high=2200, label=_("first year"),
                     headers=("起始年",))  # fmt: skip
    until_year = Year("until_year", _("last year of the plan"), low=1980, high=2200, label=_("last year"),
                      headers=("终止年",))  # fmt: skip
    starts_on, ends_before = _starts_on(), _ends_before()
    document_no = _document(_("number of the document that adopts it"))

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(
                name="funds_plantarget_years_in_order",
                condition=Q(until_year__gte=F("from_year")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.from_year}-{self.until_year}"
