"""The site as it is served: who ends with whom, what comes back after a crash or a restart, what is told."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from karez.host import serving, supervision
from karez.kernel.refusal import Refusal
from karez.system import paths, postgres
from tests.serving_site import HANG, SESSION, Site, free_port, gone, new_installation, told_of

pytestmark = pytest.mark.installation


@pytest.fixture(scope="module")
def installation(django_db_setup: None) -> Iterator[dict[str, str]]:  # which keeps the migrated server that is copied
    with new_installation() as environment:
        yield environment


@pytest.fixture(scope="module")
def site(installation: dict[str, str]) -> Iterator[Site]:
    """One site for the tests below, in their order: the last of them kills it."""
    made = Site(installation)
    try:
        yield made.up()
    finally:
        made.end()
    assert "WARNING procrastinate" not in made.told, made.told  # the queue warns where its app is made by a main module


def _bodies(site: Site) -> list[Path]:
    return list((site.folder / "tmp" / "bodies").glob("*"))


def test_a_second_site_on_the_same_data_is_refused_in_words_and_the_first_goes_on(
    site: Site, installation: dict[str, str]
) -> None:
    for command in (["serve"], ["demo"]):
        second = subprocess.run(
            [sys.executable, "-m", "karez", *command, "--port", str(free_port())],
            env=installation,
            cwd=paths.PROJECT,
            text=True,
            capture_output=True,
            check=False,
            timeout=HANG,
            stdin=subprocess.DEVNULL,
        )
        assert second.returncode != 0
        assert str(site.process.pid) in second.stderr and "Traceback" not in second.stderr, second.stderr
    assert site.ask()[0] == 200


def test_slow_bodies_slow_heads_and_slow_readers_keep_nobody_waiting(site: Site) -> None:
    """Many times as many of each as the site has threads; each is still there while others are answered."""
    body = "POST /account/login/ HTTP/1.1\nHost: localhost\nContent-Length: 900000\n\n"
    with contextlib.ExitStack() as slow:
        for _ in range(40):
            slow.enter_context(contextlib.closing(site.send(body, b"user")))
            slow.enter_context(contextlib.closing(site.send(body, b"x" * 100_000)))
            slow.enter_context(contextlib.closing(site.send("GET /account/login/ HTTP/1.1\nHo")))
            large = "GET /static/vendor/tabler/tabler.min.css HTTP/1.1\nHost: localhost\n\n"
            slow.enter_context(contextlib.closing(site.send(large, small_window=True)))
        for _ in range(10):
            assert site.ask("/account/login/")[0] == 200
            assert site.ask() == (200, '{"healthy": true, "database": true, "pages": true, "heavy": true}')
    site.wait_for(lambda: not _bodies(site), "nothing is kept of who is gone")


def test_what_is_too_large_is_refused_before_it_is_read_and_leaves_nothing(site: Site) -> None:
    pieces = b"".join(b"8000\r\n" + b"x" * 0x8000 + b"\r\n" for _ in range(40))
    sent = {
        "told": site.send("POST /account/login/ HTTP/1.1\nHost: localhost\nContent-Length: 400000000\n\n"),
        "untold": site.send("POST /account/login/ HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n", pieces),
        "proof": site.send("POST /proof/ HTTP/1.1\nHost: localhost\nContent-Length: 9000000\n\n"),
        "stranger": site.send("POST /files/send/ HTTP/1.1\nHost: localhost\nContent-Length: 2000000\n\n"),
        "liar": site.send(
            "POST /files/send/ HTTP/1.1\nHost: localhost\nCookie: sessionid=abcdefgh\nContent-Length: 2000000\n\n"
        ),
    }
    for name, connection in sent.items():
        with contextlib.closing(connection):
            answer = connection.makefile("rb").read().decode()
        status, code = (" 403 ", "site.sign_in_first") if name in ("stranger", "liar") else (" 413 ", "site.too_large")
        assert status in answer.split("\n")[0] and code in answer, (name, answer)
    chinese = site.ask("/account/login/", "POST", b"x" * 1_100_000, Accept_Language="fr;q=0.9, zh-CN;q=0.8, en;q=0.5")
    assert chinese[0] == 413 and "没有任何改动" in chinese[1]
    as_json = site.ask("/account/login/", "POST", b"x" * 1_100_000, Accept="application/json")
    assert json.loads(as_json[1])["code"] == "site.too_large"
    site.wait_for(lambda: not _bodies(site), "what was sent is put away")


def test_a_large_file_of_somebody_signed_in_arrives_whole(site: Site, installation: dict[str, str]) -> None:
    cookie = f"sessionid={installation[SESSION]}; csrftoken={'a' * 32}"
    sheet = b"code,name\n" + b"1,one\n" * 500_000
    part = b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    body = part % (b"file", b'; filename="register.csv"', sheet) + part % (b"sheet", b"", b"register") + b"--edge--\r\n"
    status, page = site.ask(
        "/files/send/",
        "POST",
        body,
        Cookie=cookie,
        X_CSRFToken="a" * 32,
        Content_Type="multipart/form-data; boundary=edge",
    )
    assert status == 302, page[:2000]
    kept = max((f.stat().st_size for f in (site.folder / "files").rglob("*") if f.is_file()), default=0)
    assert kept > len(sheet)
    site.wait_for(lambda: not _bodies(site), "what was sent is put away")


def test_the_log_of_requests_names_no_record_and_nobody(site: Site, installation: dict[str, str]) -> None:
    site.ask("/register/households/4711/?purpose=secret-words", Cookie=f"sessionid={installation[SESSION]}")
    site.ask("/nowhere/4711/")
    site.wait_for(
        lambda: "/register/households/<id:household_id>/" in site.told and "GET /- 404" in site.told,
        "the lines are written",
    )
    line = next(words for words in site.told.splitlines() if "<id:household_id>" in words and "karez.requests" in words)
    assert re.match(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d INFO karez\.requests \[[0-9a-f]{16}\]: GET /register", line
    ), line
    assert not re.search(r"4711|secret-words|127\.0\.0\.1 |clerk", site.told.partition("ends it)")[2])


@pytest.mark.crash
def test_a_dead_worker_comes_back_and_is_told(site: Site) -> None:
    for word, name in (
        ("front", "The web server"),
        ("pages", "The process of pages"),
        ("heavy", "The process of heavy work"),
        ("jobs", "The worker of jobs"),
    ):
        (before,) = site.named(word)
        before.kill()
        site.wait_for(lambda name=name: f"{name} ended unasked: ended by SIGKILL" in site.told, "it is told")
        site.wait_for(
            lambda word=word, before=before: [p for p in site.named(word) if p.pid != before.pid], "it comes back"
        )
    site.up()
    (worker,) = site.named("front")[0].children()
    worker.kill()
    site.wait_for(lambda: gone(worker), "the web server's own worker is dead")
    site.up()


@pytest.mark.crash
def test_a_restart_and_a_loss_of_the_database_are_survived(site: Site) -> None:
    cluster = postgres.Cluster(site.folder / "pg", durable=False)
    postgres._pg_ctl(cluster, "restart", "-w", "-m", "fast", "-o", f"-c unix_socket_directories='{cluster.folder}'")
    site.up()
    site.wait_for(lambda: site.ask()[0] == 200, "the site is healthy again")
    postgres.stop(cluster)
    status, page = site.ask("/yearbook/", Cookie="sessionid=" + "a" * 32)
    assert status == 302 or (status == 503 and "site.away" in page), "told, or it was just started again"
    site.wait_for(lambda: "is started again" in site.told, "the embedded server is started again")
    site.wait_for(lambda: site.ask()[0] == 200, "and answers")
    site.up()
    site.wait_for(lambda: site.named("jobs"), "jobs are worked on again")
    assert site.process.poll() is None
    assert "The database does not answer" in site.told


@pytest.mark.crash
def test_processes_end_with_a_killed_site_and_the_next_start_takes_over_its_server(
    site: Site, installation: dict[str, str]
) -> None:
    children = site.children()
    assert len(children) >= 7, "web server, pages, heavy work with a worker each, the worker of jobs"
    server = (site.folder / "pg" / "postmaster.pid").read_text().split()[0]
    site.process.kill()
    site.process.wait()
    site.wait_for(
        lambda: all(gone(child) for child in children), lambda: f"children end with their parent: {told_of(children)}"
    )
    second = Site(installation)
    try:
        second.up()
        assert (site.folder / "pg" / "postmaster.pid").read_text().split()[0] == server, (
            "nobody stopped it under anybody"
        )
    finally:
        assert second.end() == 0, "an end that was asked for is a success"
    assert not postgres.Cluster(site.folder / "pg").running, "the last one out stops the server"


def test_an_end_that_nobody_asked_for_is_told_and_is_no_success() -> None:
    """A process that will not stay ends the whole with its cause; pauses grow meanwhile."""
    told: list[str] = []
    one = supervision.Child("The one", [sys.executable, "-c", "raise SystemExit(3)"])
    other = supervision.Child("The other", [sys.executable, "-c", "import time; time.sleep(600)"])
    pauses = []

    def elsewhere() -> str:
        if one.process is None and one.again_at:
            pauses.append(round(one.again_at - one.began))
            one.again_at = 0.0
        return ""

    with pytest.raises(Refusal) as refused:
        supervision.keep([one, other], tell=told.append, elsewhere=elsewhere)
    assert "exit code 3" in refused.value.found
    assert refused.value.record == "The one"
    assert len(told) == supervision.GIVE_UP - 1
    assert pauses == sorted(pauses) and pauses[0] < pauses[-1]
    assert other.process is not None and other.process.poll() is not None, "the others are ended with it"


def test_the_console_ends_with_the_cause_when_the_site_will_not_run(installation: dict[str, str]) -> None:
    """As where the web server cannot start at all: the refusal is on stderr and the exit code is not 0."""
    given_up = (
        "from karez.host import supervision, serving, children\n"
        "supervision.GIVE_UP = 2\n"
        "from karez.cli import main; import sys; sys.argv = ['karez', 'serve', '--port', sys.argv[1]]\n"
        "serving._children = lambda *a: [supervision.Child('The web server', [sys.executable, '-c', 'raise "
        "SystemExit(9)'])]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", given_up, str(free_port())],
        env=installation,
        cwd=paths.PROJECT,
        text=True,
        capture_output=True,
        check=False,
        timeout=HANG,
    )
    assert done.returncode == 1, done.stderr
    assert "exit code 9" in done.stderr and "The web server" in done.stderr


def test_who_was_started_by_nobody_any_more_ends_at_once() -> None:
    """The parent may be gone before the child has tied itself to it."""
    child = subprocess.run(
        [sys.executable, "-c", "from karez.host import lifeline; lifeline.hold(2 ** 22 + 1); print('still here')"],
        cwd=paths.PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )
    assert (child.returncode, child.stdout) == (-signal.SIGKILL, "")


def test_the_lock_is_held_until_the_last_process_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(serving, "_LOCK", Path(folder) / "serve.lock")
        with serving.alone() as lock:
            left = subprocess.Popen(
                [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(lock,)
            )
        (Path(folder) / "serve.lock").write_text(str(left.pid))
        with pytest.raises(Refusal) as refused, serving.alone():
            pass
        assert refused.value.code == "host.served_already"
        with contextlib.suppress(BrokenPipeError):
            left.communicate()
        os.kill(os.getpid(), 0)
        with serving.alone():
            pass
