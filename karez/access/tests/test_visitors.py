"""Whose address a request has, behind proxies and without; names of the site; and sessions left alone."""

import time
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from karez.access.visitors import VisitorMiddleware
from karez.kernel import addresses
from karez.kernel.refusal import Refusal
from karez.system import reached

PROXIES = addresses.networks("127.0.0.0/8 , ::1，10.2.0.0/16")


@pytest.mark.parametrize(
    ("peer", "told", "is_"),
    [
        ("192.0.2.9", "", "192.0.2.9"),
        ("192.0.2.9", "10.0.0.1", "192.0.2.9"),  # who is no proxy claims nothing
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "10.0.0.1, 198.51.100.7", "198.51.100.7"),  # before the last is the caller's own word
        ("127.0.0.1", "198.51.100.7, 10.2.3.4", "198.51.100.7"),  # two proxies of ours
        ("127.0.0.1", "6.6.6.6, 198.51.100.7, 10.2.3.4", "198.51.100.7"),
        ("127.0.0.1", "10.2.0.9, 10.2.3.4", "10.2.0.9"),
        ("127.0.0.1", "nonsense, 10.2.3.4", "10.2.3.4"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("::1", '"[2001:db8:1:2:aaaa::1]:80"', "2001:db8:1:2:aaaa::1"),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("", "198.51.100.7", ""),
    ],
)
def test_whose_address_it_is(peer: str, told: str, is_: str) -> None:
    assert addresses.client_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}, PROXIES) == is_


def test_one_household_is_one_address() -> None:
    assert {addresses.office_of(f"2001:db8:1:2:{n}::1") for n in "123"} == {"2001:db8:1:2::"}
    assert addresses.office_of("192.0.2.9") == "192.0.2.9"


def test_everybody_reads_the_same_address(rf: Any, settings: Any) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    seen: list[dict[str, Any]] = []
    pass_on = VisitorMiddleware(lambda request: seen.append(dict(request.META)))  # type: ignore[arg-type,return-value,func-returns-value]
    claims = {
        "HTTP_X_FORWARDED_FOR": "6.6.6.6, 198.51.100.7",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_REAL_IP": "6.6.6.6",
        "HTTP_FORWARDED": "for=6.6.6.6",
    }
    for peer in ("127.0.0.1", "192.0.2.9"):
        pass_on(rf.get("/", REMOTE_ADDR=peer, **claims))
    ours, strangers = seen
    assert (ours["REMOTE_ADDR"], strangers["REMOTE_ADDR"]) == ("198.51.100.7", "192.0.2.9")
    assert (ours.get("HTTP_X_FORWARDED_PROTO"), strangers.get("HTTP_X_FORWARDED_PROTO")) == ("https", None)
    for name in set(claims) - {"HTTP_X_FORWARDED_PROTO"}:
        assert name not in ours, name
        assert name not in strangers, name


def test_the_names_of_the_site() -> None:
    told = " karez.example.org , KAREZ-2.example.org:8443，[::1]:8000,, .office.example.org *"
    assert addresses.hosts(told) == ["karez.example.org", "karez-2.example.org", "[::1]", ".office.example.org", "*"]
    assert addresses.origins(told)[:2] == ["https://karez.example.org", "https://karez-2.example.org:8443"]
    assert "https://*.office.example.org" in addresses.origins(told)
    assert not any(origin.endswith("/*") for origin in addresses.origins(told))


def test_a_setting_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAREZ_TLS", "yes")
    assert reached.behind_tls()
    assert any(str(network) == "127.0.0.0/8" for network in reached.proxies())
    monkeypatch.setenv("KAREZ_TLS", "0")
    monkeypatch.delenv("KAREZ_TRUSTED_PROXIES", raising=False)
    assert reached.proxies() == ()
    for name, wrong, ask in (
        ("KAREZ_TLS", "maybe", reached.behind_tls),
        ("KAREZ_TRUSTED_PROXIES", "127.0.0.1, proxy.local", reached.proxies),
    ):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(Refusal) as no:
            ask()
        assert (no.value.code, no.value.record) == ("host.setting", name)
        monkeypatch.delenv(name)


def _at(client: Client, moment: float, monkeypatch: pytest.MonkeyPatch, address: str = "/places/", **more: Any) -> Any:
    monkeypatch.setattr("karez.access.idle.time.time", lambda: moment)
    return client.get(address, **more)


def test_a_session_left_alone_ends(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, begun, idle = Client(), time.time(), settings.SESSION_IDLE_SECONDS
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert _at(client, begun, monkeypatch).status_code == 200
    assert _at(client, begun + idle - 5, monkeypatch).status_code == 200
    assert _at(client, begun + 2 * idle - 70, monkeypatch).status_code == 200  # used meanwhile
    away = _at(client, begun + 4 * idle, monkeypatch, "/places/?q=a%20b")
    assert away["Location"] == "/account/login/?next=%2Fplaces%2F%3Fq%3Da%2520b"
    assert "after a time without use" in client.get(away["Location"]).content.decode()
    assert client.get("/places/").status_code == 302


def test_a_page_that_asks_by_itself_keeps_no_session_open(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, begun, idle = Client(), time.time(), settings.SESSION_IDLE_SECONDS
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    _at(client, begun, monkeypatch)
    page = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://testserver/files/7/"}
    assert _at(client, begun + idle - 5, monkeypatch, **page).status_code == 200
    ended = _at(client, begun + idle + 5, monkeypatch, **page)
    assert (ended.status_code, ended["HX-Redirect"]) == (204, "/account/login/?next=%2Ffiles%2F7%2F")


def test_no_session_lasts_over_a_day_of_work(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, begun, hours = Client(), time.time(), settings.SESSION_COOKIE_AGE // 3600
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    asked = [_at(client, begun + 1200 * n, monkeypatch).status_code for n in range(3 * hours + 2)]
    assert asked == [200] * (3 * hours + 1) + [302]
