"""What must be in order on the register before a year is closed. Reads only."""

from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import ClosingCheck, LiveReport
from karez.kernel.messages import say

_DAY = "%(as_of)s"
_MEMBER = counted_on(_DAY, event=False, alias="m")
_HOUSEHOLD = counted_on(_DAY, event=False, alias="h")
_CASE = counted_on(_DAY, event=False, alias="c")

CHECKS = (
    ClosingCheck(
        name="register_spells_do_not_overlap",
        label=say("nobody is recorded in two households for the same days"),
        sql=f"""
SELECT karez_say('person {{1}}', person_id::text), karez_say('in a household from {{1}}, before the one since {{2}} ended', starts_on::text, earlier::text),
       karez_say('one household at a time'), '/register/households/' || household_id || '/'
  FROM (SELECT m.person_id, m.household_id, m.starts_on, lag(m.starts_on) OVER spells AS earlier,
      lag(m.ends_before) OVER spells AS ended
          FROM register_membership m
         WHERE m.voided_at IS NULL AND m.counts_from <= {_DAY} AND m.ends_before IS DISTINCT FROM m.starts_on
        WINDOW spells AS (PARTITION BY m.person_id ORDER BY m.starts_on, m.id)) s
 WHERE earlier IS NOT NULL AND (ended IS NULL OR ended > starts_on)
 ORDER BY person_id""",
        todo=say("void the wrong spell and replace it"),
    ),
    ClosingCheck(
        name="register_one_head",
        label=say("every household on the register has one head"),
        sql=f"""
SELECT karez_say('household {{1}}', h.household_no::text), karez_say('{{1}} heads among {{2}} members', COALESCE(n.heads, 0)::text, COALESCE(n.members, 0)::text),
       karez_say('one head'), '/register/households/' || h.id || '/'
  FROM register_household h JOIN register_casespell c ON c.household_id = h.id AND {_CASE}
  LEFT JOIN (SELECT m.household_id, count(*) AS members, count(*) FILTER (WHERE m.is_head) AS heads
               FROM register_membership m WHERE {_MEMBER} GROUP BY m.household_id) n ON n.household_id = h.id
 WHERE {_HOUSEHOLD} AND n.heads IS DISTINCT FROM 1
 ORDER BY h.id""",
        todo=say("name the head on the household's page"),
    ),
    ClosingCheck(
        name="register_persons_have_households",
        label=say("every person belongs or belonged to a household"),
        sql="""
SELECT karez_say('person {1}', p.id::text), karez_say('in no household'), karez_say('a household'), ''
  FROM register_person p
 WHERE p.voided_at IS NULL AND NOT EXISTS (SELECT FROM register_membership m WHERE m.person_id = p.id
     AND m.voided_at IS NULL)
 ORDER BY p.id""",
        todo=say("add the person to their household, or void a person entered by mistake"),
    ),
    ClosingCheck(
        name="register_no_members_after_death",
        label=say("nobody counts as a member after the day of their death"),
        sql=f"""
SELECT karez_say('person {{1}}', d.person_id::text), karez_say('member on 31 December, died on {{1}}', d.happened_on::text), karez_say('no member after death'),
       '/register/households/' || m.household_id || '/'
  FROM register_death d JOIN register_membership m ON m.person_id = d.person_id AND {_MEMBER}
 WHERE {counted_on(_DAY, event=True, alias="d")}
 ORDER BY d.person_id""",
        todo=say("end the membership on the day of death"),
        acceptable=False,
    ),
    ClosingCheck(
        name="register_numbers_once",
        label=say("nobody is on the register twice by their identity number"),
        sql=f"""
SELECT karez_say('person {{1}}', min(i.person_id)::text), karez_say('the same number as person {{1}}', max(i.person_id)::text), karez_say('one person of each number'),
       '/register/persons/' || min(i.person_id) || '/'
  FROM register_identity i JOIN register_membership m ON m.person_id = i.person_id AND {_MEMBER}
 WHERE i.number_hash IS NOT NULL
 GROUP BY i.number_hash HAVING count(DISTINCT i.person_id) > 1
 ORDER BY min(i.person_id)""",
        todo=say(
            "let the person entered twice leave on the first day there, or withdraw the second "
            "file; accept where two people have one number"
        ),
    ),
    ClosingCheck(
        name="register_assessed",
        label=say("every household on the register was assessed for the year"),
        sql=f"""
SELECT karez_say('village {{1}}', COALESCE(s.name_en, h.village_id::text)::text),
       karez_say('{{1}} households without an assessment for {{2}}', count(*)::text, %(year)s::text),
       karez_say('an assessment of each'), '/register/villages/' || h.village_id || '/'
  FROM register_household h JOIN register_casespell c ON c.household_id = h.id AND {_CASE}
  LEFT JOIN places_areaspell s ON s.area_id = h.village_id AND {counted_on(_DAY, event=False, alias="s")}
 WHERE {_HOUSEHOLD} AND NOT EXISTS (SELECT FROM register_assessment a WHERE a.household_id = h.id AND a.year = %(year)s
                                      AND {counted_on(_DAY, event=True, alias="a")})
 GROUP BY h.village_id, s.name_en
 ORDER BY 1""",
        todo=say("load the assessments, or accept with a reason"),
    ),
)

# Counted another way than the figures are: from the register's own rows, village by village.
REPORTS = (
    LiveReport(
        "register.households",
        "Households on the register, as the villages' lists show them",
        f"""SELECT h.village_id, count(*) FROM register_household h
            JOIN register_casespell c ON c.household_id = h.id AND {_CASE} WHERE {_HOUSEHOLD} GROUP BY h.village_id""",
    ),
    LiveReport(
        "register.persons",
        "Persons on the register, as the households' pages show them",
        f"""SELECT h.village_id, count(*) FROM register_membership m JOIN register_household h ON h.id = m.household_id
            WHERE {_MEMBER} AND EXISTS (SELECT FROM register_casespell c WHERE c.household_id = h.id AND {_CASE})
            GROUP BY h.village_id""",
    ),
)
