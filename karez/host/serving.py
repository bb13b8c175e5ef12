"""Serving: who may serve a data folder, and which processes make up the site. Holds no pages and no supervision (`supervision`)."""

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg

from karez.host import database, paths, postgres
from karez.host.supervision import Child, keep
from karez.kernel.refusal import Refusal

_LOCK = paths.VAR / "serve.lock"
_WAIT_SECONDS = 10  # for processes of a killed site to be gone
_LOOK_SECONDS = 1.0
_AWAY_SECONDS = 5.0  # so long somebody may take to restart the embedded server before it is started from here


@contextmanager
def alone() -> Iterator[int]:
    """Nobody else serves this data folder for the time of the block; gives the lock's descriptor. Refuses the second.

    The lock is the descriptor's: the site's processes inherit it, so a site whose first process was killed is over only when
    the last of them is gone.
    """
    paths.VAR.mkdir(parents=True, exist_ok=True)
    with _LOCK.open("a+") as lock:
        last = time.monotonic() + _WAIT_SECONDS
        while not _locked(lock.fileno()):
            lock.seek(0)
            holder = lock.read().strip()
            if _is_alive(holder) or time.monotonic() > last:
                raise Refusal(
                    "host.served_already", record=str(paths.VAR), found=f"a site served by process {holder}",
                    expected="data that nobody serves", rule="one site serves one data folder",
                    todo="end the other one, or name another data folder with KAREZ_VAR",
                )  # fmt: skip
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock.fileno()


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def serve(*, port: int, lock: int, host: str = "127.0.0.1") -> None:
    """Serves on `host:port` until interrupted, under the lock of `alone`. Raises a Refusal where the site will not run."""
    check_free(host, port)
    previous = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGTERM, signal.SIGHUP)}
    click.echo(f"Karez is at http://{host}:{port}/ (Ctrl-C ends it)", err=True)
    try:
        keep(_children(host, port, lock), tell=_tell, elsewhere=_Database().look)
    except KeyboardInterrupt:
        click.echo("Stopping.", err=True)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _children(host: str, port: int, lock: int) -> list[Child]:
    def child(name: str, word: str, **environment: str) -> Child:
        return Child(name, [sys.executable, "-m", "karez.host.children", word], environment, _held(lock))

    return [child("The web server", "web", KAREZ_SERVE_AT=f"{host} {port}"), child("The worker of jobs", "jobs")]


def _held(lock: int) -> tuple[int, ...]:
    """What keeps the data theirs while a process of the site lives: the lock, and a hold on the embedded server."""
    users = postgres.hold_of(database.cluster())
    return (lock,) if users is None else (lock, users)


def _tell(words: str) -> None:
    click.echo(words, err=True)


class _Database:
    """Whether the database answers; the embedded one is started again where it stays away."""

    def __init__(self) -> None:
        self.looked, self.since, self.pause, self.wrong = 0.0, 0.0, _AWAY_SECONDS, ""

    def look(self) -> str:
        """What is wrong with it, in words; looks once a second."""
        now = time.monotonic()
        if now - self.looked < _LOOK_SECONDS:
            return self.wrong
        self.looked = now
        if _answers():
            if self.wrong:
                _tell("The database answers again.")
            self.wrong, self.pause = "", _AWAY_SECONDS
            return ""
        if not self.wrong:
            self.wrong, self.since = "the database does not answer", now
            _tell("The database does not answer. The site goes on and waits for it.")
        elif not database.url() and now - self.since > self.pause:
            self._start_again()
        return self.wrong

    def _start_again(self) -> None:
        _tell("The database server of the data folder is started again.")
        try:
            postgres.revive(database.cluster())
        except Refusal as refusal:
            _tell(f"It did not start: {refusal.found}. {refusal.todo}")
        self.since, self.pause = time.monotonic(), min(60.0, 2 * self.pause)


def _answers() -> bool:
    try:
        with psycopg.connect(database.conninfo(database.APP), connect_timeout=3, autocommit=True) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def check_free(host: str, port: int) -> None:
    """Refuses a port somebody serves on: the web server would share it, and requests would go to either at random."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refusal(
                "host.port_taken", record=f"{host}:{port}", found=error.strerror or str(error), expected="a free port",
                rule="one site has one address", todo="end the other server, or give --port another number",
            ) from error  # fmt: skip
