"""The main job through the console, as a newcomer runs it: demo, then every answer about the closed year."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from karez.system import postgres

pytestmark = pytest.mark.demonstration
DATA = Path(__file__).resolve().parents[1] / "karez" / "proofreader" / "data"
YEAR = ("--region", "64", "--year", "2009")


class Console:
    """The console program on an installation of its own."""

    def __init__(self, var: Path) -> None:
        self.var = var
        drop = ("DATABASE_URL", "KAREZ_DATABASE", "KAREZ_TEST_VAR")
        self.environment = {k: v for k, v in os.environ.items() if k not in drop}
        self.environment |= {"KAREZ_VAR": str(var), "KAREZ_DURABLE": "0"}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `karez words`."""
        return subprocess.run(
            [sys.executable, "-m", "karez", *words], env=self.environment, text=True, capture_output=True, check=False
        )

    def json(self, *words: str) -> Any:
        """The JSON answer; stdout must be JSON alone."""
        return json.loads(self.run(*words, "--format", "json").stdout)


@pytest.fixture(scope="module")
def demo() -> Iterator[Console]:
    folder = Path(tempfile.mkdtemp(prefix="karez-"))
    folder.chmod(0o711)
    console = Console(folder)
    done = console.run("demo", "--no-serve")
    assert done.returncode == 0, done.stderr[-4000:]
    yield console
    shutil.rmtree(folder, ignore_errors=True)


def test_all_thirty_one_printed_figures_agree(demo: Console) -> None:
    answer = demo.json("compare", str(DATA / "ningxia-2009.csv"), *YEAR)
    assert answer["of"] == 73
    declared = [f for f in answer["figures"] if f["agrees"] is not None]
    assert [f for f in declared if not f["agrees"]] == []
    assert len(declared) >= 31
    assert answer["agreeing"] == len(declared)


def test_a_second_run_loads_nothing_and_changes_nothing(demo: Console) -> None:
    before = demo.json("figures", *YEAR)
    again = demo.run("demo", "--no-serve")
    assert again.returncode == 0
    assert "already closed" in again.stderr and "rows;" not in again.stderr, "no file is loaded a second time"
    assert demo.json("figures", *YEAR) == before


def test_figures_add_up_over_counties(demo: Console) -> None:
    by_county = demo.json("figures", *YEAR, "--by", "county", "--figure", "mutual_funds.villages_total")["figures"]
    assert len(by_county) == 22
    assert sum(f["value"] for f in by_county) == 428
    assert set(by_county[0]) >= {"id", "label", "unit", "value", "place", "place_name", "as_of", "snapshot"}


def test_a_trace_tells_everything(demo: Console) -> None:
    trace = demo.json("trace", "mutual_funds.funds_2009", *YEAR)
    assert set(trace) >= {"id", "definition", "sql", "snapshot", "value", "by_place", "rows", "transfers"}
    assert trace["value"] == 85_500_000
    assert trace["transfers"]


