"""Who sees what: today's tree from the areas granted, before and after Hongsipu is cut out."""

from datetime import date, timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now

from karez.access.roles import Role
from karez.kernel.refusal import Refusal
from karez.places import queries, services
from karez.places.loading import load_region
from karez.places.models import Tree
from karez.places.services import NewArea


def codes(user, permission="register.view"):
    return set(queries.visible_areas(user, permission).values_list("code", flat=True))


def test_an_officer_sees_the_county_and_all_below_and_nothing_else(ningxia, person):
    clerk = person("xiji_clerk", Role.COUNTY_OFFICER, ningxia("640422"))
    seen = codes(clerk)
    assert "640422" in seen and "640400" not in seen
    below = Tree.objects.filter(code__startswith="640422").count()
    assert len(seen) == below
    queries.require(clerk, "register.view", ningxia("640422100"))
    for other in (ningxia("640423"), ningxia("640423100"), ningxia("640000"), 10**9):
        with pytest.raises(Refusal) as told:
            queries.require(clerk, "register.view", other)
        assert told.value.code == "access.not_granted" and told.value.status == 404
    assert codes(clerk, "ledger.approve") == set()


def test_the_region_sees_everything(ningxia, person):
    office = person("office", Role.REGIONAL_OFFICER, ningxia("640000"))
    assert len(codes(office)) == Tree.objects.count()


def test_what_is_seen_follows_the_tree_when_land_is_cut_out(ningxia, person):
    """The cut-out of Hongsipu, played again on a county that is whole today: a new district takes two townships of
    Tongxin.
    """
    tongxin = ningxia("640324")
    clerk = person("tongxin_clerk", Role.COUNTY_OFFICER, tongxin)
    office = person("office", Role.REGIONAL_OFFICER, ningxia("640000"))
    leaving = [ningxia("640324102"), ningxia("640324103")]
    village = Tree.objects.filter(parent_id=leaving[0]).first().pk
    assert queries.may(clerk, "register.view", village)
    assert not {"640303100", "640303"} & codes(clerk)  # Hongsipu left the county in 2009
    new = services.cut_out_area(
        office,
        from_area_ids=[tongxin],
        parent_id=ningxia("640300"),
        level="county",
        new=NewArea("640399", "新区", "New District", leaving),
        on=date.today() - timedelta(days=1),
        reason="decision no. 1",
    )
    assert not queries.may(clerk, "register.view", village)
    assert queries.may(clerk, "register.view", ningxia("640324100"))
    of_new = person("new_clerk", Role.COUNTY_OFFICER, new.area_id)
    assert queries.may(of_new, "register.view", village)
    assert queries.ancestors_on(village, date(2012, 1, 1)).county_id == tongxin
    assert [s.predecessor_id for s in queries.predecessors(office, new.area_id)] == [tongxin]


def test_a_move_dated_ahead_shows_only_when_its_day_comes(ningxia, person):
    office = person("office", Role.REGIONAL_OFFICER, ningxia("640000"))
    clerk = person("clerk", Role.COUNTY_OFFICER, ningxia("640422"))
    township = ningxia("640422100")
    services.move_area(
        office,
        area_id=township,
        parent_id=ningxia("640423"),
        from_day=date.today() + timedelta(days=30),
        reason="planned",
    )
    assert queries.may(clerk, "register.view", township)
    assert queries.ancestors_on(township, date.today() + timedelta(days=31)).county_id == ningxia("640423")
    assert not services.refresh_tree_if_due()


def test_the_tree_is_renewed_when_the_day_of_a_change_has_come(committed_db):
    load_region("64")
    with connections["owner"].cursor() as cursor:  # as if it had been built before Hongsipu became a district
        cursor.execute("UPDATE places_treeday SET day = '2009-09-30'")
    assert services.refresh_tree_if_due()
    assert not services.refresh_tree_if_due()


def test_grants_that_ended_or_do_not_yet_count_show_nothing(ningxia, person):
    clerk = person("clerk", Role.COUNTY_OFFICER, ningxia("640422"))
    clerk.grants.update(
        ends_before=date(2010, 1, 1), counts_before=date(2010, 1, 1), ended_at=Now(), ended_by_id=clerk.pk
    )
    assert codes(clerk) == set()


def test_pages_of_an_area(ningxia, person):
    clerk = person("clerk", Role.COUNTY_OFFICER, ningxia("640303"))
    hongsipu, township = ningxia("640303"), ningxia("640303100")
    assert queries.area(clerk, hongsipu).name_en == "Hongsipu"
    assert queries.children(clerk, hongsipu)[0].code == "640303001"
    assert [a.code for a in queries.ancestors(clerk, township)] == ["640000", "640300", "640303", "640303100"]
    assert [(s.starts_on, s.parent_id) for s in queries.history(clerk, township)] == [
        (date(2004, 12, 31), ningxia("640302")),
        (date(2009, 10, 1), hongsipu),
    ]
    assert {s.kind for s in queries.predecessors(clerk, hongsipu)} == {"cut_out"}
    assert list(queries.successors(clerk, hongsipu)) == list(queries.designations(clerk, hongsipu)) == []
    with pytest.raises(Refusal):
        queries.history(clerk, ningxia("640422"))
