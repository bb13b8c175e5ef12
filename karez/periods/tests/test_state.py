"""What a database is made of: two of one version say the same, and every change made behind the program's back is seen."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from karez.periods import state
from karez.system import database

# As a superuser would: each undone with the transaction.
_CHANGES: dict[str, str | tuple[str, ...]] = {
    "ALTER TABLE ledger_voucher DISABLE TRIGGER USER": "changed: trigger ledger_voucher",
    "ALTER TABLE mutual_funds_loan DISABLE TRIGGER ALL": "changed: triggers of keys mutual_funds_loan",
    "DROP TRIGGER register_person_guard_insert ON register_person": "missing: trigger register_person.register_person_guard_insert",
    "ALTER TABLE ledger_voucher DROP CONSTRAINT ledger_voucher_four_eyes": "missing: constraint ledger_voucher.ledger_voucher_four_eyes",
    "GRANT UPDATE ON ledger_transfer TO karez_app": "changed: relation ledger_transfer",
    "GRANT UPDATE (amount_fen) ON ledger_transfer TO karez_app": "changed: column ledger_transfer.amount_fen",
    "GRANT EXECUTE ON FUNCTION register_identity_stays() TO PUBLIC": "changed: function register_identity_stays()",
    "ALTER FUNCTION periods_hold(date, boolean) RESET search_path": "changed: function periods_hold(date,boolean)",
    "CREATE OR REPLACE FUNCTION access_by_operator() RETURNS boolean LANGUAGE sql RETURN true": "changed: function access_by_operator()",
    "CREATE TABLE aside (id int)": "not of this version: relation aside",
    "CREATE RULE r AS ON INSERT TO access_readevent DO INSTEAD NOTHING": "not of this version: rule access_readevent.r",
    "ALTER ROLE karez_app SET search_path = pg_temp": (
        "changed: settings of roles karez_app",
        "not of this version: settings of roles karez_app",
    ),
    "GRANT karez_owner TO karez_app": "changed: role karez_app",
}


@pytest.fixture
def superuser(committed_db: str) -> Iterator[Any]:
    with database.administrator(committed_db) as session, session.transaction(force_rollback=True):
        yield session.cursor()


def test_every_change_behind_the_back_is_seen(superuser: psycopg.Cursor[Any]) -> None:
    expected = state.installed(superuser)
    assert len(expected) > 1000
    for change, told in _CHANGES.items():
        with superuser.connection.transaction(force_rollback=True):
            superuser.execute(change)
            found = state.differences(expected, state.installed(superuser))
            assert any(line.startswith(told) for line in found), (change, found)
    assert state.differences(expected, state.installed(superuser)) == []


def test_two_databases_of_one_version_say_the_same(superuser: psycopg.Cursor[Any]) -> None:
    """The test's own database and its copy; who may connect is said for each database apart."""
    with connection.cursor() as cursor:
        told = state.differences(state.installed(cursor), state.installed(superuser))
    assert [line for line in told if line != "changed: database database"] == []
