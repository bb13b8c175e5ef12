"""Child processes kept running: started again with growing pauses, told when they end unasked, ended together. Knows no
site.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from karez.host import lifeline
from karez.kernel.refusal import Refusal

_GRACE_SECONDS = 10
_STEADY_SECONDS = 30  # who ran so long has started well: the next pause is the shortest again
_LONGEST_PAUSE = 30.0
GIVE_UP = 6  # ends in a row, none of them steady, while nothing else is wrong
_LOOK_SECONDS = 0.2


@dataclass
class Child:
    """One process that is to run: what it is called before people, its words, what it inherits, how much memory it may
    have.
    """

    name: str
    words: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    data_bytes: int | None = None  # memory it may write to, of all its descendants each; None where nothing bounds it
    process: "subprocess.Popen[bytes] | None" = None
    began: float = 0.0
    again_at: float = 0.0
    ends_in_a_row: int = 0
    starts: int = 0

    def start(self) -> None:
        """Starts it, in a session of its own: Ctrl-C is for the supervisor alone."""
        environment = (
            os.environ | self.environment | {lifeline.PARENT: str(os.getpid()), "KAREZ_STARTS": str(self.starts)}
        )
        self.began, self.starts = time.monotonic(), self.starts + 1
        self.process = subprocess.Popen(self.words, env=environment, pass_fds=self.pass_fds, start_new_session=True)
        if self.data_bytes is not None and sys.platform == "linux":
            resource.prlimit(self.process.pid, resource.RLIMIT_DATA, (self.data_bytes, self.data_bytes))

    def ended(self) -> int | None:
        """The exit code of a process that is no more."""
        return self.process.poll() if self.process else None


def keep(children: Sequence[Child], *, tell: Callable[[str], None], elsewhere: Callable[[], str]) -> None:
    """Starts the children and keeps them running until interrupted; then ends them all.

    `elsewhere` is called often: it mends what the children need and says what of it is wrong (nothing where all is
    well); while something is, ends of children count towards no giving up. Raises a Refusal when one of them will not
    stay.
    """
    try:
        while True:
            wrong = elsewhere()
            for child in children:
                _look_after(child, wrong, tell)
            time.sleep(_LOOK_SECONDS)
    finally:
        end(children)


def _look_after(child: Child, wrong: str, tell: Callable[[str], None]) -> None:
    if child.process is None:
        if time.monotonic() >= child.again_at:
            child.start()
        return
    code = child.ended()
    if code is None:
        return
    steady = time.monotonic() - child.began >= _STEADY_SECONDS
    child.ends_in_a_row = 1 if steady or wrong else child.ends_in_a_row + 1
    if child.ends_in_a_row >= GIVE_UP:
        raise Refusal(
            "host.does_not_stay",
            record=child.name,
            found=f"{how(code)}, {child.ends_in_a_row} times in a row",
            expected="a process that runs until the site is ended",
            rule="the site is not served in part",
            todo="read what it told above; start again when that is mended",
        )
    pause = min(_LONGEST_PAUSE, 2.0 ** (child.ends_in_a_row - 1))
    because = f" ({wrong})" if wrong else ""
    tell(f"{child.name} ended unasked: {how(code)}{because}. It is started again in {pause:.0f} s.")
    child.process, child.again_at = None, time.monotonic() + pause


def how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def end(children: Sequence[Child]) -> None:
    """Asks each to end, and ends by force who does not within the grace."""
    running = [child.process for child in children if child.process and child.process.poll() is None]
    for process in running:
        process.terminate()
    last = time.monotonic() + _GRACE_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, last - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
