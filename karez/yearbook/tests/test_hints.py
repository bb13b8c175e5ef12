"""What a figure in a sentence is stands beside it for keyboard, touch and screen readers, on pages and in the published site."""

import re

from django.test import Client
from django.urls import reverse

from karez.yearbook.content import Content
from karez.yearbook.formats.publication import Publication
from karez.yearbook.formats.site import site
from karez.yearbook.tests.conftest import ClosedYear


def test_every_figure_of_a_sentence_has_its_hint(closed_year: ClosedYear) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(closed_year.regional, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("yearbook:chapter", args=["99", 2009])).content.decode()
    described = re.findall(r'<a class="figure" href="[^"]+" aria-describedby="([^"]+)">', page)
    told = dict(re.findall(r'<span class="figure-hint" id="([^"]+)" role="tooltip" popover>([^<]*)</span>', page))
    assert described and len(set(described)) == len(described)
    assert described == re.findall(r'popovertarget="([^"]+)"', page) == list(told)
    assert told[described[0]] == "people · persons · as of 2009-12-31\ncount(*) · test_people · role = &#x27;auditor&#x27;"
    assert 'aria-label="What 29 persons is"' in page
    assert 'class="figure" title' not in page


def test_the_site_tells_the_definition_too(content: Content) -> None:
    made = site(Publication(content))["chapter.html"].decode()
    assert "villages running a mutual fund · villages · as of 2009-12-31\nsum(x) · t" in re.findall(r' title="([^"]+)"', made)
