"""What may be asked about public money: where each line's money lies, its way down to the vouchers, money lying idle.

A person sees the books of the areas granted to them. Writes nothing. Amounts are whole fen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from karez.access.models import User
from karez.funds.models import Allocation, Appropriation, GrantStandard, PlanTarget, Proposal, SourceLine
from karez.kernel.messages import read_in, say
from karez.kernel.refusal import Refusal
from karez.ledger.models import Transfer, VoucherSet
from karez.places.queries import visible_area_ids_sql, visible_areas

VIEW = "funds.view"


@dataclass(frozen=True)
class LineBalance:
    """What one line holds in one book now: what came in, what went on, what is left, what of it is reserved."""

    line_id: int
    line_code: str
    funder: str
    programme: str
    year: int
    area_id: int
    area_name: str
    book_id: int
    book_kind: str
    in_fen: int
    out_fen: int
    balance_fen: int
    available_fen: int


@dataclass(frozen=True)
class Step:
    """One movement of a line's money with its voucher: in (True) or out of the line's account in a book."""

    booking_date: date
    book_id: int
    book_kind: str
    area_id: int
    voucher_id: int
    voucher_number: int
    kind: str
    narration: str
    document_id: int | None
    transfer_id: int
    comes_in: bool
    amount_fen: int


@dataclass(frozen=True)
class IdleMoney:
    """Money of a line that has lain in a book since a day, first in first out."""

    line_id: int
    line_code: str
    area_id: int
    area_name: str
    book_id: int
    since: date
    days: int
    amount_fen: int


_BALANCES = """
SELECT l.id, l.code, f.name_en, l.programme, l.year, a.area_id, t.name_en, a.book_id, a.book_kind,
       c.posted_credit_fen, c.posted_debit_fen, a.balance_fen, a.available_fen
  FROM funds_line_account a JOIN funds_sourceline l ON l.id = a.line_id JOIN funds_funder f ON f.id = l.funder_id
  JOIN ledger_account c ON c.id = a.account_id LEFT JOIN places_tree t ON t.area_id = a.area_id
 WHERE a.area_id IN ({areas}) AND (%s::bigint IS NULL OR l.id = %s) AND (%s::int IS NULL OR l.year = %s)
 ORDER BY l.year DESC, l.code, a.book_kind DESC, t.code
"""
_STEPS = """
SELECT t.booking_date, a.book_id, a.book_kind, a.area_id, v.id, v.number, v.kind, v.narration, v.document_id, t.id,
       t.credit_account_id = a.account_id, t.amount_fen
  FROM funds_line_account a
  JOIN ledger_transfer t ON t.credit_account_id = a.account_id OR t.debit_account_id = a.account_id
  JOIN ledger_voucher v ON v.id = t.voucher_id
 WHERE a.line_id = %s AND a.area_id IN ({areas}) AND (t.booking_date, t.id) > (%s, %s)
 ORDER BY t.booking_date, t.id LIMIT %s
"""
# First in, first out: what came in beyond all that went out is still there, the newest last.
_IDLE = """
WITH came AS (
    SELECT a.*, t.booking_date, t.amount_fen,
           sum(t.amount_fen) OVER (PARTITION BY a.account_id ORDER BY t.booking_date, t.id) AS running
      FROM funds_line_account a JOIN ledger_transfer t ON t.credit_account_id = a.account_id AND t.booking_date <= %s
     WHERE a.area_id IN ({areas})
), went AS (
    SELECT t.debit_account_id AS account_id, sum(t.amount_fen) AS gone FROM ledger_transfer t
     WHERE t.booking_date <= %s AND t.debit_account_id IN (SELECT account_id FROM came) GROUP BY 1
)
SELECT c.line_id, l.code, c.area_id, p.name_en, c.book_id, c.booking_date, %s - c.booking_date,
       sum(LEAST(c.amount_fen, c.running - coalesce(w.gone, 0)))::bigint
  FROM came c LEFT JOIN went w USING (account_id) JOIN funds_sourceline l ON l.id = c.line_id
  LEFT JOIN places_tree p ON p.area_id = c.area_id
 WHERE c.running > coalesce(w.gone, 0) AND c.booking_date <= %s::date - %s
 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 6, 2, 5
"""


def line_named(actor: User, code: str) -> SourceLine:
    """The line of a code; anybody who may see funds somewhere may know which lines there are."""
    found = SourceLine.objects.select_related("funder").filter(code=code, voided_at=None).first()
    if found is None or not visible_areas(actor, VIEW).exists():
        raise Refusal(
            "not_found.source_line",
            record=code,
            found=say("no source line of this code that you may see"),
            expected=say("a known code"),
            rule=say("a payment names one source line"),
            todo=say("choose from the list of lines"),
        )
    return found


def line_balances(actor: User, *, line_id: int | None = None, year: int | None = None) -> list[LineBalance]:
    """Each line in each book the actor may see, newest budget year first."""
    return [LineBalance(*row) for row in _rows(actor, _BALANCES, [line_id, line_id, year, year])]


def line_steps(actor: User, line_id: int, *, after: tuple[date, int] = (date.min, 0), limit: int = 200) -> list[Step]:
    """The way of a line's money, voucher by voucher, in the books the actor may see; continue after (day, transfer id)."""
    areas, params = visible_area_ids_sql(actor, VIEW)
    with connection.cursor() as cursor:
        cursor.execute(_STEPS.format(areas=areas), [line_id, *params, *after, limit])
        return [Step(*read_in(row)) for row in cursor.fetchall()]


