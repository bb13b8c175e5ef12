"""The pages of the register: a fact corrected with a reason, a household dissolved, an identity corrected and erased by
two people.
"""

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from karez.access.models import ReadEvent, User
from karez.kernel.refusal import Refusal
from karez.register import identity, queries, services
from karez.register.models import Assessment, CaseSpell, Death, Erasure, Exit, Household, Membership, Person
from karez.web.tests.reading import read

JAN = date(2009, 1, 1)


@pytest.fixture
def village(world: Any) -> int:
    found: int = world.areas["990101100200"]
    return found


@pytest.fixture
def home(world: Any, village: int) -> Household:
    made = services.add_household(world.clerk, village_id=village, household_no="7", starts_on=JAN)
    services.assess(
        world.clerk,
        household_id=made.pk,
        year=2009,
        assessed_on=date(2009, 6, 1),
        income_fen=400_000,
        size=4,
        line="2009-1196",
    )
    return made


@pytest.fixture
def person(world: Any, home: Household) -> Person:
    new = services.NewPerson(sex=1, birth_month=date(1970, 3, 1), relation=0, since=JAN, name="马丽", phone="139")
    return services.add_person(world.clerk, household_id=home.pk, new=new)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _send(user: User, name: str, args: list[Any], **values: Any) -> Any:
    return signed_in(user).post(reverse(f"register:{name}", args=args), values)


def test_an_assessment_is_corrected_with_a_reason(world: Any, home: Household) -> None:
    old = Assessment.objects.get()
    page = signed_in(world.clerk).get(reverse("register:correct", args=["assessment", old.pk])).content.decode()
    assert "4000.00" in page
    values = {"year": 2009, "income_fen": "3900", "size": 4, "line": "2009-1196", "happened_on": "2009-06-01"}
    assert _send(world.clerk, "correct", ["assessment", old.pk], **values).status_code == 422
    answer = _send(world.clerk, "correct", ["assessment", old.pk], **values, reason="a nought too many")
    assert answer["Location"] == reverse("register:household", args=[home.pk])
    old.refresh_from_db()
    new = Assessment.objects.get(voided_at=None)
    assert (old.void_reason, new.income_fen, new.replaces_id) == ("a nought too many", 390_000, old.pk)
    assert ReadEvent.objects.filter(kind="register_assessment", subject_id=old.pk, user_id=world.clerk.pk).exists()
    unchanged = _send(world.clerk, "correct", ["assessment", new.pk], **values, reason="nothing")
    assert unchanged.status_code == 409 and "register.not_replaceable" in unchanged.content.decode()


def test_spells_exits_and_deaths_are_corrected_or_made_void(world: Any, home: Household, person: Person) -> None:
    case, member = CaseSpell.objects.get(), Membership.objects.get()
    _send(world.clerk, "correct", ["case", case.pk], stage="identified", starts_on="2009-02-01", reason="a month early")
    assert CaseSpell.objects.get(voided_at=None).starts_on == date(2009, 2, 1)
    _send(world.clerk, "correct", ["membership", member.pk], relation=0, starts_on="2009-03-01", reason="came in March")
    assert Membership.objects.get(voided_at=None).starts_on == date(2009, 3, 1)
    services.exit_case(world.clerk, household_id=home.pk, on=date(2009, 8, 1), reason="own_wish")
    ended = Exit.objects.get()
    _send(world.clerk, "correct", ["exit", ended.pk], happened_on="2009-08-01", why="moved_away", reason="misread")
    assert Exit.objects.get(voided_at=None).reason == "moved_away"
    services.record_death(world.clerk, person_id=person.pk, on=date(2009, 9, 1))
    died = Death.objects.get()
    answer = _send(
        world.clerk, "correct", ["death", died.pk], happened_on="2009-09-01", never_so="on", reason="another person"
    )
    assert answer["Location"] == reverse("register:person", args=[person.pk])
    assert not Death.objects.filter(voided_at=None).exists()


def test_a_person_moves_leaves_and_is_corrected(world: Any, village: int, home: Household, person: Person) -> None:
    services.add_household(world.clerk, village_id=village, household_no="8", starts_on=JAN)
    _send(world.clerk, "act", [person.pk, "move"], household_no="8", relation=0, on="2009-05-01", reason="married")
    assert Membership.objects.get(ends_before=None, voided_at=None).household.household_no == "8"
    _send(world.clerk, "act", [person.pk, "leave"], on="2009-06-01", reason="to the city")
    assert not Membership.objects.filter(ends_before=None, voided_at=None).exists()
    answer = _send(world.clerk, "act", [person.pk, "facts"], sex=2, birth_month="1971-04", reason="misread")
    new = Person.objects.get(replaces=person)
    assert answer["Location"] == reverse("register:person", args=[new.pk])
    assert (new.sex, new.birth_month) == (2, date(1971, 4, 1))
    assert signed_in(world.clerk).get(reverse("register:act", args=[new.pk, "nonsense"])).status_code == 404


