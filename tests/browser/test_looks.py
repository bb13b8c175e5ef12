"""Every page, light and dark, wide and narrow: axe finds nothing serious, and nothing sticks out of a phone."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SIZES = ((1280, 900), (390, 844))


def faults_of(page: Any) -> list[str]:
    """Serious and critical findings of axe on the page as it is."""
    page.evaluate(AXE)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    grave = [v for v in found["violations"] if v["impact"] in {"serious", "critical"}]
    return [f"{v['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for v in grave for node in v["nodes"][:3]]


def look(page: Any, site: str, address: str, name: str, shot: Any) -> list[str]:
    """Looks at one page in both themes and sizes; returns what is wrong with it."""
    wrong = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            answer = page.goto(site + address)
            where = f"{address} {theme} {width}"
            if answer.status != 200:
                wrong.append(f"{where}: {answer.status}")
                continue
            if page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"):
                wrong.append(f"{where}: sticks out sideways")
            wrong += [f"{where}: {fault}" for fault in faults_of(page)]
            shot(page, f"{name}-{theme}-{width}")
    return wrong


def test_places(site: str, page: Any, committed_world: Any, sign_in: Any, shot: Any) -> None:
    sign_in(page, committed_world.regional)
    areas = committed_world.areas
    wrong = []
    for name, address in {
        "places": "/places/?q=Village",
        "county": f"/places/{areas['990101']}/",
        "village": f"/places/{areas['990101100200']}/",
        "start": "/",
    }.items():
        wrong += look(page, site, address, name, shot)
    assert not wrong, "\n".join(wrong)
