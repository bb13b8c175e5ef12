"""People and roles on their pages: who sees whom, what is given and ended, the first sign-in, and what stays
impossible.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from karez.access import services as access
from karez.access.models import Grant, GrantProposal, SignInEvent, User
from karez.access.roles import Role
from karez.kernel.refusal import Refusal
from karez.places import granting, inbox
from karez.places.queries import may

TODAY = date.today()
OWN = "a-password-of-my-own-27"


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _said(answer: Any) -> str:
    return str(answer.content.decode())


def _new(**more: Any) -> dict[str, Any]:
    return {
        "username": "meng",
        "full_name": "Meng Xia",
        "language": "en",
        "role": "treasurer",
        "area": "990101",
        "starts_on": TODAY,
    } | more


def _given(answer: Any) -> str:
    found = re.search(r'id="given">([a-z0-9-]+)<', _said(answer))
    assert found
    return found[1]


def _enter(password: str, name: str = "meng") -> Client:
    client = Client()
    client.post("/account/login/", {"login": name, "password": password})
    return client


def _local(world: Any, name: str = "local", code: str = "990101") -> User:
    """An administrator named by the operator, with a password of their own."""
    user = access.add_user(username=name, full_name=f"{name.title()} Admin", password=OWN)
    access.grant_role(None, user=user, role=Role.ADMINISTRATOR, area_id=world.areas[code], starts_on=TODAY)
    return user


def test_a_person_is_added_and_chooses_a_password(world: Any) -> None:
    chen = _client(world.administrator)
    assert not chen.get("/users/?q=Meng").context["people"]
    answer = chen.post("/users/add/", _new(role="auditor"))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    password = _given(answer)
    user = User.objects.get(username="meng")
    asked = user.proposals.get()
    assert (asked.role, asked.area_id, asked.starts_on, asked.proposed_by_id) == (
        "auditor",
        world.areas["990101"],
        TODAY,
        world.administrator.pk,
    )
    assert not may(user, "figures.trace", world.areas["990101"])
    assert password not in _said(chen.get(f"/users/{user.pk}/"))
    assert [p.user.username for p in chen.get("/users/?q=Meng").context["people"]] == ["meng"]
    client = _enter(password)
    for address in ("/", "/places/", "/ledger/", "/users/", "/account/2fa/"):
        assert client.get(address)["Location"] == "/account/password/change/", address
    own = OWN
    done = client.post("/account/password/change/", {"oldpassword": password, "password1": own, "password2": own})
    assert done["Location"] == "/"
    assert client.get("/").status_code == 200
    assert "_auth_user_id" not in _enter(password).session
    assert _enter(own).get("/").status_code == 200
    assert "chosen by the person" in _said(chen.get(f"/users/{user.pk}/"))
    assert [e.what for e in SignInEvent.objects.order_by("pk")] == ["given", "chosen"]
    with pytest.raises(Refusal) as no:  # nobody takes over a name that is in use
        granting.renew_invitation(world.administrator, user)
    assert no.value.code == "access.own_password"


def test_one_administrator_alone_moves_no_money(world: Any) -> None:
    """Who invites is shown the password: neither a finance officer nor an approver may come of that."""
    chen = _client(world.administrator)
    for name, role in (
        ("boss", "finance_officer"),
        ("hand", "approver"),
        ("heir", "administrator"),
        ("eye", "auditor"),
        ("near", "village_officer"),
    ):
        area = "990101100200" if role == "village_officer" else "99"
        refused = chen.post(
            "/users/add/", _new(username=name, full_name=f"{name} x", role="village_officer", area="99")
        )
        assert (refused.status_code, "not given over a place of this level" in _said(refused)) == (422, True)
        answer = chen.post("/users/add/", _new(username=name, full_name=f"{name} x", role=role, area=area))
        client = _enter(_given(answer), name)
        client.post("/account/password/change/", {"oldpassword": _given(answer), "password1": OWN, "password2": OWN})
        user = User.objects.get(username=name)
        assert not Grant.objects.filter(user=user).exists()
        assert client.get("/").status_code == 200
        assert client.get("/users/").status_code == 403
        asked = user.proposals.get()
        assert chen.post(f"/users/waiting/{asked.pk}/", {"do": "confirm"}).status_code == 403
        assert client.post(f"/users/waiting/{asked.pk}/", {"do": "confirm"}).status_code == 403
    assert not Grant.objects.filter(user__username__in=("boss", "hand", "heir", "eye", "near")).exists()
    assert _said(chen.get("/users/")).count("no role yet") == 5


def test_another_administrator_confirms(world: Any) -> None:
    second, chen = _local(world, "second", "99"), _client(world.administrator)
    given = _given(chen.post("/users/add/", _new()))
    user = User.objects.get(username="meng")
    asked = user.proposals.get()
    liu = _client(second)
    assert "Confirm the role" not in _said(liu.get("/users/waiting/"))  # not before the person has signed in
    assert liu.post(f"/users/waiting/{asked.pk}/", {"do": "confirm"}).status_code == 403
    _enter(given).post("/account/password/change/", {"oldpassword": given, "password1": OWN, "password2": OWN})
    assert [i.count for i in inbox.items(second)] == [1]
    assert [i.count for i in inbox.items(world.administrator)] == [0]
    assert [i.count for i in inbox.items(world.approver)] == [0]  # there is another administrator
    assert _client(world.approver).post(f"/users/waiting/{asked.pk}/", {"do": "confirm"}).status_code == 403
    said = _said(liu.get("/users/waiting/"))
    assert "Confirm the role" in said
    assert "Meng Xia" in said
    assert "Confirm the role" not in _said(chen.get("/users/waiting/"))
    assert liu.post(f"/users/waiting/{asked.pk}/", {"do": "confirm"}).status_code == 302
    assert may(user, "ledger.prepare", world.areas["990101"])
    assert "confirmed by Second Admin" in _said(chen.get(f"/users/{user.pk}/"))
    assert liu.post(f"/users/waiting/{asked.pk}/", {"do": "decline", "reason": "late"}).status_code == 403
    assert "No role waits" in _said(liu.get("/users/waiting/"))


def test_without_another_administrator_an_approver_stands_in(world: Any) -> None:
    user = access.add_user(username="meng", full_name="Meng Xia", password=OWN)
    asked = granting.give_role(
        world.administrator, user=user, role=Role.TREASURER, area_id=world.areas["990101"], starts_on=TODAY
    )
    assert isinstance(asked, GrantProposal)
    stranger = _client(world.clerk)
    assert stranger.get("/users/waiting/").status_code == 403
    assert stranger.post(f"/users/waiting/{asked.pk}/", {"do": "confirm"}).status_code == 403
    assert [i.count for i in inbox.items(world.approver)] == [1]
    approver = _client(world.approver)
    assert approver.post(f"/users/waiting/{asked.pk}/", {"do": "decline", "reason": " "}).status_code == 403
    assert (
        approver.post(f"/users/waiting/{asked.pk}/", {"do": "decline", "reason": "not our treasurer"}).status_code
        == 302
    )
    assert not Grant.objects.filter(user=user).exists()
    said = _said(_client(world.administrator).get(f"/users/{user.pk}/"))
    assert "not our treasurer" in said
    again = granting.give_role(
        world.administrator, user=user, role=Role.TREASURER, area_id=world.areas["990101"], starts_on=TODAY
    )
    assert isinstance(again, GrantProposal)
    assert _client(world.regional).post(f"/users/waiting/{again.pk}/", {"do": "confirm"}).status_code == 302
    assert may(user, "ledger.prepare", world.areas["990101"])


def test_a_proposal_of_another_county_is_not_known(world: Any) -> None:
    user = access.add_user(username="meng", full_name="Meng Xia", password=OWN)
    asked = granting.give_role(
        world.administrator, user=user, role=Role.TREASURER, area_id=world.areas["990102"], starts_on=TODAY
    )
    local = _client(_local(world))
    assert local.post(f"/users/waiting/{asked.pk}/", {"do": "confirm"}).status_code == 404
    assert "Meng Xia" not in _said(local.get("/users/waiting/"))


def test_a_given_password_ends(world: Any) -> None:
    chen = _client(world.administrator)
    old = _given(chen.post("/users/add/", _new()))
    user = User.objects.get(username="meng")
    SignInEvent.objects.create(
        user=user, what="given", until=timezone.now() - timedelta(minutes=1), by_id=world.administrator.pk
    )
    client = _enter(old)
    assert client.get("/")["Location"] == "/account/login/"
    assert "_auth_user_id" not in client.session
    fresh = _given(chen.post(f"/users/{user.pk}/renew/"))
    assert "_auth_user_id" not in _enter(old).session
    assert _enter(fresh).get("/")["Location"] == "/account/password/change/"


def test_a_lost_password_is_replaced_by_the_operator_with_a_reason(world: Any) -> None:
    chen, user = _client(world.administrator), world.clerk
    access.choose_password(user, "once-it-was-known")
    assert "access.own_password" in _said(chen.post(f"/users/{user.pk}/renew/", follow=True))
    assert "from hand to hand" in _said(Client().get("/account/password/reset/"))
    assert Client().post("/account/password/reset/", {"email": "a@b.cn"}).status_code == 405  # nothing is sent
    with pytest.raises(Refusal, match="no reason"):
        access.give_password(user, note=" ")
    given = access.give_password(user, note="lost, came in person")
    assert "_auth_user_id" not in _enter("once-it-was-known", "clerk").session
    assert _enter(given, "clerk").get("/")["Location"] == "/account/password/change/"
    assert "given by the local operator for one sign-in" in _said(chen.get(f"/users/{user.pk}/"))
    assert "lost, came in person" in _said(chen.get(f"/users/{user.pk}/"))


def test_no_administrator_takes_over_after_a_lost_password(world: Any) -> None:
    """The operator's password is `given` too: it opens no way to another one shown to an administrator."""
    chen, wang = _client(world.administrator), world.approver
    console = access.add_user(
        username="bo", full_name="Bo Lan", password=OWN
    )  # at the console, with a role of the operator's
    access.grant_role(None, user=console, role=Role.FINANCE_OFFICER, area_id=world.region, starts_on=TODAY)
    access.choose_password(wang, OWN)
    invited, _password = access.invite_user(world.administrator, username="an", full_name="An Qi")
    access.choose_password(invited, OWN)
    asked = granting.give_role(
        world.administrator, user=invited, role=Role.AUDITOR, area_id=world.region, starts_on=TODAY
    )
    assert isinstance(asked, GrantProposal)
    granting.confirm_role(world.approver, asked)
    for user in (wang, console, invited):
        given = access.give_password(user, note="lost, came in person")
        page = _said(chen.get(f"/users/{user.pk}/"))
        assert "Another password for the first sign-in" not in page
        answer = chen.post(f"/users/{user.pk}/renew/", follow=True)
        assert (answer.status_code, "access.own_password" in _said(answer), 'id="given"' in _said(answer)) == (
            403,
            True,
            False,
        ), user
        with pytest.raises(Refusal, check=lambda no: no.code == "access.own_password"):
            access.renew_invitation(world.administrator, user)
        user.refresh_from_db()
        assert user.check_password(given)


