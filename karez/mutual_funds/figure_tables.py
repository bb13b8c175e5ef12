"""What closing freezes of this room: societies, their capital, grants, members, loans and what fell due. Holds no
names.

A loan or member opens to its record through the household's random key; what people call them stays in the register.
"""

from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import FigureColumn, FigureTable
from karez.mutual_funds import reports

_DAY = "%(as_of)s"

SOCIETIES = FigureTable(
    name="mutual_funds_societies",
    grain="one row per society at work on the day",
    columns=(
        FigureColumn("society_id", "bigint", "the society"),
        FigureColumn("founded_on", "date", "day it was founded"),
        FigureColumn("founded_year", "integer", "year it was founded", unit="year"),
        FigureColumn("size_class", "text", "class of the village: small, big, or old where older than the classes"),
        FigureColumn("key_county", "boolean", "whether its county is on the national list"),
        FigureColumn("poor_village", "boolean", "whether the village is on the list of poor villages"),
        FigureColumn("members", "integer", "member households", unit="households"),
        FigureColumn("min_members", "integer", "fewest members by its rules", unit="households"),
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
    grain=(
        "one row per transfer into a pot of a society at work on the day, or out of it as a refund; members' "
        "opening money by household"
    ),
    columns=(
        FigureColumn("society_id", "bigint", "the society"),
        FigureColumn("size_class", "text", "class of the village"),
        FigureColumn("grant_fen", "bigint", "public money paid in", unit="fen"),
        FigureColumn("contributions_fen", "bigint", "members' own money paid in, net of refunds", unit="fen"),
        FigureColumn("gifts_fen", "bigint", "gifts", unit="fen"),
        FigureColumn("surplus_fen", "bigint", "fees received", unit="fen"),
        FigureColumn(
            "household_key",
            "uuid",
            "whose own money or fee it is, by random key; empty for public money and what was taken back",
            key=True,
        ),
        FigureColumn("transfer_id", "bigint", "transfer in the society's book"),
        FigureColumn("voucher_id", "bigint", "voucher of that transfer"),
    ),
    sql=reports.on_day(reports.CAPITAL_TRANSFERS),
    order_by="transfer_id",
)

OPENING = FigureTable(
    name="mutual_funds_opening",
    grain=(
        "one row per opening balance of a pot, members' money by household, of every society that stood on the "
        "region's first day, ended since or not"
    ),
    columns=CAPITAL.columns,
    sql=reports.on_day(reports.OPENING_TRANSFERS),
    order_by="transfer_id",
)

GRANTS = FigureTable(
    name="mutual_funds_grants",
    grain="one row per grant to a society since the region's first year",
    columns=(
        FigureColumn("society_id", "bigint", "the society"),
        FigureColumn("size_class", "text", "class of the village"),
        FigureColumn("source_line", "text", "code of the source line"),
        FigureColumn("line_year", "integer", "budget year of the line", unit="year"),
        FigureColumn("funder_code", "text", "code of the funder"),
        FigureColumn("funder_kind", "text", "kind of funder"),
        FigureColumn("amount_fen", "bigint", "amount", unit="fen"),
        FigureColumn("granted_on", "date", "day of the grant"),
        FigureColumn(
            "counts_year", "integer", "year it counts in, the year of the grant unless learnt later", unit="year"
        ),
        FigureColumn("transfer_id", "bigint", "transfer into the society's book"),
        FigureColumn("voucher_id", "bigint", "voucher of that transfer"),
        FigureColumn("county_transfer_id", "bigint", "transfer out of the county's book"),
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
    grain="one row per member household on the day",
    columns=(
        FigureColumn("household_key", "uuid", "the household, by its random key", key=True),
        FigureColumn("society_id", "bigint", "its society"),
        FigureColumn("joined_on", "date", "day it joined"),
        FigureColumn("household_kind", "text", "registered, or recorded as fund member only"),
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
    grain="one row per loan issued until the day, older ones as they stood on the region's first day",
    columns=(
        FigureColumn("household_key", "uuid", "the borrower's household, by its random key", key=True),
        FigureColumn("society_id", "bigint", "the society"),
        FigureColumn("loan_id", "bigint", "the loan"),
        FigureColumn("principal_fen", "bigint", "amount lent; of an older loan what was still owed", unit="fen"),
        FigureColumn("issued_on", "date", "day it was lent"),
        FigureColumn(
            "counts_year", "integer", "year it counts in, the year it was lent unless learnt later", unit="year"
        ),
        FigureColumn("opening", "boolean", "whether it is older than the region's first day"),
        FigureColumn("purpose", "text", "what it is for"),
        FigureColumn("term_days", "integer", "term", unit="days"),
        FigureColumn("due_on", "date", "last day, extensions included"),
        FigureColumn("rescheduled", "boolean", "whether it was extended"),
        FigureColumn("repaid_principal_fen", "bigint", "principal repaid", unit="fen"),
        FigureColumn("repaid_fee_fen", "bigint", "fees paid", unit="fen"),
        FigureColumn("written_off_fen", "bigint", "principal written off", unit="fen"),
        FigureColumn("outstanding_fen", "bigint", "principal still owed", unit="fen"),
        FigureColumn("days_late", "integer", "days the oldest unpaid instalment is late", unit="days"),
        FigureColumn("transfer_id", "bigint", "transfer that paid it out; empty for an older loan"),
        FigureColumn("voucher_id", "bigint", "voucher of that transfer"),
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
    grain="one row per instalment fallen due by its first schedule until the day",
    columns=(
        FigureColumn("society_id", "bigint", "the society"),
        FigureColumn("loan_id", "bigint", "the loan"),
        FigureColumn("number", "integer", "number of the instalment"),
        FigureColumn("due_on", "date", "day it first fell due"),
        FigureColumn("due_year", "integer", "year it first fell due", unit="year"),
        FigureColumn("principal_fen", "bigint", "principal due", unit="fen"),
        FigureColumn("fee_fen", "bigint", "fee due", unit="fen"),
        FigureColumn("due_fen", "bigint", "principal and fee due", unit="fen"),
        FigureColumn("collected_on_time_fen", "bigint", "paid on it by the day it fell due", unit="fen"),
        FigureColumn("collected_fen", "bigint", "paid on it by now", unit="fen"),
    ),
    sql=f"""
SELECT area_id, society_id, loan_id, number, due_on, extract(year
    FROM due_on)::integer AS due_year, principal_fen, fee_fen, due_fen,
       collected_on_time_fen, collected_fen FROM ({reports.on_day(reports.DUES)}) d""",
    order_by="loan_id, number",
)

FIGURE_TABLES = (SOCIETIES, CAPITAL, OPENING, GRANTS, MEMBERS, LOANS, DUES)