def idle_money(actor: User, *, day: date, at_least_days: int = 0) -> list[IdleMoney]:
    """Money that had lain in an office's or county's book on a day for so many days or more, oldest first."""
    areas, params = visible_area_ids_sql(actor, VIEW)
    with connection.cursor() as cursor:
        cursor.execute(_IDLE.format(areas=areas), [day, *params, day, day, day, at_least_days])
        return [IdleMoney(*row) for row in cursor.fetchall()]


def waiting(actor: User) -> Iterator[Proposal]:
    """Proposals of the areas the actor may approve for that still wait, oldest first, their own left out."""
    areas, params = visible_area_ids_sql(actor, "funds.approve")
    open_sets = (
        VoucherSet.objects.filter(approved_at=None, refused_at=None).exclude(prepared_by_id=actor.pk).values("pk")
    )
    found = Proposal.objects.filter(set_id__in=open_sets).select_related("line", "line__funder", "area")
    yield from found.extra(where=[f"area_id IN ({areas})"], params=params).order_by("pk")


def appropriations(actor: User, line_id: int) -> list[Appropriation]:
    """Money received on a line, oldest first; void records left out."""
    areas, params = visible_area_ids_sql(actor, VIEW)
    found = Appropriation.objects.filter(line_id=line_id, voided_at=None)
    return list(found.extra(where=[f"area_id IN ({areas})"], params=params).order_by("happened_on", "pk"))


def allocations(actor: User, line_id: int) -> list[Allocation]:
    """Money of a line passed to the counties the actor may see, oldest first; void records left out."""
    areas, params = visible_area_ids_sql(actor, VIEW)
    found = Allocation.objects.filter(line_id=line_id, voided_at=None).select_related("area")
    return list(found.extra(where=[f"area_id IN ({areas})"], params=params).order_by("happened_on", "pk"))


def _rows(actor: User, sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    areas, area_params = visible_area_ids_sql(actor, VIEW)
    with connection.cursor() as cursor:
        cursor.execute(sql.format(areas=areas), [*area_params, *params])
        return list(cursor.fetchall())


@dataclass(frozen=True)
class LineTotal:
    """A line over all the books the reader may see."""

    line: SourceLine
    received_fen: int
    left_fen: int
    books: int


def lines_with_totals(actor: User, *, year: int | None = None) -> list[LineTotal]:
    """Every line, newest budget year first, with what its books in the reader's areas received from outside them and
    still hold.

    What one book of the reader's areas passes to another is counted once.
    """
    held: dict[int, list[LineBalance]] = {}
    for balance in line_balances(actor, year=year):
        held.setdefault(balance.line_id, []).append(balance)
    found = SourceLine.objects.select_related("funder").filter(voided_at=None).order_by("-year", "code")
    if not visible_areas(actor, VIEW).exists():
        return []
    listed = found.filter(year=year) if year is not None else found
    return [
        LineTotal(
            one,
            sum(b.in_fen for b in held.get(one.pk, []) if b.book_kind == "office" or not _has_office(held[one.pk])),
            sum(b.balance_fen for b in held.get(one.pk, [])),
            len(held.get(one.pk, [])),
        )
        for one in listed
    ]


def _has_office(balances: list[LineBalance]) -> bool:
    return any(b.book_kind == "office" for b in balances)


def line(actor: User, line_id: int) -> SourceLine:
    """One line; the same permission as `line_named`."""
    code = SourceLine.objects.filter(pk=line_id).values_list("code", flat=True).first()
    return line_named(actor, code or say("line {line_id}", line_id=line_id))


def with_vouchers(records: list[Any]) -> list[tuple[Any, int | None]]:
    """Appropriations or allocations, each with the id of the voucher that brought the money in."""
    ids = {getattr(r, "transfer_in_id", None) or getattr(r, "transfer_id", None): r for r in records}
    vouchers = dict(Transfer.objects.filter(pk__in=[i for i in ids if i]).values_list("pk", "voucher_id"))
    return [(record, vouchers.get(transfer or 0)) for transfer, record in ids.items()]


def proposal(actor: User, proposal_id: int) -> Proposal:
    """What was prepared, if the actor may see its area."""
    found = Proposal.objects.select_related("line__funder", "area").filter(pk=proposal_id).first()
    if found is None or not visible_areas(actor, VIEW).filter(pk=found.area_id).exists():
        raise Refusal(
            "not_found.funds_proposal",
            record=say("proposal {proposal_id}", proposal_id=proposal_id),
            found=say("none that you may see"),
            expected=say("one of your areas"),
            rule=say("a person sees the books of the areas granted to them"),
            todo=say("choose from the list"),
        )
    return found


def record(actor: User, kind: type[Appropriation] | type[Allocation], record_id: int) -> Appropriation | Allocation:
    """One appropriation or allocation of an area the actor may see, void ones too."""
    found = kind.objects.select_related("line__funder", "area__tree").filter(pk=record_id).first()
    if found is None or not visible_areas(actor, VIEW).filter(pk=found.area_id).exists():
        raise Refusal(
            "not_found.funds_record",
            record=say("record {record_id}", record_id=record_id),
            found=say("none that you may see"),
            expected=say("one of your areas"),
            rule=say("a person sees the books of the areas granted to them"),
            todo=say("choose from the page of the line"),
        )
    return found


def all_standards(actor: User) -> list[GrantStandard]:
    """Every grant standard, newest first; rules are public to whoever signs in."""
    return list(GrantStandard.objects.filter(voided_at=None).order_by("programme", "-starts_on", "size_class"))


def targets(actor: User) -> list[PlanTarget]:
    """Every adopted plan's numbers, by code."""
    return list(PlanTarget.objects.filter(voided_at=None).order_by("code", "-starts_on"))
