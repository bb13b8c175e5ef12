"""What closing freezes of the register: members and households of 31 December, by random key. Holds no identity."""

from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import FigureColumn, FigureTable

_DAY = "%(as_of)s"
# Where a household's case stands on the day: its stage, or exited if it had one and left, or nothing.
_STATUS = """COALESCE(c.stage, CASE WHEN e.household_id IS NOT NULL THEN 'exited' END)"""
_CASE = f"""
 LEFT JOIN register_casespell c ON c.household_id = h.id AND {counted_on(_DAY, event=False, alias="c")}
 LEFT JOIN (SELECT DISTINCT x.household_id FROM register_exit x WHERE {counted_on(_DAY, event=True, alias="x")}) e
   ON e.household_id = h.id"""

PERSONS = FigureTable(
    name="register_persons",
    grain="one row per person who is a member of a household on 31 December",
    columns=(
        FigureColumn("key", "uuid", "random key of the person", key=True),
        FigureColumn("household_key", "uuid", "random key of the household", key=True),
        FigureColumn("household_kind", "text", "what the household was recorded for: registered or fund_member_only"),
        FigureColumn("case_status", "text", "identified, recorded or exited; empty where the household has no case"),
        FigureColumn("relation", "integer", "relation to the head (GB/T 4761, first digit; 0 is the head)"),
        FigureColumn("sex", "integer", "sex (GB/T 2261.1: 1 male, 2 female, 0 not known, 9 not stated)"),
        FigureColumn("birth_year", "integer", "year of birth", unit="year"),
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
    grain="one row per household of a village on 31 December",
    columns=(
        FigureColumn("key", "uuid", "random key of the household", key=True),
        FigureColumn("kind", "text", "what the household was recorded for: registered or fund_member_only"),
        FigureColumn("case_status", "text", "identified, recorded or exited; empty where it has no case"),
        FigureColumn("size", "integer", "members on 31 December", unit="persons"),
        FigureColumn("assessed_size", "integer", "persons the year's income was divided by", unit="persons"),
        FigureColumn("income_fen", "bigint", "net income of the year, as assessed", unit="fen"),
        FigureColumn("income_per_head_fen", "bigint", "the same per head", unit="fen"),
        FigureColumn("line", "text", "id of the poverty line it was held against"),
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
