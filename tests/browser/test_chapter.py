"""The chapter in a real browser: its language, its map, and an edition that three people prepare, review and sign, with
an erratum.
"""

from typing import Any

import pytest
from django.urls import reverse

from karez.closing import services as closing
from karez.mutual_funds.tests import conftest as fund_world
from karez.publication.models import Edition
from tests.browser.test_looks import look

pytestmark = pytest.mark.browser
CHAPTER = "/yearbook/99/2009/"


@pytest.fixture
def sealed(committed_world: Any) -> Any:
    """A year closed by two people, with a society and a loan in it."""
    fund = fund_world.build(committed_world)
    fund.pay_in(fund.members[0], 500)
    fund.lend(fund.members[0], 300, "L-1")
    for failing in closing.prepare(committed_world.regional, year=2009).failing:
        closing.accept_failure(
            committed_world.approver, year=2009, check=failing.name, reason="a small world of a test"
        )
    closing.sign(committed_world.approver, year=2009)
    return committed_world


def test_three_people(site: str, page: Any, sealed: Any, sign_in: Any, shot: Any) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, sealed.regional)
    page.goto(site + CHAPTER)
    page.get_by_role("button", name="Prepare an edition").click()
    page.get_by_role("heading", name="Edition 1 of 2009").wait_for()
    assert page.get_by_role("button", name="I have reviewed it").count() == 0

    sign_in(page, sealed.statistician)
    page.goto(site)
    page.get_by_role("link", name="Editions to review").click()
    page.get_by_role("button", name="I have reviewed it").click()
    page.get_by_text("reviewed, not signed").wait_for()

    sign_in(page, sealed.approver)
    page.goto(site + CHAPTER)
    page.get_by_role("link", name="Read and sign it").click()
    page.get_by_role("button", name="Sign it").click()
    page.get_by_text("signed", exact=True).wait_for()

    sign_in(page, sealed.regional)
    page.goto(site + CHAPTER)
    people = page.locator("section.edition-card").inner_text()
    edition = Edition.objects.get()
    for name in (sealed.regional.full_name, sealed.statistician.full_name, sealed.approver.full_name, edition.digest):
        assert name in people
    page.get_by_role("link", name="Edition 1").click()
    page.get_by_text("Propose an erratum").click()
    page.get_by_label("Figure", exact=True).select_option("mutual_funds.villages_total")
    page.get_by_label("Right value").fill("not a number")
    page.get_by_label("Why").fill("one village was counted twice")
    page.get_by_role("button", name="Propose").click()
    page.get_by_text("publication.no_number").wait_for()
    page.get_by_label("Right value").fill("7")
    page.get_by_role("button", name="Propose").click()
    page.get_by_text("waits for another person").wait_for()

    sign_in(page, sealed.approver)
    address = reverse("publication:edition", args=[edition.pk])
    page.goto(site + address)
    page.get_by_role("button", name="Approve the erratum").click()
    page.get_by_text("Done, under your name.").wait_for()
    page.goto(site + CHAPTER)
    page.get_by_text("One erratum stands beside it.").wait_for()
    sign_in(page, sealed.auditor)
    wrong = look(page, site, address, "edition", shot) + look(page, site, CHAPTER, "chapter-signed", shot)
    assert not wrong, "\n".join(wrong)


def test_language_and_map(site: str, page: Any, sealed: Any, sign_in: Any, shot: Any) -> None:
    sign_in(page, sealed.auditor)
    page.goto(site + CHAPTER)
    assert page.locator("article.chapter").get_attribute("lang") == "en"
    hint = page.locator(".figure-hint").first
    assert "·" in (hint.text_content() or "") and not hint.is_visible()
    page.locator("a.figure").first.hover()
    assert hint.is_visible()
    page.keyboard.press("Escape")
    assert not hint.is_visible()  # and comes back with the next look
    page.mouse.move(1, 1)
    page.locator("a.figure").nth(1).focus()
    assert not hint.is_visible()
    page.get_by_role("button", name="中文").click()
    page.get_by_role("heading", name="村级互助资金").wait_for()
    assert page.locator("article.chapter").get_attribute("lang") == "zh-Hans"
    assert page.locator("svg.map path[role=img]").count() == 2
    page.get_by_role("heading", name="历年互助资金总量（按来源）").wait_for()
    page.locator("#picture-coverage svg.map a").first.click()
    page.get_by_role("heading", name="互助资金村合计").wait_for()
    wrong = look(page, site, CHAPTER, "zh-chapter", shot)
    wrong += look(page, site, CHAPTER + "mutual_funds.villages_total/", "zh-trace", shot)
    assert not wrong, "\n".join(wrong)


def test_the_flow_of_money_opens_by_the_keyboard_and_is_a_table(
    site: str, page: Any, sealed: Any, sign_in: Any
) -> None:
    sign_in(page, sealed.auditor)
    page.goto(site + CHAPTER)
    flow = page.locator("#picture-flow")
    county = flow.locator("svg a[href*='funds.allocated']").first
    drawn = county.locator("text").all_text_contents()
    flow.get_by_text("The same as a table").click()
    assert drawn[0] in flow.locator("tbody th").all_inner_texts()
    assert drawn[1] in flow.locator("tbody td").all_inner_texts()
    county.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="money of the lines of the year passed to counties").wait_for()
    assert drawn[0] in page.locator("main").inner_text()