def test_an_identity_is_corrected_without_being_shown(world: Any, person: Person) -> None:
    address = reverse("register:act", args=[person.pk, "identity"])
    assert "马丽" not in signed_in(world.clerk).get(address).content.decode()
    assert _send(world.clerk, "act", [person.pk, "identity"], reason="nothing to change").status_code == 422
    assert _send(world.clerk, "act", [person.pk, "identity"], id_number="123", reason="short").status_code == 422
    _send(
        world.clerk,
        "act",
        [person.pk, "identity"],
        id_number="11010519491231002x",
        remove=["phone"],
        reason="she showed her card",
        confirmed="on",
    )
    opened = identity.open_identity(world.clerk, person_id=person.pk, purpose="look")
    assert opened == identity.Values(name="马丽", id_number="11010519491231002X", phone="")
    assert ReadEvent.objects.filter(kind="person", purpose="correction: she showed her card").exists()
    shown = signed_in(world.clerk).post(reverse("register:person", args=[person.pk]), {"purpose": "a visit"})
    assert "马丽" in shown.content.decode()
    assert signed_in(world.clerk).post(reverse("register:person", args=[person.pk]), {"purpose": ""}).status_code == 403


def test_erasing_takes_two_people_who_know_what_it_does(world: Any, person: Person) -> None:
    assert _send(world.clerk, "act", [person.pk, "erase"], reason="she asked").status_code == 422
    _send(world.clerk, "act", [person.pk, "erase"], reason="she asked", sure="on")
    asked = queries.open_erasure(person.pk)
    assert asked is not None
    assert "You asked for it" in signed_in(world.clerk).get(reverse("register:erase", args=[asked.pk])).content.decode()
    assert _send(world.clerk, "erase", [asked.pk], sure="on").status_code == 409
    assert str(asked.person_id) in signed_in(world.approver).get(reverse("register:erasures")).content.decode()
    eraser = world.approver  # who may carry it out need not see the register
    page = signed_in(eraser).get(reverse("register:erase", args=[asked.pk])).content.decode()
    assert "there is no way back" in page and "she asked" in page
    assert _send(eraser, "erase", [asked.pk]).status_code == 422
    assert not Erasure.objects.exists()
    answer = _send(eraser, "erase", [asked.pk], sure="on")
    assert answer["Location"] == reverse("register:erasures")
    assert Erasure.objects.get().erased_by_id == eraser.pk
    page = read(signed_in(world.clerk).get(reverse("register:person", args=[person.pk])).content.decode())
    assert "kept nowhere" in page and "Documents renamed with it</dt> <dd>0" in page
    assert signed_in(eraser).get(reverse("register:erase", args=[asked.pk])).status_code in (403, 404)


def test_a_household_is_dissolved_once_it_is_empty(world: Any, village: int, home: Household, person: Person) -> None:
    answer = _send(world.clerk, "dissolve", [home.pk], on="2009-10-01", reason="all moved")
    assert answer.status_code == 409 and "register.has_members" in answer.content.decode()
    services.end_membership(world.clerk, person_id=person.pk, on=date(2009, 9, 1), reason="moved")
    assert _send(world.clerk, "dissolve", [home.pk], on="2009-08-01", reason="all moved").status_code == 409
    assert _send(world.clerk, "dissolve", [home.pk], on="2009-10-01", reason="all moved").status_code == 302
    home.refresh_from_db()
    assert (home.ends_before, home.end_reason) == (date(2009, 10, 1), "all moved")
    assert Exit.objects.get().reason == "dissolved"
    assert (
        "dissolved, not there since 2009-10-01"
        in signed_in(world.clerk).get(reverse("register:household", args=[home.pk])).content.decode()
    )
    assert (
        "2009-10-01"
        in signed_in(world.clerk)
        .get(reverse("records:list", args=["register.households"]), {"place": village})
        .content.decode()
    )
    with pytest.raises(Refusal) as again:
        services.dissolve_household(world.clerk, household_id=home.pk, on=date(2009, 11, 1), reason="again")
    assert again.value.code == "register.dissolved"
    with pytest.raises(Refusal) as joined:
        services.move_person(
            world.clerk, person_id=person.pk, household_id=home.pk, relation=0, on=date(2009, 11, 1), reason="back"
        )
    assert joined.value.code == "register.household_ended"


def test_the_database_ends_no_household_somebody_belongs_to(world: Any, home: Household, person: Person) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE register_household SET ends_before = '2009-05-01', counts_before = '2009-05-01', ended_at = "
            "now(), ended_by_id = 1,"
            " end_reason = 'x' WHERE id = %s",
            [home.pk],
        )
    assert refused.value.__cause__.sqlstate == "KZ036"  # type: ignore[union-attr]
