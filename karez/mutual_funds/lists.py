"""The lists of village mutual funds, and the pages of what a society took in. Amounts are whole fen; each list shows
what counts on a day. Holds no other SQL: what loans say on a day stands in `reports`.
"""

from dataclasses import replace
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import counted_on
from karez.kernel.lists import (
    Link,
    Receipt,
    RecordList,
    RecordPage,
    Search,
    Shown,
    Sort,
    Total,
    containing,
    shown,
    worked_out,
)
from karez.kernel.messages import Text
from karez.kernel.sheets import Kind
from karez.mutual_funds import reports
from karez.mutual_funds.models import Contribution, Gift, Grant, Loan, Member, Repayment, Society

VIEW, PREPARE = "mutual_funds.view", "mutual_funds.prepare"
SOCIETY, LOAN = "mutual_funds.society", "mutual_funds.loan"
_DAY = "%(day)s::date"
_EVENT, _SPELL = (counted_on(_DAY, event=event, alias="t") for event in (True, False))

_OF_SOCIETY = "JOIN mutual_funds_society so ON so.id = t.society_id"
_OF_MEMBER = (
    "JOIN mutual_funds_member m ON m.id = {member} JOIN register_household h ON h.id = m.household_id"
    " JOIN mutual_funds_society so ON so.id = m.society_id"
)
_OF_LOAN = f"JOIN mutual_funds_loan l ON l.id = t.loan_id {_OF_MEMBER.format(member='l.member_id')}"
_BY_VOUCHER = "LEFT JOIN ledger_transfer tr ON tr.id = {transfer} LEFT JOIN ledger_voucher v ON v.id = tr.voucher_id"
_VOUCHER = {"voucher_id": "tr.voucher_id", "society_id": "so.id"}
_HOUSEHOLD = {"household_id": "h.id", "village_id": "h.village_id"}

_SOCIETY_NAME = shown(Society, "name", sql="so.name", name="society", link=Link(SOCIETY, "society_id"))
_HOUSEHOLD_NO = worked_out(
    "household_no", "h.household_no", _("household"), link=Link("register:household", "household_id", "village_id")
)
_VOUCHER_NO = worked_out(
    "voucher", "v.year || '-' || v.number", _("voucher"), link=Link("ledger:voucher", "voucher_id")
)
_TAKE_BACK = worked_out(
    "take_back", "'take_back'", _("take back"), words={"take_back": _("Take back")}, is_act=True,
    link=Link("mutual_funds:take_back", "society_id voucher_id", permission=PREPARE),
)  # fmt: skip
_RECEIPT_NUMBER = worked_out("receipt_number", "v.receipt_number", _("number of the receipt"))

_CAPITAL = "('2001', '4001', '4002', '4003')"
_MONEY = f"""CASE WHEN {_DAY} >= current_date THEN (
  SELECT coalesce(sum(a.posted_credit_fen - a.posted_debit_fen), 0)::bigint FROM ledger_account a
   WHERE a.book_id = t.book_id AND a.code IN {_CAPITAL}) ELSE (
  SELECT coalesce(sum(CASE WHEN x.credit_account_id = a.id THEN x.amount_fen ELSE -x.amount_fen END), 0)::bigint
    FROM ledger_account a JOIN ledger_transfer x ON a.id IN (x.credit_account_id, x.debit_account_id)
   WHERE a.book_id = t.book_id AND x.book_id = a.book_id AND a.code IN {_CAPITAL} AND x.booking_date <= {_DAY}) END"""

