"""What may be asked about books, accounts and vouchers. Writes nothing; fetching includes permission.

Balances of a day come from posted transfers by booking date, so late bookings of the day are in them and pending ones
are not. Amounts are whole fen; the balance of an account is on its normal side. Day ranges are half-open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from karez.access.models import User
from karez.kernel.inbox import told
from karez.kernel.messages import Message, read_in, say
from karez.kernel.refusal import Refusal
from karez.ledger.models import Account, Book, CashCount, PendingLine, Transfer, Voucher, VoucherSet
from karez.places.queries import require, visible_area_ids_sql

PAGE = 50


@dataclass(frozen=True)
class VoucherPage:
    """A voucher with all it says. Lines are transfers where it is posted, prepared lines where it is not."""

    voucher: Voucher
    lines: Sequence[Transfer | PendingLine]
    reversal: Voucher | None
    people: dict[int, str]  # user id -> name, of who prepared and approved

    @property
    def total_fen(self) -> int:
        """The sum of its lines."""
        return sum(line.amount_fen for line in self.lines)


@dataclass(frozen=True)
class CashBookRow:
    """One transfer as an account sees it, with the balance after it."""

    transfer_id: int
    booking_date: date
    voucher_id: int
    number: int
    receipt_number: int | None
    narration: str
    kind: str
    other_code: str
    other_name: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


@dataclass(frozen=True)
class CashBook:
    """An account between two days."""

    account: Account
    starts_on: date
    ends_before: date
    opening_fen: int
    rows: list[CashBookRow]
    next_after: int | None  # transfer id to go on from; None at the end

    @property
    def closing_fen(self) -> int:
        """The balance after the last row shown."""
        return self.rows[-1].balance_fen if self.rows else self.opening_fen


@dataclass(frozen=True)
class TrialRow:
    """One account of a trial balance: all that was ever debited and credited up to the day."""

    account_id: int
    code: str
    name: str
    normal_side: str
    debit_fen: int
    credit_fen: int

    @property
    def balance_fen(self) -> int:
        """On the account's normal side."""
        debit = self.debit_fen - self.credit_fen
        return debit if self.normal_side == "debit" else -debit


@dataclass(frozen=True)
class TrialBalance:
    """A book's accounts on a day. Debits and credits are equal, or the book is broken."""

    book: Book
    day: date
    rows: list[TrialRow]

    @property
    def debit_fen(self) -> int:
        """Sum of the debit balances."""
        return sum(max(row.debit_fen - row.credit_fen, 0) for row in self.rows)

    @property
    def credit_fen(self) -> int:
        """Sum of the credit balances."""
        return sum(max(row.credit_fen - row.debit_fen, 0) for row in self.rows)


def books(
    actor: User,
    *,
    kind: str | None = None,
    after: int = 0,
    limit: int = PAGE,
    permission: str = "ledger.view",
) -> list[Book]:
    """Books of the areas the actor may see, by id; `after` is the last id of the page before."""
    found = (
        Book.objects.select_related("area__tree")
        .filter(area_id__in=_areas(actor, permission), pk__gt=after)
        .order_by("pk")
    )
    return list((found.filter(kind=kind) if kind else found)[:limit])


def book(actor: User, book_id: int, *, permission: str = "ledger.view") -> Book:
    """One book, if the actor may see its area."""
    found = Book.objects.filter(pk=book_id).first()
    if found is None:
        raise _unknown(say("book"), book_id)
    require(actor, permission, found.area_id)
    return found


def account(actor: User, account_id: int, *, permission: str = "ledger.view") -> Account:
    """One account with its book and its totals as of now."""
    found = Account.objects.select_related("book").filter(pk=account_id).first()
    if found is None:
        raise _unknown(say("account"), account_id)
    require(actor, permission, found.book.area_id)
    return found


def accounts(actor: User, book_id: int, *, permission: str = "ledger.view") -> QuerySet[Account]:
    """The accounts of a book, by code, with their totals as of now."""
    return Account.objects.filter(book=book(actor, book_id, permission=permission)).order_by("code")


