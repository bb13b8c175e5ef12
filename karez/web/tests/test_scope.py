"""A county's clerk walks every address of the site with another county's records: nothing opens and nothing shows.

Each room names its addresses in `tests/scope.py`. One that is not there fails the test, so a new page cannot be forgotten.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from karez.access.models import User
from karez.closing import services as closing
from karez.ledger.models import Transfer
from karez.mutual_funds.models import Loan
from karez.periods.models import Period
from karez.places import services as places
from karez.places.models import Tree
from karez.register.models import Household
from karez.web.tests import samples
from karez.web.tests.reading import read

SCOPED: dict[str, tuple[str, str]] = samples.table("SCOPED")
MORE: dict[str, dict[str, str]] = samples.table("MORE")
OWN: dict[str, dict[str, Any]] = samples.table("OWN")
REGION_ONLY: dict[str, tuple[dict[str, Any], str]] = samples.table("REGION_ONLY")
PUBLIC: dict[str, None] = samples.table("PUBLIC")


def addresses(patterns: Any = None, space: str = "") -> Iterator[str]:
    """Names of every address of the site, those of the sign-in library apart: they hold nobody's records."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            if getattr(one.urlconf_name, "__name__", "") == "allauth.urls":
                continue
            yield from addresses(one.url_patterns, f"{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern):
            yield f"{space}{one.name}"


def _client(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _ask(client: Client, address: str, how: str) -> Iterator[Any]:
    if how in ("get", "both"):
        yield client.get(address)
    if how in ("post", "both"):
        yield client.post(address, {"reason": "because", "purpose": "curiosity", "do": "refuse", "approve": "1"})


def _body(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if content.startswith(b"PK"):  # a workbook, packed
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            content = b"".join(parts.read(name) for name in parts.namelist())
    return content.decode()


@pytest.fixture
def counties(committed_world: Any) -> dict[str, samples.Sample]:
    """Records of both counties, and a provisional snapshot of them."""
    found = samples.build(committed_world)
    closing.provisional(committed_world.regional, year=2009)
    return found


def test_every_address_is_in_the_table() -> None:
    known = SCOPED.keys() | OWN.keys() | REGION_ONLY.keys() | PUBLIC.keys()
    found = set(addresses())
    assert not found - known, f"say in the room's tests/scope.py who may see {found - known}"
    assert not known - found, f"no such address any more: {known - found}"


def _nobody_opens_anything_without_signing_in(counties: dict[str, samples.Sample]) -> None:
    for name, (key, _how) in SCOPED.items():
        answer = Client().get(reverse(name, kwargs=_words(name, key, counties["990102"])))
        assert answer.status_code in (302, 405), name
        assert answer.status_code == 405 or "/account/login/" in answer["Location"], name
    for name, words in OWN.items():
        answer = Client().get(reverse(name, kwargs=_filled(words, counties["990102"])))
        assert answer.status_code == 302, name
        assert "/account/login/" in answer["Location"], name


def test_who_opens_what(committed_world: Any, counties: dict[str, samples.Sample]) -> None:
    # One world for all of these walks: making it takes longer than walking.
    _nobody_opens_anything_without_signing_in(counties)
    _nothing_of_theirs(committed_world.clerk, counties["990102"])
    _nothing_of_theirs(committed_world.other_clerk, counties["990101"])
    _ones_own_records_do_open(committed_world, counties)
    _a_frozen_key_opens_only_to_its_own(committed_world, counties)
    _a_trace_counts_rows_elsewhere_and_shows_none(committed_world, counties)


def _ones_own_records_do_open(committed_world: Any, counties: dict[str, samples.Sample]) -> None:
    mine = counties["990101"]
    for user in (committed_world.clerk, committed_world.regional):
        client = _client(user)
        for name, (key, how) in SCOPED.items():
            if how != "post":
                answer = client.get(reverse(name, kwargs=_words(name, key, mine)))
                expected = (200, 302) if name == "ledger:set" else (200, 403) if how == "both" else (200,)
                assert answer.status_code in expected, f"{name}: {answer.status_code}"
        for name, words in OWN.items():
            assert client.get(reverse(name, kwargs=_filled(words, mine))).status_code == 200, name


def _a_frozen_key_opens_only_to_its_own(committed_world: Any, counties: dict[str, samples.Sample]) -> None:
    theirs = counties["990102"].ids
    key = str(Household.objects.get(pk=theirs["household_id"]).key)
    for table, column, value in (
        ("register_households", "key", key),
        ("mutual_funds_members", "household_key", key),
        ("mutual_funds_loans", "loan_id", str(theirs["loan_id"])),
        ("mutual_funds_societies", "society_id", str(theirs["society_id"])),
        ("returns_values", "return_id", str(theirs["return_id"])),
        ("mutual_funds_loans", "voucher_id", str(theirs["voucher_id"])),
        ("mutual_funds_loans", "transfer_id", str(_transfer_of(theirs["voucher_id"]))),
        ("no_such_table", "key", key),
    ):
        address = reverse("trace:record", args=[table, column, value])
        answer = _client(committed_world.clerk).get(address, follow=True)
        assert answer.status_code == 404, f"{table}: {answer.status_code}"
        _silent(table, answer, counties["990102"])
        if table != "no_such_table":
            assert _client(committed_world.other_clerk).get(address, follow=True).status_code == 200, table


def _transfer_of(voucher_id: int) -> int:
    found = Transfer.objects.filter(voucher_id=voucher_id).first()
    assert found is not None
    return int(found.pk)


def _a_trace_counts_rows_elsewhere_and_shows_none(committed_world: Any, counties: dict[str, samples.Sample]) -> None:
    address = reverse("trace:trace", args=["99", 2009, "mutual_funds.loans_issued"])
    said = read(_client(committed_world.clerk).get(address).content.decode())
    assert "and 1 outside your areas" in said
    assert "Loan L-990101" in said
    lent = Loan.objects.get(pk=counties["990101"].ids["loan_id"])
    paid_out = Transfer.objects.get(pk=lent.transfer_id)
    mine = {"loan_id": lent.pk, "society_id": lent.society_id, "voucher_id": paid_out.voucher_id}
    for column in ("loan_id", "society_id", "voucher_id"):
        assert (
            '<td class="nowrap"><a '
            f'href="{reverse("trace:record", args=["mutual_funds_loans", column, str(mine[column])])}">'
        ) in said
    assert (
        '<th scope="row" class="nowrap"><a '
        f'href="{reverse("trace:record", args=["mutual_funds_loans", "loan_id", str(mine["loan_id"])])}">'
    ) in said
    assert "Loan L-990102" not in said
    theirs = f"{address}?area={counties['990102'].ids['area_id']}"
    assert _client(committed_world.clerk).get(theirs).status_code == 404


def test_after_a_cut_out_the_old_county_sees_nothing_of_it(
    committed_world: Any, counties: dict[str, samples.Sample]
) -> None:
    theirs, areas = counties["990102"], committed_world.areas
    township = next(a.parent_id for a in Tree.objects.filter(pk=theirs.ids["village_id"]))
    places.cut_out_area(
        committed_world.regional,
        from_area_ids=[areas["990102"]],
        parent_id=areas["9901"],
        level="county",
        new=places.NewArea(code="990103", name_zh="新泉县", name_en="Xinquan", children=(township,)),
        on=date(2010, 1, 1),
        reason="cut out",
    )
    stays = {
        "returns:one",
        "returns:decide",
        "returns:attach",
        "intake:batch",
        "intake:progress",
        "intake:faults",
        "intake:decide",
    }
    stays |= {"funds:proposal", "funds:take_back_allocation"}  # and what was passed to the county itself
    client = _client(committed_world.other_clerk)
    for name, (key, how) in SCOPED.items():
        if name in stays:  # what the county sent in is still its own
            continue
        for answer in _ask(client, reverse(name, kwargs=_words(name, key, theirs)), how):
            assert answer.status_code == 404, f"{name}: {answer.status_code}"
    _nothing_of_theirs(committed_world.clerk, theirs)


def _nothing_of_theirs(user: User, theirs: samples.Sample) -> None:
    client = _client(user)
    for name, (key, how) in SCOPED.items():
        words = _words(name, key, theirs)
        nowhere = words | {k: 987_654_321 for k, v in words.items() if isinstance(v, int)}
        address, other = (reverse(name, kwargs=w) for w in (words, nowhere))
        for answer, nothing in zip(_ask(client, address, how), _ask(client, other, how), strict=True):
            assert answer.status_code == nothing.status_code == 404, (
                f"{name}: {answer.status_code}, {nothing.status_code} where there is nothing"
            )
            assert _plain(answer, address) == _plain(nothing, other), f"{name} tells another's record from none"
            _silent(name, answer, theirs)
    for name, words in OWN.items():
        answer = client.get(reverse(name, kwargs=_filled(words, theirs)))
        assert answer.status_code == 200, f"{name}: {answer.status_code}"
        _silent(name, answer, theirs)
    for name, (words, how) in REGION_ONLY.items():
        for answer in _ask(client, reverse(name, kwargs=_filled(words, theirs)), how):
            assert answer.status_code in (403, 404), f"{name}: {answer.status_code}"
    assert Period.objects.get(year=2009).state == "open"


def _plain(answer: Any, address: str) -> str:
    """What a page says, without its own address and what is drawn anew for each answer."""
    said = re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]*"', "", _body(answer))
    return said.replace(address, "")


def test_nothing_here_is_one_page_in_both_languages(committed_world: Any) -> None:
    for client in (Client(), _client(committed_world.clerk)):
        for language, words in (("en", "Nothing here"), ("zh-hans", "这里没有内容")):
            answer = client.get("/nosuchpage/", headers={"accept-language": language})
            assert answer.status_code == 404
            assert words in _body(answer)
    mine, there = _client(committed_world.clerk), "/ledger/vouchers/987654/"
    one, other = (
        re.sub(r"<nav class.*?</nav>", "", _plain(mine.get(a), a), flags=re.DOTALL) for a in ("/nosuchpage/", there)
    )
    assert one == other
    assert mine.get(there, headers={"accept": "application/json"}).json() == {"code": "not_found"}


def test_who_may_not_attach_is_not_offered_it(committed_world: Any, counties: dict[str, samples.Sample]) -> None:
    mine = counties["990101"].ids
    for address in (
        reverse("ledger:voucher", args=[mine["voucher_id"]]),
        reverse("returns:one", args=[mine["return_id"]]),
    ):
        assert "Attach a document" in _body(_client(committed_world.clerk).get(address))
        assert "Attach a document" not in _body(_client(committed_world.auditor).get(address))


def _silent(name: str, answer: Any, theirs: samples.Sample) -> None:
    said = _body(answer)
    for secret in theirs.secrets:
        assert secret not in said, f"{name} tells {secret}"


def _words(name: str, key: str, sample: samples.Sample) -> dict[str, Any]:
    address = "proposal_id" if key.endswith("proposal_id") else "record_id" if name.startswith("records:") else key
    return {address: sample.ids[key], **_filled(MORE.get(name, {}), sample)}


def _filled(words: dict[str, Any], sample: samples.Sample) -> dict[str, Any]:
    return {k: sample.ids.get(v, v) if isinstance(v, str) else v for k, v in words.items()}
