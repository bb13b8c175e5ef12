"""A file whose check came to nothing is no dead end: it is checked again or refused, and stands in the way of no
stranger's erasure.
"""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from karez.intake import inbox, queries, retention, services
from karez.intake.models import Batch, State
from karez.intake.tests.conftest import FAR, VILLAGES, csv_of, id_number
from karez.kernel.refusal import Refusal


@pytest.fixture
def stuck(county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """A batch as a fault of program or machine leaves it."""

    def fails(*_given: Any) -> None:
        raise OSError("disk")

    batch = services.receive(county.sender, sheet="toy", file_name="f.csv", stream=io.BytesIO(csv_of(3).encode()))
    with monkeypatch.context() as patched, pytest.raises(OSError, match="disk"):
        patched.setattr(services, "load", fails)
        services.stage(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.trouble) == (State.RECEIVED, "a fault of the program: OSError")
    return batch


def _page(user: Any, batch: Batch) -> str:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(reverse("intake:batch", args=[batch.pk]))
    return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)


def test_it_is_checked_again(county: SimpleNamespace, stuck: Batch) -> None:
    page = _page(county.sender, stuck)
    assert 'value="check"' in page and 'value="refuse"' in page and "could not be checked" in page
    assert sum(item.count for item in inbox.items(county.sender)) == 1
    assert services.check_again(county.sender, batch_id=stuck.pk).state == State.CHECKED


def test_it_is_refused_by_its_sender_or_over_the_region(county: SimpleNamespace, stuck: Batch) -> None:
    assert 'value="refuse"' in _page(county.approver, stuck)  # over the whole region
    for person in (county.second, county.stranger, county.far_approver):
        assert "value=" not in _page(person, stuck)
        with pytest.raises(Refusal):
            services.refuse(person, batch_id=stuck.pk, reason="x")
        with pytest.raises(Refusal):
            queries.batch_for(person, stuck.pk)
    assert services.refuse(county.approver, batch_id=stuck.pk, reason="cannot be read").state == State.REFUSED


def not_asked(batch: int, whole: bool) -> None:
    raise AssertionError(f"batch {batch} is forgotten")


def test_only_files_that_may_hold_the_person_are_in_the_way(county: SimpleNamespace, stuck: Batch) -> None:
    ours, far = county.ids[VILLAGES[0]], county.ids[FAR]
    assert retention.forget_files_of(area_ids=[far], number_hash=b"n", name_hash=b"m", forget=not_asked) == []
    with pytest.raises(Refusal) as refused:
        retention.forget_files_of(area_ids=[ours], number_hash=b"n", name_hash=b"m", forget=not_asked)
    assert (refused.value.code, refused.value.more) == ("intake.waits", {"batch": stuck.pk})
    services.refuse(county.sender, batch_id=stuck.pk, reason="cannot be read")
    marked: list[tuple[int, bool]] = []
    assert retention.forget_files_of(
        area_ids=[ours], number_hash=b"n", name_hash=b"m", forget=lambda batch, whole: marked.append((batch, whole))
    ) == [stuck.pk]  # never read: it may hold anybody
    assert marked == [(stuck.pk, True)]


def test_a_checked_file_is_in_the_way_with_the_number_or_the_name_alone(county: SimpleNamespace) -> None:
    from django.conf import settings

    text = csv_of(2).replace(id_number(1), "")
    batch = services.stage(
        services.receive(county.sender, sheet="toy", file_name="f.csv", stream=io.BytesIO(text.encode())).pk
    )
    assert batch.state == State.CHECKED
    key = settings.SEALING_KEY
    first, second = (key.name_hash(key.area_key(county.ids[VILLAGES[n]]), f"马小军{n}") for n in (0, 1))
    area = [county.ids[VILLAGES[0]]]
    assert (
        retention.forget_files_of(area_ids=area, number_hash=key.number_hash("x"), name_hash=first, forget=not_asked)
        == []
    )  # another number: another person
    for number, name in ((key.number_hash(id_number(0)), None), (None, first), (key.number_hash("x"), second)):
        with pytest.raises(Refusal):
            retention.forget_files_of(area_ids=area, number_hash=number, name_hash=name, forget=not_asked)


def test_a_checked_file_whose_rows_a_crash_took_is_judged_by_its_places(county: SimpleNamespace) -> None:
    batch = services.stage(
        services.receive(county.sender, sheet="toy", file_name="f.csv", stream=io.BytesIO(csv_of(2).encode())).pk
    )
    ours, far = [county.ids[VILLAGES[0]]], [county.ids[FAR]]
    assert not retention._is_staged(batch, ours, b"n", None)
    batch.row_count = 3  # one row is missing
    assert retention._is_staged(batch, ours, b"n", None) and not retention._is_staged(batch, far, b"n", None)
