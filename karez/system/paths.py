"""Where an installation keeps its data. Holds names of folders only; nothing here is made by being named.

`KAREZ_VAR` names the data folder. In a checkout the default is `var/` in the project's folder; a program installed from
a wheel has no folder of its own to write in and asks for one.
"""

import os
from pathlib import Path

from karez.kernel.refusal import Refusal

PROJECT: Path = Path(__file__).resolve().parents[2]
IN_CHECKOUT = (PROJECT / "pyproject.toml").is_file()
_UNSET = Path("/KAREZ_VAR is not set")  # names no folder; `require_place` refuses before anything is written under it
VAR = Path(os.environ.get("KAREZ_VAR") or (PROJECT / "var" if IN_CHECKOUT else _UNSET)).expanduser().resolve()
CLUSTER = VAR / "pg"
KEYS = VAR / "keys"
FILES = VAR / "files"
SNAPSHOTS = VAR / "snapshots"
SCRATCH: Path = VAR / "tmp"


def require_place() -> None:
    """Refuses where nobody said in which folder the data are."""
    if VAR == _UNSET:
        raise Refusal(
            "host.no_place",
            record="KAREZ_VAR",
            found="not set",
            expected="the folder of this installation's data",
            rule="data are not kept among the programs: an upgrade would delete them",
            todo="set KAREZ_VAR, for example to /srv/karez",
        )


def private_folder(path: Path) -> Path:
    """Makes `path` (and its parents) if need be, readable by its owner alone, and returns it."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
