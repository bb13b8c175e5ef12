"""Gives a test run its own data folder before Django's settings are read. Loaded by pytest's `-p`; holds no fixtures."""

import os
import tempfile
from pathlib import Path

if "KAREZ_TEST_VAR" not in os.environ:
    folder = Path(tempfile.mkdtemp(prefix="karez-"))
    folder.chmod(0o711)  # the embedded server's user passes through; each folder inside is closed by itself
    os.environ["KAREZ_TEST_VAR"] = str(folder)
os.environ["KAREZ_VAR"] = os.environ["KAREZ_TEST_VAR"]
os.environ["KAREZ_DURABLE"] = "0"
os.environ["KAREZ_DATABASE"] = f"karez_test_{os.getpid()}"
