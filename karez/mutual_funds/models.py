"""Societies, their dated rule sets, members, and what happened with their money. Holds no balance: money lies in the
ledger.

Every fact of money names the transfer that moved it, with the same amount. A society has one book with the accounts of
`rules.ACCOUNTS`. The schedule of a loan is written by the database when the loan is recorded.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from karez.funds.models import SourceLine
from karez.intake.numbers import number_key
from karez.kernel.facts import EventFact, Reach, SpellFact, Usage
from karez.kernel.fields import Coded, Day, Fen, Whole, Words
from karez.kernel.sheets import Days, Kind
from karez.ledger.models import Book
from karez.places.models import Area
from karez.register.models import Household

_TRUE_DAYS = Func(F("starts_on"), F("ends_before"), function="daterange", output_field=DateRangeField())
_COUNTED_DAYS = Func(
    F("counts_from"),
    Func(F("counts_before"), F("void_counts_on"), function="LEAST"),
    function="daterange",
    output_field=DateRangeField(),
)


def _one_at_a_time(table: str, field: str) -> list[ExclusionConstraint]:
    """Two spells of one `field` share no day: neither by their true days (void rows apart) nor by the days they count."""
    alike = (F(field), RangeOperators.EQUAL)
    return [
        ExclusionConstraint(
            name=f"{table}_one_at_a_time",
            condition=Q(voided_at=None),
            expressions=[alike, (_TRUE_DAYS, RangeOperators.OVERLAPS)],
        ),
        ExclusionConstraint(name=f"{table}_one_counts", expressions=[alike, (_COUNTED_DAYS, RangeOperators.OVERLAPS)]),
    ]


def _known(table: str, field: str, values: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(name=f"{table}_{field}_known", condition=Q(**{f"{field}__in": values}))


def receipt_no() -> Words:
    """What tells two payments of one day apart."""
    return Words(
        "receipt_no",
        _("number of the receipt, if there is one; it tells two payments of one day apart"),
        blank=True,
        db_default="",
        max_length=60,
        label=_("receipt"),
        headers=("receipt", "receipt number", "收据号", "收据编号", "票据号"),
    )


class SizeClass(models.TextChoices):
    """The class of the village that decides the grant."""

    SMALL = "small", _("small village")
    BIG = "big", _("big village")
    OLD = "old", _("older than the classes")


class Order(models.TextChoices):
    """What a repayment pays first in each instalment."""

    FEE_FIRST = "fee_first", _("fee first")
    PRINCIPAL_FIRST = "principal_first", _("principal first")


class Pot(models.TextChoices):
    """The four pots."""

    GRANT = "grant", _("grant")
    CONTRIBUTIONS = "contributions", _("members' contributions")
    GIFTS = "gifts", _("gifts")
    SURPLUS = "surplus", _("surplus of fees")


class WriteOffPot(models.TextChoices):
    """The pots a loan written off may be charged to: any but the members' own money."""

    SURPLUS = "surplus", _("surplus of fees")
    GIFTS = "gifts", _("gifts")
    GRANT = "grant", _("grant")


class Purpose(models.TextChoices):
    """What a loan is for; all of them raise income."""

    CROPS = "crops", _("crops")
    LIVESTOCK = "livestock", _("livestock")
    PROCESSING = "processing", _("processing")
    TRADE = "trade", _("trade")
    SERVICES = "services", _("services")
    OTHER_PRODUCTION = "other_production", _("other production")


