"""What closing freezes of this room: rules and plans in force or past, and the money of source lines. Holds no grants
to villages.
"""

from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import FigureColumn, FigureTable

_DAY = "%(as_of)s"


def _counts(alias: str) -> str:
    """A spell counts by the day, ended or not: rules of the past are asked for too."""
    return f"{alias}.counts_from <= {_DAY} AND ({alias}.void_counts_on IS NULL OR {alias}.void_counts_on > {_DAY})"


def _until(alias: str) -> str:
    """The end, as far as it counted on the day: an end learnt later changes nothing."""
    return f"CASE WHEN {alias}.counts_before <= {_DAY} THEN {alias}.ends_before END"


RULES = FigureTable(
    name="funds_rules",
    grain="one row per grant standard and per plan target, of the present and the past",
    columns=(
        FigureColumn("kind", "text", "standard or target"),
        FigureColumn("code", "text", "programme of a standard; code of a target"),
        FigureColumn("size_class", "text", "size of village of a standard: any, small or big; empty for a target"),
        FigureColumn("low_fen", "bigint", "lowest grant to a village", unit="fen"),
        FigureColumn("high_fen", "bigint", "highest grant to a village", unit="fen"),
        FigureColumn("planned", "numeric(24,4)", "number planned; empty where a plan names only its years"),
        FigureColumn("unit", "text", "unit of the number planned; yuan for a standard"),
        FigureColumn("from_on", "date", "first day in force"),
        FigureColumn("until_on", "date", "first day no longer in force; empty while it is"),
        FigureColumn("from_year", "integer", "first year of the plan"),
        FigureColumn("until_year", "integer", "last year of the plan"),
        FigureColumn("years", "integer", "years of the plan, first and last included", unit="years"),
        FigureColumn("years_left", "integer", "years of the plan after the year reported", unit="years"),
        FigureColumn("document_no", "text", "number of the document that set it"),
    ),
    sql=f"""
SELECT s.area_id, 'standard' AS kind, s.programme AS code, s.size_class, s.low_fen, s.high_fen,
    NULL::numeric(24,4) AS planned,
       'yuan' AS unit, s.starts_on AS from_on, {_until("s")} AS until_on, NULL::integer AS from_year,
           NULL::integer AS until_year,
       NULL::integer AS years, NULL::integer AS years_left, s.document_no
  FROM funds_grantstandard s WHERE {_counts("s")}
UNION ALL
SELECT p.area_id, 'target', p.code, NULL, NULL, NULL, p.planned, p.unit, p.starts_on, {_until("p")}, p.from_year,
    p.until_year,
       p.until_year - p.from_year + 1, GREATEST(p.until_year - %(year)s, 0), p.document_no
  FROM funds_plantarget p WHERE {_counts("p")}""",
    order_by="kind, code, size_class, from_on",
    reaches="region",
)

MONEY = FigureTable(
    name="funds_money",
    grain="one row per appropriation received and per allocation to a county",
    columns=(
        FigureColumn("kind", "text", "appropriation (received by the region) or allocation (received by a county)"),
        FigureColumn("line_code", "text", "code of the source line"),
        FigureColumn("line_name", "text", "name of the source line"),
        FigureColumn("line_year", "integer", "budget year of the source line", unit="year"),
        FigureColumn("programme", "text", "programme the money is for"),
        FigureColumn("funder_code", "text", "code of the funder"),
        FigureColumn("funder_name", "text", "name of the funder, in English"),
        FigureColumn("funder_name_zh", "text", "name of the funder, in Chinese"),
        FigureColumn("funder_kind", "text", "kind of funder"),
        FigureColumn("amount_fen", "bigint", "amount", unit="fen"),
        FigureColumn("happened_on", "date", "day of the payment"),
        FigureColumn("counts_on", "date", "day it counts from"),
        FigureColumn("reference", "text", "reference in the office's papers"),
        FigureColumn("transfer_id", "bigint", "transfer in the ledger, into the receiving book"),
        FigureColumn("voucher_id", "bigint", "voucher of that transfer"),
    ),
    sql=f"""
SELECT m.area_id, m.kind, l.code AS line_code, l.name AS line_name, l.year AS line_year, l.programme,
    f.code AS funder_code,
       f.name_en AS funder_name, f.name_zh AS funder_name_zh, f.kind AS funder_kind, m.amount_fen, m.happened_on,
           m.counts_on, m.reference, m.transfer_id, t.voucher_id
  FROM (
    SELECT a.area_id, 'appropriation' AS kind, a.line_id, a.amount_fen, a.happened_on, a.counts_on, a.reference,
        a.transfer_id
      FROM funds_appropriation a WHERE {counted_on(_DAY, event=True, alias="a")}
    UNION ALL
    SELECT a.area_id, 'allocation', a.line_id, a.amount_fen, a.happened_on, a.counts_on, a.reference, a.transfer_in_id
      FROM funds_allocation a WHERE {counted_on(_DAY, event=True, alias="a")}
  ) m
  JOIN funds_sourceline l ON l.id = m.line_id
  JOIN funds_funder f ON f.id = l.funder_id
  JOIN ledger_transfer t ON t.id = m.transfer_id""",
    order_by="transfer_id",
    reaches="county",
)

FIGURE_TABLES = (RULES, MONEY)
