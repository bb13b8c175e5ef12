"""Eight at once: nobody overdraws, no number is lost or given twice, nothing is approved twice, and a kill loses
nothing.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from karez.kernel.refusal import Refusal
from karez.ledger import services
from karez.ledger.models import Counter, Transfer, Voucher
from karez.ledger.tests.conftest import World
from karez.ledger.tests.test_bulk import fill, post
from karez.ledger.tests.test_queries import failing

ROUNDS = int(os.environ.get("KAREZ_CRASH_ROUNDS", "3"))


def at_once(n: int, work: Callable[[int], Any]) -> list[Any]:
    """Runs `work` in n threads started together; returns what each returned or raised."""
    results: list[Any] = [None] * n
    gate = threading.Barrier(n)

    def run(i: int) -> None:
        gate.wait()
        try:
            results[i] = work(i)
        except Exception as raised:  # noqa: BLE001 - looked at by the test
            results[i] = raised
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results


def code_of(result: Any) -> str:
    if isinstance(result, Refusal):
        return result.code
    return repr(result) if isinstance(result, Exception) else "done"


def test_eight_draw_on_what_is_enough_for_five(committed_world: World) -> None:
    w = committed_world
    w.paid_in(50_00)
    done = at_once(8, lambda _i: services.prepare(w.treasurer, [w.draft("1301", "1001", 10_00)]))
    assert sorted(map(code_of, done)) == ["done"] * 5 + ["ledger.overdrawn"] * 3
    assert w.account("1001").available_fen == 0
    sets = [one for one in done if isinstance(one, int)]
    posted = at_once(5, lambda i: services.approve(w.approver, sets[i]))
    assert sorted(p.number for (p,) in posted) == [2, 3, 4, 5, 6]
    assert w.account("1001").balance_fen == 0
    assert failing() == {}


def test_a_set_is_decided_once_by_eight(committed_world: World) -> None:
    w = committed_world
    w.paid_in(50_00)
    set_id = services.prepare(w.treasurer, [w.draft("1301", "1001", 10_00)])

    def decide(i: int) -> Any:
        return services.refuse_set(w.approver, set_id, "no") if i % 2 else services.approve(w.approver, set_id)

    done = at_once(8, decide)
    assert sorted(map(code_of, done)) == ["done"] + ["ledger.already_decided"] * 7
    assert w.account("1001").reserved_fen == 0
    assert failing() == {}


def test_a_voucher_is_reversed_once_by_eight(committed_world: World) -> None:
    w = committed_world
    w.paid_in(500_00)
    paid = w.paid_in(10_00)
    done = at_once(8, lambda _i: services.prepare_reversal(w.treasurer, paid.voucher_id, "twice"))
    assert sorted(map(code_of, done)) == ["done"] + ["ledger.not_reversible"] * 7


def test_numbers_stay_gapless_when_some_fail(committed_world: World) -> None:
    w = committed_world

    def work(i: int) -> int:
        dice, done = random.Random(i), 0
        for _ in range(25):
            try:
                if dice.random() < 0.5:
                    w.paid_in(dice.randint(1, 20))
                else:
                    set_id = services.prepare(w.treasurer, [w.draft("1301", "1001", dice.randint(1, 60))])
                    services.approve(w.approver, set_id)
                done += 1
            except Refusal as refused:
                assert refused.code == "ledger.overdrawn"  # noqa: PT017 - the only refusal expected
        return done

    total = sum(at_once(8, work))
    numbers = Voucher.objects.filter(posted_at__isnull=False).order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, total + 1))
    assert Counter.objects.get(book=w.book, year=2009).last_number == total
    assert failing() == {}


def test_two_books_at_once_in_either_order_do_not_deadlock(committed_world: World) -> None:
    from karez.ledger.tests.conftest import DAY, make_book

    w = committed_world
    other, accounts, _ = make_book(w.treasurer, w.county_id, "Second")
    there = services.Draft(other.pk, DAY, "x", "x", (services.Line(accounts["1001"].pk, accounts["2001"].pk, 1),))
    here = w.draft("1001", "2001", 1)
    pairs = ([here, there], [there, here])
    done = at_once(8, lambda i: [services.receive(w.treasurer, pairs[i % 2]) for _ in range(10)])
    assert [code_of(d) for d in done] == ["done"] * 8
    assert failing() == {}


def test_bulk_and_single_posting_share_one_series_of_numbers(committed_world: World) -> None:
    w = committed_world

    def work(i: int) -> None:
        for _ in range(5):
            if i % 2:
                w.paid_in(1)
                continue
            with transaction.atomic():
                fill(w, [(f"{no}", 1, "1001", "2001", no) for no in range(1, 11)], receipt=True)
                post(w.treasurer.pk, None)

    assert [code_of(d) for d in at_once(8, work)] == ["done"] * 8
    numbers = Voucher.objects.order_by("number").values_list("number", "receipt_number")
    assert list(numbers) == [(n, n) for n in range(1, 4 * 5 * 11 + 1)]
    assert w.account("1001").balance_fen == 4 * 5 * 56
    assert failing() == {}


_WORKER = """
import os, sys, django
django.setup()
from karez.access.models import User
from karez.ledger import services
from karez.ledger.models import Account
from karez.ledger.services import Draft, Line
from datetime import date
book, cash, members, loans, treasurer, approver = map(int, sys.argv[1:])
by, other, day = User.objects.get(pk=treasurer), User.objects.get(pk=approver), date(2009, 3, 31)
def say(word, number):
    os.write(1, f"{word} {number}\\n".encode())  # one write: a line is told whole or not at all
