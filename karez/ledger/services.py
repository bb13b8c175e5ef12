"""The only way to open books and to post, prepare, approve, refuse and reverse vouchers. Holds no pages and reads no
lists.

Each verb is one call of one function in `sql/`, which is one transaction where the caller opened none. Higher rooms
name their own permission where their people need no general right over the ledger. Amounts are whole fen.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction

from karez.access.models import User
from karez.kernel.inbox import told
from karez.kernel.messages import Message, say
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.ledger.models import Account, Book, CashCount, Voucher, VoucherSet
from karez.ledger.refusals import database_refusals
from karez.ledger.rules import Draft, Line, Posted, check_drafts
from karez.places.queries import require

__all__ = [
    "Draft", "Line", "Posted", "approve", "count_cash", "countersign_cash", "open_account", "open_book", "prepare",
    "prepare_reversal", "receive", "refuse_set", "taken_back_at",
]  # fmt: skip


def open_book(
    actor: User, *, kind: str, name: str, area_id: int, opened_on: date, permission: str = "ledger.prepare"
) -> Book:
    """Opens a book for an area; its accounts are opened apart."""
    require(actor, permission, area_id)
    row = _call(
        "SELECT book_id FROM ledger_open_books(%s, NULL, %s, %s, %s::bigint[], %s::date[], '[]')",
        [actor.pk, kind, [name], [area_id], [opened_on]],
    )
    return Book.objects.get(pk=row[0][0])


def open_account(
    actor: User,
    *,
    book: Book,
    code: str,
    name: str,
    normal_side: str,
    may_overdraw: bool = False,
    holds_money: bool | None = None,
    permission: str = "ledger.prepare",
) -> Account:
    """Opens an account, or returns the one that already has the code; refuses where that one differs in side or limit.

    `holds_money` marks cash and bank (what a receipt may debit); None means: by the usual codes 1001 and 1002.
    """
    require(actor, permission, book.area_id)
    row = _call(
        "SELECT account_id FROM ledger_open_accounts(%s, NULL, %s::bigint[], %s, %s, %s, %s::boolean[], %s::boolean[])",
        [actor.pk, [book.pk], [code], [name], [normal_side], [may_overdraw], [holds_money]],
    )
    return Account.objects.get(pk=row[0][0])


def receive(
    actor: User, drafts: Iterable[Draft], *, permission: str = "ledger.receive", batch_id: int | None = None
) -> list[Posted]:
    """Posts money taken in, by one person, each voucher with a receipt number at once; all or none.

    Every line debits cash or bank and credits another kind of account; anything else is refused.
    """
    listed = _checked(actor, drafts, permission)
    if len(listed) == 1:  # one statement, which is one transaction where the caller opened none
        return [_receive(actor, listed[0], batch_id)]
    posted: dict[int, Posted] = {}
    with transaction.atomic():
        for i in sorted(range(len(listed)), key=lambda i: (listed[i].book_id, listed[i].booking_date.year)):
            posted[i] = _receive(actor, listed[i], batch_id)
    return [posted[i] for i in range(len(listed))]


def _receive(actor: User, draft: Draft, batch_id: int | None) -> Posted:
    return _posted(
        _call(
            (
                "SELECT * FROM ledger_post(%s, NULL, true, %s, %s, %s, %s, %s, %s, %s, %s::bigint[], %s::bigint[], "
                "%s::bigint[])"
            ),
            [
                actor.pk,
                batch_id,
                draft.book_id,
                draft.happened_on or draft.booking_date,
                draft.booking_date,
                draft.kind,
                draft.narration,
                draft.document_id,
                *map(list, zip(*draft.lines, strict=True)),
            ],
        )[0]
    )


def prepare(actor: User, drafts: Iterable[Draft], *, permission: str = "ledger.prepare") -> int:
    """Prepares a set for a second person and reserves what it will draw; returns the set's id."""
    listed = _checked(actor, drafts, permission)
    rows = _call(
        "SELECT ledger_prepare(%s, %s::bigint[], %s::date[], %s::date[], %s, %s, %s::bigint[],"
        " %s::int[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[])",
        [actor.pk, *_arrays(listed)],
    )
    return int(rows[0][0])


def approve(actor: User, set_id: int, *, permission: str = "ledger.approve") -> list[Posted]:
    """Posts a prepared set whole, in the order it was prepared; refuses the person who prepared it."""
    _require_set(actor, set_id, permission)
    return [_posted(row) for row in _call("SELECT * FROM ledger_approve(%s, %s)", [set_id, actor.pk])]


def refuse_set(actor: User, set_id: int, reason: str, *, permission: str = "ledger.approve") -> None:
    """Refuses a prepared set whole, or withdraws one's own, and gives back what it reserved."""
    if VoucherSet.objects.filter(pk=set_id, prepared_by_id=actor.pk).exists():
        permission = "ledger.view" if permission.startswith("ledger.") else permission.rsplit(".", 1)[0] + ".view"
    _require_set(actor, set_id, permission)
    _require_reason(reason, say("set {set_id}", set_id=set_id))
    _call("SELECT ledger_refuse_set(%s, %s, %s)", [set_id, actor.pk, reason])


