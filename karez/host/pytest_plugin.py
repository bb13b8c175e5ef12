"""Gives a test run its own data folder before Django's settings are read. Loaded by pytest's `-p`; holds no fixtures."""

import os
import tempfile
from pathlib import Path

# Each worker of a divided run has a server of its own; it inherits the first process's folder by name and takes another.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if os.environ.get("KAREZ_TEST_WORKER", "") != _worker or "KAREZ_TEST_VAR" not in os.environ:
    folder = Path(tempfile.mkdtemp(prefix="karez-"))
    folder.chmod(0o711)  # the embedded server's user passes through; each folder inside is closed by itself
    os.environ["KAREZ_TEST_VAR"] = str(folder)
    os.environ["KAREZ_TEST_WORKER"] = _worker
# On a server that asks for passwords, the workers of one run share the roles and so their passwords.
os.environ.setdefault("KAREZ_DATABASE_PASSWORDS", f"{os.environ['KAREZ_TEST_VAR']}-passwords/database.json")
os.environ["KAREZ_VAR"] = os.environ["KAREZ_TEST_VAR"]
os.environ["KAREZ_DURABLE"] = "0"
os.environ["KAREZ_DATABASE"] = f"karez_test_{os.getpid()}"

from karez.host import keys  # noqa: E402 - which folder it is kept in was decided above

keys.make_if_missing()