SOCIETIES = RecordList(
    name="mutual_funds.societies",
    label=_("village mutual funds"),
    about=_("One society a village: a grant, members' contributions, gifts and the surplus of fees, four pots that never mix."),
    model=Society,
    place="t.area_id",
    view=VIEW,
    where=_SPELL,
    columns=(
        shown(Society, "name", link=Link(SOCIETY, "id")),
        worked_out("village", "t.area_id", _("village"), Kind.AREA),
        shown(Society, "size_class", filtered=True),
        shown(Society, "starts_on", name="founded_on", filtered=True),
        worked_out(
            "members",
            f"(SELECT count(*) FROM mutual_funds_member m WHERE m.society_id = t.id AND"
            f" {counted_on(_DAY, event=False, alias='m')})",
            _("members"),
            Kind.INTEGER,
            unit="households",
        ),
        worked_out("money", _MONEY, _("money"), Kind.FEN),
    ),
    sorts=(
        Sort("name", ("name",), "mutual_funds_society_by_name"),
        Sort("founded_on", ("founded_on",), "mutual_funds_society_by_day"),
    ),
    search=Search(_("name of a society"), "t.name ILIKE %(words)s", containing),
    home="mutual_funds:societies",
    of_a_day=True,
    empty=_(
        "No society in your areas on that day. They come in as a file of societies, or one is founded on the page of its"
        " village."
    ),
)  # fmt: skip

_OWN = (
    "(SELECT coalesce(sum(CASE c.kind WHEN 'refund' THEN -c.amount_fen ELSE c.amount_fen END), 0)::bigint"
    " FROM mutual_funds_contribution c WHERE c.member_id = t.id AND c.kind {kinds} 'granted_base' AND "
    + counted_on(_DAY, event=True, alias="c")
    + ")"
)

MEMBERS = RecordList(
    name="mutual_funds.members",
    label=_("members"),
    model=Member,
    joins=_OF_MEMBER.format(member="t.id"),
    place="so.area_id",
    view=VIEW,
    where=_SPELL,
    within={SOCIETY: "t.society_id"},
    columns=(
        _HOUSEHOLD_NO,
        shown(Member, "starts_on", name="joined_on", filtered=True),
        worked_out("own", _OWN.format(kinds="<>"), _("own money"), Kind.FEN),
        worked_out("base", _OWN.format(kinds="="), _("base share"), Kind.FEN),
    ),
    also=_HOUSEHOLD,
    sorts=(Sort("household_no", ("household_no",)), Sort("joined_on", ("joined_on",)), Sort("own", ("own",), descending=True)),
    search=Search(_("number of the household"), "h.household_no ILIKE %(words)s", containing),
    totals=(Total(_("own money of all members, yuan"), _OWN.format(kinds="<>")),),
    reads="society_page",
    of_a_day=True,
    empty=_("No member yet. Members come in as a file, one household one member."),
)  # fmt: skip

LOANS = RecordList(
    name="mutual_funds.loans",
    label=_("loans"),
    model=Loan,
    source=reports.on_day(reports.LOANS, _DAY, of="%(within)s"),
    joins=_OF_MEMBER.format(member="t.member_id"),
    key="t.loan_id",
    place="t.area_id",
    view=VIEW,
    where="true",
    within={SOCIETY: "t.society_id"},
    columns=(
        shown(Loan, "loan_no", link=Link(LOAN, "id")),
        _HOUSEHOLD_NO,
        shown(Loan, "purpose", filtered=True),
        shown(Loan, "happened_on", sql="t.issued_on", name="lent_on", filtered=True),
        worked_out("due_on", "t.due_on", _("due on"), Kind.DATE, filtered=True),
        shown(Loan, "principal_fen", name="principal"),
        worked_out("owed", "t.outstanding_fen", _("still owed"), Kind.FEN),
        worked_out("days_late", "t.days_late", _("days late"), Kind.INTEGER, badge="danger"),
    ),
    also=_HOUSEHOLD,
    sorts=(
        Sort("lent_on", ("lent_on",)), Sort("loan_no", ("loan_no",)), Sort("due_on", ("due_on",)),
        Sort("owed", ("owed",), descending=True), Sort("days_late", ("days_late",), descending=True),
    ),
    search=Search(_("number of the loan or household"),
                  "t.loan_no ILIKE %(words)s OR h.household_no ILIKE %(words)s", containing),
    totals=(Total(_("principal, yuan"), "t.principal_fen"), Total(_("still owed, yuan"), "t.outstanding_fen")),
    reads="society_page",
    of_a_day=True,
    empty=_("No loan yet."),
)  # fmt: skip


