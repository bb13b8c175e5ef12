"""The office's time zone: a day begins at its midnight, in Python and in the database alike. Holds no clock."""

import os
import time


def zone() -> str:
    """The zone's name, as `KAREZ_TIME_ZONE` tells it."""
    return os.environ.get("KAREZ_TIME_ZONE") or "Asia/Shanghai"


def keep() -> None:
    """Makes `date.today()` the office's. Django's settings do the same; the console asks for the day before it reads them."""
    os.environ["TZ"] = zone()
    time.tzset()
