"""What waits for a person: the shape of an inbox entry. Rooms offer `inbox.py` with `items(actor)`; the shell collects them."""

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class InboxItem:
    """One kind of work that waits: how much, what it is, and where it is done."""

    words: str | Promise
    count: int
    address: str
    urgent: bool = False
