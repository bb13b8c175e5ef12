"""The office's time zone: a day begins at its midnight, in Python and in the database alike. Holds no clock.

Before a region is founded `KAREZ_TIME_ZONE` chooses it; from then on it is the one the database keeps (see
`installation`).
"""

import os
import time
import zoneinfo

from karez.kernel.refusal import Refusal

DEFAULT = "Asia/Shanghai"


def zone() -> str:
    """The zone's name."""
    return os.environ.get("KAREZ_TIME_ZONE") or DEFAULT


def require_known(name: str | None = None, *, said_by: str = "KAREZ_TIME_ZONE") -> None:
    """Refuses a zone that is not in the table of zones: another clock would count days wrongly and say nothing.

    `name` is what was given where `said_by` names; without it, what is set.
    """
    found = zone() if name is None else name
    if found not in zoneinfo.available_timezones():
        raise Refusal(
            "host.time_zone",
            record=said_by,
            found=found or "nothing",
            expected="a name of the time zone table, such as Asia/Shanghai",
            rule="a day begins at the office's midnight",
            todo="correct the name",
        )


def keep(name: str = "") -> None:
    """Makes `date.today()` the office's, here and in the programs started from here. `name` takes the place of what was
    set.
    """
    if name:
        os.environ["KAREZ_TIME_ZONE"] = name
    os.environ["TZ"] = zone()
    time.tzset()
