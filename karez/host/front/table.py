"""Which addresses take more than a form, and which do heavy work: the limit of a body and the lane it goes by. Holds no
address: the rooms declare theirs.

Anything not declared is a page: a small body, the pages' process. `karez/web/tests/test_front_table.py` holds the
table against the site's addresses.
"""

import re

from karez.kernel.lanes import PAGE, Way
from karez.kernel.rooms import declared

SENT = tuple((re.compile(pattern), way) for room in declared() for pattern, way in room.sent.items())
ASKED = tuple((re.compile(pattern), way) for room in declared() for pattern, way in room.asked.items())


def way_of(method: str, path: str) -> Way:
    """The way of a request."""
    for pattern, way in ASKED if method in ("GET", "HEAD") else SENT:
        if pattern.fullmatch(path):
            return way
    return PAGE
