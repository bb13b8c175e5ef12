"""Raw SQL as the app's role against each invariant of this room."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

SPELL = (
    "INSERT INTO places_areaspell (area_id, level, code, name_zh, name_en, parent_id, mark, note, recorded_by_id,"
    " starts_on, counts_from, ends_before, counts_before)"
    " VALUES (%(area)s, %(level)s, %(code)s, 'x', 'x', %(parent)s, 'sourced', '', 1, %(from)s, %(from)s, %(to)s, "
    "%(to)s)"
)


def refused(expected, sql, params=()):
    with pytest.raises(DatabaseError) as told, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
    cause = told.value.__cause__
    assert expected in (cause.diag.constraint_name, cause.sqlstate), cause


def words(ningxia, **changes):
    return {
        "area": ningxia("640422"),
        "level": "county",
        "code": "649999",
        "parent": ningxia("640400"),
        "from": date(2010, 1, 1),
        "to": None,
    } | changes


def test_one_statement_about_an_area_at_a_time(ningxia):
    refused("places_areaspell_one_at_a_time", SPELL, words(ningxia))
    before = words(ningxia) | {"from": date(2004, 1, 1), "to": date(2005, 1, 1)}
    refused("places_areaspell_one_at_a_time", SPELL, before)


def test_no_two_areas_bear_a_code_at_the_same_time(ningxia):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO places_area (first_level, recorded_by_id) VALUES ('county', 1) RETURNING id")
        area = cursor.fetchone()[0]
    refused("places_areaspell_code_once", SPELL, words(ningxia, area=area, code="640422"))
    with connection.cursor() as cursor:  # an earlier time is free
        cursor.execute(
            SPELL,
            words(ningxia, area=area, code="640422") | {"from": date(1990, 1, 1), "to": date(1991, 1, 1)},
        )


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("places_areaspell_only_regions_have_no_parent", {"parent": None}),
        ("places_areaspell_level_codes", {"level": "hamlet"}),
        ("places_areaspell_code_form", {"code": ""}),
        ("places_areaspell_counts_not_before_true", {"to": date(2009, 1, 1)}),
    ],
)
def test_a_statement_is_whole(ningxia, constraint, changes):
    refused(constraint, SPELL, words(ningxia, **changes))


def test_nothing_is_changed_or_deleted(ningxia):
    for table in (
        "places_area",
        "places_areaspell",
        "places_designation",
        "places_succession",
        "places_tree",
    ):
        refused("42501", f"DELETE FROM {table}")
        refused("42501", f"TRUNCATE {table} CASCADE")
    refused("42501", "UPDATE places_areaspell SET name_en = 'x'")
    refused("42501", "UPDATE places_designation SET list = 'poor_village'")
    refused("42501", "UPDATE places_tree SET path = 'x'")
    refused("42501", "INSERT INTO places_tree SELECT * FROM places_tree")


def test_an_end_is_set_once(ningxia):
    township = ningxia("640303100")
    refused(
        "KZ005",
        (
            "UPDATE places_areaspell SET ends_before = NULL, counts_before = NULL WHERE area_id = %s AND ends_before "
            "IS NOT NULL"
        ),
        [township],
    )


def test_designations_do_not_overlap(ningxia):
    sql = (
        "INSERT INTO places_designation (area_id, list, document, mark, note, recorded_by_id, starts_on, counts_from)"
        " VALUES (%s, %s, %s, 'sourced', '', 1, '2010-01-01', '2010-01-01')"
    )
    village = ningxia("640422100200")
    refused("places_designation_one_at_a_time", sql, [ningxia("640422"), "national_key_county", "doc"])
    refused("places_designation_document_filled", sql, [village, "poor_village", ""])
    with connection.cursor() as cursor:
        cursor.execute(sql, [village, "three_ensures_1", "doc"])
    refused("places_designation_one_class", sql, [village, "three_ensures_3", "doc"])


def test_a_statement_in_the_air_stops_the_tree(ningxia):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO places_area (first_level, recorded_by_id) VALUES ('county', 1) RETURNING id")
        area = cursor.fetchone()[0]
        cursor.execute(SPELL, words(ningxia, area=area, parent=ningxia("640422100")))
    refused("KZ081", "SELECT places_refresh_tree()")


def test_a_table_of_the_caller_cannot_stand_in_for_the_tree_s_own(ningxia):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE places_tree_now (LIKE places_tree) ON COMMIT DROP")
        cursor.execute("CREATE TEMPORARY TABLE places_orphan (spell_id bigint) ON COMMIT DROP")
        cursor.execute("SELECT places_refresh_tree()")
        assert cursor.fetchone()[0] == 3199
        cursor.execute("SELECT count(*) FROM public.places_tree")
        assert cursor.fetchone()[0] == 3199
