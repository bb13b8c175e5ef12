"""A million persons from a CSV file: staged, checked and applied, against bare INSERT ... SELECTs of the same rows.

The bare side writes the same rows into the same tables, with all their constraints and triggers, from a table that
holds them ready; typing, checking, sealing and hashing are what Karez does besides. Each side has a database of its
own, emptied between rounds. Memory is the most the loading process held, watched while it works.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

PERSONS = 1_000_000
_MEMBERS = 4
_HEAD = "village,household_no,household_kind,person_no,relation,sex,birth_month,since,name,id_number,phone"
_EMPTY = (
    "TRUNCATE register_membership, register_casespell, register_identity, register_person, register_household CASCADE"
)
_SURNAMES, _GIVEN = "马王李张杨丁田穆海金", "军红梅强芳建华小明玉兰成龙凤英国春秀"


def run(persons: int = PERSONS, rounds: int = 3) -> list[dict[str, object]]:
    """One line: rows a second of both ways, their ratio (median of paired runs) and the most memory held."""
    from bench.installed import set_up

    set_up()
    sender, approver = _people()
    with tempfile.TemporaryDirectory(prefix="karez-file-") as folder:
        ours, bare, peak = [], [], 0
        for round_no in range(rounds):
            path = Path(folder) / f"register-{round_no}.csv"
            write_file(path, persons, round_no)
            ours.append(_loaded(path, sender, approver, persons))
            peak = max(peak, int(os.environ.pop("KAREZ_BENCH_PEAK")))
            bare.append(_bare(persons))
            path.unlink()
    ratio = statistics.median(b / o for o, b in zip(ours, bare, strict=True))
    return [
        {
            "what": "load a register file: staged, checked, applied",
            "size": f"{persons:,} persons",
            "karez": f"{persons / statistics.median(ours):,.0f} rows/s",
            "bare inserts": f"{persons / statistics.median(bare):,.0f} rows/s",
            "ratio": f"{ratio:.2f}",
            "asked": "at least 0.75",
            "memory": f"{peak} MiB, at most 1,024",
            "met": ratio >= 0.75 and peak < 1024,
        },
    ]


def write_file(path: Path, persons: int, round_no: int) -> None:
    """A register file with households of four, spread over the villages there are."""
    from karez.kernel.id_number import check_character

    villages = _villages()
    months = [f"{1930 + n}-{1 + n % 12:02}" for n in range(79)]
    with path.open("w", encoding="utf-8") as out:
        out.write(_HEAD + "\n")
        for n in range(persons):
            household, member = divmod(n, _MEMBERS)
            place = household % len(villages)
            month = months[n % 79]
            first = f"{640000 + n // 1_000 % 1000:06}{month[:4]}{month[5:]}{1 + n % 28:02}{n % 1000:03}"
            name = f"{_SURNAMES[n % 10]}{_GIVEN[n % 18]}{_GIVEN[n // 18 % 18]}"
            out.write(
                f"{villages[place]},{round_no}-{household},registered,{member + 1},{member if member < 3 else 8},{1 + n % 2},"
                f"{month},2009-01-01,{name},{first}{check_character(first)},139{n:08}\n"
            )


def _loaded(path: Path, sender: Any, approver: Any, persons: int) -> float:
    """Seconds of receiving, staging, checking and applying, in a process of its own whose memory is taken."""
    _owner(_EMPTY)
    code = (
        "import os, resource, sys, time; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'karez.settings');"
        "import django; django.setup();"
        "from bench.loading import load; seconds = load(*sys.argv[1:]);"
        "print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(path), sender.username, approver.username],
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout.split()
    os.environ["KAREZ_BENCH_PEAK"] = told[-1]
    return float(told[-2])


def load(path: str, sender: str, approver: str) -> float:
    """Receives, stages and applies one file; returns the seconds, and tells the parts on stderr."""
    from karez.access.queries import user_named
    from karez.intake import services
    from karez.intake.models import State

    begun = time.perf_counter()
    with Path(path).open("rb") as stream:
        batch = services.receive(user_named(sender), sheet="register", file_name=Path(path).name, stream=stream)
    received = time.perf_counter()
    marks: list[tuple[str, float]] = []
    batch = services.stage(batch.pk, progress=lambda what, _percent: marks.append((what, time.perf_counter())))
    assert batch.state == State.CHECKED, (
        batch.trouble,
        list(batch.faults.values_list("row_no", "column", "rule", "found")[:5]),
    )
    staged = time.perf_counter()
    batch = services.apply(user_named(approver), batch_id=batch.pk)
    assert batch.state == State.APPLIED, batch.trouble
    done = time.perf_counter()
    if os.environ.get("KAREZ_BENCH_PARTS"):
        seen = dict(reversed(marks))
        parts = [f"{what} from {at - begun:.1f}" for what, at in seen.items()]
        print(
            f"received {received - begun:.1f}, staged {staged - begun:.1f}, applied {done - begun:.1f}; {parts}",
            file=sys.stderr,
        )
    return done - begun


def _bare(persons: int) -> float:
    """Seconds of inserting the rows that are there, from plain copies of them, into the emptied tables as the app."""
    import psycopg

    from karez.system import database

    tables = ("register_household", "register_casespell", "register_person", "register_identity", "register_membership")
    with psycopg.connect(database.conninfo(database.OWNER)) as owner:
        for table in tables:
            owner.execute(f"DROP TABLE IF EXISTS bench_{table}")
            owner.execute(f"CREATE UNLOGGED TABLE bench_{table} AS SELECT * FROM {table}")
            owner.execute(f"GRANT SELECT ON bench_{table} TO karez_app")
        # A row says when it is recorded as it is, and names a file only while that is applied.
        columns = {
            table: [c for c in _columns(owner, table) if c not in ("recorded_at", "batch_id")] for table in tables
        }
        owner.execute(_EMPTY)
    _owner("ANALYZE")
    with psycopg.connect(database.conninfo(database.APP)) as app:
        begun = time.perf_counter()
        for table in tables:
            names = ", ".join(f'"{name}"' for name in columns[table])
            app.execute(f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM bench_{table}")
        app.commit()
        seconds = time.perf_counter() - begun
        row = app.execute("SELECT count(*) FROM register_person").fetchone()
        assert row and row[0] == persons
    _owner(*(f"DROP TABLE bench_{table}" for table in tables))
    return seconds


def _columns(connection: Any, table: str) -> list[str]:
    rows = connection.execute(
        (
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND "
            "attgenerated = ''"
        ),
        [table],
    ).fetchall()
    return [row[0] for row in rows]


def _owner(*statements: str) -> None:
    import psycopg

    from karez.system import database

    with psycopg.connect(database.conninfo(database.OWNER), autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement)
        owner.execute("CHECKPOINT") if owner.info.parameter_status("is_superuser") == "on" else None


def _villages() -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM places_tree WHERE level = 'village' AND is_current ORDER BY code")
        return [row[0] for row in cursor.fetchall()]


def _people() -> tuple[Any, Any]:
    from karez.access.roles import Role
    from karez.access.services import add_user, grant_role
    from karez.periods.services import region

    made = []
    for name, role in (("bench_sender", Role.REGIONAL_OFFICER), ("bench_approver", Role.APPROVER)):
        user = add_user(username=name, full_name=name, password=None)
        grant_role(None, user=user, role=role, area_id=region().area_id, starts_on=date(2009, 1, 1))
        made.append(user)
    return made[0], made[1]


if __name__ == "__main__":
    print(run(*(int(a) for a in sys.argv[1:])), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
