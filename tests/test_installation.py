"""Where data are, which database is meant, whose key and whose roles: what an installation asks before it does
anything.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from karez.kernel.refusal import Refusal
from karez.system import clock, database, keys, paths, postgres
from tests.installations import INIT, karez, new_folder, remove
from tests.test_backup import told

pytestmark = pytest.mark.installation


def test_outside_a_checkout_the_data_folder_is_asked_for(tmp_path: Path) -> None:
    """As installed from a wheel: the packages' folder is no place for data, and a command that only reads makes
    nothing.
    """
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (packages / "karez").symlink_to(paths.PROJECT / "karez")
    program = (
        "import karez.system.paths as p, pathlib\n"
        "p_file = pathlib.Path(p.__file__); assert not p.IN_CHECKOUT, p.PROJECT\n"
        "from karez.cli import main; main()\n"
    )
    (packages / "karez").unlink()
    subprocess.run(["cp", "-a", str(paths.PROJECT / "karez"), str(packages)], check=True)
    drop = ("KAREZ_VAR", "KAREZ_TEST_VAR", "DATABASE_URL", "KAREZ_DATABASE", "PYTHONPATH")
    environment = {k: v for k, v in os.environ.items() if k not in drop} | {
        "PYTHONPATH": str(packages),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *words],
            env=environment,
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
        )

    before = sorted(p for p in packages.rglob("*") if "__pycache__" not in p.parts)
    for words in (("verify",), ("init", *INIT[1:]), ("restore", str(tmp_path), "--keys", str(tmp_path))):
        told(run(*words), 2, "KAREZ_VAR", "/srv/karez")
    assert run("--help").returncode == 0
    assert sorted(p for p in packages.rglob("*") if "__pycache__" not in p.parts) == before
    assert not Path("/KAREZ_VAR is not set").exists()


def test_reading_makes_nothing() -> None:
    folder = new_folder()
    try:
        told(karez(folder, "verify"), 1, "karez init")
        assert list(folder.iterdir()) == []
    finally:
        remove(folder)


def test_a_place_that_cannot_be_used_is_told() -> None:
    with pytest.raises(Refusal) as refused:
        postgres.check_place(Path("/srv/a,b"))
    assert (refused.value.code, refused.value.found) == ("host.path_sign", "a comma")


def test_an_unknown_time_zone_is_refused_before_anything_is_made() -> None:
    folder = new_folder()
    try:
        told(
            karez(folder, *INIT, KAREZ_TIME_ZONE="Asia/Atlantis"),
            2,
            "record: KAREZ_TIME_ZONE",
            "found: Asia/Atlantis",
            "time zone",
        )
        told(karez(folder, *INIT, "--time-zone", "Beijing"), 2, "record: --time-zone", "found: Beijing")
        told(karez(folder, *INIT, "--time-zone", ""), 2, "record: --time-zone", "found: nothing")
        assert list(folder.iterdir()) == []
    finally:
        remove(folder)


def test_settings_are_not_read_before_the_zone_and_the_key_are_known() -> None:
    """Whatever the console parses: settings depend on what the database says of itself."""
    program = (
        "from django.conf import settings; from karez.cli import deeds, figures, host, proof, program\n"
        "program.YEAR.convert('2009', None, None); program.DAY.convert('2009-03-31', None, None)\n"
        "assert not settings.configured"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "karez.settings"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_the_time_zone_is_the_database_s(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from karez.host import installation

    found = installation.recorded()
    assert found is not None
    assert (found.time_zone, found.key_check) == ("Asia/Shanghai", keys.read(keys.PLACE).fingerprint)
    monkeypatch.setenv("KAREZ_TIME_ZONE", "Europe/Paris")
    monkeypatch.setenv("TZ", "Europe/Paris")
    installation.require_ready(founding=False)
    assert clock.zone() == "Asia/Shanghai"


def test_the_app_cannot_change_whose_key_it_is(committed_db: str) -> None:
    for statement in (
        "UPDATE periods_installation SET key_check = 'x'",
        "DELETE FROM periods_installation",
        "INSERT INTO periods_installation (id, key_check, time_zone) VALUES (2, 'x', 'y')",
    ):
        with (
            psycopg.connect(database.conninfo(database.APP)) as app,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            app.execute(statement)


@pytest.mark.parametrize(
    ("address", "code", "word"),
    [
        ("postgresql://root:sec:ret@[::1/x", "host.database_address", "postgresql://USER:PASSWORD@HOST"),
        ("not an address", "host.database_address", "postgresql://USER:PASSWORD@HOST"),
        ("postgresql://root:topsecret@127.0.0.1:1/karez", "host.database_unreachable", "127.0.0.1:1"),
        ("postgresql://root:topsecret@no.such.host.invalid/karez", "host.database_unreachable", "no.such.host.invalid"),
    ],
)
def test_a_database_address_that_leads_nowhere_is_one_refusal(address: str, code: str, word: str) -> None:
    folder = new_folder()
    try:
        done = karez(folder, "verify", DATABASE_URL=address)
        told(done, 2 if code == "host.database_address" else 1, code, word)
        assert "topsecret" not in done.stderr and "sec:ret" not in done.stderr
        assert list(folder.iterdir()) == []
    finally:
        remove(folder)


@pytest.mark.parametrize(
    ("said", "todo"),
    [
        ('FATAL:  password authentication failed for user "root"', "correct the password"),
        ("FATAL:  sorry, too many clients already", "raise max_connections"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "raise max_connections",
        ),
        ("FATAL:  the database system is starting up", "wait until"),
        ("connection refused: connect failed with topsecret", "start the database server"),
    ],
)
def test_what_a_server_says_becomes_what_to_do(said: str, todo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://root:topsecret@db.example:5433/office")
    refusal = database.unreachable(psycopg.OperationalError(said))
    assert todo in refusal.todo
    assert "topsecret" not in str(refusal.as_dict())


@pytest.fixture(scope="module")
def office_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL that asks for passwords, as an office's does: the address of its administrator."""
    folder = new_folder()
    data, word = folder / "data", folder / "word"
    word.write_text("topsecret")
    data.mkdir()
    user = postgres._server_user()
    for path in (data, word):
        if user is not None:
            os.chown(path, user.pw_uid, user.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    postgres._run("initdb", "-D", str(data), "-U", "root", "--auth=scram-sha-256", f"--pwfile={word}", "--locale=C")
    settings = (
        f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off -c "
        "max_connections=8 -c superuser_reserved_connections=0"
    )
    postgres._run("pg_ctl", "-D", str(data), "-w", "-o", settings, "-l", str(data / "log"), "start")
    yield f"postgresql://root:topsecret@127.0.0.1:{port}/karez"
    postgres._run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    shutil.rmtree(folder)


def test_a_second_installation_does_not_take_the_first_one_s_roles(office_server: str) -> None:
    """Roles are the server's: a second installation with a data folder of its own would lock the first one out."""
    first, second = new_folder(), new_folder()
    prepare = "from karez.system import database; database.prepare()"
    drop = ("KAREZ_DATABASE", "KAREZ_TEST_VAR", "KAREZ_DATABASE_PASSWORDS")
    environment = {k: v for k, v in os.environ.items() if k not in drop} | {
        "DATABASE_URL": office_server,
        "KAREZ_VAR": str(first),
    }
    try:
        for _again in range(2):
            subprocess.run([sys.executable, "-c", prepare], env=environment, check=True)
        words = json.loads((first / "keys" / "database.json").read_text())
        own = make_conninfo(office_server, user="karez_app", password=words["karez_app"], dbname="karez")
        psycopg.connect(own).close()
        other = office_server.removesuffix("karez") + "other"
        done = karez(second, *INIT, DATABASE_URL=other)
        told(done, 1, "host.roles_taken", "database karez", "KAREZ_DATABASE_PASSWORDS")
        psycopg.connect(own).close()  # the first one goes on
    finally:
        for folder in (first, second):
            shutil.rmtree(folder, ignore_errors=True)


def test_a_server_that_lets_nobody_in_is_one_refusal(office_server: str) -> None:
    folder, held, base = new_folder(), [], office_server.removesuffix("karez")
    try:
        told(
            karez(folder, "verify", DATABASE_URL=office_server.replace("topsecret", "wrong")),
            1,
            "host.database_unreachable",
            "correct the password",
        )
        told(karez(folder, "verify", DATABASE_URL=base + "not_made_yet"), 1, "host.not_installed", "not_made_yet")
        with pytest.raises(psycopg.OperationalError):
            while True:  # until every connection of the server is taken
                held.append(psycopg.connect(base + "postgres"))
        told(
            karez(folder, "verify", DATABASE_URL=office_server), 1, "host.database_unreachable", "raise max_connections"
        )
        assert list(folder.iterdir()) == []
    finally:
        for one in held:
            one.close()
        shutil.rmtree(folder, ignore_errors=True)
