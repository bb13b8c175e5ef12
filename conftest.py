"""Fixtures of every test: a server of its own, a database rolled back or cloned, and the fixed cast of people."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections

from karez.host import database, install, paths, postgres

_TEMPLATE = f"karez_template_{os.getpid()}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """One migrated database a run, made the way an installation makes it, and a template to clone from."""
    with django_db_blocker.unblock():
        install.bring_up()
        _close_all()
        with database.administrator() as admin:
            database.make_database(admin, _TEMPLATE, template=database.name())
    yield
    with django_db_blocker.unblock():
        _close_all()
        with database.administrator() as admin:
            database.drop_database(admin, database.name())
            database.drop_database(admin, _TEMPLATE)
        if not database.url():
            postgres.remove(database.cluster())
        shutil.rmtree(paths.VAR, ignore_errors=True)


def _close_all() -> None:
    for alias in connections:
        connections[alias].close()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A fresh clone of the migrated database where commits are real; for threads, kills and closing. Yields its name."""
    name = f"karez_c_{os.getpid()}_{os.urandom(4).hex()}"
    with django_db_blocker.unblock():
        _close_all()
        with database.administrator() as admin:
            database.make_database(admin, name, template=_TEMPLATE)
        before = _use(name)
        try:
            yield name
        finally:
            _close_all()
            _use(before)
            with database.administrator() as admin:
                database.drop_database(admin, name)


def _use(name: str) -> str:
    before = os.environ["KAREZ_DATABASE"]
    os.environ["KAREZ_DATABASE"] = name  # subprocesses of the test see the same database
    for alias in connections:
        connections[alias].settings_dict["NAME"] = name
    return before


@pytest.fixture
def app_connection(committed_db: str) -> Iterator[Callable[[], psycopg.Connection[Any]]]:
    """Opens raw connections as the app's role to the cloned database: the attacker's seat."""
    opened: list[psycopg.Connection[Any]] = []

    def connect() -> psycopg.Connection[Any]:
        opened.append(psycopg.connect(database.conninfo(database.APP)))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()
