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
    """The four pots. A loan written off may fall on any but the members' own money."""

    GRANT = "grant", _("grant")
    CONTRIBUTIONS = "contributions", _("members' contributions")
    GIFTS = "gifts", _("gifts")
    SURPLUS = "surplus", _("surplus of fees")


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
    name = models.TextField()
    size_class = models.TextField(choices=SizeClass.choices)
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
            _known("mutual_funds_society", "size_class", SizeClass.values),
            models.CheckConstraint(name="mutual_funds_society_named", condition=Q(name__gt="")),
            *_one_at_a_time("mutual_funds_society", "area"),
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
    loan_cap_fen = models.BigIntegerField()
    term_cap_days = models.IntegerField()
    extension_days_max = models.IntegerField(default=0)
    fee_rate_bp = models.IntegerField()  # hundredths of a percent of what is lent, for thirty days
    contribution_min_fen = models.BigIntegerField()
    contribution_max_fen = models.BigIntegerField()
    allocation_order = models.TextField(choices=Order.choices)
    write_off_pot = models.TextField(choices=Pot.choices)
    open_loans_max = models.IntegerField()
    instalments = models.IntegerField()  # equal ones; 1 = all at the end
    min_members = models.IntegerField()
    min_poor_share = models.IntegerField()  # percent

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(
                name="mutual_funds_ruleset_in_range",
                condition=Q(
                    loan_cap_fen__gt=0, term_cap_days__gt=0, extension_days_max__gte=0, fee_rate_bp__range=(0, 1000),
                    contribution_min_fen__gte=0, contribution_max_fen__gte=F("contribution_min_fen"),
                    open_loans_max__gt=0, instalments__range=(1, 60), min_members__gte=0, min_poor_share__range=(0, 100),
                ),
            ),
            models.CheckConstraint(name="mutual_funds_ruleset_four_eyes", condition=~Q(prepared_by_id=F("approved_by_id"))),
            models.CheckConstraint(
                name="mutual_funds_ruleset_brought_in", condition=Q(resolution__isnull=False) | Q(batch_id__isnull=False)
            ),
            _known("mutual_funds_ruleset", "allocation_order", Order.values),
            # Members' own money never pays for another's default.
            _known("mutual_funds_ruleset", "write_off_pot", [Pot.SURPLUS, Pot.GIFTS, Pot.GRANT]),
            models.UniqueConstraint(name="mutual_funds_ruleset_of_society", fields=["id", "society"]),
            *_one_at_a_time("mutual_funds_ruleset", "society"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"rules of {self.society_id} from {self.starts_on}"


class Member(SpellFact):
    """A household belongs to a society; one household, one member, one vote, in one society at a time."""

    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="members")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="+")

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
    grant_fen = models.BigIntegerField()
    contributions_fen = models.BigIntegerField()
    gifts_fen = models.BigIntegerField()
    surplus_fen = models.BigIntegerField()
    cash_fen = models.BigIntegerField()
    bank_fen = models.BigIntegerField()
    loans_fen = models.BigIntegerField()
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
            models.CheckConstraint(
                name="mutual_funds_opening_not_negative",
                condition=Q(grant_fen__gte=0, contributions_fen__gte=0, gifts_fen__gte=0, surplus_fen__gte=0)
                & Q(cash_fen__gte=0, bank_fen__gte=0, loans_fen__gte=0),
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
    kind = models.TextField(choices=Kind.choices)
    amount_fen = models.BigIntegerField()
    receipt_no = models.TextField(
        blank=True, db_default=""
    )  # of the paper receipt: tells two payments of one day apart
    transfer_id = models.BigIntegerField(null=True)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            _known("mutual_funds_contribution", "kind", ["own", "opening", "granted_base", "refund"]),
            models.CheckConstraint(name="mutual_funds_contribution_positive", condition=Q(amount_fen__gt=0)),
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
    amount_fen = models.BigIntegerField()
    document_no = models.TextField()
    transfer_id = models.BigIntegerField()
    county_transfer_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(name="mutual_funds_grant_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(name="mutual_funds_grant_has_document", condition=Q(document_no__gt="")),
            models.UniqueConstraint(name="mutual_funds_grant_transfer_once", fields=["transfer_id"]),
            models.UniqueConstraint(name="mutual_funds_grant_county_transfer_once", fields=["county_transfer_id"]),
        ]

    def __str__(self) -> str:
        return f"grant of line {self.source_line_id} to society {self.society_id}"


class Gift(EventFact):
    """An unconditional gift to a society."""

    society = models.ForeignKey(Society, on_delete=models.PROTECT, related_name="gifts")
    giver = models.TextField()
    amount_fen = models.BigIntegerField()
    transfer_id = models.BigIntegerField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(name="mutual_funds_gift_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(name="mutual_funds_gift_has_giver", condition=Q(giver__gt="")),
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
    loan_no = models.TextField()
    principal_fen = models.BigIntegerField()
    fee_rate_bp = models.IntegerField()
    term_days = models.IntegerField()
    due_on = models.DateField()
    instalments = models.IntegerField()
    purpose = models.TextField(choices=Purpose.choices)
    opening = models.BooleanField(default=False)
    transfer_id = models.BigIntegerField(null=True)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            _known("mutual_funds_loan", "purpose", Purpose.values),
            models.CheckConstraint(
                name="mutual_funds_loan_positive", condition=Q(principal_fen__gt=0, term_days__gt=0)
            ),
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
    principal_fen = models.BigIntegerField()
    fee_fen = models.BigIntegerField()
    receipt_no = models.TextField(blank=True, db_default="")
    principal_transfer_id = models.BigIntegerField(null=True)
    fee_transfer_id = models.BigIntegerField(null=True)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(
                name="mutual_funds_repayment_positive",
                condition=Q(principal_fen__gte=0, fee_fen__gte=0) & ~Q(principal_fen=0, fee_fen=0),
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
    due_on = models.DateField()
    reason = models.TextField()

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(name="mutual_funds_extension_has_reason", condition=Q(reason__gt="")),
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
