"""Who may hold which roles at once, who gives them, and what an ended, future or inactive grant allows."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction
from django.test import Client

from karez.access import queries, services
from karez.access.models import Grant, GrantAnswer, GrantProposal, User
from karez.access.proposals import confirm_role, decline_role, propose_role
from karez.access.roles import Role
from karez.access.rules import CONFIRMED, INCOMPATIBLE, LEVELS, needs_second
from karez.kernel.refusal import Refusal
from karez.places import granting
from karez.places.queries import may

Connect = Callable[[], "psycopg.Connection[Any]"]
_COUNTY = "(SELECT area_id FROM places_tree WHERE code = '990101')"
_GRANT = f"""INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, ends_before, counts_before,
    recorded_by_id)
 VALUES (%s, %s, {_COUNTY}, %s, %s, %s, %s, 1)"""


def _refused(code: str) -> Any:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


def test_the_database_knows_the_same_pairs(db: None) -> None:
    with connection.cursor() as cursor:
        for one, other in product(Role.values, Role.values):
            cursor.execute("SELECT access_incompatible(%s, %s)", [one, other])
            assert cursor.fetchone()[0] is (one != other and frozenset((one, other)) in INCOMPATIBLE), (one, other)


def test_an_administrator_holds_nothing_else() -> None:
    others = set(Role) - {Role.ADMINISTRATOR}
    assert {next(iter(pair - {Role.ADMINISTRATOR})) for pair in INCOMPATIBLE if Role.ADMINISTRATOR in pair} == others


def test_the_database_knows_which_roles_need_a_second(db: None) -> None:
    assert set(Role) == CONFIRMED, "every role writes or reads identity"
    assert [
        needs_second(p)
        for p in ("figures.view", "figures.trace", "register.view", "documents.attach", "new_room.new_verb")
    ] == [
        False,
        False,
        True,
        True,
        True,
    ]
    with connection.cursor() as cursor:
        for role in Role.values:
            cursor.execute("SELECT access_needs_second(%s)", [role])
            assert cursor.fetchone()[0] is (role in CONFIRMED), role


def test_the_database_knows_the_same_levels(db: None) -> None:
    assert set(LEVELS) == set(Role)
    with connection.cursor() as cursor:
        for role in Role:
            cursor.execute("SELECT access_levels(%s)", [role.value])
            assert cursor.fetchone()[0] == list(LEVELS[role]), role
        cursor.execute("SELECT access_levels('emperor')")
        assert cursor.fetchone()[0] == []


def test_nobody_stands_over_a_region_with_a_village_s_role(committed_world: Any, app_connection: Connect) -> None:
    w, raw = committed_world, app_connection()
    user = services.add_user(username="new", full_name="New", password=None)
    low = [role for role in Role if "region" not in LEVELS[role]]
    assert {Role.VILLAGE_OFFICER, Role.TOWNSHIP_OFFICER, Role.COUNTY_OFFICER, Role.TREASURER} == set(low)
    words = {"user": user, "area_id": w.region, "starts_on": date.today()}
    for role in low:
        with _refused("access.wrong_level"):
            granting.give_role(w.administrator, role=role, **words)
        with pytest.raises(DatabaseError) as no, transaction.atomic():
            services.grant_role(None, role=role, **words)
        assert getattr(no.value.__cause__, "sqlstate", "") == "KZ097", role
        for sql, more in ((_PROPOSE, []), (_TAKE, [None])):
            with pytest.raises(psycopg.Error) as raised:
                raw.execute(
                    sql.replace(_COUNTY, "(SELECT area_id FROM places_tree WHERE code = '99')"),
                    [user.pk, role, w.administrator.pk, *more],
                )
            assert raised.value.sqlstate == "KZ097", (role, sql)
            raw.rollback()
    services.end_founding()
    with pytest.raises(DatabaseError) as no:  # the operator over the owner's connection too
        services.grant_role(None, role=Role.VILLAGE_OFFICER, note="in a hurry", **words)
    assert getattr(no.value.__cause__, "sqlstate", "") == "KZ097"
    assert not Grant.objects.filter(user=user).exists()


def test_a_name_is_one_person_s_in_whatever_capitals(committed_world: Any, app_connection: Connect) -> None:
    with _refused("access.name_refused"):
        services.add_user(username="CLERK", full_name="Another", password=None)
    with _refused("access.name_refused"):
        services.invite_user(committed_world.administrator, username="Clerk", full_name="Another")
    with pytest.raises(psycopg.errors.UniqueViolation) as no:
        app_connection().execute("UPDATE access_user SET username = 'Clerk' WHERE username = 'auditor'")
    assert no.value.diag.constraint_name == "access_user_one_name_in_any_case"
    assert not User.objects.filter(full_name="Another").exists()


def test_roles_that_exclude_each_other_never_overlap(committed_world: Any, app_connection: Connect) -> None:
    raw, finance = app_connection(), committed_world.finance.pk  # finance officer from 2009 on, without end
    person = services.add_user(username="both", full_name="Both", password=None).pk
    refused = [
        (finance, "approver", "2010-01-01", None),
        (finance, "auditor", "2009-01-01", "2009-02-01"),
    ]
    for user, role, start, end in refused:
        with pytest.raises(psycopg.Error) as no:
            raw.execute(_GRANT, [user, role, start, start, end, end])
        assert no.value.sqlstate == "KZ090"
        raw.rollback()
    with pytest.raises(psycopg.Error) as at_once:  # both in one statement
        raw.execute(
            "INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id)"
            f" SELECT %s, role, {_COUNTY}, '2009-01-01', '2009-01-01', 1 FROM unnest(ARRAY['treasurer', "
            "'approver']) role",
            [person],
        )
    assert at_once.value.sqlstate == "KZ090"
    raw.rollback()
    raw.execute(_GRANT, [person, "treasurer", "2009-01-01", "2009-01-01", "2009-06-01", "2009-06-01"])
    raw.execute(_GRANT, [person, "approver", "2009-06-01", "2009-06-01", None, None])  # one after the other is fine
    raw.commit()


def test_two_hands_cannot_make_one_person_both(committed_world: Any, app_connection: Connect) -> None:
    person = services.add_user(username="both", full_name="Both", password=None).pk
    first, second = app_connection(), app_connection()
    first.execute(_GRANT, [person, "treasurer", "2009-01-01", "2009-01-01", None, None])
    second.execute("SET lock_timeout = '300ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):  # the second waits for the first, and then sees it
        second.execute(_GRANT, [person, "approver", "2009-01-01", "2009-01-01", None, None])
    second.rollback()
    first.commit()
    with pytest.raises(psycopg.Error) as no:
        second.execute(_GRANT, [person, "approver", "2009-01-01", "2009-01-01", None, None])
    assert no.value.sqlstate == "KZ090"


def test_roles_are_given_by_who_looks_after_users(world: Any) -> None:
    user = services.add_user(username="new", full_name="New", password=None)
    words = {"user": user, "role": Role.AUDITOR, "area_id": world.areas["990101"], "starts_on": date(2009, 1, 1)}
    for stranger in (world.clerk, world.regional, world.approver):
        with _refused("access.not_granted"):
            services.grant_role(stranger, **words)
        with _refused("access.not_granted"):
            granting.give_role(stranger, **words)
        with _refused("access.not_granted"):
            propose_role(stranger, **words)
    with _refused("access.own_roles"):
        granting.give_role(world.administrator, **words | {"user": world.administrator, "role": Role.COUNTY_OFFICER})
    local = services.add_user(username="local", full_name="Local", password=None)
    services.grant_role(
        None, user=local, role=Role.ADMINISTRATOR, area_id=world.areas["990101"], starts_on=date(2009, 1, 1)
    )
    with _refused("access.not_granted"):
        granting.give_role(local, **words | {"area_id": world.areas["990102"]})
    asked = granting.give_role(local, **words)
    assert isinstance(asked, GrantProposal)
    granting.confirm_role(world.approver, asked)
    with _refused("access.incompatible_roles"):
        granting.give_role(local, **words | {"role": Role.APPROVER})
    assert may(user, "figures.trace", world.areas["990101"])


def proposal_of(world: Any, role: Role) -> Any:
    """What comes of one administrator giving a role at a place where it may lie."""
    user = services.add_user(username=f"new-{role}", full_name="New", password=None)
    code = {"village": "990101100200", "township": "990101100", "county": "990101"}.get(LEVELS[role][0], "99")
    return granting.give_role(
        world.administrator, user=user, role=role, area_id=world.areas[code], starts_on=date.today()
    )


def test_one_administrator_alone_gives_no_role_with_work_of_its_own(world: Any) -> None:
    user = services.add_user(username="new", full_name="New", password=None)
    for role in CONFIRMED:
        with _refused("access.needs_second"):
            services.grant_role(world.administrator, user=user, role=role, area_id=world.region, starts_on=date.today())
        assert isinstance(proposal_of(world, role), GrantProposal), role
    asked = propose_role(
        world.administrator, user=user, role=Role.APPROVER, area_id=world.region, starts_on=date.today()
    )
    assert not queries.permissions_of(user)
    with _refused("access.already_given"):
        propose_role(world.administrator, user=user, role=Role.APPROVER, area_id=world.region, starts_on=date.today())
    for nobody in (world.administrator, user):
        with _refused("access.same_person"):
            confirm_role(nobody, asked)
    assert not Grant.objects.filter(user=user).exists()
    given = confirm_role(world.regional, asked)
    assert (given.recorded_by_id, given.proposal_id) == (world.administrator.pk, asked.pk)
    assert may(user, "ledger.approve", world.region)
    with _refused("access.already_answered"):
        decline_role(world.regional, asked, reason="late")


def test_a_given_password_confirms_nobody(world: Any) -> None:
    user, _password = services.invite_user(world.administrator, username="new", full_name="New")
    asked = propose_role(
        world.administrator, user=user, role=Role.APPROVER, area_id=world.region, starts_on=date.today()
    )
    with _refused("access.password_not_own"):
        confirm_role(world.regional, asked)
    assert not GrantAnswer.objects.exists()
    services.choose_password(user, "a-password-of-my-own-27")
    confirm_role(world.regional, asked)


def test_a_proposal_ends_with_who_made_it(world: Any) -> None:
    user = services.add_user(username="new", full_name="New", password=None)
    asked = propose_role(
        world.administrator, user=user, role=Role.APPROVER, area_id=world.region, starts_on=date.today()
    )
    other = services.add_user(username="other", full_name="Other", password="a-password-of-my-own-27")
    services.grant_role(None, user=other, role=Role.ADMINISTRATOR, area_id=world.region, starts_on=date(2009, 1, 1))
    world.administrator.is_active = False
    world.administrator.save(update_fields=["is_active"])
    with _refused("access.proposer_left"):
        confirm_role(other, asked)


_PROPOSE = f"""INSERT INTO access_grantproposal (user_id, role, area_id, starts_on, proposed_by_id)
 VALUES (%s, %s, {_COUNTY}, current_date, %s) RETURNING id"""
_AGREE = "INSERT INTO access_grantanswer (proposal_id, agreed, answered_by_id) VALUES (%s, true, %s)"
_TAKE = f"""INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id, proposal_id)
 VALUES (%s, %s, {_COUNTY}, current_date, current_date, %s, %s)"""


def test_the_database_asks_for_two_people(committed_world: Any, app_connection: Connect) -> None:
    services.end_founding()
    w, raw = committed_world, app_connection()
    user = services.add_user(username="new", full_name="New", password=None).pk
    chief, second, clerk = w.administrator.pk, w.approver.pk, w.clerk.pk

    def refused(state: str, *steps: tuple[str, list[Any]]) -> None:
        with pytest.raises(psycopg.Error) as no:
            for sql, words in steps:
                raw.execute(sql, words)
        assert no.value.sqlstate == state, steps
        raw.rollback()

    refused("KZ093", (_TAKE, [user, "auditor", user, None]))  # as the operator would
    refused(
        "KZ093",
        (
            _TAKE.replace("proposal_id)", "proposal_id, operator_note)").replace("%s)", "%s, 'x')"),
            [user, "auditor", chief, None],
        ),
    )
    for role in Role.values:
        if "county" in LEVELS[Role(role)]:
            refused("KZ094", (_TAKE, [user, role, chief, None]))
    refused("23514", (_PROPOSE, [user, "approver", user]))
    row = raw.execute(_PROPOSE, [user, "approver", chief]).fetchone()
    assert row
    asked = row[0]
    raw.commit()
    refused("KZ094", (_TAKE, [user, "approver", chief, asked]))  # nobody has answered
    for own in (chief, user):
        refused("KZ093", (_AGREE, [asked, own]))
    refused("KZ094", (_AGREE, [asked, clerk]), (_TAKE, [user, "approver", chief, asked]))  # a clerk is no second
    refused("KZ094", (_AGREE, [asked, 999_999]), (_TAKE, [user, "approver", chief, asked]))
    refused(
        "KZ094", (_AGREE, [asked, second]), (_TAKE, [user, "finance_officer", chief, asked])
    )  # another role than was confirmed
    refused("KZ094", (_AGREE, [asked, second]), (_TAKE, [clerk, "approver", chief, asked]))  # another person
    raw.execute(_AGREE, [asked, second])
    raw.execute(_TAKE, [user, "approver", chief, asked])
    raw.commit()
    refused("23P01", (_TAKE, [user, "approver", chief, asked]))
    refused("23505", (_AGREE, [asked, second]))
    for attack in (
        "DELETE FROM access_founding",
        "UPDATE access_grantproposal SET role = 'approver'",
        "DELETE FROM access_grantanswer",
        "UPDATE access_grantanswer SET agreed = true",
        "SET SESSION AUTHORIZATION karez_owner",
        "SET ROLE karez_owner",
        "UPDATE access_grant SET recorded_by_id = 1",
        "UPDATE access_grant SET role = 'approver'",
    ):
        refused("42501", (attack, []))


def test_two_new_people_do_not_confirm_each_other(committed_world: Any, app_connection: Connect) -> None:
    services.end_founding()
    raw, chief = app_connection(), committed_world.administrator.pk
    one, other = (services.add_user(username=name, full_name=name, password=None).pk for name in ("one", "other"))
    for user, by in ((one, other), (other, one)):
        asked = raw.execute(_PROPOSE, [user, "administrator", chief]).fetchone()
        assert asked
        raw.execute(_AGREE, [asked[0], by])
    with pytest.raises(psycopg.Error) as no:
        raw.execute(
            "INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id, proposal_id)"
            " SELECT user_id, role, area_id, starts_on, starts_on, proposed_by_id, id FROM access_grantproposal"
        )
    assert no.value.sqlstate == "KZ094"


def test_nobody_ends_their_own_role_or_one_in_the_past(committed_world: Any, app_connection: Connect) -> None:
    services.end_founding()
    w, raw = committed_world, app_connection()
    held = Grant.objects.get(user=w.clerk)
    end = (
        "UPDATE access_grant SET ends_before = %s, counts_before = %s, ended_at = now(), ended_by_id = %s, "
        "end_reason = 'x' WHERE id = %s"
    )
    void = (
        "UPDATE access_grant SET voided_at = now(), voided_by_id = %s, void_reason = 'x', void_counts_on = %s "
        "WHERE id = %s"
    )
    today, yesterday, clerk, chief = date.today(), date.today() - timedelta(days=1), w.clerk.pk, w.administrator.pk
    for state, sql, words in (
        ("KZ093", end, [today, today, clerk, held.pk]),
        ("KZ093", void, [clerk, today, held.pk]),
        ("KZ095", end, [yesterday, yesterday, chief, held.pk]),
        ("KZ095", void, [chief, yesterday, held.pk]),
    ):
        with pytest.raises(psycopg.Error) as no:
            raw.execute(sql, words)
        assert no.value.sqlstate == state, words
        raw.rollback()
    with _refused("access.end_unclear"):
        granting.end_role(w.administrator, grant=held, ends_before=yesterday, reason="long gone")
    granting.end_role(w.administrator, grant=held, ends_before=today, reason="gone")


def test_the_operator_acts_at_the_console_after_founding_too(committed_world: Any) -> None:
    services.end_founding()
    user = services.add_user(username="new", full_name="New", password=None)
    given = services.grant_role(
        None,
        user=user,
        role=Role.APPROVER,
        area_id=committed_world.region,
        starts_on=date.today(),
        note="the other one died",
    )
    assert (given.recorded_by_id, given.operator_note) == (user.pk, "the other one died")
    assert may(user, "ledger.approve", committed_world.region)


def test_an_ended_future_or_inactive_grant_allows_nothing(world: Any) -> None:
    user, today = services.add_user(username="new", full_name="New", password=None), date.today()
    area = world.areas["990101"]
    services.grant_role(None, user=user, role=Role.COUNTY_OFFICER, area_id=area, starts_on=today + timedelta(days=1))
    assert not may(user, "register.view", area)
    held = services.grant_role(None, user=user, role=Role.AUDITOR, area_id=area, starts_on=today)
    assert may(user, "figures.trace", area)
    with _refused("access.not_granted"):
        granting.end_role(world.clerk, grant=held, ends_before=today, reason="left")
    granting.end_role(world.administrator, grant=held, ends_before=today, reason="left")
    assert not may(user, "figures.trace", area)
    with _refused("access.already_ended"):
        granting.end_role(world.administrator, grant=held, ends_before=today, reason="again")
    assert may(world.clerk, "register.view", area)
    world.clerk.is_active = False
    assert not may(world.clerk, "register.view", area)
    assert queries.permissions_of(world.clerk) == frozenset()


def test_every_look_says_why(world: Any) -> None:
    for purpose in ("", "  "):
        with _refused("access.purpose_missing"):
            services.log_read(world.clerk, kind="person", subject_id=1, purpose=purpose)
        with _refused("access.purpose_missing"):
            services.log_reads(world.clerk, kind="person", subject_ids=[1], purpose=purpose)
    assert Grant.objects.filter(user=world.clerk).count() == 1


def test_no_role_while_another_knows_the_password(committed_world: Any, app_connection: Connect) -> None:
    """Neither by the operator nor in the database: who invited a person could sign in as them."""
    services.end_founding()
    w, raw = committed_world, app_connection()
    user, _password = services.invite_user(w.administrator, username="new", full_name="New")
    words = {"user": user, "role": Role.AUDITOR, "area_id": w.region, "starts_on": date.today(), "note": "first people"}
    with _refused("access.password_not_own"):
        services.grant_role(None, **words)
    row = raw.execute(_PROPOSE, [user.pk, "auditor", w.administrator.pk]).fetchone()
    assert row
    raw.execute(_AGREE, [row[0], w.approver.pk])
    with pytest.raises(psycopg.Error) as no:
        raw.execute(_TAKE, [user.pk, "auditor", w.administrator.pk, row[0]])
    assert no.value.sqlstate == "KZ098"
    raw.rollback()
    services.give_password(user, note="came in person")  # the operator's own, which no administrator saw
    assert services.grant_role(None, **words).operator_note == "first people"


def test_one_is_enough_to_end(world: Any) -> None:
    services.choose_password(world.clerk, "a-password-of-my-own-27")
    client = Client()
    client.post("/account/login/", {"login": "clerk", "password": "a-password-of-my-own-27"})
    assert client.get("/").status_code == 200
    asked = propose_role(
        world.administrator, user=world.clerk, role=Role.STATISTICIAN, area_id=world.region, starts_on=date.today()
    )
    with _refused("access.end_unclear"):
        granting.deactivate(world.administrator, world.clerk, reason=" ")
    for nobody in (world.regional, world.approver):
        with _refused("access.not_granted"):
            granting.deactivate(nobody, world.clerk, reason="left")
    with _refused("access.own_roles"):
        granting.deactivate(world.administrator, world.administrator, reason="left")
    chief = Client()
    chief.force_login(world.administrator, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = f"/users/{world.clerk.pk}/"
    assert chief.post(f"{page}deactivate/", {"reason": "moved away"}).status_code == 302
    assert "deactivated by Administrator" in chief.get(page).content.decode()
    assert not Session.objects.filter(pk=client.session.session_key).exists()
    assert client.get("/").status_code == 302
    client.post("/account/login/", {"login": "clerk", "password": "a-password-of-my-own-27"})
    assert client.get("/").status_code == 302
    assert (
        not may(world.clerk, "register.view", world.areas["990101"])
        or not User.objects.get(pk=world.clerk.pk).is_active
    )
    assert not Grant.objects.filter(user=world.clerk, ends_before=None).exists()
    asked.refresh_from_db()
    assert asked.answer.reason == "moved away"
    for again in (
        lambda: services.renew_invitation(world.administrator, world.clerk),
        lambda: granting.deactivate(world.administrator, world.clerk, reason="x"),
    ):
        with pytest.raises(Refusal):
            again()