def voucher(actor: User, voucher_id: int, *, permission: str = "ledger.view") -> VoucherPage:
    """A voucher with its lines, its reversal and the names of its people."""
    found = Voucher.objects.select_related("book", "reverses", "set").filter(pk=voucher_id).first()
    if found is None:
        raise _unknown(say("voucher"), voucher_id)
    require(actor, permission, found.book.area_id)
    rows: QuerySet[Any] = found.transfers.all() if found.posted_at else found.pending_lines.all()
    lines = list(rows.select_related("debit_account", "credit_account").order_by("line_no"))
    reversal = Voucher.objects.filter(reverses=found, refused_at=None).first()
    ids = (found.prepared_by_id, found.approved_by_id, found.set.refused_by_id if found.set else None)
    people = dict(User.objects.filter(pk__in=[i for i in ids if i is not None]).values_list("pk", "full_name"))
    return VoucherPage(found, lines, reversal, people)


def voucher_of_transfer(actor: User, transfer_id: int, *, permission: str = "ledger.view") -> VoucherPage:
    """The voucher a transfer belongs to, as traces ask for it."""
    found = Transfer.objects.filter(pk=transfer_id).values_list("voucher_id", flat=True).first()
    if found is None:
        raise _unknown(say("transfer"), transfer_id)
    return voucher(actor, found, permission=permission)


def transfers(actor: User, transfer_ids: Iterable[int], *, permission: str = "ledger.view") -> list[Transfer]:
    """Those of the transfers the actor may see, with voucher, book and accounts, by id. Others are left out silently."""
    found = Transfer.objects.filter(pk__in=list(transfer_ids), book__area_id__in=_areas(actor, permission))
    return list(found.select_related("voucher", "book", "debit_account", "credit_account").order_by("pk"))


def vouchers(
    actor: User,
    book_id: int,
    *,
    after: tuple[date, int] | None = None,
    limit: int = PAGE,
    kind: str | None = None,
    permission: str = "ledger.view",
) -> list[Voucher]:
    """A page of a book's vouchers, newest booking date first; `after` is (booking_date, id) of the last one seen."""
    found = Voucher.objects.filter(book=book(actor, book_id, permission=permission))
    if kind is not None:
        found = found.filter(kind=kind)
    if after is not None:
        found = found.extra(where=["(ledger_voucher.booking_date, ledger_voucher.id) < (%s, %s)"], params=list(after))
    return list(found.order_by("-booking_date", "-pk")[:limit])


def waiting_sets(
    actor: User, *, after: int = 0, limit: int = PAGE, permission: str = "ledger.approve"
) -> list[VoucherSet]:
    """Sets that wait for a second person, oldest first, that this actor may decide: all their books lie in their areas."""
    of_set = Voucher.objects.filter(set=OuterRef("pk"))
    elsewhere = of_set.exclude(book__area_id__in=_areas(actor, permission))
    found = VoucherSet.objects.filter(approved_at=None, refused_at=None, pk__gt=after).exclude(prepared_by_id=actor.pk)
    return list(found.filter(Exists(of_set), ~Exists(elsewhere)).order_by("pk")[:limit])


def decided_elsewhere(set_ids: Sequence[int]) -> dict[int, str]:
    """Of these sets, those on which a record of a higher room hangs, with the address where that room decides them."""
    return {key: address for tell in told("decides_sets") for key, address in tell(set_ids).items()}


def waiting_here(actor: User, *, after: int = 0, limit: int = PAGE) -> list[VoucherSet]:
    """Of the sets that wait for this actor, oldest first, those which the ledger itself decides."""
    found: list[VoucherSet] = []
    while len(found) < limit:
        sets = waiting_sets(actor, after=after, limit=limit)
        elsewhere = decided_elsewhere([one.pk for one in sets])
        found += [one for one in sets if one.pk not in elsewhere]
        if len(sets) < limit:
            break
        after = sets[-1].pk
    return found[:limit]


