"""Signing in with the lock-out, the content policy and the second factor; signing up is closed."""

import re
from typing import Any

import pytest

from tests.browser.conftest import PASSWORD

pytestmark = pytest.mark.browser


def _fill(page: Any, site: str, name: str, password: str) -> None:
    page.goto(f"{site}/account/login/")
    page.get_by_label("Sign-in name").fill(name)
    page.get_by_label("Password").fill(password)
    page.locator("main").get_by_role("button", name="Sign in").click()


def test_signs_in_and_out(site: str, page: Any, committed_world: Any, shot: Any) -> None:
    committed_world.clerk.set_password(PASSWORD)
    committed_world.clerk.save()
    page.goto(f"{site}/places/")
    assert "/account/login/" in page.url
    shot(page, "sign-in")
    _fill(page, site, "clerk", "wrong-password-of-someone")
    assert page.get_by_role("alert").is_visible()
    _fill(page, site, "clerk", PASSWORD)
    page.get_by_role("heading", name="Good day, Clerk").wait_for()
    shot(page, "home")
    page.goto(f"{site}/account/")
    shot(page, "account")
    for address in ("/account/2fa/", "/account/password/change/", "/account/2fa/totp/activate/"):
        assert page.goto(site + address).status == 200, address
        assert page.locator("header.navbar").is_visible()
        shot(page, "account" + address.replace("/", "-"))
    page.goto(site)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").wait_for()


def test_locks_out_after_many_tries(site: str, page: Any, committed_world: Any) -> None:
    committed_world.clerk.set_password(PASSWORD)
    committed_world.clerk.save()
    for _ in range(8):
        _fill(page, site, "clerk", "wrong-password-of-someone")
    _fill(page, site, "clerk", PASSWORD)
    page.get_by_text(re.compile("locked", re.IGNORECASE)).first.wait_for()
    assert "Good day" not in page.content()


def test_nobody_signs_themselves_up(site: str, page: Any) -> None:
    page.goto(f"{site}/account/signup/")
    assert page.locator("input[name=password1]").count() == 0
