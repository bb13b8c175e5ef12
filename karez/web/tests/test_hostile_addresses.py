"""Every address of the site, with hostile words in it and in what is typed, by people of several roles: no page breaks.

What is answered is another test's matter (`test_scope`); here a page may say anything but "500", and may not leave the
database's transaction broken. The addresses are those of the URL table, so a new page is in it by itself.
"""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from karez.web.tests import samples

EXAMPLES = int(os.environ.get("KAREZ_HOSTILE_EXAMPLES", "160"))
HOSTILE = [
    "",
    "0",
    "-1",
    "1_²",
    "²",
    "٣",
    "１２",
    "१",
    "Ⅷ",
    "9" * 19,
    "9223372036854775808",
    "-9223372036854775809",
    "9" * 400,
    "1e309",
    "NaN",
    "Infinity",
    "-0",
    "0x1",
    "1_1",
    "1_9223372036854775808",
    "99999999_1",
    "2009-12-31_²",
    "9999-12-31",
    "9999-12-31_1",
    "0001-01-01",
    "0001-01-01_1",
    "2009-02-30",
    "10000-01-01",
    "2009-W01-1",
    "20091231",
    "-2009-01-01",
    "\0",
    "a\0b",
    "%00",
    "\ud7ff",
    "\uffff",
    "\x7f\x01",
    "'\"\\;--",
    "%",
    "_",
    "\\",
    "../../etc/passwd",
    "é" * 300,
    "x" * 70_000,
    "{{7*7}}",
    "<script>",
    "\u202e",
    "None",
    "null",
    "true",
    "[]",
    "1 OR 1=1",
    "00000000-0000-0000-0000-000000000000",
    "2009",
    "9999",
    "0000",
    "1.5",
    "1e5",
    "+1",
    " 1 ",
]
NAMES = [
    "after",
    "q",
    "page",
    "year",
    "area",
    "state",
    "as_of",
    "loans",
    "members",
    "member",
    "column",
    "rule",
    "sheet",
    "first",
    "last",
    "next",
    "day",
    "on",
    "measure",
    "region",
    "do",
    "asked",
    "form",
    "kept",
    "with",
    "number",
    "language",
    "purpose",
    "reason",
    "village",
    "years",
    "figure",
    "sent_form",
]
TYPED = [
    "do",
    "reason",
    "purpose",
    "approve",
    "asked",
    "check",
    "title",
    "sheet",
    "role",
    "area",
    "starts_on",
    "last_day",
    "username",
    "full_name",
    "language",
    "amount",
    "amount_fen",
    "on",
    "happened_on",
    "paid_on",
    "member",
    "society",
    "year",
    "value",
    "numerator",
    "denominator",
    "measure",
    "document",
    "document_no",
    "document_on",
    "reference",
    "name",
    "id_number",
    "phone",
    "birth_month",
    "since",
    "sex",
    "relation",
    "household_no",
    "village",
    "counted_on",
    "counted",
    "note",
    "term_days",
    "rate",
    "login",
    "password",
    "next",
    "sent_form",
    "kept",
    "kept_rules",
    "form",
    "erratum",
    "figure",
    "confirmed",
    "code",
    "kind",
    "granted_on",
    "issued_on",
    "size",
    "income",
]
WORDS = {
    "what": ["contribution", "refund", "loan", "rules", "repayment", "leave", "appropriation", "allocation"],
    "kind": ["membership", "case"],
    "region": ["99", "64"],
    "figure_id": ["mutual_funds.villages_total"],
    "table": ["register_households", "mutual_funds_loans"],
    "column": ["key", "loan_id"],
    "name": ["ningxia-2009"],
}


