"""Chapter and trace as the web server serves them, against an empty page behind the same sign-in and middleware.

The server is the product's own (granian, one worker); four readers who are signed in ask one page after the other over
kept connections. Pages are asked for in turn, and ratios are taken pair by pair. The empty page has the site's frame,
with the menu of who is signed in, and nothing in it; beside it stands, for information, an answer of one letter without
any page.
"""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

READERS = 4
PAGES = {
    "chapter, English": ("/yearbook/64/2009/", "en"),
    "chapter, Chinese": ("/yearbook/64/2009/", "zh-hans"),
    "trace of money with its vouchers": ("/yearbook/64/2009/mutual_funds.capital_total/", "en"),
    "trace of a count": ("/yearbook/64/2009/mutual_funds.villages_total/", "en"),
}
EMPTY, BARE = ("/empty/", "en"), ("/bare/", "en")
READERS_OF = {"zhao": "the region", "li": "one county"}


def run(rounds: int = 5, seconds: float = 4.0) -> list[dict[str, object]]:
    """One line a page: requests a second, those of the empty page, the ratio, and whether it is at least 0.55."""
    cookies = _loaded()
    port = _free_port()
    server = _serve(port)
    try:
        rates: dict[tuple[str, str], list[float]] = {}
        asked = {"bare": BARE, "empty": EMPTY, **PAGES}
        for cookie in cookies.values():
            for page in asked.values():
                _rate(port, cookie, *page, 1.0)  # the first reader of a page waits for its answers to be worked out
        for _ in range(rounds):
            for who, cookie in cookies.items():
                for name, page in asked.items():
                    rates.setdefault((who, name), []).append(_rate(port, cookie, *page, seconds))
    finally:
        server.terminate()
        server.wait()
    return [_line(who, name, rates) for who in cookies for name in PAGES]


def _line(who: str, name: str, rates: dict[tuple[str, str], list[float]]) -> dict[str, object]:
    mine, empty, bare = rates[who, name], rates[who, "empty"], rates[who, "bare"]
    ratio = statistics.median(a / b for a, b in zip(mine, empty, strict=True))
    to_bare = statistics.median(a / b for a, b in zip(mine, bare, strict=True))
    return {
        "what": name,
        "size": f"reference year, {READERS} readers of {READERS_OF[who]}",
        "karez": f"{statistics.median(mine):,.0f}/s",
        "an empty page": f"{statistics.median(empty):,.0f}/s",
        "ratio": f"{ratio:.2f}",
        "asked": "at least 0.55",
        "met": ratio >= 0.55,
        "one letter, no page": f"{statistics.median(bare):,.0f}/s ({to_bare:.2f})",
    }


def _loaded() -> dict[str, str]:
    """Sessions of a signed-in officer of the region and one of a county, on the reference year loaded by the demo's own
    steps.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.pages_settings"
    import django

    django.setup()
    from karez.closing import snapshots
    from karez.host import install

    install.bring_up()
    if not snapshots.existing(kind="sealed"):
        from karez.cli import demo

        demo.run()
    from django.test import Client

    from karez.access.models import User

    found = {}
    for name in READERS_OF:
        client = Client()
        client.force_login(
            User.objects.get(username=name), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        found[name] = client.cookies["sessionid"].value
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(port: int) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--workers", "1", "--blocking-threads", "4", "--no-ws", "--no-log", "karez.wsgi:application"]
    server = subprocess.Popen(words, env=os.environ)
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.1)
    raise RuntimeError("the server did not come up")


def _rate(port: int, cookie: str, address: str, language: str, seconds: float) -> float:
    """Whole answers a second; anything but 200 with a body ends the measurement."""
    until = time.perf_counter() + seconds

    def read(_: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Cookie": f"sessionid={cookie}; django_language={language}"}
        done = 0
        while time.perf_counter() < until:
            connection.request("GET", address, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or not body:
                raise RuntimeError(f"{address} answered {answer.status}")
            done += 1
        connection.close()
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(READERS) as readers:
        total = sum(readers.map(read, range(READERS)))
    return total / (time.perf_counter() - began)