class Society(SpellFact):
    """The mutual fund of one administrative village, from its founding until it is wound up."""

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    name = Words("name", _("name of the society"), label=_("society"), headers=("society", "互助社名称", "名称"))
    size_class = Coded(
        "size_class", _("class of the village for the grant: small, big, or old where the fund is older than the classes"),
        choices=SizeClass, written={"小村": "small", "大村": "big", "原有": "old", "老村": "old"},
        label=_("class of village"), headers=("size class", "村规模", "规模类别"),
    )  # fmt: skip
    starts_on = Day(
        "founded_on", _("day the society was founded"), days=Days.SINCE, label=_("founded on"),
        headers=("date", "日期", "founded", "成立日期"),
    )  # fmt: skip
    book = models.OneToOneField(Book, on_delete=models.PROTECT, related_name="+")
    # The resolution it was founded by, which founds once; none where it came in a file.
    resolution = models.OneToOneField(
        "mutual_funds.Resolution", null=True, on_delete=models.PROTECT, related_name="founded"
    )

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(
                name="mutual_funds_society_brought_in",
                condition=Q(resolution__isnull=False) | Q(batch_id__isnull=False),
            ),
            *_one_at_a_time("mutual_funds_society", "area"),
        ]
        indexes = [  # the orders of their list
            models.Index(fields=["name", "id"], name="mutual_funds_society_by_name"),
            models.Index(fields=["starts_on", "id"], name="mutual_funds_society_by_day"),
        ]

    def __str__(self) -> str:
        return self.name


