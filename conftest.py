"""Fixtures of every test: a server of its own, a database rolled back or cloned, and the fixed cast of people."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.contrib.auth.hashers import ScryptPasswordHasher
from django.db import connections
from django.utils import translation
from hypothesis import HealthCheck, settings

from karez.access.models import User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.host import install
from karez.periods import services as periods
from karez.places import loading
from karez.places.models import Tree
from karez.places.services import refresh_tree
from karez.system import database, paths, postgres
from tests import kept_cluster, stages

_TEMPLATE = f"karez_template_{os.getpid()}"
_KEPT = "karez_kept"
_LONG = (
    "tests/browser/",
    "tests/test_host.py",
    "tests/test_serving.py",
    "test_crash.py",
    "test_concurrency.py",
    "test_publishing.py",
    "test_every_file.py",
)


ScryptPasswordHasher.work_factor = (
    2**4
)  # the tests' passwords are real hashes, but cheap ones; a quarter of a second each would be a minute of a run

settings.register_profile(
    "karez", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine is no fault
settings.load_profile("karez")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take long come first, so that none of them is left to one worker at the end."""
    items.sort(key=lambda item: next((n for n, part in enumerate(_LONG) if part in item.nodeid), len(_LONG)))


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """A request leaves its reader's language behind in the process; the next test begins without one."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """One migrated database a run, made the way an installation makes it, and a template to clone from."""
    with django_db_blocker.unblock():
        if database.url():
            install.bring_up()
        else:
            _bring_up_from_kept_cluster()
        stages.close_all()
        with database.administrator() as admin:
            database.make_database(admin, _TEMPLATE, template=database.name())
    yield
    with django_db_blocker.unblock():
        stages.leave()
        stages.close_all()
        with database.administrator() as admin:
            database.drop_database(admin, database.name())
            database.drop_database(admin, _TEMPLATE)
            for made in stages.databases():
                database.drop_database(admin, made)
        if not database.url():
            postgres.remove(database.cluster())
        shutil.rmtree(paths.VAR, ignore_errors=True)


def _bring_up_from_kept_cluster() -> None:
    """Migrating anew would cost each run a quarter of a minute."""
    kept_cluster.copy_to(paths.CLUSTER, _make_cluster)
    postgres.start(database.cluster())
    with database.administrator() as admin:
        admin.execute(f"ALTER DATABASE {_KEPT} RENAME TO {database.name()}")
    install.bring_up()


def _make_cluster() -> Path:
    """A migrated cluster, stopped, with no installation of its own."""
    before = stages.use(_KEPT)
    install.bring_up()
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM periods_installation")  # the next run has a key of its own
    stages.close_all()
    stages.use(before)
    postgres.stop(database.cluster())
    return database.cluster().folder


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Whatever asks for a database first finds the empty one, unless this test works on a stage too."""
    stages.leave_for(item)


@pytest.fixture(autouse=True)
def _stage(request: pytest.FixtureRequest) -> None:
    """The world of a test that is rolled back is there before its transaction begins."""
    stage = stages.of(request.node)
    if stage is not None and "committed_db" not in request.fixturenames and not connections["default"].in_atomic_block:
        request.getfixturevalue("django_db_setup")
        with request.getfixturevalue("django_db_blocker").unblock():
            stages.enter(stage, _TEMPLATE)


