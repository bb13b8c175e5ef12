"""Gives a test run its own data folder before Django's settings are read. Loaded by pytest's `-p`; holds no fixtures."""

import os
import shutil
import tempfile
from pathlib import Path

from karez.host import leftovers

_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made by mkdtemp
_ROOM = 6 * 1024**3
_NAME = "karez-test-"
_PASSWORDS = "-passwords"


def _in_memory() -> bool:
    """Whether files may be kept in memory: a cloned database costs a tenth of a second there, on a busy disk seconds."""
    try:
        about = os.statvfs(_MEMORY)
        free = int(Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return False
    return (
        min(free, about.f_bavail * about.f_frsize) >= _ROOM
        and not about.f_flag & os.ST_NOEXEC
        and os.access(_MEMORY, os.W_OK)
    )


def _clear_leftovers(*places: Path) -> None:
    """What killed runs left behind: their servers are stopped, their folders go, and the passwords beside them."""
    for place in places:
        for old in leftovers.of_killed(place, f"{_NAME}*"):
            leftovers.remove(old)
        for passwords in place.glob(f"{_NAME}*{_PASSWORDS}"):
            if (
                leftovers.is_ours(passwords)
                and not passwords.with_name(passwords.name.removesuffix(_PASSWORDS)).exists()
            ):
                shutil.rmtree(passwords, ignore_errors=True)


# Each worker of a divided run has a server of its own; it inherits the first process's folder by name and takes
# another.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
_first = "KAREZ_TEST_VAR" not in os.environ
if _first:  # before it is asked whether there is room
    _clear_leftovers(*{_MEMORY, Path(tempfile.gettempdir())})
if _first and "TMPDIR" not in os.environ and _in_memory():
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None  # asked anew
if _first or os.environ.get("KAREZ_TEST_WORKER", "") != _worker:
    folder = Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-"))
    _held = leftovers.hold(folder)  # for as long as this process lives
    folder.chmod(0o711)  # the embedded server's user passes through; each folder inside is closed by itself
    os.environ["KAREZ_TEST_VAR"] = str(folder)
    os.environ["KAREZ_TEST_WORKER"] = _worker
# On a server that asks for passwords, the workers of one run share the roles and so their passwords.
os.environ.setdefault("KAREZ_DATABASE_PASSWORDS", f"{os.environ['KAREZ_TEST_VAR']}{_PASSWORDS}/database.json")
os.environ["KAREZ_VAR"] = os.environ["KAREZ_TEST_VAR"]
os.environ["KAREZ_DURABLE"] = "0"
os.environ["KAREZ_DATABASE"] = f"karez_test_{os.getpid()}"

from karez.system import keys  # noqa: E402 - which folder it is kept in was decided above

keys.make_if_missing()