def _patterns(patterns: Any = None, before: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for one in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route, one.pattern.converters


def _filled(route: str, converters: dict[str, Any], words: dict[str, str]) -> str:
    """The address with its parts written in; a part is put in as bytes come, whatever its converter thinks of it."""
    for name in converters:
        left, _sep, rest = route.partition("<")
        inner, _sep, right = rest.partition(">")
        assert inner.rpartition(":")[2] == name, route
        route = f"{left}{quote(words[name], safe='')}{right}"
    return "/" + route


@pytest.fixture
def hostile_world(committed_world: Any) -> tuple[dict[str, list[str]], dict[str, Client]]:
    """Records of a county by the names of parts of addresses, and clients of several roles."""
    found = samples.build(committed_world)["990101"].ids
    ids = {name: [str(value)] for name, value in found.items()} | {
        "year": ["2009"],
        "number": ["1"],
        "edition_id": ["1"],
    }
    ids |= {
        "proposal_id": [str(found["mutual_proposal_id"])],
        "user_id": [str(committed_world.clerk.pk)],
        "grant_id": ["1"],
        "appropriation_id": ["1"],
    }
    people = {"nobody": Client(REMOTE_ADDR="192.0.2.1")}
    for name in ("clerk", "treasurer", "finance", "approver", "regional", "statistician", "administrator"):
        people[name] = Client(raise_request_exception=True)
        people[name].force_login(
            getattr(committed_world, name), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
    return ids | WORDS, people


def test_no_page_breaks(hostile_world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known, people = hostile_world
    monkeypatch.setattr("karez.access.visitor_calls.CALLS", 10**6)
    monkeypatch.setattr("karez.access.visitor_calls.EDITIONS_CALLS", 10**6)
    routes = sorted(set(_patterns_named()))
    table = dict(_patterns())

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def ask(data: Any) -> None:
        route = data.draw(st.sampled_from(routes))
        words = {name: data.draw(st.sampled_from([*known.get(name, ["1"]) * 30, *HOSTILE])) for name in table[route]}
        pairs = data.draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(HOSTILE)), max_size=4))
        client = people[data.draw(st.sampled_from(sorted(people)))]
        address = _filled(route, table[route], words) + ("?" + urlencode(pairs) if pairs else "")
        if data.draw(st.booleans()):
            _answers(client, "get", address)
        else:
            typed = dict(data.draw(st.lists(st.tuples(st.sampled_from(TYPED), st.sampled_from(HOSTILE)), max_size=12)))
            _answers(client, "post", address, typed)

    ask()


def _patterns_named() -> Iterator[str]:
    """Routes of the table; those of signing out apart, which would end the walk."""
    yield from (
        route for route, _converters in _patterns() if "logout" not in route and "(?P" not in route and "^" not in route
    )


def _answers(client: Client, how: str, address: str, typed: dict[str, str] | None = None) -> None:
    with transaction.atomic():
        answer = client.get(address) if how == "get" else client.post(address, typed)
        if answer.streaming:
            b"".join(answer.streaming_content)
        assert answer.status_code < 500 or answer.status_code == 503, (address[:200], answer.status_code)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        transaction.set_rollback(True)  # the next one finds the same


def test_every_page_bears_each_hostile_word(hostile_world: Any) -> None:
    """What hypothesis draws by chance is asked here once for each: every hostile word in a part, and in each name of a
    query.
    """
    known, people = hostile_world
    for route, converters in _patterns():
        if not converters or "(?P" in route or "^" in route:
            continue
        for name in converters:
            for word in ("9223372036854775808", "1_²", "\0", "9999"):
                words = {other: known.get(other, ["1"])[0] for other in converters} | {name: word}
                _answers(people["regional"], "get", _filled(route, converters, words))
    for address in (
        "/places/",
        "/users/",
        "/files/",
        "/ledger/",
        "/funds/",
        "/returns/",
        "/mutual-funds/",
        "/yearbook/side-by-side/",
        "/account/login/",
    ):
        for word in ("\0", "9223372036854775808", "9999-12-31_1", "9999-12-31"):
            _answers(people["regional"], "get", f"{address}?{urlencode(dict.fromkeys(NAMES, word))}")
