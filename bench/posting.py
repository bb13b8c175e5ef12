"""Posting vouchers of two transfers by eight writers, against bare inserts, a bare locked balance, and django-hordak.

Every way writes the same number of vouchers from the same number of processes to the same durable server. `bare` writes
the same rows into the same constrained tables by INSERT, INSERT, COMMIT. hordak writes a voucher's two transfers by two
`transfer_to` in one transaction; beside it stands one `transfer_to` alone, which is half of a voucher. Ways are run in
turn, and ratios are taken pair by pair.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from datetime import date
from typing import Any

import psycopg

VOUCHERS = 20_000
WRITERS = 8
BOOKS = 400
CHART = [
    {"code": "1002", "name": "Bank", "normal_side": "debit", "may_overdraw": False},
    {"code": "2001", "name": "Contributions", "normal_side": "credit", "may_overdraw": False},
    {"code": "4003", "name": "Surplus", "normal_side": "credit", "may_overdraw": False},
    {"code": "9999", "name": "Outside", "normal_side": "credit", "may_overdraw": True},
]


def run(vouchers: int = VOUCHERS, rounds: int = 3) -> list[dict[str, object]]:
    """One line for each target: vouchers a second of both sides, the ratio, and whether it is met."""
    from bench.installed import set_up

    set_up()
    spread = _open_books(BOOKS)
    hot = _open_books(1)
    _open_hordak()
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, job in {
            "spread": {"way": "karez", "books": spread},
            "bare": {"way": "bare", "books": spread, "locked": False},
            "service": {"way": "service", "books": spread},
            "hordak": {"way": "hordak", "transfers": 2},
            "hordak_one": {"way": "hordak", "transfers": 1},
            # On the hot earmark money goes out: the line is debited, the bank and a payable are credited.
            "hot": {"way": "karez", "books": [_drawing(b) for b in hot]},
            "bare_hot": {"way": "bare", "books": [_drawing(b) for b in hot], "locked": True},
        }.items():
            _clear(vouchers)
            rates.setdefault(name, []).append(
                _rate(job, max(vouchers // 5, WRITERS) if name in ("hordak", "hordak_one", "service") else vouchers)
            )
    return [
        _line(rates, vouchers, "post, spread over 400 books", "spread", "bare", 0.75),
        _line(rates, vouchers, "post, spread over 400 books", "spread", "hordak", 3),
        _line(
            rates,
            vouchers,
            "the same, against one transfer_to, half of what a voucher moves",
            "spread",
            "hordak_one",
            3,
        ),
        _line(rates, vouchers, "post, all drawing on one earmark", "hot", "bare_hot", 1.0),
        # For information: with the check of permission over the tree of places, which the peer does not make.
        {
            "what": "receive through the service, permission checked",
            "size": f"{vouchers:,} vouchers, {WRITERS} writers",
            "karez": f"{statistics.median(rates['service']):,.0f}/s",
        },
    ]


def _line(
    rates: dict[str, list[float]], vouchers: int, what: str, ours: str, theirs: str, asked: float | None
) -> dict[str, object]:
    ratio = statistics.median(a / b for a, b in zip(rates[ours], rates[theirs], strict=True))
    compared = {
        "bare": "bare inserts",
        "hordak": "django-hordak",
        "hordak_one": "django-hordak",
        "bare_hot": "bare locked balance",
    }[theirs]
    judged = {} if asked is None else {"asked": f"at least {asked}", "met": ratio >= asked}
    return {
        "what": what,
        "size": f"{vouchers:,} vouchers, {WRITERS} writers",
        "karez": f"{statistics.median(rates[ours]):,.0f}/s",
        compared: f"{statistics.median(rates[theirs]):,.0f}/s",
        "ratio": f"{ratio:.2f}",
    } | judged


def _rate(job: dict[str, Any], vouchers: int) -> float:
    """Vouchers a second from the word to the last writer's answer; starting up is not counted."""
    from karez.system import database

    env = os.environ | {"HORDAK_HOST": str(database.settings(database.APP)["HOST"])}
    env["DJANGO_SETTINGS_MODULE"] = "bench.hordak_settings" if job["way"] == "hordak" else "karez.settings"
    share = vouchers // WRITERS
    words = {
        "app": database.conninfo(database.APP),
        "owner": database.conninfo(database.OWNER),
        "share": share,
    }
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.posting_writer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )
        for _ in range(WRITERS)
    ]
    for i, writer in enumerate(writers):
        _say(writer, json.dumps(job | words | {"writer": i}))
    for writer in writers:
        _hear(writer, "ready")
    began = time.perf_counter()
    for writer in writers:
        _say(writer, "go")
    for writer in writers:
        _hear(writer, "done")
    seconds = time.perf_counter() - began
    for writer in writers:
        writer.communicate("bye\n")
    return share * WRITERS / seconds