def _paid_in(**more: Any) -> RecordList:
    """A list of what counts on a day, of a society."""
    given: dict[str, Any] = {
        "place": "so.area_id",
        "view": VIEW,
        "where": _EVENT,
        "of_a_day": True,
        "within": {SOCIETY: "so.id"},
    }
    return RecordList(**(given | more))


_CONTRIBUTION: tuple[Shown, ...] = (
    shown(Contribution, "happened_on", name="paid_on", filtered=True, link=Link("mutual_funds.contribution", "id")),
    _HOUSEHOLD_NO,
    shown(Contribution, "kind", filtered=True),
    shown(Contribution, "amount_fen", name="amount"),
    shown(Contribution, "receipt_no"),
    _VOUCHER_NO,
)
_BY_DAY = (Sort("paid_on", ("paid_on",), descending=True),)
CONTRIBUTIONS = _paid_in(
    model=Contribution,
    name="mutual_funds.contributions",
    label=_("contributions"),
    joins=f"{_OF_MEMBER.format(member='t.member_id')} {_BY_VOUCHER.format(transfer='t.transfer_id')}",
    columns=_CONTRIBUTION,
    also=_HOUSEHOLD | _VOUCHER,
    sorts=(*_BY_DAY, Sort("household_no", ("household_no",)), Sort("amount", ("amount",), descending=True)),
    search=Search(_("number of the household"), "h.household_no ILIKE %(words)s", containing),
    totals=(
        Total(
            _("own money paid in less what was refunded, yuan"),
            "CASE t.kind WHEN 'refund' THEN -t.amount_fen WHEN 'granted_base' THEN 0 ELSE t.amount_fen END",
        ),
    ),
    reads="society_page",
    empty=_("No contribution yet. The first is taken in when a household joins."),
)

_REPAYMENT: tuple[Shown, ...] = (
    shown(Repayment, "happened_on", name="paid_on", filtered=True, link=Link("mutual_funds.repayment", "id")),
    worked_out("loan_no", "l.loan_no", _("loan"), link=Link(LOAN, "loan_id")),
    _HOUSEHOLD_NO,
    shown(Repayment, "principal_fen", name="principal"),
    shown(Repayment, "fee_fen", name="fee"),
    shown(Repayment, "receipt_no"),
    _VOUCHER_NO,
)
_REPAID_WITH = f"{_OF_LOAN} {_BY_VOUCHER.format(transfer='coalesce(t.principal_transfer_id, t.fee_transfer_id)')}"
REPAYMENTS = _paid_in(
    model=Repayment,
    name="mutual_funds.repayments",
    label=_("repayments"),
    joins=_REPAID_WITH,
    columns=_REPAYMENT,
    also=_HOUSEHOLD | _VOUCHER | {"loan_id": "t.loan_id"},
    within={SOCIETY: "so.id", LOAN: "t.loan_id"},
    sorts=(*_BY_DAY, Sort("loan_no", ("loan_no",)), Sort("household_no", ("household_no",))),
    search=Search(_("number of the loan or household"),
                  "l.loan_no ILIKE %(words)s OR h.household_no ILIKE %(words)s", containing),
    totals=(Total(_("principal, yuan"), "t.principal_fen"), Total(_("fee, yuan"), "t.fee_fen")),
    reads="society_page",
    empty=_("Nothing repaid yet."),
)  # fmt: skip

_GRANT: tuple[Shown, ...] = (
    shown(Grant, "happened_on", name="granted_on", filtered=True, link=Link("mutual_funds.grant", "id")),
    worked_out("line", "li.code", _("line"), link=Link("funds:line", "line_id")),
    shown(Grant, "amount_fen", name="amount"),
    shown(Grant, "document_no"),
    _VOUCHER_NO,
)
_GRANTED_WITH = (
    f"{_OF_SOCIETY} JOIN funds_sourceline li ON li.id = t.source_line_id {_BY_VOUCHER.format(transfer='t.transfer_id')}"
)
GRANTS = _paid_in(
    model=Grant,
    name="mutual_funds.grants",
    label=_("grants"),
    joins=_GRANTED_WITH,
    columns=(*_GRANT, _TAKE_BACK),
    also=_VOUCHER | {"line_id": "li.id"},
    sorts=(Sort("granted_on", ("granted_on",), descending=True), Sort("amount", ("amount",), descending=True)),
    totals=(Total(_("granted, yuan"), "t.amount_fen"),),
    empty=_("No grant recorded; an older one is in the opening balance."),
)

