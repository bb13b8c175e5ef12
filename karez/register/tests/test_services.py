"""Each verb once as it works, then its refusals: by permission, by day, by the register's invariants."""

from datetime import date
from typing import Any

import pytest
from django.db import connection

from karez.access.models import ReadEvent
from karez.kernel.refusal import Refusal
from karez.notices.models import Document
from karez.notices.services import attach
from karez.periods.tallying import counts
from karez.records.tests.asking import rows
from karez.register import identity, queries, services
from karez.register.lists import HOUSEHOLDS
from karez.register.models import Death, Erasure, Household, Identity, Membership, Person

JAN, MAY = date(2009, 1, 1), date(2009, 5, 1)
NUMBER = "110105197005010027"


@pytest.fixture
def village(world: Any) -> int:
    return int(world.areas["990101100200"])


@pytest.fixture
def other_village(world: Any) -> int:
    return int(world.areas["990102100200"])


def _new(relation: int = 0, name: str = "马丽", number: str = "", since: date = JAN) -> services.NewPerson:
    return services.NewPerson(
        sex=2, birth_month=date(1970, 5, 1), relation=relation, since=since, name=name, id_number=number
    )


@pytest.fixture
def home(world: Any, village: int) -> Household:
    return services.add_household(world.clerk, village_id=village, household_no="1", starts_on=JAN)


def _refused(code: str) -> Any:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


def _close(year: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT periods_prepare_close(%s, 1)", [year])
        cursor.execute("SELECT periods_begin_close(%s, 2)", [year])
        cursor.execute("SELECT periods_finish_close(%s, 'digest')", [year])


def test_a_person_joins_moves_and_returns(world: Any, village: int, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new())
    second = services.add_household(world.clerk, village_id=village, household_no="2", starts_on=JAN)
    moved = services.move_person(
        world.clerk, person_id=person.pk, household_id=second.pk, relation=8, on=MAY, reason="lives with her sister"
    )
    assert moved.starts_on == MAY
    services.end_membership(world.clerk, person_id=person.pk, on=date(2009, 7, 1), reason="away")
    with _refused("register.not_a_member"):
        services.end_membership(world.clerk, person_id=person.pk, on=date(2009, 8, 1), reason="away")
    back = services.move_person(
        world.clerk, person_id=person.pk, household_id=home.pk, relation=0, on=date(2009, 9, 1), reason="came back"
    )
    assert [(m.starts_on, m.ends_before) for m in Membership.objects.order_by("starts_on")] == [
        (JAN, MAY),
        (MAY, date(2009, 7, 1)),
        (date(2009, 9, 1), None),
    ]
    page = queries.person(world.auditor, person.pk)
    assert page.memberships[0].pk == back.pk and page.has_identity and page.died_on is None


def test_a_household_has_one_head_and_one_number(world: Any, village: int, home: Household) -> None:
    services.add_person(world.clerk, household_id=home.pk, new=_new())
    with _refused("register.same_person_on_record"):  # the same name, sex and month in the same household
        services.add_person(world.clerk, household_id=home.pk, new=_new(relation=1))
    with _refused("register.two_heads"):
        services.add_person(world.clerk, household_id=home.pk, new=_new(name="马花"))
    with _refused("register.number_taken"):
        services.add_household(world.clerk, village_id=village, household_no="1", starts_on=JAN)


def test_another_county_is_refused(world: Any, home: Household, other_village: int) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new(number=NUMBER))
    with _refused("access.not_granted"):
        services.add_person(world.other_clerk, household_id=home.pk, new=_new(1))
    with _refused("access.not_granted"):
        services.add_household(world.clerk, village_id=other_village, household_no="1", starts_on=JAN)
    theirs = services.add_household(world.other_clerk, village_id=other_village, household_no="1", starts_on=JAN)
    with _refused("access.not_granted"):
        services.move_person(
            world.clerk, person_id=person.pk, household_id=theirs.pk, relation=0, on=MAY, reason="married"
        )
    for read in (
        lambda: queries.household(world.other_clerk, home.pk),
        lambda: queries.person(world.other_clerk, person.pk),
        lambda: identity.open_identity(world.other_clerk, person_id=person.pk, purpose="curious"),
        lambda: services.record_death(world.other_clerk, person_id=person.pk, on=MAY),
        lambda: identity.request_erasure(world.other_clerk, person_id=person.pk, reason="x"),
    ):
        with _refused("access.not_granted"):
            read()
    assert identity.find_by_number(world.other_clerk, number=NUMBER, purpose="check") == []
    assert queries.person_id_of_key(world.other_clerk, person.key) is None
    person.refresh_from_db()
    assert queries.person_id_of_key(world.clerk, person.key) == person.pk
    assert queries.person_id_of_key(world.other_clerk, person.key) is None


