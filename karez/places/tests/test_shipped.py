"""The shipped divisions: counts, editions, marks, key counties."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction

from karez.kernel.tests.work import Watched
from karez.places import queries
from karez.places.loading import load_region
from karez.places.models import Designation, Tree
from karez.system import database

END_2008, END_2009 = date(2008, 12, 31), date(2009, 12, 31)


def counts(day):
    return Counter(row.level for row in queries.tree_on(day))


def test_ningxia_has_21_counties_at_the_end_of_2008_and_22_at_the_end_of_2009(ningxia):
    assert counts(END_2008) == {"region": 1, "prefecture": 5, "county": 21, "township": 259, "village": 2912}
    assert counts(END_2009) == {"region": 1, "prefecture": 5, "county": 22, "township": 259, "village": 2912}
    new = {r.code for r in queries.tree_on(END_2009)} - {r.code for r in queries.tree_on(END_2008)}
    assert new == {"640303"}


def test_hongsipu_s_villages_belonged_to_litong_and_tongxin_before(ningxia):
    village = ningxia("640303100200")
    before, after = (
        queries.ancestors_on(village, date(2009, 9, 30)),
        queries.ancestors_on(village, date(2009, 10, 1)),
    )
    assert before.county_id == ningxia("640302") and after.county_id == ningxia("640303")
    assert before.prefecture_id == after.prefecture_id == ningxia("640300")
    assert queries.ancestors_on(ningxia("640303201200"), END_2008).county_id == ningxia("640324")
    assert queries.ancestors_on(village, date(1999, 1, 1)) is None


def test_every_area_of_a_day_has_its_ancestors(ningxia):
    for row in queries.tree_on(END_2009):
        own = {
            "region": row.region_id,
            "prefecture": row.prefecture_id,
            "county": row.county_id,
            "township": row.township_id,
            "village": row.village_id,
        }
        assert own[row.level] == row.area_id
        above = list(own.values())[: list(own).index(row.level)]
        assert None not in above and row.path.split(".") == [str(i) for i in (*above, row.area_id)]


def test_the_eight_key_counties_of_ningxia(ningxia):
    sql, params = queries.designated_area_ids_sql("national_key_county", END_2009)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT code FROM places_tree WHERE area_id IN ({sql}) ORDER BY 1", params)
        codes = [row[0] for row in cursor.fetchall()]
    assert codes == ["640323", "640324", "640402", "640422", "640423", "640424", "640425", "640522"]
    assert Designation.objects.get(mark="assumed").area_id == ningxia("640424")


def test_loading_again_changes_nothing(ningxia):
    assert set(load_region("64").values()) == {0}
    assert Tree.objects.count() == 1 + 5 + 22 + 259 + 2912


@pytest.mark.django_db
def test_xinjiang_has_98_counties_four_of_them_under_no_prefecture_city():
    written = load_region("65")
    assert written["areas"] == 1 + 15 + 98 + 1405 + 14721
    assert counts(END_2008)["county"] == counts(END_2009)["county"] == 98
    assert Designation.objects.filter(list="national_key_county").count() == 27
    names = dict(Tree.objects.filter(level="county").values_list("code", "name_en"))
    assert names["653222"] == "Moyu" and names["653023"] == "Aheqi"
    # A township founded after 2009 lies in the county of 2009 that held the land, whatever its code begins with.
    horgos = Tree.objects.get(code="654004200")
    assert horgos.parent.tree.code == "654023"
    assert not Tree.objects.filter(level="county").exclude(code__in=names).exists()


def test_the_tree_is_built_by_work_that_grows_with_the_areas(committed_db: str, owner_cursor: Any) -> None:
    """Nothing is compared row by row, also where the planner has seen the tables after a load that was taken back, full
    of nothing.
    """
    with transaction.atomic():
        load_region("64")
        transaction.set_rollback(True)
    owner_cursor.execute("ANALYZE places_areaspell, places_tree, places_succession")
    rows = load_region("64")["spells"]
    with database.administrator(committed_db) as admin:
        admin.autocommit = False
        watched = Watched(admin)
        watched.watch()
        visited = watched.visited("SELECT places_refresh_tree()")
        admin.rollback()
    assert rows < visited <= 60 * rows, (visited, rows)
