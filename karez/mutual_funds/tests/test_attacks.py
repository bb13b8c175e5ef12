"""Raw SQL as the app's role against every named rule; and two people at once."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from karez.kernel.refusal import Refusal
from karez.ledger import services as ledger
from karez.ledger.models import Transfer
from karez.mutual_funds import proposals, resolutions, services
from karez.mutual_funds.models import Contribution, Grant, Repayment, RuleSet, Society
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, TERMS, YUAN, Fund, adopted, founded

Attack = Callable[[str, list[Any]], str]

_CONTRIBUTION = """INSERT INTO mutual_funds_contribution (member_id, kind, amount_fen, transfer_id, happened_on,
    counts_on, recorded_by_id)
 VALUES (%s, %s, %s, %s, %s, %s, 1)"""
_LOAN = """INSERT INTO mutual_funds_loan (society_id, member_id, rule_set_id, loan_no, principal_fen, fee_rate_bp,
    term_days, due_on,
 instalments, purpose, opening, transfer_id, happened_on, counts_on, recorded_by_id)
 VALUES (%(society)s, %(member)s, %(rules)s, 'X', %(fen)s, %(rate)s, %(days)s, %(due)s, %(parts)s, 'trade', false,
     %(transfer)s, %(day)s, %(day)s, 1)"""
_REPAYMENT = """INSERT INTO mutual_funds_repayment (loan_id, principal_fen, fee_fen, principal_transfer_id,
    fee_transfer_id, happened_on, counts_on,
 recorded_by_id) VALUES (%s, %s, %s, %s, %s, %s, %s, 1)"""


def moved(fund: Fund, debit: str, credit: str, fen: int, society: Any = None, day: Any = DAY) -> int:
    """A transfer posted in the ledger without any record of this room: what an attacker may use."""
    society = society or fund.society
    accounts = services.accounts_of(society)
    draft = ledger.Draft(society.book_id, day, "test", "test", (ledger.Line(accounts[debit], accounts[credit], fen),))
    if debit in ("1001", "1002") and credit not in ("1001", "1002"):
        return ledger.receive(fund.treasurer, [draft], permission="mutual_funds.prepare")[0].transfer_ids[0]
    set_id = ledger.prepare(fund.treasurer, [draft], permission="mutual_funds.prepare")
    return ledger.approve(fund.approver, set_id)[0].transfer_ids[0]


def test_amounts_equal_transfers(fund: Fund, attack: Attack) -> None:
    transfer = moved(fund, "1001", "2001", 50_000)
    member = fund.members[0].pk
    assert attack(_CONTRIBUTION, [member, "own", 50_001, transfer, DAY, DAY]) == "23503"
    assert attack(_CONTRIBUTION, [member, "own", 50_000, 10**9, DAY, DAY]) == "23503"
    assert attack(_CONTRIBUTION, [member, "own", 50_000, None, DAY, DAY]) == "23514"
    assert attack(_CONTRIBUTION, [member, "granted_base", 50_000, transfer, DAY, DAY]) == "23514"
    assert attack(_CONTRIBUTION, [member, "own", 50_000, transfer, DAY, DAY]) == ""
    fund.pay_in(fund.members[1], 500)
    used = Contribution.objects.get().transfer_id
    assert attack(_CONTRIBUTION, [member, "own", 50_000, used, DAY, DAY]) == "23505"


@pytest.mark.parametrize(
    ("debit", "credit"),
    [("1001", "4001"), ("1001", "4002"), ("1002", "4003"), ("1001", "1301"), ("2001", "1001"), ("4001", "2001")],
)
def test_pots_never_mix(fund: Fund, attack: Attack, debit: str, credit: str) -> None:
    for pot in ("2001", "4001"):
        moved(fund, "1001", pot, 100_000)
    if credit == "1301":
        moved(fund, "1301", "1001", 60_000)
    transfer = moved(fund, debit, credit, 50_000)
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "own", 50_000, transfer, DAY, DAY]) == "KZ020"


def test_money_of_another_society_or_day_is_no_ones(fund: Fund, attack: Attack) -> None:
    elsewhere = moved(fund, "1001", "2001", 50_000, fund.other)
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "own", 50_000, elsewhere, DAY, DAY]) == "KZ020"
    here = moved(fund, "1001", "2001", 50_000)
    later = DAY + timedelta(1)
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "own", 50_000, here, later, later]) == "KZ020"


def test_no_dividend_can_be_written(fund: Fund, attack: Attack) -> None:
    fund.pay_in(fund.members[0], 500)
    transfer = moved(fund, "2001", "1001", 10_000)
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "dividend", 10_000, transfer, DAY, DAY]) == "23514"


def test_a_refund_is_of_own_money(fund: Fund, attack: Attack) -> None:
    fund.pay_in(fund.members[0], 500)
    entered.give_base_share(fund.treasurer, fund.approver, member=fund.members[1], amount_fen=50_000, given_on=DAY)
    transfer = moved(fund, "2001", "1001", 50_000)
    for member in (fund.members[1].pk, fund.stranger.pk):
        assert attack(_CONTRIBUTION, [member, "refund", 50_000, transfer, DAY, DAY]) in ("KZ021", "KZ020")
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "refund", 50_000, transfer, DAY, DAY]) == ""
    paid = Contribution.objects.get(kind="own")
    with connection.cursor() as cursor:
        cursor.execute(_CONTRIBUTION, [fund.members[0].pk, "refund", 50_000, transfer, DAY, DAY])
    void = (
        "UPDATE mutual_funds_contribution SET voided_at = now(), voided_by_id = 1, void_reason = 'x', "
        "void_counts_on = counts_on WHERE id = %s"
    )
    assert attack(void, [paid.pk]) == "KZ021"


def test_own_money_is_not_returned_before_it_was_paid_in(fund: Fund, attack: Attack) -> None:
    early, later = DAY - timedelta(30), DAY + timedelta(30)
    fund.pay_in(fund.members[1], 1000, early - timedelta(5))
    fund.pay_in(fund.members[0], 400, early - timedelta(5))
    paid = fund.pay_in(fund.members[0], 600)
    too_early = moved(fund, "2001", "1001", 40_001, day=early)
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "refund", 40_001, too_early, early, early]) == "KZ021"
    assert (
        attack(_CONTRIBUTION, [fund.members[0].pk, "refund", 40_001, moved(fund, "2001", "1001", 40_001), DAY, DAY])
        == ""
    )
    in_time = moved(fund, "2001", "1001", 40_000, day=early)
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "refund", 40_000, in_time, early, early]) == ""
    # and one that leaves nothing for a refund that stands later
    with connection.cursor() as cursor:
        cursor.execute(
            _CONTRIBUTION,
            [fund.members[0].pk, "refund", 100_000 - 40_000, moved(fund, "2001", "1001", 60_000), DAY, DAY],
        )
    fund.pay_in(fund.members[0], 500, later)
    again = moved(fund, "2001", "1001", 40_001, day=DAY)
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "refund", 40_001, again, DAY, DAY]) == "KZ021"
    # nor is the contribution voided under it, whatever came in later
    void = (
        "UPDATE mutual_funds_contribution SET voided_at = now(), voided_by_id = 1, void_reason = 'x', "
        "void_counts_on = counts_on WHERE id = %s"
    )
    assert attack(void, [paid.pk]) == "KZ021"


def test_a_loan_is_by_the_rules(fund: Fund, attack: Attack) -> None:
    for pot in ("2001", "4001"):
        moved(fund, "1001", pot, 1_000_000)
    rules = fund.society.rule_sets.get()

    def lend(fen: int = 100_000, **changed: Any) -> str:
        given = {
            "society": fund.society.pk,
            "member": fund.members[0].pk,
            "rules": rules.pk,
            "fen": fen,
            "rate": 80,
            "days": 90,
            "due": DAY + timedelta(changed.get("days", 90)),
            "parts": 1,
            "day": DAY,
            "transfer": moved(fund, "1301", "1001", fen),
        }
        return attack(_LOAN, given | changed)

    assert lend() == ""
    assert lend(500_001) == "KZ022"
    assert lend(days=361) == "KZ022"
    assert lend(rate=0) == "KZ022"
    assert lend(parts=2) == "KZ022"
    assert lend(due=DAY) == "KZ022"
    assert lend(member=fund.stranger.pk) == "KZ022" or lend(member=fund.stranger.pk) == "23503"
    assert lend(rules=fund.other.rule_sets.get().pk) in ("KZ022", "23503")
    assert lend(transfer=moved(fund, "1001", "4001", 100_000)) == "KZ020"
    assert lend(transfer=None) == "23514"
    early = DAY - timedelta(60)
    assert lend(day=early, due=early + timedelta(90), transfer=moved(fund, "1301", "1001", 100_000, day=early)) in (
        "KZ022",
        "KZ011",
    )
    fund.lend(fund.members[0], 1000, "1")
    assert lend() == "KZ022"


def test_schedules_are_not_the_apps_to_write(fund: Fund, attack: Attack) -> None:
    fund.pay_in(fund.members[0], 2000)
    loan = fund.lend(fund.members[0], 1000, "1")
    for sql in (
        (
            "INSERT INTO mutual_funds_instalment (loan_id, number, due_on, principal_fen, fee_fen) VALUES (%s, 9, "
            "now(), 1, 1)"
        ),
        "UPDATE mutual_funds_instalment SET fee_fen = 0 WHERE loan_id = %s",
        "DELETE FROM mutual_funds_instalment WHERE loan_id = %s",
        "UPDATE mutual_funds_loan SET principal_fen = 1 WHERE id = %s",
        "DELETE FROM mutual_funds_loan WHERE id = %s",
    ):
        assert attack(sql, [loan.pk]) == "42501"


def test_repayments_are_at_most_what_is_owed_in_the_order_of_the_rules(fund: Fund, attack: Attack) -> None:
    fund.pay_in(fund.members[0], 2000)
    fund.pay_in(fund.members[1], 2000)
    loan = fund.lend(fund.members[0], 1000, "1", days=90)  # owes 100,000 and a fee of 2,400

    def repay(principal: int, fee: int, day: Any = DAY) -> str:
        first = moved(fund, "1001", "1301", principal, day=day) if principal else None
        second = moved(fund, "1001", "4003", fee, day=day) if fee else None
        return attack(_REPAYMENT, [loan.pk, principal, fee, first, second, day, day])

    assert repay(100, 0) == "KZ023"  # the fee comes first
    assert repay(0, 2_401) == "KZ023"
    assert repay(0, 2_400) == repay(10, 2_400) == ""
    assert repay(50_000, 2_400, DAY - timedelta(1)) == "KZ023"
    wrong = moved(fund, "1001", "4003", 500)
    assert attack(_REPAYMENT, [loan.pk, 500, 0, wrong, None, DAY, DAY]) == "KZ020"
    assert attack(_REPAYMENT, [loan.pk, 0, 500, None, moved(fund, "1001", "4002", 500), DAY, DAY]) == "KZ020"
    assert attack(_REPAYMENT, [loan.pk, 0, 0, None, None, DAY, DAY]) == "23514"
    moved(fund, "1301", "1001", 60_000)
    entered.record_repayment(fund.treasurer, loan=loan, amount_fen=102_400, paid_on=DAY)
    moved(fund, "1301", "1001", 1_000)
    assert repay(1, 0) == "KZ023"
    first = Repayment.objects.get()
    void = (
        "UPDATE mutual_funds_repayment SET voided_at = now(), voided_by_id = 1, void_reason = 'x', "
        "void_counts_on = counts_on WHERE id = %s"
    )
    assert attack(void, [first.pk]) == ""


def test_a_middle_repayment_goes_only_with_its_replacement(fund: Fund, attack: Attack) -> None:
    fund.pay_in(fund.members[0], 2000)
    loan = fund.lend(fund.members[0], 1000, "1", days=90)
    first, _ = entered.record_repayment(fund.treasurer, loan=loan, amount_fen=2_400, paid_on=DAY)
    entered.record_repayment(fund.treasurer, loan=loan, amount_fen=100_000, paid_on=DAY)
    void = (
        "UPDATE mutual_funds_repayment SET voided_at = now(), voided_by_id = 1, void_reason = 'x', "
        "void_counts_on = counts_on WHERE id = %s"
    )
    assert attack(void, [first.pk]) == "KZ023"
    again = moved(fund, "1001", "4003", 2_400)
    insert = _REPAYMENT.replace("%s, %s, %s, %s, %s, %s, %s", f"{loan.pk}, 0, 2400, NULL, {again}, '{DAY}', '{DAY}'")
    assert attack(f"{void % first.pk}; {insert}", []) == ""


def test_grants_stay_within_the_standard_and_their_line(
    fund: Fund, attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = proposals.prepare_grant(
        fund.treasurer, society=fund.society, line=fund.line, amount_fen=150_000 * YUAN, granted_on=DAY, document_no="7"
    )
    made = proposals.approve(fund.approver, proposal)
    assert isinstance(made, Grant)
    sql = """INSERT INTO mutual_funds_grant (society_id, source_line_id, amount_fen, document_no, transfer_id,
        county_transfer_id, happened_on,
     counts_on, recorded_by_id) VALUES (%s, %s, %s, 'x', %s, %s, %s, %s, 1)"""
    ours = moved(fund, "1002", "4001", 10_000_000)
    county = Grant.objects.get().county_transfer_id
    assert attack(sql, [fund.society.pk, fund.line.pk, 10_000_000, ours, ours, DAY, DAY]) == "KZ024"
    assert attack(sql, [fund.society.pk, fund.line.pk, 10_000_000, ours, county, DAY, DAY]) in ("23503", "23505")
    above = {
        "society": fund.society,
        "line": fund.line,
        "amount_fen": 50_001 * YUAN,
        "granted_on": DAY,
        "document_no": "8",
    }
    with pytest.raises(Refusal) as refused:
        proposals.prepare_grant(fund.treasurer, **above)
    assert refused.value.code == "mutual_funds.grant_within_standard" and "200,000.00" in refused.value.found
    monkeypatch.setattr(proposals, "refuse_if_broken", lambda *_, **_given: None)
    more = proposals.prepare_grant(fund.treasurer, **above)
    set_id = more.set_id
    with transaction.atomic():
        ledger.approve(fund.approver, set_id)
        with connection.cursor() as cursor:
            cursor.execute(
                (
                    "SELECT t.id, t.book_id FROM ledger_transfer t JOIN ledger_voucher v ON v.id = t.voucher_id WHERE "
                    "v.set_id = %s"
                ),
                [set_id],
            )
            transfers = {book == fund.society.book_id: pk for pk, book in cursor.fetchall()}
        assert (
            attack(sql, [fund.society.pk, fund.line.pk, 50_001 * YUAN, transfers[True], transfers[False], DAY, DAY])
            == "KZ024"
        )
        transaction.set_rollback(True)


def test_a_write_off_needs_the_pot_of_the_rules_and_two_people(fund: Fund, attack: Attack) -> None:
    fund.pay_in(fund.members[0], 2000)
    moved(fund, "1001", "4003", 100_000)
    moved(fund, "1001", "4001", 100_000)
    loan = fund.lend(fund.members[0], 1000, "1")
    sql = """INSERT INTO mutual_funds_writeoff (loan_id, principal_fen, pot, reason, prepared_by_id, approved_by_id,
        transfer_id, happened_on,
     counts_on, recorded_by_id) VALUES (%s, %s, %s, 'r', %s, %s, %s, %s, %s, 1)"""
    surplus = moved(fund, "4003", "1301", 50_000)
    people = [fund.treasurer.pk, fund.approver.pk]
    assert attack(sql, [loan.pk, 50_000, "surplus", *people, surplus, DAY, DAY]) == "KZ026"  # not all that is owed
    assert attack(sql, [loan.pk, 50_000, "surplus", 5, 5, surplus, DAY, DAY]) == "23514"
    grant = moved(fund, "4001", "1301", 50_000)
    assert attack(sql, [loan.pk, 50_000, "grant", *people, grant, DAY, DAY]) == "KZ026"
    assert attack(sql, [loan.pk, 50_000, "surplus", *people, grant, DAY, DAY]) == "KZ026"


def test_spells_do_not_overlap_and_what_carries_something_stays(fund: Fund, attack: Attack) -> None:
    member = fund.members[0]
    fund.pay_in(member, 500)
    again = """INSERT INTO mutual_funds_member (society_id, household_id, starts_on, counts_from, recorded_by_id)
        VALUES (%s, %s, %s, %s, 1)"""
    assert attack(again, [fund.society.pk, member.household_id, DAY, DAY]) == "23P01"
    assert attack(again, [fund.other.pk, member.household_id, DAY, DAY]) in ("23P01", "KZ025")
    end = (
        "UPDATE mutual_funds_member SET ends_before = %s, counts_before = %s, ended_at = now(), ended_by_id = 1 "
        "WHERE id = %s"
    )
    assert attack(end, [DAY, DAY, member.pk]) == "KZ025"
    void = (
        "UPDATE {} SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = counts_from "
        "WHERE id = %s"
    )
    assert attack(void.format("mutual_funds_member"), [member.pk]) == "KZ028"
    assert attack(void.format("mutual_funds_society"), [fund.society.pk]) == "KZ028"


def test_an_opening_is_what_its_voucher_says(fund: Fund, attack: Attack) -> None:
    sql = """INSERT INTO mutual_funds_opening (society_id, grant_fen, contributions_fen, gifts_fen, surplus_fen, cash_fen, bank_fen, loans_fen,
     voucher_id, happened_on, counts_on, recorded_by_id) VALUES (%s, %s, 0, 0, 0, 0, %s, 0, %s, '2009-01-01', '2009-01-01', 1)"""
    transfer = moved(fund, "1002", "4001", 100_000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT voucher_id FROM ledger_transfer WHERE id = %s", [transfer])
        voucher = cursor.fetchone()[0]
    assert attack(sql, [fund.society.pk, 100_000, 99_999, voucher]) == "23514"
    assert attack(sql, [fund.society.pk, 100_000, 100_000, voucher]) == "KZ027"


def test_money_is_not_approved_past_its_record(fund: Fund, attack: Attack) -> None:
    """The ledger's own page cannot post what was prepared here: the record comes with the money, or neither does."""
    fund.pay_in(fund.members[0], 2000)
    proposal = proposals.prepare_loan(
        fund.treasurer,
        member=fund.members[0],
        loan_no="1",
        principal_fen=1000 * YUAN,
        lent_on=DAY,
        term_days=30,
        purpose="trade",
    )
    assert attack("SELECT * FROM ledger_approve(%s, %s)", [proposal.set_id, fund.approver.pk]) == "KZ028"
    assert proposals.approve(fund.approver, proposal)
    assert attack("SELECT 1", []) == ""


