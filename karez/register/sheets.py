"""The files the register takes: persons with their households, and yearly assessments. How they are written: `loading`.

Name, identity number and telephone are identity: sealed before staging, and named in no list of faults.
"""

from django.utils.translation import gettext_lazy as _

from karez.intake.numbers import as_on_record
from karez.kernel.fields import column_of
from karez.kernel.message_field import label_sql
from karez.kernel.messages import say
from karez.kernel.sheets import Check, Column, Kind, Sheet, Total
from karez.register import loading
from karez.register.likely import SAME_PERSON, SAME_PERSON_IN_FILE
from karez.register.models import Assessment, Household, HouseholdKind, Membership, Person

_VILLAGE = Column(
    "village",
    say("code of the village"),
    Kind.AREA,
    levels=("village",),
    headers=("village code", "village_code", "村代码", "行政村代码"),
)
_HOUSEHOLD_NO = column_of(Household, "household_no")

# The household of a row, where it is on the register already.
_KNOWN = """{stage} s JOIN register_household h
 ON h.village_id = s.village_id AND h.household_no = s.household_no AND h.voided_at IS NULL"""

# Of every sheet that names households by their numbers, in this room and above.
NUMBER_AS_ON_RECORD = as_on_record(
    "household_number_as_on_record",
    "household_no",
    say("the number of a household as it stands on record, and one way in a file"),
    of="r.village_id",
    recorded="SELECT h.village_id, h.household_no FROM register_household h WHERE h.voided_at IS NULL",
)

REGISTER = Sheet(
    name="register",
    label=_("Register of households and persons"),
    about=_("One row per person, with the household the person belongs to. Each household has one head."),
    columns=(
        _VILLAGE,
        _HOUSEHOLD_NO,
        column_of(Household, "kind"),
        Column(
            "person_no",
            say("number of the person in the household"),
            Kind.INTEGER,
            low=1,
            high=99,
            headers=("person number", "person no", "人员序号"),
        ),
        column_of(Membership, "relation"),
        column_of(Person, "sex"),
        column_of(Person, "birth_month"),
        column_of(Membership, "starts_on"),
        Column("name", say("name"), identity=True, max_length=60, headers=("full name", "姓名")),
        Column(
            "id_number",
            say("identity number (GB 11643)"),
            identity=True,
            required=False,
            max_length=30,
            reference=True,
            headers=("id number", "identity number", "身份证号", "公民身份号码"),
        ),
        Column(
            "phone",
            say("telephone"),
            identity=True,
            required=False,
            max_length=30,
            reference=True,
            headers=("telephone", "电话", "联系电话"),
        ),
    ),
    key=("village", "household_no", "person_no"),
    area_column="village",
    name_index_column="village",
    send_permission="register.send",
    apply_permission="register.apply",
    apply=loading.apply_register,
    withdraw=loading.withdraw_register,
    day_column="since",
    number_says=("birth_month", "sex"),
    built_on=(
        Check(
            "register_in_use",
            "household_no",
            say("households and persons nothing else stands on"),
            "SELECT row_no, found FROM register_built_on(%(batch_id)s)",
            say("withdraw or void what stands on them first"),
        ),
    ),
    totals=(
        Total(say("persons"), "SELECT count(*) FROM {stage}"),
        Total(say("households"), "SELECT count(*) FROM (SELECT DISTINCT village_id, household_no FROM {stage}) h"),
        Total(
            say("households recorded for a village fund only"),
            "SELECT count(*) FROM (SELECT DISTINCT village_id, household_no FROM {stage}"
            " WHERE household_kind = 'fund_member_only') h",
        ),
        Total(say("villages"), "SELECT count(DISTINCT village_id) FROM {stage}"),
    ),
    checks=(
        NUMBER_AS_ON_RECORD,
        Check(
            "one_head",
            "relation",
            say("one head in each household"),
            """SELECT g.row_no, karez_say('{1} heads', g.heads::text) FROM (
                SELECT min(row_no) AS row_no, village_id, household_no, count(*) FILTER (WHERE relation = '0') AS heads
                  FROM {stage} GROUP BY village_id, household_no) g
               LEFT JOIN LATERAL (
                SELECT count(*) AS heads FROM register_household h JOIN register_membership m ON m.household_id = h.id
                 WHERE h.village_id = g.village_id AND h.household_no = g.household_no AND h.voided_at IS NULL
                   AND m.is_head AND m.voided_at IS NULL AND m.counts_before IS NULL) known ON true
               WHERE g.heads + known.heads <> 1""",
            say("mark one person as head"),
            across=("village", "household_no"),
        ),
        Check(
            "household_kind_constant",
            "household_kind",
            say("one kind for all rows of a household"),
            """SELECT max(row_no), string_agg(DISTINCT household_kind, ', ') FROM {stage}
               GROUP BY village_id, household_no HAVING min(household_kind) <> max(household_kind)""",
            say("give every person of the household the same kind"),
        ),
        Check(
            "household_kind_as_recorded",
            "household_kind",
            say("the kind the household is recorded with, of a household that goes on"),
            f"""SELECT s.row_no, CASE WHEN h.ends_before IS NULL
                    THEN karez_say('{{1}}, on record as {{2}}', {label_sql("s.household_kind", dict(HouseholdKind.choices))}, {label_sql("h.kind", dict(HouseholdKind.choices))})
                    ELSE karez_say('{{1}}, on record as {{2}}, dissolved {{3}}', {label_sql("s.household_kind", dict(HouseholdKind.choices))},
                        {label_sql("h.kind", dict(HouseholdKind.choices))}, h.ends_before::text) END
                 FROM {_KNOWN} WHERE h.kind <> s.household_kind OR h.ends_before IS NOT NULL""",
            say("write the kind on record, or give a new household a new number"),
        ),
        Check(
            "person_once_in_file",
            "id_number",
            say("each person once in a file"),
            """SELECT row_no, karez_say('the same number as row {1}', first::text) FROM (
                SELECT row_no, min(row_no) OVER (PARTITION BY number_hash) AS first FROM {stage}
                 WHERE number_hash IN (SELECT number_hash FROM {stage} WHERE number_hash IS NOT NULL
                                        GROUP BY number_hash HAVING count(*) > 1)) n
               WHERE row_no > first""",
            say("leave out the second row, or correct the number"),
        ),
        Check(
            "person_not_yet_registered",
            "id_number",
            say("a person not yet on the register"),
            # Household and village are told only within the sender's reach: a file is no way to look people up
            # elsewhere.
            """SELECT s.row_no, CASE
                        WHEN h.village_id IS NULL OR h.village_id <> ALL (%(sender_areas)s)
                        THEN karez_say('this number is on the register elsewhere')
                        WHEN m.counts_before IS NOT NULL
                        THEN karez_say('this number is on the register, without a household')
                        WHEN h.village_id = s.village_id
                        THEN karez_say('this number is on the register in household {1}', h.household_no)
                        ELSE karez_say('this number is on the register in household {1} of another village',
                            h.household_no) END
                 FROM {stage} s JOIN register_identity i ON i.number_hash = s.number_hash
                 LEFT JOIN LATERAL (SELECT household_id, counts_before FROM register_membership l
                     WHERE l.person_id = i.person_id
                        AND l.voided_at IS NULL ORDER BY l.starts_on DESC, l.id DESC LIMIT 1) m ON true
                 LEFT JOIN register_household h ON h.id = m.household_id""",
            say("move the person on the person's page; of one recorded elsewhere, ask the regional office"),
            looks_up="search_number",
        ),
        SAME_PERSON,
        SAME_PERSON_IN_FILE,
        Check(
            "born_before_joining",
            "birth_month",
            say("a month not after the day of joining"),
            "SELECT row_no, to_char(birth_month, 'YYYY-MM') FROM {stage} WHERE birth_month > since",
        ),
    ),
)