def test_nor_before_the_first_sign_in_of_who_the_operator_named(world: Any) -> None:
    chen = _client(world.administrator)
    chen.post("/users/add/", _new(role="auditor"))
    user = User.objects.get(username="meng")
    page = f"/users/{user.pk}/"
    assert "Another password for the first sign-in" in _said(chen.get(page))
    assert chen.post(f"{page}renew/").status_code == 200  # so far it is the administrator's to give
    with pytest.raises(Refusal, check=lambda no: no.code == "access.password_not_own"):
        access.grant_role(
            None, user=user, role=Role.STATISTICIAN, area_id=world.region, starts_on=TODAY, note="first people"
        )
    access.give_password(user, note="came in person")
    access.grant_role(
        None, user=user, role=Role.STATISTICIAN, area_id=world.region, starts_on=TODAY, note="first people"
    )
    assert "Another password for the first sign-in" not in _said(chen.get(page))
    assert chen.post(f"{page}renew/").status_code == 403


def test_an_operator_s_password_ends_in_words_that_fit(world: Any) -> None:
    access.give_password(world.clerk, note="lost")
    SignInEvent.objects.create(
        user=world.clerk, what="given", until=timezone.now() - timedelta(days=1), by_id=world.clerk.pk, note="lost"
    )
    client = _client(world.clerk)
    assert client.get("/")["Location"] == "/account/login/"
    said = _said(client.get("/account/login/"))
    assert "Ask whoever gave it to you for another." in said
    assert "Ask the administrator" not in said


