"""A site under attack: forty readers of chapter and trace, measured without and with everything hostile at once.

The site is a real `karez serve` on the reference year. The attackers (`bench.attackers`, in a process of their own)
drip bodies and heads, push large bodies, send hostile workbooks to the proofreader from ever new addresses, and read as
slowly as they can. Asked: `/healthy/` within a second for 99 of 100, and readers who wait at most three times as long
(95 of 100) as without the attack.
"""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp

from bench import attackers
from bench.pages import PAGES, _free_port, _loaded

READERS = 40
HEALTHY_SECONDS, SLOWER = 1.0, 3.0


def run(seconds: float = 20.0) -> list[dict[str, object]]:
    """One line for health and one for the readers; raises where a floor is missed."""
    cookie = _loaded()["zhao"]
    port = _free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "karez.settings",
        "KAREZ_TRUSTED_PROXIES": "127.0.0.1",
        "KAREZ_LOG": "ERROR",
    }
    site = subprocess.Popen(
        [sys.executable, "-m", "karez", "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        asyncio.run(_measured(port, cookie, 5.0))  # the first reader of a page waits for its answers to be worked out
        calm, calm_health = asyncio.run(_measured(port, cookie, seconds))
        attack = multiprocessing.get_context("spawn").Process(target=attackers.main, args=(port, cookie), daemon=True)
        attack.start()
        time.sleep(5)  # until they are all at it
        hard, hard_health = asyncio.run(_measured(port, cookie, seconds))
        if not attack.is_alive():
            raise RuntimeError("the attackers ended")
        attack.terminate()
        attack.join()
    finally:
        site.terminate()
        site.wait()
    return _judged(calm, hard, calm_health, hard_health)


def _judged(
    calm: list[float], hard: list[float], calm_health: list[float], hard_health: list[float]
) -> list[dict[str, object]]:
    ratio = _share(hard, 0.95) / _share(calm, 0.95)
    health = _share(hard_health, 0.99)
    rows: list[dict[str, object]] = [
        {
            "what": "/healthy/, 99 of 100",
            "size": f"{len(hard_health)} asked",
            "without attack": f"{1000 * _share(calm_health, 0.99):.0f} ms",
            "under attack": f"{1000 * health:.0f} ms",
            "asked": f"under {HEALTHY_SECONDS:.0f} s",
            "met": health < HEALTHY_SECONDS,
        },
        {
            "what": f"{READERS} readers of chapter and trace, 95 of 100",
            "size": f"{len(calm)} and {len(hard)} pages",
            "without attack": f"{1000 * _share(calm, 0.95):.0f} ms",
            "under attack": f"{1000 * _share(hard, 0.95):.0f} ms",
            "ratio": f"{ratio:.2f}",
            "asked": f"at most {SLOWER:.0f}",
            "met": ratio <= SLOWER,
        },
    ]
    if not all(row["met"] for row in rows):
        from bench.__main__ import print_rows

        print_rows(rows)
        raise RuntimeError("a site under attack does not do what is asked of it")
    return rows


def _share(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


async def _measured(port: int, cookie: str, seconds: float) -> tuple[list[float], list[float]]:
    """Seconds of every page of every reader, and of every question for health."""
    until = time.perf_counter() + seconds
    pages: list[float] = []
    health: list[float] = []
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        connector=aiohttp.TCPConnector(limit=0),
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:

        async def reader(number: int) -> None:
            asked = list(PAGES.values())
            while time.perf_counter() < until:
                address, language = asked[number % len(asked)]
                number += 1
                headers = {
                    "Cookie": f"sessionid={cookie}; django_language={language}",
                    "X-Forwarded-For": f"10.9.0.{number % 200}",
                }
                pages.append(await _timed(lambda address=address, headers=headers: _read(session, address, headers)))

        async def watcher() -> None:
            while time.perf_counter() < until:
                health.append(await _timed(lambda: _read(session, "/healthy/", {"Connection": "close"})))
                await asyncio.sleep(0.05)

        await asyncio.gather(watcher(), *(reader(number) for number in range(READERS)))
    return pages, health


async def _timed(do: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await do()
    return time.perf_counter() - began


async def _read(session: aiohttp.ClientSession, address: str, headers: dict[str, str]) -> None:
    async with session.get(address, headers=headers, allow_redirects=False) as answer:
        body = await answer.read()
        if answer.status != 200 or not body:
            raise RuntimeError(f"{address} answered {answer.status}")


def _wait_for(port: int) -> None:
    import http.client

    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/account/login/")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError("the site did not come up")