def test_money_is_not_taken_back_behind_its_record(fund: Fund, attack: Attack) -> None:
    fund.pay_in(fund.members[0], 2000)
    paid = Contribution.objects.get()
    voucher = Transfer.objects.get(pk=paid.transfer_id).voucher_id
    set_id = ledger.prepare_reversal(fund.treasurer, voucher, "alone", permission="mutual_funds.prepare")
    assert attack("SELECT * FROM ledger_approve(%s, %s)", [set_id, fund.approver.pk]) == "KZ028"
    ledger.refuse_set(fund.approver, set_id, "not alone")
    proposal = proposals.prepare_reversal(fund.treasurer, society=fund.society, voucher_id=voucher, reason="twice")
    proposals.approve(fund.approver, proposal)
    assert attack("SELECT 1", []) == ""
    assert services.own_fen(fund.members[0].pk) == 0


def test_reversed_money_carries_no_record(fund: Fund, attack: Attack) -> None:
    """Else a member could be refunded what was paid back already."""
    transfer = moved(fund, "1001", "2001", 50_000)
    voucher = Transfer.objects.get(pk=transfer).voucher_id
    ledger.approve(
        fund.approver, ledger.prepare_reversal(fund.treasurer, voucher, "wrong", permission="mutual_funds.prepare")
    )
    assert attack(_CONTRIBUTION, [fund.members[0].pk, "own", 50_000, transfer, DAY, DAY]) == "KZ020"


