"""The main way in a real browser: a file with faults, a right one, another person, closing by two, chapter, trace,
voucher.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from procrastinate.contrib.django import app

from karez.mutual_funds.tests import conftest as fund_world
from tests.browser.conftest import PASSWORD

pytestmark = pytest.mark.browser
HEAD = "指标,地区代码,年份,数值,单位,来源\n"
WRONG = HEAD + "土地面积,99,2009,many,km2,Survey 3\n年末总人口,777777,2009,1200,persons,Survey 3\n"
RIGHT = HEAD + "土地面积,99,2009,66400,km2,Survey 3\n年末总人口,99,2009,6250000,persons,Survey 3\n"


def run_jobs() -> None:
    """Does what the worker would, until nothing waits; in a thread of its own, for playwright holds this one's loop."""

    def work() -> None:
        worker = app.with_connector(app.connector.get_worker_connector())
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
        connections.close_all()

    thread = Thread(target=work)
    thread.start()
    thread.join()


@pytest.fixture
def enter(site: str) -> Callable[[Any, Any], None]:
    """Signs a person in on the sign-in page, whoever was there before."""

    def do(page: Any, user: Any) -> None:
        page.context.clear_cookies()
        page.goto(f"{site}/account/login/")
        page.get_by_label("Sign-in name").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Good day").wait_for()

    return do


@pytest.fixture
def people(committed_world: Any) -> Any:
    """The cast with passwords, a society with a grant and a loan in its books."""
    for name in ("statistician", "approver", "regional", "auditor"):
        user = getattr(committed_world, name)
        user.set_password(PASSWORD)
        user.save()
    fund = fund_world.build(committed_world)
    fund.pay_in(fund.members[0], 500)
    fund.lend(fund.members[0], 300, "L-1")
    return committed_world


def _send(page: Any, site: str, folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    page.goto(f"{site}/files/")
    page.get_by_role("link", name="Send a file").click()
    page.get_by_label("Kind of file").select_option("returns")
    page.get_by_label("Returns", exact=True).set_input_files(folder / name)
    page.get_by_role("button", name="Send and check").click()
    page.get_by_role("heading", name=name).wait_for()
    run_jobs()
    page.locator("progress").wait_for(state="detached")  # the page asks by itself and comes anew
    return str(page.url)


def test_from_file_to_voucher(site: str, page: Any, people: Any, enter: Any, shot: Any, tmp_path: Path) -> None:
    enter(page, people.statistician)
    _send(page, site, tmp_path, "wrong.csv", WRONG)
    page.get_by_role("heading", name="Faults", exact=True).wait_for()
    faults = page.locator("section", has=page.get_by_role("heading", name="Faults", exact=True))
    assert "many" in faults.inner_text()
    assert "777777" in faults.inner_text()
    shot(page, "way-faults")
    with page.expect_download() as listed:
        page.get_by_role("link", name="All faults as CSV").click()
    assert "777777" in Path(listed.value.path()).read_text(encoding="utf-8-sig")
    address = _send(page, site, tmp_path, "right.csv", RIGHT)
    page.get_by_text("It waits for another person").wait_for()
    assert page.get_by_role("button", name="Apply it as a whole").count() == 0
    shot(page, "way-checked")

    enter(page, people.approver)
    page.get_by_role("link", name="Files to decide").click()
    page.get_by_role("link", name="right.csv").first.click()
    assert page.url == address
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Apply it as a whole").click()
    page.get_by_text("It is being applied.").wait_for()
    run_jobs()
    page.goto(address)
    page.get_by_text("applied", exact=True).wait_for()

    enter(page, people.regional)
    page.goto(f"{site}/closing/2009/")
    page.get_by_role("button", name="Prepare: run the checks").click()
    page.get_by_text("Waits for its turn.").wait_for()
    shot(page, "way-preparing")
    run_jobs()
    page.get_by_text("The preparation is done.").wait_for()  # the page asks by itself and comes anew
    page.get_by_role("heading", name="Checks of the last preparation").wait_for()
    shot(page, "way-prepared")
    assert page.get_by_role("button", name="Sign and seal").count() == 0

    enter(page, people.approver)
    page.goto(f"{site}/closing/2009/")
    while page.get_by_role("button", name="Accept").count():
        page.get_by_label("Accept it, because").first.fill("a small world of a test")
        page.get_by_role("button", name="Accept").first.click()
        page.get_by_text("Accepted, under your name.").wait_for()
    page.get_by_role("button", name="Sign and seal").click()
    page.get_by_text("Waits for its turn.").wait_for()
    run_jobs()
    page.get_by_text("The year is closed and sealed.").wait_for()
    shot(page, "way-sealed")

    enter(page, people.auditor)
    page.get_by_role("link", name="closed: read the chapter").click()
    page.locator("article.chapter").wait_for()
    shot(page, "way-chapter")
    figure = page.get_by_role("link", name="loans paid out by the funds in the year").first
    figure.click()  # the first click: from the number to its trace
    page.get_by_role("heading", name="By place").wait_for()
    shot(page, "way-trace")
    page.get_by_role("link", name="2009/").first.click()  # the second: to the voucher
    page.get_by_role("heading", name="Voucher 2009/").wait_for()
    shot(page, "way-voucher")
    page.get_by_role("link", name="Loan L-1").click()  # the third: to the record
    page.get_by_role("heading", name="Loan L-1").wait_for()
    shot(page, "way-loan")
