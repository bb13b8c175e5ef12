"""The files of places that may be loaded: areas of any region, and designations. Holds no reading of files.

A file of areas may hold several rows for one level and code, one for each time its name or parent changed.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from karez.kernel.fields import column_of
from karez.kernel.messages import say
from karez.kernel.overlaps import shared_days
from karez.kernel.sheets import Applying, Check, Column, Kind, Sheet, Total
from karez.places.loading import insert_areas, insert_designations
from karez.places.models import AreaSpell, Designation

AREA_SOURCE = """SELECT row_no, level, code, coalesce(name_zh, '') AS name_zh, coalesce(name_en, '') AS name_en,
    coalesce(parent_code, '') AS parent_code, valid_from AS starts_on, valid_to AS ends_before,
    'sourced' AS mark, coalesce(note, '') AS note FROM {stage} s"""
DESIGNATION_SOURCE = """SELECT s.area_code_id AS area_id, s.list, s.valid_from AS starts_on, s.valid_to AS ends_before,
    s.document, 'sourced' AS mark, '' AS note FROM {stage} s"""
# True where two dated rows share a day; an open end reaches for ever.
# Of the three ensures an area is in one at a time.
_LIST = "CASE WHEN {0}.list LIKE 'three_ensures_%%' THEN 'three_ensures_' ELSE {0}.list END"

AREA_CHECKS = (
    Check(
        rule="places_named",
        column="name_zh",
        expected=say("a name in Chinese or in letters"),
        sql="SELECT s.row_no, '' FROM {stage} s WHERE coalesce(s.name_zh, '') = '' AND coalesce(s.name_en, '') = ''",
    ),
    Check(
        rule="places_days_in_order",
        column="valid_to",
        expected=say("a day after the first day"),
        sql="SELECT s.row_no, s.valid_to::text FROM {stage} s WHERE s.valid_to <= s.valid_from",
    ),
    Check(
        rule="places_parent_known",
        column="parent_code",
        expected=say("none for a region; else the code of an area of a higher level that is there on all these days"),
        sql="""WITH above AS MATERIALIZED (
              SELECT p.code, p.level, p.valid_from AS starts_on, p.valid_to AS ends_before FROM {stage} p
              WHERE p.valid_to IS NULL OR p.valid_to > p.valid_from
              UNION ALL SELECT k.code, k.level, k.starts_on, k.ends_before FROM places_code k
            ), below AS MATERIALIZED (
              SELECT s.row_no, s.level, s.parent_code, daterange(s.valid_from, s.valid_to) AS days FROM {stage} s
              WHERE s.level <> 'region' AND (s.valid_to IS NULL OR s.valid_to > s.valid_from)
            )
            SELECT b.row_no, coalesce(b.parent_code, '') FROM below b
            LEFT JOIN above a ON a.code = b.parent_code AND places_depth(a.level) < places_depth(b.level)
            GROUP BY b.row_no, b.parent_code, b.days
            HAVING NOT coalesce(range_agg(daterange(a.starts_on,
                a.ends_before)) FILTER (WHERE a.code IS NOT NULL) @> b.days, false)
            UNION ALL SELECT s.row_no, s.parent_code FROM {stage} s WHERE s.level = 'region'
                AND coalesce(s.parent_code, '') <> ''""",
        todo=say("add the parent to the file, or correct its code or the days"),
        across=("parent_code=code",),
    ),
    Check(
        rule="places_code_free",
        column="code",
        expected=say("a code no other row and no known area of the level has on these days"),
        sql=shared_days(
            "SELECT s.row_no, s.code, s.level || ' ' || s.code, s.valid_from, s.valid_to FROM {stage} s",
            (
                "SELECT k.level || ' ' || k.code, k.starts_on, k.ends_before FROM places_code k WHERE k.code IN "
                "(SELECT g.code FROM {stage} g)"
            ),
        ),
        todo=say("end the earlier statement about the area first, or leave the row out"),
    ),
)


def _apply_places(given: Applying) -> Mapping[str, int]:
    params = {"by": given.sender_id, "batch": given.batch_id}
    areas, spells = insert_areas(given.cursor, AREA_SOURCE.format(stage=given.stage), params)
    given.progress(say("areas"), 80)
    given.cursor.execute("SELECT places_refresh_tree()")
    given.progress(say("tree"), 100)
    return {"areas": areas, "area_spells": spells}


def _apply_designations(given: Applying) -> Mapping[str, int]:
    params = {"by": given.sender_id, "batch": given.batch_id}
    written = insert_designations(given.cursor, DESIGNATION_SOURCE.format(stage=given.stage), params)
    given.progress(say("designations"), 100)
    return {"designations": written}


def _withdraw_designations(given: Applying) -> Mapping[str, int]:
    given.cursor.execute(
        "UPDATE places_designation SET voided_at = now(), voided_by_id = %s, void_reason = karez_say('batch withdrawn'),"
        " void_counts_on = periods_counts_on(counts_from) WHERE batch_id = %s AND voided_at IS NULL",
        [given.approver_id, given.batch_id],
    )
    return {"designations": int(given.cursor.rowcount)}


PLACES = Sheet(
    name="places",
    label=_("Areas"),
    about=_("Regions, prefectures, counties, townships and villages with their codes and names, each from a day on."),
    columns=(
        *(column_of(AreaSpell, field) for field in ("level", "code")),
        Column(
            "parent_code",
            say("code of the area it lies in"),
            required=False,
            headers=("parent code", "上级代码"),
            max_length=20,
            reference=True,
        ),
        *(column_of(AreaSpell, field) for field in ("name_zh", "name_en", "starts_on", "ends_before", "note")),
    ),
    apply=_apply_places,
    send_permission="places.maintain",
    apply_permission="places.apply",
    checks=AREA_CHECKS,
    totals=(
        Total(say("Counties"), "SELECT count(DISTINCT code) FROM {stage} s WHERE level = 'county'"),
        Total(say("Townships"), "SELECT count(DISTINCT code) FROM {stage} s WHERE level = 'township'"),
        Total(say("Villages"), "SELECT count(DISTINCT code) FROM {stage} s WHERE level = 'village'"),
    ),
    key=("level", "code", "valid_from"),
)

DESIGNATIONS = Sheet(
    name="designations",
    label=_("Designations of areas"),
    about=_(
        "Poor villages, key counties, three-ensures villages, pilots: which area stands on which list, by which "
        "document."
    ),
    columns=(
        Column("area_code", say("area on the list"), Kind.AREA, headers=("代码", "区划代码", "code")),
        *(column_of(Designation, field) for field in ("list", "starts_on", "ends_before", "document")),
    ),
    apply=_apply_designations,
    send_permission="places.maintain",
    apply_permission="places.apply",
    checks=(
        Check(
            rule="designations_days_in_order",
            column="valid_to",
            expected=say("a day after the first day"),
            sql="SELECT s.row_no, s.valid_to::text FROM {stage} s WHERE s.valid_to <= s.valid_from",
        ),
        Check(
            rule="designations_once",
            column="list",
            expected=say("an area not on this list yet on these days, and in one class of the three ensures at a time"),
            sql=shared_days(
                (
                    f"SELECT s.row_no, s.list, s.area_code_id || ' ' || {_LIST.format('s')}, s.valid_from, s.valid_to "
                    f"FROM {{stage}} s"
                ),
                f"SELECT k.area_id || ' ' || {_LIST.format('k')}, k.starts_on, k.ends_before FROM places_designation k"
                " WHERE k.voided_at IS NULL AND k.area_id IN (SELECT g.area_code_id FROM {stage} g)",
            ),
            todo=say("end the earlier designation first, or leave the row out"),
        ),
    ),
    totals=(Total(say("Areas"), "SELECT count(DISTINCT area_code) FROM {stage} s"),),
    key=("area_code", "list", "valid_from"),
    area_column="area_code",
    area_day="valid_from",
    withdraw=_withdraw_designations,
)

SHEETS = (PLACES, DESIGNATIONS)
