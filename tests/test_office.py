"""The office's day, in Python and in every session of the database; and people an administrator makes at the console."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from karez.access import services as access
from karez.access.models import Grant, GrantProposal, SignInEvent, User
from karez.access.queries import awaits_first_sign_in, with_own_password
from karez.access.roles import Role
from karez.cli import founding
from karez.closing import sessions
from karez.kernel.refusal import Refusal
from karez.places import granting
from karez.system import clock, database

OWN = "a-password-of-my-own-27"


def _asked(session: Any) -> tuple[str, date]:
    row = session.execute("SELECT current_setting('TimeZone'), current_date").fetchone()
    return str(row[0]), row[1]


def test_every_session_keeps_the_office_s_time(committed_db: str) -> None:
    assert settings.TIME_ZONE == clock.zone() == "Asia/Shanghai"
    assert time.tzname[0] == "CST"
    for alias in ("default", "owner"):
        with connections[alias].cursor() as cursor:
            assert _asked(cursor) == ("Asia/Shanghai", date.today()), alias
    for role in (database.APP, database.OWNER):
        with psycopg.connect(database.conninfo(role)) as session:
            assert _asked(session) == ("Asia/Shanghai", date.today()), role
    with psycopg.connect(sessions.conninfo("desk")) as session:
        assert _asked(session)[0] == "Asia/Shanghai"


def test_a_real_server_is_told_the_zone_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://root:x@db.example:5433/office?sslmode=require")
    told = database.settings(database.APP)["OPTIONS"]
    assert (told["application_name"], told["sslmode"]) == ("karez_app", "require")
    assert "-c TimeZone=Asia/Shanghai" in told["options"]
    for words in ("TimeZone=Asia/Shanghai", "sslmode=require"):
        assert words in database.conninfo(database.OWNER)


def test_exports_do_not_depend_on_where_the_office_is(committed_db: str) -> None:
    with sessions.frozen_state() as state:
        assert state.rows("SELECT current_setting('TimeZone')") == [("UTC",)]
        with state.arrow() as cursor:
            cursor.execute("SELECT TIMESTAMPTZ '2009-12-31 23:30+08' AS at")
            assert cursor.fetchone()[0].astimezone(UTC) == datetime(2009, 12, 31, 15, 30, tzinfo=UTC)


@contextmanager
def _an_hour_past_midnight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A zone in which the next day has just begun while Greenwich still has this one, whatever the hour of the test."""
    ahead = 25 - datetime.now(UTC).hour if datetime.now(UTC).hour else 24
    monkeypatch.setenv("KAREZ_TIME_ZONE", f"<+{ahead:02}>-{ahead}")
    with monkeypatch.context() as own:
        own.setenv("TZ", "")
        clock.keep()
        try:
            yield
        finally:
            monkeypatch.delenv("KAREZ_TIME_ZONE")
            clock.keep()


def test_roles_given_after_midnight_count_in_the_database(
    committed_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = committed_world
    access.end_founding()
    new = access.add_user(username="new", full_name="New", password=OWN)
    heir = access.add_user(username="heir", full_name="Heir", password=OWN)
    with _an_hour_past_midnight(monkeypatch):
        today = date.today()
        assert today == datetime.now(UTC).date() + timedelta(days=1)
        with psycopg.connect(database.conninfo(database.OWNER)) as owner:
            assert owner.execute("SELECT current_date").fetchone() == (today,)
            owner.execute(_GRANT, [heir.pk, "administrator", world.region, today, today, heir.pk, None])
        with psycopg.connect(database.conninfo(database.APP)) as raw:
            proposal = raw.execute(_PROPOSE, [new.pk, "approver", world.region, today, heir.pk]).fetchone()
            assert proposal
            raw.execute(_AGREE, [proposal[0], world.regional.pk])
            raw.execute(_GRANT, [new.pk, "approver", world.region, today, today, heir.pk, proposal[0]])
            raw.execute(
                "UPDATE access_user SET is_active = false WHERE id = %s", [world.administrator.pk]
            )  # the heir stays
    assert Grant.objects.get(user=new).starts_on == today


_GRANT = """INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id, proposal_id)
 VALUES (%s, %s, %s, %s, %s, %s, %s)"""
_PROPOSE = """INSERT INTO access_grantproposal (user_id, role, area_id, starts_on, proposed_by_id)
 VALUES (%s, %s, %s, %s, %s) RETURNING id"""
_AGREE = "INSERT INTO access_grantanswer (proposal_id, agreed, answered_by_id) VALUES (%s, true, %s)"


def test_the_console_and_the_worker_have_the_office_s_day() -> None:
    """The console asks for the day before it reads Django's settings; the worker reads them first."""
    environment = os.environ | {"KAREZ_TIME_ZONE": "Asia/Kathmandu", "TZ": "UTC"}
    console = (
        "import sys, time; from karez.cli.program import main; sys.argv = ['karez', '--version']\ntry: "
        "main()\nfinally: print(time.timezone)"
    )
    worker = (
        "import os, time; os.environ['DJANGO_SETTINGS_MODULE'] = 'karez.settings'; import django; "
        "django.setup(); print(time.timezone)"
    )
    for program in (console, worker):
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, text=True, capture_output=True, check=False
        )
        assert done.stdout.split()[-1:] == ["-20700"], done.stderr


def test_a_password_an_administrator_types_at_the_console_is_for_the_first_sign_in(world: Any) -> None:
    made = {"full_name": "Bo Lan", "password": OWN, "code": "990101", "since": date.today()}
    asked = founding.give_role(world.administrator, username="bo", role="treasurer", **made)
    assert isinstance(asked, GrantProposal)
    bo = User.objects.get(username="bo")
    event = SignInEvent.objects.get(user=bo)
    assert (event.what, event.by_id, event.until is not None) == ("given", world.administrator.pk, True)
    assert bo.pk not in with_own_password([bo.pk])
    assert awaits_first_sign_in(bo)
    with pytest.raises(Refusal, check=lambda no: no.code == "access.password_not_own"):
        granting.confirm_role(world.approver, asked)
    access.choose_password(bo, OWN + "8")
    granting.confirm_role(world.approver, asked)
    with pytest.raises(Refusal, check=lambda no: no.code == "access.not_granted"):
        founding.give_role(world.clerk, username="cai", role="auditor", **made | {"full_name": "Cai"})
    assert not User.objects.filter(username="cai").exists()


def test_a_person_the_operator_makes_types_their_own_password(world: Any) -> None:
    founding.give_role(
        None,
        username="cai",
        full_name="Cai Yu",
        password=OWN,
        role=Role.ADMINISTRATOR,
        code="99",
        since=date.today(),
        note="first people",
    )
    cai = User.objects.get(username="cai")
    assert not SignInEvent.objects.filter(user=cai).exists()
    assert cai.pk in with_own_password([cai.pk])
    assert not awaits_first_sign_in(cai)
