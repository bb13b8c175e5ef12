"""Turns every table's declaration into rights and triggers. Holds no rules of its own about any table.

Run after every migration, as the owner. Running it again changes nothing: rights are taken back and given anew,
triggers replaced. A table that declares nothing is a fault that stops the migration. What a room above has to write
there of its own declarations it tells in a module `installed` with a function `statements`.
"""

from collections.abc import Iterator
from importlib import import_module

from django.apps import apps
from django.db import connections
from django.db.models import Model
from django.utils.module_loading import module_has_submodule

from karez.access.rules import PERMISSIONS
from karez.kernel.facts import END_COLUMNS, VOID_COLUMNS, Reach, Usage

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
    "pghistory_": Usage.OWNED,
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

# Every function of ours: whether it is a trigger, its name, whether it looks up names in a path of its own or none any
# more, and whether anybody reaches it. Whoever is reached without a path would read the caller's temporary tables in
# place of ours.
_FUNCTIONS = """
SELECT p.oid::regprocedure::text, p.prorettype = 'trigger'::regtype, p.proname,
       p.prosqlbody IS NOT NULL OR EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%'),
       p.prosecdef OR has_function_privilege('karez_app', p.oid, 'EXECUTE') FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
 AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1
"""
_PATH = "SET search_path = pg_catalog, public, pg_temp"

# A session can silence pgtrigger's triggers, and write a context into pghistory's rows, by a setting anybody may set.
# Neither is used here, so neither is listened to; the triggers themselves write their history as the owner, and nobody
# else can.
_UNSILENCED = (
    (
        "CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean LANGUAGE sql "
        "IMMUTABLE RETURN false"
    ),
    "CREATE OR REPLACE FUNCTION public._pgh_attach_context() RETURNS uuid LANGUAGE sql IMMUTABLE RETURN NULL::uuid",
)

