"""Tallies over migrations: what they change is counted anew and on record, what anybody else changed stays wrong."""

from typing import Any

import psycopg
import pytest

from karez.access.services import log_read
from karez.periods import tallying
from karez.periods.verifying import _tallies

GRANTS, READS, PROPOSALS = "access_grant", "access_readevent", "access_grantproposal"


@pytest.fixture
def grown(committed_world: Any) -> None:
    """Roles given and reads logged, all as they were written."""
    log_read(committed_world.clerk, kind="person", subject_id=1, purpose="case")
    assert _wrong() == {}


def _wrong() -> dict[str, list[str]]:
    return {proof.what: proof.wrong for proof in _tallies() if proof.wrong}


def _migrated(owner_cursor: Any) -> None:
    """A migration was done, as far as the database is told."""
    owner_cursor.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('access', '9999_more', '2000-01-01')"
    )  # no clock is asked


def _told() -> str:
    return "".join(proof.told for proof in _tallies())


def test_what_a_migration_changes_is_counted_anew_and_told(grown: None, owner_cursor: Any) -> None:
    tallying.before_migrations()
    owner_cursor.execute(f"ALTER TABLE {GRANTS} ADD COLUMN more text NOT NULL DEFAULT 'none'")
    _migrated(owner_cursor)
    assert set(_wrong()) == {"roles given"}
    tallying.before_migrations()  # the upgrade was cut off here and begins again: what it wrote down first stands
    owner_cursor.execute(f"ALTER TABLE {READS} ALTER COLUMN subject_id TYPE text")
    assert tallying.after_migrations() == [GRANTS, READS]
    assert _wrong() == {}
    assert _told().count("counted anew by version") == 2
    assert tallying.after_migrations() == []
    owner_cursor.execute("SELECT count(*) FROM periods_tallyrenewal WHERE renewed_at IS NULL")
    assert owner_cursor.fetchone() == (0,)


def test_an_upgrade_hides_nothing_that_was_changed_or_taken_away(grown: None, owner_cursor: Any) -> None:
    owner_cursor.execute(f"UPDATE {GRANTS} SET role = 'auditor' WHERE role = 'approver'")
    owner_cursor.execute(f"DELETE FROM {READS}")
    tallying.before_migrations()
    for table in (GRANTS, READS):
        owner_cursor.execute(f"ALTER TABLE {table} ADD COLUMN more text NOT NULL DEFAULT 'none'")
    _migrated(owner_cursor)
    assert tallying.after_migrations() == []
    assert set(_wrong()) == {"roles given", "log of reads"}


def test_a_table_counted_from_now_on_begins_with_what_it_holds(grown: None, owner_cursor: Any) -> None:
    owner_cursor.execute(f"DROP TRIGGER {GRANTS}_tally ON {GRANTS}")
    owner_cursor.execute("DELETE FROM periods_tally WHERE table_name = %s", [GRANTS])
    tallying.before_migrations()
    _migrated(owner_cursor)
    assert tallying.after_migrations() == [GRANTS]
    assert _wrong() == {}


def test_an_upgrade_cut_off_before_its_first_migration_hides_nothing_later(grown: None, owner_cursor: Any) -> None:
    """Whatever was changed since is seen by the start after it, whether that one has migrations to do or none."""
    tallying.before_migrations()  # the machine stopped here
    owner_cursor.execute(f"DELETE FROM {READS}")
    tallying.before_migrations()
    _migrated(owner_cursor)
    assert tallying.after_migrations() == []
    assert set(_wrong()) == {"log of reads"}
    tallying.before_migrations()
    owner_cursor.execute(f"UPDATE {GRANTS} SET role = 'auditor' WHERE role = 'approver'")
    assert tallying.after_migrations() == []  # the former version was put back: nothing was to be done
    assert set(_wrong()) == {"roles given", "log of reads"}
    owner_cursor.execute("SELECT count(*) FROM periods_tallyrenewal")
    assert owner_cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (
            (
                "INSERT INTO periods_tallyrenewal (table_name, version, rows_before, content_before) VALUES "
                "('access_grant', '1', 0, 0)"
            ),
            "42501",
        ),
        ("UPDATE periods_tally SET rows = 0", "42501"),
        ("DELETE FROM periods_tallyrenewal", "42501"),
    ],
)
def test_the_apps_role_counts_nothing_anew(committed_db: str, app_connection: Any, attack: str, code: str) -> None:
    with pytest.raises(psycopg.Error) as told:
        app_connection().execute(attack)
    assert told.value.sqlstate == code


def test_a_renewal_is_whole_and_one_at_a_time(committed_db: str, owner_cursor: Any) -> None:
    begun = (
        "INSERT INTO periods_tallyrenewal (table_name, version, last_migration, rows_before, "
        "content_before{more}) VALUES ('access_grant', '1', 0, 0, 0{values})"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        owner_cursor.execute(begun.format(more=", renewed_at", values=", now()"))
    owner_cursor.execute(begun.format(more="", values=""))
    with pytest.raises(psycopg.errors.UniqueViolation):
        owner_cursor.execute(begun.format(more="", values=""))
