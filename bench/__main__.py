"""Runs the measurements and prints one table with the machine's description: `python -m bench [name ...]`."""

import os
import platform
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

from bench import scale

NAMES = (
    "loading", "one_row", "closing", "figures", "posting", "proofing", "publishing", "pages", "listing", "attack",
)  # fmt: skip
MISSED = 3  # how a measurement ends that is below a floor


def main() -> None:
    """Each measurement runs in a data folder of its own, removed afterwards."""
    if sys.argv[1:2] == ["scale"]:
        missed = scale.run(sys.argv[2:])
        print(f"\n{describe()}")
        sys.exit(bool(missed))
    chosen = sys.argv[1:] or NAMES
    missed: list[str] = []
    broken: list[str] = []
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="karez-bench-") as folder:
            Path(folder).chmod(0o711)
            child = os.fork()
            if child == 0:
                os.environ["KAREZ_VAR"] = folder
                os.environ.pop("DATABASE_URL", None)
                failed = 1
                try:
                    _make_key()
                    rows = import_module(f"bench.{name}").run()
                    print_rows(rows)
                    failed = MISSED if any(row.get("met") is False for row in rows) else 0
                except Exception:  # noqa: BLE001 - told, and the other measurements go on
                    traceback.print_exc()
                finally:
                    os._exit(failed)
            ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if ended == MISSED:
                missed.append(name)
            elif ended:
                broken.append(name)
    print(f"\n{describe()}")
    if missed:
        print(f"Below a floor: {', '.join(missed)}")
    if broken:
        print(f"Could not be measured: {', '.join(broken)}")
    if missed or broken:
        sys.exit(1)


def _make_key() -> None:
    """The data folder is new, and an installation does not run without a key."""
    from karez.system import keys  # reads which folder it is

    keys.make_if_missing()


def print_rows(rows: list[dict[str, object]]) -> None:
    """One line a measurement: what, size, measured, compared with, ratio, target."""
    for row in rows:
        print(" | ".join(f"{key}: {value}" for key, value in row.items()), flush=True)


def describe() -> str:
    """The machine in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return (
        f"{os.cpu_count()} cores, {memory} GiB, {platform.system()} {platform.release()}, Python "
        f"{platform.python_version()}"
    )


if __name__ == "__main__":
    main()
