"""Who may hold which roles at once, who gives them, and what an ended, future or inactive grant allows."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Any

import psycopg
import pytest
from django.db import connection

from karez.access import queries, services
from karez.access.models import Grant, Role
from karez.access.rules import INCOMPATIBLE
from karez.kernel.refusal import Refusal
from karez.places import granting
from karez.places.queries import may

Connect = Callable[[], "psycopg.Connection[Any]"]
_GRANT = """INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, ends_before, counts_before, recorded_by_id)
 VALUES (%s, %s, 1, %s, %s, %s, %s, 1)"""


def _refused(code: str) -> Any:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


def test_the_database_knows_the_same_pairs(db: None) -> None:
    with connection.cursor() as cursor:
        for one, other in product(Role.values, Role.values):
            cursor.execute("SELECT access_incompatible(%s, %s)", [one, other])
            assert cursor.fetchone()[0] is (one != other and frozenset((one, other)) in INCOMPATIBLE), (one, other)


def test_roles_that_exclude_each_other_never_overlap(committed_world: Any, app_connection: Connect) -> None:
    raw, finance = app_connection(), committed_world.finance.pk  # finance officer from 2009 on, without end
    person = services.add_user(username="both", full_name="Both", password=None).pk
    refused = [
        (finance, "approver", "2010-01-01", None),
        (finance, "auditor", "2009-01-01", "2009-02-01"),
    ]
    for user, role, start, end in refused:
        with pytest.raises(psycopg.Error) as no:
            raw.execute(_GRANT, [user, role, start, start, end, end])
        assert no.value.sqlstate == "KZ090"
        raw.rollback()
    with pytest.raises(psycopg.Error) as at_once:  # both in one statement
        raw.execute(
            "INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id)"
            " SELECT %s, role, 1, '2009-01-01', '2009-01-01', 1 FROM unnest(ARRAY['treasurer', 'approver']) role",
            [person],
        )
    assert at_once.value.sqlstate == "KZ090"
    raw.rollback()
    raw.execute(_GRANT, [person, "treasurer", "2009-01-01", "2009-01-01", "2009-06-01", "2009-06-01"])
    raw.execute(_GRANT, [person, "approver", "2009-06-01", "2009-06-01", None, None])  # one after the other is fine
    raw.commit()


def test_two_hands_cannot_make_one_person_both(committed_world: Any, app_connection: Connect) -> None:
    person = services.add_user(username="both", full_name="Both", password=None).pk
    first, second = app_connection(), app_connection()
    first.execute(_GRANT, [person, "treasurer", "2009-01-01", "2009-01-01", None, None])
    second.execute("SET lock_timeout = '300ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):  # the second waits for the first, and then sees it
        second.execute(_GRANT, [person, "approver", "2009-01-01", "2009-01-01", None, None])
    second.rollback()
    first.commit()
    with pytest.raises(psycopg.Error) as no:
        second.execute(_GRANT, [person, "approver", "2009-01-01", "2009-01-01", None, None])
    assert no.value.sqlstate == "KZ090"


def test_roles_are_given_by_who_looks_after_users(world: Any) -> None:
    user = services.add_user(username="new", full_name="New", password=None)
    words = {"user": user, "role": Role.TREASURER, "area_id": world.areas["990101"], "starts_on": date(2009, 1, 1)}
    for stranger in (world.clerk, world.regional, world.approver):
        with _refused("access.not_granted"):
            services.grant_role(stranger, **words)
        with _refused("access.not_granted"):
            granting.give_role(stranger, **words)
    with _refused("access.own_roles"):
        granting.give_role(world.administrator, **words | {"user": world.administrator, "role": Role.REGIONAL_OFFICER})
    local = services.add_user(username="local", full_name="Local", password=None)
    granting.give_role(world.administrator, user=local, role=Role.ADMINISTRATOR, area_id=world.areas["990101"], starts_on=date(2009, 1, 1))
    with _refused("access.not_granted"):
        granting.give_role(local, **words | {"area_id": world.areas["990102"]})
    granting.give_role(local, **words)
    with _refused("access.incompatible_roles"):
        granting.give_role(local, **words | {"role": Role.APPROVER})
    assert may(user, "ledger.prepare", world.areas["990101"])


def test_an_ended_future_or_inactive_grant_allows_nothing(world: Any) -> None:
    user, today = services.add_user(username="new", full_name="New", password=None), date.today()
    area = world.areas["990101"]
    granting.give_role(world.administrator, user=user, role=Role.TREASURER, area_id=area, starts_on=today + timedelta(days=1))
    assert not may(user, "ledger.prepare", area)
    held = granting.give_role(world.administrator, user=user, role=Role.FINANCE_OFFICER, area_id=area, starts_on=today)
    assert may(user, "funds.prepare", area)
    with _refused("access.not_granted"):
        granting.end_role(world.clerk, grant=held, ends_before=today, reason="left")
    granting.end_role(world.administrator, grant=held, ends_before=today, reason="left")
    assert not may(user, "funds.prepare", area)
    with _refused("access.already_ended"):
        granting.end_role(world.administrator, grant=held, ends_before=today, reason="again")
    assert may(world.clerk, "register.view", area)
    world.clerk.is_active = False
    assert not may(world.clerk, "register.view", area)
    assert queries.permissions_of(world.clerk) == frozenset()


def test_every_look_says_why(world: Any) -> None:
    for purpose in ("", "  "):
        with _refused("access.purpose_missing"):
            services.log_read(world.clerk, kind="person", subject_id=1, purpose=purpose)
        with _refused("access.purpose_missing"):
            services.log_reads(world.clerk, kind="person", subject_ids=[1], purpose=purpose)
    assert Grant.objects.filter(user=world.clerk).count() == 1