i = 0
while True:
    i += 1
    for posted in services.receive(by, [Draft(book, day, "in", f"{os.getpid()}", (Line(cash, members, 7), Line(cash, loans, 1)))] * 2):
        say("posted", posted.number)
    set_id = services.prepare(by, [Draft(book, day, "out", f"{os.getpid()}", (Line(loans, cash, 2),)), ] * 3)
    if i % 4:
        for posted in services.approve(other, set_id):
            say("posted", posted.number)
    else:
        services.refuse_set(other, set_id, "no")
"""


@pytest.mark.crash
@pytest.mark.parametrize("round_no", range(ROUNDS))
def test_killed_while_posting_nothing_is_lost_or_doubled(
    committed_world: World, crash_server: Callable[[], None] | None, round_no: int
) -> None:
    """Odd rounds kill the database server under the workers, even ones the workers."""
    w = committed_world
    a = w.accounts
    # Loans outstanding must hold something before repayments come in.
    services.approve(w.approver, services.prepare(w.treasurer, [w.draft("1301", "9999", 10**9)]))
    ids = [w.book.pk, a["1001"].pk, a["2001"].pk, a["1301"].pk, w.treasurer.pk, w.approver.pk]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, *map(str, ids)],
            stdout=subprocess.PIPE,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "karez.settings"},
        )
        for _ in range(3)
    ]
    while Voucher.objects.count() < 30:
        assert all(worker.poll() is None for worker in workers), "a worker ended by itself"
        time.sleep(0.02)
    time.sleep(random.Random(round_no).uniform(0, 0.4))
    told: list[int] = []
    if crash_server and round_no % 2:
        crash_server()
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
        output, _ = worker.communicate()
        told += [int(line.split()[1]) for line in output.decode().splitlines()]
    _wait_for_rollback()
    numbers = list(Voucher.objects.filter(posted_at__isnull=False).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))  # gapless
    assert len(told) == len(set(told))  # no number was told twice
    assert set(told) <= set(numbers)  # nothing told was lost
    # A killed worker may have posted one call it could not tell of (2 receipts, or a set of 3); never half of one.
    assert len(numbers) - 1 - len(told) <= 3 * len(workers)
    assert Transfer.objects.filter(voucher__kind="in").count() == 2 * Voucher.objects.filter(kind="in").count()
    assert Voucher.objects.filter(kind="in").count() % 2 == 0
    for state in ({"posted_at__isnull": False}, {"refused_at__isnull": False}):
        assert Voucher.objects.filter(kind="out", **state).count() % 3 == 0
    assert set(failing()) <= {"ledger_pending"}


def _wait_for_rollback() -> None:
    """Until the killed workers' connections are gone: what they left open is rolled back then."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'karez_app'"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.05)
    raise AssertionError("a killed worker's connection stays")
