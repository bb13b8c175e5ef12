"""The installation itself: founding a region, refusals of bad places, a damaged backup, two holders of one server."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from karez.kernel.refusal import Refusal
from karez.system import postgres
from tests.installations import INIT, environment_of, founded_in, karez

pytestmark = pytest.mark.installation


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="kz-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def founded(django_db_setup: None) -> Iterator[Path]:
    """One founded installation for the tests that only ask."""
    with founded_in() as made:
        yield made


def test_a_region_is_founded_once(founded: Path) -> None:
    again = karez(founded, *INIT)
    assert again.returncode == 1
    assert "region" in again.stderr


def test_the_administrator_names_people_and_nobody_else_does(founded: Path) -> None:
    made = ("--full-name", "Bo", "--password", "a-long-password-9", "--since", "2009-01-01")
    dai = karez(founded, "role", "dai", "finance_officer", "--over", "640000", "--by", "ann", *made)
    assert (dai.returncode, "Proposed." in dai.stderr) == (0, True), dai.stderr
    dai = karez(
        founded,
        "role",
        "dai",
        "finance_officer",
        "--over",
        "640000",
        "--operator",
        "first people",
        "--since",
        "2009-01-01",
    )
    assert (dai.returncode, "access.password_not_own" in dai.stderr) == (1, True), "ann typed the password"
    bo = karez(founded, "role", "bo", "finance_officer", "--over", "640000", "--operator", "first people", *made)
    assert (bo.returncode, "Proposed." in bo.stderr) == (0, False), bo.stderr
    for words, told in (
        (("cai", "approver", "--over", "640000", "--by", "bo", *made), "look after users"),
        (("bo", "approver", "--over", "640000", "--by", "ann", "--since", "2009-01-01"), "already"),
        (("ann", "regional_officer", "--over", "640000", "--by", "ann"), "same person"),
        (("cai", "approver", "--over", "640000", "--by", "ann", "--full-name", "Cai", "--password", "short"), "short"),
        (("nobody", "approver", "--over", "640000", "--by", "ann"), "--full-name"),
    ):
        done = karez(founded, "role", *words)
        assert done.returncode == (2 if words[0] == "nobody" else 1), words
        assert told in done.stderr, done.stderr
    for who in ((), ("--by", "ann", "--operator", "both")):
        assert karez(founded, "role", "bo", "auditor", "--over", "640000", *who).returncode == 2
    assert karez(founded, "role", "bo", "king", "--over", "640000", "--by", "ann").returncode == 2
    past = karez(
        founded,
        "role",
        "bo",
        "finance_officer",
        "--over",
        "640000",
        "--by",
        "ann",
        "--since",
        "2009-02-01",
        "--end",
        "moved",
    )
    assert past.returncode == 1, "a role is not ended in the past"
    ended = karez(founded, "role", "bo", "finance_officer", "--over", "640000", "--by", "ann", "--end", "moved")
    assert ended.returncode == 0, ended.stderr
    now = karez(founded, "role", "bo", "approver", "--over", "640000", "--by", "ann")
    assert now.returncode == 0, now.stderr


def test_nothing_works_before_founding(folder: Path) -> None:
    done = karez(folder, "figures", "--region", "64", "--year", "2009")
    assert done.returncode == 1
    assert "karez init" in done.stderr


def test_real_data_are_served_only_with_a_tested_backup(founded: Path) -> None:
    done = karez(founded, "serve")
    assert done.returncode == 1
    assert "karez backup" in done.stderr


def test_a_path_too_long_for_a_socket_is_refused_with_advice(folder: Path) -> None:
    with pytest.raises(Refusal) as refused:
        postgres.check_place(folder / ("x" * 100))
    assert refused.value.code == "host.path_too_long"
    assert "KAREZ_VAR" in refused.value.todo


def test_the_server_stays_while_anybody_holds_it(folder: Path) -> None:
    cluster = postgres.Cluster(folder / "pg", durable=False)
    with postgres.held(cluster):
        with postgres.held(cluster):
            assert cluster.running
        assert cluster.running
    assert not cluster.running


def test_a_database_of_other_migrations_is_told(founded: Path) -> None:
    """As after a pull between releases that changed a migration: a plain answer, not an error on some page."""
    spoil = (
        "import django; django.setup()\n"
        "from karez.host import schema; from karez.system import database\n"
        "database.prepare()\n"
        "from django.db import connections\n"
        "with connections['owner'].cursor() as c:\n"
        "    c.execute(\"SELECT obj_description('django_migrations'::regclass, 'pg_class')\"); said = c.fetchone()[0]\n"
        "    assert 'ledger.0002_sql' in said\n"
        "    c.execute(\"SELECT format('COMMENT ON TABLE django_migrations IS %%L', %s::text)\", "
        "[said.replace('ledger.0002_sql\": \"', 'ledger.0002_sql\": \"0')])\n"
        "    c.execute(c.fetchone()[0])\n"
        "    schema.check()\n"
    )
    environment = environment_of(founded, DJANGO_SETTINGS_MODULE="karez.settings")
    told = subprocess.run([sys.executable, "-c", spoil], env=environment, text=True, capture_output=True, check=False)
    assert "ledger.0002_sql" in told.stderr and "another data folder" in told.stderr, told.stderr
    again = karez(founded, "upgrade")
    assert (again.returncode, "ledger.0002_sql" in again.stderr) == (1, True), again.stderr


def test_an_upgrade_cut_off_in_the_middle_goes_on(folder: Path) -> None:
    """As after a kill between two migrations: what ran is known by its digest, the rest runs the next time."""
    half = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from karez.host import schema; from karez.system import database\n"
        "database.prepare(); schema.check(); schema.record()\n"
        "call_command('migrate', 'ledger', '0001', database='owner', verbosity=0)\n"
    )
    environment = environment_of(folder, DJANGO_SETTINGS_MODULE="karez.settings")
    done = subprocess.run([sys.executable, "-c", half], env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    again = karez(folder, *INIT)
    assert again.returncode == 0, again.stderr
    assert not postgres.Cluster(folder / "pg").running, "the last one out stops the server"


def test_the_servers_log_is_bounded_and_holds_no_values(folder: Path) -> None:
    cluster = postgres.Cluster(folder / "pg", durable=False)
    with postgres.held(cluster):
        for number in range(30):
            (cluster.folder / "log" / f"server-20090101-0000{number:02}.log").touch()
        with psycopg.connect(
            host=str(cluster.folder), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute("CREATE TEMP TABLE person (number text PRIMARY KEY)")
            for _ in range(2):
                with contextlib.suppress(psycopg.Error):
                    connection.execute("INSERT INTO person VALUES ('640422197001010011')")
            shown = connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN ('logging_collector', 'log_rotation_size')"
            ).fetchall()
    assert dict(shown) == {"logging_collector": "on", "log_rotation_size": "10240"}
    told = "".join(path.read_text() for path in (cluster.folder / "log").glob("server-2*.log"))
    assert "person_pkey" in told and "640422197001010011" not in told
    postgres.prune_logs(cluster)
    assert len(list((cluster.folder / "log").glob("*.log"))) == postgres._LOGS_KEPT


def test_a_folder_deleted_and_made_anew_keeps_its_server(folder: Path) -> None:
    """Who still held the deleted one ends later, and stops nobody else's server."""
    cluster = postgres.Cluster(folder / "pg", durable=False)
    with postgres.held(cluster):
        postgres.stop(cluster)
        for path in (cluster.folder.with_suffix(".users"), cluster.folder.with_suffix(".lock")):
            path.unlink()
        shutil.rmtree(cluster.folder)
        anew = postgres.held(cluster)
        anew.__enter__()
    assert cluster.running
    anew.__exit__(None, None, None)
    assert not cluster.running
