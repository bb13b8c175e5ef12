"""Households of a fund: a dissolved one joins none, also with two hands at once; who reads their money is on record."""

import threading
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from karez.access.models import ReadEvent
from karez.kernel.refusal import Refusal
from karez.mutual_funds.models import Member
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, Fund, household
from karez.system import database

_JOIN = (
    "INSERT INTO mutual_funds_member (society_id, household_id, starts_on, counts_from, recorded_by_id) VALUES "
    "(%s, %s, '2009-03-02', '2009-03-02', 1)"
)
_END = """UPDATE register_household SET ends_before = '2009-03-01', counts_before = '2009-03-01', ended_at = now(),
    ended_by_id = 1,
 end_reason = 'x' WHERE id = %s"""


def _client(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_dissolved_household_does_not_join(fund: Fund) -> None:
    from karez.register import services as register

    gone = household(fund.society.area_id, "H9")
    register.dissolve_household(fund.world.clerk, household_id=gone.pk, on=DAY, reason="moved away")
    for day in (DAY, DAY.replace(day=1)):
        with pytest.raises(Refusal) as refused:
            entered.join(fund.treasurer, society=fund.society, household=gone, joined_on=day)
        assert refused.value.code == "mutual_funds.household_not_dissolved" and "dissolved" in refused.value.found


def test_joining_and_dissolving_wait_for_each_other(committed_fund: Fund) -> None:
    fund = committed_fund
    homes = [household(fund.society.area_id, no) for no in ("H8", "H9")]
    acts = [
        (_JOIN, [fund.society.pk, homes[0].pk], _END, [homes[0].pk]),
        (_END, [homes[1].pk], _JOIN, [fund.society.pk, homes[1].pk]),
    ]

    def second(sql: str, params: list[int], told: list[str]) -> None:
        with psycopg.connect(database.conninfo(database.APP)) as raw:
            try:
                raw.execute(sql, params)
                raw.commit()
                told.append("written")
            except psycopg.Error as error:
                told.append(error.sqlstate or "")

    for sql, params, then, then_params in acts:
        told: list[str] = []
        with psycopg.connect(database.conninfo(database.APP)) as raw:
            raw.execute(sql, params)
            thread = threading.Thread(target=second, args=(then, then_params, told))
            thread.start()
            thread.join(0.4)
            assert thread.is_alive(), "the second did not wait for the first"
            raw.commit()
            thread.join(10)
        assert told == ["KZ025"]
    assert Member.objects.filter(household=homes[0]).exists() and not Member.objects.filter(household=homes[1]).exists()


def test_who_reads_members_and_loans_is_on_record(fund: Fund) -> None:
    fund.pay_in(fund.members[0], 500)
    loan = fund.lend(fund.members[0], 100, "L1")
    client = _client(fund.treasurer)
    client.get(reverse("mutual_funds:society", args=[fund.society.pk]), {"as_of": "2009-12-31"})
    client.get(reverse("mutual_funds:loan", args=[loan.pk]))
    client.get(reverse("mutual_funds:act", args=[fund.society.pk, "refund"]))
    events = list(ReadEvent.objects.order_by("pk").values_list("kind", "subject_id", "rows", "user_id"))
    me = fund.treasurer.pk
    assert events == [
        ("society_page", fund.society.pk, 5, me),
        ("loan", loan.pk, 1, me),
        ("society_page", fund.society.pk, 3, me),
    ]
