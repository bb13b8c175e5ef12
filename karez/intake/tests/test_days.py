"""A day lies in an opened year, first and last day are told, and what counts later than it says is told to both people."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from karez.intake import days, services
from karez.intake.tests.conftest import VILLAGES, faults_of, sent
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Column, Days, Kind
from karez.periods.services import OpenedDays, counts_on, ends_on

HEAD = "ref,village,name,paid_on\n"


def _rows(*days: str) -> str:
    return HEAD + "".join(f"R{n},{VILLAGES[0]},马小军,{day}\n" for n, day in enumerate(days))


def _page(user: Any, batch_id: int) -> str:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.get(reverse("intake:batch", args=[batch_id])).content.decode()


def close_2009(county: SimpleNamespace) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT periods_prepare_close(2009, %s)", [county.sender.pk])
        cursor.execute("SELECT periods_begin_close(2009, %s)", [county.approver.pk])
        cursor.execute("SELECT periods_finish_close(2009, 'digest')")


def test_a_day_outside_every_opened_year_is_a_fault(county: SimpleNamespace) -> None:
    batch = sent(
        county, _rows("2009-02-16", "2019-02-16", "2090-02-16", "0209-02-16", "2008-12-31", "2011-01-01", "1009-02-16")
    )
    assert faults_of(batch) == [(n, "paid_on", "type" if n == 5 else "day_opened") for n in (3, 4, 5, 6, 7, 8)]
    told = batch.faults.get(row_no=3)
    assert (
        told.expected == "a day of a year that was opened: 2009-01-01 to 2010-12-31"
        and "approver who signs" in told.todo
    )
    assert "nobody opens one before it" in batch.faults.get(row_no=6).todo
    assert "opening balances" in batch.faults.get(row_no=6).todo


@pytest.mark.django_db
def test_a_year_outside_every_opened_year_is_a_fault() -> None:
    """As for a day: none before the first year where the column asks for opened ones, none before the calendar
    otherwise.
    """
    opened = OpenedDays(first=date(2009, 1, 1), last=date(2010, 12, 31), first_open=date(2010, 1, 1))
    for asked, wrong in ((Days.OPENED, [2008, 2011]), (Days.SINCE, [1948, 2011]), (Days.ANY, [])):
        column = Column("year", "year", Kind.YEAR, days=asked)
        sheet = SimpleNamespace(columns=(column,))
        rows = (
            "(VALUES "
            + ", ".join(f"({y}, {y})" for y in (1948, 2008, 2009, 2010, 2011) if asked is not Days.SINCE or y != 2008)
            + ") s (row_no, year)"
        )
        with connection.cursor() as cursor:
            found = []
            for check in days.checks(sheet, opened):  # type: ignore[arg-type]
                cursor.execute(check.sql.replace("{stage}", rows))
                found += [row for row, _said in cursor.fetchall()]
        assert sorted(found) == ([1948, *wrong] if asked is Days.OPENED else wrong)


def test_first_and_last_day_stand_beside_the_totals(county: SimpleNamespace) -> None:
    batch = sent(county, _rows("2009-03-16", "2009-02-01", ""))
    assert {t["label"]: t["value"] for t in batch.totals if t["unit"] == "day"} == {
        "first day": "2009-02-01",
        "last day": "2009-03-16",
    }
    assert "2009-02-01" in _page(county.sender, batch.pk) and "2009-03-16" in _page(county.approver, batch.pk)


def test_rows_of_a_closed_year_are_told_to_both(county: SimpleNamespace) -> None:
    before = sent(county, _rows("2009-03-16"))
    assert not [n for n in before.notices if n["what"] == "late"]
    services.apply(county.approver, batch_id=before.pk)
    close_2009(county)
    batch = sent(county, _rows("2009-03-16", "2009-03-17", "2010-03-17"))
    assert [n["found"] for n in batch.notices if n["what"] == "late"] == ["2 rows of 2009 count from 2010-01-01"]
    for person in (county.sender, county.approver):
        assert "2 rows of 2009 count from 2010-01-01" in _page(person, batch.pk)
        page = _page(person, before.pk)  # to take back what stands in the closed year
        assert "1 row of 2009 stands in a closed year; that it is taken back counts from 2010-01-01" in page
    again = services.check_again(county.sender, batch_id=batch.pk)
    assert len([n for n in again.notices if n["what"] == "late"]) == 1


def test_services_refuse_a_day_nobody_opened(county: SimpleNamespace) -> None:
    assert counts_on(date(2009, 12, 31)) == date(2009, 12, 31) and ends_on(date(2010, 1, 1)) == date(2010, 1, 1)
    with pytest.raises(Refusal) as told:
        counts_on(date(2011, 1, 1))  # in the year after the last opened one work goes on while that is being closed
    assert told.value.code == "periods.not_opened"
    close_2009(county)
    assert counts_on(date(2010, 1, 1)) == date(2010, 1, 1)
