"""Writing a whole file of the register, and taking one back: set-based SQL over the staged rows. Holds no checks.

Runs inside the one transaction of its batch. A new household's case is on record from the day its first member counts;
a household entered for a fund alone has none. Money is in fen.
"""

from collections.abc import Mapping
from typing import Any

from karez.intake.applying import require_all_rows, require_none
from karez.intake.sameness import require_still_confirmed
from karez.kernel.messages import say
from karez.kernel.sheets import Applying
from karez.register.likely import SAME_PERSON

# Files with numbers are written one after the other: of two checked before either was applied, the second finds what
# the first entered. A number entered on a page is not held up; closing asks about numbers that stand twice.
_LOCK_CLASS = 4715
_TAKEN = "SELECT DISTINCT s.row_no FROM {stage} s JOIN register_identity i ON i.number_hash = s.number_hash"

# Members join the household already there, or one made from their rows.
_HOUSEHOLDS = """
INSERT INTO register_household (village_id, household_no, kind, starts_on, counts_from, recorded_by_id, batch_id)
SELECT s.village_id, s.household_no, min(s.household_kind), min(s.since), GREATEST(min(s.since), %(open)s),
       %(sender)s, %(batch)s
  FROM {stage} s
 WHERE NOT EXISTS (SELECT FROM register_household h WHERE h.village_id = s.village_id
                    AND h.household_no = s.household_no AND h.voided_at IS NULL)
 GROUP BY s.village_id, s.household_no
"""

_CASES = """
INSERT INTO register_casespell (household_id, stage, starts_on, counts_from, recorded_by_id, batch_id)
SELECT id, 'recorded', starts_on, counts_from, recorded_by_id, batch_id
  FROM register_household WHERE batch_id = %(batch)s AND kind = 'registered'
"""

# Each row gets its person's id once; the three inserts below read it from here. The key is the one its identity was
# sealed with.
_PERSONS_TO_BE = """
CREATE TEMP TABLE register_load ON COMMIT DROP AS
SELECT s.row_no, nextval('register_person_id_seq') AS person_id, h.id AS household_id, s.relation::smallint AS relation,
       s.sex::smallint AS sex, s.birth_month, s.since, encode(s.identity_key, 'hex')::uuid AS key
  FROM {stage} s JOIN register_household h
    ON h.village_id = s.village_id AND h.household_no = s.household_no AND h.voided_at IS NULL
"""

_PERSONS = """
INSERT INTO register_person (id, key, sex, birth_month, recorded_by_id, batch_id)
SELECT person_id, key, sex, birth_month, %(sender)s, %(batch)s FROM register_load
"""

_IDENTITIES = """
INSERT INTO register_identity (person_id, sealed, number_hash, name_hash, changed_by_id)
SELECT l.person_id, s.identity_sealed, s.number_hash, s.name_hash, %(sender)s
  FROM register_load l JOIN {stage} s USING (row_no) WHERE s.identity_sealed IS NOT NULL
"""

_MEMBERSHIPS = """
INSERT INTO register_membership (person_id, household_id, relation, is_head, starts_on, counts_from, recorded_by_id,
    batch_id)
SELECT person_id, household_id, relation, relation = 0, since, GREATEST(since, %(open)s), %(sender)s, %(batch)s
  FROM register_load
"""

_ASSESSMENTS = """
INSERT INTO register_assessment (household_id, year, income_fen, size, line, happened_on, counts_on, recorded_by_id,
    batch_id)
SELECT h.id, s.year, s.income, s.size, s.line, s.assessed_on, GREATEST(s.assessed_on, %(open)s), %(sender)s, %(batch)s
  FROM {stage} s JOIN register_household h
    ON h.village_id = s.village_id AND h.household_no = s.household_no AND h.voided_at IS NULL
"""

_ASSESSED = """
SELECT s.row_no FROM {stage} s JOIN register_household h
    ON h.village_id = s.village_id AND h.household_no = s.household_no AND h.voided_at IS NULL
"""

_VOID_SPELL = """
UPDATE {table} SET voided_at = now(), voided_by_id = %(approver)s, void_reason = karez_say('batch withdrawn'),
       void_counts_on = GREATEST({counts}, %(open)s)
 WHERE batch_id = %(batch)s AND voided_at IS NULL
"""


def apply_register(a: Applying) -> Mapping[str, int]:
    """Writes households, cases, persons, identities and memberships of a staged file."""
    counts: dict[str, int] = {}
    a.cursor.execute("SELECT pg_advisory_xact_lock(%s, 1)", [_LOCK_CLASS])
    require_none(
        a,
        _TAKEN.replace("{stage}", a.stage),
        found=say("this number is on the register by now"),
        expected=say("a person not yet on the register"),
    )
    require_still_confirmed(a, SAME_PERSON)
    a.cursor.execute("DROP TABLE IF EXISTS register_load")
    for percent, what, sql in (
        (5, "households", _HOUSEHOLDS),
        (10, "cases", _CASES),
        (15, "", _PERSONS_TO_BE),
        (35, "persons", _PERSONS),
        (55, "identities", _IDENTITIES),
        (95, "memberships", _MEMBERSHIPS),
    ):
        written = _run(a, sql)
        if sql is _PERSONS_TO_BE:
            require_all_rows(
                a, written, found="SELECT row_no FROM register_load", expected=say("one household for each row")
            )
        if what:
            counts[what] = written
        a.progress(what or say("numbering persons"), percent)
    return counts


def withdraw_register(a: Applying) -> Mapping[str, int]:
    """Voids what a batch wrote and removes the identity of its persons."""
    tables = {"memberships": "counts_from", "cases": "counts_from", "persons": "", "households": "counts_from"}
    names = {"memberships": "register_membership", "cases": "register_casespell", "persons": "register_person"}
    counts = {
        what: _run(
            a,
            _VOID_SPELL.replace("{table}", names.get(what, "register_household")).replace("{counts}", column or "NULL"),
        )
        for what, column in tables.items()
    }
    a.cursor.execute("SELECT register_forget_batch(%s)", [a.batch_id])
    return counts | {"identities": a.cursor.fetchone()[0]}


def apply_assessments(a: Applying) -> Mapping[str, int]:
    """Writes the yearly assessments of a staged file."""
    written = _run(a, _ASSESSMENTS)
    require_all_rows(
        a,
        written,
        found=_ASSESSED.replace("{stage}", a.stage),
        expected=say("a household on the register for each row"),
    )
    return {"assessments": written}


def withdraw_assessments(a: Applying) -> Mapping[str, int]:
    """Voids the assessments of a batch."""
    sql = _VOID_SPELL.replace("{table}", "register_assessment").replace("{counts}", "counts_on")
    return {"assessments": _run(a, sql)}


def _run(a: Applying, sql: str) -> int:
    values: dict[str, Any] = {
        "open": a.first_open_day,
        "sender": a.sender_id,
        "approver": a.approver_id,
        "batch": a.batch_id,
    }
    a.cursor.execute(sql.replace("{stage}", a.stage), values)
    return int(a.cursor.rowcount)
