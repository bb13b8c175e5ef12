"""Persons of a file who look like one another or like one on record; the sender is asked. By form
`identity.require_unlike` asks the same.

Holds no numbers: a number that is on record already is a fault (`sheets`).
"""

from karez.kernel.messages import say
from karez.kernel.sheets import Check, Outcome

# Who has no number is known by name, sex and month of birth, in the same household or another; a name is hashed by
# village, so nobody is looked for elsewhere. Two numbers that differ are two persons. Persons alike are gathered first:
# what is joined stays as long as the file, however often one name stands in a village.
_NOT_THERE = say("a person not yet in the village")
_IF_THE_SAME = say(
    "if it is the same person, leave the row out and move the person on the person's page; if it is another one, "
    "confirm it"
)
SAME_PERSON = Check(
    "same_person_on_record",
    "name",
    _NOT_THERE,
    """SELECT s.row_no, karez_say('the same name, sex and month of birth in household {1}', (CASE WHEN s.number_hash IS NULL
        THEN k.household ELSE k.unnumbered_in END)::text),
              CASE WHEN s.number_hash IS NULL THEN k.n ELSE k.unnumbered END
         FROM {stage} s JOIN (
              SELECT i.name_hash, h.village_id, p.sex::text AS sex, coalesce(p.birth_month, 'infinity') AS born,
                     count(DISTINCT p.id) AS n, min(h.household_no) AS household,
                     count(DISTINCT p.id) FILTER (WHERE i.number_hash IS NULL) AS unnumbered,
                     min(h.household_no) FILTER (WHERE i.number_hash IS NULL) AS unnumbered_in
                FROM register_identity i JOIN register_person p ON p.id = i.person_id AND p.voided_at IS NULL
                JOIN register_membership m ON m.person_id = p.id AND m.voided_at IS NULL
                JOIN register_household h ON h.id = m.household_id
               WHERE i.name_hash IN (SELECT name_hash FROM {stage}) GROUP BY 1, 2, 3, 4) k
           ON (k.name_hash, k.village_id, k.sex, k.born) = (s.name_hash, s.village_id, s.sex, coalesce(s.birth_month,
               'infinity'))
        WHERE s.number_hash IS NULL OR k.unnumbered > 0""",
    _IF_THE_SAME,
    looks_up="search_name",
    outcome=Outcome.QUESTION,
)
SAME_PERSON_IN_FILE = Check(
    "same_person_in_file",
    "name",
    _NOT_THERE,
    """SELECT t.row_no, karez_say('the same name, sex and month of birth in household {1}, row {2}', f.household_no::text, t.twin::text), 0
        FROM (
         SELECT row_no, CASE WHEN number_hash IS NULL THEN min(row_no) OVER g
             ELSE min(row_no) FILTER (WHERE number_hash IS NULL) OVER g END AS twin
           FROM {stage} WHERE name_hash IS NOT NULL WINDOW g AS (PARTITION BY village_id, name_hash, sex,
               birth_month)) t
         JOIN {stage} f ON f.row_no = t.twin WHERE t.twin < t.row_no""",
    _IF_THE_SAME,
    outcome=Outcome.QUESTION,
)
