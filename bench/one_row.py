"""A repayment entered by form through the common road, against the service it took the place of, written by hand.

By hand: the statements a careful programmer would write for this one act, prepared on a connection of their own: who may,
the society locked, likely doubles, the amount divided in Python, one call of `ledger_post`, one INSERT. What the database holds
(guards, rules, the money of a fact) is paid by both. The common road reads the row's cells by their declaration, looks up what it
names, judges every check of the kind of file and writes by its one writer. Both sides take turns with the loans of one
installation; ratios are of paired rounds.
"""

import io
import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

SOCIETIES, MEMBERS = 20, 50
ACTS = 100
ASKED = 0.5
_LENT = date(2009, 3, 2)
_ORDER = 12  # instalments


def run(acts: int = ACTS, rounds: int = 5) -> list[dict[str, object]]:
    """One line: records a second of both ways, their ratio (median of paired rounds), and whether it is met."""
    from bench.installed import set_up

    set_up()
    sender, villages = _world()
    ways = (_common(sender, villages), _by_hand(sender.pk))
    loans = [(village, f"L{n}") for n in range(MEMBERS) for village in villages]
    rates: list[tuple[float, float]] = []
    for round_no in range(rounds + 1):  # the first one warms up
        pair = [_rate(way, loans, acts, 2 * round_no + nth) for nth, way in enumerate(ways)]
        rates.append((pair[0], pair[1]))
    rates = rates[1:]
    ratio = statistics.median(ours / bare for ours, bare in rates)
    return [
        {
            "what": "a repayment by form: judged, booked and recorded",
            "size": f"{acts} in turn with {rounds} rounds, {SOCIETIES * MEMBERS:,} loans",
            "karez": f"{statistics.median(ours for ours, _ in rates):,.0f}/s",
            "by hand": f"{statistics.median(bare for _, bare in rates):,.0f}/s",
            "ratio": f"{ratio:.2f}",
            "asked": f"at least {ASKED}",
            "met": ratio >= ASKED,
        }
    ]


def _rate(way: Callable[[str, str, int], None], loans: list[tuple[str, str]], acts: int, turn: int) -> float:
    """Acts a second; each turn takes other loans, so that none grows longer than those of the other side."""
    mine = [loans[(turn * acts + n) % len(loans)] for n in range(acts)]
    begun = time.perf_counter()
    for n, (village, loan) in enumerate(mine):
        way(village, loan, turn * acts + n)
    return acts / (time.perf_counter() - begun)


def _common(sender: Any, villages: list[str]) -> Callable[[str, str, int], None]:
    from karez.intake import one_row, registry

    sheet, day = registry.sheet_named("repayments"), str(_LENT + timedelta(40))

    def pay(village: str, loan: str, n: int) -> None:
        given = {"village": village, "loan_no": loan, "paid_on": day, "amount": "10.00", "account": "cash"}
        one_row.record(sender, sheet, given | {"receipt_no": f"k{n}"})

    return pay


_MAY = """SELECT l.id, so.id, so.book_id, l.happened_on, ru.allocation_order, cash.id, lent.id, fees.id
  FROM places_tree t JOIN mutual_funds_society so ON so.area_id = t.area_id AND so.voided_at IS NULL
  JOIN mutual_funds_loan l ON l.society_id = so.id AND l.loan_no = %s AND l.voided_at IS NULL
  JOIN mutual_funds_ruleset ru ON ru.id = l.rule_set_id
  JOIN ledger_account cash ON cash.book_id = so.book_id AND cash.code = '1001'
  JOIN ledger_account lent ON lent.book_id = so.book_id AND lent.code = '1301'
  JOIN ledger_account fees ON fees.book_id = so.book_id AND fees.code = '4003'
 WHERE t.code = %s AND t.level = 'village' AND EXISTS (SELECT FROM access_grant g JOIN places_tree granted ON granted.area_id = g.area_id
   WHERE g.user_id = %s AND g.role = ANY (%s) AND g.counts_from <= %s AND (g.counts_before IS NULL OR g.counts_before > %s)
     AND g.void_counts_on IS NULL AND t.path <@ granted.path)"""
_DOUBLE = """SELECT count(*) FROM mutual_funds_repayment WHERE loan_id = %s AND happened_on = %s AND voided_at IS NULL
  AND principal_fen + fee_fen = %s AND (receipt_no = '' OR intake_number_key(receipt_no) = intake_number_key(%s))"""
_PAID = """SELECT coalesce(sum(principal_fen), 0)::bigint, coalesce(sum(fee_fen), 0)::bigint,
  EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = %s AND w.voided_at IS NULL)
  FROM mutual_funds_repayment WHERE loan_id = %s AND voided_at IS NULL"""
_OWED = "SELECT principal_fen, fee_fen FROM mutual_funds_instalment WHERE loan_id = %s ORDER BY number"
_POST = """SELECT transfer_ids FROM ledger_post(%s, NULL, true, NULL, %s, %s, %s, 'repayment', %s, NULL,
  %s::bigint[], %s::bigint[], %s::bigint[])"""