@pytest.fixture
def committed_db(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A fresh clone of the migrated database where commits are real, with the test's world in it; for threads, kills and
    closing. Yields its name.
    """
    name = f"karez_c_{os.getpid()}_{os.urandom(4).hex()}"
    with django_db_blocker.unblock(), stages.clone(name, stages.of(request.node), _TEMPLATE):
        yield name


@pytest.fixture
def crash_server(committed_db: str) -> Callable[[], None] | None:
    """Kills every process of the database server at once and starts it again; None where the server is not the embedded
    one.
    """
    if database.url():
        return None
    with database.administrator() as admin:  # the tests' clusters tell a commit before it is written
        admin.execute(f"ALTER DATABASE {committed_db} SET synchronous_commit = on")
    stages.close_all()
    return _crash_server


def _crash_server() -> None:
    cluster = database.cluster()
    postmaster = psutil.Process(int((cluster.folder / "postmaster.pid").read_text().split()[0]))
    postmaster.suspend()  # it starts nobody while its children are counted
    killed = [*postmaster.children(recursive=True), postmaster]
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=20)
    stages.close_all()
    postgres.start(cluster)


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


@pytest.fixture
def owner_cursor(committed_db: str) -> Iterator[Any]:
    """A cursor of the owner's role to the cloned database, in autocommit."""
    with psycopg.connect(database.conninfo(database.OWNER), autocommit=True) as connection:
        yield connection.cursor()


# One small believable region: a prefecture with two counties, each of two townships with three villages.
_AREAS = [
    ("region", "99", "沙泉自治区", "Shaquan", ""),
    ("prefecture", "9901", "北泉市", "Beiquan", "99"),
    ("county", "990101", "柳井县", "Liujing", "9901"),
    ("county", "990102", "石梁县", "Shiliang", "9901"),
    *[("township", f"9901{c}{t}00", f"乡{c}{t}", f"Township {c}{t}", f"9901{c}") for c in ("01", "02") for t in ("1", "2")],
    *[
        ("village", f"9901{c}{t}0020{v}", f"村{c}{t}{v}", f"Village {c}{t}{v}", f"9901{c}{t}00")
        for c in ("01", "02") for t in ("1", "2") for v in ("0", "1", "2")
    ],
]  # fmt: skip


@dataclass(frozen=True)
class World:
    """The shared small region, founded with 2009 as its first year: area ids by code, and its people."""

    areas: dict[str, int]
    clerk: User  # county officer of 990101
    other_clerk: User  # county officer of 990102
    township: User  # township officer of 9901011
    treasurer: User  # treasurer over county 990101
    finance: User  # finance officer of the region
    approver: User  # approver of the region
    second_approver: User
    auditor: User
    regional: User
    statistician: User
    administrator: User

    @property
    def region(self) -> int:
        """The region's area id."""
        return self.areas["99"]


def build_world() -> World:
    """Writes the shared region and its people into the current database."""
    columns = loading.AREA_COLUMNS
    rows = [
        dict(zip(columns, (level, code, zh, en, parent, "1990-01-01", "", "sourced", ""), strict=True))
        for level, code, zh, en, parent in _AREAS
    ]
    source, params = loading.as_source(columns, rows)
    with connections["default"].cursor() as cursor:
        loading.insert_areas(cursor, source, params | {"by": 0, "batch": None})
    refresh_tree()
    areas = dict(Tree.objects.values_list("code", "area_id"))
    periods.found_region(
        area_id=areas["99"],
        code="99",
        first_year=2009,
        controller="Shaquan Office",
        legal_basis="Regional rule 1",
        complaint_body="Ombudsman of Shaquan",
        synthetic=True,
    )

    def person(username: str, role: Role, code: str) -> User:
        user = add_user(username=username, full_name=username.replace("_", " ").title(), password=None)
        grant_role(None, user=user, role=role, area_id=areas[code], starts_on=date(2009, 1, 1))
        return user

    return World(
        areas=areas,
        clerk=person("clerk", Role.COUNTY_OFFICER, "990101"),
        other_clerk=person("other_clerk", Role.COUNTY_OFFICER, "990102"),
        township=person("township", Role.TOWNSHIP_OFFICER, "990101100"),
        treasurer=person("treasurer", Role.TREASURER, "990101"),
        finance=person("finance", Role.FINANCE_OFFICER, "99"),
        approver=person("approver", Role.APPROVER, "99"),
        second_approver=person("second_approver", Role.APPROVER, "99"),
        auditor=person("auditor", Role.AUDITOR, "99"),
        regional=person("regional", Role.REGIONAL_OFFICER, "99"),
        statistician=person("statistician", Role.STATISTICIAN, "99"),
        administrator=person("administrator", Role.ADMINISTRATOR, "99"),
    )


WORLD = stages.Stage(build_world)


@pytest.fixture
@WORLD.given
def world(db: None) -> World:
    """The shared region inside a test that is rolled back."""
    return WORLD.copy() or build_world()


@pytest.fixture
@WORLD.given
def committed_world(committed_db: str) -> World:
    """The shared region committed to the test's own database."""
    return WORLD.copy() or build_world()