def _say(writer: "subprocess.Popen[str]", word: str) -> None:
    assert writer.stdin
    writer.stdin.write(word + "\n")
    writer.stdin.flush()


def _hear(writer: "subprocess.Popen[str]", word: str) -> None:
    assert writer.stdout
    heard = writer.stdout.readline().strip()
    if heard != word:
        raise RuntimeError(f"a writer said {heard!r} in place of {word!r}")


def _owner() -> "psycopg.Connection[Any]":
    from karez.system import database

    return psycopg.connect(database.conninfo(database.OWNER), autocommit=True)


def _open_books(count: int) -> list[list[int]]:
    """[book, 1002, 2001, 4003] of each new book; the bench's user may take money in there."""
    from karez.access.models import User
    from karez.access.roles import Role
    from karez.access.services import add_user, grant_role
    from karez.periods.services import region

    area = region().area_id
    if not User.objects.filter(username="bench").exists():
        user = add_user(username="bench", full_name="Bench", password=None)
        grant_role(None, user=user, role=Role.FINANCE_OFFICER, area_id=area, starts_on=date(2009, 1, 1))
    with _owner() as raw:
        books = raw.execute(
            "SELECT book_id FROM ledger_open_books(1, NULL, 'bench', %s, %s::bigint[], %s::date[], %s::jsonb)",
            [["Book"] * count, [area] * count, [date(2009, 1, 1)] * count, json.dumps(CHART)],
        ).fetchall()
        accounts = "SELECT id FROM ledger_account WHERE book_id = %s AND code <> '9999' ORDER BY code"
        return [[book, *(row[0] for row in raw.execute(accounts, [book]).fetchall())] for (book,) in books]


def _drawing(book: list[int]) -> list[int]:
    """The same book with the earmark (2001) debited, the bank and an account that may be overdrawn credited."""
    the_book, bank, line, other = book
    return [the_book, line, bank, other]


def _clear(vouchers: int) -> None:
    """Empties the ledger and puts enough on every earmark and bank for one run."""
    enough = vouchers * 300 + 1
    with _owner() as raw:
        raw.execute(
            "TRUNCATE ledger_transfer, ledger_pending_line, ledger_voucher, ledger_set, ledger_counter, "
            "ledger_cash_count CASCADE"
        )
        raw.execute(
            "UPDATE ledger_account SET posted_debit_fen = CASE normal_side WHEN 'debit' THEN %s::bigint ELSE 0 END,"
            " posted_credit_fen = CASE normal_side WHEN 'debit' THEN 0 ELSE %s::bigint END",
            [enough, enough],
        )
        raw.execute("VACUUM ANALYZE ledger_account")


def _open_hordak() -> None:
    """A database of the peer's own with 800 accounts."""
    from karez.system import database

    with database.administrator() as admin:
        admin.execute("CREATE DATABASE hordak")
    host = str(database.settings(database.APP)["HOST"])
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "bench.hordak_settings", "HORDAK_HOST": host}
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v", "0"], env=env, check=True)
    make = (
        "import django; django.setup(); from hordak.models import Account;"
        f"[Account.objects.create(name=str(i), code=str(i), type='AS', currencies=['CNY']) for i in range({2 * BOOKS})]"
    )
    subprocess.run([sys.executable, "-c", make], env=env, check=True)
