"""The register's invariants against raw SQL as the app's role, and against two hands at once."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from karez.notices.models import Document
from karez.notices.services import attach
from karez.register import services
from karez.register.models import Erasure
from karez.system import database

Connect = Callable[[], "psycopg.Connection[Any]"]
_MEMBER = """INSERT INTO register_membership (person_id, household_id, relation, is_head, starts_on, counts_from,
    recorded_by_id)
 VALUES (%s, %s, %s, %s, %s, %s, 1)"""
_DEATH = "INSERT INTO register_death (person_id, happened_on, counts_on, recorded_by_id) VALUES (%s, %s, %s, 1)"


@pytest.fixture
def people(committed_world: Any) -> dict[str, int]:
    """Two households; the head of the first; somebody without a household."""
    world, jan = committed_world, date(2009, 1, 1)
    village = world.areas["990101100200"]
    one, two = (
        services.add_household(world.clerk, village_id=village, household_no=no, starts_on=jan) for no in ("1", "2")
    )
    new = services.NewPerson(sex=1, birth_month=date(1960, 1, 1), relation=0, since=jan, name="Ma", id_number="1")
    person = services.add_person(world.clerk, household_id=one.pk, new=new)
    away = services.add_person(
        world.clerk, household_id=two.pk, new=services.NewPerson(sex=2, birth_month=None, relation=1, since=jan)
    )
    services.end_membership(world.clerk, person_id=away.pk, on=date(2009, 2, 1), reason="left")
    return {"one": one.pk, "two": two.pk, "head": person.pk, "away": away.pk, "village": village}


def test_invariants_hold_against_raw_sql(people: dict[str, int], app_connection: Connect) -> None:
    raw = app_connection()
    head, away, one, two = people["head"], people["away"], people["one"], people["two"]
    household = (
        "INSERT INTO register_household (village_id, household_no, kind, starts_on, counts_from, "
        "recorded_by_id) VALUES "
    )
    assessment = (
        "INSERT INTO register_assessment (household_id, year, income_fen, size, line, happened_on, "
        "counts_on, recorded_by_id) VALUES "
    )
    case = "INSERT INTO register_casespell (household_id, stage, starts_on, counts_from, recorded_by_id) VALUES "
    attacks: list[tuple[str, list[Any], str]] = [
        (_MEMBER, [head, two, 0, True, "2009-06-01", "2009-06-01"], "register_membership_one_household"),
        (_MEMBER, [away, one, 0, True, "2009-06-01", "2009-06-01"], "register_membership_one_head"),
        (_MEMBER, [away, one, 1, True, "2009-06-01", "2009-06-01"], "register_membership_head_is_relation_0"),
        (_MEMBER, [away, one, 9, False, "2009-06-01", "2009-06-01"], "register_membership_relation_codes"),
        (_MEMBER, [away, one, 1, False, "2009-06-01", "2009-05-01"], "register_membership_counts_not_before_true"),
        (
            household + "(%s, '1', 'registered', '2009-01-01', '2009-01-01', 1)",
            [people["village"]],
            "register_household_no_once",
        ),
        (
            household + "(%s, '', 'registered', '2009-01-01', '2009-01-01', 1)",
            [people["village"]],
            "register_household_household_no_filled",
        ),
        (
            household + "(%s, '5', 'rich', '2009-01-01', '2009-01-01', 1)",
            [people["village"]],
            "register_household_kind_codes",
        ),
        ("INSERT INTO register_person (sex, recorded_by_id) VALUES (3, 1)", [], "register_person_sex_codes"),
        (
            "INSERT INTO register_person (sex, birth_month, recorded_by_id) VALUES (1, '1970-05-02', 1)",
            [],
            "register_person_birth_is_a_month",
        ),
        (
            "INSERT INTO register_person (key, sex, recorded_by_id) SELECT key, 1, 1 FROM register_person LIMIT 1",
            [],
            "register_person_key_once",
        ),
        (
            assessment + "(%s, 2009, 1, 0, 'l', '2009-06-01', '2009-06-01', 1)",
            [one],
            "register_assessment_size_least",
        ),
        (
            assessment + "(%s, 2009, 1, 1, '', '2009-06-01', '2009-06-01', 1)",
            [one],
            "register_assessment_line_filled",
        ),
        (
            assessment + "(%s, 2010, 1, 1, 'l', '2009-06-01', '2009-06-01', 1)",
            [one],
            "register_assessment_in_or_after_its_year",
        ),
        (
            assessment
            + (
                "(%s, 2009, 1, 1, 'l', '2009-06-01', '2009-06-01', 1), (%s, 2009, 2, 1, 'l', '2009-06-01', "
                "'2009-06-01', 1)"
            ),
            [one, one],
            "register_assessment_once_a_year",
        ),
        (case + "(%s, 'identified', '2009-06-01', '2009-06-01', 1)", [one], "register_casespell_one_stage"),
        (case + "(%s, 'rich', '2009-06-01', '2009-06-01', 1)", [one], "register_casespell_one_stage"),
        (
            "INSERT INTO register_erasurerequest (person_id, requested_by_id, reason) VALUES (%s, 1, '')",
            [head],
            "register_erasurerequest_has_reason",
        ),
    ]
    for sql, params, constraint in attacks:
        with pytest.raises(psycopg.errors.IntegrityError) as refused:
            raw.execute(sql, params)
        assert refused.value.diag.constraint_name in {constraint, constraint.replace("one_stage", "stage_codes")}, sql
        raw.rollback()
    states = [
        (_DEATH, [head, "2009-06-01", "2009-06-01"], "KZ030"),
        ("DELETE FROM register_identity", [], "KZ031"),
        ("SELECT register_erase(99, 1)", [], "KZ032"),
        ("SELECT register_erase(99, 1, '{1}', '{1}', '{1}')", [], "KZ032"),
        ("SELECT notices_forget_name(1)", [], "42501"),
        ("SELECT register_erasure_asked(99, 1)", [], "42501"),
        ("UPDATE register_erasure SET documents_renamed = 0", [], "42501"),
        ("INSERT INTO register_erasure (request_id, requested_by_id, erased_by_id) VALUES (1, 1, 2)", [], "42501"),
    ]
    for sql, params, state in states:
        with pytest.raises(psycopg.Error) as by_state:
            raw.execute(sql, params)
        assert by_state.value.sqlstate == state, sql
        raw.rollback()
    raw.execute(_DEATH, [away, "2009-06-01", "2009-06-01"])
    with pytest.raises(psycopg.Error) as dead:
        raw.execute(_MEMBER, [away, one, 1, False, "2009-07-01", "2009-07-01"])
    assert dead.value.sqlstate == "KZ030"


def test_what_was_recorded_cannot_be_changed_or_deleted(people: dict[str, int], app_connection: Connect) -> None:
    raw = app_connection()
    for attack in (
        "UPDATE register_person SET sex = 2",
        "UPDATE register_person SET key = gen_random_uuid()",
        "UPDATE register_membership SET household_id = 1",
        "UPDATE register_assessment SET income_fen = 0",
        "UPDATE register_household SET kind = 'fund_member_only'",
        "DELETE FROM register_membership",
        "DELETE FROM register_person",
        "DELETE FROM register_identityevent",
        "TRUNCATE register_identity",
        "INSERT INTO register_erasure (request_id, requested_by_id, erased_by_id) VALUES (1, 1, 2)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute(attack)
        raw.rollback()


def test_identity_is_neither_exchanged_nor_lost_by_a_trick(people: dict[str, int], app_connection: Connect) -> None:
    raw = app_connection()
    swap = "UPDATE register_identity SET person_id = %s WHERE person_id = %s"
    with pytest.raises(psycopg.Error) as refused:
        raw.execute(swap, [people["away"], people["head"]])
    assert refused.value.sqlstate == "KZ034"
    raw.rollback()
    # A table of the attacker's own that names the app as owner of the identities.
    raw.execute(
        "CREATE TEMP TABLE pg_tables AS SELECT 'public'::name AS schemaname, 'register_identity'::name AS "
        "tablename, current_user AS tableowner"
    )
    with pytest.raises(psycopg.Error) as deleted:
        raw.execute("DELETE FROM register_identity")
    assert deleted.value.sqlstate == "KZ031"
    raw.rollback()
    assert raw.execute("SELECT count(*) FROM register_identity").fetchone() == (1,)


def test_a_batch_forgets_persons_only_when_withdrawn(
    people: dict[str, int], owner_cursor: Any, app_connection: Connect
) -> None:
    owner_cursor.execute(
        "INSERT INTO intake_batch (sheet, file_name, digest, size_bytes, vault_ref, delete_file_on, sender_id, "
        "state, decided_by_id)"
        " VALUES ('register', 'f', 'd', 1, 'v', '2030-01-01', 1, 'applied', 2) RETURNING id"
    )
    (batch,) = owner_cursor.fetchone()
    owner_cursor.execute("UPDATE register_person SET batch_id = %s WHERE id = %s", [batch, people["head"]])
    raw = app_connection()
    raw.execute(
        "UPDATE register_person SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = "
        "'2009-01-01'"
    )
    with pytest.raises(psycopg.Error) as refused:
        raw.execute("SELECT register_forget_batch(%s)", [batch])
    assert refused.value.sqlstate == "KZ031"


def test_erasing_any_record_of_a_person_erases_all(people: dict[str, int], app_connection: Connect) -> None:
    raw = app_connection()
    new = raw.execute(
        "INSERT INTO register_person (sex, recorded_by_id, replaces_id) VALUES (2, 1, %s) RETURNING id",
        [people["head"]],
    ).fetchone()
    assert new
    raw.execute("UPDATE register_identity SET person_id = %s WHERE person_id = %s", [new[0], people["head"]])
    row = raw.execute(
        "INSERT INTO register_erasurerequest (person_id, requested_by_id, reason) VALUES (%s, 5, 'x') RETURNING id",
        [people["head"]],
    ).fetchone()
    assert row
    raw.execute("SELECT register_erase(%s, 6)", [row[0]])
    assert raw.execute("SELECT count(*) FROM register_identity").fetchone() == (0,)
    assert raw.execute("SELECT count(*) FROM register_identityevent").fetchone() == (0,)


def test_an_erasure_needs_another_person(people: dict[str, int], app_connection: Connect) -> None:
    raw = app_connection()
    row = raw.execute(
        "INSERT INTO register_erasurerequest (person_id, requested_by_id, reason) VALUES (%s, 5, 'x') RETURNING id",
        [people["head"]],
    ).fetchone()
    assert row
    raw.commit()
    for alone in (
        "SELECT register_erase(%s, 5)",
        "SELECT register_erase(%s, 5, '{1}')",
        "SELECT register_erase(%s, NULL)",
    ):
        with pytest.raises(psycopg.Error) as refused:
            raw.execute(alone, [row[0]])
        assert refused.value.sqlstate == "KZ033", alone
        raw.rollback()
    raw.execute("SELECT register_erase(%s, 6)", [row[0]])
    raw.commit()
    assert raw.execute("SELECT count(*) FROM register_identity").fetchone() == (0,)


def test_what_an_erasure_reaches_is_on_record(
    people: dict[str, int], app_connection: Connect, committed_world: Any
) -> None:
    """Whatever the app's role names goes only with the erasure itself, which says how much it was; a file that waits is
    in the way.
    """
    raw = app_connection()
    made = [
        attach(
            committed_world.clerk,
            kind="household",
            subject_id=people["one"],
            area_id=people["village"],
            name=f"{n}.txt",
            title="t",
            stream=[b"w"],
        ).pk
        for n in range(3)
    ]
    row = raw.execute(
        "INSERT INTO register_erasurerequest (person_id, requested_by_id, reason) VALUES (%s, 5, 'x') RETURNING id",
        [people["head"]],
    ).fetchone()
    assert row
    raw.commit()
    with psycopg.connect(database.conninfo(database.OWNER)) as owner:
        batch = owner.execute(
            "INSERT INTO intake_batch (sheet, file_name, digest, size_bytes, vault_ref, delete_file_on, sender_id) "
            "VALUES"
            " ('register', 'f', repeat('1', 64), 1, 'r', current_date, 1) RETURNING id"
        ).fetchone()
    assert batch
    with pytest.raises(psycopg.Error) as waits:
        raw.execute("SELECT register_erase(%s, 6, %s, %s)", [row[0], made, [batch[0]]])
    assert waits.value.sqlstate == "KZ040"
    raw.rollback()
    assert Document.objects.filter(title="t").count() == 3
    raw.execute("SELECT register_erase(%s, 6, %s, '{}', %s)", [row[0], [*made[:2], made[0], 10**9], [batch[0]]])
    raw.commit()
    assert Document.objects.filter(title="t").count() == 1
    told = Erasure.objects.get()
    assert (told.documents_renamed, told.files_deleted, told.files_without_words) == (2, 0, 1)
    with pytest.raises(psycopg.Error) as twice:
        raw.execute("SELECT register_erase(%s, 6, %s)", [row[0], made])
    assert twice.value.sqlstate == "KZ032"


def test_two_hands_cannot_put_one_person_into_two_households(people: dict[str, int], app_connection: Connect) -> None:
    first, second = app_connection(), app_connection()
    outcomes: list[str] = []
    ready = threading.Barrier(2)

    def join(raw: "psycopg.Connection[Any]", household: int) -> None:
        ready.wait()
        try:
            raw.execute(_MEMBER, [people["away"], household, 1, False, "2009-06-01", "2009-06-01"])
            raw.commit()
            outcomes.append("joined")
        except psycopg.errors.ExclusionViolation:
            outcomes.append("refused")
        except psycopg.errors.DeadlockDetected:
            outcomes.append("refused")

    threads = [threading.Thread(target=join, args=pair) for pair in ((first, people["one"]), (second, people["two"]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["joined", "refused"]


def test_a_death_waits_for_a_membership_being_written(people: dict[str, int], app_connection: Connect) -> None:
    writer = app_connection()
    writer.execute(_MEMBER, [people["away"], people["one"], 1, False, "2009-06-01", "2009-06-01"])
    found: list[str] = []

    def die() -> None:
        with psycopg.connect(database.conninfo(database.APP)) as raw:
            try:
                raw.execute(_DEATH, [people["away"], "2009-07-01", "2009-07-01"])
                found.append("recorded")
            except psycopg.Error as error:
                found.append(error.sqlstate or "")

    thread = threading.Thread(target=die)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive(), "the death did not wait for the open membership"
    writer.commit()
    thread.join(10)
    assert found == ["KZ030"]


def test_what_was_erased_does_not_come_back(people: dict[str, int], app_connection: Connect) -> None:
    raw = app_connection()
    row = raw.execute(
        "INSERT INTO register_erasurerequest (person_id, requested_by_id, reason) VALUES (%s, 5, 'x') RETURNING id",
        [people["head"]],
    ).fetchone()
    assert row
    raw.execute("SELECT register_erase(%s, 6)", [row[0]])
    new = raw.execute(
        "INSERT INTO register_person (sex, recorded_by_id, replaces_id) VALUES (2, 1, %s) RETURNING id",
        [people["head"]],
    ).fetchone()
    assert new
    for person in (people["head"], new[0]):
        with pytest.raises(psycopg.Error) as refused, raw.transaction():
            raw.execute(
                "INSERT INTO register_identity (person_id, sealed, changed_by_id) VALUES (%s, 'x', 1)", [person]
            )
        assert refused.value.sqlstate == "KZ035"


def test_a_large_load_puts_nobody_into_a_household_that_has_ended(
    people: dict[str, int], app_connection: Connect
) -> None:
    raw = app_connection()
    home = raw.execute(
        "INSERT INTO register_household (village_id, household_no, kind, starts_on, counts_from, recorded_by_id)"
        " SELECT village_id, 'ended', 'fund_member_only', '2009-01-01', '2009-01-01', 1 FROM register_household "
        "LIMIT 1 RETURNING id"
    ).fetchone()
    assert home
    raw.execute(
        "UPDATE register_household SET ends_before = '2009-02-01', counts_before = '2009-02-01', ended_at = now(), "
        "ended_by_id = 1,"
        " end_reason = 'x' WHERE id = %s",
        [home[0]],
    )
    for many in (1, 1500):
        with pytest.raises(psycopg.Error) as refused, raw.transaction():
            raw.execute(
                "WITH made AS (INSERT INTO register_person (sex, recorded_by_id) SELECT 1, 1 FROM "
                "generate_series(1, %s) RETURNING id)"
                " INSERT INTO register_membership (person_id, household_id, relation, is_head, starts_on, "
                "counts_from, recorded_by_id)"
                " SELECT id, %s, 1, false, '2009-03-01', '2009-03-01', 1 FROM made",
                [many, home[0]],
            )
        assert refused.value.sqlstate == "KZ036"
