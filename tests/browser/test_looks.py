"""Every page, light and dark, wide and narrow: axe finds nothing serious, and nothing sticks out of a phone."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from karez.closing import services
from karez.web.tests import samples

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SIZES = ((1280, 900), (390, 844))
# One call a look: the theme is set, the page hears of its size, and what is serious or critical is told. What axe does beyond
# that costs as much again and is left out: a way to each element, messages to frames (there are none), and the rule `region`,
# which is never more than moderate. Dark, colours alone are asked; everything else was looked at in light.
LOOK = """async ([theme, only]) => {
  if (document.querySelector('iframe, frame')) throw new Error('a page with frames is looked at in part only');
  document.documentElement.setAttribute('data-bs-theme', theme);
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const wrong = document.documentElement.scrollWidth > window.innerWidth ? ['sticks out sideways'] : [];
  const found = await axe.run(document, {resultTypes: ['violations'], preload: false, selectors: false, iframes: false,
    ...(only ? {runOnly: [only]} : {rules: {region: {enabled: false}}})});
  for (const fault of found.violations.filter(fault => ['serious', 'critical'].includes(fault.impact)))
    for (const node of fault.nodes.slice(0, 3))
      wrong.push(`${fault.id}: ${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 200)}`);
  return wrong;
}"""


def look(page: Any, site: str, address: str, name: str, shot: Any) -> list[str]:
    """Looks at one page in both themes and sizes; returns what is wrong with it."""
    answer = page.goto(site + address)
    if answer.status != 200:
        return [f"{address}: {answer.status}"]
    page.evaluate(AXE)
    wrong = []
    for (width, height), themes in zip(SIZES, (("light", "dark"), ("dark", "light")), strict=True):
        page.set_viewport_size({"width": width, "height": height})
        for theme in themes:
            found = page.evaluate(LOOK, [theme, "color-contrast" if theme == "dark" else ""])
            wrong += [f"{address} {theme} {width}: {fault}" for fault in found]
            shot(page, f"{name}-{theme}-{width}")
    return wrong


@pytest.fixture
def filled(committed_world: Any) -> Any:
    """Records of every kind, and a provisional snapshot of them."""
    found = samples.build(committed_world)["990101"]
    services.prepare(committed_world.regional, year=2009)
    return found.ids


def _pages(ids: dict[str, int], region: int) -> dict[str, tuple[str, dict[str, object]]]:
    def own(name: str, key: str, **more: object) -> tuple[str, dict[str, object]]:
        return name, {("proposal_id" if key.endswith("proposal_id") else key): ids[key], **more}

    year = {"region": "99", "year": 2009}
    return {
        "start": ("home", {}),
        "account": ("account", {}),
        "places": ("places:home", {}),
        "region": ("places:area", {"area_id": region}),
        "village": own("places:area", "area_id"),
        "files": ("intake:batches", {}),
        "file": own("intake:batch", "batch_id"),
        "returns": ("returns:list", {}),
        "return": own("returns:one", "return_id"),
        "return-form": ("returns:submit", {}),
        "households": ("records:list", {"name": "register.households"}),
        "persons": ("records:list", {"name": "register.persons"}),
        "loans": (
            "records:list_of",
            {"name": "mutual_funds.loans", "of": "mutual_funds.society", "record_id": ids["society_id"]},
        ),
        "household": own("register:household", "household_id"),
        "books": ("ledger:books", {}),
        "book": own("ledger:book", "book_id"),
        "cash-book": own("ledger:account", "account_id"),
        "voucher": own("ledger:voucher", "voucher_id"),
        "set": own("ledger:set", "set_id"),
        "pending": ("ledger:pending", {}),
        "lines": ("funds:lines", {}),
        "line": own("funds:line", "line_id"),
        "standards": ("funds:standards", {}),
        "proposal": own("funds:proposal", "fund_proposal_id"),
        "societies": ("mutual_funds:societies", {}),
        "society": own("mutual_funds:society", "society_id"),
        "loan": own("mutual_funds:loan", "loan_id"),
        "refund": own("mutual_funds:proposal", "mutual_proposal_id"),
        "years": ("closing:years", {}),
        "year": ("closing:year", {"year": 2009}),
        "yearbook": ("chapter:home", {}),
        "catalogue": ("trace:catalogue", {}),
        "side-by-side": ("comparison:side_by_side", {}),
        "editions": ("publication:public_editions", {}),
        "chapter": ("chapter:chapter", year),
        "trace": ("trace:trace", {**year, "figure_id": "mutual_funds.villages_total"}),
        "trace-money": ("trace:trace", {**year, "figure_id": "mutual_funds.loans_issued"}),
    }


def test_every_page(site: str, page: Any, committed_world: Any, filled: Any, sign_in: Any, shot: Any) -> None:
    sign_in(page, committed_world.regional)
    wrong: list[str] = []
    for name, (address, words) in _pages(filled, committed_world.region).items():
        wrong += look(page, site, reverse(address, kwargs=words), name, shot)
    assert not wrong, "\n".join(wrong)


def test_what_is_wrong_is_found(site: str, page: Any, shot: Any) -> None:
    """The look itself: each kind of fault, put into a page that has none, in the theme and the size it shows in."""
    page.route(
        "**/faulty/",
        lambda route: route.fulfill(
            content_type="text/html",
            body="<!doctype html><html lang=en><title>t</title><style>"
            "html[data-bs-theme=dark] p {color: #777; background: #888} @media (max-width: 400px) {p {width: 900px}}"
            "</style><main><h1>h</h1><p>text</p><img src='data:,'></main></html>",
        ),
    )
    told = look(page, site, "/faulty/", "faulty", shot)
    kinds = [fault.removeprefix("/faulty/ ").split(": ")[:2] for fault in told]
    assert kinds == [
        ["light 1280", "image-alt"],
        ["dark 1280", "color-contrast"],
        ["dark 390", "sticks out sideways"],
        ["dark 390", "color-contrast"],
        ["light 390", "sticks out sideways"],
        ["light 390", "image-alt"],
    ]


def test_forms(site: str, page: Any, committed_world: Any, filled: Any, sign_in: Any, shot: Any) -> None:
    sign_in(page, committed_world.finance)
    wrong = look(page, site, reverse("mutual_funds:act", args=[filled["society_id"], "loan"]), "loan-form", shot)
    wrong += look(page, site, reverse("intake:enter", args=["repayments"]), "repayment-form", shot)
    act = reverse("mutual_funds:act_loan", args=[filled["loan_id"], "write-off"])
    wrong += look(page, site, act, "write-off-form", shot)
    wrong += look(page, site, reverse("funds:prepare", args=[filled["line_id"], "allocation"]), "allocation-form", shot)
    wrong += look(page, site, reverse("ledger:reverse", args=[filled["voucher_id"]]), "reverse", shot)
    wrong += look(page, site, reverse("funds:line", args=[filled["line_id"]]), "line-with-acts", shot)
    sign_in(page, committed_world.clerk)
    wrong += look(page, site, reverse("intake:send") + "?sheet=returns", "send", shot)
    assert not wrong, "\n".join(wrong)


def test_chinese(site: str, page: Any, committed_world: Any, filled: Any, sign_in: Any, shot: Any) -> None:
    sign_in(page, committed_world.regional)
    page.goto(site)
    page.get_by_role("button", name="中文").click()
    page.get_by_role("heading", name="您好").wait_for()
    wrong = look(page, site, reverse("mutual_funds:society", args=[filled["society_id"]]), "zh-society", shot)
    wrong += look(page, site, reverse("intake:batch", args=[filled["batch_id"]]), "zh-file", shot)
    assert not wrong, "\n".join(wrong)
