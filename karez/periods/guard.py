"""Turns every table's declaration into rights and triggers. Holds no rules of its own about any table.

Run after every migration, as the owner. Running it again changes nothing: rights are taken back and given anew,
triggers replaced. A table that declares nothing is a fault that stops the migration.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import connections
from django.db.models import Model

from karez.kernel.facts import END_COLUMNS, VOID_COLUMNS, Usage

# Tables of libraries, by the first part of their name.
_THIRD_PARTY = {
    "django_migrations": Usage.OWNED,
    "django_content_type": Usage.MUTABLE,
    "django_session": Usage.SCRATCH,
    "auth_": Usage.MUTABLE,
    "access_user_groups": Usage.MUTABLE,
    "access_user_user_permissions": Usage.MUTABLE,
    "account_": Usage.MUTABLE,
    "mfa_": Usage.MUTABLE,
    "axes_": Usage.SCRATCH,
    "procrastinate_": Usage.SCRATCH,
    "pghistory_": Usage.LOG,
}

_RIGHTS = {
    Usage.EVENT: ("SELECT, INSERT", VOID_COLUMNS),
    Usage.SPELL: ("SELECT, INSERT", VOID_COLUMNS + END_COLUMNS),
    Usage.UNDATED: ("SELECT, INSERT", VOID_COLUMNS),
    Usage.MUTABLE: ("SELECT, INSERT, UPDATE, DELETE", ()),
    Usage.OWNED: ("SELECT", ()),
    Usage.LOG: ("SELECT, INSERT", ()),
    Usage.SCRATCH: ("SELECT, INSERT, UPDATE, DELETE", ()),
}

# Functions with the owner's rights are for whom they are granted to; triggers need no right to run.
_DEFINERS = """
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace ORDER BY 1
"""

# Triggers run as whoever writes. Without a path of their own they would read the writer's temporary tables in place of ours.
_TRIGGERS_WITHOUT_PATH = """
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.prorettype = 'trigger'::regtype AND p.pronamespace = 'public'::regnamespace
 AND NOT EXISTS (SELECT 1 FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%')
 AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1
"""

_TABLES = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
 AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1
"""

_VIEWS = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
 AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1
"""


class UndeclaredTable(Exception):
    """A table of the database says nowhere how it may be used."""


def install() -> None:
    """Gives the app's role its rights on every table and installs the guards of closed years."""
    usages = declared_usages()
    with connections["owner"].cursor() as cursor:
        cursor.execute(_TABLES)
        tables = [row[0] for row in cursor.fetchall()]
        undeclared = [t for t in tables if usage_of(t, usages) is None]
        if undeclared:
            raise UndeclaredTable(f"no declaration (facts = ...) for: {', '.join(undeclared)}")
        statements = ["REVOKE ALL ON ALL TABLES IN SCHEMA public FROM karez_app"]
        for table in tables:
            usage = usage_of(table, usages)
            assert usage is not None
            statements += [*_rights(table, usage), *_triggers(table, usage)]
        cursor.execute(_VIEWS)  # a view shows what its tables hold, and those are readable already
        statements += [f'GRANT SELECT ON "{row[0]}" TO karez_app' for row in cursor.fetchall()]
        cursor.execute(_DEFINERS)
        statements += [f"REVOKE ALL ON FUNCTION {row[0]} FROM PUBLIC" for row in cursor.fetchall()]
        cursor.execute(_TRIGGERS_WITHOUT_PATH)
        statements += [f"ALTER FUNCTION {row[0]} SET search_path = pg_catalog, public, pg_temp" for row in cursor.fetchall()]
        statements.append("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO karez_app")
        cursor.execute(";\n".join(statements))


def declared_usages() -> dict[str, Usage]:
    """Table name -> usage, of every model that declares one."""
    return {m._meta.db_table: m.facts for m in _models() if hasattr(m, "facts")}


def usage_of(table: str, usages: dict[str, Usage]) -> Usage | None:
    """The usage of a table: its model's declaration, or what is known of a library's table; None if neither."""
    if table in usages:
        return usages[table]
    if table.endswith("event") and table.removesuffix("event") in usages:
        return Usage.LOG  # history written by trigger
    return next((usage for prefix, usage in _THIRD_PARTY.items() if table.startswith(prefix)), None)


def _models() -> Iterator[type[Model]]:
    yield from apps.get_models(include_auto_created=True)


def _rights(table: str, usage: Usage) -> list[str]:
    rights, columns = _RIGHTS[usage]
    statements = [f'GRANT {rights} ON "{table}" TO karez_app']
    if columns:
        statements.append(f'GRANT UPDATE ({", ".join(columns)}) ON "{table}" TO karez_app')
    return statements


def _triggers(table: str, usage: Usage) -> list[str]:
    if usage not in (Usage.EVENT, Usage.SPELL, Usage.UNDATED):
        return []
    made = [_trigger(table, "mark_once", "BEFORE UPDATE", "", "ROW", "periods_mark_once")]
    if usage is Usage.SPELL:
        made.append(_trigger(table, "end_once", "BEFORE UPDATE", "", "ROW", "periods_end_once"))
    if usage is not Usage.UNDATED:
        kind = usage.value
        new, old = "REFERENCING NEW TABLE AS", "OLD TABLE AS before_change"
        made.append(_trigger(table, "guard_insert", "AFTER INSERT", f"{new} added", "STATEMENT", f"periods_guard_{kind}_insert"))
        made.append(
            _trigger(table, "guard_update", "AFTER UPDATE", f"{new} changed {old}", "STATEMENT", f"periods_guard_{kind}_update")
        )
    return made


def _trigger(table: str, name: str, when: str, referencing: str, each: str, function: str) -> str:
    return (
        f'CREATE OR REPLACE TRIGGER "{table}_{name}" {when} ON "{table}" {referencing} '
        f"FOR EACH {each} EXECUTE FUNCTION {function}()"
    )
