"""Every sheet at the reference year's size and at thirteen times it: how time, memory and the distance to PostgreSQL
alone grow.

`python -m bench scale [sheet ...] [--times N]`, `make bench-scale` for all. What has a floor and misses it ends the run
non-zero, by name. Work is processor time, of program and server, and grows no faster than n to the power of GROWTH: it
does not change with what else runs on the machine. A side that ends within a second says nothing about rows and is
shown without being judged. Each size has an installation of its own. Holds no loading: see `scale_site`.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

TIMES = 13
GROWTH, MEMORY_MIB, RATIO = 1.1, 1024, 0.7
JUDGED_SECONDS = 1.0  # of the larger size; of the bare side where the ratio is judged
DEEP = ("register", "assessments", "fund_members", "contributions", "loans", "repayments", "closing")
Found = dict[str, dict[str, float]]  # sheet -> rows, seconds, checked, applied, work, memory, bare; of all its files


def run(words: list[str]) -> int:
    """Measures, prints the table, and returns how many floors were missed."""
    asked = _asked(words)
    small, large = _all_of(1, asked), _all_of(asked.times, asked)
    print(
        _line(
            "sheet", "rows", "", "seconds", "", "checked", "applied", "work", "n^", "bare n^", "MiB", "", "of bare", ""
        )
    )
    missed = []
    for sheet in large:
        missed += _judge(sheet, small[sheet], large[sheet], asked.times)
    print(f"\nFloors: n^{GROWTH} at most, {MEMORY_MIB:,} MiB at most, {RATIO} of bare INSERT ... SELECT at least.")
    for line in missed:
        print(f"MISSED  {line}")
    return len(missed)


def _asked(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=__doc__)
    parser.add_argument("sheets", nargs="*", help="sheets, or closing; all where none is named")
    parser.add_argument("--times", type=int, default=TIMES, help="how many times the reference year's rows")
    parser.add_argument("--no-bare", action="store_true", help="leave out the comparison with bare inserts")
    return parser.parse_args(words)


def _all_of(times: int, asked: argparse.Namespace) -> Found:
    from bench import scale_rows

    found: Found = {}
    for kind, sheets in (("broad", scale_rows.SHEETS), ("deep", DEEP)):
        wanted = [sheet for sheet in sheets if not asked.sheets or sheet in asked.sheets]
        if wanted:
            found |= _site(kind, times, wanted, bare=not asked.no_bare)
    return found


def _site(kind: str, times: int, wanted: list[str], *, bare: bool) -> Found:
    """What an installation of its own measured, and removes it."""
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    with tempfile.TemporaryDirectory(prefix="karez-scale-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"KAREZ_VAR": str(folder / "var")}
        (folder / "var").mkdir(mode=0o711)
        words = [
            sys.executable,
            "-m",
            "bench.scale_site",
            kind,
            str(times),
            str(folder / "files"),
            "bare" if bare else "alone",
            *wanted,
        ]
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as site:
            assert site.stdout
            for told in site.stdout:
                _add(sums, json.loads(told), times)
        if site.returncode:
            sys.exit(f"The installation of {times} times the size could not be measured ({kind}).")
    return dict(sums)


def _add(sums: dict[str, dict[str, float]], one: dict[str, Any], times: int) -> None:
    """A sheet may have come in several files."""
    print(
        f"  {times} x {one['sheet']}: {one['rows']:,} rows in {one['seconds']:.1f} s, {one['memory']:,} MiB",
        file=sys.stderr,
        flush=True,
    )
    of = sums[one["sheet"]]
    for key in ("rows", "seconds", "checked", "applied", "work"):
        of[key] += one[key]
    of["bare"] += one["bare"] or 0.0
    of["memory"] = max(of["memory"], one["memory"])


def _judge(sheet: str, small: dict[str, float], large: dict[str, float], times: int) -> list[str]:
    grown, bare = _power(small, large, "work"), _power(small, large, "bare")
    ratio = large["bare"] / large["seconds"]
    missed = []
    if large["seconds"] >= JUDGED_SECONDS and grown > GROWTH:
        told = f"; the bare INSERT ... SELECT as n^{bare:.2f}" if bare else ""
        missed.append(f"{sheet}: grows as n^{grown:.2f} from {small['rows']:,.0f} to {large['rows']:,.0f} rows{told}")
    if large["memory"] >= MEMORY_MIB:
        missed.append(f"{sheet}: the program held {large['memory']:,.0f} MiB")
    if large["bare"] >= JUDGED_SECONDS and ratio < RATIO:
        missed.append(f"{sheet}: {ratio:.2f} of bare INSERT ... SELECT")
    print(
        _line(
            sheet,
            f"{small['rows']:,.0f}",
            f"{large['rows']:,.0f}",
            f"{small['seconds']:.1f}",
            f"{large['seconds']:.1f}",
            f"{large['checked']:.1f}",
            f"{large['applied']:.1f}",
            f"{large['work']:.1f}",
            f"{grown:.2f}",
            f"{bare:.2f}" if bare else "-",
            f"{small['memory']:.0f}",
            f"{large['memory']:.0f}",
            f"{ratio:.2f}" if large["bare"] else "-",
            "missed" if missed else "met",
        )
    )
    return missed


def _power(small: dict[str, float], large: dict[str, float], what: str) -> float:
    """With which power of the rows a measure grows; nought where it was not taken."""
    if not small[what] or not large[what] or small["rows"] == large["rows"]:
        return 0.0
    return math.log(large[what] / small[what]) / math.log(large["rows"] / small["rows"])


def _line(*cells: str) -> str:
    return "  ".join(cell.ljust(17) if not n else cell.rjust(9) for n, cell in enumerate(cells))
