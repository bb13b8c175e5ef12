"""The office's own pages in a browser: a year at work and opened again. Each is looked at by axe, light and dark, wide
and narrow, in both languages.
"""

from typing import Any

import pytest

from karez.closing import reopening, services, work
from karez.closing.models import Verb, Work
from karez.kernel.messages import say
from karez.ledger.models import Transfer
from karez.mutual_funds.models import Loan
from karez.web.tests import samples
from tests.browser.conftest import PASSWORD
from tests.browser.test_looks import look

pytestmark = pytest.mark.browser


def in_both_languages(page: Any, site: str, address: str, name: str, shot: Any) -> list[str]:
    """What is wrong with a page in English and in Chinese."""
    wrong = look(page, site, address, name, shot)
    for language, prefix in (("zh-hans", "zh-"), ("en", "")):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.locator(f"header button[name=language][value={language}]").click()
        page.locator(f"html[lang={language}]").wait_for()
        wrong += look(page, site, address, f"{prefix}{name}", shot) if prefix else []
    return wrong


def test_a_year_at_work_and_opened_again(site: str, page: Any, committed_world: Any, sign_in: Any, shot: Any) -> None:
    world, address = committed_world, "/closing/2009/"
    asked = work.ask(world.regional, year=2009, verb=Verb.PREPARE)
    Work.objects.filter(pk=asked.pk).update(doing=say("comparing reports with figures"), percent=90)
    sign_in(page, world.regional)
    wrong = in_both_languages(page, site, address, "year-at-work", shot)
    assert "comparing reports with figures" in page.inner_text("#progress")
    work.run(asked.pk)
    for found in services.prepare(world.regional, year=2009).failing:
        services.accept_failure(world.regional, year=2009, check=found.name, reason="a small world of a test")
    services.sign(world.approver, year=2009)
    page.locator("#progress").wait_for(
        state="hidden"
    )  # the page asks again by itself, and must not be left while it does
    page.wait_for_load_state()
    page.goto(site + address)
    page.get_by_label("Open it again, because").fill("a county was left out")
    page.get_by_role("button", name="Ask for it").click()
    page.get_by_text("Asked. Another person who may sign").wait_for()
    sign_in(page, world.approver)
    wrong += in_both_languages(page, site, address, "year-asked-to-open", shot)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(site)
    page.get_by_role("link", name="Years to open again").click()
    page.get_by_role("button", name="Agree: open it again").click()
    page.get_by_text("The year is open again").wait_for()
    wrong += look(page, site, address, "year-open-again", shot)
    assert reopening.who_may_agree(world.approver.pk) == [world.second_approver]
    assert not wrong, "\n".join(wrong)


def test_people_and_their_roles(site: str, page: Any, committed_world: Any, sign_in: Any, shot: Any) -> None:
    world = committed_world
    sign_in(page, world.administrator)
    page.goto(site)
    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="Add a user").click()
    page.get_by_label("Sign-in name").fill("meng")
    page.get_by_label("Full name").fill("Meng Xia")
    page.get_by_label("Role").select_option("treasurer")
    page.get_by_label("Code of the area").fill("990101")
    page.get_by_role("button", name="Add the user").click()
    password = page.locator("#given").inner_text()
    shot(page, "user-made")
    page.get_by_role("link", name="I have noted it").click()
    made = page.url.removeprefix(site)
    wrong = in_both_languages(page, site, "/users/", "users", shot)
    wrong += in_both_languages(page, site, made, "user", shot)
    wrong += look(page, site, "/users/add/", "user-add", shot)
    wrong += look(page, site, f"{made}role/", "user-role", shot)
    sign_in(page, world.approver)
    wrong += look(page, site, "/users/waiting/", "role-not-yet", shot)
    assert page.get_by_role("button", name="Confirm the role").count() == 0
    page.context.clear_cookies()
    page.goto(f"{site}/account/login/")
    page.get_by_label("Sign-in name").fill("meng")
    page.get_by_label("Password").fill(password)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.get_by_text("Choose a password of your own").wait_for()
    wrong += look(page, site, "/account/password/change/", "first-sign-in", shot)
    for field, typed in (("oldpassword", password), ("password1", PASSWORD), ("password2", PASSWORD)):
        page.locator(f"#id_{field}").fill(typed)
    page.locator("main").locator("button[type=submit]").click()
    page.wait_for_url(f"{site}/")
    sign_in(page, world.approver)  # there is no other administrator
    page.goto(site)
    page.get_by_role("link", name="Roles to confirm").click()
    wrong += in_both_languages(page, site, "/users/waiting/", "roles-waiting", shot)
    page.get_by_role("button", name="Confirm the role").click()
    page.get_by_text("The role is confirmed").wait_for()
    wrong += look(page, site, "/users/waiting/", "no-role-waits", shot)
    sign_in(page, world.administrator)
    page.goto(site + made)
    page.get_by_text("confirmed by Approver").wait_for()
    wrong += look(page, site, made, "user-confirmed", shot)
    page.get_by_role("link", name="End it").click()
    wrong += look(page, site, page.url.removeprefix(site), "user-role-end", shot)
    page.get_by_label("Reason").fill("named by mistake")
    page.get_by_role("button", name="End the role").click()
    page.get_by_text("The role ends.").wait_for()
    assert not wrong, "\n".join(wrong)


def test_cash_is_counted_and_countersigned(site: str, page: Any, committed_world: Any, sign_in: Any, shot: Any) -> None:
    world = committed_world
    ids = samples.build(world)["990101"].ids
    sign_in(page, world.treasurer)
    page.goto(f"{site}/ledger/accounts/{ids['account_id']}/")
    page.get_by_role("link", name="Cash counts").click()
    address = page.url.removeprefix(site)
    page.get_by_label("Counted, yuan").fill("100")
    page.get_by_label("Note").fill("the rest was taken to the bank")
    page.get_by_role("button", name="Record the count").click()
    page.get_by_text("waits for a colleague").wait_for()
    wrong = in_both_languages(page, site, address, "cash-counts", shot)
    sign_in(page, world.approver)
    wrong += look(page, site, "/ledger/counts/", "cash-counts-waiting", shot)
    page.goto(site)
    page.get_by_role("link", name="Cash counts to countersign").click()
    page.get_by_role("button", name="Countersign").first.click()
    page.get_by_text("Countersigned, under your name.").wait_for()
    assert not wrong, "\n".join(wrong)


def test_a_record_is_taken_back_with_its_money(
    site: str, page: Any, committed_world: Any, sign_in: Any, shot: Any
) -> None:
    world = committed_world
    ids = samples.build(world)["990101"].ids
    sign_in(page, world.finance)
    page.goto(f"{site}/funds/lines/{ids['line_id']}/")
    page.get_by_role("link", name="Take back b1").click()
    wrong = in_both_languages(page, site, page.url.removeprefix(site), "take-back", shot)
    voucher = Transfer.objects.get(pk=Loan.objects.get(pk=ids["loan_id"]).transfer_id).voucher_id
    page.goto(f"{site}/ledger/vouchers/{voucher}/")
    shot(page, "voucher-claimed")
    page.get_by_role("link", name="Take it back with its record").click()
    wrong += look(page, site, page.url.removeprefix(site), "take-back-loan", shot)
    page.get_by_label("Reason").fill("lent to the wrong household")
    page.get_by_role("button", name="Prepare taking it back").click()
    page.get_by_text("Prepared; it waits for a second person.").wait_for()
    assert not wrong, "\n".join(wrong)