def _asked(world: Any, by: User, name: str, code: str = "990101") -> GrantProposal:
    user = access.add_user(username=name, full_name=name.title(), password=OWN)
    made = granting.give_role(by, user=user, role=Role.TREASURER, area_id=world.areas[code], starts_on=TODAY)
    assert isinstance(made, GrantProposal)
    return made


def test_what_waits_is_asked_at_once_for_all(world: Any) -> None:
    _asked(world, world.administrator, "p0")
    _local(world, "a0", "99")

    def questions(ask: Any) -> int:
        with CaptureQueriesContext(connection) as asked:
            ask()
        return len(asked)

    chen = _client(world.administrator)
    asks = (
        lambda: granting.waiting(world.approver),
        lambda: inbox.items(world.administrator),
        lambda: chen.get("/users/"),
        lambda: chen.get("/users/waiting/"),
    )
    for ask in asks:
        ask()
    few = [questions(ask) for ask in asks]
    assert few[0] <= 8
    for n in range(1, 10):
        _local(world, f"a{n}", "99" if n % 2 else "990101")
    for n in range(1, 20):
        _asked(world, world.administrator, f"p{n}", "990101" if n % 2 else "990102")
    assert [questions(ask) for ask in asks] == few
    assert len(granting.waiting(world.administrator)) == 20


