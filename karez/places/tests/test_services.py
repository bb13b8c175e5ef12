"""Each verb once as it works, then every refusal."""

from datetime import date

import pytest

from karez.access.roles import Role
from karez.kernel.refusal import Refusal
from karez.places import queries, services
from karez.places.models import AreaSpell, Succession, Tree
from karez.places.services import NewArea

DAY = date(2010, 5, 1)


@pytest.fixture
def office(ningxia, person):
    return person("office", Role.REGIONAL_OFFICER, ningxia("640000"))


def refused(refusal, call, *args, **kwargs):
    with pytest.raises(Refusal) as told:
        call(*args, **kwargs)
    assert told.value.code == refusal
    assert told.value.todo
    return told.value


def test_rename(ningxia, office):
    area = ningxia("640422")
    services.rename_area(office, area_id=area, from_day=DAY, code="640482", name_zh="西吉市", reason="became a city")
    assert queries.area_by_code("640422", day=date(2010, 4, 30)) == queries.area_by_code("640482", day=DAY) == area
    refused("places.unknown_code", queries.area_by_code, "640422", day=DAY)
    assert Tree.objects.get(pk=area).name_zh == "西吉市" and Tree.objects.get(pk=area).name_en == "Xiji"
    refused(
        "places.no_change",
        services.rename_area,
        office,
        area_id=area,
        from_day=date(2011, 1, 1),
        code="640482",
        reason="x",
    )
    refused("places.bad_days", services.rename_area, office, area_id=area, from_day=DAY, code="640483", reason="x")
    refused(
        "places.reason_missing",
        services.rename_area,
        office,
        area_id=area,
        from_day=date(2011, 1, 1),
        code="1",
        reason=" ",
    )
    refused(
        "record.out_of_bounds",
        services.rename_area,
        office,
        area_id=area,
        from_day=date(2011, 1, 1),
        code="1 2",
        reason="x",
    )
    refused(
        "places.code_taken",
        services.rename_area,
        office,
        area_id=area,
        from_day=date(2011, 1, 1),
        code="640423",
        reason="x",
    )


def test_move(ningxia, office):
    township, village = ningxia("640422100"), Tree.objects.filter(parent_id=ningxia("640422100")).first().pk
    services.move_area(office, area_id=township, parent_id=ningxia("640423"), from_day=DAY, reason="boundary")
    assert queries.ancestors_on(village, DAY).county_id == ningxia("640423")
    assert queries.ancestors_on(village, date(2010, 4, 30)).county_id == ningxia("640422")
    refused(
        "places.no_parent",
        services.move_area,
        office,
        area_id=township,
        parent_id=village,
        from_day=date(2011, 1, 1),
        reason="x",
    )


def test_split_and_merge_lose_and_double_nothing(ningxia, office):
    county = ningxia("640424")
    below = [t.pk for t in queries.children(office, county)]
    before = Tree.objects.filter(is_current=True, level="village").count()
    refused(
        "places.bad_split",
        services.split_area,
        office,
        area_id=county,
        on=DAY,
        reason="x",
        parts=[NewArea("640491", "东", "East", below[:2]), NewArea("640492", "西", "West", below[3:])],
    )
    east, west = services.split_area(
        office,
        area_id=county,
        on=DAY,
        reason="decision no. 2",
        parts=[NewArea("640491", "东", "East", below[:2]), NewArea("640492", "西", "West", below[2:])],
    )
    assert not Tree.objects.get(pk=county).is_current
    assert Tree.objects.get(pk=county).parent_id == ningxia(
        "640400"
    )  # no single heir: its records go to the prefecture
    assert Tree.objects.filter(is_current=True, level="village").count() == before
    target = services.merge_areas(
        office,
        area_ids=[east.area_id, west.area_id],
        into=NewArea("640493", "泾源", "Jingyuan"),
        on=date(2012, 1, 1),
        reason="back",
    )
    assert {t.pk for t in queries.children(office, target)} == set(below)
    assert Tree.objects.get(pk=east.area_id).parent_id == target  # one heir: who answers for it sees its records
    assert Succession.objects.filter(successor_id=target, kind="merge").count() == 2
    assert queries.ancestors_on(below[0], date(2011, 1, 1)).county_id == east.area_id
    refused(
        "places.has_ended",
        services.rename_area,
        office,
        area_id=county,
        from_day=date(2013, 1, 1),
        name_en="x",
        reason="x",
    )