class Resolution(models.Model):
    """What is asked of a society without moving money: its founding, new rules, or that its founding be taken back.

    Never changed: its fate is its answer, by another person. Until then nothing holds of it.
    """

    facts = Usage.LOG

    class Kind(models.TextChoices):
        """What agreeing does."""

        FOUNDING = "founding", _("founding of a society")
        RULES = "rules", _("new rules")
        TAKE_BACK = "take_back", _("taking back a founding")

    kind = models.TextField(choices=Kind.choices)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    society = models.ForeignKey(Society, null=True, on_delete=models.PROTECT, related_name="resolutions")
    terms = models.JSONField()  # {"society": {...}, "rules": {...}}: columns of the rows to be recorded
    document_no = models.TextField(db_default="")  # of the minutes of the members' meeting
    document_on = models.DateField(null=True)
    reason = models.TextField(db_default="")
    prepared_by_id = models.BigIntegerField()
    prepared_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            _known("mutual_funds_resolution", "kind", ["founding", "rules", "take_back"]),
            models.CheckConstraint(
                name="mutual_funds_resolution_of_society",
                condition=Q(kind="founding", society=None) | (~Q(kind="founding") & Q(society__isnull=False)),
            ),
            models.CheckConstraint(
                name="mutual_funds_resolution_says_why",
                condition=Q(kind="take_back", reason__regex=r"\S")
                | Q(document_no__regex=r"\S", document_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in area {self.area_id}"


class ResolutionAnswer(models.Model):
    """What became of it: another person agreed, and it was recorded in the same moment; or it was refused or taken
    back.
    """

    facts = Usage.LOG

    resolution = models.OneToOneField(Resolution, on_delete=models.PROTECT, related_name="answer")
    agreed = models.BooleanField()
    reason = models.TextField(db_default="")
    answered_by_id = models.BigIntegerField()
    answered_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="mutual_funds_resolutionanswer_has_reason", condition=Q(agreed=True) | Q(reason__regex=r"\S")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resolution_id}: {self.agreed}"


class RuleSet(SpellFact):
    """What the members' meeting of a society has resolved, from a day on. Nothing of it is fixed in the program.

    Two people brought it in: by a resolution, or with the file the society was founded by.
    """

    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="rule_sets")
    resolution = models.OneToOneField(Resolution, null=True, on_delete=models.PROTECT, related_name="rule_set")
    prepared_by_id = models.BigIntegerField()
    approved_by_id = models.BigIntegerField()
    loan_cap_fen = Fen(
        "loan_cap",
        _("most that may be lent to a member at once"),
        low=1,
        label=_("largest loan"),
        headers=("loan ceiling", "借款上限", "单笔借款上限"),
    )
    term_cap_days = Whole(
        "term_cap_days",
        _("longest term of a loan"),
        unit="days",
        low=1,
        high=3660,
        label=_("longest term"),
        headers=("longest term", "最长期限", "最长借款期限(天)"),
    )
    extension_days_max = Whole(
        "extension_days",
        _("days a loan may be extended beyond the longest term; none if empty"),
        default=0,
        required=False,
        unit="days",
        low=0,
        high=3660,
        label=_("longest extension"),
        headers=("longest extension", "可展期天数"),
    )
    # Kept in hundredths of a percent of what is lent, for thirty days.
    fee_rate_bp = Whole(
        "fee_rate_month",
        _("user fee for thirty days, in percent of what is lent, at most two decimals"),
        kind=Kind.DECIMAL,
        kept_as=100,
        unit="percent",
        low=0,
        high=10,
        label=_("fee for 30 days"),
        headers=("fee per month", "月占用费率", "月占用费率(%)"),
    )
    contribution_min_fen = Fen(
        "contribution_min",
        _("least a member pays in on entry"),
        label=_("least contribution"),
        headers=("least contribution", "最低互助金"),
    )
    contribution_max_fen = Fen(
        "contribution_max",
        _("most a member may have paid in"),
        low=1,
        label=_("most contribution"),
        headers=("most contribution", "最高互助金"),
    )
    allocation_order = Coded(
        "allocation_order",
        _("what a repayment pays first: the fee or the principal of each instalment"),
        choices=Order,
        written={"先费后本": "fee_first", "先本后费": "principal_first"},
        label=_("a repayment pays"),
        headers=("allocation", "还款顺序"),
    )
    # Members' own money never pays for another's default.
    write_off_pot = Coded(
        "write_off_pot",
        _("the pot a loan written off is charged to"),
        choices=WriteOffPot,
        written={
            "占用费积累": "surplus",
            "公积金": "surplus",
            "捐赠": "gifts",
            "财政扶贫资金": "grant",
            "财政资金": "grant",
        },
        label=_("a write-off is charged to"),
        headers=("write-off pot", "核销来源"),
    )
    open_loans_max = Whole(
        "open_loans_max",
        _("how many loans a member may have at once"),
        low=1,
        high=20,
        label=_("open loans at once"),
        headers=("open loans", "可同时借款笔数"),
    )
    instalments = Whole(
        "instalments",
        _("equal instalments a loan is repaid in; 1 means all at the end"),
        low=1,
        high=60,
        label=_("instalments"),
        headers=("number of instalments", "还款期数"),
    )
    min_members = Whole(
        "min_members",
        _("fewest member households"),
        unit="households",
        low=0,
        high=100_000,
        label=_("fewest members by its rules"),
        headers=("fewest members", "最少社员户数"),
    )
    min_poor_share = Whole("min_poor_share", _("least share of the village's registered households that are members"),
                           unit="percent", low=0, high=100, label=_("least share of poor households"),
                           headers=("least share of poor households", "贫困户入社比例(%)"))  # fmt: skip

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(
                name="mutual_funds_ruleset_least_to_most",
                condition=Q(contribution_max_fen__gte=F("contribution_min_fen")),
            ),
            models.CheckConstraint(name="mutual_funds_ruleset_four_eyes", condition=~Q(prepared_by_id=F("approved_by_id"))),
            models.CheckConstraint(
                name="mutual_funds_ruleset_brought_in", condition=Q(resolution__isnull=False) | Q(batch_id__isnull=False)
            ),
            models.UniqueConstraint(name="mutual_funds_ruleset_of_society", fields=["id", "society"]),
            *_one_at_a_time("mutual_funds_ruleset", "society"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"rules of {self.society_id} from {self.starts_on}"


class Member(SpellFact):
    """A household belongs to a society; one household, one member, one vote, in one society at a time."""

    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="members")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="+")
    starts_on = Day("joined_on", _("day the household joined"), days=Days.SINCE, label=_("joined on"),
                    headers=("date", "日期", "joined", "入社日期"))  # fmt: skip

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.UniqueConstraint(name="mutual_funds_member_of_society", fields=["id", "society"]),
            *_one_at_a_time("mutual_funds_member", "household"),
        ]

    def __str__(self) -> str:
        return f"household {self.household_id} in society {self.society_id}"