_WRITE = """INSERT INTO mutual_funds_repayment (loan_id, principal_fen, fee_fen, receipt_no, principal_transfer_id,
  fee_transfer_id, happened_on, counts_on, recorded_by_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""


def _by_hand(sender_id: int) -> Callable[[str, str, int], None]:
    from bench.posting_writer import connect
    from karez.access.rules import roles_with
    from karez.system import database

    raw, day, today = connect(database.conninfo(database.APP)), _LENT + timedelta(40), date.today()
    roles = [str(role) for role in roles_with("mutual_funds.prepare")]

    def pay(village: str, loan_no: str, n: int) -> None:
        amount, receipt = 1000, f"h{n}"
        found = raw.execute(_MAY, [loan_no, village, sender_id, roles, today, today]).fetchone()
        loan, society, book, lent_on, order, cash, lent, fees = found
        raw.execute("SELECT mutual_funds_take(ARRAY[%s]::bigint[])", [society])
        (first_open,) = raw.execute("SELECT first_open_day FROM periods_region").fetchone()
        assert not raw.execute(_DOUBLE, [loan, day, amount, receipt]).fetchone()[0] and day >= lent_on
        principal, fee, gone = raw.execute(_PAID, [loan, loan]).fetchone()
        due = _fee_due(raw.execute(_OWED, [loan]).fetchall(), principal + fee + amount, order) - fee
        assert not gone and 0 <= due <= amount
        lines = [(lent, amount - due), (fees, due)]
        lines = [line for line in lines if line[1]]
        counts = max(day, first_open)
        (transfers,) = raw.execute(
            _POST,
            [sender_id, book, day, counts, f"Repayment of loan {loan_no}", [cash] * len(lines),
             [account for account, _fen in lines], [fen for _account, fen in lines]],
        ).fetchone()  # fmt: skip
        ids = dict(zip((account for account, _fen in lines), transfers, strict=True))
        raw.execute(_WRITE, [loan, amount - due, due, receipt, ids.get(lent), ids.get(fees), day, counts, sender_id])
        raw.commit()

    return pay


def _fee_due(owed: list[tuple[int, int]], paid: int, order: str) -> int:
    due = 0
    for principal, fee in owed:
        due += max(0, min(fee, paid if order == "fee_first" else paid - principal))
        paid -= principal + fee
        if paid <= 0:
            break
    assert paid <= 0
    return due


_SOCIETY_HEAD = (
    "village,name,founded_on,size_class,loan_cap,term_cap_days,fee_rate_month,contribution_min,contribution_max,"
    "allocation_order,write_off_pot,open_loans_max,instalments,min_members,min_poor_share"
)


def _world() -> tuple[Any, list[str]]:
    """Two people and societies whose members each have a loan, brought in by files; the sender and the villages' codes."""
    from bench.loading import _villages
    from karez.access.roles import Role
    from karez.access.services import add_user, grant_role
    from karez.intake import services
    from karez.intake.models import State
    from karez.periods.services import region
    from karez.system import database

    people = []
    for name, role in (("bench_finance", Role.FINANCE_OFFICER), ("bench_approver", Role.APPROVER)):
        user = add_user(username=name, full_name=name, password=None)
        grant_role(None, user=user, role=role, area_id=region().area_id, starts_on=date(2009, 1, 1))
        people.append(user)
    villages = _villages()[:SOCIETIES]
    pairs = [(village, n) for village in villages for n in range(MEMBERS)]
    files = {
        "societies": (
            _SOCIETY_HEAD,
            [f"{v},S {v},2009-01-05,small,5000,720,0.8,100,5000,fee_first,surplus,1,{_ORDER},0,0" for v in villages],
        ),
        "fund_members": (
            "village,household_no,joined_on,kind", [f"{v},H{n},2009-01-10,fund_member_only" for v, n in pairs],
        ),
        "contributions": (
            "village,household_no,paid_on,amount,kind,account", [f"{v},H{n},2009-02-02,3000,own,cash" for v, n in pairs],
        ),
        "loans": (
            "village,loan_no,household_no,lent_on,principal,term_days,purpose,account",
            [f"{v},L{n},H{n},{_LENT},2000,360,livestock,cash" for v, n in pairs],
        ),
    }  # fmt: skip
    for sheet, (head, lines) in files.items():
        stream = io.BytesIO("\n".join([head, *lines]).encode())
        batch = services.receive(people[0], sheet=sheet, file_name=f"{sheet}.csv", stream=stream)
        batch = services.stage(batch.pk, progress=lambda _what, _percent: None)
        assert batch.state == State.CHECKED, list(batch.faults.values_list("row_no", "column", "rule", "found")[:5])
        assert services.apply(people[1], batch_id=batch.pk).state == State.APPLIED
    import psycopg

    with psycopg.connect(database.conninfo(database.OWNER), autocommit=True) as owner:
        owner.execute("ANALYZE")
    return people[0], villages
