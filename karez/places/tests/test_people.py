"""People and roles on their pages: who sees whom, what is given and ended, the first sign-in, and what stays impossible."""

import re
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.utils import timezone

from karez.access import services as access
from karez.access.models import Grant, Role, SignInEvent, User
from karez.kernel.refusal import Refusal
from karez.places import granting
from karez.places.queries import may

TODAY = date.today()


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _said(answer: Any) -> str:
    return str(answer.content.decode())


def _new(**more: Any) -> dict[str, Any]:
    return {"username": "meng", "full_name": "Meng Xia", "language": "en", "role": "treasurer", "area": "990101", "starts_on": TODAY} | more


def _given(answer: Any) -> str:
    found = re.search(r'id="given">([a-z0-9-]+)<', _said(answer))
    assert found
    return found[1]


def _enter(password: str, name: str = "meng") -> Client:
    client = Client()
    client.post("/account/login/", {"login": name, "password": password})
    return client


def test_a_person_is_added_and_chooses_a_password(world: Any) -> None:
    chen = _client(world.administrator)
    answer = chen.post("/users/add/", _new())
    assert answer["Cache-Control"] == "no-store"
    password = _given(answer)
    user = User.objects.get(username="meng")
    assert may(user, "ledger.prepare", world.areas["990101"])
    assert password not in _said(chen.get(f"/users/{user.pk}/"))
    assert "Treasurer" in _said(chen.get("/users/")) or "treasurer" in _said(chen.get("/users/"))
    client = _enter(password)
    for address in ("/", "/places/", "/ledger/", "/users/", "/account/2fa/"):
        assert client.get(address)["Location"] == "/account/password/change/", address
    own = "a-password-of-my-own-27"
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


def test_a_given_password_ends(world: Any) -> None:
    chen = _client(world.administrator)
    old = _given(chen.post("/users/add/", _new()))
    user = User.objects.get(username="meng")
    SignInEvent.objects.create(user=user, what="given", until=timezone.now() - timedelta(minutes=1), by_id=world.administrator.pk)
    client = _enter(old)
    assert client.get("/")["Location"] == "/account/login/"
    assert "_auth_user_id" not in client.session
    fresh = _given(chen.post(f"/users/{user.pk}/renew/"))
    assert "_auth_user_id" not in _enter(old).session
    assert _enter(fresh).get("/")["Location"] == "/account/password/change/"


def test_roles_are_given_and_ended_with_days_and_stay_on_the_page(world: Any) -> None:
    chen, clerk = _client(world.administrator), world.clerk
    page = f"/users/{clerk.pk}/"
    assert "Administrator" in _said(chen.get(f"{page}role/"))  # told as excluded
    role = {"role": "statistician", "area": "99", "starts_on": TODAY}
    assert "The role is given." in _said(chen.post(f"{page}role/", role, follow=True))
    assert "access.already_given" in _said(chen.post(f"{page}role/", role))
    assert "access.incompatible_roles" in _said(chen.post(f"{page}role/", {**role, "role": "administrator"}))
    held = Grant.objects.get(user=clerk, role="statistician")
    assert "Reason" in _said(chen.get(f"/users/roles/{held.pk}/end/"))
    end = {"last_day": TODAY, "reason": "moved to the bureau"}
    chen.post(f"/users/roles/{held.pk}/end/", end)
    assert may(clerk, "returns.submit", world.areas["990102"])  # to the end of the day
    said = _said(chen.get(page))
    assert "moved to the bureau" in said
    assert "Administrator" in said  # who gave and who ended it
    assert "access.already_ended" in _said(chen.post(f"/users/roles/{held.pk}/end/", end))


def test_what_is_refused(world: Any) -> None:
    chen, own = _client(world.administrator), world.administrator
    for wrong, words in (
        ({"area": "770000"}, "No area has this code"),
        ({"username": "clerk"}, "access.name_refused"),
        ({"username": "two words"}, "access.name_refused"),
        ({"full_name": " "}, "required"),
        ({"starts_on": "2008-01-01"}, "cannot count from 2008-01-01"),
    ):
        answer = chen.post("/users/add/", _new(**wrong))
        assert words in _said(answer), wrong
        assert answer.status_code >= 400
    assert not User.objects.filter(full_name="Meng Xia").exists()
    assert "access.own_roles" in _said(chen.post(f"/users/{own.pk}/role/", {"role": "statistician", "area": "99", "starts_on": TODAY}))
    mine = Grant.objects.get(user=own)
    assert "access.own_roles" in _said(chen.post(f"/users/roles/{mine.pk}/end/", {"last_day": TODAY, "reason": "tired"}))
    for stranger in (world.clerk, world.regional, world.auditor):
        client = _client(stranger)
        for address in ("/users/", "/users/add/", f"/users/{own.pk}/", f"/users/{own.pk}/role/", f"/users/roles/{mine.pk}/end/"):
            assert client.get(address).status_code == 403, address
        assert client.post("/users/add/", _new()).status_code == 403


def test_an_administrator_of_a_county_looks_after_its_people_alone(world: Any) -> None:
    local = access.add_user(username="local", full_name="Local Admin", password=None)
    granting.give_role(world.administrator, user=local, role=Role.ADMINISTRATOR, area_id=world.areas["990101"], starts_on=TODAY)
    client = _client(local)
    said = _said(client.get("/users/"))
    assert "clerk" in said
    assert "other_clerk" not in said
    assert "approver" not in said
    assert client.get(f"/users/{world.other_clerk.pk}/").status_code == 404
    assert client.get(f"/users/{world.other_clerk.pk}/").status_code == client.get("/users/999999/").status_code
    theirs = Grant.objects.get(user=world.other_clerk)
    assert client.get(f"/users/roles/{theirs.pk}/end/").status_code == 404
    assert "not among those you look after" in _said(client.post("/users/add/", _new(area="990102")))
    assert "Meng Xia" in _said(client.post("/users/add/", _new()))


def test_the_last_administrator_stays(committed_world: Any, app_connection: Any) -> None:
    world = committed_world
    second = access.add_user(username="second", full_name="Second", password=None)
    granting.give_role(world.administrator, user=second, role=Role.ADMINISTRATOR, area_id=world.region, starts_on=TODAY)
    first_grant, second_grant = Grant.objects.get(user=world.administrator), Grant.objects.get(user=second)
    granting.end_role(second, grant=first_grant, ends_before=TODAY + timedelta(days=30), reason="leaves next month")
    said = _said(_client(world.administrator).post(f"/users/roles/{second_grant.pk}/end/", {"last_day": TODAY, "reason": "me too"}))
    assert "left without an administrator" in said
    second_grant.refresh_from_db()
    assert second_grant.ends_before is None
    for attack in (
        "UPDATE access_grant SET ends_before = current_date, counts_before = current_date, ended_at = now(), ended_by_id = 1 WHERE id = %s",
        "UPDATE access_grant SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = current_date WHERE id = %s",
    ):
        raw = app_connection()
        with pytest.raises(psycopg.Error) as no:
            raw.execute(attack, [second_grant.pk])
        assert no.value.sqlstate == "KZ092"
