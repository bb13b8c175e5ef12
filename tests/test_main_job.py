"""The main job through the console, as a newcomer runs it: demo, then every answer about the closed year."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[1] / "karez" / "yearbook" / "data"
YEAR = ("--region", "64", "--year", "2009")


class Console:
    """The console program on an installation of its own."""

    def __init__(self, var: Path) -> None:
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


def test_a_second_run_is_quick_and_changes_nothing(demo: Console) -> None:
    before = demo.json("figures", *YEAR)
    start = time.monotonic()
    assert demo.run("demo", "--no-serve").returncode == 0
    assert time.monotonic() - start < 60
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
    data = {f"data/{name}" for name in ("capital.csv", "datapackage.json", "errata.csv", "figures.csv", "flow.csv", "places.csv", "values.csv")}
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
        ("zhao", "access.not_granted", "closing.sign"),  # prepared it
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
