"""Arabic letters in the place of English ones: pages run from the right, and nothing sticks out, wide or narrow."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from karez.web.tests import languages, samples

pytestmark = pytest.mark.browser
SIZES = ((1280, 900), (390, 844))


def test_pages_run_from_the_right(committed_world: Any, site: str, sign_in: Any, chromium: Any, tmp_path: Path) -> None:
    ids = samples.build(committed_world)["990101"].ids
    addresses = [
        "/",
        reverse("places:home"),
        reverse("places:area", args=[ids["area_id"]]),
        reverse("intake:batch", args=[ids["batch_id"]]),
        reverse("ledger:book", args=[ids["book_id"]]),
        reverse("ledger:account", args=[ids["account_id"]]),
        reverse("mutual_funds:society", args=[ids["society_id"]]),
        reverse("returns:submit"),
        reverse("records:list", args=["register.households"]),
    ]
    wrong = []
    with languages.language(tmp_path, "ar", "العربية", languages.arabic):
        context = chromium.new_context(locale="ar", reduced_motion="reduce")
        page = context.new_page()
        sign_in(page, committed_world.clerk)
        for address in addresses:
            assert page.goto(site + address).status == 200, address
            assert page.evaluate("() => getComputedStyle(document.body).direction") == "rtl", address
            heading = page.evaluate("() => document.querySelector('h1, h2').innerText")
            assert any("\u0600" <= sign <= "\u06ff" for sign in heading) or address != "/", heading
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
                if page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"):
                    wrong.append(f"{address} {width}: sticks out sideways")
                menu = page.evaluate("() => document.querySelector('header, nav, aside').getBoundingClientRect().right")
                if menu < width / 2:
                    wrong.append(f"{address} {width}: the menu begins on the left")
        context.close()
    assert not wrong, wrong
