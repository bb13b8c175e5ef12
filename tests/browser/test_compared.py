"""Years and regions side by side, a package of another installation, and a signed edition read without signing in, in a
real browser.
"""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from karez.publication.publishing import publish
from karez.publication.services import prepare_edition, review_edition, sign_edition
from tests.browser.test_chapter import sealed
from tests.browser.test_looks import look

pytestmark = pytest.mark.browser
__all__ = ["sealed"]
SIDE = "/yearbook/side-by-side/"


def test_side_by_side_and_published(site: str, page: Any, sealed: Any, sign_in: Any, shot: Any, tmp_path: Path) -> None:
    edition = prepare_edition(sealed.statistician, year=2009)
    review_edition(sealed.regional, edition.pk)
    sign_edition(sealed.approver, edition.pk)
    publish("99", 2009, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for file in (tmp_path / "out" / "data").iterdir():
            archive.write(file, file.name)

    page.goto(site + "/account/login/")
    page.get_by_role("link", name="Read what is published").click()
    page.get_by_role("link", name="Chapter 2009, edition 1").wait_for()
    wrong = look(page, site, "/editions/", "editions", shot)
    page.get_by_role("link", name="Read", exact=True).click()
    assert page.url.endswith("/editions/2009/1/chapter.html")
    page.locator("article a").first.click()
    assert "/editions/2009/1/figures/" in page.url

    sign_in(page, sealed.regional)
    page.goto(site + SIDE)
    page.get_by_label("Ningxia 2009").check()
    page.get_by_label("Xinjiang 2009").check()
    page.get_by_role("button", name="Set side by side").click()
    page.get_by_role("cell", name="1,664,900", exact=True).wait_for()
    wrong += look(page, site, page.url.removeprefix(site), "side", shot)
    page.get_by_text("Choose columns").click()
    page.get_by_label("Data another region published").set_input_files(tmp_path / "data.zip")
    page.get_by_role("button", name="Send and compare").click()
    page.get_by_role("columnheader", name="as published elsewhere").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="As CSV").click()
    table = Path(saved.value.path()).read_text(encoding="utf-8")
    assert "mutual_funds.villages_total" in table
    assert not wrong, "\n".join(wrong)
