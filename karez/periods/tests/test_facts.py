"""Every fact table by its declaration: which day, mark, moment and actor a new row may carry. Raw SQL as the app's
role.

Walks the declarations, so that a table added later is attacked too. A row is copied from one that stands; what its own
room's rules would refuse first is asked by the guard's function, which every table's trigger calls.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from karez.access.services import end_founding
from karez.kernel.facts import Reach, Usage
from karez.periods import guard

Connect = Callable[[], "psycopg.Connection[Any]"]
_DATED = (Usage.EVENT, Usage.SPELL)
_FACTS = (*_DATED, Usage.UNDATED)


def _tables(*usages: Usage) -> list[str]:
    return sorted(table for table, usage in guard.declared_usages().items() if usage in usages)


def test_every_fact_table_has_the_guard_of_its_kind(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgfoid::regproc::text FROM pg_trigger WHERE tgname ~ "
            "'_guard_(insert|update)$' AND tgenabled = 'O'"
        )
        found = set(cursor.fetchall())
        cursor.execute(
            "SELECT relname, periods_reach(relname) FROM pg_class WHERE relname = ANY (%s)", [_tables(*_DATED)]
        )
        assert dict(cursor.fetchall()) == {table: reach.value for table, reach in guard.declared_reaches().items()}
    kinds = guard.declared_usages()
    assert found == {
        (t, f"periods_guard_{kinds[t].value}_{verb}") for t in _tables(*_FACTS) for verb in ("insert", "update")
    }


# A table of the same columns with the same guard and none of its room's rules: what is refused, the guard refuses.
_BARE = """
CREATE SCHEMA bare;
GRANT USAGE ON SCHEMA bare TO karez_app;
CREATE TABLE bare.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING IDENTITY);
GRANT INSERT, UPDATE ON bare.{table} TO karez_app;
GRANT SELECT ON bare.{table} TO karez_app;
"""


def _bare(owner: Any, table: str, kind: str) -> None:
    owner.execute(f"DROP SCHEMA IF EXISTS bare CASCADE;{_BARE.format(table=table)}")
    owner.execute(
        (
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'bare' AND table_name = %s AND "
            "column_name <> 'id'"
        ),
        [table],
    )
    for (column,) in owner.fetchall():
        owner.execute(f'ALTER TABLE bare.{table} ALTER "{column}" DROP NOT NULL')
    new = "REFERENCING NEW TABLE AS"
    owner.execute(
        f"CREATE TRIGGER i AFTER INSERT ON bare.{table} {new} added FOR EACH STATEMENT EXECUTE FUNCTION "
        f"periods_guard_{kind}_insert()"
    )
    owner.execute(
        f"CREATE TRIGGER u AFTER UPDATE ON bare.{table} {new} changed OLD TABLE AS before_change"
        f" FOR EACH STATEMENT EXECUTE FUNCTION periods_guard_{kind}_update()"
    )


@pytest.fixture
def people(committed_world: Any) -> dict[str, int]:
    """Somebody who may act, somebody who no longer may; the first people are named, so the operator acts no more."""
    gone = committed_world.other_clerk
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    end_founding()
    return {"may": committed_world.clerk.pk, "gone": gone.pk, "nobody": 10**9, "operator": 0}


def _batches(owner: Any, people: dict[str, int]) -> dict[str, int]:
    """A batch in each of the states one could name; by state."""
    made = {}
    for n, state in enumerate(("checked", "applying", "applied", "withdrawn")):
        decided = "" if state == "checked" else f", decided_by_id = {people['gone']}, decided_at = now()"
        owner.execute(
            "INSERT INTO intake_batch (sheet, file_name, digest, size_bytes, vault_ref, kept_digest, mark, "
            "delete_file_on, sender_id, notices,"
            " holds_identity, apply_permission) VALUES ('register', 'f', repeat(%s, 64), 1, 'r', repeat('b', 64), "
            "repeat('c', 32), current_date, %s, '[]',"
            " true, 'register.apply') RETURNING id",
            [str(n), people["may"]],
        )
        made[state] = owner.fetchone()[0]
        more = (
            ", withdrawal_by_id = sender_id, withdrawal_reason = 'x', withdrawn_by_id = decided_by_id, "
            "withdrawn_at = now()"
        )
        owner.execute(
            f"UPDATE intake_batch SET state = 'checked', row_count = 1, fault_count = 0{decided} WHERE id = %s",
            [made[state]],
        )
        owner.execute(
            f"UPDATE intake_batch SET state = %s{more if state == 'withdrawn' else ''} WHERE id = %s",
            [state, made[state]],
        )
    return made


def _code(raw: Any, sql: str, values: dict[str, Any]) -> str:
    try:
        with raw.transaction():
            raw.execute(sql, values)
    except psycopg.Error as error:
        return error.sqlstate or "?"
    return ""


def _columns(kind: str) -> dict[str, Any]:
    day = date(2009, 6, 1)
    return {"event": {"happened_on": day, "counts_on": day}, "spell": {"starts_on": day, "counts_from": day}}.get(
        kind, {}
    )


def _insert(raw: Any, table: str, row: dict[str, Any]) -> str:
    names, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    return _code(raw, f"INSERT INTO bare.{table} ({names}) VALUES ({marks})", row)


def test_no_fact_table_takes_a_far_day_a_made_up_mark_or_a_made_up_person(
    people: dict[str, int], owner_cursor: Any, app_connection: Connect
) -> None:
    raw = app_connection()
    raw.autocommit = True
    told: list[str] = []
    reaches = guard.declared_reaches()
    batches = _batches(owner_cursor, people) | {"nothing": 10**9}
    for table in _tables(*_FACTS):
        kind = guard.declared_usages()[table].value
        _bare(owner_cursor, table, kind)
        lawful = _columns(kind) | {"recorded_by_id": people["may"]}
        void = {
            "voided_at": "2009-06-02",
            "voided_by_id": people["may"],
            "void_reason": "x",
            "void_counts_on": date(2009, 6, 2),
        }
        wanted: list[tuple[str, dict[str, Any], str]] = [
            ("lawful", lawful, ""),
            ("recorded at another moment", lawful | {"recorded_at": "2009-06-01"}, "KZ00B"),
            ("recorded in time to come", lawful | {"recorded_at": "2199-06-01"}, "KZ00B"),
            ("void from the beginning", lawful | void, "KZ00B"),
            # While it is applied they are taken, and go with the transaction unless that ends the work.
            *(
                (
                    f"of a batch that is {state}",
                    lawful | {"batch_id": batch},
                    "KZ047" if state == "applying" else "KZ00C",
                )
                for state, batch in batches.items()
            ),
            *(
                (f"recorded by {who}", lawful | {"recorded_by_id": people[who]}, "KZ099")
                for who in ("gone", "nobody", "operator")
            ),
        ]
        if kind != "undated":
            true, counts = list(_columns(kind))
            reach = reaches[table]
            on = lambda day: lawful | {true: day, counts: max(day, date(2009, 1, 1))}  # noqa: E731, B023
            soon = date.today() + timedelta(days=3)
            wanted += [
                ("far ahead", on(date(2099, 1, 1)), "KZ00A"),
                ("some days ahead", on(soon), "" if reach is Reach.AHEAD else "KZ00A"),
                ("a year nobody opened", on(date(2019, 3, 2)), "" if reach is Reach.AHEAD else "KZ00A"),
                ("before the first year", on(date(2005, 3, 2)), "KZ00A" if reach is Reach.OPENED else ""),
                ("long ago", on(date(209, 3, 2)), "KZ00A"),
                ("put off", lawful | {counts: date(2009, 7, 1)}, "KZ009"),
            ]
        if kind == "spell":
            end = {"ends_before": date(2009, 9, 1), "counts_before": date(2009, 9, 1), "ended_by_id": people["may"]}
            wanted += [
                ("ended at another moment", lawful | end | {"ended_at": "2009-09-01"}, "KZ00B"),
                ("ended by another", lawful | end | {"ended_by_id": people["gone"]}, "KZ00B"),
                (
                    "ends far ahead",
                    lawful | {"ends_before": date(2099, 1, 1), "counts_before": date(2099, 1, 1)},
                    "KZ00A",
                ),
            ]
        told += [
            f"{table}, {what}: {found or 'taken'}"
            for what, row, code in wanted
            if (found := _insert(raw, table, row)) != code
        ]
        twice = "INSERT INTO bare.{0} ({1}, batch_id) SELECT {2}, b FROM unnest(%(batches)s) b"
        sql = twice.format(table, ", ".join(lawful), ", ".join(f"%({name})s" for name in lawful))
        told += (
            []
            if _code(raw, sql, lawful | {"batches": [batches["applying"], batches["checked"]]}) == "KZ00C"
            else [f"{table}, of two batches"]
        )
        told += [f"{table}, {what}" for what in _marked_wrongly(raw, table, kind, people)]
    assert told == []


def _marked_wrongly(raw: Any, table: str, kind: str, people: dict[str, int]) -> list[str]:
    """What a later mark may not be: of another moment, by nobody, from a day ahead."""
    void = (
        f"UPDATE bare.{table} SET voided_at = %(at)s, voided_by_id = %(by)s, void_reason = 'x', void_counts_on = "
        "%(day)s WHERE voided_at IS NULL"
    )
    good = {"at": "now", "by": people["may"], "day": date(2009, 6, 2)}
    wanted = [
        ("void at another moment", void, good | {"at": "2009-06-02"}, "KZ00B"),
        ("void by nobody", void, good | {"by": people["nobody"]}, "KZ099"),
        ("void by one who is gone", void, good | {"by": people["gone"]}, "KZ099"),
    ]
    if kind != "undated":
        wanted.append(("void from a day ahead", void, good | {"day": date(2099, 1, 1)}, "KZ009"))
    if kind == "spell":
        end = (
            f"UPDATE bare.{table} SET ends_before = %(day)s, counts_before = %(day)s, ended_at = %(at)s, "
            "ended_by_id = %(by)s WHERE ends_before IS NULL"
        )
        wanted += [
            ("end at another moment", end, good | {"at": "2009-06-02"}, "KZ00B"),
            ("end by nobody", end, good | {"by": people["nobody"]}, "KZ099"),
            ("end far ahead", end, good | {"day": date(2099, 1, 1)}, "KZ00A"),
        ]
    wrong = [
        f"{what}: {found or 'taken'}"
        for what, sql, values, code in wanted
        if (found := _code(raw, sql, values)) != code
    ]
    return wrong + ([f"a lawful void: {found}"] if (found := _code(raw, void, good)) else [])
