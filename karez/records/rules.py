"""Composes declared rules for each road: the check of a file, the judgement of a form, the trigger of the table.

One text is judged everywhere; the roads differ only in where `judged` is read from. Holds no rule and knows no room.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import psycopg
from django.apps import apps
from django.db import connection
from django.utils.module_loading import autodiscover_modules

from karez.kernel.messages import read, say
from karez.kernel.refusal import Refusal
from karez.kernel.rules import Rule, Ruled, Void
from karez.kernel.sheets import ByOne, Check, Together

_DAY = "happened_on"
BY_TWO = Rule(
    "by_two", "", say("what two people decided"), "", say("prepare it; another person with the right decides about it")
)


@cache
def declared() -> dict[str, Ruled]:
    """Every table with rules by its name, as the rooms declare them."""
    autodiscover_modules("record_rules")
    found: dict[str, Ruled] = {}
    for config in apps.get_app_configs():
        for ruled in getattr(sys.modules.get(f"{config.name}.record_rules"), "RULED", ()):
            check_declaration(ruled)
            assert ruled.table not in found, f"two declarations of the rules of {ruled.table}"
            found[ruled.table] = ruled
    return found


def check_declaration(ruled: Ruled) -> None:
    """Fails on rules nothing could be judged by: a fault of the program, found at start and by the upgrade."""
    fields = {field.column for field in ruled.model._meta.concrete_fields}
    known = set(ruled.columns) | set(ruled.also)
    names = [rule.name for rule in ruled.rules]
    assert len(set(names)) == len(names), f"{ruled.table}: a rule is declared twice"
    for column in ruled.columns:
        assert column in fields, f"{ruled.table}: no column {column}"
    for rule in ruled.rules:
        assert rule.column in fields, f"{ruled.table}.{rule.name}: no column {rule.column}"
        for key in rule.key:
            assert key in known, f"{ruled.table}.{rule.name}: no column {key} to judge by"
        assert rule.void is Void.NONE or rule.key, f"{ruled.table}.{rule.name}: nothing is left under no key"


# Composing.


def finding(ruled: Ruled, rules: Sequence[Rule], source: str, *, waiting: bool, recorded: str = "") -> str:
    """SQL of (nth, no, found) of the rows that break one of some rules over the same rows (see `together`).

    `source` selects (no, columns...) of what is judged. `recorded` is a condition on rows `t` of the table that are not
    among those judged; without it all are others'.
    """
    key, only = rules[0].key, rules[0].only
    also = "".join(f", {sql} AS {name}" for name, sql in ruled.also.items())
    parts = [
        (
            f"judged AS MATERIALIZED (SELECT * FROM (SELECT b.no, false AS waits, {_of('b', ruled.columns)}{also}"
            f" FROM ({source}) b {ruled.joins}) q WHERE {only})"
        )
    ]
    if key:
        others = f"SELECT NULL::bigint AS no, false AS waits, {_of('t', ruled.columns)} FROM {ruled.table} t"
        others += f" WHERE t.voided_at IS NULL{f' AND {recorded}' if recorded else ''}{_near(ruled, key)}"
        if waiting and ruled.waiting:
            others += f" UNION ALL SELECT NULL::bigint, true, {', '.join(ruled.columns)} FROM ({ruled.waiting}) w"
        parts.append(
            f"others AS MATERIALIZED (SELECT * FROM (SELECT b.no, b.waits, {_of('b', ruled.columns)}{also} FROM "
            f"({others}) b"
            f" {ruled.joins}) q WHERE {only} AND ({', '.join(key)}) IN (SELECT {', '.join(key)} FROM judged))"
        )
        parts.append(
            "standing AS MATERIALIZED (SELECT *, row_number() OVER"
            f" (ORDER BY no IS NOT NULL, waits, {_DAY}, no) AS place FROM"
            " (SELECT * FROM judged UNION ALL SELECT * FROM others) every)"
        )
    found = [f"SELECT {n} AS nth, f.no, f.found FROM ({rule.finds}) f (no, found)" for n, rule in enumerate(rules)]
    return f"WITH {', '.join(parts)} {' UNION ALL '.join(found)}"


def together(rules: Iterable[Rule]) -> list[list[Rule]]:
    """The rules in groups that are judged over the same rows, which are gathered once for each group."""
    groups: dict[tuple[tuple[str, ...], str], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.key, rule.only), []).append(rule)
    return list(groups.values())


def _near(ruled: Ruled, key: Sequence[str]) -> str:
    """Of a key that is a column of the table, only its rows are read; of another one the joins say whose they are."""
    own = [one for one in key if one in ruled.columns]
    if not own:
        return ""
    return f" AND ({_of('t', own)}) IN (SELECT {', '.join(own)} FROM judged)"


def _of(alias: str, columns: Iterable[str]) -> str:
    return ", ".join(f"{alias}.{column}" for column in columns)


# Files.


def checks(
    ruled: Ruled, staged: Mapping[str, str], told_at: Mapping[str, str], keys: Mapping[str, tuple[str, ...]]
) -> tuple[Check, ...]:
    """The rules as checks of a sheet.

    `staged` says how a column is read from a row `r` of {stage}, `told_at` at which column of the sheet a fault of it
    is told, `keys` which columns of the sheet say a key.
    """
    read = ", ".join(f"{staged.get(column, f'r.{column}')} AS {column}" for column in ruled.columns)
    whole = " AND ".join(f"{staged.get(key, f'r.{key}')} IS NOT NULL" for key in ruled.columns if key.endswith("_id"))
    source = f"SELECT r.row_no AS no, {read} FROM {{stage}} r{f' WHERE {whole}' if whole else ''}"
    made = {}
    for group in together(ruled.rules):
        every = Together(
            tuple(f"{ruled.room}_{rule.name}" for rule in group), finding(ruled, group, source, waiting=True)
        )
        for rule in group:
            made[rule.name] = Check(
                rule=f"{ruled.room}_{rule.name}",
                column=told_at.get(rule.column, rule.column),
                expected=rule.expected,
                todo=rule.todo,
                sql=f"SELECT no, found FROM ({finding(ruled, [rule], source, waiting=True)}) found_rows",
                across=tuple(column for key in rule.key for column in keys.get(key, ())) if rule.across else (),
                together=every if len(group) > 1 else None,
                ruled=True,
            )
    return tuple(made.values())  # those over the same rows beside each other


def by_one(ruled: Ruled, staged: Mapping[str, str]) -> ByOne:
    """How one person records a row of {stage} that is read as for `checks`: when, and what is locked before it is judged.

    Where it leads is the sheet's to say (`dataclasses.replace`).
    """
    read = ", ".join(f"{staged.get(column, f'r.{column}')} AS {column}" for column in ruled.columns)
    return ByOne(
        leads_to=("", ""),
        when=f"SELECT {ruled.by_one} FROM (SELECT {read} FROM {{stage}} r) judged",
        takes=ruled.takes.format(added="{stage}"),
    )


# Forms.


def refuse_if_broken(ruled: Ruled, values: Mapping[str, Any], *, record: str = "") -> None:
    """Refuses one row that is to be recorded, with what is on record and what waits; tells the first rule it breaks.

    `values` are those of `Ruled.columns`.
    """
    types = {field.column: field.db_type(connection) for field in ruled.model._meta.concrete_fields}
    source = "SELECT 1::bigint AS no, " + ", ".join(f"%({c})s::{_plain(str(types[c]))} AS {c}" for c in ruled.columns)
    with connection.cursor() as cursor:
        for rules in together(ruled.rules):
            cursor.execute(finding(ruled, rules, source, waiting=True) + " ORDER BY 1 LIMIT 1", dict(values))
            broken = cursor.fetchone()
            if broken is not None:
                raise _refusal(ruled, rules[broken[0]], record=record, found=read(broken[2]))


def _plain(db_type: str) -> str:
    return {"serial": "integer", "bigserial": "bigint"}.get(db_type, db_type)


def refusal_of(error: BaseException | None) -> Refusal | None:
    """What a statement that broke a rule says to people; None for any other error."""
    if not isinstance(error, psycopg.Error) or not error.diag.table_name or not error.diag.constraint_name:
        return None
    ruled = declared().get(error.diag.table_name)
    if ruled is None or error.sqlstate != ruled.state:
        return None
    rule = next((one for one in (*ruled.rules, BY_TWO) if one.name == error.diag.constraint_name), None)
    if rule is None:
        return None
    return _refusal(ruled, rule, record=read(error.diag.message_primary), found=read(error.diag.message_detail))


def _refusal(ruled: Ruled, rule: Rule, *, record: str, found: str) -> Refusal:
    return Refusal(
        f"{ruled.room}.{rule.name}",
        record=record,
        found=found,
        expected=rule.expected,
        todo=rule.todo,
        more={"column": rule.column},
    )


def as_sql(ruled: Ruled, rule: Rule) -> str:
    """A rule as it is asked of the rows a statement added, to be read."""
    source = f"SELECT a.id AS no, {_of('a', ruled.columns)} FROM added a"
    return finding(ruled, [rule], source, waiting=False, recorded="NOT EXISTS (SELECT FROM added a WHERE a.id = t.id)")


# The database.


def statements() -> list[str]:
    """SQL of the triggers that judge every statement, and every void, of the tables with rules."""
    made = [_drop_stale()]
    for ruled in declared().values():
        made += _trigger(ruled)
        if judged_after_void(ruled):
            made += _void_trigger(ruled)
    return made


def judged_after_void(ruled: Ruled) -> bool:
    """Whether a row voided makes others be judged anew."""
    return any(rule.void is not Void.NONE for rule in ruled.rules)


def judgement(ruled: Ruled, rules: Sequence[Rule], source: str, recorded: str) -> str:
    """SQL of the first row that breaks one of the rules: its rule, what people call it, and what was found."""
    found = []
    for group in together(rules):
        words = ", ".join(f"({n}, {rules.index(rule)}, '{rule.name}', '{rule.column}')" for n, rule in enumerate(group))
        sql = finding(ruled, group, source, waiting=False, recorded=recorded)
        found.append(
            f"SELECT w.place, w.rule, w.told_at, g.no, g.found FROM ({sql}) g"
            f" JOIN (VALUES {words}) w (nth, place, rule, told_at) USING (nth)"
        )
    also = "".join(f", {sql} AS {name}" for name, sql in ruled.also.items())
    row = f"(SELECT b.no, {_of('b', ruled.columns)}{also} FROM ({source}) b {ruled.joins} WHERE b.no = x.no)"
    return (
        f"SELECT x.rule, x.found, x.told_at, (SELECT {ruled.called} FROM {row} j) AS called FROM"
        f" (SELECT * FROM ({' UNION ALL '.join(found)}) every ORDER BY no, place LIMIT 1) x"
    )


_SETTINGS = "SET search_path = pg_catalog, public, pg_temp SET enable_nestloop = on"
_REFUSE = """    IF broken.rule IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = coalesce(broken.called, ''), DETAIL = broken.found,
            TABLE = '{table}', CONSTRAINT = broken.rule, COLUMN = broken.told_at;
    END IF;
    RETURN NULL;
