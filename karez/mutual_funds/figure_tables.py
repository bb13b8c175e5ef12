"""What closing freezes of this room: societies, their capital, grants, members, loans and what fell due. Holds no
names.

A loan or member opens to its record through the household's random key; what people call them stays in the register.
"""

from django.utils.translation import gettext_lazy as _

from karez.funds.models import Funder, SourceLine
from karez.kernel.facts import counted_on
from karez.kernel.fields import frozen
from karez.kernel.figure_tables import FigureColumn, FigureTable
from karez.mutual_funds import reports
from karez.mutual_funds.models import Grant, Loan, Member, RuleSet, Society
from karez.register.models import Household

_DAY = "%(as_of)s"

SOCIETIES = FigureTable(
    name="mutual_funds_societies",
    grain=_("one row per society at work on the day"),
    label=_("societies at work on 31 December"),
    columns=(
        FigureColumn("society_id", "bigint", _("the society"), label=_("society")),
        frozen(Society, "starts_on", name="founded_on"),
        FigureColumn("founded_year", "integer", _("year it was founded"), label=_("founded in"), unit="year"),
        frozen(Society, "size_class"),
        FigureColumn(
            "key_county",
            "boolean",
            _("whether its county is on the national list"),
            label=_("in a national key county"),
        ),
        FigureColumn(
            "poor_village", "boolean", _("whether the village is on the list of poor villages"), label=_("poor village")
        ),
        FigureColumn("members", "integer", _("member households"), label=_("member households"), unit="households"),
        frozen(RuleSet, "min_members"),
    ),
    sql=f"""
WITH tree AS MATERIALIZED (SELECT area_id, county_id FROM places_tree_on({_DAY}::date, true)),
listed AS MATERIALIZED (SELECT d.area_id, d.list FROM places_designation d
    WHERE {counted_on(_DAY, event=False, alias="d")}),
joined AS (SELECT m.society_id, count(*) AS members FROM mutual_funds_member m
            WHERE {counted_on(_DAY, event=False, alias="m")} GROUP BY 1)
SELECT so.area_id, so.id AS society_id, so.starts_on AS founded_on, extract(year
    FROM so.starts_on)::integer AS founded_year, so.size_class,
       EXISTS (SELECT FROM listed d WHERE d.area_id = v.county_id AND d.list = 'national_key_county') AS key_county,
       EXISTS (SELECT FROM listed d WHERE d.area_id = so.area_id AND d.list = 'poor_village') AS poor_village,
       coalesce(j.members, 0)::integer AS members, r.min_members
  FROM mutual_funds_society so LEFT JOIN tree v ON v.area_id = so.area_id LEFT JOIN joined j ON j.society_id = so.id
  LEFT JOIN mutual_funds_ruleset r ON r.society_id = so.id AND {counted_on(_DAY, event=False, alias="r")}
 WHERE {counted_on(_DAY, event=False, alias="so")}""",
    order_by="society_id",
)

CAPITAL = FigureTable(
    name="mutual_funds_capital",
    grain=_(
        "one row per transfer into a pot of a society at work on the day, or out of it as a "
        "refund; members' opening money by household"
    ),
    label=_("transfers into and out of the pots of societies at work"),
    columns=(
        FigureColumn("society_id", "bigint", _("the society"), label=_("society")),
        frozen(Society, "size_class"),
        FigureColumn("grant_fen", "bigint", _("public money paid in"), label=_("public money"), unit="fen"),
        FigureColumn(
            "contributions_fen",
            "bigint",
            _("members' own money paid in, net of refunds"),
            label=_("members' money"),
            unit="fen",
        ),
        FigureColumn("gifts_fen", "bigint", _("gifts"), label=_("gifts"), unit="fen"),
        FigureColumn("surplus_fen", "bigint", _("fees received"), label=_("fees received"), unit="fen"),
        FigureColumn(
            "household_key",
            "uuid",
            _("whose own money or fee it is, by random key; empty for public money and what was taken back"),
            label=_("household"),
            key=True,
        ),
        FigureColumn("transfer_id", "bigint", _("transfer in the society's book"), label=_("transfer")),
        FigureColumn("voucher_id", "bigint", _("voucher of that transfer"), label=_("voucher")),
    ),
    sql=reports.on_day(reports.CAPITAL_TRANSFERS),
    order_by="transfer_id",
)

