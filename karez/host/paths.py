"""Where an installation keeps its data. Holds names of folders only; nothing here creates or deletes.

`KAREZ_VAR` moves the whole data folder; the default is `var/` beside the package's project folder.
"""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VAR = Path(os.environ.get("KAREZ_VAR", PROJECT / "var")).expanduser().resolve()
CLUSTER = VAR / "pg"
KEYS = VAR / "keys"
FILES = VAR / "files"
SNAPSHOTS = VAR / "snapshots"
SCRATCH = VAR / "tmp"


def private_folder(path: Path) -> Path:
    """Makes `path` (and its parents) if need be, readable by its owner alone, and returns it."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
