"""The files the register takes: persons with their households, and yearly assessments. How they are written: `loading`.

Name, identity number and telephone are identity: sealed before staging, and named in no list of faults.
"""

from datetime import date

from django.utils.translation import gettext_lazy as _

from karez.intake.numbers import as_on_record
from karez.kernel.sheets import Check, Column, Days, Kind, Sheet, Total
from karez.register import loading
from karez.register.likely import SAME_PERSON, SAME_PERSON_IN_FILE
from karez.register.models import HouseholdKind

KINDS = {
    "registered": HouseholdKind.REGISTERED.value,
    "在册": HouseholdKind.REGISTERED.value,
    "建档立卡": HouseholdKind.REGISTERED.value,
    "fund_member_only": HouseholdKind.FUND_MEMBER_ONLY.value,
    "仅互助社成员": HouseholdKind.FUND_MEMBER_ONLY.value,
}
SEXES = {
    "0": "0", "1": "1", "2": "2", "9": "9", "unknown": "0", "male": "1", "female": "2", "not stated": "9",
    "未知": "0", "男": "1", "女": "2", "未说明": "9",
}  # fmt: skip
RELATIONS = {
    "head": "0",
    "户主": "0",
    "本人": "0",
    "spouse": "1",
    "配偶": "1",
    "son": "2",
    "子": "2",
    "daughter": "3",
    "女": "3",
    "grandchild": "4",
    "孙子女": "4",
    "parent": "5",
    "父母": "5",
    "grandparent": "6",
    "祖父母": "6",
    "sibling": "7",
    "兄弟姐妹": "7",
    "other": "8",
    "其他": "8",
} | {str(code): str(code) for code in range(9)}

_VILLAGE = Column(
    "village",
    _("code of the village"),
    Kind.AREA,
    levels=("village",),
    headers=("village code", "village_code", "村代码", "行政村代码"),
)
_HOUSEHOLD_NO = Column(
    "household_no",
    _("number of the household, unique in its village"),
    max_length=40,
    reference=True,
    headers=("household number", "household no", "户编号", "户号"),
)

# The household of a row, where it is on the register already.
_KNOWN = """{stage} s JOIN register_household h
 ON h.village_id = s.village_id AND h.household_no = s.household_no AND h.voided_at IS NULL"""

