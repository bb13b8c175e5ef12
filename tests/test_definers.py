"""Every function of the database by what it may do and who may call it; then each one attacked as the app's role.

Walks what is there, so that a function written later that breaks a rule fails here. The rules are told in decision 8.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest
from django.db import connection

from karez.access.models import User
from karez.access.roles import Role
from karez.access.services import add_user, end_founding, grant_role
from karez.intake import services as intake
from karez.intake.tests.conftest import csv_of, make_county, sent
from karez.register.models import ErasureRequest, Person
from karez.system import database

_PATH = "search_path=pg_catalog, public, pg_temp"
_OURS = """
SELECT p.oid::regprocedure::text AS name, p.proname, p.prosecdef AS definer,
    p.prorettype = 'trigger'::regtype AS is_trigger,
       %(path)s = ANY (coalesce(p.proconfig, '{{}}')) AS has_path, p.prosqlbody IS NOT NULL AS bound, p.prosrc AS body,
       has_function_privilege('karez_app', p.oid, 'EXECUTE') AS by_app,
           p.proowner = 'karez_owner'::regrole AS of_owner, l.lanname AS language,
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
           WHERE a.grantee = 0) AS by_everybody,
       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) t) AS takes
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1
"""

# The only ones that put SQL together while they run, and from what.
_PUT_TOGETHER = {
    "intake_begin_staging": "a batch's own number; names of one alphabet and types of a closed list, or KZ041",
    "intake_close_stage": "a batch's own number",
    "intake_drop_stage": "a batch's number, never called from outside",
    "intake_staged_rows": "a batch's number, with the caller's own rights",
    "register_built_on": "tables and columns as the catalogue names them",
}
_CONSTANT = re.compile(r"\s+('(?:[^']|'')*'|\$(\w*)\$.*?\$\2\$)\s*(INTO\b|USING\b|;)", re.DOTALL)
_TEMPORARY = re.compile(r"\bpg_temp\.(\w+)", re.IGNORECASE)


def _functions() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_OURS.replace("{{}}", "{}"), {"path": _PATH})
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert len(found) > 80
    return [f | {"body": re.sub(r"--[^\n]*", "", f["body"])} for f in found]


def _wrong(rule: Callable[[dict[str, Any]], bool]) -> list[str]:
    return [f["name"] for f in _functions() if rule(f)]


def test_no_trigger_can_be_called_by_anybody_but_the_owner(db: None) -> None:
    assert _wrong(lambda f: f["is_trigger"] and (f["by_app"] or f["by_everybody"])) == []


def test_no_function_is_for_everybody_or_of_anybody_but_the_owner(db: None) -> None:
    assert _wrong(lambda f: f["by_everybody"] or not f["of_owner"] or f["language"] not in ("sql", "plpgsql")) == []


def test_every_function_one_can_reach_looks_in_temporary_tables_last(db: None) -> None:
    """A body bound when it was written (`RETURN`, `BEGIN ATOMIC`) looks up nothing any more."""
    assert (
        _wrong(lambda f: (f["definer"] or f["is_trigger"] or f["by_app"]) and not (f["has_path"] or f["bound"])) == []
    )


def test_no_function_builds_sql_from_what_it_is_given(db: None) -> None:
    def builds(f: dict[str, Any]) -> bool:
        if f["proname"] in _PUT_TOGETHER:
            return False
        told = re.split(r"\bEXECUTE\b", f["body"], flags=re.IGNORECASE)[1:]
        return "TG_ARGV" in f["body"].upper() or any(not _CONSTANT.match(text) for text in told)

    assert _wrong(builds) == []


def test_only_a_table_checked_to_be_the_owners_is_read_among_temporary_ones(db: None) -> None:
    reading = {f["proname"]: set(_TEMPORARY.findall(f["body"])) for f in _functions() if _TEMPORARY.search(f["body"])}
    assert set().union(*reading.values()) <= {"ledger_bulk", "ledger_bulk_voucher"}
    with connection.cursor() as cursor:  # whoever may be called from outside asks first whose it is
        cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE prosecdef AND proname = ANY (%s)", [list(reading)])
        assert [name for name, body in cursor.fetchall() if not re.search(r"ledger_bulk_(ours|open)\(\)", body)] == []


def test_the_apps_role_is_nobody_owns_nothing_and_may_change_no_shape(db: None) -> None:
    asked = {
        "attributes": (
            "SELECT 1 FROM pg_roles WHERE rolname = 'karez_app' AND (rolsuper OR rolcreaterole OR "
            "rolcreatedb OR rolreplication OR rolbypassrls)"
        ),
        "memberships": "SELECT roleid::regrole FROM pg_auth_members WHERE member = 'karez_app'::regrole",
        "relations": "SELECT relname FROM pg_class WHERE relowner = 'karez_app'::regrole",
        "schemas": (
            "SELECT nspname FROM pg_namespace WHERE has_schema_privilege('karez_app', oid, 'CREATE') AND "
            "nspname !~ '^pg_temp'"
        ),
        "database": "SELECT 1 WHERE has_database_privilege('karez_app', current_database(), 'CREATE')",
        "public": "SELECT privilege_type FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a"
        " WHERE datname = current_database() AND a.grantee = 0",
        "tables": "SELECT c.relname FROM pg_class c WHERE relnamespace IN ('public'::regnamespace, "
        "'staging'::regnamespace)"
        " AND relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege('karez_app', c.oid, 'TRUNCATE, "
        "REFERENCES, TRIGGER')",
        "sequences": (
            "SELECT relname FROM pg_class WHERE CASE WHEN relkind = 'S' THEN "
            "has_sequence_privilege('karez_app', oid, 'UPDATE') END"
        ),
        "of others": "SELECT c.relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relowner <> "
        "'karez_owner'::regrole"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i', 'a'))",
        "event triggers": "SELECT evtname FROM pg_event_trigger",
        "languages": "SELECT lanname FROM pg_language WHERE lanname NOT IN ('internal', 'c', 'sql', 'plpgsql')",
        "casts": "SELECT castsource::regtype FROM pg_cast WHERE oid >= 16384 AND castfunc <> 0 AND NOT EXISTS"
        " (SELECT FROM pg_depend d WHERE d.objid = pg_cast.oid AND d.deptype = 'e')",
    }
    with connection.cursor() as cursor:
        found = {}
        for what, sql in asked.items():
            cursor.execute(sql)
            found[what] = cursor.fetchall()
    assert {what: rows for what, rows in found.items() if rows} == {}


def test_history_is_the_owners_to_write_and_no_setting_silences_it(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '(^pghistory_|userevent$|identityevent$)'"
        )
        tables = [row[0] for row in cursor.fetchall()]
        assert len(tables) > 2
        for table in tables:
            cursor.execute("SELECT has_table_privilege('karez_app', %s, 'INSERT, UPDATE, DELETE')", [table])
            assert cursor.fetchone()[0] is False, table
        user = add_user(username="watched", full_name="Watched", password=None)
        cursor.execute("SELECT array_agg(tgname::text) FROM pg_trigger WHERE tgrelid = 'access_user'::regclass")
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", ["{" + ",".join(cursor.fetchone()[0]) + "}"])
        cursor.execute("SELECT set_config('pghistory.context_id', gen_random_uuid()::text, true)")
        cursor.execute("SELECT set_config('pghistory.context_metadata', '{\"by\": 9}', true)")
        cursor.execute("UPDATE access_user SET full_name = 'Other' WHERE id = %s", [user.pk])
        cursor.execute(
            "SELECT count(*), count(pgh_context_id) FROM access_userevent WHERE id = %s AND full_name = 'Other'",
            [user.pk],
        )
        assert cursor.fetchone() == (1, 0)


_OWN = """
CREATE TEMP TABLE mine (id bigint, household_id bigint, voided_at timestamptz, ends_before date, happened_on date,
    person_id bigint);