def test_days_in_the_future_or_before_the_beginning_are_refused(world: Any, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new(since=MAY))
    with _refused("register.bad_days"):
        services.record_death(world.clerk, person_id=person.pk, on=date(2900, 1, 1))
    with _refused("register.bad_days"):
        services.end_membership(world.clerk, person_id=person.pk, on=JAN, reason="x")
    with _refused("register.reason_missing"):
        services.end_membership(world.clerk, person_id=person.pk, on=MAY, reason=" ")


def test_a_death_ends_the_membership(world: Any, village: int, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new())
    services.record_death(world.clerk, person_id=person.pk, on=MAY)
    assert Membership.objects.get().ends_before == MAY
    with _refused("register.member_after_death"):
        services.move_person(
            world.clerk, person_id=person.pk, household_id=home.pk, relation=0, on=date(2009, 6, 1), reason="mistake"
        )
    assert queries.person(world.clerk, person.pk).died_on == MAY


def test_a_death_learnt_after_the_close_keeps_its_day_and_counts_later(world: Any, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new())
    _close(2009)
    death = services.record_death(world.clerk, person_id=person.pk, on=date(2009, 11, 15))
    member = Membership.objects.get()
    assert (death.happened_on, death.counts_on) == (date(2009, 11, 15), date(2010, 1, 1))
    assert (member.ends_before, member.counts_before) == (date(2009, 11, 15), date(2010, 1, 1))


def test_a_wrong_record_is_voided_and_replaced(world: Any, home: Household) -> None:
    services.add_person(world.clerk, household_id=home.pk, new=_new())
    wrong = services.assess(
        world.clerk, household_id=home.pk, year=2009, assessed_on=MAY, income_fen=100, size=1, line="2009-1196"
    )
    with _refused("register.assessed_already"):
        services.assess(world.clerk, household_id=home.pk, year=2009, assessed_on=MAY, income_fen=1, size=1, line="x")
    with _refused("register.reason_missing"):
        services.void_and_replace(world.clerk, row=wrong, changes={"income_fen": 200}, reason="")
    with _refused("access.not_granted"):
        services.void_and_replace(world.township, row=wrong, changes={"income_fen": 200}, reason="typo")
    with _refused("register.not_replaceable"):
        services.void_and_replace(world.clerk, row=wrong, changes={"household_id": 1}, reason="typo")
    right = services.void_and_replace(world.approver, row=wrong, changes={"income_fen": 200}, reason="typo")
    right.refresh_from_db()
    assert (right.income_per_head_fen, right.replaces_id, right.batch_id) == (200, wrong.pk, None)
    assert wrong.void_reason == "typo"
    with _refused("register.not_replaceable"):
        services.void_and_replace(world.approver, row=wrong, changes={"income_fen": 300}, reason="again")


def test_a_death_recorded_by_mistake_is_taken_back(world: Any, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new())
    death = services.record_death(world.clerk, person_id=person.pk, on=MAY)
    services.void_fact(world.clerk, row=death, reason="another person of the name")
    services.void_and_replace(world.clerk, row=Membership.objects.get(), changes={"ends_before": None}, reason="lives")
    assert Membership.objects.get(voided_at=None).ends_before is None
    assert not Death.objects.filter(voided_at=None).exists()


def test_a_wrong_birth_month_makes_a_new_record(world: Any, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new(number=NUMBER))
    new = services.correct_person(
        world.clerk,
        person_id=person.pk,
        sex=1,
        birth_month=date(1971, 5, 1),
        reason="identity card seen",
        confirmed=True,
    )
    assert Person.objects.get(pk=person.pk).void_reason == "identity card seen"
    assert Membership.objects.get(voided_at=None).person_id == new.pk
    assert [f.person_id for f in identity.find_by_number(world.clerk, number=NUMBER, purpose="check")] == [new.pk]
    request = identity.request_erasure(world.clerk, person_id=new.pk, reason="asked")
    identity.erase_person(world.approver, request_id=request.pk)
    _assert_no_trace(person.pk, new.pk)


