"""A process of the site ends with the process that started it, however that one ended. Holds no start and no orders.

On Linux the kernel itself does it (PR_SET_PDEATHSIG), also while the process is deep in a library; elsewhere, and
beside it, a thread looks whether the parent is still there. What was under way is rolled back by the database, as after
any kill.
"""

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "KAREZ_PARENT"  # in a child's environment: who started it
_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.5


def hold(parent: int) -> None:
    """From here on this process ends with `parent`; at once where the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _end_if_alone(parent)  # it may have ended before the line above
    threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        _end_if_alone(parent)


def _end_if_alone(parent: int) -> None:
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