OPENING = FigureTable(
    name="mutual_funds_opening",
    grain=_(
        "one row per opening balance of a pot, members' money by household, of every society "
        "that stood on the region's first day, ended since or not"
    ),
    label=_("opening balances of the pots, of all societies that stood on the region's first day"),
    columns=CAPITAL.columns,
    sql=reports.on_day(reports.OPENING_TRANSFERS),
    order_by="transfer_id",
)

GRANTS = FigureTable(
    name="mutual_funds_grants",
    grain=_("one row per grant to a society since the region's first year"),
    label=_("grants to societies"),
    columns=(
        FigureColumn("society_id", "bigint", _("the society"), label=_("society")),
        frozen(Society, "size_class"),
        frozen(SourceLine, "code", name="source_line"),
        frozen(SourceLine, "year", name="line_year"),
        frozen(Funder, "code", name="funder_code"),
        frozen(Funder, "kind", name="funder_kind"),
        frozen(Grant, "amount_fen"),
        frozen(Grant, "happened_on", name="granted_on"),
        FigureColumn(
            "counts_year",
            "integer",
            _("year it counts in, the year of the grant unless learnt later"),
            label=_("counts in the year"),
            unit="year",
        ),
        FigureColumn("transfer_id", "bigint", _("transfer into the society's book"), label=_("transfer")),
        FigureColumn("voucher_id", "bigint", _("voucher of that transfer"), label=_("voucher")),
        FigureColumn(
            "county_transfer_id", "bigint", _("transfer out of the county's book"), label=_("transfer of the county")
        ),
    ),
    sql=f"""
SELECT so.area_id, g.society_id, so.size_class, li.code AS source_line, li.year AS line_year, f.code AS funder_code,
    f.kind AS funder_kind,
       g.amount_fen, g.happened_on AS granted_on, extract(year
           FROM g.counts_on)::integer AS counts_year, g.transfer_id, t.voucher_id,
       g.county_transfer_id
  FROM mutual_funds_grant g JOIN mutual_funds_society so ON so.id = g.society_id JOIN funds_sourceline li
      ON li.id = g.source_line_id
  JOIN funds_funder f ON f.id = li.funder_id JOIN ledger_transfer t ON t.id = g.transfer_id
 WHERE {counted_on(_DAY, event=True, alias="g")}""",
    order_by="transfer_id",
)

MEMBERS = FigureTable(
    name="mutual_funds_members",
    grain=_("one row per member household on the day"),
    label=_("member households of the societies"),
    columns=(
        FigureColumn("household_key", "uuid", _("the household, by its random key"), label=_("household"), key=True),
        FigureColumn("society_id", "bigint", _("its society"), label=_("society")),
        frozen(Member, "starts_on", name="joined_on"),
        frozen(Household, "kind", name="household_kind"),
    ),
    sql=f"""
SELECT so.area_id, h.key AS household_key, m.society_id, m.starts_on AS joined_on, h.kind AS household_kind
  FROM mutual_funds_member m JOIN mutual_funds_society so ON so.id = m.society_id JOIN register_household h
      ON h.id = m.household_id
 WHERE {counted_on(_DAY, event=False, alias="m")}""",
    order_by="household_key",
)

