"""The public proofreader in a real browser: by keyboard, without scripts, in both languages, light and dark, wide and
narrow, printed.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from karez.proofreader.proof import DATA
from tests.browser.test_looks import look

pytestmark = pytest.mark.browser
FIGURES, RULES = DATA / "xinjiang-2009.csv", DATA / "xinjiang-2009.rules.csv"
IDENTITIES = ".identity[class*='v-']:visible"


def _send(page: Any, site: str, figures: Path, rules: Path | None = None) -> None:
    page.goto(f"{site}/proof/")
    page.locator("#figures").set_input_files(str(figures))
    if rules is not None:
        page.locator("#rules").set_input_files(str(rules))
    page.locator("main form button").first.press("Enter")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_looks(site: str, page: Any, shot: Any, language: str) -> None:
    page.context.add_cookies([{"name": "django_language", "value": language, "url": site}])
    wrong = look(page, site, "/proof/", f"proof-{language}", shot)
    wrong += look(page, site, "/proof/example/xinjiang-2009/", f"proof-result-{language}", shot)
    assert not wrong, "\n".join(wrong)
    words = page.locator("h1").inner_text() + page.locator(".proof-summary").inner_text()
    assert ("identities hold" in words) == (language == "en")


def test_from_upload_to_download(site: str, page: Any, tmp_path: Path, shot: Any) -> None:
    _send(page, site, FIGURES, RULES)
    page.get_by_text("of 20 identities hold").wait_for()
    assert page.locator(".proof-summary strong").all_inner_texts() == ["16", "20"]
    assert page.locator(".identity .verdict").first.inner_text() == "does not hold"
    assert "the printed figure were 73.988" in page.locator("#fail").inner_text()
    page.get_by_label("does not hold (4)").focus()
    page.keyboard.press("Space")
    assert page.locator(f"#identities ~ .v-group {IDENTITIES}").count() == 4
    shot(page, "proof-filtered")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download as JSON").click()
    kept = tmp_path / "proof.json"
    waiting.value.save_as(kept)
    assert len(json.loads(kept.read_text("utf-8"))["identities"]) == 20


def test_a_long_proof_and_a_printed_one(site: str, page: Any, tmp_path: Path) -> None:
    rows = [FIGURES.read_text("utf-8").splitlines()[0]]
    rows += [f"a{n},s,l,{n},persons,exact,1,2009,64,flow,p,,false" for n in range(3000)]
    rows += [f"t{n},s,l,{n},persons,exact,1,2009,64,flow,p,a{n},false" for n in range(3000)]
    long = tmp_path / "long.csv"
    long.write_text("\n".join(rows), "utf-8")
    page.set_default_timeout(60_000)
    _send(page, site, long)
    page.get_by_text("of 3,000 identities hold").wait_for()
    assert page.get_by_text("100 %").count() == 1
    page.goto(f"{site}/proof/example/ningxia-2009/")
    page.emulate_media(media="print")
    assert page.locator(".proof-downloads").is_hidden() and page.locator("#exact").is_visible()


def test_without_scripts(site: str, chromium: Any, tmp_path: Path) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-GB", viewport={"width": 390, "height": 844})
    page = context.new_page()
    broken = tmp_path / "broken.csv"
    broken.write_text(FIGURES.read_text("utf-8").replace(",345,", ",345 villages,", 1), "utf-8")
    _send(page, site, broken)
    page.get_by_role("heading", name="Faults in the file").wait_for()
    assert "'345 villages'" in page.locator("table").first.inner_text()
    page.get_by_label("does not hold").check()
    assert page.locator("#exact").is_hidden()
    context.close()