def voucher_set(
    actor: User, set_id: int, *, permission: str = "ledger.view", whole: bool = True
) -> tuple[VoucherSet, list[VoucherPage]]:
    """A set with the vouchers in it; refuses where one of its books is out of the actor's areas.

    Where not `whole`, vouchers in other books are left out, and only a set without any other is refused.
    """
    found = VoucherSet.objects.filter(pk=set_id).first()
    if found is None:
        raise _unknown(say("set"), set_id)
    vouchers = found.vouchers.all() if whole else found.vouchers.filter(book__area_id__in=_areas(actor, permission))
    ids = vouchers.order_by("pk").values_list("pk", flat=True)
    if not ids:
        raise _unknown(say("set"), set_id)
    return found, [voucher(actor, pk, permission=permission) for pk in ids]


_CASH_BOOK = """
SELECT t.id, t.booking_date, t.voucher_id, v.number, v.receipt_number, v.narration, v.kind, o.code, o.name,
       CASE WHEN t.debit_account_id = %(account)s THEN t.amount_fen ELSE 0 END AS debit,
       CASE WHEN t.credit_account_id = %(account)s THEN t.amount_fen ELSE 0 END AS credit
  FROM (SELECT * FROM ledger_transfer WHERE debit_account_id = %(account)s AND booking_date >= %(start)s
      AND booking_date < %(end)s
        UNION ALL
        SELECT * FROM ledger_transfer WHERE credit_account_id = %(account)s AND booking_date >= %(start)s
            AND booking_date < %(end)s) t
  JOIN ledger_voucher v ON v.id = t.voucher_id
  JOIN ledger_account o ON o.id = CASE WHEN t.debit_account_id = %(account)s THEN t.credit_account_id
      ELSE t.debit_account_id END
"""
_CASH_BOOK_PAGE = f"""
WITH rows AS ({_CASH_BOOK}), running AS (
    SELECT rows.*, %(opening)s + sum(%(sign)s * (debit - credit)) OVER (ORDER BY booking_date, id) AS balance FROM rows)
SELECT * FROM running
 WHERE %(after)s::bigint IS NULL
    OR (booking_date, id) > (SELECT booking_date, id FROM ledger_transfer WHERE id = %(after)s)
 ORDER BY booking_date, id LIMIT %(limit)s
"""


def cash_book(
    actor: User,
    account_id: int,
    starts_on: date,
    ends_before: date,
    *,
    after: int | None = None,
    limit: int = 500,
    permission: str = "ledger.view",
) -> CashBook:
    """An account between two days, each transfer with the balance after it; `after` is the last transfer id of the page
    before.
    """
    found = account(actor, account_id, permission=permission)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_balance_fen(%s, %s::date - 1)", [account_id, starts_on])
        opening = int(cursor.fetchone()[0])
        cursor.execute(
            _CASH_BOOK_PAGE,
            {
                "account": account_id,
                "start": starts_on,
                "end": ends_before,
                "opening": opening,
                "after": after,
                "limit": limit + 1,
                "sign": 1 if found.normal_side == "debit" else -1,
            },
        )
        rows = [CashBookRow(*[*read_in(row[:11]), int(row[11])]) for row in cursor.fetchall()]
    more = len(rows) > limit
    return CashBook(found, starts_on, ends_before, opening, rows[:limit], rows[limit - 1].transfer_id if more else None)


def balance_fen(actor: User, account_id: int, day: date, *, permission: str = "ledger.view") -> int:
    """What an account held at the end of a day, on its normal side."""
    account(actor, account_id, permission=permission)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_balance_fen(%s, %s)", [account_id, day])
        return int(cursor.fetchone()[0])


def capital_fen(actor: User, book_id: int, day: date, codes: Iterable[str], *, permission: str = "ledger.view") -> int:
    """What was paid in, net of refunds, up to the end of a day: the sum of the balances of the accounts named by code."""
    wanted = set(codes)
    return sum(
        row.balance_fen for row in trial_balance(actor, book_id, day, permission=permission).rows if row.code in wanted
    )