def test_what_waits_is_judged_as_one_alone(world: Any) -> None:
    heir = _local(world, "heir", "990101")
    asked = [
        _asked(world, by, f"p{n}", code)
        for n, (by, code) in enumerate(
            ((world.administrator, "990101"), (heir, "990101"), (world.administrator, "990102"))
        )
    ]
    everybody = (world.administrator, heir, world.approver, world.regional, asked[0].user)
    for actor in everybody:
        mine = {w.proposal.pk for w in granting.waiting(actor) if w.mine}
        assert mine == {
            p.pk
            for p in asked
            if p.area_id in {w.area.pk for w in granting.waiting(actor) if w.area} and granting.may_confirm(actor, p)
        }
    told = [[granting.may_confirm(actor, p) for p in asked] for actor in everybody]
    # The administrator of the world cannot sign in: of what the heir proposes, an approver or regional officer is the
    # second.
    assert told == [[False, True, False], [True, False, False], [False, True, True], [False, True, True], [False] * 3]


def test_a_proposal_ends_with_its_proposer_s_right_over_the_area(world: Any) -> None:
    local = _local(world)
    access.grant_role(None, user=local, role=Role.ADMINISTRATOR, area_id=world.areas["990102"], starts_on=TODAY)
    asked = _asked(world, local, "meng")
    chen = _client(world.administrator)
    assert "Confirm the role" in _said(chen.get("/users/waiting/"))
    held = Grant.objects.get(user=local, area_id=world.areas["990101"])
    granting.end_role(world.administrator, grant=held, ends_before=TODAY, reason="moved to the other county")
    said = _said(chen.get("/users/waiting/"))
    assert "no longer looks after this area" in said
    assert "Confirm the role" not in said
    refused = chen.post(f"/users/waiting/{asked.pk}/", {"do": "confirm"})
    assert (refused.status_code, "access.proposer_left" in _said(refused)) == (403, True)
    assert not may(asked.user, "ledger.prepare", world.areas["990101"])
    assert chen.post(f"/users/waiting/{asked.pk}/", {"do": "decline", "reason": "moved"}).status_code == 302


def test_the_database_asks_that_both_look_after_the_area(committed_world: Any, app_connection: Any) -> None:
    world, raw = committed_world, app_connection()
    local, far = _local(world), _local(world, "far", "990102")
    near = access.add_user(username="near", full_name="Near", password=OWN)
    access.grant_role(None, user=near, role=Role.APPROVER, area_id=world.areas["990101"], starts_on=TODAY)
    new = access.add_user(username="new", full_name="New", password=OWN).pk
    access.end_founding()
    area = world.areas["990101100"]

    def give(proposer: User, second: User) -> None:
        row = raw.execute(
            (
                "INSERT INTO access_grantproposal (user_id, role, area_id, starts_on, proposed_by_id) VALUES (%s, "
                "'treasurer', %s, %s, %s) RETURNING id"
            ),
            [new, area, TODAY, proposer.pk],
        ).fetchone()
        raw.execute(
            "INSERT INTO access_grantanswer (proposal_id, agreed, answered_by_id) VALUES (%s, true, %s)",
            [row[0], second.pk],
        )
        raw.execute(
            "INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id, proposal_id)"
            " VALUES (%s, 'treasurer', %s, %s, %s, %s, %s)",
            [new, area, TODAY, TODAY, proposer.pk, row[0]],
        )

    for proposer, second in ((far, world.administrator), (world.administrator, far), (far, near)):
        with pytest.raises(psycopg.Error) as no:
            give(proposer, second)
        assert no.value.sqlstate == "KZ096", (proposer, second)
        raw.rollback()
    give(local, near)
    raw.rollback()
    held = Grant.objects.get(user=local)
    granting.end_role(world.administrator, grant=held, ends_before=TODAY, reason="moved")
    with pytest.raises(psycopg.Error) as no:
        give(local, near)
    assert no.value.sqlstate == "KZ094"  # an administrator of nothing


