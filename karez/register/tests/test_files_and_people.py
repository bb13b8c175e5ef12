"""Files and people on record: nobody enters twice, a file is no way to look people up, a list read is on record."""

import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.urls import reverse

from karez.access.models import ReadEvent
from karez.intake import services as intake
from karez.kernel.messages import read_in
from karez.kernel.refusal import Refusal
from karez.register import services
from karez.register.checks import CHECKS
from karez.register.models import Household, Membership, Person
from karez.register.tests.test_intake import _apply, _faults, _send
from karez.register.tests.test_pages import JAN, signed_in
from karez.register.tests.test_sheets import _filled

HEAD = "village,household_no,household_kind,person_no,relation,sex,birth_month,since,name,id_number,phone\n"
NUMBER = "11010519491231002X"


def _row(village: str, no: str, number: str = NUMBER) -> str:
    return f"{village},{no},registered,1,head,2,1970-05,2009-01-01,Ma Li,{number},\n"


def _twice() -> list[str]:
    check = next(c for c in CHECKS if c.name == "register_numbers_once")
    with connection.cursor() as cursor:
        cursor.execute(_filled(check.sql))
        return [f"{row[0]}: {row[1]}" for row in read_in(cursor.fetchall())]


def test_the_second_of_two_checked_files_enters_nobody_again(world: Any) -> None:
    first, second = (_send(world.clerk, "register", HEAD + _row("990101100200", no)) for no in ("1", "2"))
    assert (first.state, second.state) == ("checked", "checked")
    _apply(world.approver, first)
    with pytest.raises(Refusal) as refused:
        intake.apply(world.approver, batch_id=second.pk)
    assert (
        refused.value.code == "intake.records_changed"
        and "row 2: this number is on the register by now" in refused.value.found
    )
    assert Person.objects.count() == 1
    again = intake.check_again(world.clerk, batch_id=second.pk)
    assert _faults(again) == [(2, "id_number", "person_not_yet_registered")]


def test_two_files_applied_at_once_enter_a_person_once(committed_world: Any) -> None:
    world = committed_world
    files = [_send(world.clerk, "register", HEAD + _row("990101100200", no)) for no in ("1", "2")]
    ready, outcomes = threading.Barrier(2), list[str]()

    def apply(batch_id: int) -> None:
        ready.wait()
        try:
            intake.apply(world.approver, batch_id=batch_id)
            outcomes.append("applied")
        except Refusal as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=apply, args=(one.pk,)) for one in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["applied", "intake.records_changed"]
    assert Person.objects.count() == 1


def test_closing_asks_about_a_number_that_stands_twice(world: Any) -> None:
    _apply(world.approver, _send(world.clerk, "register", HEAD + _row("990101100200", "1")))
    assert _twice() == []
    home = services.add_household(world.clerk, village_id=world.areas["990101100200"], household_no="9", starts_on=JAN)
    new = services.NewPerson(sex=2, birth_month=None, relation=0, since=JAN, name="Ma Li", id_number=NUMBER)
    double = services.add_person(world.clerk, household_id=home.pk, new=new)
    first = Person.objects.exclude(pk=double.pk).get()
    assert _twice() == [f"person {first.pk}: the same number as person {double.pk}"]
    services.end_membership(world.clerk, person_id=double.pk, on=JAN, reason="entered twice")
    assert _twice() == []


def test_a_file_tells_nothing_of_people_elsewhere(world: Any) -> None:
    theirs = next(code for code in world.areas if code.startswith("990102") and len(code) == 12)
    _apply(world.approver, _send(world.other_clerk, "register", HEAD + _row(theirs, "77")))
    before = ReadEvent.objects.count()
    mine = _send(world.clerk, "register", HEAD + _row("990101100200", "1"))
    assert [fault.found for fault in mine.faults.all()] == ["this number is on the register elsewhere"]
    event = ReadEvent.objects.order_by("pk")[before:].get()
    assert (event.kind, event.user_id, event.subject_id, event.rows) == ("search_number", world.clerk.pk, mine.pk, 1)
    services.end_membership(
        world.other_clerk, person_id=Person.objects.get().pk, on=JAN.replace(month=5), reason="left"
    )
    again = intake.check_again(world.clerk, batch_id=mine.pk)
    assert [fault.found for fault in again.faults.all()] == ["this number is on the register elsewhere"]
    own = _send(world.other_clerk, "register", HEAD + _row(theirs, "78"))
    assert [fault.found for fault in own.faults.all()] == ["this number is on the register, without a household"]


def test_a_file_without_hits_is_no_look(world: Any) -> None:
    _send(world.clerk, "register", HEAD + _row("990101100200", "1"))
    assert not ReadEvent.objects.exists()


def test_a_list_read_is_on_record(world: Any) -> None:
    village = world.areas["990101100200"]
    address = f"{reverse('records:list', args=['register.households'])}?place={village}"
    signed_in(world.clerk).get(address)
    assert not ReadEvent.objects.exists()  # nothing was there to be read
    for number in ("1", "2"):
        services.add_household(world.clerk, village_id=village, household_no=number, starts_on=JAN)
    answer = signed_in(world.clerk).get(address)
    event = ReadEvent.objects.get()
    assert (event.kind, event.subject_id, event.rows, event.user_id) == ("household_list", village, 2, world.clerk.pk)
    assert "no-store" in answer["Cache-Control"]
    assert Household.objects.count() == 2 and not Membership.objects.exists()
