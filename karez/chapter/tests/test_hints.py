"""What a figure in a sentence is stands beside it for keyboard, touch and screen readers, on pages and in the published
site.
"""

import re

import pytest
from django.test import Client
from django.urls import reverse

from karez.chapter.hints import counted_now
from karez.figures.declarations import declarations
from karez.publication.content import Content
from karez.publication.formats.publication import Publication
from karez.publication.formats.site import site
from karez.publication.tests.conftest import ClosedYear
from karez.wording.plain_words import sentences_in


def test_every_figure_of_a_sentence_has_its_hint(closed_year: ClosedYear) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(closed_year.regional, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("chapter:chapter", args=["99", 2009])).content.decode()
    page = re.sub(r"\s+(?=[^<>]*>)", " ", page)  # however its tags are broken into lines
    described = re.findall(r'<a class="figure" href="[^"]+" aria-describedby="([^"]+)">', page)
    told = dict(re.findall(r'<span class="figure-hint" id="([^"]+)" role="tooltip" popover>([^<]*)</span>', page))
    assert described and len(set(described)) == len(described)
    assert described == re.findall(r'popovertarget="([^"]+)"', page) == list(told)
    assert told[described[0]] == "people · persons · as of 2009-12-31\nCounts: test people. Only where: role: auditor."
    assert 'aria-label="What 29 persons is"' in page
    assert 'class="figure" title' not in page


def test_the_site_tells_the_definition_too(content: Content) -> None:
    made = site(Publication(content))["chapter.html"].decode()
    assert "villages running a mutual fund · villages · as of 2009-12-31\nAdds up: x. Rows: t." in re.findall(
        r' title="([^"]+)"', made
    )


def test_a_page_of_a_figure_says_it_before_how_it_is_computed(content: Content) -> None:
    made = site(Publication(content))
    page = made["figures/mutual_funds.villages_total.html"].decode()
    assert (
        page.index("<dd>Adds up: x. Rows: t.</dd>")
        < page.index("How it is computed")
        < page.index("<code>sum(x)</code>")
        < page.index("SQL as run")
    )
    assert "合计：x。" in made["figures/mutual_funds.villages_total.zh.html"].decode()
    assert "sum(x)" not in made["catalogue.html"].decode()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_declared_figure_is_told_in_code(language: str) -> None:
    known = [f for f in declarations().figures if f.valid_in(2009)]
    for i, said in counted_now(known, language).items():
        assert said, i
        assert not re.search(r"_|\(\*\)|sum\(|\bis null\b|\bnull\b|'[a-z]+'| \* | / ", said), (i, said)
        assert (language == "en") == said.isascii() or re.sub("[“”×÷−≠≤≥]", "", said).isascii() == (language == "en"), (
            i,
            said,
        )


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("founded_year = year - 1 and not opening", "founded in: the year before; not older than the first day"),
        ("sex in (1, 2) or line is null", "sex: male, female, or poverty line: not set"),
        ("counts_on >= year_start and (due_on is not null)", "counts from ≥ 1 January; due on: known"),
        ("coalesce(size, 0) > 3", "COALESCE(size, 0) > 3"),
        ("not ( nonsense", "not ( nonsense"),
    ],
)
def test_conditions_in_words(where: str, told: str) -> None:
    said = sentences_in("en", {"value": "count(*)", "table": "places_areas", "where": where}, {})
    assert said == f"Counts: places of the year's edition. Only where: {told}."


def test_a_formula_names_its_figures() -> None:
    said = sentences_in("en", {"formula": "100 * a.b / (a.b + c)"}, {"a.b": "villages"})
    assert said == "Worked out at each place: 100 × “villages” ÷ (“villages” + c)."
    assert "sum(x(" in sentences_in("en", {"value": "sum(x(", "table": "t"}, {})  # of an older program