def test_roles_are_given_and_ended_with_days_and_stay_on_the_page(world: Any) -> None:
    chen, clerk = _client(world.administrator), world.clerk
    page = f"/users/{clerk.pk}/"
    assert [str(r) for r in chen.get(f"{page}role/").context["excluded"]] == ["Administrator"]
    role = {"role": "auditor", "area": "99", "starts_on": TODAY}
    assert "The role is proposed." in _said(chen.post(f"{page}role/", role, follow=True))
    assert "access.already_given" in _said(chen.post(f"{page}role/", role))  # it waits
    _client(world.approver).post(f"/users/waiting/{clerk.proposals.get().pk}/", {"do": "confirm"})
    assert "access.already_given" in _said(chen.post(f"{page}role/", role))
    assert "access.incompatible_roles" in _said(chen.post(f"{page}role/", {**role, "role": "administrator"}))
    assert "The role is proposed." in _said(chen.post(f"{page}role/", {**role, "role": "statistician"}, follow=True))
    assert "waits for confirmation" in _said(chen.get(page))
    held = Grant.objects.get(user=clerk, role="auditor")
    assert (held.area_id, held.recorded_by_id) == (world.region, world.administrator.pk)
    assert "Reason" in _said(chen.get(f"/users/roles/{held.pk}/end/"))
    end = {"last_day": TODAY, "reason": "moved to the bureau"}
    chen.post(f"/users/roles/{held.pk}/end/", end)
    assert may(clerk, "figures.trace", world.areas["990102"])  # to the end of the day
    held.refresh_from_db()
    assert (held.ends_before, held.ended_by_id, held.end_reason) == (
        TODAY + timedelta(days=1),
        world.administrator.pk,
        "moved to the bureau",
    )
    assert "Administrator: moved to the bureau" in _said(chen.get(page))  # who ended it
    assert "access.already_ended" in _said(chen.post(f"/users/roles/{held.pk}/end/", end))


def test_what_is_refused(world: Any) -> None:
    chen, own = _client(world.administrator), world.administrator
    for wrong, words in (
        ({"area": "770000"}, "No area has this code"),
        ({"username": "clerk"}, "access.name_refused"),
        ({"username": "Clerk"}, "access.name_refused"),
        ({"username": "two words"}, "access.name_refused"),
        ({"full_name": " "}, "required"),
    ):
        answer = chen.post("/users/add/", _new(**wrong))
        assert words in _said(answer), wrong
        assert answer.status_code >= 400
    assert not User.objects.filter(full_name="Meng Xia").exists()
    asked = granting.give_role(
        own, user=world.clerk, role=Role.AUDITOR, area_id=world.region, starts_on=date(2008, 1, 1)
    )
    late = _client(world.approver).post(f"/users/waiting/{asked.pk}/", {"do": "confirm"})
    assert (late.status_code, "cannot count from 2008-01-01" in _said(late)) == (409, True)
    assert "access.own_roles" in _said(
        chen.post(f"/users/{own.pk}/role/", {"role": "statistician", "area": "99", "starts_on": TODAY})
    )
    mine = Grant.objects.get(user=own)
    assert "access.own_roles" in _said(
        chen.post(f"/users/roles/{mine.pk}/end/", {"last_day": TODAY, "reason": "tired"})
    )
    for stranger in (world.clerk, world.regional, world.auditor):
        client = _client(stranger)
        for address in (
            "/users/",
            "/users/add/",
            f"/users/{own.pk}/",
            f"/users/{own.pk}/role/",
            f"/users/roles/{mine.pk}/end/",
        ):
            assert client.get(address).status_code == 403, address
        assert client.post("/users/add/", _new()).status_code == 403


