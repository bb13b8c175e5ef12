"""The columns of this room's files, each by reference to the field that says what it means. Holds no checks and no writing."""

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from karez.funds.models import SourceLine
from karez.kernel.fields import column_of
from karez.kernel.messages import say
from karez.kernel.sheets import Column, Kind
from karez.mutual_funds.models import (
    Contribution,
    Extension,
    Gift,
    Grant,
    Loan,
    Member,
    Opening,
    Repayment,
    RuleSet,
    Society,
)
from karez.register.models import Household

PLACES_OF_MONEY = {"bank": "bank", "银行": "bank", "专户": "bank", "cash": "cash", "现金": "cash"}
VILLAGE = Column(
    "village",
    say("code of the administrative village the society works in"),
    Kind.AREA,
    levels=("village",),
    label=_("village"),
    headers=("village code", "行政村代码", "村代码"),
    max_length=20,
)
MONEY = Column(
    "account",
    say("where the money came to or went from: bank or cash; bank if empty"),
    Kind.CODE,
    required=False,
    codes=PLACES_OF_MONEY,
    label=_("paid through"),
    headers=("paid through", "资金账户", "收付方式"),
)
HOUSEHOLD_NO = column_of(Household, "household_no")
LOAN_NO = column_of(Loan, "loan_no")
MEMBER_KIND = column_of(
    Household,
    "kind",
    name="kind",
    headers=("kind of household", "户类型"),
    meaning=_("a household of the register, or one recorded as fund member only (made if it is not there)"),
)
SOURCE_LINE = column_of(
    SourceLine, "code", name="source_line", label=_("source line"), headers=("source line", "资金来源代码")
)


def _of(model: type[Model], *fields: str) -> tuple[Column, ...]:
    return tuple(column_of(model, field) for field in fields)


SOCIETIES = (
    VILLAGE, *_of(Society, "name", "starts_on", "size_class"),
    *_of(RuleSet, "loan_cap_fen", "term_cap_days", "fee_rate_bp", "contribution_min_fen", "contribution_max_fen",
         "allocation_order", "write_off_pot", "open_loans_max", "instalments", "min_members", "min_poor_share",
         "extension_days_max"),
)  # fmt: skip
SOCIETY_OPENINGS = (
    VILLAGE,
    *_of(Opening, "grant_fen", "contributions_fen", "gifts_fen", "surplus_fen", "cash_fen", "bank_fen", "loans_fen"),
)
GRANTS = (VILLAGE, SOURCE_LINE, *_of(Grant, "happened_on", "amount_fen", "document_no"))
FUND_MEMBERS = (VILLAGE, HOUSEHOLD_NO, *_of(Member, "starts_on"), MEMBER_KIND)
CONTRIBUTIONS = (
    VILLAGE, HOUSEHOLD_NO, *_of(Contribution, "happened_on", "amount_fen", "kind"), MONEY,
    *_of(Contribution, "receipt_no"),
)  # fmt: skip
LOANS = (
    VILLAGE, LOAN_NO, HOUSEHOLD_NO, *_of(Loan, "happened_on", "principal_fen", "term_days", "purpose"), MONEY,
)  # fmt: skip
REPAYMENTS = (
    VILLAGE, LOAN_NO, *_of(Repayment, "happened_on", "principal_fen", "fee_fen"), MONEY, *_of(Repayment, "receipt_no"),
)  # fmt: skip
GIFTS = (VILLAGE, *_of(Gift, "happened_on", "giver", "amount_fen"), MONEY)
EXTENSIONS = (VILLAGE, LOAN_NO, *_of(Extension, "happened_on", "due_on", "reason"))
# What a form asks in place of principal and fee.
REPAID = column_of(
    Repayment,
    "principal_fen",
    name="amount",
    low=1,
    label=_("amount"),
    headers=("金额",),
    meaning=_("what was paid; it is divided into fee and principal by the society's order"),
)
