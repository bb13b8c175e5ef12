"""A real browser against the site, served by a thread over the test's own database."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.test.testcases import LiveServerThread, _StaticFilesHandler

from karez.access.models import User

CHROMIUM = (
    "/usr/bin/chromium-headless-shell"  # the whole browser needs a second for each window, this one a fifth of it
)
PASSWORD = "well-kept-demo-password"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; without Debian's chromium the test is skipped, or fails where browsers are required."""
    if not shutil.which(CHROMIUM):
        say = "Debian's chromium-headless-shell is not installed: `make browser` (as root) installs it"
        (pytest.fail if os.environ.get("KAREZ_BROWSER_REQUIRED") == "1" else pytest.skip)(say)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright keeps an event loop in this thread
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--headless"])
        yield browser
        browser.close()


@pytest.fixture
def site(committed_world: Any) -> Iterator[str]:
    """The address of the site over the test's own cloned database."""
    thread = LiveServerThread("localhost", _StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://{thread.host}:{thread.port}"
    thread.terminate()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A fresh window; what the console or the content policy complains of fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", reduced_motion="reduce")
    made = context.new_page()
    made.set_default_timeout(10_000)
    complaints: list[str] = []
    made.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    serious = [c for c in complaints if "status of 4" not in c]
    assert not serious, serious


@pytest.fixture
def sign_in(site: str) -> Callable[[Any, User], None]:
    """Puts a session of a user into a window, without the sign-in page (which has a test of its own)."""

    def put(page: Any, user: User) -> None:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        page.context.clear_cookies()
        page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])

    return put


@pytest.fixture
def shot() -> Callable[[Any, str], None]:
    """Keeps a picture of the window where KAREZ_SCREENSHOTS names a folder."""
    folder = os.environ.get("KAREZ_SCREENSHOTS")

    def take(page: Any, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    return take
