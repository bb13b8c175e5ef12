"""Corrections on the pages of the register and of a faulty file, in a real browser: every size and theme, keyboard
alone where it matters.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse

from karez.intake import services as intake
from karez.register.models import Assessment, Erasure, ErasureRequest, Membership
from karez.register.services import assess
from karez.web.tests import samples
from tests.browser.test_looks import look

pytestmark = pytest.mark.browser
FAULTY = """村代码,户编号,户类型,人员序号,与户主关系,性别,出生年月,入户日期,姓名
990101100200,1,在册,1,户主,女,1970-05,soon,马丽
990101100200,2,在册,1,户主,男,1968-03,2009-01-01,王刚
990101100200,2,在册,2,户主,女,1971-03,2009-01-01,李英
"""


def test_a_file_that_waits_for_its_sender_is_marked(
    site: str, page: Any, sign_in: Callable[..., None], shot: Any, committed_world: Any
) -> None:
    world, batch_id = committed_world, samples.build(committed_world)["990101"].ids["batch_id"]
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "UPDATE intake_batch SET state = 'checked', fault_count = 0, question_count = 1 WHERE id = %s", [batch_id]
        )
        cursor.execute(
            (
                'INSERT INTO intake_question (batch_id, row_no, "column", found, expected, rule, todo, asks) VALUES '
                "(%s, 2, 'year', 'the same as row 1', 'x', 'x', 'x', true)"
            ),
            [batch_id],
        )
    sign_in(page, world.clerk)
    wrong = look(page, site, reverse("intake:batches"), "files-to-confirm", shot) + look(
        page, site, reverse("intake:batch", args=[batch_id]), "file-to-confirm", shot
    )
    page.goto(site)
    page.get_by_role("link", name="Your files with rows to confirm").click()
    badge = page.locator("section:has(#confirm) .badge.asks")
    assert badge.inner_text().split("\n") == ["?", "checked, its sender has rows to confirm"]
    page.set_viewport_size({"width": 390, "height": 844})
    place = badge.bounding_box()
    assert place["x"] + place["width"] <= 390
    assert not wrong, "\n".join(wrong)


def test_the_pages_of_corrections_look_right(
    site: str, page: Any, sign_in: Callable[..., None], shot: Any, committed_world: Any
) -> None:
    world, ids = committed_world, samples.build(committed_world)["990101"].ids
    from datetime import date

    assess(
        world.clerk,
        household_id=ids["household_id"],
        year=2009,
        assessed_on=date(2009, 6, 1),
        income_fen=400_000,
        size=4,
        line="2009-1196",
    )
    batch = intake.receive(world.clerk, sheet="register", file_name="register.csv", stream=[FAULTY.encode()])
    intake.stage(batch.pk)
    sign_in(page, world.clerk)
    person, request = ids["person_id"], ErasureRequest.objects.get(person_id=ids["person_id"]).pk
    pages = {
        "files-with-states": reverse("intake:batches"),
        "faulty": reverse("intake:batch", args=[batch.pk]),
        "household-corrections": reverse("register:household", args=[ids["household_id"]]),
        "person": reverse("register:person", args=[person]),
        "correct-membership": reverse(
            "register:correct", args=["membership", Membership.objects.get(person_id=person).pk]
        ),
        "correct-assessment": reverse("register:correct", args=["assessment", Assessment.objects.get().pk]),
        "correct-person": reverse("register:act", args=[person, "facts"]),
        "correct-identity": reverse("register:act", args=[person, "identity"]),
        "ask-erasure": reverse("register:act", args=[person, "erase"]),
        "dissolve": reverse("register:dissolve", args=[ids["household_id"]]),
    }
    wrong = [fault for name, address in pages.items() for fault in look(page, site, address, name, shot)]
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site + pages["faulty"])
    table = page.locator("#faults").locator("xpath=ancestor::section").locator("table")
    assert table.evaluate("t => t.scrollWidth <= t.clientWidth && t.getBoundingClientRect().right <= window.innerWidth")
    assert "(4 characters, not shown)" in table.inner_text()
    assert "2 heads" in table.inner_text()
    folded = page.locator("details", has_text="could not judge every row because of the faults")
    assert not folded.locator("ul").is_visible()
    folded.locator("summary").click()
    assert "rows left out – faults in 入户日期 (since)" in folded.inner_text()
    assert page.locator("#decide").bounding_box()["y"] > folded.bounding_box()["y"] > table.bounding_box()["y"]
    page.goto(site + reverse("intake:batches"))
    badge = page.locator("td .badge").first.bounding_box()
    assert badge["x"] + badge["width"] <= 390 and page.evaluate("document.documentElement.scrollWidth") <= 390
    sign_in(page, world.regional)
    for name, address in {
        "erasures": reverse("register:erasures"),
        "erase": reverse("register:erase", args=[request]),
    }.items():
        wrong += look(page, site, address, name, shot)
    assert not wrong, "\n".join(wrong)
    page.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": site}])
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("() => document.documentElement.setAttribute('data-bs-theme', 'light')")
    for name in ("erase", "faulty", "person"):
        page.goto(site + pages.get(name, reverse("register:erase", args=[request])))
        shot(page, f"{name}-zh")
    page.context.clear_cookies(name="django_language")
    page.goto(site + reverse("register:erase", args=[request]))
    page.get_by_label("I know that this cannot be taken back").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_text("Erased.", exact=True).wait_for()
    assert Erasure.objects.get().erased_by_id == world.regional.pk
