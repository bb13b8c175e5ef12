"""How long a session of ours may take, and that it ends with its program. Holds no connection.

A page waits a bounded time for the database: what takes longer would hold one of a few threads from everybody else. So
the app's role is bounded wherever it comes from, and the programs that may take long (worker, console) say so
themselves.
"""

import os

from karez.system import clock

PAGES = "KAREZ_PAGES"  # set in the environment of the process that answers pages

# A statement whose program died is found out by the server within this time, and ended.
_ENDS_WITH_ITS_PROGRAM = {
    "client_connection_check_interval": "5s",
    "tcp_keepalives_idle": "30s",
    "tcp_keepalives_interval": "10s",
    "tcp_keepalives_count": "3",
}
_BOUNDED = {"statement_timeout": "30s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s"}
_UNBOUNDED = dict.fromkeys(_BOUNDED, "0")


def of_role() -> dict[str, str]:
    """What the app's role is told unless its session says otherwise."""
    return _BOUNDED | {"client_connection_check_interval": _ENDS_WITH_ITS_PROGRAM["client_connection_check_interval"]}


def options() -> str:
    """What every session of this program is told, whichever server it is on, as PostgreSQL's options."""
    told = {"TimeZone": clock.zone()} | _ENDS_WITH_ITS_PROGRAM | (_BOUNDED if os.environ.get(PAGES) else _UNBOUNDED)
    return " ".join(f"-c {key}={value}" for key, value in told.items())


def for_as_long_as_it_takes() -> str:
    """The statement by which one transaction of a page is let out of the bounds: an act of two people that is done
    whole or not at all.
    """
    return "SET LOCAL statement_timeout = 0"