ASSESSMENTS = Sheet(
    name="assessments",
    label=_("Yearly assessments of households"),
    about=_(
        "One row per household and year: net income of the year, persons it is divided by, line it was held against."
    ),
    columns=(
        _VILLAGE,
        _HOUSEHOLD_NO,
        *(column_of(Assessment, field) for field in ("year", "happened_on", "income_fen", "size", "line")),
    ),
    key=("village", "household_no", "year"),
    area_column="village",
    send_permission="register.send",
    apply_permission="register.apply",
    apply=loading.apply_assessments,
    withdraw=loading.withdraw_assessments,
    day_column="assessed_on",
    totals=(
        Total(say("households assessed"), "SELECT count(*) FROM {stage}"),
        Total(say("net income"), "SELECT sum(income) FROM {stage}", unit=say("fen")),
        Total(say("persons"), "SELECT sum(size) FROM {stage}"),
    ),
    checks=(
        NUMBER_AS_ON_RECORD,
        Check(
            "household_known",
            "household_no",
            say("a household on the register in this village"),
            """SELECT s.row_no, s.household_no FROM {stage} s WHERE NOT EXISTS (
                SELECT FROM register_household h WHERE h.village_id = s.village_id
                   AND h.household_no = s.household_no AND h.voided_at IS NULL)""",
            say("load the register of the village first, or correct the number"),
        ),
        Check(
            "household_registered",
            "household_no",
            say("a household with a case, not one recorded for a fund only"),
            f"""SELECT s.row_no, karez_say('no case') FROM {_KNOWN} WHERE h.kind = 'fund_member_only' AND NOT EXISTS (
                SELECT FROM register_casespell c WHERE c.household_id = h.id AND c.voided_at IS NULL)""",
            say("open a case on the household's page first"),
        ),
        Check(
            "household_not_dissolved",
            "assessed_on",
            say("a day before the household was dissolved"),
            f"SELECT s.row_no, karez_say('dissolved {{1}}', h.ends_before::text) FROM {_KNOWN} WHERE h.ends_before <= s.assessed_on",
            say("leave the row out, or correct the day"),
        ),
        Check(
            "assessed_once_a_year",
            "year",
            say("one assessment of a household and year"),
            f"""SELECT s.row_no, karez_say('{{1}} is assessed already', s.year::text) FROM {_KNOWN} JOIN register_assessment a
                ON a.household_id = h.id AND a.year = s.year AND a.voided_at IS NULL""",
            say("replace the assessment on the household's page if it is wrong"),
        ),
        Check(
            "assessed_in_or_after_year",
            "assessed_on",
            say("a day in the year of the income or later"),
            "SELECT row_no, assessed_on::text FROM {stage} WHERE year > extract(year FROM assessed_on)",
        ),
    ),
)

SHEETS = (REGISTER, ASSESSMENTS)