def test_publishing_twice_writes_the_same_bytes(demo: Console, tmp_path: Path) -> None:
    for name in ("a", "b"):
        done = demo.run("publish", *YEAR, "--out", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert "chapter.pdf" in done.stdout and " files" in done.stdout and len(done.stdout.splitlines()) < 15
    files = sorted(str(p.relative_to(tmp_path / "a")) for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert sorted(str(p.relative_to(tmp_path / "b")) for p in (tmp_path / "b").rglob("*") if p.is_file()) == files
    pages = {f"{page}{end}.html" for page in ("index", "chapter", "catalogue", "errata") for end in ("", ".zh")}
    papers = {f"chapter{end}.{kind}" for kind in ("pdf", "docx") for end in ("", ".zh")}
    data = {
        f"data/{name}"
        for name in (
            "capital.csv",
            "datapackage.json",
            "errata.csv",
            "figures.csv",
            "flow.csv",
            "places.csv",
            "values.csv",
        )
    }
    others = {"data.zip", "digests.txt", "edition.json", "figures.csv", "figures.xlsx", "style.css"}
    assert {f for f in files if not f.startswith("figures/")} == pages | papers | data | others
    assert "figures/mutual_funds.funds_2009.html" in files
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    html = (tmp_path / "a" / "chapter.html").read_text()
    assert "85.50 million yuan" in html
    assert "Synthetic data" in html


def test_verify_finds_nothing_wrong(demo: Console) -> None:
    done = demo.run("verify", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(row["good"] for row in json.loads(done.stdout)["checks"])


def test_a_year_is_signed_once_and_by_another(demo: Console) -> None:
    before = demo.run("verify", "--format", "json").stdout
    for by, code, found in (
        ("wang", "closing.not_now", "The year 2009 cannot be signed by this person now."),  # signed it already
        ("zhao", "access.not_granted", "has no role over this area that may do this"),  # prepared it
    ):
        done = demo.run("sign", *YEAR, "--by", by)
        assert done.returncode == 1
        assert code in done.stderr
        assert found in done.stderr
        assert "Traceback" not in done.stderr
    assert demo.run("verify", "--format", "json").stdout == before


def test_unknown_words_are_unusable_input(demo: Console, tmp_path: Path) -> None:
    assert demo.run("figures", "--region", "64").returncode == 2
    assert demo.run("nonsense").returncode == 2
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    assert demo.run("compare", str(bad), *YEAR).returncode == 2
    assert demo.run("figures", "--region", "65", "--year", "2009").returncode == 1


def test_the_drill_restores_what_was_backed_up(demo: Console, tmp_path: Path) -> None:
    done = demo.run("backup", "--to", str(tmp_path / "backups"), "--keys-to", str(tmp_path / "keys"))
    assert done.returncode == 0, done.stderr[-3000:]
    assert "agree" in done.stderr


# Each edit is made by a superuser past every trigger, and says which proof must find it and in what words.
_EDITS = (
    (
        "UPDATE ledger_transfer SET amount_fen = amount_fen + 1 WHERE id = (SELECT min(id) FROM ledger_transfer)",
        "totals equal the sum",
        "",
    ),
    (
        (
            "UPDATE ledger_voucher SET number = number + 100000 WHERE id = (SELECT max(id) FROM ledger_voucher WHERE "
            "number IS NOT NULL AND year = 2009)"
        ),
        "numbers of every year",
        "2009",
    ),
    (
        "DELETE FROM ledger_transfer WHERE voucher_id = (SELECT min(id) FROM ledger_voucher WHERE kind = 'loan')",
        "vouchers and their transfers",
        "has no transfer",
    ),
    (
        "UPDATE notices_document SET subject_id = subject_id + 1 WHERE id = (SELECT min(id) FROM notices_document)",
        "documents on record",
        "",
    ),
    (
        "UPDATE notices_document SET digest = repeat('0', 64) WHERE id = (SELECT max(id) FROM notices_document)",
        "files of documents",
        "another one",
    ),
    (
        "UPDATE intake_batch SET sender_id = sender_id + 1 WHERE id = (SELECT min(id) FROM intake_batch)",
        "files as they were sent",
        "batch 1: file, kind or sender",
    ),
    (
        (
            "UPDATE intake_batch a SET vault_ref = b.vault_ref, kept_digest = b.kept_digest FROM intake_batch b WHERE "
            "a.id = 2 AND b.id = 3"
        ),
        "files as they were sent",
        "batch 2: file",
    ),
    (
        (
            "UPDATE register_identity a SET sealed = b.sealed, number_hash = b.number_hash, name_hash = "
            "b.name_hash FROM register_identity b"
            " WHERE a.person_id = (SELECT min(person_id) FROM register_identity) AND b.person_id = (SELECT "
            "max(person_id) FROM register_identity)"
        ),
        "identities",
        "another person's",
    ),
    (
        (
            "UPDATE register_identity SET number_hash = decode(repeat('00', 16), 'hex') WHERE person_id = (SELECT "
            "min(person_id) + 1 FROM register_identity)"
        ),
        "identities",
        "a number that is not its own",
    ),
    (
        "UPDATE publication_editionstep SET by_id = 999999 WHERE step = 'reviewed'",
        "signed texts",
        "is by a person who is no user",
    ),
    (
        (
            "UPDATE publication_editionstep SET by_id = (SELECT id FROM access_user WHERE username = 'sun'), name = 'Sun "
            "Wei' WHERE step = 'signed'"
        ),
        "steps and signers of editions",
        "changed",
    ),
    (
        "INSERT INTO access_readevent (kind, purpose, rows) VALUES ('person', 'none', 1)",
        "log of reads",
        "put in unseen",
    ),
    ("DELETE FROM notices_document WHERE id = (SELECT min(id) + 1 FROM notices_document)", "documents on record", ""),
    (
        "DELETE FROM register_identity WHERE person_id = (SELECT min(person_id) + 2 FROM register_identity)",
        "identities",
        "some are missing",
    ),
    ("DELETE FROM periods_periodchange WHERE state = 'closing'", "states of the years", "follows"),
    ("UPDATE closing_snapshotrecord SET taken_by_id = 1 WHERE kind = 'sealed'", "snapshots taken", "changed"),
    (
        (
            "INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id, recorded_at)"
            " SELECT user_id, 'administrator', area_id, starts_on, counts_from, recorded_by_id, recorded_at FROM "
            "access_grant WHERE role = 'statistician' LIMIT 1"
        ),
        "roles given",
        "put in unseen",
    ),
    (
        (
            "UPDATE register_assessment SET income_fen = income_fen + 100 WHERE id = (SELECT min(id) FROM "
            "register_assessment WHERE year = 2009)"
        ),
        "records of 2009",
        "register_households",
    ),
    (
        (
            "UPDATE mutual_funds_member SET household_id = (SELECT max(id) + 1000 FROM register_household) WHERE id = "
            "(SELECT max(id) FROM mutual_funds_member)"
        ),
        "database",
        "mutual_funds_member lead nowhere",
    ),
    ("GRANT UPDATE ON ledger_transfer TO karez_app", "database", "changed: relation ledger_transfer"),
    (
        "GRANT UPDATE (amount_fen) ON mutual_funds_contribution TO karez_app",
        "database",
        "changed: column mutual_funds_contribution.amount_fen",
    ),
    (
        "ALTER TABLE mutual_funds_loan DISABLE TRIGGER mutual_funds_loan_guard_insert",
        "database",
        "changed: trigger mutual_funds_loan.mutual_funds_loan_guard_insert",
    ),
    (
        "DROP TRIGGER register_membership_mark_once ON register_membership",
        "database",
        "missing: trigger register_membership.register_membership_mark_once",
    ),
    (
        "ALTER TABLE ledger_set DROP CONSTRAINT ledger_set_four_eyes",
        "database",
        "missing: constraint ledger_set.ledger_set_four_eyes",
    ),
    (
        (
            "CREATE OR REPLACE FUNCTION karez_yuan(fen numeric) RETURNS text LANGUAGE sql IMMUTABLE AS $$ "
            "SELECT '0.00' $$"
        ),
        "database",
        "changed: function karez_yuan(numeric)",
    ),
    (
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "database",
        "not of this version: function mine()",
    ),
    ("CREATE TABLE public.mine (id int)", "database", "not of this version: relation mine"),
    ("ALTER ROLE karez_app CREATEROLE", "database", "role karez_app may make roles"),
    ("ALTER ROLE karez_app SET session_replication_role = 'replica'", "database", "session_replication_role"),
    (
        "ALTER DATABASE karez SET session_replication_role = 'origin'",
        "database",
        "not of this version: settings of roles all here",
    ),
    (
        "ALTER TABLE access_readevent ALTER purpose SET DEFAULT 'none'",
        "database",
        "changed: column access_readevent.purpose",
    ),
)


def test_every_silent_edit_is_found(demo: Console, tmp_path: Path) -> None:
    """The last test of this module: the installation is spoilt afterwards."""
    assert demo.run("publish", *YEAR, "--out", str(tmp_path / "site")).returncode == 0
    assert demo.run("verify", "--published", f"2009={tmp_path / 'site'}").returncode == 0
    with postgres.held(postgres.Cluster(demo.var / "pg", durable=False)):
        with psycopg.connect(host=str(demo.var / "pg"), user="postgres", dbname="karez", autocommit=True) as admin:
            admin.execute("SET session_replication_role = 'replica'")
            for edit, _proof, _words in _EDITS:
                done = admin.execute(edit)
                assert done.rowcount != 0, edit
            ref = admin.execute("SELECT vault_ref FROM intake_batch WHERE id = 4").fetchone()[0]
        (demo.var / "files" / ref[:2] / ref).write_bytes(b"KZV1" + bytes(16))
        (tmp_path / "site" / "chapter.html").write_text("changed")
        (tmp_path / "site" / "more.html").write_text("new")
        (snapshot,) = (p for p in (demo.var / "snapshots").iterdir() if "sealed" in (p / "manifest.json").read_text())
        told = demo.json("verify", "--published", f"2009={tmp_path / 'site'}")
    bad = {row["what"]: row["told"] for row in told["checks"] if not row["good"]}
    edits = [
        *_EDITS,
        ("", "files as they were sent", "batch 4: its file"),
        ("", "published files", "chapter.html: other"),
        ("", "published files", "more.html"),
    ]
    missed = [
        (edit, bad)
        for edit, what, words in edits
        if not any(what in name and words in found for name, found in bad.items())
    ]
    assert missed == []
    assert "witnessed" in told["not_found"]
    assert snapshot.is_dir()
