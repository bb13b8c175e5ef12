"""kill -9 of the program, or of the database server, in the middle of closing: afterwards the year is open with nothing
left over, or closed with a whole snapshot.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest

from karez.closing import services, snapshots
from karez.closing.models import SnapshotRecord
from karez.closing.tests.conftest import SmallRegion
from karez.periods import services as periods

ROUNDS = int(os.environ.get("KAREZ_CRASH_ROUNDS", "3"))
MOMENTS = (
    "waiting until nobody writes in the year",
    "running the checks",
    "writing the table test_grants",
    "comparing reports with figures",
    "reading every file again",
    "putting the snapshot in place",
    "finished",
)


@pytest.mark.crash
def test_a_killed_closing_is_taken_up(small_region: SmallRegion, crash_server: Callable[[], None] | None) -> None:
    """Every other round kills the database server under the program, the others the program."""
    for village in small_region.villages:
        small_region.fact(village)
    chance = random.Random(2009)
    services.prepare(small_region.preparer, year=2009)
    seen = set()
    for n in range(ROUNDS):
        moment = (MOMENTS[2], MOMENTS[5], MOMENTS[4])[n] if n < 3 else chance.choice(MOMENTS)
        _kill_at(moment, chance.random() * 0.08, crash_server if n % 2 else None)
        services.recover()
        state = periods.period(2009).state
        seen.add(state)
        sealed = snapshots.existing(kind="sealed")
        assert not list(snapshots.root().glob(".side-*"))
        if state == "open":
            assert sealed == [], moment
            continue
        assert state == "closed"
        assert [s.digest for s in sealed] == [periods.period(2009).snapshot]
        assert SnapshotRecord.objects.filter(digest=sealed[0].digest).count() == 1
        snapshots.verify(sealed[0])
        assert pq.read_table(sealed[0].file("test_grants")).num_rows == len(small_region.villages)
        services.reopen(small_region.preparer, small_region.signer, year=2009, reason="next round")
        snapshots.remove(sealed[0])
        services.prepare(small_region.preparer, year=2009)
    assert services.sign(small_region.signer, year=2009).kind == "sealed"
    assert ROUNDS < 3 or seen == {"open", "closed"}


def test_a_closing_at_work_is_left_alone(small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "RECOVERY_SECONDS", 0.3)
    services.prepare(small_region.preparer, year=2009)
    inside, go_on = threading.Event(), threading.Event()

    def wait(what: str, share: float) -> None:
        if what == "reading every file again":
            inside.set()
            go_on.wait(20)

    signing = threading.Thread(target=lambda: services.sign(small_region.signer, year=2009, progress=wait))
    signing.start()
    assert inside.wait(20)
    told = services.recover()
    assert "Sun Signer is closing it" in told[0]
    go_on.set()
    signing.join(20)
    assert periods.period(2009).state == "closed"
    assert services.recover() == []


def _kill_at(moment: str, after: float, crash_server: Callable[[], None] | None) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "karez.closing.tests.signing_program"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    assert program.stdout
    for line in program.stdout:
        if line.strip() == moment:
            time.sleep(after)
            break
    if crash_server:
        crash_server()
    program.send_signal(signal.SIGKILL)
    program.wait(20)
    program.stdout.close()