# One row for each account of {books} (SQL of one column of book ids), with all debits and credits up to %(day)s.
TRIAL_SQL = """
SELECT a.book_id, a.id AS account_id, a.code, a.name, a.normal_side,
       coalesce(sum(m.debit), 0)::bigint AS debit_fen, coalesce(sum(m.credit), 0)::bigint AS credit_fen
  FROM ledger_account a LEFT JOIN (
    SELECT debit_account_id AS account_id, sum(amount_fen) AS debit, 0 AS credit FROM ledger_transfer
     WHERE booking_date <= %(day)s AND book_id IN ({books}) GROUP BY 1
    UNION ALL
    SELECT credit_account_id, 0, sum(amount_fen) FROM ledger_transfer
     WHERE booking_date <= %(day)s AND book_id IN ({books}) GROUP BY 1) m ON m.account_id = a.id
 WHERE a.book_id IN ({books})
 GROUP BY a.id ORDER BY a.book_id, a.code
"""


def trial_balance(actor: User, book_id: int, day: date, *, permission: str = "ledger.view") -> TrialBalance:
    """Every account of a book at the end of a day."""
    found = book(actor, book_id, permission=permission)
    with connection.cursor() as cursor:
        cursor.execute(TRIAL_SQL.format(books="%(book)s"), {"day": day, "book": book_id})
        return TrialBalance(found, day, [TrialRow(*read_in(row[1:])) for row in cursor.fetchall()])


def trial_balances(actor: User, kind: str, day: date, *, permission: str = "ledger.view") -> dict[int, list[TrialRow]]:
    """Book id -> its accounts at the end of a day, of all books of a kind in the actor's areas; one pass over the
    transfers.
    """
    sql, params = visible_area_ids_sql(actor, permission)
    ours = "SELECT id FROM ledger_book WHERE kind = %(kind)s AND area_id IN (" + sql.replace("%s", "%(areas)s") + ")"
    with connection.cursor() as cursor:
        cursor.execute(TRIAL_SQL.format(books=ours), {"day": day, "kind": kind, "areas": params[0]})
        found: dict[int, list[TrialRow]] = {}
        for row in cursor.fetchall():
            found.setdefault(row[0], []).append(TrialRow(*read_in(row[1:])))
    return found


def cash_counts(actor: User, book_id: int, *, limit: int = PAGE, permission: str = "ledger.view") -> list[CashCount]:
    """The last cash counts of a book, newest first."""
    found = CashCount.objects.filter(account__book=book(actor, book_id, permission=permission))
    return list(found.select_related("account").order_by("-counted_on", "-pk")[:limit])


def counts_of_account(
    actor: User, account_id: int, *, after: int | None = None, limit: int = PAGE, permission: str = "ledger.view"
) -> list[CashCount]:
    """A page of an account's cash counts, the last recorded first; `after` is the last id of the page before."""
    found = CashCount.objects.filter(account=account(actor, account_id, permission=permission))
    return list((found.filter(pk__lt=after) if after else found).order_by("-pk")[:limit])


def counts_to_countersign(
    actor: User, *, after: int = 0, limit: int = PAGE, permission: str = "ledger.countersign"
) -> list[CashCount]:
    """Cash counts of others that this actor may countersign, oldest first."""
    found = CashCount.objects.filter(
        account__book__area_id__in=_areas(actor, permission), countersigned_at=None, pk__gt=after
    )
    return list(found.exclude(counted_by_id=actor.pk).select_related("account__book").order_by("pk")[:limit])


def cash_count(actor: User, count_id: int, *, permission: str = "ledger.view") -> CashCount:
    """One cash count of a book the actor may see."""
    found = CashCount.objects.select_related("account__book").filter(pk=count_id).first()
    if found is None:
        raise _unknown(say("cash count"), count_id)
    account(actor, found.account_id, permission=permission)
    return found


def _areas(actor: User, permission: str) -> RawSQL:
    sql, params = visible_area_ids_sql(actor, permission)
    return RawSQL(sql, params)


def _unknown(what: Message, key: int) -> Refusal:
    return Refusal(
        f"not_found.ledger_{what.pattern.replace(' ', '_')}",
        record=say("{what} {number}", what=what, number=key),
        found=say("nothing of this number"),
        expected=say("a {what} of a book", what=what),
        rule=say("only what was recorded can be opened"),
        todo=say("choose from the list"),
    )


def books_of_area(actor: User, area_id: int, *, permission: str = "ledger.view") -> list[Book]:
    """The books kept for one area, by id."""
    require(actor, permission, area_id)
    return list(Book.objects.filter(area_id=area_id).order_by("pk"))
