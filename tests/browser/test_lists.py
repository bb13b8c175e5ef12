"""Lists and receipts in a real browser: cards on a phone, orders by a click, a receipt that prints alone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from karez.web.tests import samples

pytestmark = pytest.mark.browser


def test_a_list_is_cards_on_a_phone_and_a_receipt_prints_alone(
    site: str, page: Any, sign_in: Callable[..., None], shot: Any, committed_world: Any
) -> None:
    ids = samples.build(committed_world)["990101"].ids
    sign_in(page, committed_world.regional)
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto(site + reverse("mutual_funds:societies"))
    cell = page.locator("table.stacked tbody tr").first.locator("td").first
    assert cell.evaluate("cell => getComputedStyle(cell).display") == "grid"
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Village"'
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    shot(page, "societies-phone")

    page.set_viewport_size({"width": 1280, "height": 900})
    names = page.locator("table.stacked tbody th").all_inner_texts()
    page.get_by_role("columnheader", name="Society").get_by_role("link").click()
    page.wait_for_url("**sort=-name*")
    assert page.locator("table.stacked tbody th").all_inner_texts() == names[::-1] != names
    assert page.locator('th[aria-sort="descending"]').count() == 1
    for n, place in enumerate(("Beiquan", "Liujing")):  # each place offers those right below it
        page.get_by_label("Place").select_option(label=place)
        page.get_by_role("button", name="Show").last.click()
        page.locator(f'#place option[selected]:text-is("{place}")').wait_for(state="attached")
        assert page.locator("table.stacked tbody tr").count() == 2 - n

    page.goto(site + reverse("records:record", args=["mutual_funds.contribution", ids["contribution_id"]]))
    page.emulate_media(media="print")
    assert page.locator(".receipt").is_visible() and page.get_by_text("Received by").is_visible()
    assert not page.locator("#facts").is_visible() and not page.locator(".page-title").is_visible()
    assert not page.locator("[data-print]").is_visible()
    shot(page, "receipt-printed")
