"""What closing freezes of the register: members and households of 31 December, by random key. Holds no identity."""

from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import counted_on
from karez.kernel.fields import frozen
from karez.kernel.figure_tables import FigureColumn, FigureTable
from karez.register.models import Assessment, Household, Membership, Person, Stage

_DAY = "%(as_of)s"
_CASES = {**dict(Stage.choices), "exited": _("exited")}
# Where a household's case stands on the day: its stage, or exited if it had one and left, or nothing.
_STATUS = """COALESCE(c.stage, CASE WHEN e.household_id IS NOT NULL THEN 'exited' END)"""
_CASE = f"""
 LEFT JOIN register_casespell c ON c.household_id = h.id AND {counted_on(_DAY, event=False, alias="c")}
 LEFT JOIN (SELECT DISTINCT x.household_id FROM register_exit x WHERE {counted_on(_DAY, event=True, alias="x")}) e
   ON e.household_id = h.id"""

PERSONS = FigureTable(
    name="register_persons",
    grain=_("one row per person who is a member of a household on 31 December"),
    label=_("members of households on 31 December"),
    columns=(
        FigureColumn("key", "uuid", _("random key of the person"), label=_("key"), key=True),
        FigureColumn("household_key", "uuid", _("random key of the household"), label=_("household"), key=True),
        frozen(Household, "kind", name="household_kind"),
        FigureColumn(
            "case_status",
            "text",
            _("identified, recorded or exited; empty where the household has no case"),
            label=_("case"),
            codes=_CASES,
        ),
        frozen(Membership, "relation"),
        frozen(Person, "sex"),
        FigureColumn("birth_year", "integer", _("year of birth"), label=_("year of birth"), unit="year"),
    ),
    sql=f"""
SELECT h.village_id AS area_id, p.key, h.key AS household_key, h.kind AS household_kind, {_STATUS} AS case_status,
       m.relation::integer AS relation, p.sex::integer AS sex, extract(year FROM p.birth_month)::integer AS birth_year
  FROM register_membership m
  JOIN register_person p ON p.id = m.person_id
  JOIN register_household h ON h.id = m.household_id{_CASE}
 WHERE {counted_on(_DAY, event=False, alias="m")}""",
    order_by="key",
)

HOUSEHOLDS = FigureTable(
    name="register_households",
    grain=_("one row per household of a village on 31 December"),
    label=_("households on 31 December"),
    columns=(
        FigureColumn("key", "uuid", _("random key of the household"), label=_("key"), key=True),
        frozen(Household, "kind"),
        FigureColumn(
            "case_status",
            "text",
            _("identified, recorded or exited; empty where it has no case"),
            label=_("case"),
            codes=_CASES,
        ),
        FigureColumn(
            "size", "integer", _("members on 31 December"), label=_("members of the household"), unit="persons"
        ),
        frozen(Assessment, "size", name="assessed_size"),
        frozen(Assessment, "income_fen"),
        FigureColumn(
            "income_per_head_fen", "bigint", _("the same per head"), label=_("net income per head"), unit="fen"
        ),
        frozen(Assessment, "line"),
    ),
    sql=f"""
SELECT h.village_id AS area_id, h.key, h.kind, {_STATUS} AS case_status, COALESCE(m.size, 0)::integer AS size,
       a.size::integer AS assessed_size, a.income_fen, a.income_per_head_fen, a.line
  FROM register_household h
  LEFT JOIN (SELECT household_id, count(*) AS size FROM register_membership m
              WHERE {counted_on(_DAY, event=False, alias="m")} GROUP BY household_id) m ON m.household_id = h.id
  LEFT JOIN register_assessment a ON a.household_id = h.id AND a.year = %(year)s
        AND {counted_on(_DAY, event=True, alias="a")}{_CASE}
 WHERE {counted_on(_DAY, event=False, alias="h")}""",
    order_by="key",
)

FIGURE_TABLES = (PERSONS, HOUSEHOLDS)
