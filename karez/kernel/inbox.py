"""What rooms tell the shell, and lower rooms, in their `inbox.py`: work that waits, records of a place or of a voucher.
Holds no pages.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
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
    """A record of a room about an area (`about_area(actor, area_id, level)`) or about money moved
    (`about_transfers(actor, ids)`).
    """

    words: str | Promise
    address: str
    count: int | None = None


def told(name: str) -> Iterator[Callable[..., Any]]:
    """The function of that name in each room's `inbox.py`, rooms without one left out.

    `items(actor)`, `about_area(actor, area_id, level)`, `about_transfers(actor, transfer_ids)`; and
    `decides_sets(set_ids)`: for each set of prepared vouchers on which a record of the room hangs, the address where it
    is decided. `takes_back(voucher_id)`: the address where a posted voucher is taken back together with the record that
    stands on its money, None likewise. `beside_chapter(request, snapshot)`: what stands on the page of a chapter beside its text, as
    HTML.
    """
    for room in settings.ROOMS:
        if find_spec(f"karez.{room}.inbox"):
            tell = getattr(import_module(f"karez.{room}.inbox"), name, None)
            if tell is not None:
                yield tell