_GIFT: tuple[Shown, ...] = (
    shown(Gift, "happened_on", name="given_on", filtered=True, link=Link("mutual_funds.gift", "id")),
    shown(Gift, "giver"),
    shown(Gift, "amount_fen", name="amount"),
    _VOUCHER_NO,
)
_GIVEN_WITH = f"{_OF_SOCIETY} {_BY_VOUCHER.format(transfer='t.transfer_id')}"
GIFTS = _paid_in(
    model=Gift,
    name="mutual_funds.gifts",
    label=_("gifts"),
    joins=_GIVEN_WITH,
    columns=(*_GIFT, _TAKE_BACK),
    also=_VOUCHER,
    sorts=(Sort("given_on", ("given_on",), descending=True), Sort("amount", ("amount",), descending=True)),
    totals=(Total(_("given, yuan"), "t.amount_fen"),),
    empty=_("No gift recorded."),
)

LISTS = (SOCIETIES, MEMBERS, LOANS, CONTRIBUTIONS, REPAYMENTS, GRANTS, GIFTS)


def _page(name: str, label: Text, model: type[Model], columns: tuple[Shown, ...], **more: Any) -> RecordPage:
    """The page of what a society took in."""
    own = (replace(columns[0], link=None), *columns[1:])  # which leads to this page
    return RecordPage(
        f"mutual_funds.{name}", label, model, "so.area_id", VIEW, (_SOCIETY_NAME, *own),
        documents=("voucher", "voucher_id"), **more,
    )  # fmt: skip


_CASH_IN = (_RECEIPT_NUMBER,)
PAGES = (
    RecordPage(
        SOCIETY, _("society"), Society, "t.area_id", VIEW, (shown(Society, "name"),), title="%(name)s",
        parts=("mutual_funds.loans", "mutual_funds.members", "mutual_funds.contributions", "mutual_funds.repayments",
               "mutual_funds.grants", "mutual_funds.gifts"),
        home="mutual_funds:society", reads="society_page",
    ),
    RecordPage(
        LOAN, _("loan"), Loan, "so.area_id", VIEW, (shown(Loan, "loan_no"),), joins=_OF_SOCIETY,
        title=_("Loan %(loan_no)s"), parts=("mutual_funds.repayments",), home="mutual_funds:loan", reads="loan",
    ),
    _page(
        "contribution", _("contribution"), Contribution, (*_CONTRIBUTION, *_CASH_IN), joins=CONTRIBUTIONS.joins,
        also=CONTRIBUTIONS.also, title=_("Contribution of %(paid_on)s"), reads="contribution",
        receipt=Receipt(_("receipt"), "receipt_number",
                        ("receipt_number", "society", "household_no", "paid_on", "amount", "voucher")),
    ),
    _page(
        "repayment", _("repayment"), Repayment, (*_REPAYMENT, *_CASH_IN), joins=_REPAID_WITH, also=REPAYMENTS.also,
        title=_("Repayment of %(paid_on)s"), reads="repayment",
        receipt=Receipt(_("receipt"), "receipt_number",
                        ("receipt_number", "society", "household_no", "loan_no", "paid_on", "principal", "fee", "voucher")),
    ),
    _page("grant", _("grant"), Grant, _GRANT, joins=_GRANTED_WITH, also=GRANTS.also, title=_("Grant of %(granted_on)s")),
    _page(
        "gift", _("gift"), Gift, (*_GIFT, *_CASH_IN), joins=_GIVEN_WITH, also=GIFTS.also,
        title=_("Gift of %(given_on)s"),
        receipt=Receipt(_("receipt"), "receipt_number", ("receipt_number", "society", "given_on", "amount", "voucher")),
    ),
)  # fmt: skip
