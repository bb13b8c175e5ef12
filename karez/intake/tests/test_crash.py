"""Killed at any moment, nothing is lost and nothing applied twice; attacks by raw SQL; identity in the clear nowhere."""

import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection

from karez.access.services import end_founding
from karez.intake import queries, services, vault
from karez.intake.models import Batch, State
from karez.intake.tests.conftest import csv_of, make_county, sent
from karez.kernel.refusal import Refusal
from karez.notices.models import Document
from karez.system import database, paths

ROUNDS = int(os.environ.get("KAREZ_CRASH_ROUNDS", "3"))
ROWS = 30_000 if "KAREZ_CRASH_ROUNDS" in os.environ else 6_000


def killed(verb: str, batch_id: int, after: float, crash_server: Callable[[], None] | None = None) -> bool:
    """Runs the verb in another process and kills it, or the database server under it, `after` seconds of work; whether
    it was still at it.
    """
    worker = subprocess.Popen(
        [sys.executable, "-m", "karez.intake.tests.crash_worker", verb, str(batch_id)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout and worker.stdout.readline() == "ready\n"
    time.sleep(after)
    if crash_server:
        crash_server()
    else:
        worker.send_signal(signal.SIGKILL)
    return "done" not in worker.communicate()[0]


def wait_alone(batch_id: int) -> None:
    """Until the server has noticed that the killed process is gone."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 4712 AND objid = %s",
                [batch_id],
            )
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the lock of the killed process stays")


def _rows_are_gone(batch: Batch) -> bool:
    with connection.cursor() as cursor:
        return services._staged_rows(cursor, batch) != batch.row_count


@pytest.mark.crash
def test_killed_while_staging_and_applying(crash_server: Callable[[], None] | None) -> None:
    """Each round kills the program or the server, while staging and again while applying."""
    county = make_county()
    chance = random.Random(2009)
    for round_no in range(ROUNDS):
        text = csv_of(ROWS, start=round_no * ROWS)
        batch = services.receive(county.sender, sheet="toy", file_name="f.csv", stream=io.BytesIO(text.encode()))
        killed("stage", batch.pk, chance.uniform(0.0, 1.5), crash_server if round_no % 4 in (1, 3) else None)
        wait_alone(batch.pk)
        staged = services.stage(batch.pk)
        assert (staged.state, staged.row_count, staged.totals[0]["value"]) == (State.CHECKED, ROWS, str(ROWS))
        services.decide(county.approver, batch_id=batch.pk)
        killed("apply", batch.pk, chance.uniform(0.0, 0.8), crash_server if round_no % 4 in (1, 2) else None)
        wait_alone(batch.pk)
        half = Batch.objects.get(pk=batch.pk)
        assert Document.objects.filter(batch_id=batch.pk).count() == (ROWS if half.state == State.APPLIED else 0)
        services.recover()
        if half.state != State.APPLIED and _rows_are_gone(half):  # a crash of the server empties staged rows
            if half.state == State.APPLYING:  # else the killed program has found it out by itself
                with pytest.raises(Refusal, match="staged rows"):
                    services.run_apply(batch.pk)
            assert services.stage(batch.pk, again=True).state == State.CHECKED
            services.decide(county.approver, batch_id=batch.pk)
        assert services.run_apply(batch.pk).state == State.APPLIED
        assert Document.objects.filter(batch_id=batch.pk).count() == ROWS
    vault.clean_leftovers()
    assert list(paths.SCRATCH.glob("intake-*")) == []


def test_the_database_refuses_what_services_do(
    committed_db: str, app_connection: Callable[[], "psycopg.Connection[Any]"]
) -> None:
    county = make_county()
    batch = sent(county, csv_of(3))
    assert batch.apply_permission == "register.apply"
    end_founding()
    with psycopg.connect(
        database.conninfo(database.OWNER)
    ) as owner:  # a sheet whose permission a county officer does not have
        owner.execute("UPDATE intake_batch SET apply_permission = 'places.apply' WHERE id = %s", [batch.pk])
    raw = app_connection()
    attacks = (
        ("SELECT intake_decide(%(id)s, %(sender)s)", "KZ043"),
        ("SELECT intake_decide(%(id)s, NULL)", "KZ043"),
        ("SELECT intake_decide(%(id)s, %(officer)s)", "KZ099"),
        ("SELECT intake_forget_words(%(id)s)", "42501"),
        ("SELECT intake_file_forgotten(%(id)s)", "42501"),
        ("SELECT intake_require_apply(%(other)s, b) FROM intake_batch b", "42501"),
        ("SELECT intake_applied(%(id)s, '{{}}')", "KZ040"),
        ("SELECT intake_withdrawn(%(id)s, %(other)s)", "KZ040"),
        ("SELECT intake_refuse(%(id)s, %(other)s, ' ')", "23514"),
        ("UPDATE intake_batch SET state = 'applied' WHERE id = %(id)s", "42501"),
        ("UPDATE intake_batch SET decided_by_id = sender_id WHERE id = %(id)s", "42501"),
        ("INSERT INTO intake_batch (sheet) VALUES ('x')", "42501"),
        ("DELETE FROM intake_fault", "42501"),
        ("UPDATE intake_fault SET rule = 'x'", "42501"),
        ("INSERT INTO staging.batch_{id} (row_no) VALUES (99)", "42501"),
        ("UPDATE staging.batch_{id} SET amount = 1", "42501"),
        ("DROP TABLE staging.batch_{id}", "42501"),
        ("CREATE TABLE staging.mine (a int)", "42501"),
        (
            'SELECT intake_begin_staging(%(id)s, \'[{{"name": "a", "type": "text); DROP TABLE intake_batch; --"}}]\')',
            "KZ041",
        ),
        ("SELECT intake_receive('toy', 'f', '{digest}', 1, 'r', 'k', 'm', now()::date, 1, '[]')", "23505"),
    )
    for attack, code in attacks:
        with pytest.raises(psycopg.Error) as told:
            raw.execute(
                attack.format(id=batch.pk, digest=batch.digest),
                {
                    "id": batch.pk,
                    "sender": county.sender.pk,
                    "other": county.approver.pk,
                    "officer": county.stranger.pk,
                },
            )
        assert told.value.sqlstate == code, attack
        raw.rollback()
    raw.execute("SELECT intake_decide(%s, %s)", [batch.pk, county.approver.pk])
    raw.commit()
    with psycopg.connect(database.conninfo(database.OWNER)) as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("UPDATE intake_batch SET decided_by_id = sender_id WHERE id = %s", [batch.pk])


def test_no_row_hides_behind_a_file_that_waits_for_the_worker(
    committed_db: str, app_connection: Callable[[], "psycopg.Connection[Any]"]
) -> None:
    """Between the decision and the work, whatever becomes of the batch in the same transaction, and however its end is
    asked for.
    """
    county = make_county()
    batch = sent(county, csv_of(3))
    end_founding()
    raw = app_connection()
    raw.execute("SELECT intake_decide(%s, %s)", [batch.pk, county.approver.pk])
    raw.commit()
    forged = (
        "INSERT INTO notices_document (kind, subject_id, area_id, name, title, media_type, size_bytes, digest, "
        "vault_ref, recorded_by_id, batch_id)"
        " VALUES ('forged', 1, 1, 'f', 'f', 'text/plain', 1, repeat('0', 64), 'f', %s, %s)"
    )
    for more in (
        "",
        "SELECT intake_failed(%(id)s, '')",
        "SELECT intake_failed(%(id)s, ''); SELECT intake_refuse(%(id)s, %(by)s, 'why')",
    ):
        raw.execute(forged, [county.sender.pk, batch.pk])
        raw.execute(more.replace("%(id)s", str(batch.pk)).replace("%(by)s", str(county.sender.pk)))
        with pytest.raises(psycopg.Error) as told:
            raw.commit()
        assert told.value.sqlstate == "KZ047", more
        raw.rollback()
    raw.execute(forged, [county.sender.pk, batch.pk])
    with pytest.raises(psycopg.Error) as told:
        raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert told.value.sqlstate == "KZ047"
    raw.rollback()
    assert Batch.objects.get(pk=batch.pk).state == State.APPLYING
    assert services.run_apply(batch.pk).state == State.APPLIED
    assert not Document.objects.filter(kind="forged").exists()


def test_identity_stands_in_the_clear_nowhere(committed_db: str) -> None:
    county = make_county()
    text = csv_of(200) + "R1,640422201201,诸葛某某,999,x,,\n"
    faulty = sent(county, text)
    good = sent(county, csv_of(200))
    assert (faulty.state, good.state) == (State.FAULTY, State.CHECKED)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'staging')"
        )
        everything = ""
        for (table,) in cursor.fetchall():
            try:
                cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
                everything += cursor.fetchone()[0]
            except psycopg.errors.InsufficientPrivilege:
                continue
    assert "R199" in everything
    for value in ("马小军", "诸葛", "马", "640422195"):
        assert value not in everything.replace(county.sender.full_name, "")
    for file in paths.FILES.rglob("*"):
        assert file.is_dir() or "马小军".encode() not in file.read_bytes()


def test_a_lost_stage_is_not_applied(committed_db: str) -> None:
    county = make_county()
    batch = sent(county, csv_of(20))
    with psycopg.connect(database.conninfo(database.OWNER)) as owner:
        owner.execute(f"TRUNCATE staging.batch_{batch.pk}")  # what a crash of the server does to an unlogged table
    with pytest.raises(Exception, match="staged rows"):
        services.apply(county.approver, batch_id=batch.pk)
    after = Batch.objects.get(pk=batch.pk)
    assert (after.state, after.decided_by_id) == (State.CHECKED, None)
    assert "staged rows" in after.trouble
    assert services.stage(batch.pk, again=True).state == State.CHECKED
    assert services.apply(county.approver, batch_id=batch.pk).state == State.APPLIED


def test_work_left_lying_is_queued_at_start(committed_db: str) -> None:
    county = make_county()
    batch = services.receive(
        county.sender, sheet="toy", file_name="f.csv", stream=io.BytesIO(csv_of(3).encode()), queue=True
    )
    assert services.recover() == [batch.pk]
    from procrastinate.contrib.django import app

    from karez.intake import jobs

    assert jobs.stage_batch.name in app.tasks

    def work() -> None:
        with app.replace_connector(app.connector.get_worker_connector()):
            app.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)

    worker = threading.Thread(target=work)  # a browser's test may have left an event loop running in this thread
    worker.start()
    worker.join()
    assert queries.batch_for(county.sender, batch.pk).state == State.CHECKED
