"""Serving: who may serve a data folder, and which processes make up the site. Holds no pages and no supervision
(`supervision`).
"""

import fcntl
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg

from karez.host import children
from karez.host.front import said
from karez.host.front.lanes import PAGES_SOCKET
from karez.host.supervision import Child, keep
from karez.kernel.refusal import Refusal
from karez.system import database, paths, postgres

log = logging.getLogger(__name__)
_PAGES_BYTES, _HEAVY_BYTES = 3 * 2**30, 3 * 2**30  # of memory each of their processes may write to
_LOCK = paths.VAR / "serve.lock"
_WAIT_SECONDS = 10  # for processes of a killed site to be gone
_LOOK_SECONDS = 1.0
_PRUNE_SECONDS = 3600
_AWAY_SECONDS = 5.0  # so long somebody may take to restart the embedded server before it is started from here


@contextmanager
def alone() -> Iterator[int]:
    """Nobody else serves this data folder for the time of the block; gives the lock's descriptor. Refuses the second.

    The lock is the descriptor's: the site's processes inherit it, so a site whose first process was killed is over only
    when the last of them is gone.
    """
    paths.require_place()
    paths.VAR.mkdir(parents=True, exist_ok=True)
    with _LOCK.open("a+") as lock:
        last = time.monotonic() + _WAIT_SECONDS
        while not _locked(lock.fileno()):
            lock.seek(0)
            holder = lock.read().strip()
            if _is_alive(holder) or time.monotonic() > last:
                raise Refusal(
                    "host.served_already",
                    record=str(paths.VAR),
                    found=f"a site served by process {holder}",
                    expected="data that nobody serves",
                    rule="one site serves one data folder",
                    todo="end the other one, or name another data folder with KAREZ_VAR",
                )
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
    def child(name: str, word: str, data_bytes: int | None = None, environment: dict[str, str] | None = None) -> Child:
        return Child(
            name, [sys.executable, "-P", "-m", "karez.host.children", word], environment or {}, _held(lock), data_bytes
        )

    _prepare()
    return [
        child("The web server", "front", environment={children.AT: f"{host} {port}"}),
        child("The process of pages", "pages", _PAGES_BYTES),
        child("The process of heavy work", "heavy", _HEAVY_BYTES),
        child("The worker of jobs", "jobs"),
    ]


def _prepare() -> None:
    """The folder of the site's sockets, and what the web server says by itself."""
    from karez.web.plain import prepared

    if len(str(PAGES_SOCKET).encode()) > postgres.SOCKET_LIMIT:
        raise Refusal(
            "host.path_too_long",
            record=str(PAGES_SOCKET),
            found=f"{len(str(PAGES_SOCKET).encode())} bytes",
            expected=f"at most {postgres.SOCKET_LIMIT}",
            rule="a UNIX socket's path has a fixed length",
            todo="set KAREZ_VAR to a shorter folder, for example /srv/karez",
        )
    paths.private_folder(PAGES_SOCKET.parent)
    said.FILE.write_text(json.dumps(prepared(), ensure_ascii=False), encoding="utf-8")


def _held(lock: int) -> tuple[int, ...]:
    """What keeps the data theirs while a process of the site lives: the lock, and a hold on the embedded server."""
    users = postgres.hold_of(database.cluster())
    return (lock,) if users is None else (lock, users)


def _tell(words: str) -> None:
    log.warning(words)


class _Database:
    """Whether the database answers; the embedded one is started again where it stays away."""

    def __init__(self) -> None:
        self.looked, self.since, self.pause, self.wrong = 0.0, 0.0, _AWAY_SECONDS, ""
        self.pruned = 0.0

    def look(self) -> str:
        """What is wrong with it, in words; looks once a second."""
        now = time.monotonic()
        if now - self.looked < _LOOK_SECONDS:
            return self.wrong
        self.looked = now
        self._prune(now)
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

    def _prune(self, now: float) -> None:
        """Once an hour the embedded server's oldest logs go."""
        if not database.url() and now - self.pruned > _PRUNE_SECONDS:
            self.pruned = now
            postgres.prune_logs(database.cluster())

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
                "host.port_taken",
                record=f"{host}:{port}",
                found=error.strerror or str(error),
                expected="a free port",
                rule="one site has one address",
                todo="end the other server, or give --port another number",
            ) from error
