"""What frozen snapshots answered, kept in memory for whoever asks next. Computes nothing itself and decides nobody's
rights.

A snapshot never changes and is known by its digest; declarations do not change while a process runs. What is kept is
bounded in number and is read, never written to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from karez.closing.snapshots import Snapshot
from karez.figures import engine
from karez.figures.declarations import Declarations, Figure
from karez.figures.engine import Cells, Place


@dataclass(frozen=True)
class Asked:
    """A snapshot as a key: two folders of one digest are one snapshot, under declarations that are the same object."""

    digest: str
    declared: int
    snapshot: Snapshot = field(compare=False)
    known: Declarations = field(compare=False)  # held, so that no other object takes its number


def asked(snapshot: Snapshot) -> Asked:
    """The key by which what follows from a snapshot alone is kept."""
    known = engine.declared()
    return Asked(snapshot.digest, id(known), snapshot, known)


def cells(snapshot: Snapshot, wanted: Sequence[Figure], levels: Sequence[str]) -> Cells:
    """`engine.cells`, asked once."""
    return _cells(asked(snapshot), tuple(f.id for f in wanted), tuple(levels))


def places(snapshot: Snapshot) -> Mapping[int, Place]:
    """The areas of the snapshot's edition by their ids."""
    return _cells(asked(snapshot), (), ()).places


def rows_behind(
    snapshot: Snapshot, figure_id: str, area_id: int, after: int, limit: int, inside: frozenset[int] | None
) -> list[dict[str, Any]]:
    """A page of `engine.rows_behind`; the rows are copies, free to be changed."""
    return [dict(row) for row in _rows(asked(snapshot), figure_id, area_id, after, limit, inside)]


def count_rows_behind(
    snapshot: Snapshot, figure_id: str, area_id: int, inside: frozenset[int] | None
) -> tuple[int, int]:
    """`engine.count_rows_behind`, asked once."""
    return _counts(asked(snapshot), figure_id, area_id, inside)


@lru_cache(maxsize=64)
def _cells(key: Asked, ids: tuple[str, ...], levels: tuple[str, ...]) -> Cells:
    wanted = engine.resolve(ids, key.snapshot.year) if ids else []
    return engine.cells(key.snapshot, wanted, levels)


@lru_cache(maxsize=256)
def _rows(
    key: Asked, figure_id: str, area_id: int, after: int, limit: int, inside: frozenset[int] | None
) -> tuple[dict[str, Any], ...]:
    return tuple(
        engine.rows_behind(key.snapshot, figure_id, area_id, after, limit, None if inside is None else sorted(inside))
    )


@lru_cache(maxsize=512)
def _counts(key: Asked, figure_id: str, area_id: int, inside: frozenset[int] | None) -> tuple[int, int]:
    return engine.count_rows_behind(key.snapshot, figure_id, area_id, None if inside is None else sorted(inside))