def test_nothing_comes_in_or_goes_out_for_who_has_left(fund: Fund, attack: Attack) -> None:
    """Not even with an earlier day: who left has no money in and owes nothing."""
    member = fund.members[0]
    fund.pay_in(fund.members[1], 2000)
    services.leave(fund.treasurer, member=member, left_on=DAY + timedelta(30), reason="moves away")
    own = moved(fund, "1001", "2001", 50_000)
    assert attack(_CONTRIBUTION, [member.pk, "own", 50_000, own, DAY, DAY]) == "KZ021"
    given = {
        "society": fund.society.pk,
        "member": member.pk,
        "rules": fund.society.rule_sets.get().pk,
        "fen": 50_000,
        "rate": 80,
        "days": 90,
        "due": DAY + timedelta(90),
        "parts": 1,
        "day": DAY,
        "transfer": moved(fund, "1301", "1001", 50_000),
    }
    assert attack(_LOAN, given) == "KZ022"


def test_a_society_ends_empty(fund: Fund, attack: Attack) -> None:
    end = (
        "UPDATE mutual_funds_society SET ends_before = '2009-12-01', counts_before = '2009-12-01', ended_at = "
        "now(), ended_by_id = 1 WHERE id = %s"
    )
    assert attack(end, [fund.other.pk]) == "KZ028"  # a member
    services.leave(fund.treasurer, member=fund.stranger, left_on=DAY, reason="moves away")
    assert attack(end, [fund.other.pk]) == ""
    moved(fund, "1002", "4002", 100, fund.other)
    assert attack(end, [fund.other.pk]) == "KZ028"


