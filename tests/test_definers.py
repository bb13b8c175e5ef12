"""Every function that runs with the owner's rights is closed to tricks: no shadowing by temporary tables, no public use."""

from django.db import connection

_OPEN = """
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
  SELECT 1 FROM unnest(p.proconfig) c WHERE c = 'search_path=pg_catalog, public, pg_temp')
"""
_PUBLIC = """
SELECT p.oid::regprocedure::text FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace AND a.grantee = 0
"""


def test_definer_functions_look_in_temporary_tables_last(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace")
        assert cursor.fetchone()[0] > 5
        cursor.execute(_OPEN)
        assert cursor.fetchall() == []


def test_definer_functions_are_not_for_everybody(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PUBLIC)
        assert cursor.fetchall() == []


def test_triggers_look_in_temporary_tables_last(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.pronamespace = 'public'::regnamespace")
        assert cursor.fetchone()[0] > 20
        cursor.execute(
            "SELECT DISTINCT p.oid::regprocedure::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS"
            " (SELECT 1 FROM unnest(p.proconfig) c WHERE c = 'search_path=pg_catalog, public, pg_temp')"
        )
        assert cursor.fetchall() == []