class Opening(EventFact):
    """What a society had on the region's first day: its pots and where the money lay. Both sides are equal."""

    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="openings")
    grant_fen = Fen(
        "grant",
        _("grant pot on the region's first day: all public money paid in, as it stood"),
        label=_("grant"),
        headers=("grant pot", "财政扶贫资金"),
    )
    contributions_fen = Fen(
        "contributions",
        _("members' contributions on that day"),
        label=_("members' contributions"),
        headers=("contributions pot", "农户互助金", "会员互助金"),
    )
    gifts_fen = Fen(
        "gifts", _("gifts on that day"), required=False, label=_("gifts"), headers=("gifts pot", "捐赠资金")
    )
    surplus_fen = Fen(
        "surplus",
        _("surplus of fees on that day"),
        required=False,
        label=_("surplus of fees"),
        headers=("surplus pot", "占用费积累", "公积金"),
    )
    cash_fen = Fen(
        "cash",
        _("cash in hand on that day"),
        required=False,
        label=_("cash in hand"),
        headers=("cash in hand", "库存现金"),
    )
    bank_fen = Fen("bank", _("money at the bank on that day"), label=_("bank"), headers=("at the bank", "银行存款"))
    loans_fen = Fen("loans", _("principal lent and not yet repaid on that day"), label=_("lent out"),
                    headers=("loans outstanding", "借出资金", "借款余额"))  # fmt: skip
    voucher_id = models.BigIntegerField(unique=True)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(
                name="mutual_funds_opening_pots_equal_money",
                condition=Q(
                    grant_fen=F("cash_fen") + F("bank_fen") + F("loans_fen")
                    - F("contributions_fen") - F("gifts_fen") - F("surplus_fen")
                ),
            ),
            models.UniqueConstraint(name="mutual_funds_opening_once", fields=["society"], condition=Q(voided_at=None)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"opening of society {self.society_id}"


class Contribution(EventFact):
    """A member paid own money in or got own money back; or was given a base share counted from the grant.

    `opening` is own money paid before the region's first day: it lies in the society's opening voucher. A base share
    moves no money: the grant stays whole, and a base share can never be refunded.
    """

    reach = Reach.SINCE

    class Kind(models.TextChoices):
        """What the contribution is. There is no dividend."""

        OWN = "own", _("own money")
        OPENING = "opening", _("own money from before the first year")
        GRANTED_BASE = "granted_base", _("base share from the grant")
        REFUND = "refund", _("refund of own money")

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="contributions")
    happened_on = Day(
        "paid_on", _("day of the payment; of money paid before the region's first day its true day"), days=Days.SINCE,
        label=_("day"), headers=("date", "日期", "paid", "缴纳日期"),
    )  # fmt: skip
    kind = Coded(
        "kind", _("own money, a base share counted from the grant (no money moves), or a refund of own money"),
        choices=Kind, leaves_out=("opening",), label=_("kind"), headers=("kind of contribution", "类别"), written={
            "自缴": "own", "交纳": "own", "赠股": "granted_base", "配股": "granted_base",
            "退还": "refund", "退股": "refund"},
    )  # fmt: skip
    amount_fen = Fen("amount", _("amount"), low=1, label=_("amount"), headers=("金额",))
    receipt_no = receipt_no()
    transfer_id = models.BigIntegerField(null=True)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(
                name="mutual_funds_contribution_money_has_transfer",
                condition=Q(kind__in=["own", "refund"], transfer_id__isnull=False)
                | Q(kind__in=["opening", "granted_base"], transfer_id=None),
            ),
            models.UniqueConstraint(name="mutual_funds_contribution_transfer_once", fields=["transfer_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of member {self.member_id}"


class Grant(EventFact):
    """Public money of one source line given to a society: out of the county's book, into the society's grant pot."""

    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="grants")
    source_line = models.ForeignKey(SourceLine, on_delete=models.PROTECT, related_name="+")
    happened_on = Day(
        "granted_on",
        _("day the money reached the society"),
        label=_("granted on"),
        headers=("date", "日期", "granted", "拨付日期"),
    )
    amount_fen = Fen("amount", _("amount granted"), low=1, label=_("amount"), headers=("grant", "拨付金额", "金额"))
    document_no = Words("document", _("number of the document that grants it"), label=_("document number"),
                        headers=("document number", "文号", "拨款文号"))  # fmt: skip
    transfer_id = models.BigIntegerField()
    county_transfer_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.UniqueConstraint(name="mutual_funds_grant_transfer_once", fields=["transfer_id"]),
            models.UniqueConstraint(name="mutual_funds_grant_county_transfer_once", fields=["county_transfer_id"]),
        ]

    def __str__(self) -> str:
        return f"grant of line {self.source_line_id} to society {self.society_id}"