def _together(*actions: Callable[[], Any]) -> list[str]:
    """Runs actions at once, each on its own connection; what each ended in."""
    ended: list[str] = [""] * len(actions)
    barrier = threading.Barrier(len(actions))

    def run(place: int, action: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            action()
        except Exception as error:  # noqa: BLE001 - the outcome is what is tested
            ended[place] = getattr(error, "code", "") or getattr(error, "sqlstate", "") or repr(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i, a)) for i, a in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return ended


def test_two_refunds_at_once_never_exceed_own_money(committed_fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    fund = committed_fund
    member = fund.members[0]
    fund.pay_in(member, 500)
    fund.pay_in(fund.members[1], 2000)  # others' money that must not be paid out to the first
    with monkeypatch.context() as past:  # as if neither had seen the other when prepared
        past.setattr(proposals, "refuse_if_broken", lambda *_, **_given: None)
        past.setattr(proposals, "waiting_terms", lambda *_: [])
        waiting = [
            proposals.prepare_refund(fund.treasurer, member=member, amount_fen=yuan * YUAN, refunded_on=DAY)
            for yuan in (300, 250)
        ]
    ended = _together(*(lambda p=p: proposals.approve(fund.approver, p) for p in waiting))
    assert sorted(ended) == ["", "mutual_funds.refund_within_own"]
    assert services.own_fen(member.pk) in (200 * YUAN, 250 * YUAN)


def test_two_repayments_at_once_never_exceed_what_is_owed(committed_fund: Fund) -> None:
    fund = committed_fund
    fund.pay_in(fund.members[0], 2000)
    loan = fund.lend(fund.members[0], 1000, "1", days=90)
    ended = _together(
        *(
            lambda: entered.record_repayment(fund.treasurer, loan=loan, amount_fen=60_000, paid_on=DAY, confirmed=True)
            for _ in range(2)
        )
    )
    assert sorted(ended) == ["", "mutual_funds.repayment_within_owed"]
    assert sum(p.principal_fen + p.fee_fen for p in loan.repayments.filter(voided_at=None)) == 60_000


def test_two_raw_repayments_at_once_never_exceed_what_is_owed(
    committed_fund: Fund, app_connection: Callable[[], "psycopg.Connection[Any]"]
) -> None:
    fund = committed_fund
    fund.pay_in(fund.members[0], 2000)
    fund.pay_in(fund.members[1], 2000)
    loan = fund.lend(fund.members[0], 1000, "1", days=90)
    fund.lend(fund.members[1], 1000, "2", days=90)  # so that the account itself could take both
    entered.record_repayment(fund.treasurer, loan=loan, amount_fen=2_400, paid_on=DAY)
    money = [moved(fund, "1001", "1301", 60_000) for _ in range(2)]
    first, second = app_connection(), app_connection()
    first.execute(_REPAYMENT, [loan.pk, 60_000, 0, money[0], None, DAY, DAY])
    ended = []

    def later() -> None:
        try:
            second.execute(_REPAYMENT, [loan.pk, 60_000, 0, money[1], None, DAY, DAY])
            second.commit()
            ended.append("")
        except psycopg.Error as error:
            ended.append(error.sqlstate or "")

    thread = threading.Thread(target=later)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive(), "the second writer did not wait for the first"
    first.commit()
    thread.join(10)
    assert ended == ["KZ023"]


def test_nothing_is_left_with_a_member_who_has_left(fund: Fund, attack: Callable[[str, list[Any]], str]) -> None:
    member = fund.members[0]
    fund.pay_in(member, 500)
    loan = fund.lend(member, 300, "L1")
    owed = sum(i.total_fen for i in entered.schedule_of(loan))
    repayment = entered.record_repayment(fund.treasurer, loan=loan, amount_fen=owed, paid_on=date(2009, 5, 1))[0]
    proposals.approve(
        fund.approver,
        proposals.prepare_refund(
            fund.treasurer, member=member, amount_fen=500 * YUAN, refunded_on=date(2009, 6, 1), leaving=True
        ),
    )
    void = (
        "UPDATE {} SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on = '2009-06-01' "
        "WHERE id = %s"
    )
    refund = Contribution.objects.get(kind="refund")
    assert attack(void.format("mutual_funds_contribution"), [refund.pk]) == "KZ025"
    assert attack(void.format("mutual_funds_contribution"), [Contribution.objects.get(kind="own").pk]) in {
        "KZ021",
        "KZ025",
    }
    assert attack(void.format("mutual_funds_repayment"), [repayment.pk]) in {"KZ023", "KZ025"}
    voucher = Transfer.objects.get(pk=refund.transfer_id).voucher_id
    waits = proposals.prepare_reversal(fund.treasurer, society=fund.society, voucher_id=voucher, reason="she stays")
    with pytest.raises(Refusal) as refused:
        proposals.approve(fund.approver, waits)
    assert refused.value.code == "mutual_funds.member"


def test_nothing_is_given_before_the_founding(fund: Fund) -> None:
    early = date(2009, 1, 5)
    with pytest.raises(Refusal) as gift:
        entered.accept_gift(fund.treasurer, society=fund.society, giver="a", amount_fen=100, given_on=early)
    with pytest.raises(Refusal) as grant:
        proposals.prepare_grant(
            fund.treasurer,
            society=fund.society,
            line=fund.line,
            amount_fen=20_000_000,
            granted_on=early,
            document_no="1",
        )
    assert (gift.value.code, grant.value.code) == ("mutual_funds.society_known", "mutual_funds.grant_to_society_there")
    moved_there = moved(fund, "1002", "4002", 100, day=early)
    with connection.cursor() as cursor, pytest.raises(DatabaseError) as raw, transaction.atomic():
        cursor.execute(
            "INSERT INTO mutual_funds_gift (society_id, giver, amount_fen, transfer_id, happened_on, counts_on, "
            "recorded_by_id)"
            " VALUES (%s, 'a', 100, %s, '2009-01-05', %s, 1)",
            [fund.society.pk, moved_there, early],
        )
    assert raw.value.__cause__.sqlstate == "KZ029"  # type: ignore[union-attr]


def test_a_household_does_not_end_as_a_member(fund: Fund, attack: Callable[[str, list[Any]], str]) -> None:
    assert (
        attack(
            "UPDATE register_household SET ends_before = '2009-06-01', counts_before = '2009-06-01', ended_at = "
            "now(), ended_by_id = 1,"
            " end_reason = 'x' WHERE id = %s",
            [fund.members[0].household_id],
        )
        == "KZ025"
    )


def test_founding_and_rules_are_brought_in_by_two_people(fund: Fund, attack: Attack) -> None:
    day = date(2009, 5, 4)
    asked = resolutions.prepare_rules(
        fund.treasurer, society=fund.society, starts_on=day, terms=TERMS, document_no="2", document_on=day
    )
    answer = "INSERT INTO mutual_funds_resolutionanswer (resolution_id, agreed, answered_by_id) VALUES (%s, true, %s)"
    assert attack(answer, [asked.pk, fund.treasurer.pk]) == "KZ02A"
    assert attack(answer, [asked.pk, fund.approver.pk]) == ""
    rules = RuleSet.objects.get(society=fund.society)
    copied = (
        "loan_cap_fen, term_cap_days, extension_days_max, fee_rate_bp, contribution_min_fen, "
        "contribution_max_fen, allocation_order,"
    )
    copied += " write_off_pot, open_loans_max, instalments, min_members, min_poor_share"
    ended = (
        "UPDATE mutual_funds_ruleset SET ends_before = %(day)s, counts_before = %(day)s, ended_at = now(), "
        "ended_by_id = 1, end_reason = 'x' WHERE id = %(old)s;"
    )
    added = f"""INSERT INTO mutual_funds_ruleset (society_id, {copied}, resolution_id, batch_id, prepared_by_id,
        approved_by_id, starts_on, counts_from,
        recorded_by_id) SELECT society_id, {copied.replace("fee_rate_bp", "fee_rate_bp + %(more)s::int")},
            %(asked)s::bigint, %(batch)s::bigint, %(by)s::bigint,
        %(two)s::bigint, %(day)s::date, %(day)s::date, 1 FROM mutual_funds_ruleset WHERE id = %(old)s"""
    agreed = answer % (asked.pk, fund.approver.pk) + ";"

    def tried(first: str = "", **changed: Any) -> str:
        given = {
            "old": rules.pk,
            "asked": asked.pk,
            "batch": None,
            "by": fund.treasurer.pk,
            "two": fund.approver.pk,
            "day": day,
            "more": 0,
        }
        given |= changed
        text = (first + ended + added) % {k: "NULL" if v is None else f"'{v}'" for k, v in given.items()}
        return attack(text, None)  # type: ignore[arg-type]

    assert tried() == "KZ02A"  # nobody has agreed
    assert tried(asked=None) == "23514"
    assert tried(asked=None, batch=1) == "KZ02A"
    assert tried(agreed, two=fund.treasurer.pk) == "23514"
    assert tried(agreed, two=fund.world.auditor.pk) == "KZ02A"
    assert tried(agreed, more=5) == "KZ02A"  # not as it was asked
    assert tried(agreed, day=date(2009, 5, 5)) == "KZ02A"
    assert tried(agreed, day=date(2199, 1, 1)) == "KZ00A"
    assert tried(agreed) == ""


def test_nobody_founds_alone_or_ahead(fund: Fund, attack: Attack) -> None:
    village = next(
        pk
        for code, pk in fund.world.areas.items()
        if len(code) == 12 and not Society.objects.filter(area_id=pk).exists()
    )
    book = ledger.open_book(
        fund.treasurer, kind="society", name="X", area_id=village, opened_on=DAY, permission="mutual_funds.prepare"
    )
    sql = """INSERT INTO mutual_funds_society (area_id, name, size_class, book_id, starts_on, counts_from,
        recorded_by_id, batch_id)
        VALUES (%s, 'X', 'small', %s, %s, %s, 1, %s)"""
    assert attack(sql, [village, book.pk, DAY, DAY, None]) == "23514"
    assert attack(sql, [village, book.pk, DAY, DAY, 1]) == "KZ02A"
    ahead = date(2199, 1, 1)
    assert attack(sql, [village, book.pk, ahead, ahead, 1]) == "KZ00A"


_VOID_SOCIETY = """UPDATE mutual_funds_ruleset SET voided_at = now(), voided_by_id = %(by)s, void_reason = 'x',
    void_counts_on = %(day)s WHERE society_id = %(id)s;
    UPDATE mutual_funds_society SET voided_at = now(), voided_by_id = %(by)s, void_reason = 'x',
        void_counts_on = %(day)s WHERE id = %(id)s;"""
_AGREE = "INSERT INTO mutual_funds_resolutionanswer (resolution_id, agreed, answered_by_id) VALUES (%s, true, %s);"


def _empty(fund: Fund) -> Society:
    village = next(
        pk
        for code, pk in fund.world.areas.items()
        if len(code) == 12 and not Society.objects.filter(area_id=pk).exists()
    )
    return founded(fund.treasurer, fund.approver, area_id=village, name="X", founded_on=DAY)


def test_a_founding_is_not_taken_back_under_money(fund: Fund, attack: Attack) -> None:
    empty = _empty(fund)
    asked = resolutions.prepare_take_back(fund.treasurer, society=empty, reason="wrong village")
    sql = _AGREE % (asked.pk, fund.approver.pk) + _VOID_SOCIETY % {
        "by": fund.approver.pk,
        "day": f"'{DAY}'",
        "id": empty.pk,
    }
    assert attack(sql, None) == ""  # type: ignore[arg-type]
    moved(fund, "1001", "4002", 100, society=empty)
    assert attack(sql, None) == "KZ028"  # type: ignore[arg-type]


def test_a_founding_is_not_taken_back_by_one(fund: Fund, attack: Attack) -> None:
    empty = _empty(fund)

    def void(society: Society, by: int, first: str = "") -> str:
        return attack(first + _VOID_SOCIETY % {"by": by, "day": f"'{DAY}'", "id": society.pk}, None)  # type: ignore[arg-type]

    assert void(empty, fund.approver.pk) == "KZ02A"
    asked = resolutions.prepare_take_back(fund.treasurer, society=empty, reason="wrong village")
    assert void(empty, fund.approver.pk) == "KZ02A"  # asked, not agreed to
    agreed = _AGREE % (asked.pk, fund.approver.pk)
    assert void(empty, fund.treasurer.pk, agreed) == "KZ02A"  # not by who agreed
    services.leave(fund.treasurer, member=fund.stranger, left_on=DAY, reason="moves away")
    assert void(fund.other, fund.approver.pk, agreed) in ("KZ02A", "KZ028")  # another society's
    assert void(empty, fund.approver.pk, agreed) == ""


def test_a_society_is_not_left_without_rules(fund: Fund, attack: Attack) -> None:
    rules = fund.society.rule_sets.get()
    end = (
        "UPDATE mutual_funds_ruleset SET ends_before = %s, counts_before = %s, ended_at = now(), ended_by_id = "
        "1, end_reason = 'x' WHERE id = %s"
    )
    assert attack(end, [DAY, DAY, rules.pk]) == "KZ02A"
    void = (
        "UPDATE mutual_funds_ruleset SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on "
        "= counts_from WHERE id = %s"
    )
    assert attack(void, [rules.pk]) == "KZ02A"
    newer = adopted(fund, date(2009, 5, 4))
    assert attack(void, [newer.pk]) == "KZ02A"  # the rules before it have ended
    assert attack(end, [date(2009, 6, 1), date(2009, 6, 1), newer.pk]) == "KZ02A"
    closed = (
        "UPDATE mutual_funds_society SET ends_before = '2009-06-01', counts_before = '2009-06-01', ended_at = "
        "now(), ended_by_id = 1 WHERE id = %s;"
    )
    empty = _empty(fund)
    with_it = closed % empty.pk + end % ("'2009-06-01'", "'2009-06-01'", empty.rule_sets.get().pk)
    assert attack(with_it, None) == ""  # type: ignore[arg-type]


def test_a_resolution_founds_once(fund: Fund, attack: Attack) -> None:
    empty = _empty(fund)
    asked = empty.resolution
    assert asked is not None
    book = ledger.open_book(
        fund.treasurer,
        kind="society",
        name="X",
        area_id=empty.area_id,
        opened_on=DAY,
        permission="mutual_funds.prepare",
    )
    sql = """INSERT INTO mutual_funds_society (area_id, name, size_class, book_id, starts_on, counts_from,
        recorded_by_id, resolution_id)
        VALUES (%s, 'X', 'small', %s, %s, %s, 1, %s)"""
    resolutions.approve(
        fund.approver, resolutions.prepare_take_back(fund.treasurer, society=empty, reason="wrong village")
    )
    assert attack(sql, [empty.area_id, book.pk, DAY, DAY, asked.pk]) == "23505"
    assert attack(sql, [empty.area_id, book.pk, DAY, DAY, None]) == "23514"
    again = resolutions.prepare_founding(
        fund.treasurer,
        area_id=empty.area_id,
        name="X",
        size_class="small",
        founded_on=DAY,
        terms=TERMS,
        document_no="3",
        document_on=DAY,
    )
    assert attack(sql, [empty.area_id, book.pk, DAY, DAY, again.pk]) == "KZ02A"  # not agreed to
    agreed = _AGREE % (again.pk, fund.approver.pk)
    assert attack(agreed + sql % (empty.area_id, book.pk, f"'{DAY}'", f"'{DAY}'", again.pk), None) == "KZ02A"  # type: ignore[arg-type]  # no rules
    resolutions.approve(fund.approver, again)
