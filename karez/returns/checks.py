"""What must be in order among the returns before a year is closed. Reads only."""

from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import ClosingCheck, LiveReport
from karez.kernel.messages import say

_DAY = "%(as_of)s"
_MISSING = f"""
NOT EXISTS (SELECT FROM returns_return r JOIN returns_approval a ON a.of_id = r.id
   WHERE r.measure_id = w.measure AND r.area_id = w.area_id AND r.year = w.year
     AND {counted_on(_DAY, event=True, alias="r")} AND {counted_on(_DAY, event=True, alias="a")})"""
_KEY_COUNTIES = f"""
SELECT d.area_id, t.name_en AS area_name FROM places_designation d
  JOIN places_tree_on({_DAY}, true) t ON t.area_id = d.area_id
  JOIN periods_region g ON g.area_id = t.region_id
 WHERE d.list = 'national_key_county' AND {counted_on(_DAY, event=False, alias="d")}"""

CHECKS = (
    ClosingCheck(
        name="returns_of_key_counties",
        label=say(
            "every national key county has returned its population, and its rural net income for "
            "the year and the year before"
        ),
        sql=f"""
SELECT w.area_name, karez_say('{{1}} {{2}}: none approved', w.measure::text, w.year::text), karez_say('an approved return'),
    '/returns/?area=' || w.area_id
  FROM (SELECT k.area_id, COALESCE(k.area_name, karez_say('area {{1}}', k.area_id::text)) AS area_name, m.measure, m.year
          FROM ({_KEY_COUNTIES}) k CROSS JOIN (VALUES ('population', %(year)s), ('rural_net_income', %(year)s),
               ('rural_net_income', %(year)s - 1)) AS m (measure, year)) w
 WHERE {_MISSING}
 ORDER BY 1, 2""",
        todo=say("ask the county for the return, and have it approved"),
    ),
    ClosingCheck(
        name="returns_of_region",
        label=say("the region has returned its population and its land area"),
        sql=f"""
SELECT karez_say('region {{1}}', w.code::text), karez_say('{{1}} {{2}}: none approved', w.measure::text, w.year::text), karez_say('an approved return'),
    '/returns/?area=' || w.area_id
  FROM (SELECT g.area_id, g.code, m.measure, %(year)s AS year FROM periods_region g
         CROSS JOIN (VALUES ('population'), ('land_area')) AS m (measure)) w
 WHERE {_MISSING}
 ORDER BY 1, 2""",
        todo=say("ask the statistics bureau for the number, and have it approved"),
    ),
    ClosingCheck(
        name="returns_decided",
        label=say("no return of the year waits for a decision"),
        sql=f"""
SELECT karez_say('return {{1}}', r.id::text), karez_say('{{1}} {{2}} of area {{3}}', r.measure_id::text, r.year::text, r.area_id::text),
       karez_say('approved or sent back'), '/returns/' || r.id || '/'
  FROM returns_return r
 WHERE r.year BETWEEN %(year)s - 1 AND %(year)s AND {counted_on(_DAY, event=True, alias="r")}
   AND NOT EXISTS (SELECT FROM returns_approval a WHERE a.of_id = r.id AND {counted_on(_DAY, event=True, alias="a")})
 ORDER BY r.id""",
        todo=say("approve the return, or send it back"),
    ),
)

_STANDS = f"""{counted_on(_DAY, event=True, alias="r")} AND EXISTS (SELECT FROM returns_approval a
   WHERE a.of_id = r.id AND {counted_on(_DAY, event=True, alias="a")})"""

REPORTS = tuple(
    LiveReport(
        figure,
        label,
        f"""SELECT r.area_id, r.value FROM returns_return r
            WHERE r.measure_id = '{measure}' AND r.year = %(year)s AND {_STANDS}""",
    )
    for figure, label, measure in (
        ("overview.area", "Land area, as the returns show it", "land_area"),
        ("overview.region_population", "Residents, as the returns show them", "population"),
    )
)
