"""The files: the same bytes each time, the totals they are made for, and every row as its sheet declares it."""

import csv
import hashlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest

from karez.kernel import id_number
from karez.kernel.sheets import Column, Kind, Sheet
from karez.reference import write

ROOMS = ("places", "funds", "mutual_funds", "register", "returns")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reference")
    write(out)
    return out


def listed(folder: Path) -> list[dict[str, str]]:
    with (folder / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def files(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """One view for each sheet, all cells as text."""
    with duckdb.connect() as connection:
        by_sheet: dict[str, list[str]] = {}
        for row in listed(folder):
            by_sheet.setdefault(row["sheet"], []).append(str(folder / row["file"]))
        for sheet, paths in by_sheet.items():
            quoted = ", ".join(f"'{path}'" for path in paths)
            connection.execute(
                f"CREATE TABLE {sheet} AS SELECT * FROM read_csv([{quoted}], all_varchar = true, header = true)"
            )
        yield connection


def one(files: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = files.execute(sql).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_same_seed_same_bytes(folder: Path, tmp_path: Path) -> None:
    written = write(tmp_path)
    assert digests(tmp_path) == digests(folder)
    assert sorted(p.name for p in written) == sorted(p.name for p in folder.iterdir())
    assert all("synthetic" in p.name for p in written if p.name != "MANIFEST.csv")
    other = tmp_path / "other"
    write(other, seed=7)
    assert digests(other)["09-register-synthetic.csv"] != digests(folder)["09-register-synthetic.csv"]


def test_manifest_counts_rows(folder: Path, files: duckdb.DuckDBPyConnection) -> None:
    rows = listed(folder)
    for sheet in {row["sheet"] for row in rows}:
        assert one(files, f"SELECT count(*) FROM {sheet}") == sum(int(r["rows"]) for r in rows if r["sheet"] == sheet)
    assert all("synthetic" in row["note"] for row in rows)
    for (paper,) in files.execute("SELECT file FROM documents").fetchall():
        content = (folder / paper).read_bytes()
        assert content.startswith(b"%PDF-") and b"SYNTHETIC" in content
    # A paper for every yuan that came in, was passed on and was granted.
    papers = dict(files.execute("SELECT record, count(*) FROM documents GROUP BY 1").fetchall())
    assert papers == {"appropriation": 4, "allocation": one(files, "SELECT count(*) FROM allocations"), "grant": 320}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count(*) FROM designations WHERE list = 'poor_village'", 1404),
        (
            (
                "SELECT count(*), count(*) FILTER (founded_on < '2009'), count(*) FILTER (founded_on >= '2009') FROM "
                "societies"
            ),
            (428, 108, 320),
        ),
        (
            (
                "SELECT count(*) FILTER (size_class = 'small'), count(*) FILTER (size_class = 'big') FROM societies "
                "WHERE founded_on >= '2009'"
            ),
            (105, 215),
        ),
        (
            (
                "SELECT count(*) FROM societies s JOIN designations d ON d.area_code = s.village AND d.list = "
                "'poor_village'"
            ),
            428,
        ),
        ("SELECT sum(amount::bigint) FROM appropriations", 85_500_000),
        ("SELECT sum(amount::bigint) FROM appropriations WHERE line_code = '2009-LGOP-MF'", 10_500_000),
        ("SELECT sum(amount::bigint) FROM allocations", 85_500_000),
        ("SELECT sum(amount::bigint) FROM grants", 85_500_000),
        ('SELECT sum("grant"::bigint) FROM society_openings', 20_440_000),
        ('SELECT min("grant"::bigint) >= 150000 AND max("grant"::bigint) <= 200000 FROM society_openings', True),
        ("SELECT sum(amount::bigint) FROM contributions", 48_520_000),
        ("SELECT count(DISTINCT village || household_no) FROM fund_members", 40_232),
        ("SELECT sum(amount::bigint) FROM grants WHERE amount NOT IN ('200000', '300000')", None),
        ("SELECT sum(value::bigint) FROM returns WHERE measure = 'land_area' AND area <> '640000'", 66_400),
        ("SELECT count(*) FROM returns WHERE measure = 'population' AND area <> '640000'", 22),
        (
            (
                "SELECT round(sum(numerator::bigint) / sum(denominator::bigint), 6) FROM returns WHERE measure = "
                "'rural_net_income' AND year = '2009'"
            ),
            2912.0,
        ),
    ],
)
def test_totals(files: duckdb.DuckDBPyConnection, sql: str, expected: Any) -> None:
    assert one(files, sql) == expected


def test_totals_within_their_print(files: duckdb.DuckDBPyConnection) -> None:
    assert 120_300_000 < one(files, "SELECT sum(principal::bigint) FROM loans WHERE lent_on >= '2009'") < 121_000_000
    assert 170_000 < one(files, "SELECT count(*) FROM register") < 182_000
    key, region = one(
        files,
        """SELECT sum(value::bigint) FILTER (area IN (SELECT area FROM returns WHERE measure = 'rural_net_income')),
        sum(value::bigint) FROM returns WHERE measure = 'population' AND area <> '640000'""",
    )
    assert 2_375_000 <= key <= 2_385_000 and round(100 * key / region) == 38
    assert region == one(files, "SELECT value::bigint FROM returns WHERE measure = 'population' AND area = '640000'")


def test_believable(files: duckdb.DuckDBPyConnection) -> None:
    late, repaid = one(
        files,
        """SELECT count(*) FILTER (r.paid_on::date > l.lent_on::date + l.term_days::int), count(*)
        FROM repayments r JOIN loans l USING (village, loan_no)""",
    )
    assert 0.02 < late / repaid < 0.10
    low, middle, high = one(files, "SELECT min(amount::int), median(amount::int), max(amount::int) FROM contributions")
    assert (low, high) == (200, 5000) and 900 < middle < 1206
    assert 4.2 < one(files, "SELECT count(*) / count(DISTINCT village || household_no) FROM register") < 4.5
    share = one(files, "SELECT avg((kind = 'registered')::int) FROM fund_members")
    assert 0.6 < share < 0.8
    assert one(files, "SELECT count(*) FROM assessments") == one(
        files, "SELECT count(*) FROM fund_members WHERE kind = 'registered'"
    )


def test_heads_and_numbers(files: duckdb.DuckDBPyConnection) -> None:
    assert one(
        files, "SELECT count(*) FILTER (relation = 'head') = count(DISTINCT village || household_no) FROM register"
    )
    assert one(files, "SELECT count(*) = count(DISTINCT id_number) FROM register")
    assert one(files, "SELECT bool_and(id_number LIKE '99%') FROM register")
    for number, sex, born in files.execute(
        "SELECT id_number, sex, birth_month FROM register ORDER BY id_number LIMIT 3000"
    ).fetchall():
        assert id_number.fault_of(number) == ""
        assert int(number[16]) % 2 == int(sex) % 2 and number[6:12] == born.replace("-", "")


def test_no_society_ever_spends_what_it_has_not(files: duckdb.DuckDBPyConnection) -> None:
    """Day by day, money that leaves counted before money that comes in on the same day; and file by file, as loaded."""
    moves = """
        SELECT village, DATE '2009-01-01' AS day, bank::bigint * 100 AS fen FROM society_openings
        UNION ALL SELECT village, paid_on::date, amount::bigint * 100 FROM contributions WHERE paid_on >= '2009'
        UNION ALL SELECT village, granted_on::date, amount::bigint * 100 FROM grants
        UNION ALL SELECT village, lent_on::date, -principal::bigint * 100 FROM loans WHERE lent_on >= '2009'
        UNION ALL SELECT village, paid_on::date, ((principal::decimal(18, 2) + fee::decimal(18, 2)) * 100)::bigint
            FROM repayments"""
    lowest = one(
        files,
        (
            "SELECT min(left_) FROM (SELECT sum(fen) OVER (PARTITION BY village ORDER BY day, fen) AS left_ FROM "
            f"({moves}))"
        ),
    )
    assert lowest >= 0


def test_one_loan_at_a_time_and_nothing_paid_before_it_was_lent(files: duckdb.DuckDBPyConnection) -> None:
    assert (
        one(
            files,
            """WITH done AS (SELECT village, loan_no, max(paid_on::date) AS last, sum(principal::decimal(18, 2)) AS paid
                FROM repayments GROUP BY ALL),
        spell AS (SELECT l.village, l.household_no, l.lent_on::date AS lent, coalesce(CASE
            WHEN d.paid >= l.principal::bigint THEN d.last END,
          DATE '2100-01-01') AS free FROM loans l LEFT JOIN done d USING (village, loan_no))
        SELECT count(*) FROM (SELECT lent, lag(free) OVER (PARTITION BY village, household_no ORDER BY lent) AS before
            FROM spell) WHERE before > lent""",
        )
        == 0
    )
    assert (
        one(
            files, "SELECT count(*) FROM repayments r JOIN loans l USING (village, loan_no) WHERE r.paid_on < l.lent_on"
        )
        == 0
    )
    assert (
        one(
            files,
            (
                "SELECT count(*) FROM loans l JOIN fund_members m USING (village, household_no) WHERE l.lent_on < "
                "m.joined_on"
            ),
        )
        == 0
    )
    assert (
        one(
            files,
            """SELECT count(*) FROM society_openings o LEFT JOIN (SELECT village, sum(principal::bigint) AS fen
                FROM loans WHERE lent_on < '2009'
        GROUP BY 1) l USING (village) LEFT JOIN (SELECT village, sum(amount::bigint) AS fen FROM contributions
            WHERE paid_on < '2009'
        GROUP BY 1) c USING (village) WHERE coalesce(l.fen, 0) <> o.loans::bigint OR c.fen <> o.contributions::bigint
        OR o."grant"::bigint + o.contributions::bigint + o.surplus::bigint <> o.bank::bigint + o.loans::bigint""",
        )
        == 0
    )


# Every row as its sheet declares it.


def sheets() -> dict[str, Sheet]:
    found: dict[str, Sheet] = {}
    for room in ROOMS:
        found |= {sheet.name: sheet for sheet in import_module(f"karez.{room}.sheets").SHEETS}
    return found


def wrong(files: duckdb.DuckDBPyConnection, sheet: str, column: Column) -> list[Any]:
    """Cells a column's declaration does not let through."""
    cell, conditions = f'"{column.name}"', []
    if column.required:
        conditions.append(f"({cell} IS NULL OR {cell} = '')")
    casts = {
        Kind.INTEGER: "BIGINT",
        Kind.YEAR: "INTEGER",
        Kind.DECIMAL: "DECIMAL(38, 6)",
        Kind.FEN: "DECIMAL(18, 2)",
        Kind.DATE: "DATE",
    }
    if column.kind in casts:
        typed = f"TRY_CAST({cell} AS {casts[column.kind]})"
        conditions.append(f"({cell} IS NOT NULL AND {typed} IS NULL)")
        for bound, sign in ((column.low, "<"), (column.high, ">")):
            if bound is not None:
                limit = (
                    f"DATE '{bound}'"
                    if isinstance(bound, date)
                    else str(Decimal(bound) / (100 if column.kind is Kind.FEN else 1))
                )
                conditions.append(f"{typed} {sign} {limit}")
    elif column.kind is Kind.MONTH:
        conditions.append(f"NOT regexp_full_match({cell}, '(19|20)[0-9]{{2}}-(0[1-9]|1[0-2])')")
    elif column.kind is Kind.CODE:
        conditions.append(f"{cell} NOT IN ({', '.join(repr(code) for code in column.codes)})")
    else:
        conditions.append(f"length({cell}) > {column.max_length}")
    if column.pattern:
        conditions.append(f"NOT regexp_full_match({cell}, '{column.pattern}')")
    return files.execute(f"SELECT {cell} FROM {sheet} WHERE {' OR '.join(conditions)} LIMIT 3").fetchall()


def test_rows_obey_their_sheets(folder: Path, files: duckdb.DuckDBPyConnection) -> None:
    known = sheets()
    for name in {row["sheet"] for row in listed(folder)} - {"documents"}:
        sheet = known[name]
        headers = [row[0] for row in files.execute(f"DESCRIBE {name}").fetchall()]
        columns = {column.name: column for column in sheet.columns}
        assert set(headers) <= set(columns), name
        missing = {c.name for c in sheet.columns if c.required} - set(headers)
        assert not missing, (name, missing)
        for header in headers:
            assert wrong(files, name, columns[header]) == [], (name, header)
        key = ", ".join(f'"{k}"' for k in sheet.key or headers)  # without a key a row is told apart by all it holds
        assert one(files, f"SELECT count(*) FROM (SELECT 1 FROM {name} GROUP BY {key} HAVING count(*) > 1)") == 0, name


def test_area_codes_are_of_the_shipped_places(files: duckdb.DuckDBPyConnection) -> None:
    shipped = Path(__file__).resolve().parents[2] / "places" / "data" / "divisions_64.csv"
    for sheet, column in (("societies", "village"), ("register", "village"), ("designations", "area_code")):
        unknown = (
            f"SELECT count(*) FROM {sheet} WHERE {column} NOT IN (SELECT code FROM read_csv('{shipped}', "
            "all_varchar = true))"
        )
        assert one(files, unknown) == 0


def test_scale_multiplies_the_people(tmp_path: Path) -> None:
    write(tmp_path, scale=2)
    rows = {row["file"]: int(row["rows"]) for row in listed(tmp_path)}
    assert rows["11-fund-members-synthetic.csv"] == rows["12-contributions-synthetic.csv"] == 2 * 40_232
    assert rows["09-register-synthetic.csv"] > 340_000
    assert sum(n for name, n in rows.items() if "loans-2009" in name) > 60_000
    with pytest.raises(ValueError, match="scale"):
        write(tmp_path, scale=0)