LOANS = FigureTable(
    name="mutual_funds_loans",
    grain=_("one row per loan issued until the day, older ones as they stood on the region's first day"),
    label=_("loans of the societies"),
    columns=(
        FigureColumn(
            "household_key", "uuid", _("the borrower's household, by its random key"), label=_("household"), key=True
        ),
        FigureColumn("society_id", "bigint", _("the society"), label=_("society")),
        FigureColumn("loan_id", "bigint", _("the loan"), label=_("loan")),
        frozen(Loan, "principal_fen"),
        frozen(Loan, "happened_on", name="issued_on"),
        FigureColumn(
            "counts_year",
            "integer",
            _("year it counts in, the year it was lent unless learnt later"),
            label=_("counts in the year"),
            unit="year",
        ),
        FigureColumn(
            "opening",
            "boolean",
            _("whether it is older than the region's first day"),
            label=_("older than the first day"),
        ),
        frozen(Loan, "purpose"),
        frozen(Loan, "term_days"),
        FigureColumn("due_on", "date", _("last day, extensions included"), label=_("due on")),
        FigureColumn("rescheduled", "boolean", _("whether it was extended"), label=_("extended")),
        FigureColumn("repaid_principal_fen", "bigint", _("principal repaid"), label=_("principal repaid"), unit="fen"),
        FigureColumn("repaid_fee_fen", "bigint", _("fees paid"), label=_("fees paid"), unit="fen"),
        FigureColumn("written_off_fen", "bigint", _("principal written off"), label=_("written off"), unit="fen"),
        FigureColumn("outstanding_fen", "bigint", _("principal still owed"), label=_("still owed"), unit="fen"),
        FigureColumn(
            "days_late", "integer", _("days the oldest unpaid instalment is late"), label=_("days late"), unit="days"
        ),
        FigureColumn(
            "transfer_id", "bigint", _("transfer that paid it out; empty for an older loan"), label=_("transfer")
        ),
        FigureColumn("voucher_id", "bigint", _("voucher of that transfer"), label=_("voucher")),
    ),
    sql=f"""
SELECT x.area_id, h.key AS household_key, x.society_id, x.loan_id, x.principal_fen, x.issued_on,
       extract(year FROM x.counts_on)::integer AS counts_year, x.opening, x.purpose, x.term_days, x.due_on,
           x.rescheduled,
       x.repaid_principal_fen, x.repaid_fee_fen, x.written_off_fen, x.outstanding_fen,
           x.days_late::integer AS days_late, x.transfer_id, t.voucher_id
  FROM ({reports.on_day(reports.LOANS)}) x JOIN mutual_funds_member m ON m.id = x.member_id
  JOIN register_household h ON h.id = m.household_id LEFT JOIN ledger_transfer t ON t.id = x.transfer_id""",
    order_by="loan_id",
)

DUES = FigureTable(
    name="mutual_funds_dues",
    grain=_("one row per instalment fallen due by its first schedule until the day"),
    label=_("instalments fallen due, by their first schedule"),
    columns=(
        FigureColumn("society_id", "bigint", _("the society"), label=_("society")),
        FigureColumn("loan_id", "bigint", _("the loan"), label=_("loan")),
        FigureColumn("number", "integer", _("number of the instalment"), label=_("number")),
        FigureColumn("due_on", "date", _("day it first fell due"), label=_("due on")),
        FigureColumn("due_year", "integer", _("year it first fell due"), label=_("due in the year"), unit="year"),
        FigureColumn("principal_fen", "bigint", _("principal due"), label=_("principal"), unit="fen"),
        FigureColumn("fee_fen", "bigint", _("fee due"), label=_("fee due"), unit="fen"),
        FigureColumn("due_fen", "bigint", _("principal and fee due"), label=_("due"), unit="fen"),
        FigureColumn(
            "collected_on_time_fen",
            "bigint",
            _("paid on it by the day it fell due"),
            label=_("paid by the day it fell due"),
            unit="fen",
        ),
        FigureColumn("collected_fen", "bigint", _("paid on it by now"), label=_("paid by now"), unit="fen"),
    ),
    sql=f"""
SELECT area_id, society_id, loan_id, number, due_on, extract(year
    FROM due_on)::integer AS due_year, principal_fen, fee_fen, due_fen,
       collected_on_time_fen, collected_fen FROM ({reports.on_day(reports.DUES)}) d""",
    order_by="loan_id, number",
)

FIGURE_TABLES = (SOCIETIES, CAPITAL, OPENING, GRANTS, MEMBERS, LOANS, DUES)