class Gift(EventFact):
    """An unconditional gift to a society."""

    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="gifts")
    happened_on = Day("given_on", _("day of the gift"), label=_("day"), headers=("date", "日期"))
    giver = Words("giver", _("who gives it"), label=_("giver"), headers=("捐赠人", "捐赠单位"))
    amount_fen = Fen("amount", _("amount"), low=1, label=_("amount"), headers=("金额",))
    transfer_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.UniqueConstraint(name="mutual_funds_gift_transfer_once", fields=["transfer_id"]),
        ]

    def __str__(self) -> str:
        return f"gift to society {self.society_id}"


class Loan(EventFact):
    """Money lent to a member on a day. An `opening` loan is older than the first year: its principal is what was then
    owed.
    """

    reach = Reach.SINCE

    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="loans")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="loans")
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    happened_on = Day(
        "lent_on",
        _("day the money was lent"),
        days=Days.SINCE,
        label=_("lent on"),
        headers=("date", "日期", "lent", "借款日期"),
    )
    loan_no = Words(
        "loan_no",
        _("number of the loan, once in its society"),
        max_length=40,
        reference=True,
        label=_("loan number"),
        headers=("loan number", "借款编号", "借款号"),
    )
    principal_fen = Fen(
        "principal",
        _("amount lent; of a loan older than the region's first day, what was still owed on that day"),
        low=1,
        label=_("principal"),
        headers=("amount lent", "借款金额"),
    )
    fee_rate_bp = models.IntegerField()
    term_days = Whole(
        "term_days",
        _("days until the loan is due"),
        unit="days",
        low=1,
        high=3660,
        label=_("term in days"),
        headers=("term", "期限", "期限(天)"),
    )
    due_on = models.DateField()
    instalments = models.IntegerField()
    purpose = Coded("purpose", _("what the loan is for"), choices=Purpose, label=_("purpose"),
                    headers=("用途", "借款用途"), written={
                        "种植": "crops", "养殖": "livestock", "加工": "processing", "商贸": "trade", "贩运": "trade",
                        "服务": "services", "其他生产": "other_production"})  # fmt: skip
    opening = models.BooleanField(default=False)
    transfer_id = models.BigIntegerField(null=True)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(
                name="mutual_funds_loan_money_has_transfer",
                condition=Q(opening=False, transfer_id__isnull=False) | Q(opening=True, transfer_id=None),
            ),
            models.UniqueConstraint(name="mutual_funds_loan_transfer_once", fields=["transfer_id"]),
            models.UniqueConstraint(
                name="mutual_funds_loan_number_once", fields=["society", "loan_no"], condition=Q(voided_at=None)
            ),
            models.UniqueConstraint(  # however the number is written
                F("society"),
                number_key("loan_no"),
                name="mutual_funds_loan_number_written_once",
                condition=Q(voided_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.loan_no


class Instalment(models.Model):
    """What a loan owes on a day by its first schedule. Written with the loan by the database, never changed."""

    facts = Usage.OWNED

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="schedule")
    number = models.IntegerField()
    due_on = models.DateField()
    principal_fen = models.BigIntegerField()
    fee_fen = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(name="mutual_funds_instalment_once", fields=["loan", "number"])]

    def __str__(self) -> str:
        return f"{self.loan_id}/{self.number} due {self.due_on}"