def prepare_reversal(
    actor: User,
    voucher_id: int,
    reason: str,
    *,
    booking_date: date | None = None,
    permission: str = "ledger.prepare",
) -> int:
    """Prepares the reversal of a posted voucher, linked to it; returns the set's id.

    It counts from `booking_date`; None means the day the voucher counts from, or the first open day if that is later.
    A voucher on whose money a record of another room stands is taken back by that room, which names its own permission;
    under the ledger's own it is refused (ledger.claimed), with where to do it.
    """
    voucher = Voucher.objects.select_related("book").filter(pk=voucher_id).first()
    if voucher is None:
        raise _unknown(say("voucher"), voucher_id)
    require(actor, permission, voucher.book.area_id)
    _require_reason(reason, say("voucher {voucher}", voucher=voucher))
    if permission.startswith("ledger."):
        _require_unclaimed(voucher)
    rows = _call("SELECT ledger_prepare_reversal(%s, %s, %s, %s)", [voucher_id, actor.pk, booking_date, reason])
    return int(rows[0][0])


def count_cash(
    actor: User,
    *,
    account: Account,
    counted_on: date,
    counted_fen: int,
    note: str = "",
    permission: str = "ledger.receive",
) -> CashCount:
    """Records the money found in the box at the end of a day, beside what the book says; a colleague countersigns.

    A count that differs from the book is recorded only with a note on what the difference may come from.
    """
    require(actor, permission, account.book.area_id)
    if not note.strip():
        booked_fen = int(_call("SELECT ledger_balance_fen(%s, %s)", [account.pk, counted_on])[0][0])
        if booked_fen != counted_fen:
            raise Refusal(
                "ledger.difference_unexplained",
                record=say("{account}, {day}", account=account, day=counted_on),
                found=say(
                    "{counted} yuan counted, {booked} in the book, and no note",
                    counted=format_fen(counted_fen),
                    booked=format_fen(booked_fen),
                ),
                expected=say("the same, or a note on what the difference may come from"),
                rule=say("a difference is recorded and explained, never booked away"),
                todo=say("count again, see whether a voucher is missing, or write the note"),
            )
    rows = _call(
        "SELECT ledger_count_cash(%s, %s, %s, %s, %s)", [account.pk, counted_on, counted_fen, note.strip(), actor.pk]
    )
    return CashCount.objects.get(pk=rows[0][0])


def countersign_cash(actor: User, count_id: int, *, permission: str = "ledger.countersign") -> CashCount:
    """Countersigns a cash count; refuses the person who counted, and a second signature."""
    count = CashCount.objects.select_related("account__book").filter(pk=count_id).first()
    if count is None:
        raise _unknown(say("cash count"), count_id)
    require(actor, permission, count.account.book.area_id)
    _call("SELECT ledger_countersign_cash(%s, %s)", [count_id, actor.pk])
    count.refresh_from_db()
    return count


def _checked(actor: User, drafts: Iterable[Draft], permission: str) -> list[Draft]:
    listed = list(drafts)
    check_drafts(listed)
    _require_books(actor, {draft.book_id for draft in listed}, permission)
    return listed


def _require_books(actor: User, book_ids: set[int], permission: str) -> None:
    areas = dict(Book.objects.filter(pk__in=book_ids).values_list("pk", "area_id"))
    for missing in sorted(book_ids - areas.keys()):
        raise _unknown(say("book"), missing)
    for area_id in sorted(set(areas.values())):
        require(actor, permission, area_id)


def _require_set(actor: User, set_id: int, permission: str) -> None:
    book_ids = set(Voucher.objects.filter(set_id=set_id).values_list("book_id", flat=True))
    if not book_ids:
        raise _unknown(say("set"), set_id)
    _require_books(actor, book_ids, permission)


def _require_reason(reason: str, record: str) -> None:
    if not reason.strip():
        raise Refusal(
            "ledger.reason_missing",
            record=record,
            found=say("no reason"),
            expected=say("why, in a few words"),
            rule=say("refusals and reversals say why"),
            todo=say("write the reason"),
        )


def taken_back_at(voucher_id: int) -> str | None:
    """Where a voucher is taken back together with the record that stands on its money; None where no room claims it."""
    return next((address for tell in told("takes_back") if (address := tell(voucher_id))), None)


def _require_unclaimed(voucher: Voucher) -> None:
    address = taken_back_at(voucher.pk)
    if address is not None:
        raise Refusal(
            "ledger.claimed",
            record=say("voucher {voucher} of {book}", voucher=voucher, book=voucher.book),
            found=say("a record of another room stands on its money"),
            expected=say("a voucher no record stands on"),
            rule=say("money and its record are taken back together"),
            todo=say(
                "take the record back on its own page, {address}; the voucher is reversed with it", address=address
            ),
            more={"address": address},
        )


def _unknown(what: Message, key: int) -> Refusal:
    return Refusal(
        f"not_found.ledger_{what.pattern.replace(' ', '_')}",
        record=say("{what} {number}", what=what, number=key),
        found=say("nothing of this number"),
        expected=say("a {what} of a book", what=what),
        rule=say("only what was recorded can be worked with"),
        todo=say("choose from the list"),
    )


def _arrays(drafts: Sequence[Draft]) -> list[list[Any]]:
    lines = [(i, no, line) for i, draft in enumerate(drafts, 1) for no, line in enumerate(draft.lines, 1)]
    return [
        [d.book_id for d in drafts],
        [d.happened_on or d.booking_date for d in drafts],
        [d.booking_date for d in drafts],
        [d.kind for d in drafts],
        [d.narration for d in drafts],
        [d.document_id for d in drafts],
        [i for i, _no, _line in lines],
        [no for _i, no, _line in lines],
        [line.debit_account_id for _i, _no, line in lines],
        [line.credit_account_id for _i, _no, line in lines],
        [line.amount_fen for _i, _no, line in lines],
    ]


def _posted(row: tuple[Any, ...]) -> Posted:
    voucher_id, number, receipt_number, transfer_ids = row
    return Posted(voucher_id, number, tuple(transfer_ids), receipt_number)


def _call(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with database_refusals(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
