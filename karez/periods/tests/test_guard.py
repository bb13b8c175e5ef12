"""Closed years refuse what counts in them: by raw SQL as the app's role, and with a transaction open across a close."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest
from django.db import connection

from karez.access.models import ReadEvent
from karez.access.services import add_user
from karez.periods import guard, services
from karez.system import database

Connect = Callable[[], "psycopg.Connection[Any]"]

_GRANT = """INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id)
 VALUES (%s, 'auditor', %s, %s, %s, 1) RETURNING id"""


@pytest.fixture
def region(committed_db: str) -> int:
    services.found_region(
        area_id=1, code="99", first_year=2009, controller="Office", legal_basis="law", complaint_body="Ombudsman"
    )
    return add_user(username="u", full_name="U", password=None).pk


def _close(year: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT periods_prepare_close(%s, 1)", [year])
        cursor.execute("SELECT periods_begin_close(%s, 2)", [year])
        cursor.execute("SELECT periods_finish_close(%s, 'digest')", [year])


def test_every_table_declares_its_use(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(guard._TABLES)
        tables = [row[0] for row in cursor.fetchall()]
    usages = guard.declared_usages()
    assert len(tables) > 20
    assert [t for t in tables if guard.usage_of(t, usages) is None] == []


def test_a_closed_year_takes_no_new_fact(region: int, app_connection: Connect) -> None:
    _close(2009)
    raw = app_connection()
    with pytest.raises(psycopg.Error) as refused:
        raw.execute(_GRANT, [region, 1, "2009-06-01", "2009-06-01"])
    assert refused.value.sqlstate == "KZ001"
    assert "2010-01-01" in (refused.value.diag.message_detail or "")
    raw.rollback()
    raw.execute(_GRANT, [region, 1, "2009-06-01", "2010-01-01"])  # learnt late: true date kept, counted later


def test_ends_and_voids_reach_no_closed_year(region: int, app_connection: Connect) -> None:
    raw = app_connection()
    row = raw.execute(_GRANT, [region, 1, "2009-06-01", "2009-06-01"]).fetchone()
    assert row
    raw.commit()
    _close(2009)
    end = "UPDATE access_grant SET ends_before=%s, counts_before=%s, ended_at=now(), ended_by_id=1 WHERE id=%s"
    with pytest.raises(psycopg.Error) as refused:
        raw.execute(end, ["2009-12-01", "2009-12-01", row[0]])
    assert refused.value.sqlstate == "KZ001"
    raw.rollback()
    raw.execute(end, ["2009-12-01", "2010-01-01", row[0]])
    raw.commit()
    with pytest.raises(psycopg.Error) as twice:
        raw.execute(end, ["2009-12-02", "2010-01-02", row[0]])
    assert twice.value.sqlstate == "KZ005"
    raw.rollback()
    void = "UPDATE access_grant SET voided_at=now(), voided_by_id=1, void_reason='x', void_counts_on=%s WHERE id=%s"
    with pytest.raises(psycopg.Error) as early:
        raw.execute(void, ["2009-12-31", row[0]])
    assert early.value.sqlstate == "KZ001"
    raw.rollback()
    raw.execute(void, ["2010-01-01", row[0]])
    raw.commit()
    with pytest.raises(psycopg.Error) as again:
        raw.execute(void, ["2010-01-02", row[0]])
    assert again.value.sqlstate == "KZ004"


def test_the_app_may_neither_change_nor_delete_facts(region: int, app_connection: Connect) -> None:
    raw = app_connection()
    for attack in (
        "UPDATE access_grant SET role = 'approver'",
        "UPDATE access_grant SET starts_on = '2001-01-01'",
        "DELETE FROM access_grant",
        "TRUNCATE access_grant",
        "UPDATE access_readevent SET purpose = 'x'",
        "DELETE FROM access_readevent",
        "UPDATE periods_region SET first_open_day = '2001-01-01'",
        "INSERT INTO periods_period (year, state) VALUES (2001, 'open')",
        "ALTER TABLE access_grant DISABLE TRIGGER ALL",
        "DROP TRIGGER access_grant_guard_insert ON access_grant",
        "CREATE TABLE mine (a int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute(attack)
        raw.rollback()


def test_a_transaction_open_across_a_close_is_waited_for(region: int, app_connection: Connect) -> None:
    writer = app_connection()
    writer.execute(_GRANT, [region, 1, "2009-06-01", "2009-06-01"])
    closed = threading.Event()

    def close() -> None:
        with psycopg.connect(database.conninfo(database.APP), autocommit=True) as closer:
            closer.execute("SELECT pg_advisory_lock(4711, 2009)")
            closer.execute("SELECT periods_prepare_close(2009, 1)")
            closer.execute("SELECT periods_begin_close(2009, 2)")
            closer.execute("SELECT periods_finish_close(2009, 'd')")
            closed.set()

    thread = threading.Thread(target=close)
    thread.start()
    assert not closed.wait(0.5), "closing did not wait for the open writer"
    writer.commit()
    thread.join(10)
    assert closed.is_set()
    late = app_connection()
    with pytest.raises(psycopg.Error) as refused:
        late.execute(_GRANT, [region, 2, "2009-06-01", "2009-06-01"])
    assert refused.value.sqlstate == "KZ001"


def test_a_writer_under_an_old_snapshot_is_refused(region: int, app_connection: Connect) -> None:
    raw = app_connection()
    raw.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with pytest.raises(psycopg.Error) as refused:
        raw.execute(_GRANT, [region, 1, "2009-06-01", "2009-06-01"])
    assert refused.value.sqlstate == "KZ003"


def test_closing_needs_two_people_and_order(region: int, app_connection: Connect) -> None:
    raw = app_connection()
    for attack, code in (
        ("SELECT periods_prepare_close(2010, 1)", "KZ006"),
        ("SELECT periods_begin_close(2009, 1)", "KZ007"),
        ("SELECT periods_prepare_close(2009, 1); SELECT periods_begin_close(2009, 1)", "KZ007"),
        ("SELECT periods_finish_close(2009, 'x')", "KZ007"),
        ("SELECT periods_reopen(2009, 1, 2, 'why')", "KZ008"),
    ):
        with pytest.raises(psycopg.Error) as refused:
            raw.execute(attack)
        assert refused.value.sqlstate == code, attack
        raw.rollback()


def test_reopening_keeps_the_digest_in_the_record(region: int, app_connection: Connect) -> None:
    _close(2009)
    raw = app_connection()
    for people in ("5, 5", "5, NULL", "NULL, 5", "NULL, NULL"):
        with pytest.raises(psycopg.Error) as refused:
            raw.execute(f"SELECT periods_reopen(2009, {people}, 'why')")
        assert refused.value.sqlstate == "KZ008", people
        raw.rollback()
    raw.execute("SELECT periods_reopen(2009, 5, 6, 'a county was left out')")
    raw.commit()
    assert services.first_open_day() == date(2009, 1, 1)
    row = raw.execute("SELECT snapshot, reason FROM periods_periodchange ORDER BY id DESC LIMIT 1").fetchone()
    assert row == ("digest", "a county was left out")


def test_a_look_without_purpose_is_refused(db: None) -> None:
    with pytest.raises(Exception, match="access_readevent_has_purpose"):
        ReadEvent.objects.create(kind="person", subject_id=1, purpose="")


def test_an_end_says_who_set_it_and_from_when(region: int, app_connection: Connect) -> None:
    raw = app_connection()
    row = raw.execute(_GRANT, [region, 1, "2009-06-01", "2009-06-01"]).fetchone()
    assert row
    raw.commit()
    for words in (
        "end_reason='x', ended_by_id=1, ended_at=now()",
        "ends_before='2009-12-01', counts_before='2009-12-01'",
    ):
        with pytest.raises(psycopg.Error) as refused:
            raw.execute(f"UPDATE access_grant SET {words} WHERE id = %s", row)
        assert refused.value.sqlstate == "KZ005", words
        raw.rollback()


def test_history_cannot_be_led_astray_by_a_temporary_table(region: int, app_connection: Connect) -> None:
    raw = app_connection()
    raw.execute("CREATE TEMP TABLE access_userevent (LIKE public.access_userevent)")
    raw.execute("UPDATE access_user SET full_name = 'X' WHERE id = %s", [region])
    told = raw.execute(
        "SELECT count(*) FROM public.access_userevent WHERE pgh_obj_id = %s AND full_name = 'X'", [region]
    ).fetchone()
    assert told == (1,)


def test_nothing_is_put_off_to_a_later_day(region: int, app_connection: Connect) -> None:
    raw = app_connection()
    row = raw.execute(_GRANT, [region, 1, "2009-06-01", "2009-06-01"]).fetchone()
    assert row
    raw.commit()
    end = "UPDATE access_grant SET ends_before='2009-07-01', counts_before=%s, ended_at=now(), ended_by_id=1"
    void = "UPDATE access_grant SET voided_at=now(), voided_by_id=1, void_reason='x', void_counts_on=%s"
    attacks = [
        (_GRANT, [region, 2, "2009-06-01", "2009-06-02"]),
        (_GRANT, [region, 2, "2009-06-01", "2010-01-01"]),  # 2009 was never closed
        (end, ["2009-08-01"]),
        (end, ["2010-01-01"]),
        (void, ["2300-01-01"]),
    ]
    for sql, params in attacks:
        with pytest.raises(psycopg.Error) as refused:
            raw.execute(sql, params)
        assert refused.value.sqlstate == "KZ009", params
        raw.rollback()
    raw.execute(_GRANT, [region, 2, "2001-06-01", "2009-01-01"])  # opening state


def test_no_year_is_reopened_while_the_next_is_being_closed(region: int, app_connection: Connect) -> None:
    _close(2009)
    raw = app_connection()
    raw.execute("SELECT periods_prepare_close(2010, 1); SELECT periods_begin_close(2010, 2)")
    raw.commit()
    with pytest.raises(psycopg.Error) as refused:
        raw.execute("SELECT periods_reopen(2009, 5, 6, 'why')")
    assert refused.value.sqlstate == "KZ008"


@pytest.mark.django_db
def test_what_joins_the_rows_of_a_statement_is_planned_for_many() -> None:
    """Every trigger but those of roles, which no file brings and one person is given at a time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE NOT t.tgisinternal AND (t.tgnewtable IS NOT NULL OR t.tgoldtable IS NOT NULL)
                AND p.prosrc ~* '\\mjoin\\M'
              AND p.prosrc !~ 'periods_plan_for' AND t.tgrelid NOT IN ('access_grant'::regclass,
                  'access_grantproposal'::regclass)"""
        )
        assert cursor.fetchall() == []
