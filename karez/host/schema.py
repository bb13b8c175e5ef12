"""Which migrations a database was made with, by digest, so that one changed afterwards is told and not met as an error
later.

The digests stand in the comment of Django's table of migrations: they go with a dump. Holds no migration.
"""

import hashlib
import inspect
import json

from django.db import connections
from django.db.migrations import RunSQL
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from karez.kernel.refusal import Refusal

_MARK = "karez migrations "


def check() -> None:
    """Refuses a database some of whose migrations were made from other text than this program's; an empty one is fine."""
    applied = _applied()
    if not applied:
        return
    told, known = _recorded(), digests()
    changed = sorted(f"{app}.{name}" for app, name in applied if told.get(f"{app}.{name}") != known.get((app, name)))
    if changed:
        raise Refusal(
            "host.other_schema",
            record=f"database {connections['owner'].settings_dict['NAME']}",
            found=f"{len(changed)} migrations differ from this program's, among them {', '.join(changed[:3])}",
            expected="a database made by this version or by a released one before it",
            rule="a migration that was applied is never changed; only states between releases break this",
            todo=(
                "use the program that made it, or start with another data folder (KAREZ_VAR) or database, and "
                "load its files again"
            ),
        )


def record() -> None:
    """Writes down the digests of all this program's migrations, before they run: one cut off in the middle goes on
    where it was.
    """
    told = {f"{app}.{name}": digest for (app, name), digest in sorted(digests().items())}
    MigrationRecorder(connections["owner"]).ensure_schema()
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT format('COMMENT ON TABLE django_migrations IS %%L', %s::text)", [_MARK + json.dumps(told)]
        )
        cursor.execute(cursor.fetchone()[0])


def to_come() -> bool:
    """Whether there are migrations the database was not given yet."""
    executor = MigrationExecutor(connections["owner"])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _applied() -> set[tuple[str, str]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return set()
        cursor.execute("SELECT app, name FROM django_migrations")
        return {(app, name) for app, name in cursor.fetchall() if _ours(app)}


def _recorded() -> dict[str, str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT obj_description('django_migrations'::regclass, 'pg_class')")
        said = cursor.fetchone()[0] or ""
    found: dict[str, str] = json.loads(said.removeprefix(_MARK)) if said.startswith(_MARK) else {}
    return found


def digests() -> dict[tuple[str, str], str]:
    """SHA-256 of each migration's file and of the SQL it runs."""
    found = {}
    for key, migration in MigrationLoader(None).disk_migrations.items():
        if not _ours(key[0]):
            continue
        text = [inspect.getsource(inspect.getmodule(type(migration)))]  # type: ignore[arg-type]
        text += ["\n".join(map(str, op.sql)) for op in migration.operations if isinstance(op, RunSQL)]
        found[key] = hashlib.sha256("\0".join(text).encode()).hexdigest()
    return found


def _ours(app: str) -> bool:
    from django.apps import apps

    return apps.is_installed(f"karez.{app}")
