"""What is learnt about places after a year was closed: true days stay true, the closed year's books stay as they were."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, connections, transaction

from karez.access.models import Grant, User
from karez.access.roles import Role
from karez.places import queries, services
from karez.places.loading import load_region
from karez.places.models import AreaSpell

END_2009 = date(2009, 12, 31)


@pytest.fixture
def closed_2009(committed_db):
    """Ningxia with 2009 closed."""
    load_region("64")
    region = queries.area_by_code("640000")
    office = User.objects.create(username="office", full_name="Office")
    Grant.objects.create(
        user=office,
        role=Role.REGIONAL_OFFICER,
        area_id=region,
        starts_on=date(2004, 1, 1),
        counts_from=date(2004, 1, 1),
        recorded_by_id=office.pk,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT periods_found_region(%s, '64', 2009, 'CNY', 'c', 'l', 'b', false)", [region])
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE periods_region SET first_open_day = '2010-01-01'")
    return office


def test_a_rename_learnt_late_keeps_its_day_and_counts_from_the_first_open_one(closed_2009):
    area = queries.area_by_code("640422")
    spell = services.rename_area(
        closed_2009, area_id=area, from_day=date(2009, 12, 15), name_en="Xiji City", reason="learnt late"
    )
    assert (spell.starts_on, spell.counts_from) == (date(2009, 12, 15), date(2010, 1, 1))

    def name(day, *, as_counted):
        return next(r.name_en for r in queries.tree_on(day, as_counted=as_counted) if r.area_id == area)

    assert name(END_2009, as_counted=True) == "Xiji" and name(END_2009, as_counted=False) == "Xiji City"
    assert name(date(2010, 1, 1), as_counted=True) == "Xiji City"


def test_a_closed_year_s_statement_voided_later_still_counts_there(closed_2009):
    wrong = AreaSpell.objects.get(code="640303")
    services.replace_spell(closed_2009, spell_id=wrong.pk, reason="other name", name_en="Hongsibu")
    counted = {r.code: r.name_en for r in queries.tree_on(END_2009, as_counted=True)}
    assert counted["640303"] == "Hongsipu"
    assert {r.code: r.name_en for r in queries.tree_on(date(2010, 1, 1), as_counted=True)}["640303"] == "Hongsibu"


def test_raw_sql_cannot_write_into_the_closed_year(closed_2009):
    with pytest.raises(DatabaseError) as told, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE places_areaspell SET ends_before = '2009-06-01', counts_before = '2009-06-01', ended_at = "
            "now(), ended_by_id = 1"
            " WHERE code = '640422'"
        )
    assert told.value.__cause__.sqlstate == "KZ001"
