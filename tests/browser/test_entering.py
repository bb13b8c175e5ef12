"""One record entered by form in a real browser: from the page of its village to the other person's yes, on a phone too."""

from collections.abc import Callable
from typing import Any

import pytest

from karez.intake.models import Batch, State
from karez.mutual_funds.models import Contribution
from karez.mutual_funds.tests.conftest import build
from tests.browser.test_looks import look

pytestmark = pytest.mark.browser


def test_a_contribution_is_entered_on_a_phone_and_decided(
    site: str, page: Any, sign_in: Callable[..., None], shot: Any, committed_world: Any
) -> None:
    fund = build(committed_world)
    area, number = fund.society.area_id, fund.members[0].household.household_no
    sign_in(page, fund.treasurer)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site}/places/{area}/")
    page.get_by_role("link", name="Enter one by form").click()
    page.get_by_role("link", name="Members' contributions").click()
    assert page.get_by_label("Village").input_value() == "990101100200"
    page.get_by_label("Household number").fill(str(number))
    page.get_by_label("Day").fill("2009-03-04")
    page.get_by_label("Amount (yuan)").fill("99")
    page.get_by_label("Kind").select_option("own")
    page.get_by_role("button", name="Check and hand in").click()
    told = page.locator(".invalid-feedback")
    told.wait_for()
    assert "99.00 yuan in all, 100.00 yuan to 2,000.00 yuan allowed" in told.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "enter-faulty")
    page.get_by_label("Amount (yuan)").fill("250")
    page.get_by_role("button", name="Check and hand in").click()
    page.wait_for_url("**/ledger/vouchers/*/")  # money that comes in needs one person
    assert Contribution.objects.get().amount_fen == 250_00
    page.goto(f"{site}/files/enter/contributions/?village=990101100200&household_no={number}")
    page.get_by_label("Day").fill("2009-03-05")
    page.get_by_label("Amount (yuan)").fill("100")
    page.get_by_label("Kind").select_option("granted_base")
    page.get_by_role("button", name="Check and hand in").click()
    page.get_by_role("heading", name="What it says").wait_for()
    batch = Batch.objects.get(state=State.CHECKED)
    wrong = look(page, site, "/files/enter/contributions/", "enter", shot)
    wrong += look(page, site, f"/places/{area}/enter/", "enter-which", shot)
    sign_in(page, fund.approver)
    wrong += look(page, site, f"/files/{batch.pk}/", "entered", shot)
    assert Contribution.objects.count() == 1 and not wrong, "\n".join(wrong)
