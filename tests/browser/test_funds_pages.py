"""The pages of village funds that change a society, in a real browser: every size and theme."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from karez.mutual_funds.lists import GIFTS
from karez.mutual_funds.models import Society
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import rows
from karez.web.tests import samples
from tests.browser.test_looks import look

pytestmark = pytest.mark.browser


def test_the_pages_of_a_society_look_right(
    site: str, page: Any, sign_in: Callable[..., None], shot: Any, committed_world: Any
) -> None:
    world, ids = committed_world, samples.build(committed_world)["990101"].ids
    society = Society.objects.get(pk=ids["society_id"])
    entered.accept_gift(world.finance, society=society, giver="A firm", amount_fen=50_000, given_on=date(2009, 4, 1))
    voucher = rows(world.finance, GIFTS, society.pk)[0]["voucher_id"]
    village = next(
        pk for code, pk in world.areas.items() if len(code) == 12 and not Society.objects.filter(area_id=pk).exists()
    )
    sign_in(page, world.finance)
    pages = {
        "society-as-of": reverse("mutual_funds:society", args=[society.pk]) + "?as_of=2009-05-31",
        "societies-as-of": reverse("mutual_funds:societies") + "?as_of=2009-05-31",
        "found-society": reverse("mutual_funds:found", args=[village]),
        "new-rules": reverse("mutual_funds:act", args=[society.pk, "rules"]),
        "resolution": reverse("mutual_funds:resolution", args=[ids["resolution_id"]]),
        "prepare-grant": reverse("mutual_funds:act", args=[society.pk, "grant"]),
        "take-back": reverse("mutual_funds:take_back", args=[society.pk, voucher]),
    }
    wrong = [fault for name, address in pages.items() for fault in look(page, site, address, name, shot)]
    assert not wrong, "\n".join(wrong)
    page.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": site}])
    page.set_viewport_size({"width": 1280, "height": 900})
    for name in ("society-as-of", "new-rules", "resolution", "take-back"):
        page.goto(site + pages[name])
        page.evaluate("() => document.documentElement.setAttribute('data-bs-theme', 'light')")
        shot(page, f"{name}-zh")
