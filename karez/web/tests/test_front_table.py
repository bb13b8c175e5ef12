"""The front's table against the site's addresses: whoever takes a file may get one, and nobody else's body is large."""

import inspect
import re
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.views.i18n import set_language

from karez.host.front import table
from karez.intake.limits import FILE_BYTES
from karez.kernel import lanes
from karez.proofreader import upload as proof_upload

_PUT_IN = {
    "int": "7",
    "id": "7",
    "year": "2009",
    "slug": "word",
    "str": "word",
    "path": "chapter.pdf",
    "uuid": "6a2f41a3-c54c-4a53-9d37-6b2f7a1d0001",
}
_TAKES_FILES = re.compile(r"\buploaded\(|request\.FILES|sent_files\(|attach_form|unpacked\(")


def addresses(patterns: Any = None, before: str = "/") -> list[tuple[str, Any]]:
    """Every address of the site with something put in, and its view."""
    found = []
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            found += addresses(one.url_patterns, before + str(one.pattern))
        elif isinstance(one, URLPattern):
            address = re.sub(r"<(?:(\w+):)?\w+>", lambda m: _PUT_IN[m.group(1) or "str"], before + str(one.pattern))
            found.append((address, one.callback))
    return found


def test_whoever_takes_files_is_let_have_them_and_the_table_names_nothing_else() -> None:
    sent_to = {address: view for address, view in addresses() if table.way_of("POST", address) != lanes.Way()}
    for address, view in sent_to.items():
        assert _TAKES_FILES.search(inspect.getsource(inspect.getmodule(view))), f"{address} takes no file"
    for address, view in addresses():
        inner = inspect.unwrap(view)
        if inner is not set_language and _TAKES_FILES.search(inspect.getsource(inner)):
            assert address in sent_to, f"{address} takes a file and gets none larger than a form"
    named = [*table.SENT, *table.ASKED]
    for pattern, _way in named:
        assert any(pattern.fullmatch(address) for address, _ in addresses()), f"{pattern.pattern} is no address"


def test_the_front_lets_in_what_the_site_takes_and_asks_who_sends_it() -> None:
    assert table.way_of("POST", "/files/send/").body_bytes >= FILE_BYTES
    proof = table.way_of("POST", "/proof/")
    assert proof.body_bytes > 4 * proof_upload.MAX_BYTES / 3, "a result page carries its file back, coded"
    large = [way for _, way in (*table.SENT, *table.ASKED) if way.body_bytes > lanes.FORM_BYTES and not way.signed_in]
    assert large == [proof], "only the proofreader takes more than a form from strangers"
    assert all(way.body_bytes == lanes.FORM_BYTES for _, way in table.ASKED)
    assert table.way_of("POST", "/account/login/") == lanes.Way()


def test_the_example_for_nginx_lets_in_what_the_front_takes_and_keeps_no_file() -> None:
    """Every address with a large body has a place of its own there: as large as the front takes it, handed on unread."""
    conf = (Path(__file__).parents[3] / "deploy" / "nginx.conf").read_text()
    places = re.findall(r"location (=|~)? ?(\S+) \{(.*?)\n    \}", conf, re.DOTALL)
    size = {
        address: int(found[1])
        for _, address, body in places
        if (found := re.search(r"client_max_body_size (\d+)m;", body))
    }
    assert "    client_max_body_size 2m;" in conf
    large = {address for address, _ in addresses() if table.way_of("POST", address).body_bytes > lanes.FORM_BYTES}
    matched = {}
    for address in large:
        for kind, pattern, body in places:
            if address == pattern if kind == "=" else kind == "~" and re.search(pattern, address):
                assert size[pattern] * lanes.MIB >= table.way_of("POST", address).body_bytes
                assert "proxy_request_buffering off;" in body
                assert "limit_conn " in body
                matched[address] = pattern
    assert set(matched) == large
    assert set(matched.values()) == set(size), "and nothing else is let have more"
