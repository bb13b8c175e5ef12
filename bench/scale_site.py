"""One installation of one size: loads its files one after the other, each in a process of its own, and measures. Run by
`scale`.

A file's bare side is what PostgreSQL alone needs: the rows it became are set aside, taken out, and written again by one
INSERT ... SELECT a table, with all constraints, indexes and triggers. Holds no judgement of what was measured.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

YEAR = 2009
_ROLES = ("regional_officer", "finance_officer", "statistician", "approver")
# What a batch writes, in an order in which it can be written; those without a batch are found by what they belong to.
_TABLES = (
    "places_area",
    "places_areaspell",
    "places_designation",
    "ledger_book",
    "ledger_account",
    "funds_funder",
    "funds_sourceline",
    "funds_grantstandard",
    "funds_plantarget",
    "ledger_voucher",
    "ledger_transfer",
    "funds_appropriation",
    "funds_allocation",
    "register_household",
    "register_casespell",
    "register_person",
    "register_identity",
    "register_membership",
    "register_assessment",
    "mutual_funds_society",
    "mutual_funds_ruleset",
    "mutual_funds_opening",
    "mutual_funds_grant",
    "mutual_funds_member",
    "mutual_funds_contribution",
    "mutual_funds_loan",
    "mutual_funds_instalment",
    "mutual_funds_repayment",
    "returns_return",
    "returns_approval",
)
_BELONGS = {
    "ledger_transfer": "voucher_id IN (SELECT id FROM ledger_voucher WHERE batch_id = {batch})",
    "register_identity": "person_id IN (SELECT id FROM register_person WHERE batch_id = {batch})",
    "mutual_funds_instalment": "loan_id IN (SELECT id FROM mutual_funds_loan WHERE batch_id = {batch})",
}
_MADE_BY_TRIGGER = frozenset({"mutual_funds_instalment"})


def main(kind: str, times: int, folder: Path, wanted: frozenset[str], *, bare: bool = True) -> None:
    """Founds the installation, loads the files of `kind` at `times` the size, and prints a line of JSON for each wanted
    file.
    """
    from bench.installed import start

    start()
    from karez.host import install
    from karez.system import database, postgres

    install.bring_up()
    try:
        _measure(kind, times, folder, wanted, bare=bare)
    finally:
        postgres.stop(database.cluster())


def _measure(kind: str, times: int, folder: Path, wanted: frozenset[str], *, bare: bool) -> None:
    files = _reference(folder, times) if kind == "deep" else _broad(folder, times)
    people = _people()
    last = max((n for n, (_, sheet) in enumerate(files) if sheet in wanted or "closing" in wanted), default=-1)
    for path, sheet in files[: last + 1]:
        done = _apart("load", str(path), sheet, *people)
        path.unlink()
        if sheet in wanted:
            done["bare"] = _bare(int(done["batch"])) if bare else None
            _tell({"sheet": sheet, **done})
        if done["rows"] > 1_000:
            _owner("ANALYZE")
    if "closing" in wanted:
        _tell({"sheet": "closing", "bare": None, **_apart("close", *people)})


def _tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def _reference(folder: Path, times: int) -> list[tuple[Path, str]]:
    from bench.installed import found
    from karez.reference import write

    found("64")
    write(folder, scale=times)
    with (folder / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        return [(folder / row["file"], row["sheet"]) for row in csv.DictReader(file) if row["sheet"] != "documents"]


def _broad(folder: Path, times: int) -> list[tuple[Path, str]]:
    from django.db import connection, transaction

    from bench import scale_rows
    from bench.installed import found
    from karez.places.loading import insert_areas

    row = (
        "SELECT 1 AS row_no, 'region' AS level, %(code)s AS code, '' AS name_zh, 'Region' AS name_en, '' AS "
        "parent_code, date '2000-01-01'"
    )
    row += " AS starts_on, NULL::date AS ends_before, 'sourced' AS mark, '' AS note"
    with transaction.atomic(), connection.cursor() as cursor:
        insert_areas(cursor, row, {"code": scale_rows.REGION, "by": 0, "batch": None})
        cursor.execute("SELECT places_refresh_tree()")
    found(scale_rows.REGION[:2])
    return scale_rows.write(folder, times)


def _people() -> list[str]:
    from karez.access.roles import Role
    from karez.access.services import add_user, grant_role
    from karez.periods.services import region

    for name in _ROLES:
        user = add_user(username=name, full_name=name, password=None)
        grant_role(None, user=user, role=Role(name), area_id=region().area_id, starts_on=date(YEAR, 1, 1))
    return list(_ROLES)


def _apart(what: str, *words: str) -> dict[str, Any]:
    """What a process of its own answers; its memory is its own."""
    code = (
        "import sys; from bench.installed import start; start(); from bench import scale_site as s; "
        f"s.{what}(*sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], check=True, text=True, stdout=subprocess.PIPE)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def load(path: str, sheet: str, *people: str) -> None:
    """Receives, stages, checks and applies one file; prints rows, seconds and the most memory held."""
    from karez.access.queries import permissions_of, user_named
    from karez.intake import registry, services
    from karez.intake.models import State

    *senders, approver = (user_named(name) for name in people)
    sender = next(user for user in senders if registry.sheet_named(sheet).send_permission in permissions_of(user))
    begun, worked = time.perf_counter(), processor_seconds()
    with Path(path).open("rb") as stream:
        batch = services.receive(sender, sheet=sheet, file_name=Path(path).name, stream=stream)
    batch = services.stage(batch.pk)
    assert batch.state == State.CHECKED, (
        batch.trouble,
        list(batch.faults.values_list("row_no", "column", "rule", "found")[:5]),
    )
    checked = time.perf_counter()
    batch = services.apply(approver, batch_id=batch.pk)
    assert batch.state == State.APPLIED, batch.trouble
    done = time.perf_counter()
    _measured(batch.pk, batch.row_count or 0, begun, checked, done, worked)


def close(*people: str) -> None:
    """Prepares and seals the year; prints rows frozen, seconds and the most memory held."""
    from karez.access.queries import user_named
    from karez.closing import services

    begun, worked = time.perf_counter(), processor_seconds()
    prepared = services.prepare(user_named(people[0]), year=YEAR)
    for outcome in prepared.failing:
        services.accept_failure(user_named(people[0]), year=YEAR, check=outcome.name, reason="a measurement")
    checked = time.perf_counter()
    services.sign(user_named(people[-1]), year=YEAR)
    done = time.perf_counter()
    rows = sum(int(table.get("rows", 0)) for table in prepared.snapshot.manifest["tables"].values())
    _measured(0, rows, begun, checked, done, worked)


def _measured(batch: int, rows: int, begun: float, checked: float, done: float, worked: float) -> None:
    seconds = {
        "checked": checked - begun,
        "applied": done - checked,
        "seconds": done - begun,
        "work": processor_seconds() - worked,
    }
    _tell({"batch": batch, "rows": rows, "memory": held(), **seconds})


def processor_seconds() -> float:
    """Processor time this program and the whole database server have used: what other programs on the machine do is not
    in it.
    """
    from karez.system import paths

    server = (paths.CLUSTER / "postmaster.pid").read_text(encoding="utf-8").split()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if stat.parent.name == server:
            ticks += sum(map(int, fields[11:15]))  # its ended children too
        elif fields[1] == server:
            ticks += sum(map(int, fields[11:13]))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def held() -> int:
    """The most memory this program held, in MiB."""
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return int(told["VmHWM"].split()[0]) // 1024


def _bare(batch: int) -> float:
    """Seconds in which the rows of a batch are written again from plain copies of them."""
    import psycopg

    from karez.system import database

    with database.administrator(database.name()) as admin:
        admin.execute("SET session_replication_role = replica")
        there = [table for table in _TABLES if _set_aside(admin, table, batch)]
        for table in reversed(there):
            admin.execute(f"DELETE FROM {table} t USING bench_{table} b WHERE {_same(table)}")
        admin.execute("UPDATE intake_batch SET state = 'applying' WHERE id = %s", [batch])
        admin.execute(f"VACUUM (ANALYZE) {', '.join(there)}")
        admin.execute("CHECKPOINT")
    written = [table for table in there if table not in _MADE_BY_TRIGGER]
    with psycopg.connect(database.conninfo(database.OWNER)) as owner:
        columns = {table: ", ".join(f'"{name}"' for name in _columns(owner, table)) for table in written}
        begun = time.perf_counter()
        for table in written:  # what is recorded is recorded now
            values = columns[table].replace('"recorded_at"', "now()")
            owner.execute(
                f"INSERT INTO {table} ({columns[table]}) OVERRIDING SYSTEM VALUE SELECT {values} FROM bench_{table}"
            )
        owner.commit()
        seconds = time.perf_counter() - begun
    with database.administrator(database.name()) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("UPDATE intake_batch SET state = 'applied' WHERE id = %s", [batch])
        admin.execute(f"DROP TABLE {', '.join(f'bench_{table}' for table in there)}")
    return seconds


def _set_aside(admin: Any, table: str, batch: int) -> bool:
    whose = _BELONGS.get(table, "batch_id = {batch}").format(batch=batch)
    made = admin.execute(f"CREATE UNLOGGED TABLE bench_{table} AS SELECT * FROM {table} WHERE {whose}")
    if made.rowcount:
        admin.execute(f"GRANT SELECT ON bench_{table} TO karez_owner")
        admin.execute(f"ANALYZE bench_{table}")
        return True
    admin.execute(f"DROP TABLE bench_{table}")
    return False


def _same(table: str) -> str:
    return "b.person_id = t.person_id" if table == "register_identity" else "b.id = t.id"


def _columns(connection: Any, table: str) -> Sequence[str]:
    rows: Iterable[tuple[str]] = connection.execute(
        (
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND "
            "attgenerated = ''"
        ),
        [table],
    ).fetchall()
    return [row[0] for row in rows]


def _owner(statement: str) -> None:
    from karez.system import database

    with database.administrator(database.name()) as admin:
        admin.execute(statement)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), frozenset(sys.argv[5:]), bare=sys.argv[4] == "bare")
