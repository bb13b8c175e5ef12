"""What a room declares about itself, in `room.py` of its folder as `ROOM`, for the lists that every room is on. Holds no
list of rooms: each folder that has such a module is one.

The web server reads these modules too, before there is a database or a key: they import this, `kernel.lanes`,
`access.roles` and Django's translation, nothing else.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import karez
from karez.kernel.lanes import Way
from karez.kernel.messages import Text


@dataclass(frozen=True)
class MenuEntry:
    """An entry of the menu, shown to who holds the permission somewhere (`whole_region`: over the whole region).

    `address` is a URL name, and every address of its namespace is under this entry, but for those that another entry
    names among its `pages`. Entries with a smaller `order` stand first.
    """

    permission: str
    address: str
    words: Text
    order: int
    pages: frozenset[str] = frozenset()
    whole_region: bool = False


@dataclass(frozen=True)
class Unit:
    """A unit in words: patterns of one and of several, `{}` for the number, and the head of a column."""

    one: Text
    several: Text
    head: Text


@dataclass(frozen=True)
class Room:
    """What a room adds to the lists of all rooms."""

    permissions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Permission, `room.verb`, to the roles that hold it over the areas granted."""
    menu: tuple[MenuEntry, ...] = ()
    sections: Mapping[str, Text] = field(default_factory=dict)
    """What the first word of a figure's id stands for: the section of a chapter."""
    units: Mapping[str, Unit] = field(default_factory=dict)
    """Units of its figures that no other room has."""
    tallied: Mapping[str, str] = field(default_factory=dict)
    """Tables that only grow, as `karez verify` names them."""
    sent: Mapping[str, Way] = field(default_factory=dict)
    """Addresses that take more than a form, or whose work is heavy: a pattern of the whole path."""
    asked: Mapping[str, Way] = field(default_factory=dict)
    """Addresses whose answer is heavy work: a pattern of the whole path."""


@cache
def declared() -> tuple[Room, ...]:
    """The declaration of every room that has one; a permission declared by two rooms is a bug."""
    found = tuple(_declarations())
    permissions = [permission for room in found for permission in room.permissions]
    assert len(permissions) == len(set(permissions)), "a permission is declared by two rooms"
    return found


def _declarations() -> Iterator[Room]:
    for folder in sorted(one.name for one in pkgutil.iter_modules(karez.__path__) if one.ispkg):
        if find_spec(f"karez.{folder}.room"):
            yield import_module(f"karez.{folder}.room").ROOM