def test_names_of_documents_that_hold_the_person_go(world: Any, home: Household) -> None:
    """The name where the document lies in or over a village of theirs, a number anywhere and however it is written; the
    tally still fits.
    """
    phone = "13812345678"
    person = services.add_person(world.clerk, household_id=home.pk, new=_new(number=NUMBER))
    for name in ("马丽", "马莉"):  # misspelt at first
        identity.correct_identity(
            world.clerk,
            person_id=person.pk,
            values=identity.Values(name, NUMBER, phone),
            reason="telephone",
            confirmed=True,
        )
    person = services.correct_person(
        world.clerk, person_id=person.pk, sex=2, birth_month=date(1970, 4, 1), reason="seen", confirmed=True
    )
    there, county, elsewhere = home.village_id, world.areas["990101"], world.areas["990102100200"]
    given = [
        (there, "马丽 证明.TXT", "proof"),
        (county, "a.txt", "Letter of 马丽"),
        (elsewhere, "马丽.txt", "another 马丽"),
        (elsewhere, "b.txt", f"of {NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]}"),
        (elsewhere, "138-1234-5678.txt", "call"),
        (there, "c.txt", "100% done_"),
        (there, "d.txt", "马莉 1970"),
    ]
    who = {there: world.clerk, county: world.clerk, elsewhere: world.other_clerk}
    made = [
        attach(
            who[area], kind="household", subject_id=home.pk, area_id=area, name=name, title=title, stream=[b"words"]
        ).pk
        for area, name, title in given
    ]
    request = identity.request_erasure(world.clerk, person_id=person.pk, reason="asked")
    identity.erase_person(world.approver, request_id=request.pk)
    now = {pk: (name, title) for pk, name, title in Document.objects.values_list("pk", "name", "title")}
    for place, pk in enumerate(made):
        if place in (2, 5):
            assert now[pk] == given[place][1:]
        else:
            assert now[pk] == (f"document {pk}.txt", f"document {pk}")
    with connection.cursor() as cursor:
        tallied, there_is = counts(cursor, "notices_document")
    assert tallied == there_is
    assert Erasure.objects.get().documents_renamed == 5


def test_cases_open_and_end(world: Any, village: int) -> None:
    fund = services.add_household(
        world.clerk, village_id=village, household_no="9", starts_on=JAN, kind="fund_member_only"
    )
    with _refused("register.no_case"):
        services.assess(world.clerk, household_id=fund.pk, year=2009, assessed_on=MAY, income_fen=1, size=1, line="x")
    with _refused("register.no_case"):
        services.exit_case(world.clerk, household_id=fund.pk, on=MAY, reason="own_wish")
    services.open_case(world.clerk, household_id=fund.pk, on=JAN, stage="identified")
    services.open_case(world.clerk, household_id=fund.pk, on=MAY)
    with _refused("register.case_open"):
        services.open_case(world.clerk, household_id=fund.pk, on=MAY)
    assert queries.household(world.clerk, fund.pk).case_status == "recorded"
    services.exit_case(world.clerk, household_id=fund.pk, on=date(2009, 8, 1), reason="own_wish")
    assert queries.household(world.clerk, fund.pk).case_status == "exited"
    assert [r["case_status"] for r in rows(world.clerk, HOUSEHOLDS, place=str(village))] == ["exited"]
    assert rows(world.other_clerk, HOUSEHOLDS, place=str(village)) == []
    services.open_case(world.clerk, household_id=fund.pk, on=date(2009, 9, 1))
    assert queries.household(world.clerk, fund.pk).case_status == "recorded"


def test_identity_is_sealed_and_every_look_is_logged(world: Any, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new(number=NUMBER))
    row = Identity.objects.get()
    assert "马丽".encode() not in bytes(row.sealed) and NUMBER.encode() not in bytes(row.sealed)
    with _refused("access.purpose_missing"):
        identity.open_identity(world.auditor, person_id=person.pk, purpose=" ")
    opened = identity.open_identity(world.auditor, person_id=person.pk, purpose="complaint 4")
    assert opened == identity.Values(name="马丽", id_number=NUMBER)
    assert identity.open_household(world.auditor, household_id=home.pk, purpose="visit") == {person.pk: opened}
    looks = list(ReadEvent.objects.order_by("pk").values_list("kind", "subject_id", "purpose"))
    assert looks == [("person", person.pk, "complaint 4"), ("person", person.pk, "visit")]


def test_a_search_finds_by_number_and_by_name_within_an_area(world: Any, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new(number=NUMBER))
    services.add_person(world.clerk, household_id=home.pk, new=_new(1, name="王 芳"))
    by_number = identity.find_by_number(world.township, number=NUMBER.lower(), purpose="duplicate?")
    assert [(f.person_id, f.household_no, f.is_present) for f in by_number] == [(person.pk, "1", True)]
    assert len(identity.find_by_name(world.clerk, name="王芳", area_id=world.areas["990101"], purpose="visit")) == 1
    assert identity.find_by_name(world.clerk, name="王芳", area_id=world.areas["990101200"], purpose="visit") == []
    with _refused("access.not_granted"):
        identity.find_by_name(world.clerk, name="王芳", area_id=world.areas["990102"], purpose="visit")
    assert set(ReadEvent.objects.values_list("kind", flat=True)) == {"search_number", "search_name"}
    assert not ReadEvent.objects.filter(purpose__contains=NUMBER).exists()


