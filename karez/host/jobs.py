"""The worker of background jobs, which ends when asked to. Holds no job: the rooms do.

Apart from `children`, which runs as a program's main module: an app made there could be imported by no other program,
and the queue warns of it.
"""

import os
import sys


def work() -> None:
    """Takes up what its forerunner left half-done, then does the jobs as they come."""
    import django

    django.setup()
    if os.environ.get("KAREZ_STARTS", "0") != "0":
        from karez.host.recovery import take_up

        take_up(lambda line: print(line, file=sys.stderr))
    from procrastinate.contrib.django import app

    app.with_connector(app.connector.get_worker_connector()).run_worker(concurrency=1)  # type: ignore[attr-defined]