# A trigger that joins what a statement wrote sets, for many rows, how they are joined (`periods_plan_for`); it ends
# with the trigger.
_OF_STATEMENTS = """
SELECT DISTINCT t.tgfoid::regprocedure::text FROM pg_trigger t
WHERE NOT t.tgisinternal AND (t.tgnewtable IS NOT NULL OR t.tgoldtable IS NOT NULL) ORDER BY 1
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
        # What rooms tell of their declarations first: functions of theirs that are new, or gone, are seen below.
        cursor.execute(";\n".join(["ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC", *_of_rooms()]))
        statements = [
            # Whoever writes the next function need not think of it: a function is for nobody until it is granted.
            "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM karez_app",
        ]
        for table in tables:
            usage = usage_of(table, usages)
            assert usage is not None
            statements += [*_rights(table, usage), *_triggers(table, usage)]
        statements += [_tally(table) for table in tallied_tables()]
        cursor.execute(_VIEWS)  # a view shows what its tables hold, and those are readable already
        statements += [f'GRANT SELECT ON "{row[0]}" TO karez_app' for row in cursor.fetchall()]
        statements += [*_UNSILENCED, _reach_function(), _roles_function()]
        cursor.execute(_FUNCTIONS)
        for function, is_trigger, name, settled, reached in cursor.fetchall():
            statements += _function(function, is_trigger=is_trigger, name=name)
            if is_trigger or (reached and not settled):
                statements.append(f"ALTER FUNCTION {function} {_PATH}")
        cursor.execute(_OF_STATEMENTS)
        statements += [f"ALTER FUNCTION {row[0]} SET enable_nestloop = on" for row in cursor.fetchall()]
        cursor.execute("SELECT quote_ident(current_database())")
        here = cursor.fetchone()[0]
        statements.append(f"REVOKE ALL ON DATABASE {here} FROM PUBLIC")
        statements.append(f"GRANT CONNECT, TEMPORARY ON DATABASE {here} TO karez_app")
        statements.append("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO karez_app")
        cursor.execute(";\n".join(statements))


def declared_reaches() -> dict[str, Reach]:
    """Table name -> which true days it may speak of, of every model of dated facts."""
    return {m._meta.db_table: m.reach for m in _models() if hasattr(m, "reach")}


def _reach_function() -> str:
    said = " ".join(f"WHEN '{table}' THEN '{reach.value}'" for table, reach in sorted(declared_reaches().items()))
    return (
        "CREATE OR REPLACE FUNCTION periods_reach(p_table text) RETURNS text LANGUAGE sql IMMUTABLE"
        f" RETURN CASE p_table {said} END;\nGRANT EXECUTE ON FUNCTION periods_reach(text) TO karez_app"
    )


def _roles_function() -> str:
    """The roles that have one of some permissions, each given as a pattern: `access.rules`, told to the database."""
    pairs = ", ".join(
        f"('{permission}', '{role}')" for permission, roles in sorted(PERMISSIONS.items()) for role in sorted(roles)
    )
    return (
        "CREATE OR REPLACE FUNCTION access_roles_with(permissions text[]) RETURNS text[] LANGUAGE sql IMMUTABLE RETURN"
        f" ARRAY(SELECT DISTINCT role FROM (VALUES {pairs}) v (permission, role) WHERE permission LIKE ANY "
        "(permissions) ORDER BY role);\n"
        "GRANT EXECUTE ON FUNCTION access_roles_with(text[]) TO karez_app"
    )


def _of_rooms() -> Iterator[str]:
    for config in apps.get_app_configs():
        if config.name.startswith("karez.") and module_has_submodule(config.module, "installed"):
            yield from import_module(f"{config.name}.installed").statements()


def declared_usages() -> dict[str, Usage]:
    """Table name -> usage, of every model that declares one."""
    return {m._meta.db_table: m.facts for m in _models() if hasattr(m, "facts")}


def tallied_tables() -> list[str]:
    """Tables whose rows are counted as they are added (`tallied = True`), so that one taken away or changed is found."""
    return sorted(m._meta.db_table for m in _models() if getattr(m, "tallied", False))


def usage_of(table: str, usages: dict[str, Usage]) -> Usage | None:
    """The usage of a table: its model's declaration, or what is known of a library's table; None if neither."""
    if table in usages:
        return usages[table]
    if table.endswith("event") and table.removesuffix("event") in usages:
        return Usage.OWNED  # history, written by triggers that run as the owner
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
    kind = usage.value
    new, old = "REFERENCING NEW TABLE AS", "OLD TABLE AS before_change"
    for name, when, tables in (
        ("insert", "AFTER INSERT", f"{new} added"),
        ("update", "AFTER UPDATE", f"{new} changed {old}"),
    ):
        made.append(_trigger(table, f"guard_{name}", when, tables, "STATEMENT", f"periods_guard_{kind}_{name}"))
    return made


def _function(function: str, *, is_trigger: bool, name: str) -> list[str]:
    """A trigger is nobody's to call: hung on a table of one's own it would run for its caller. EXECUTE is asked for
    when a trigger is made, never when it fires.
    """
    made = [f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"]
    if is_trigger:
        made.append(f"REVOKE ALL ON FUNCTION {function} FROM karez_app")
    if is_trigger and name.startswith("pgtrigger_"):
        made.append(f"ALTER FUNCTION {function} SECURITY DEFINER")
    if not is_trigger and name.startswith("procrastinate_"):  # the queue's own, run with the rights of who calls
        made.append(f"GRANT EXECUTE ON FUNCTION {function} TO karez_app")
    return made


def _tally(table: str) -> str:
    return _trigger(table, "tally", "AFTER INSERT", "REFERENCING NEW TABLE AS added", "STATEMENT", "periods_tally")


def _trigger(table: str, name: str, when: str, referencing: str, each: str, function: str) -> str:
    return (
        f'CREATE OR REPLACE TRIGGER "{table}_{name}" {when} ON "{table}" {referencing} '
        f"FOR EACH {each} EXECUTE FUNCTION {function}()"
    )
