"""Guesses of passwords and codes are limited by account and by address, however the name is written and wherever it
comes from.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from karez.access import guessing, services
from karez.access.models import Guess, User, UsualPlace

OWN = "a-password-of-my-own-27"
WRONG = "not-the-password-of-anybody"


@pytest.fixture
def person(db: None) -> User:
    return services.add_user(username="clerk", full_name="Clerk", password=OWN)


def _enter(name: str, password: str, address: str = "192.0.2.1", **more: Any) -> Client:
    client = Client(REMOTE_ADDR=address, **more)
    client.last = client.post("/account/login/", {"login": name, "password": password})  # type: ignore[attr-defined]
    return client


def _is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_name_is_one_however_it_is_written(person: User) -> None:
    names = ["clerk", "CLERK", " clerk ", "ｃｌｅｒｋ", "Ｃlerk\u3000", "\u200bclerk", "cLERK\t", "\u00a0clerk"]
    assert len(names) == settings.AXES_FAILURE_LIMIT
    for name in names:
        assert not _is_in(_enter(name, WRONG))
    assert not _is_in(_enter("clerk", OWN)), "locked at this address"
    assert _is_in(_enter("Ｃlerk", OWN, "192.0.2.2")), "and nowhere else"


def test_forged_headers_do_not_help(person: User) -> None:
    for n in range(settings.AXES_FAILURE_LIMIT):
        _enter("clerk", WRONG, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}", HTTP_X_REAL_IP=f"198.51.100.{n}")
    assert not _is_in(_enter("clerk", OWN, HTTP_X_FORWARDED_FOR="198.51.100.99"))
    assert _is_in(_enter("clerk", OWN, "192.0.2.2"))


def test_behind_our_proxy_each_has_their_own_address(person: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = guessing_proxies()
    for n in range(settings.AXES_FAILURE_LIMIT):
        _enter("clerk", WRONG, "127.0.0.1", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 203.0.113.5")
    assert not _is_in(_enter("clerk", OWN, "127.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.5"))
    assert _is_in(_enter("clerk", OWN, "127.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.6"))


def guessing_proxies() -> Any:
    """The loopback, as behind a proxy on the same machine."""
    from karez.kernel.addresses import networks

    return networks("127.0.0.1")


def _fill(tries: Any, most: int) -> list[bool]:
    return [tries().allowed for _ in range(most + 1)]


def test_an_account_is_guessed_at_from_everywhere_only_so_often(person: User) -> None:
    most = guessing.PASSWORDS_OF_ACCOUNT.wrong
    found = [guessing.password_tries("ＣLERK ", f"192.0.2.{n}").allowed for n in range(most + 1)]
    assert found == [True] * most + [False]
    locked = _enter("clerk", OWN, "198.51.100.1")
    assert not _is_in(locked)
    assert "Too many failed login attempts" in locked.last.content.decode()  # type: ignore[attr-defined]
    other = services.add_user(username="other", full_name="Other", password=OWN)
    assert _is_in(_enter(other.username, OWN, "198.51.100.1"))


def test_an_address_guesses_at_everybody_only_so_often(person: User) -> None:
    most = guessing.PASSWORDS_OF_ADDRESS.wrong
    assert [guessing.password_tries(f"name{n}", "2001:db8:1:2::").allowed for n in range(most + 1)] == [True] * most + [
        False
    ]
    assert not _is_in(_enter("clerk", OWN, "2001:db8:1:2:ffff::1")), "the same network"
    assert _is_in(_enter("clerk", OWN, "2001:db8:1:3::1"))


def test_a_right_password_is_no_guess_and_forgives_none(person: User) -> None:
    for _ in range(3):
        _enter("clerk", WRONG)
    before = sorted(Guess.objects.values_list("wrong", flat=True))
    for _ in range(5):
        assert _is_in(_enter("clerk", OWN))
    assert sorted(Guess.objects.values_list("wrong", flat=True)) == before == [3, 3]
    assert not any(
        "192" in digest or "clerk" in digest for digest in Guess.objects.values_list("who_digest", flat=True)
    )


def test_many_at_once_find_no_gap(committed_db: str) -> None:
    user = services.add_user(username="clerk", full_name="Clerk", password=None)

    def try_once(_n: int) -> bool:
        try:
            return guessing.code_tries(user).allowed
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(try_once, range(16))) == guessing.CODES[0].wrong


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_codes_of_the_second_factor_are_limited_by_account(
    person: User, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()  # half a minute may end in between, and with it the code
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time", SimpleNamespace(time=lambda: now))
    totp = TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    recovery = RecoveryCodes.activate(person)
    secret = get_adapter().decrypt(totp.instance.data["secret"])
    right = (
        recovery.get_unused_codes()[0]
        if kind == "recovery"
        else format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    )
    wrong = "00000000" if kind == "recovery" else f"{(int(right) + 7) % 1_000_000:06d}"
    for n in range(guessing.CODES[0].wrong):  # each in a session and from an address of its own
        client = _enter("clerk", OWN, f"192.0.2.{n}")
        assert client.last["Location"].startswith("/account/2fa/authenticate/")  # type: ignore[attr-defined]
        assert not _is_in(client)
        client.post("/account/2fa/authenticate/", {"code": wrong})
        assert not _is_in(client)
    client = _enter("clerk", OWN, "198.51.100.1")
    refused = client.post("/account/2fa/authenticate/", {"code": right})
    assert "Too many failed login attempts" in refused.content.decode()
    assert not _is_in(client)
    Guess.objects.all().delete()  # the window is over
    client = _enter("clerk", OWN, "198.51.100.1")
    client.post("/account/2fa/authenticate/", {"code": right})
    assert _is_in(client)
    assert Authenticator.objects.filter(user=person).count() == 2


def test_the_present_password_is_not_guessed_from_a_session_left_open(person: User) -> None:
    client = _enter("clerk", OWN)
    for _ in range(guessing.PASSWORDS_OF_ACCOUNT.wrong):
        guessing.password_tries("clerk", "")
    new = "another-password-of-mine-28"
    client.post("/account/password/change/", {"oldpassword": OWN, "password1": new, "password2": new})
    person.refresh_from_db()
    assert person.check_password(OWN)


def test_guesses_from_elsewhere_do_not_keep_the_owner_out_and_are_bounded_there_too(person: User) -> None:
    assert _is_in(_enter("clerk", OWN, "2001:db8:1:2::7"))
    for n in range(guessing.PASSWORDS_OF_ACCOUNT.wrong + 1):
        guessing.password_tries("clerk", f"192.0.2.{n}")
    assert not _is_in(_enter("clerk", OWN, "198.51.100.1")), "closed where the owner never was"
    signed_in = _enter("Clerk", OWN, "2001:db8:1:2::8")
    assert _is_in(signed_in), "and open at their place"
    new = "another-password-of-mine-28"
    signed_in.post("/account/password/change/", {"oldpassword": OWN, "password1": new, "password2": new})
    person.refresh_from_db()
    assert person.check_password(new), "where the present password can still be changed"
    limit = guessing.PASSWORDS_AT_PLACE.wrong
    found = [guessing.password_tries("clerk", "2001:db8:1:2::").allowed for _ in range(limit + 1)]
    assert found == [True] * limit + [False]
    assert not _is_in(_enter("clerk", new, "2001:db8:1:2::7"))
    assert not any(
        "2001" in place.who_digest or str(person.pk) == place.who_digest for place in UsualPlace.objects.all()
    )
    UsualPlace.objects.update(until=timezone.now())
    Guess.objects.all().delete()
    guessing.password_tries("clerk", "2001:db8:1:2::").give_back()
    assert UsualPlace.objects.count() == 1


def test_an_address_over_its_limit_leaves_no_row_for_invented_names(person: User) -> None:
    most = guessing.PASSWORDS_OF_ADDRESS.wrong
    for n in range(most):
        guessing.password_tries(f"name{n}", "192.0.2.1")
    before = Guess.objects.count()
    assert not any(guessing.password_tries(f"invented{n}", "192.0.2.1").allowed for n in range(5))
    assert not guessing.password_tries("clerk", "192.0.2.1").allowed
    assert Guess.objects.count() == before == most + 1
    assert guessing.password_tries("clerk", "192.0.2.2").allowed
