"""Worlds of tests that are built once a run: each in a database of its own, the next on a clone of the one below.

A test that is rolled back works in the stage's own database; one that commits works on a clone of it. Each is given a
copy of what the builder returned. Holds no test and builds no world itself.
"""

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from django.db import connections
from psycopg import sql

from karez.system import database

_F = TypeVar("_F", bound=Callable[..., Any])
_given: dict[Callable[..., Any], "Stage"] = {}
_at: "Stage | None" = None  # what the database in use holds
_empty: str | None = None  # the database in use before a stage was entered


class Stage:
    """What `build` writes into an empty database, or into that of another stage, whose copy it is then called with."""

    def __init__(self, build: Callable[..., Any], on: "Stage | None" = None) -> None:
        self.build, self.on = build, on
        self.depth: int = on.depth + 1 if on else 1
        self.database = ""
        self._built: Any = None

    def given(self, fixture: _F) -> _F:
        """Marks a fixture function: a test that asks for it works on this stage."""
        _given[fixture] = self
        return fixture

    def copy(self) -> Any:
        """What was built, if the database in use holds it; None otherwise."""
        stage = _at
        while stage is not None and stage is not self:
            stage = stage.on
        return copy.deepcopy(self._built) if stage else None

    def make(self, template: str) -> str:
        """The name of the stage's database, which is built the first time."""
        if not self.database:
            below = self.on.make(template) if self.on else template
            name = f"karez_stage_{os.getpid()}_{os.urandom(4).hex()}"
            _clone(name, below)
            before = use(name)
            try:
                self._built = self.build(*([copy.deepcopy(self.on._built)] if self.on else []))
            finally:
                use(before)
            self.database = name
        return self.database


def of(item: pytest.Item) -> Stage | None:
    """The highest stage a test's fixtures ask for."""
    fixtures = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]
    found = [_given[ways[-1].func] for ways in fixtures if ways[-1].func in _given]
    return max(found, key=lambda stage: stage.depth, default=None)


def databases() -> list[str]:
    """The databases of all stages built."""
    return sorted({stage.database for stage in _given.values() if stage.database})


def enter(stage: Stage, template: str) -> None:
    """Makes the stage's own database the one in use; it stays so until a test comes that asks for another."""
    global _at, _empty  # noqa: PLW0603 - one process uses one database
    if _at is stage:
        return
    leave()
    _empty = use(stage.make(template))
    _at = stage


def leave_for(item: pytest.Item) -> None:
    """Leaves the stage that is entered, unless the test works on it."""
    if "committed_db" in item.fixturenames or of(item) is not _at:  # type: ignore[attr-defined]
        leave()


def leave() -> None:
    """Makes the empty database the one in use again."""
    global _at  # noqa: PLW0603
    if _at is not None:
        assert _empty is not None
        use(_empty)
        _at = None


@contextmanager
def clone(name: str, stage: Stage | None, template: str) -> Iterator[None]:
    """A database of that name in use for the block: a clone of the stage's, or of the empty one."""
    global _at  # noqa: PLW0603
    _clone(name, stage.make(template) if stage else template)
    before, _at = use(name), stage
    try:
        yield
    finally:
        use(before)
        _at = None
        with database.administrator() as admin:
            database.drop_database(admin, name)


def _clone(name: str, template: str) -> None:
    """By copying files: half the work of writing every page to the log."""
    close_all()
    words = "CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy"
    with database.administrator() as admin:
        admin.execute(sql.SQL(words).format(*map(sql.Identifier, (name, database.OWNER, template))))


def use(name: str) -> str:
    """Makes a database the one in use, for programs the test starts too; the name of the one before.

    A connection still open would go on writing into the one before.
    """
    close_all()
    before = os.environ["KAREZ_DATABASE"]
    os.environ["KAREZ_DATABASE"] = name
    for alias in connections:
        connections[alias].settings_dict["NAME"] = name
    return before


def close_all() -> None:
    """Closes this thread's connections: a database with a connection can be neither cloned nor removed."""
    for alias in connections:
        connections[alias].close()