def test_an_administrator_of_a_county_looks_after_its_people_alone(world: Any) -> None:
    client = _client(_local(world))
    assert {p.user.username for p in client.get("/users/").context["people"]} == {
        "clerk",
        "treasurer",
        "township",
        "local",
    }
    assert client.get(f"/users/{world.other_clerk.pk}/").status_code == 404
    assert client.get(f"/users/{world.other_clerk.pk}/").status_code == client.get("/users/999999/").status_code
    theirs = Grant.objects.get(user=world.other_clerk)
    assert client.get(f"/users/roles/{theirs.pk}/end/").status_code == 404
    refused = client.post("/users/add/", _new(area="990102"))
    assert (refused.status_code, "not among those you look after" in _said(refused)) == (422, True)
    assert not User.objects.filter(username="meng").exists()
    assert client.post("/users/add/", _new(role="auditor")).status_code == 200
    assert GrantProposal.objects.get(user__username="meng").area_id == world.areas["990101"]


def _may_sign_in(user: User) -> None:
    user.set_password(OWN)
    user.save()


_END = (
    "UPDATE access_grant SET ends_before = current_date, counts_before = current_date, ended_at = now(), "
    "ended_by_id = 1 WHERE id = %s"
)
_VOID = (
    "UPDATE access_grant SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = "
    "current_date WHERE id = %s"
)
_LEAVE = "UPDATE access_user SET is_active = false WHERE id = %s"
_LOCK_OUT = "UPDATE access_user SET password = '!' WHERE id = %s"


def test_the_last_administrator_stays(committed_world: Any, app_connection: Any) -> None:
    world = committed_world
    _may_sign_in(world.administrator)
    second = _local(world, "second", "99")
    first_grant, second_grant = Grant.objects.get(user=world.administrator), Grant.objects.get(user=second)
    granting.end_role(second, grant=first_grant, ends_before=TODAY + timedelta(days=30), reason="leaves next month")
    answer = _client(world.administrator).post(
        f"/users/roles/{second_grant.pk}/end/", {"last_day": TODAY, "reason": "me too"}
    )
    assert "left without an administrator" in _said(answer)
    second_grant.refresh_from_db()
    assert second_grant.ends_before is None
    for attack, row in ((_END, second_grant.pk), (_VOID, second_grant.pk), (_LEAVE, second.pk), (_LOCK_OUT, second.pk)):
        raw = app_connection()
        with pytest.raises(psycopg.Error) as no:
            raw.execute(attack, [row])
        assert no.value.sqlstate == "KZ092", attack
    app_connection().execute(_LEAVE, [world.clerk.pk])  # who is no administrator may go
    raw = app_connection()
    raw.execute("SET default_transaction_isolation = 'repeatable read'")
    raw.commit()
    with pytest.raises(psycopg.Error) as no:
        raw.execute(_LEAVE, [second.pk])
    assert no.value.sqlstate == "KZ003"


def test_an_administrator_who_cannot_take_over_does_not_count(committed_world: Any, app_connection: Any) -> None:
    world = committed_world
    _may_sign_in(world.administrator)
    first = Grant.objects.get(user=world.administrator).pk
    heir = _local(world, "heir", "99")
    SignInEvent.objects.create(
        user=heir, what="given", until=timezone.now() + timedelta(days=7), by_id=world.administrator.pk
    )
    late = access.add_user(username="late", full_name="Late", password=OWN)
    access.grant_role(
        None, user=late, role=Role.ADMINISTRATOR, area_id=world.region, starts_on=TODAY + timedelta(days=9)
    )
    gone = _local(world, "gone", "99")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    shut = access.add_user(username="shut", full_name="Shut", password=None)
    access.grant_role(None, user=shut, role=Role.ADMINISTRATOR, area_id=world.region, starts_on=TODAY)
    for attack, row in ((_END, first), (_LEAVE, world.administrator.pk)):
        with pytest.raises(psycopg.Error) as no:
            app_connection().execute(attack, [row])
        assert no.value.sqlstate == "KZ092"
    access.choose_password(heir, OWN)
    raw = app_connection()
    raw.execute(_END, [first])
    raw.commit()


@pytest.mark.parametrize("how", [_END, _LEAVE])
def test_two_administrators_do_not_end_each_other_at_once(committed_world: Any, app_connection: Any, how: str) -> None:
    world = committed_world
    _may_sign_in(world.administrator)
    second = _local(world, "second", "99")
    rows = [Grant.objects.get(user=u).pk if how == _END else u.pk for u in (world.administrator, second)]
    one, other = app_connection(), app_connection()
    one.execute(how, [rows[0]])
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(other.execute, how, [rows[1]])
        with pytest.raises(TimeoutError):  # it waits for the first
            later.result(timeout=0.5)
        one.commit()
        with pytest.raises(psycopg.Error) as no:
            later.result(timeout=10)
    assert no.value.sqlstate == "KZ092"