class Repayment(EventFact):
    """Money a borrower paid back: a part for principal, a part for the fee, each with its transfer."""

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="repayments")
    happened_on = Day(
        "paid_on", _("day of the repayment"), label=_("day"), headers=("date", "日期", "paid", "还款日期")
    )
    principal_fen = Fen(
        "principal",
        _("part that repays principal"),
        label=_("principal"),
        headers=("principal repaid", "归还本金", "本金"),
    )
    fee_fen = Fen("fee", _("part that pays the user fee"), label=_("fee"), headers=("fee paid", "占用费"))
    receipt_no = receipt_no()  # fmt: skip
    principal_transfer_id = models.BigIntegerField(null=True)
    fee_transfer_id = models.BigIntegerField(null=True)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(
                name="mutual_funds_repayment_positive",
                condition=~Q(principal_fen=0, fee_fen=0),
            ),
            models.CheckConstraint(
                name="mutual_funds_repayment_principal_has_transfer",
                condition=Q(principal_fen=0, principal_transfer_id=None)
                | Q(principal_fen__gt=0, principal_transfer_id__isnull=False),
            ),
            models.CheckConstraint(
                name="mutual_funds_repayment_fee_has_transfer",
                condition=Q(fee_fen=0, fee_transfer_id=None) | Q(fee_fen__gt=0, fee_transfer_id__isnull=False),
            ),
            models.UniqueConstraint(name="mutual_funds_repayment_principal_once", fields=["principal_transfer_id"]),
            models.UniqueConstraint(name="mutual_funds_repayment_fee_once", fields=["fee_transfer_id"]),
        ]

    def __str__(self) -> str:
        return f"repayment of loan {self.loan_id}"


class Extension(EventFact):
    """A loan's last day was put off. What was due by the first schedule stays late in the on-time rate."""

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="extensions")
    happened_on = Day("decided_on", _("day it was decided"), label=_("day"), headers=("date", "日期", "决定日期"))
    due_on = Day(
        "due_on", _("the new last day of the loan"), label=_("new last day"), headers=("new last day", "展期到期日"),
        days=Days.ANY,
    )  # fmt: skip
    reason = Words("reason", _("why, in a few words"), label=_("reason"), headers=("原因", "展期原因"), max_length=300)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.UniqueConstraint(
                name="mutual_funds_extension_once_a_day", fields=["loan", "happened_on"], condition=Q(voided_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"loan {self.loan_id} until {self.due_on}"


class WriteOff(EventFact):
    """What a borrower still owed was given up, by two people, and taken from the pot the rule set names."""

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="write_offs")
    principal_fen = models.BigIntegerField()
    pot = models.TextField(choices=Pot.choices)
    reason = models.TextField()
    prepared_by_id = models.BigIntegerField()
    approved_by_id = models.BigIntegerField()
    transfer_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(name="mutual_funds_writeoff_positive", condition=Q(principal_fen__gt=0)),
            models.CheckConstraint(name="mutual_funds_writeoff_has_reason", condition=Q(reason__gt="")),
            models.CheckConstraint(
                name="mutual_funds_writeoff_four_eyes", condition=~Q(prepared_by_id=F("approved_by_id"))
            ),
            models.UniqueConstraint(name="mutual_funds_writeoff_transfer_once", fields=["transfer_id"]),
            models.UniqueConstraint(name="mutual_funds_writeoff_once", fields=["loan"], condition=Q(voided_at=None)),
        ]

    def __str__(self) -> str:
        return f"loan {self.loan_id} written off"


class Proposal(models.Model):
    """What a prepared set of vouchers is for, until another person approves it here. Never changed: its fate is the
    set's.
    """

    facts = Usage.LOG

    class Kind(models.TextChoices):
        """What approval will record."""

        LOAN = "loan", _("loan")
        REFUND = "refund", _("refund")
        GRANT = "grant", _("grant")
        WRITE_OFF = "write_off", _("write-off")
        REVERSAL = "reversal", _("reversal")

    set_id = models.BigIntegerField(unique=True)
    second_set_id = models.BigIntegerField(null=True)  # the county's voucher, where a grant is reversed
    kind = models.TextField(choices=Kind.choices)
    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="proposals")
    terms = models.JSONField()  # the fields of the fact to be recorded
    prepared_by_id = models.BigIntegerField()
    prepared_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [_known("mutual_funds_proposal", "kind", ["loan", "refund", "grant", "write_off", "reversal"])]

    def __str__(self) -> str:
        return f"{self.kind} in society {self.society_id}"