def test_merge_into_one_that_goes_on(ningxia, office):
    a, b = ningxia("640423"), ningxia("640424")
    services.merge_areas(office, area_ids=[b], into=a, on=DAY, reason="decision no. 3")
    assert queries.children(office, a).filter(code__startswith="640424").count() > 0
    assert [s.successor_id for s in queries.successors(office, b)] == [a]


def test_add_and_end(ningxia, office):
    made = services.add_area(
        office,
        parent_id=ningxia("640422100"),
        level="village",
        new=NewArea("640422100999", "新村", "New Village"),
        starts_on=DAY,
    )
    refused(
        "places.code_taken",
        services.add_area,
        office,
        parent_id=ningxia("640422100"),
        level="village",
        new=NewArea("640422100999", "新村", "New Village"),
        starts_on=DAY,
    )
    services.end_area(office, area_id=made.area_id, ends_before=date(2011, 1, 1), reason="left")
    assert queries.ancestors_on(made.area_id, date(2011, 1, 1)) is None
    refused("places.no_parent", services.end_area, office, area_id=ningxia("640422"), ends_before=DAY, reason="x")
    refused(
        "places.bad_days",
        services.end_area,
        office,
        area_id=ningxia("640422100"),
        ends_before=date(2000, 1, 1),
        reason="x",
    )


def test_a_wrong_statement_is_voided_and_replaced(ningxia, office):
    wrong = AreaSpell.objects.get(code="640303")
    right = services.replace_spell(
        office, spell_id=wrong.pk, reason="approval found", mark="sourced", name_en="Hongsibu"
    )
    assert right.replaces_id == wrong.pk and right.starts_on == wrong.starts_on
    assert Tree.objects.get(code="640303").name_en == "Hongsibu"
    refused("places.already_void", services.replace_spell, office, spell_id=wrong.pk, reason="again", name_en="x")
    ended = AreaSpell.objects.get(code="640303100", ends_before__isnull=False)
    moved = services.replace_spell(office, spell_id=ended.pk, reason="was Tongxin's", parent_id=ningxia("640324"))
    assert (moved.starts_on, moved.ends_before) == (ended.starts_on, ended.ends_before)


def test_designations(ningxia, office):
    village = ningxia("640422100200")
    first = services.designate(office, area_id=village, list="three_ensures_1", starts_on=DAY, document="doc. 5")
    refused(
        "places.overlap",
        services.designate,
        office,
        area_id=village,
        list="three_ensures_2",
        starts_on=date(2011, 1, 1),
        document="d",
    )
    refused(
        "places.document_missing",
        services.designate,
        office,
        area_id=village,
        list="poor_village",
        starts_on=DAY,
        document="",
    )
    refused(
        "record.out_of_bounds",
        services.designate,
        office,
        area_id=village,
        list="good_village",
        starts_on=DAY,
        document="d",
    )
    services.end_designation(office, designation_id=first.pk, ends_before=date(2011, 1, 1), reason="accepted")
    services.designate(office, area_id=village, list="three_ensures_2", starts_on=date(2011, 1, 1), document="doc. 6")
    on = queries.designations(office, village, day=date(2010, 6, 1))
    assert [d.list for d in on] == ["three_ensures_1"]


def test_only_those_with_the_permission_over_every_area_touched(ningxia, person):
    clerk = person("clerk", Role.COUNTY_OFFICER, ningxia("640422"))
    here = person("here", Role.ADMINISTRATOR, ningxia("640422"))
    refused(
        "access.not_granted",
        services.rename_area,
        clerk,
        area_id=ningxia("640422"),
        from_day=DAY,
        name_en="x",
        reason="x",
    )
    refused(
        "access.not_granted",
        services.move_area,
        here,
        area_id=ningxia("640422100"),
        parent_id=ningxia("640423"),
        from_day=DAY,
        reason="x",
    )
    refused(
        "access.not_granted",
        services.add_area,
        here,
        parent_id=ningxia("640422"),
        level="township",
        new=NewArea("1", "x", "x", [ningxia("640423100")]),
        starts_on=DAY,
    )