def test_a_name_is_keyed_to_the_village_moved_to(world: Any, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new())
    before = bytes(Identity.objects.get().name_hash or b"")
    there = services.add_household(world.clerk, village_id=world.areas["990101200200"], household_no="1", starts_on=JAN)
    services.move_person(world.clerk, person_id=person.pk, household_id=there.pk, relation=0, on=MAY, reason="moved")
    assert bytes(Identity.objects.get().name_hash or b"") != before
    assert len(identity.find_by_name(world.clerk, name="马丽", area_id=world.areas["990101200"], purpose="visit")) == 1


def _history(*person_ids: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM register_identityevent WHERE person_id = ANY(%s) OR pgh_obj_id = ANY(%s)",
            [list(person_ids)] * 2,
        )
        return int(cursor.fetchone()[0])


def _assert_no_trace(*person_ids: int) -> None:
    assert not Identity.objects.filter(person_id__in=person_ids).exists()
    assert _history(*person_ids) == 0


def test_a_correction_keeps_what_was_there_and_erasing_removes_all(world: Any, home: Household) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new(number=NUMBER))
    identity.correct_identity(
        world.clerk, person_id=person.pk, values=identity.Values(name="马莉", id_number=NUMBER), reason="misspelt"
    )
    assert _history(person.pk) == 1
    opened = identity.open_identity(world.clerk, person_id=person.pk, purpose="check")
    assert opened is not None and opened.name == "马莉"
    person.refresh_from_db()
    key = person.key
    request = identity.request_erasure(world.clerk, person_id=person.pk, reason="asked to be forgotten")
    with _refused("register.same_person"):
        identity.erase_person(world.clerk, request_id=request.pk)
    assert identity.erase_person(world.approver, request_id=request.pk) == person.pk
    _assert_no_trace(person.pk)
    assert identity.open_identity(world.clerk, person_id=person.pk, purpose="check") is None
    assert identity.find_by_number(world.clerk, number=NUMBER, purpose="check") == []
    assert queries.person_id_of_key(world.clerk, key) is None
    assert Erasure.objects.get().erased_by_id == world.approver.pk
    assert queries.person(world.clerk, person.pk).is_erased
    with _refused("register.erasure_not_open"):
        identity.erase_person(world.approver, request_id=request.pk)


def test_a_name_does_not_reach_a_log_or_an_error() -> None:
    new = services.NewPerson(
        sex=1, birth_month=None, relation=0, since=date(2009, 1, 1), name="Ma Xiaohua", id_number="640122"
    )
    for shown in (repr(new), str(identity.Values(name="Ma Xiaohua", id_number="640122")), f"{new}"):
        assert "Ma" not in shown
        assert "640122" not in shown


def test_opening_a_household_s_page_is_recorded(world: Any, village: int, client: Any) -> None:
    made = services.add_household(world.clerk, village_id=village, household_no="77", starts_on=date(2009, 1, 1))
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(f"/register/households/{made.pk}/").status_code == 200
    assert list(ReadEvent.objects.values_list("kind", "subject_id", "user_id")) == [
        ("household", made.pk, world.clerk.pk)
    ]
    client.force_login(world.other_clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(f"/register/households/{made.pk}/").status_code in (403, 404)
    assert ReadEvent.objects.count() == 1


def test_an_erasure_takes_as_long_as_it_takes_and_finds_every_spelling(
    world: Any, home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = services.add_person(world.clerk, household_id=home.pk, new=_new(name="买买提·艾力", number=NUMBER))
    names = ("贷款申请 买买提•艾力.txt", "买买提 艾力.txt", "买买提.txt", "Letter.txt")
    made = [
        attach(
            world.clerk,
            kind="household",
            subject_id=home.pk,
            area_id=home.village_id,
            name=name,
            title="proof",
            stream=[b"words"],
        ).pk
        for name in names
    ]
    request = identity.request_erasure(world.clerk, person_id=person.pk, reason="asked")
    bounds = []

    def forget(**_given: Any) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            bounds.append(cursor.fetchone()[0])
        return []

    monkeypatch.setattr(identity.retention, "forget_files_of", forget)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '30s'")  # as a page is bounded
    identity.erase_person(world.approver, request_id=request.pk)
    assert bounds == ["0"]
    now = dict(Document.objects.values_list("pk", "name"))
    assert [now[pk] for pk in made] == [f"document {made[0]}.txt", f"document {made[1]}.txt", *names[2:]]
