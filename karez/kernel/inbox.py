"""What rooms tell the shell in their `inbox.py`: `items(actor)`, what waits for a person; `about_area(...)`, records of a place."""

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class InboxItem:
    """One kind of work that waits: how much, what it is, and where it is done."""

    words: str | Promise
    count: int
    address: str
    urgent: bool = False


@dataclass(frozen=True)
class AreaLink:
    """Records of a room about one area, offered on the area's page: `about_area(actor, area_id, level)` in `inbox.py`."""

    words: str | Promise
    address: str
    count: int | None = None
