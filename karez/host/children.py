"""What each process of the site runs: `python -m karez.host.children NAME`. Started by `serving` alone; holds no pages."""

import os
import resource
import sys
from pathlib import Path
from typing import Any

from karez.host import lifeline
from karez.host.front import lanes
from karez.system import logs

AT = "KAREZ_SERVE_AT"  # address and port of the front, in its environment
_HEADER_SECONDS = 10  # to send the head of a request, and for an idle connection to ask again
_CONNECTIONS = 4096
_YIELDS = 10  # to the other processes of the site, where there are fewer cores than work


def main() -> None:
    """Ties the process to who started it, then becomes what it is named."""
    lifeline.hold(int(os.environ[lifeline.PARENT]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    {"front": _front, "pages": _pages, "heavy": _heavy, "jobs": _jobs}[sys.argv[1]]()
    sys.exit(1)  # each returns when asked to end, and when its own worker ended: the supervisor knows which it was


def _front() -> None:
    """The server in front: many connections, few threads."""
    from karez.host.front import bodies

    bodies.clear()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    host, port = os.environ[AT].rsplit(" ", 1)
    _server(
        "karez.host.front.app:application",
        "asginl",
        address=host,
        port=int(port),
        backlog=_CONNECTIONS,
        backpressure=_CONNECTIONS,
    )


def _pages() -> None:
    """The pages: a thread each for few requests at a time; the front counts them."""
    _site(lanes.PAGES_SOCKET, lanes.PAGES_PLACES)


def _heavy() -> None:
    """What takes long: the proofreader, files received, files made. A process of its own that lets pages go first."""
    os.nice(_YIELDS)
    _site(lanes.HEAVY_SOCKET, lanes.HEAVY_PLACES + lanes.PROOF_PLACES)


def _site(socket: Path, threads: int) -> None:
    socket.unlink(missing_ok=True)
    _server("karez.host.pages:application", "wsgi", uds=socket, uds_permissions=0o600, blocking_threads=threads)


def _server(target: str, interface: str, *, uds: Path | None = None, **words: Any) -> None:
    """One worker; its end ends the server, so that there is one supervision and not two."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    Server(
        target,
        uds=uds,
        interface=Interfaces(interface),
        http=HTTPModes.http1,
        websockets=False,
        workers_kill_timeout=5,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_SECONDS * 1000),
        log_level=LogLevels.warning,
        log_dictconfig=logs.settings(),
        **words,
    ).serve()


def _jobs() -> None:
    """The worker of background jobs."""
    from karez.host import jobs

    jobs.work()


if __name__ == "__main__":
    main()
