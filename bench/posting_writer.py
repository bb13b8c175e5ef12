"""One writer of the posting measurement: a process that gets ready, waits for the word, and posts its share. No
measurement.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

DAY = "2009-03-31"
POST = (
    "SELECT voucher_id FROM ledger_post(1, 2, false, NULL, %s, %s, %s, 'grant', 'Paid to a society', NULL,"
    " %s::bigint[], %s::bigint[], %s::bigint[])"
)
VOUCHER = (
    "INSERT INTO ledger_voucher (book_id, happened_on, booking_date, year, number, kind, narration, "
    "prepared_by_id, approved_by_id,"
    " posted_at) VALUES (%s, %s, %s, 2009, %s, 'grant', 'Paid to a society', 1, 2, now()) RETURNING id"
)
TRANSFERS = (
    "INSERT INTO ledger_transfer (book_id, booking_date, voucher_id, line_no, debit_account_id, credit_account_id, "
    "amount_fen)"
    " VALUES (%s, %s, %s, 1, %s, %s, %s), (%s, %s, %s, 2, %s, %s, %s)"
)
BALANCE = "UPDATE ledger_account SET posted_debit_fen = posted_debit_fen + %s WHERE id = %s"


def connect(conninfo: str, **options: Any) -> Any:
    """A connection that prepares a statement the first time it meets it."""
    import psycopg

    connection = psycopg.connect(conninfo, **options)
    connection.prepare_threshold = 1
    return connection


def karez(job: dict[str, Any]) -> Callable[[int], None]:
    """One statement, which is one transaction."""
    raw = connect(job["app"], autocommit=True)

    def post(i: int) -> None:
        book, first, second, other = job["books"][i % len(job["books"])]
        what = [book, DAY, DAY, [first, first], [second, other], [100, 200]]
        raw.execute(POST, what).fetchone()

    return post


def service(job: dict[str, Any]) -> Callable[[int], None]:
    """Through the service, with its check of permission: money in, by one person."""
    import django

    django.setup()
    from datetime import date

    from karez.access.models import User
    from karez.ledger import services

    actor, day = User.objects.get(username="bench"), date.fromisoformat(DAY)

    def post(i: int) -> None:
        book, first, second, other = job["books"][i % len(job["books"])]
        lines = (services.Line(first, second, 100), services.Line(first, other, 200))
        services.receive(actor, [services.Draft(book, day, "receipt", "Paid in by a member", lines)])

    return post


def bare(job: dict[str, Any]) -> Callable[[int], None]:
    """The same rows into the same tables by plain INSERTs and a COMMIT; with `locked`, a balance UPDATE before them."""
    raw = connect(job["owner"])
    locked, base = job["locked"], job["writer"] * 10**7

    def post(i: int) -> None:
        book, first, second, other = job["books"][i % len(job["books"])]
        if locked:
            raw.execute(BALANCE, [300, first])
        row = raw.execute(VOUCHER, [book, DAY, DAY, base + i]).fetchone()
        raw.execute(TRANSFERS, [book, DAY, row[0], first, second, 100, book, DAY, row[0], first, other, 200])
        raw.commit()

    return post


def hordak(job: dict[str, Any]) -> Callable[[int], None]:
    """The peer's own way: the same two transfers in one transaction, or one alone (`transfers` of the job)."""
    import django

    django.setup()
    from django.db import transaction
    from djmoney.money import Money
    from hordak.models import Account

    accounts = list(Account.objects.order_by("pk"))
    half = len(accounts) // 2

    def post(i: int) -> None:
        with transaction.atomic():
            for n in range(job["transfers"]):
                accounts[i % half].transfer_to(accounts[half + (i + n) % half], Money(1 + n, "CNY"))

    def post_one(i: int) -> None:
        accounts[i % half].transfer_to(accounts[half + i % half], Money(3, "CNY"))

    return post if job["transfers"] > 1 else post_one


def main() -> None:
    """Reads its job as one line, says it is ready, and posts when told to."""
    job = json.loads(sys.stdin.readline())
    post = {"karez": karez, "service": service, "bare": bare, "hordak": hordak}[job["way"]](job)
    start, share = job["writer"] * job["share"], job["share"]
    os.write(1, b"ready\n")
    sys.stdin.readline()
    for i in range(start, start + share):
        post(i)
    os.write(1, b"done\n")
    sys.stdin.readline()


if __name__ == "__main__":
    main()
