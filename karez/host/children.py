"""What each process of the site runs: `python -m karez.host.children NAME`. Started by `serving` alone; holds no pages."""

import os
import sys

from karez.host import lifeline


def main() -> None:
    """Ties the process to who started it, then becomes what it is named."""
    lifeline.hold(int(os.environ[lifeline.PARENT]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    {"web": _web, "jobs": _jobs}[sys.argv[1]]()


def _web() -> None:
    """The web server; what becomes of its own worker ends it, so that there is one supervision and not two."""
    from granian.constants import Interfaces
    from granian.server import Server

    host, port = os.environ["KAREZ_SERVE_AT"].rsplit(" ", 1)
    Server(
        "karez.host.pages:application", address=host, port=int(port), interface=Interfaces.WSGI, blocking_threads=4, websockets=False,
        workers_kill_timeout=5,
    ).serve()  # fmt: skip
    sys.exit(1)  # it returns when asked to end, and when its worker ended: the supervisor knows which it was


def _jobs() -> None:
    """The worker of background jobs; what its forerunner left half-done is taken up first."""
    import django

    django.setup()
    if os.environ.get("KAREZ_STARTS", "0") != "0":
        from karez.cli.closing import take_up

        take_up()
    from django.core.management import call_command

    call_command("procrastinate", "worker", "--concurrency", "1")
    sys.exit(1)


if __name__ == "__main__":
    main()