# Of every sheet that names households by their numbers, in this room and above.
NUMBER_AS_ON_RECORD = as_on_record(
    "household_number_as_on_record",
    "household_no",
    _("the number of a household as it stands on record, and one way in a file"),
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
        Column(
            "household_kind",
            _("what the household is recorded for"),
            Kind.CODE,
            codes=KINDS,
            headers=("household kind", "户类型"),
        ),
        Column(
            "person_no",
            _("number of the person in the household"),
            Kind.INTEGER,
            low=1,
            high=99,
            headers=("person number", "person no", "人员序号"),
        ),
        Column(
            "relation",
            _("relation to the head (GB/T 4761, first digit)"),
            Kind.CODE,
            codes=RELATIONS,
            headers=("relation to head", "与户主关系"),
        ),
        Column("sex", _("sex (GB/T 2261.1)"), Kind.CODE, codes=SEXES, headers=("性别",)),
        Column(
            "birth_month",
            _("year and month of birth"),
            Kind.MONTH,
            required=False,
            low=date(1850, 1, 1),
            headers=("birth month", "born", "出生年月"),
        ),
        Column(
            "since",
            _("member of the household since"),
            Kind.DATE,
            low=date(1980, 1, 1),
            days=Days.SINCE,
            headers=("member since", "入户日期", "登记日期"),
        ),
        Column("name", _("name"), identity=True, max_length=60, headers=("full name", "姓名")),
        Column(
            "id_number",
            _("identity number (GB 11643)"),
            identity=True,
            required=False,
            max_length=30,
            reference=True,
            headers=("id number", "identity number", "身份证号", "公民身份号码"),
        ),
        Column(
            "phone",
            _("telephone"),
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
            _("households and persons nothing else stands on"),
            "SELECT row_no, found FROM register_built_on(%(batch_id)s)",
            _("withdraw or void what stands on them first"),
        ),
    ),
    totals=(
        Total(_("persons"), "SELECT count(*) FROM {stage}"),
        Total(_("households"), "SELECT count(*) FROM (SELECT DISTINCT village_id, household_no FROM {stage}) h"),
        Total(
            _("households recorded for a village fund only"),
            "SELECT count(*) FROM (SELECT DISTINCT village_id, household_no FROM {stage}"
            " WHERE household_kind = 'fund_member_only') h",
        ),
        Total(_("villages"), "SELECT count(DISTINCT village_id) FROM {stage}"),
    ),
    checks=(
        NUMBER_AS_ON_RECORD,
        Check(
            "one_head",
            "relation",
            _("one head in each household"),
            """SELECT g.row_no, g.heads || ' heads' FROM (
                SELECT min(row_no) AS row_no, village_id, household_no, count(*) FILTER (WHERE relation = '0') AS heads
                  FROM {stage} GROUP BY village_id, household_no) g
               LEFT JOIN LATERAL (
                SELECT count(*) AS heads FROM register_household h JOIN register_membership m ON m.household_id = h.id
                 WHERE h.village_id = g.village_id AND h.household_no = g.household_no AND h.voided_at IS NULL
                   AND m.is_head AND m.voided_at IS NULL AND m.counts_before IS NULL) known ON true
               WHERE g.heads + known.heads <> 1""",
            _("mark one person as head"),
            across=("village", "household_no"),
        ),
        Check(
            "household_kind_constant",
            "household_kind",
            _("one kind for all rows of a household"),
            """SELECT max(row_no), string_agg(DISTINCT household_kind, ', ') FROM {stage}
               GROUP BY village_id, household_no HAVING min(household_kind) <> max(household_kind)""",
            _("give every person of the household the same kind"),
        ),
        Check(
            "household_kind_as_recorded",
            "household_kind",
            _("the kind the household is recorded with, of a household that goes on"),
            f"""SELECT s.row_no, s.household_kind || ', on record as ' || h.kind || coalesce(', dissolved ' || h.ends_before, '')
                 FROM {_KNOWN} WHERE h.kind <> s.household_kind OR h.ends_before IS NOT NULL""",
            _("write the kind on record, or give a new household a new number"),
        ),
        Check(
            "person_once_in_file",
            "id_number",
            _("each person once in a file"),
            """SELECT row_no, 'the same number as row ' || first FROM (
                SELECT row_no, min(row_no) OVER (PARTITION BY number_hash) AS first FROM {stage}
                 WHERE number_hash IN (SELECT number_hash FROM {stage} WHERE number_hash IS NOT NULL
                                        GROUP BY number_hash HAVING count(*) > 1)) n
               WHERE row_no > first""",
            _("leave out the second row, or correct the number"),
        ),
        Check(
            "person_not_yet_registered",
            "id_number",
            _("a person not yet on the register"),
            # Household and village are told only within the sender's reach: a file is no way to look people up
            # elsewhere.
            """SELECT s.row_no, 'this number is on the register' || CASE
                        WHEN h.village_id IS NULL OR h.village_id <> ALL (%(sender_areas)s) THEN ' elsewhere'
                        WHEN m.counts_before IS NOT NULL THEN ', without a household'
                        WHEN h.village_id = s.village_id THEN ' in household ' || h.household_no
                        ELSE ' in household ' || h.household_no || ' of another village' END
                 FROM {stage} s JOIN register_identity i ON i.number_hash = s.number_hash
                 LEFT JOIN LATERAL (SELECT household_id, counts_before FROM register_membership l
                     WHERE l.person_id = i.person_id
                        AND l.voided_at IS NULL ORDER BY l.starts_on DESC, l.id DESC LIMIT 1) m ON true
                 LEFT JOIN register_household h ON h.id = m.household_id""",
            _("move the person on the person's page; of one recorded elsewhere, ask the regional office"),
            looks_up="search_number",
        ),
        SAME_PERSON,
        SAME_PERSON_IN_FILE,
        Check(
            "born_before_joining",
            "birth_month",
            _("a month not after the day of joining"),
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
        Column("year", _("year the income was earned in"), Kind.YEAR, low=1980, headers=("年度", "年份")),
        Column(
            "assessed_on", _("day of the assessment"), Kind.DATE, days=Days.SINCE, headers=("assessed on", "评估日期")
        ),
        Column(
            "income",
            _("net income of the household in the year"),
            Kind.FEN,
            unit="yuan",
            low=-100_000_000,
            high=100_000_000_000,
            headers=("net income", "家庭纯收入", "纯收入"),
        ),
        Column(
            "size",
            _("persons the income is divided by"),
            Kind.INTEGER,
            unit="persons",
            low=1,
            high=60,
            headers=("household size", "人口数"),
        ),
        Column("line", _("id of the poverty line"), max_length=60, reference=True, headers=("poverty line", "贫困线")),
    ),
    key=("village", "household_no", "year"),
    area_column="village",
    send_permission="register.send",
    apply_permission="register.apply",
    apply=loading.apply_assessments,
    withdraw=loading.withdraw_assessments,
    day_column="assessed_on",
    totals=(
        Total(_("households assessed"), "SELECT count(*) FROM {stage}"),
        Total(_("net income"), "SELECT sum(income) FROM {stage}", unit="fen"),
        Total(_("persons"), "SELECT sum(size) FROM {stage}"),
    ),
    checks=(
        NUMBER_AS_ON_RECORD,
        Check(
            "household_known",
            "household_no",
            _("a household on the register in this village"),
            """SELECT s.row_no, s.household_no FROM {stage} s WHERE NOT EXISTS (
                SELECT FROM register_household h WHERE h.village_id = s.village_id
                   AND h.household_no = s.household_no AND h.voided_at IS NULL)""",
            _("load the register of the village first, or correct the number"),
        ),
        Check(
            "household_registered",
            "household_no",
            _("a household with a case, not one recorded for a fund only"),
            f"""SELECT s.row_no, 'no case' FROM {_KNOWN} WHERE h.kind = 'fund_member_only' AND NOT EXISTS (
                SELECT FROM register_casespell c WHERE c.household_id = h.id AND c.voided_at IS NULL)""",
            _("open a case on the household's page first"),
        ),
        Check(
            "household_not_dissolved",
            "assessed_on",
            _("a day before the household was dissolved"),
            f"SELECT s.row_no, 'dissolved ' || h.ends_before FROM {_KNOWN} WHERE h.ends_before <= s.assessed_on",
            _("leave the row out, or correct the day"),
        ),
        Check(
            "assessed_once_a_year",
            "year",
            _("one assessment of a household and year"),
            f"""SELECT s.row_no, s.year || ' is assessed already' FROM {_KNOWN} JOIN register_assessment a
                ON a.household_id = h.id AND a.year = s.year AND a.voided_at IS NULL""",
            _("replace the assessment on the household's page if it is wrong"),
        ),
        Check(
            "assessed_in_or_after_year",
            "assessed_on",
            _("a day in the year of the income or later"),
            "SELECT row_no, assessed_on::text FROM {stage} WHERE year > extract(year FROM assessed_on)",
        ),
    ),
)

SHEETS = (REGISTER, ASSESSMENTS)