CREATE FUNCTION pg_temp.told() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN NEW; END $$;
CREATE FUNCTION pg_temp.same(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN true; END $$;
CREATE FUNCTION pg_temp.same(text, text) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN true; END $$;
CREATE OPERATOR pg_temp.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = pg_temp.same);
CREATE OPERATOR pg_temp.= (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.same);
CREATE FUNCTION pg_temp.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN ''; END $$;
CREATE FUNCTION pg_temp.btrim(text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN ''; END $$;
"""
_GIVEN = {
    "bigint": ["1"], "integer": ["2009"], "boolean": ["true"], "date": ["current_date"], "jsonb": ["'[]'", "'{}'"], "name": ["'x'"],
    "double precision": ["1"], "timestamp with time zone": ["now()"], "numeric": ["1"],
    "text": ["'x'", "'''; SELECT 1/0; --'"], "character varying": ["'x'"],
    "bigint[]": ["'{1}'"], "integer[]": ["'{1}'"], "boolean[]": ["'{t}'"], "date[]": ["ARRAY[current_date]"],
    "text[]": ["'{x}'", "ARRAY['society; DROP TABLE mutual_funds_loan', '\"', '''']"],
}  # fmt: skip


def _refused(raw: psycopg.Connection[Any], sql: str) -> str:
    with pytest.raises(psycopg.Error) as told, raw.transaction():
        raw.execute(sql)
    return told.value.sqlstate or ""


def test_nothing_of_the_callers_runs_as_the_owner(committed_world: Any, app_connection: Callable[[], Any]) -> None:
    """Triggers hung on own tables; own tables, functions and operators under our names; text with quotes in every
    argument.
    """
    functions = _functions()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        )
        names = [row[0] for row in cursor.fetchall()]
    raw = app_connection()
    heard: list[str] = []
    raw.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    with raw.transaction(force_rollback=True):
        raw.execute(_OWN)
        for f in functions:
            if f["is_trigger"]:
                for kind in (
                    "AFTER INSERT ON mine REFERENCING NEW TABLE AS added FOR EACH STATEMENT",
                    "BEFORE INSERT ON mine FOR EACH ROW",
                ):
                    hang = (
                        f"CREATE TRIGGER x {kind} EXECUTE FUNCTION public.{f['proname']}('true) LIMIT 0; SELECT 1 --')"
                    )
                    assert _refused(raw, hang) == "42501", f["name"]
        for name in [*names, "added", "changed", "before_change"]:
            columns = f"(LIKE public.{name})" if name in names else "(LIKE mine)"
            raw.execute(f'CREATE TEMP TABLE "{name}" {columns}')
            raw.execute(
                f'CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON pg_temp."{name}" FOR EACH ROW EXECUTE '
                "FUNCTION pg_temp.told()"
            )
        for mine in ("ledger_bulk", "ledger_bulk_voucher"):
            raw.execute(f"CREATE TEMP TABLE {mine} (voucher_key text, id bigint, book_id bigint)")
            raw.execute(
                f"CREATE TRIGGER t BEFORE INSERT OR TRUNCATE ON {mine} FOR EACH STATEMENT EXECUTE FUNCTION "
                "pg_temp.told()"
            )
        called, broken = 0, []
        for path in ("pg_temp, pg_catalog, public", "pg_catalog, public, pg_temp"):
            raw.execute(f"SET LOCAL search_path = {path}")
            for f in functions:
                if f["by_app"] and not f["is_trigger"] and all(t in _GIVEN for t in f["takes"]):
                    for turn in (0, 1):
                        given = ", ".join(
                            f"{_GIVEN[t][turn % len(_GIVEN[t])]}::pg_catalog.{_plain(t)}" for t in f["takes"]
                        )
                        called += 1
                        try:
                            with raw.transaction(force_rollback=True):
                                raw.execute(f"SELECT * FROM public.{f['proname']}({given})")
                        except psycopg.Error as error:
                            broken += [(f["name"], str(error))] if error.sqlstate in ("22012", "42601") else []
        assert called > 150
        assert broken == []  # nobody divided by nothing, and no text came apart at a quote
    assert {text for text in heard if "ran as" in text} <= {f"ran as {database.APP}"}


def _plain(taken: str) -> str:
    names = {
        "bigint": "int8",
        "integer": "int4",
        "boolean": "bool",
        "timestamp with time zone": "timestamptz",
        "double precision": "float8",
        "character varying": "varchar",
    }
    plain = taken.removesuffix("[]")
    return names.get(plain, plain) + taken[len(plain) :]


# How what moves a state is asked by somebody who may not; {checked}, {applied}: batches; {year}: prepared, {closing}:
# cut off in the middle.
_NO_ROLE, _SAME, _NOT_ALONE, _NO_SHEET = "KZ099", "KZ043", "KZ007", "KZ046"
_STATES: dict[str, list[tuple[str, str]]] = {
    "periods_prepare_close": [
        ("{year}, {officer}", _NO_ROLE),
        ("{year}, {gone}", _NO_ROLE),
        ("{year}, NULL", _NO_ROLE),
    ],
    "periods_begin_close": [
        ("{year}, {officer}", _NO_ROLE),
        ("{year}, {gone}", _NO_ROLE),
        ("{year}, {approver}", _NOT_ALONE),
    ],
    "periods_finish_close": [("{closing}, repeat('0', 64)", _NOT_ALONE)],
    "periods_abort_close": [("{closing}, 'why'", _NOT_ALONE)],
    "periods_reopen": [
        ("{year}, {officer}, {approver}, 'why'", _NO_ROLE),
        ("{year}, {statistician}, {officer}, 'why'", _NO_ROLE),
        ("{year}, {approver}, {approver}, 'why'", "KZ008"),
    ],
    "intake_receive": [
        ("'toy', 'f', repeat('1', 64), 1, 'r', 'k', 'm', current_date, {gone}, '[]'", _NO_ROLE),
        ("'no such', 'f', repeat('1', 64), 1, 'r', 'k', 'm', current_date, {officer}, '[]'", _NO_SHEET),
        (
            "'toy', 'f', repeat('1', 64), 1, 'r', 'k', 'm', current_date, {officer}, '[]', false, 'returns.submit'",
            "42883",
        ),
    ],
    "intake_decide": [
        ("{checked}, {statistician}", _NO_ROLE),
        ("{checked}, {gone}", _NO_ROLE),
        ("{checked}, {sender}", _SAME),
    ],
    "intake_refuse": [
        ("{checked}, {statistician}, 'why'", _NO_ROLE),
        ("{checked}, {gone}, 'why'", _NO_ROLE),
        ("{checked}, NULL, 'why'", _NO_ROLE),
    ],
    "intake_ask_withdrawal": [("{applied}, {gone}, 'why'", _NO_ROLE), ("{applied}, NULL, 'why'", "KZ044")],
    "intake_withdrawn": [
        ("{applied}, {statistician}", _NO_ROLE),
        ("{applied}, {gone}", _NO_ROLE),
        ("{applied}, {sender}", _SAME),
    ],
    "register_erase": [
        ("{request}, {statistician}", _NO_ROLE),
        ("{request}, {gone}", _NO_ROLE),
        ("{request}, {sender}", "KZ033"),
    ],
}
_ASKS = re.compile(r"\b(access_require_\w+|periods_require_alone|intake_require_apply|register_erasure_asked)\(")


def test_every_function_that_moves_a_state_asks_who_may(
    committed_db: str, app_connection: Callable[[], Any], owner_cursor: Any
) -> None:
    """Walks those of years, files and persons; money's are attacked in its own room. Nothing of it is committed by the
    attacks.
    """
    asking = {
        f["proname"]
        for f in _functions()
        if f["by_app"] and f["definer"] and _ASKS.search(f["body"]) and re.match("periods|intake|register", f["name"])
    }
    assert asking == set(_STATES), "a function that asks who may is attacked here"
    given = _standing(owner_cursor)
    raw = app_connection()
    raw.autocommit = True
    taken = []
    for name, attacks in _STATES.items():
        for words, code in attacks:
            try:
                with raw.transaction(force_rollback=True):
                    raw.execute(f"SELECT {name}({words.format(**given)})")
                found = "taken"
            except psycopg.Error as error:
                found = error.sqlstate or ""
            taken += [] if found == code else [f"{name}({words}): {found}, not {code}"]
    assert taken == []


def _standing(owner: Any) -> dict[str, int]:
    """Years, batches and a request in the states the attacks ask for, and the people who ask."""
    county = make_county()
    applied = sent(county, csv_of(3))
    intake.apply(county.approver, batch_id=applied.pk)
    intake.ask_withdrawal(county.sender, batch_id=applied.pk, reason="wrong")
    checked = sent(county, csv_of(4))
    people = {name: add_user(username=name, full_name=name, password=None) for name in ("statistician", "gone")}
    for who, area in (("statistician", county.ids["640000"]), ("gone", county.ids["640000"])):
        grant_role(None, user=people[who], role=Role.STATISTICIAN, area_id=area, starts_on=date(2009, 1, 1))
    User.objects.filter(username="gone").update(is_active=False)
    person = Person.objects.create(sex=1, birth_month=date(1970, 1, 1), recorded_by_id=county.sender.pk)
    request = ErasureRequest.objects.create(person=person, requested_by_id=county.sender.pk, reason="asked")
    end_founding()
    owner.execute(
        "UPDATE periods_period SET prepared_by_id = %s, prepared_at = now() WHERE year = 2009",
        [people["statistician"].pk],
    )
    owner.execute(
        (
            "INSERT INTO periods_period (year, state, prepared_by_id, prepared_at, signed_by_id, closing_since) VALUES "
            "(2010, 'closing', %s, now(), %s, now())"
        ),
        [people["statistician"].pk, county.approver.pk],
    )
    return {
        "year": 2009,
        "closing": 2010,
        "checked": checked.pk,
        "applied": applied.pk,
        "request": request.pk,
        "sender": county.sender.pk,
        "officer": county.stranger.pk,
        "approver": county.approver.pk,
        "gone": people["gone"].pk,
        "statistician": people["statistician"].pk,
    }
