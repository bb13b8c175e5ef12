"""No way of a person ends in nothing: an erasure asked for outlives a correction, nobody is stranded, who left comes
back.
"""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest
from django.urls import reverse

from karez.kernel.refusal import Refusal
from karez.register import identity, queries, services
from karez.register.inbox import items
from karez.register.models import Death, Household, Identity, Membership, Person
from karez.register.tests.test_pages import JAN, signed_in
from karez.system import database

Connect = Callable[[], "psycopg.Connection[Any]"]
JUNE = date(2009, 6, 1)


@pytest.fixture
def home(world: Any) -> Household:
    return services.add_household(world.clerk, village_id=world.areas["990101100200"], household_no="7", starts_on=JAN)


@pytest.fixture
def person(world: Any, home: Household) -> Person:
    new = services.NewPerson(sex=1, birth_month=date(1970, 3, 1), relation=0, since=JAN, name="马丽", phone="139")
    return services.add_person(world.clerk, household_id=home.pk, new=new)


def test_a_request_to_erase_outlives_a_correction(world: Any, person: Person) -> None:
    asked = identity.request_erasure(world.clerk, person_id=person.pk, reason="she asked")
    new = services.correct_person(world.clerk, person_id=person.pk, sex=2, birth_month=None, reason="misread")
    newest = services.correct_person(
        world.clerk, person_id=new.pk, sex=2, birth_month=date(1971, 1, 1), reason="misread again"
    )
    assert queries.open_erasure(newest.pk) == asked
    assert "asked on" in signed_in(world.clerk).get(reverse("register:person", args=[newest.pk])).content.decode()
    assert [one.pk for one in queries.erasures_waiting(world.approver)] == [asked.pk]
    assert [item.count for item in items(world.approver)] == [1]
    assert f">{newest.pk}</a>" in signed_in(world.approver).get(reverse("register:erasures")).content.decode()
    page = signed_in(world.approver).get(reverse("register:erase", args=[asked.pk]))
    assert page.status_code == 200 and f"Person {newest.pk}" in page.content.decode()
    answer = signed_in(world.approver).post(reverse("register:erase", args=[asked.pk]), {"sure": "on"})
    assert answer["Location"] == reverse("register:erasures")
    assert not Identity.objects.exists()
    assert not list(queries.erasures_waiting(world.approver))
    assert queries.person(world.clerk, newest.pk).is_erased


def test_a_correction_under_way_does_not_save_an_identity_from_erasing(committed_world: Any) -> None:
    world = committed_world
    home = services.add_household(world.clerk, village_id=world.areas["990101100200"], household_no="7", starts_on=JAN)
    new = services.NewPerson(sex=1, birth_month=None, relation=0, since=JAN, name="马丽")
    person = services.add_person(world.clerk, household_id=home.pk, new=new)
    asked = identity.request_erasure(world.clerk, person_id=person.pk, reason="she asked")
    done: list[str] = []

    def erase() -> None:
        with psycopg.connect(database.conninfo(database.APP)) as raw:
            raw.execute("SELECT register_erase(%s, %s)", [asked.pk, world.approver.pk])
            done.append("erased")

    with psycopg.connect(database.conninfo(database.APP)) as writer:
        writer.execute("SELECT FROM register_person WHERE id = %s FOR UPDATE", [person.pk])
        made = writer.execute(
            "INSERT INTO register_person (sex, recorded_by_id, replaces_id) VALUES (2, 1, %s) RETURNING id", [person.pk]
        ).fetchone()
        assert made
        writer.execute("UPDATE register_identity SET person_id = %s WHERE person_id = %s", [made[0], person.pk])
        thread = threading.Thread(target=erase)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive(), "the erasure did not wait for the correction"
        writer.commit()
        thread.join(10)
    assert done == ["erased"]
    assert not Identity.objects.exists()


def test_the_only_membership_is_not_made_void(world: Any, home: Household, person: Person) -> None:
    only = Membership.objects.get()
    values = {"relation": 0, "starts_on": "2009-01-01", "never_so": "on", "reason": "never lived here"}
    answer = signed_in(world.clerk).post(reverse("register:correct", args=["membership", only.pk]), values)
    assert (
        answer.status_code == 409
        and "register.last_household" in answer.content.decode()
        and "be erased" in answer.content.decode()
    )
    assert signed_in(world.clerk).get(reverse("register:person", args=[person.pk])).status_code == 200
    other = services.add_household(world.clerk, village_id=home.village_id, household_no="8", starts_on=JAN)
    services.move_person(world.clerk, person_id=person.pk, household_id=other.pk, relation=0, on=JUNE, reason="moved")
    first = Membership.objects.get(household=home)
    services.void_fact(world.clerk, row=first, reason="never lived there")
    with pytest.raises(Refusal) as last:
        services.void_fact(world.clerk, row=Membership.objects.get(voided_at=None), reason="nor here")
    assert last.value.code == "register.last_household"


def test_the_database_strands_nobody(committed_world: Any, app_connection: Connect) -> None:
    world = committed_world
    home = services.add_household(world.clerk, village_id=world.areas["990101100200"], household_no="7", starts_on=JAN)
    services.add_person(
        world.clerk, household_id=home.pk, new=services.NewPerson(sex=1, birth_month=None, relation=0, since=JAN)
    )
    raw = app_connection()
    raw.execute(
        "UPDATE register_membership SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = "
        "counts_from"
    )
    with pytest.raises(psycopg.Error) as refused:
        raw.commit()
    assert refused.value.sqlstate == "KZ037"


def test_who_left_comes_back_or_died(world: Any, home: Household, person: Person) -> None:
    services.end_membership(world.clerk, person_id=person.pk, on=JUNE, reason="to the city")
    page = signed_in(world.clerk).get(reverse("register:person", args=[person.pk])).content.decode()
    assert "Comes back to a household" in page and "Record a death" in page and "Leaves the household" not in page
    back = {"household_no": "7", "relation": 0, "on": "2009-05-01", "reason": "back"}
    move = reverse("register:act", args=[person.pk, "move"])
    assert signed_in(world.clerk).post(move, back).status_code == 409  # not before they left
    assert signed_in(world.clerk).post(move, back | {"on": "2009-07-01"}).status_code == 302
    assert [m.starts_on for m in queries.household(world.clerk, home.pk).members] == [date(2009, 7, 1)]
    services.end_membership(world.clerk, person_id=person.pk, on=date(2009, 8, 1), reason="to the city")
    died = signed_in(world.clerk).post(reverse("register:act", args=[person.pk, "death"]), {"on": "2009-09-01"})
    assert died.status_code == 302 and Death.objects.get().happened_on == date(2009, 9, 1)
    page = signed_in(world.clerk).get(reverse("register:person", args=[person.pk])).content.decode()
    assert "Comes back" not in page and "Record a death" not in page


def test_what_is_taken_out_last_is_taken_out(world: Any, home: Household) -> None:
    new = services.NewPerson(sex=1, birth_month=None, relation=0, since=JAN, phone="139")
    person = services.add_person(world.clerk, household_id=home.pk, new=new)
    signed_in(world.clerk).post(
        reverse("register:act", args=[person.pk, "identity"]), {"remove": ["phone"], "reason": "a wrong number"}
    )
    assert identity.open_identity(world.clerk, person_id=person.pk, purpose="look") == identity.Values()
    unnamed = services.add_person(
        world.clerk, household_id=home.pk, new=services.NewPerson(sex=1, birth_month=None, relation=1, since=JAN)
    )
    assert not Identity.objects.filter(person=unnamed).exists()
