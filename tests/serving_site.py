"""A founded installation with a site that is really served, for tests of serving. Holds no test."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from karez.system import paths, postgres
from tests import kept_cluster
from tests.installations import KEPT

HANG = 120.0  # a guard against hanging, not a measure
_FOUND = (
    "from karez.host import installation; installation.require_ready(founding=True)\n"
    "import django; django.setup()\n"
    "from karez.host import install; install.bring_up()\n"
    "from conftest import build_world; clerk = build_world().clerk\n"
    "from django.test import Client; client = Client()\n"
    "client.force_login(clerk, backend='allauth.account.auth_backends.AuthenticationBackend')\n"
    "client.get('/'); print(client.cookies['sessionid'].value)\n"
)
SESSION = "KAREZ_TEST_SESSION"  # in the environment of an installation: the session of its clerk


def gone(process: psutil.Process) -> bool:
    """Whether a process is no more, or waits for nothing but to be counted."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def told_of(processes: list[psutil.Process]) -> list[str]:
    """Those that are still there, by state and command."""
    told = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if not gone(process):
                told.append(f"{process.pid} {process.status()} of {process.ppid()}: {' '.join(process.cmdline())}")
    return told


def installed(folder: Path) -> dict[str, str]:
    """The shared synthetic region, founded in `folder`; returns the environment of commands on it."""
    folder.chmod(0o711)
    drop = ("DATABASE_URL", "KAREZ_TEST_VAR", "PYTEST_CURRENT_TEST")
    environment = {k: v for k, v in os.environ.items() if k not in drop}
    environment |= {
        "KAREZ_VAR": str(folder),
        "KAREZ_DURABLE": "0",
        "DJANGO_SETTINGS_MODULE": "karez.settings",
        "PYTHONPATH": str(paths.PROJECT),
    }
    kept_cluster.copied_to(folder / "pg")
    environment["KAREZ_DATABASE"] = KEPT
    cluster = postgres.Cluster(folder / "pg", durable=False)
    with postgres.held(cluster):
        done = subprocess.run(
            [sys.executable, "-c", _FOUND],
            env=environment,
            cwd=paths.PROJECT,
            check=True,
            timeout=HANG,
            text=True,
            stdout=subprocess.PIPE,
        )
    environment[SESSION] = done.stdout.strip()
    return environment


def free_port() -> int:
    """A port nobody serves on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """One `karez serve` on an installation, its port, and what it tells on stderr."""

    def __init__(self, environment: dict[str, str], **more: str) -> None:
        self.folder, self.port = Path(environment["KAREZ_VAR"]), free_port()
        self.told_in = self.folder / f"told-{self.port}"
        with self.told_in.open("wb") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "karez", "serve", "--port", str(self.port)],
                env=environment | more,
                cwd=paths.PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )

    @property
    def told(self) -> str:
        """What it told so far."""
        return self.told_in.read_text(errors="replace")

    def ask(
        self, address: str = "/healthy/", method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, str]:
        """Status and text of one answer; status 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        try:
            connection.request(method, address, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def send(self, head: str, body: bytes = b"", small_window: bool = False) -> socket.socket:
        """A connection that has sent so much and no more."""
        made = socket.socket()
        if small_window:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(HANG)
        made.connect(("127.0.0.1", self.port))
        made.sendall(head.replace("\n", "\r\n").encode() + body)
        return made

    def wait_for(self, true: Callable[[], object], what: str | Callable[[], str]) -> None:
        """Looks until it is so; where it never is, the test fails with what the site told."""
        last = time.monotonic() + HANG
        while not true():
            assert time.monotonic() < last, f"never: {what if isinstance(what, str) else what()}\n{self.told}"
            time.sleep(0.1)

    def up(self) -> "Site":
        """Waits until pages are answered."""
        self.wait_for(lambda: self.ask("/account/login/")[0] == 200, "the site answers")
        return self

    def children(self) -> list[psutil.Process]:
        """Every process of the site but the first, and but the database server: while that starts, who starts it is
        still its parent.
        """
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.name() not in ("postgres", "pg_ctl", "sh"):
                    found.append(process)
        return found

    def named(self, word: str) -> list[psutil.Process]:
        """The processes started under that name."""
        found = []
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if process.cmdline()[-2:] == ["karez.host.children", word] and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def end(self) -> int:
        """Ends it as an operator does, and gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(HANG)


@contextlib.contextmanager
def new_installation() -> Iterator[dict[str, str]]:
    """An installation in a folder of its own, removed afterwards with its server."""
    folder = Path(tempfile.mkdtemp(prefix="kz-"))
    try:
        yield installed(folder)
    finally:
        postgres.remove(postgres.Cluster(folder / "pg", durable=False))
        shutil.rmtree(folder, ignore_errors=True)
