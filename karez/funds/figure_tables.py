"""What closing freezes of this room: rules and plans in force or past, and the money of source lines. Holds no grants
to villages.
"""

from django.utils.translation import gettext_lazy as _

from karez.funds.models import Appropriation, Funder, GrantStandard, PlanTarget, SourceLine
from karez.funds.words import PROGRAMMES
from karez.kernel.facts import counted_on
from karez.kernel.fields import frozen
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
    grain=_("one row per grant standard and per plan target, of the present and the past"),
    label=_("grant standards and plan targets"),
    columns=(
        FigureColumn(
            "kind",
            "text",
            _("standard or target"),
            label=_("kind"),
            codes={"standard": _("grant standard"), "target": _("plan target")},
        ),
        FigureColumn("code", "text", _("programme of a standard; code of a target"), label=_("code")),
        FigureColumn(
            "size_class",
            "text",
            _("size of village of a standard: any, small or big; empty for a target"),
            label=_("class of village"),
        ),
        frozen(GrantStandard, "low_fen"),
        frozen(GrantStandard, "high_fen"),
        frozen(PlanTarget, "planned"),
        FigureColumn("unit", "text", _("unit of the number planned; yuan for a standard"), label=_("unit")),
        frozen(PlanTarget, "starts_on", name="from_on"),
        frozen(PlanTarget, "ends_before", name="until_on"),
        frozen(PlanTarget, "from_year"),
        frozen(PlanTarget, "until_year"),
        FigureColumn(
            "years",
            "integer",
            _("years of the plan, first and last included"),
            label=_("years of the plan"),
            unit="years",
        ),
        FigureColumn(
            "years_left", "integer", _("years of the plan after the year reported"), label=_("years left"), unit="years"
        ),
        FigureColumn("document_no", "text", _("number of the document that set it"), label=_("document number")),
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
    grain=_("one row per appropriation received and per allocation to a county"),
    label=_("appropriations received and allocations to counties"),
    columns=(
        FigureColumn(
            "kind",
            "text",
            _("appropriation (received by the region) or allocation (received by a county)"),
            label=_("kind"),
            codes={"appropriation": _("appropriation"), "allocation": _("allocation")},
        ),
        frozen(SourceLine, "code", name="line_code"),
        frozen(SourceLine, "name", name="line_name"),
        frozen(SourceLine, "year", name="line_year"),
        frozen(SourceLine, "programme", codes=PROGRAMMES),
        frozen(Funder, "code", name="funder_code"),
        frozen(Funder, "name_en", name="funder_name"),
        frozen(Funder, "name_zh", name="funder_name_zh"),
        frozen(Funder, "kind", name="funder_kind"),
        frozen(Appropriation, "amount_fen"),
        frozen(Appropriation, "happened_on"),
        FigureColumn("counts_on", "date", _("day it counts from"), label=_("counts from")),
        frozen(Appropriation, "reference"),
        FigureColumn(
            "transfer_id", "bigint", _("transfer in the ledger, into the receiving book"), label=_("transfer")
        ),
        FigureColumn("voucher_id", "bigint", _("voucher of that transfer"), label=_("voucher")),
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