"""


def _trigger(ruled: Ruled) -> list[str]:
    source = f"SELECT a.id AS no, {_of('a', ruled.columns)} FROM added a"
    sql = judgement(ruled, ruled.rules, source, "NOT EXISTS (SELECT FROM added a WHERE a.id = t.id)")
    takes = f"    EXECUTE $q${ruled.takes.format(added='added')}$q$;\n" if ruled.takes else ""
    takes += _two(ruled) if ruled.by_one != "true" else ""
    name = f"{ruled.table}_judged"
    return [
        (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {_SETTINGS} AS "
            "$f$\n"
            "DECLARE broken record;\nBEGIN\n    PERFORM periods_plan_for((SELECT count(*) FROM added));\n"
            f"{takes}    EXECUTE $q${sql}$q$ INTO broken;\n"
            f"{_REFUSE.format(state=ruled.state, table=ruled.table)}END $f$"
        ),
        (
            f'CREATE OR REPLACE TRIGGER "{ruled.table}_ruled" AFTER INSERT ON {ruled.table} REFERENCING NEW TABLE '
            "AS added"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        ),
    ]


def _two(ruled: Ruled) -> str:
    """What one person may not record is taken only with what tells that two decided."""
    return (
        f"    SELECT '{BY_TWO.name}' AS rule, '' AS told_at, {ruled.called} AS called, karez_say('nobody else decided') AS found INTO broken"
        f" FROM (SELECT * FROM added WHERE NOT ({ruled.by_one}) AND NOT ({ruled.by_two}) ORDER BY id LIMIT 1) j;\n"
        + _REFUSE.format(state=ruled.state, table=ruled.table).replace("    RETURN NULL;\n", "")
    )


def _void_trigger(ruled: Ruled) -> list[str]:
    """At commit, so that a row voided and the one that replaces it are judged together. Its statements are of one key
    and stand in the function, planned once: a file taken back voids many rows.
    """
    parts = []
    for kind in (Void.EACH, Void.LAST):
        rules = [rule for rule in ruled.rules if rule.void is kind]
        if not rules:
            continue
        keys = {rule.key for rule in rules}
        assert len(keys) == 1, f"{ruled.table}: rules judged after a void share a key"
        (key,) = keys
        under = " AND ".join(f"o.{column} = NEW.{column}" for column in key)
        last = f" ORDER BY o.{_DAY} DESC, o.id DESC LIMIT 1" if kind is Void.LAST else ""
        source = (
            f"SELECT o.id AS no, {_of('o', ruled.columns)} FROM {ruled.table} o WHERE o.voided_at IS NULL AND "
            f"{under}{last}"
        )
        others = "false" if kind is Void.EACH else f"t.id NOT IN (SELECT no FROM ({source}) last_one)"
        parts.append(f"    {judgement(ruled, rules, source, others)} INTO broken;\n")
    takes = (
        "    PERFORM" + ruled.takes.format(added="(SELECT NEW.*)").removeprefix("SELECT") + ";\n" if ruled.takes else ""
    )
    name, refuse = f"{ruled.table}_judged_void", _REFUSE.format(state=ruled.state, table=ruled.table)
    refuse_on = refuse.replace("    RETURN NULL;\n", "")
    return [
        (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {_SETTINGS} AS "
            "$f$\n"
            f"DECLARE broken record;\nBEGIN\n{takes}{''.join(part + refuse_on for part in parts)}    RETURN "
            "NULL;\nEND $f$"
        ),
        f'DROP TRIGGER IF EXISTS "{ruled.table}_ruled_void" ON {ruled.table}',
        (
            f'CREATE CONSTRAINT TRIGGER "{ruled.table}_ruled_void" AFTER UPDATE ON {ruled.table} DEFERRABLE '
            "INITIALLY DEFERRED FOR EACH ROW"
            f" WHEN (OLD.voided_at IS NULL AND NEW.voided_at IS NOT NULL) EXECUTE FUNCTION {name}()"
        ),
    ]


def _drop_stale() -> str:
    """Rules that are declared no more are judged no more."""
    named = [f"{ruled.table}_judged" for ruled in declared().values()]
    named += [f"{ruled.table}_judged_void" for ruled in declared().values() if judged_after_void(ruled)]
    kept = ", ".join(f"'{name}'" for name in named) or "''"
    return (
        "DO $d$ DECLARE f text; BEGIN FOR f IN SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.proname ~ "
        "'_judged(_void)?$'"
        f" AND p.pronamespace = 'public'::regnamespace AND p.proname NOT IN ({kept})"
        " LOOP EXECUTE 'DROP FUNCTION ' || f || ' CASCADE'; END LOOP; END $d$"
    )
