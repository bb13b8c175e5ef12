"""Each rule in the same words on every road: a file, a form prepared for a second person, and raw SQL as the app."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, transaction

from karez.funds import services as funds
from karez.intake.models import Fault
from karez.kernel.refusal import Refusal
from karez.kernel.rules import Rule, Ruled, Void
from karez.mutual_funds import proposals, services
from karez.mutual_funds.record_rules import CONTRIBUTIONS, GRANTS, LOANS, REPAYMENTS, RULED
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund, adopted
from karez.mutual_funds.tests.test_attacks import _CONTRIBUTION, _LOAN, moved
from karez.mutual_funds.tests.test_sheets import send
from karez.records import rules

VILLAGE = "990101100200"
LOAN_HEAD = "village,loan_no,household_no,lent_on,principal,term_days,purpose,account"
PAID_HEAD = "village,household_no,paid_on,amount,kind,account"


def _number(fund: Fund, member: int = 0) -> str:
    return str(fund.members[member].household.household_no)


def by_file(fund: Fund, sheet: str, text: str) -> list[tuple[str, str, str]]:
    """Rule, what was found and what is expected, of every fault of a file."""
    batch = send(fund.world, sheet, text)
    listed = Fault.objects.filter(batch=batch).order_by("row_no", "rule")
    return [(one.rule.removeprefix("mutual_funds_"), one.found, one.expected) for one in listed]


def by_form(do: Callable[[], Any]) -> tuple[str, str, str]:
    """The same of what is prepared or entered by form."""
    with pytest.raises(Refusal) as no:
        do()
    return no.value.code.removeprefix("mutual_funds."), no.value.found, no.value.expected


def by_sql(sql: str, given: Any) -> tuple[str, str, str]:
    """The same of a statement of the app's own."""
    from django.db import connection

    with pytest.raises(DatabaseError) as no, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, given)
    told = rules.refusal_of(no.value.__cause__)
    assert told is not None, no.value
    return told.code.removeprefix("mutual_funds."), told.found, told.expected


def lend(fund: Fund, member: int = 0, *, no: str = "X", fen: int = 50_000, day: date = DAY, days: int = 90) -> Any:
    return proposals.prepare_loan(
        fund.treasurer,
        member=fund.members[member],
        loan_no=no,
        principal_fen=fen,
        lent_on=day,
        term_days=days,
        purpose="trade",
    )


def raw_loan(fund: Fund, member: int = 0, *, fen: int = 50_000, day: date = DAY, days: int = 90) -> dict[str, Any]:
    in_force = fund.society.rule_sets.filter(starts_on__lte=day).latest("starts_on")
    return {
        "society": fund.society.pk,
        "member": fund.members[member].pk,
        "rules": in_force.pk,
        "fen": fen,
        "rate": in_force.fee_rate_bp,
        "days": days,
        "due": day + timedelta(days),
        "parts": in_force.instalments,
        "day": day,
        "transfer": moved(fund, "1301", "1001", fen, day=day),
    }


@pytest.fixture
def paid(committed_fund: Fund) -> Fund:
    """A society whose members have paid in."""
    for member in committed_fund.members:
        committed_fund.pay_in(member, 2000)
    return committed_fund


def test_a_loan_recorded_late_makes_a_later_one_one_too_many(paid: Fund) -> None:
    """It passed the file's check and stopped the batch when applied, naming another loan and no row."""
    later, day = DAY + timedelta(10), DAY + timedelta(2)
    paid.lend(paid.members[0], 500, "1", day=later)
    row = f"{VILLAGE},9,{_number(paid)},{day},500,90,crops,cash"
    told = [
        *by_file(paid, "loans", f"{LOAN_HEAD}\n{row}\n"),
        by_form(lambda: lend(paid, day=day)),
        by_sql(_LOAN, raw_loan(paid, day=day)),
    ]
    found = f"on {later} 2 open or waiting, 1 allowed"
    assert told == [("loan_open_at_once", found, "no more loans at once than the society's rules allow")] * 3


def test_a_borrower_who_left_later_is_refused_alike(paid: Fund) -> None:
    end = date(2009, 5, 1)
    left = proposals.prepare_refund(
        paid.treasurer, member=paid.members[0], amount_fen=2000 * YUAN, refunded_on=end, leaving=True
    )
    proposals.approve(paid.approver, left)
    told = [
        *by_file(paid, "loans", f"{LOAN_HEAD}\n{VILLAGE},9,{_number(paid)},{DAY},500,90,crops,cash\n"),
        by_form(lambda: lend(paid)),
        by_sql(_LOAN, raw_loan(paid)),
    ]
    assert told == [
        ("borrower_is_member", f"left on {end}", "a household that is a member on that day and has not left since")
    ] * 3  # fmt: skip


def test_who_left_has_nothing_in_whatever_is_recorded_late(paid: Fund) -> None:
    end = date(2009, 5, 1)
    left = proposals.prepare_refund(
        paid.treasurer, member=paid.members[0], amount_fen=2000 * YUAN, refunded_on=end, leaving=True
    )
    proposals.approve(paid.approver, left)
    member = services.Member.objects.get(pk=paid.members[0].pk)
    day = DAY + timedelta(3)
    told = [
        *by_file(paid, "contributions", f"{PAID_HEAD}\n{VILLAGE},{_number(paid)},{day},100,own,cash\n"),
        by_form(lambda: entered.contribute(paid.treasurer, member=member, amount_fen=100 * YUAN, paid_on=day)),
        by_sql(_CONTRIBUTION, [member.pk, "own", 10_000, moved(paid, "1001", "2001", 10_000, day=day), day, day]),
    ]
    found = f"left on {end}; 100.00 yuan would be in"
    assert told == [("left_with_nothing_in", found, "no own money of a household that has left the society")] * 3


def test_the_least_contribution_is_the_databases_too(committed_fund: Fund) -> None:
    fund = committed_fund
    transfer = moved(fund, "1001", "2001", 9_900)
    told = [
        *by_file(fund, "contributions", f"{PAID_HEAD}\n{VILLAGE},{_number(fund)},{DAY},99,own,cash\n"),
        by_form(lambda: fund.pay_in(fund.members[0], 99)),
        by_sql(_CONTRIBUTION, [fund.members[0].pk, "own", 9_900, transfer, DAY, DAY]),
    ]
    assert {one[0] for one in told} == {"contribution_within_limits"} and len(told) == 3
    assert {one[1] for one in told} == {"99.00 yuan in all, 100.00 yuan to 2,000.00 yuan allowed"}


def test_each_instalment_has_a_fen_and_a_day(paid: Fund) -> None:
    adopted(paid, date(2009, 4, 1), instalments=60)
    day = date(2009, 4, 2)
    small = ("loan_within_cap", "0.59 yuan, at most 5,000.00 yuan")
    assert by_form(lambda: lend(paid, fen=59, day=day))[:2] == small
    assert (
        by_file(paid, "loans", f"{LOAN_HEAD}\n{VILLAGE},9,{_number(paid)},{day},0.59,90,crops,cash\n")[0][:2] == small
    )
    assert by_sql(_LOAN, raw_loan(paid, fen=59, day=day))[:2] == small
    short = ("loan_within_term", "59 days, 60 to 360 allowed")
    assert by_form(lambda: lend(paid, day=day, days=59))[:2] == short
    assert by_file(paid, "loans", f"{LOAN_HEAD}\n{VILLAGE},9,{_number(paid)},{day},500,59,crops,cash\n")[0][:2] == short
    assert by_sql(_LOAN, raw_loan(paid, day=day, days=59))[:2] == short


def test_what_waits_counts_in_a_file_as_in_a_form(paid: Fund) -> None:
    lend(paid, no="7", day=DAY + timedelta(5))
    file = by_file(paid, "loans", f"{LOAN_HEAD}\n{VILLAGE},7,{_number(paid)},{DAY},500,90,crops,cash\n")
    form = [by_form(lambda: lend(paid, no="7"))[0]]
    assert [one[0] for one in file] == ["loan_number_once", "loan_open_at_once"] and form == ["loan_number_once"]
    proposals.prepare_refund(paid.treasurer, member=paid.members[1], amount_fen=1900 * YUAN, refunded_on=DAY)
    row = f"{VILLAGE},{_number(paid, 1)},{DAY},101,refund,cash"
    (told,) = by_file(paid, "contributions", f"{PAID_HEAD}\n{row}\n")
    assert told[:2] == ("refund_within_own", "101.00 yuan, at most 100.00 yuan")


def test_money_of_another_purpose_is_refused_by_the_form_too(committed_fund: Fund) -> None:
    fund = committed_fund
    other = funds.open_line(
        fund.world.finance, code="TRAIN-2009", funder=fund.line.funder, programme="training", year=2009, document_no="2",
        name="Training",
    )  # fmt: skip
    given = {
        "society": fund.society,
        "line": other,
        "amount_fen": 200_000 * YUAN,
        "granted_on": DAY,
        "document_no": "8",
    }
    head = "village,source_line,granted_on,amount,document"
    file = by_file(fund, "grants", f"{head}\n{VILLAGE},TRAIN-2009,{DAY},200000,8\n")
    form = by_form(lambda: proposals.prepare_grant(fund.treasurer, **given))
    assert form == ("grant_line_of_programme", "TRAIN-2009, for training", "a source line for village mutual funds")
    assert form in file


def test_the_words_of_a_rule_reach_people_whole(committed_fund: Fund) -> None:
    """Found, expected, what to do, and where; of every rule there is something to do or see."""
    with pytest.raises(Refusal) as no:
        committed_fund.pay_in(committed_fund.members[0], 99)
    assert no.value.more["column"] == "amount" and no.value.todo == "take in what the rules allow"
    for ruled in RULED:
        assert all(str(rule.expected) for rule in ruled.rules)


@pytest.mark.parametrize("ruled", RULED, ids=lambda one: one.table)
def test_the_database_judges_each_declared_rule(ruled: Ruled, db: None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [f"{ruled.table}_judged"])
        (text,) = cursor.fetchone()
    assert all(f"'{rule.name}'" in text for rule in ruled.rules)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("x", "no_column", "y", "SELECT 1"),
        Rule("x", "amount_fen", "y", "SELECT 1", key=("nowhere",)),
        Rule("member_then", "amount_fen", "y", "SELECT 1"),
    ],
)
def test_a_wrong_declaration_is_a_fault_of_the_program(rule: Rule) -> None:
    wrong = Ruled(
        CONTRIBUTIONS.model, "KZ021", CONTRIBUTIONS.columns, (*CONTRIBUTIONS.rules, rule), also=CONTRIBUTIONS.also
    )
    with pytest.raises(AssertionError, match="mutual_funds_contribution"):
        rules.check_declaration(wrong)


def test_rules_of_one_key_are_gathered_once() -> None:
    groups = {tuple(rule.name for rule in group) for group in rules.together(LOANS.rules)}
    assert (
        "borrower_is_member",
        "household_there",
        "loan_rules_in_force",
        "loan_within_cap",
        "loan_within_term",
    ) in groups
    assert len(rules.together(REPAYMENTS.rules)) == 2 and len(rules.together(GRANTS.rules)) == 2


def test_an_error_of_another_kind_is_no_refusal() -> None:
    assert rules.refusal_of(ValueError("x")) is None and rules.refusal_of(psycopg.errors.UniqueViolation("x")) is None


def test_the_loan_that_is_one_too_many_is_the_one_told(paid: Fund) -> None:
    number, before, after = _number(paid), DAY, DAY + timedelta(1)
    text = f"""{LOAN_HEAD}
{VILLAGE},a,{number},{after},500,90,crops,cash
{VILLAGE},b,{number},{before},500,90,crops,cash
"""
    batch = send(paid.world, "loans", text)
    assert [(one.row_no, one.rule) for one in Fault.objects.filter(batch=batch)] == [
        (2, "mutual_funds_loan_open_at_once")
    ]
    first = paid.lend(paid.members[0], 500, "1", day=before)
    entered.record_repayment(
        paid.treasurer, loan=first, amount_fen=entered.schedule_of(first)[0].total_fen, paid_on=after
    )
    assert (
        by_file(paid, "loans", f"{LOAN_HEAD}\n{VILLAGE},c,{number},{after},500,90,crops,cash\n") == []
    )  # repaid that day
    (told,) = by_file(paid, "loans", f"{LOAN_HEAD}\n{VILLAGE},c,{number},{before},500,90,crops,cash\n")
    assert told[0] == "loan_open_at_once"


@pytest.mark.parametrize("fen", [-500, 0, 10**9])
def test_a_repayment_of_no_sense_is_refused_in_words(paid: Fund, fen: int) -> None:
    loan = paid.lend(paid.members[0], 500, "1")
    rule, _found, expected = by_form(
        lambda: entered.record_repayment(paid.treasurer, loan=loan, amount_fen=fen, paid_on=DAY)
    )
    assert rule in ("low", "repayment_within_owed") and expected


def test_rules_declared_no_more_are_judged_no_more(
    committed_fund: Fund, owner_cursor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade after which a table, or its voids, have no rule: it goes through, and nothing of them is left."""
    from karez.periods.guard import install

    def judging() -> set[str]:
        owner_cursor.execute(
            "SELECT p.proname FROM pg_proc p JOIN pg_trigger t ON t.tgfoid = p.oid WHERE p.proname ~ '_judged(_void)?$'"
        )
        return {name for (name,) in owner_cursor.fetchall()}

    assert "mutual_funds_grant_judged" in judging() and "mutual_funds_repayment_judged_void" in judging()
    calm = replace(REPAYMENTS, rules=tuple(replace(rule, void=Void.NONE) for rule in REPAYMENTS.rules))
    kept = {one.table: one for one in (CONTRIBUTIONS, LOANS, calm)}
    with monkeypatch.context() as without:
        without.setattr(rules, "declared", lambda: kept)
        install()
        install()
    left = judging()
    assert "mutual_funds_grant_judged" not in left and "mutual_funds_repayment_judged_void" not in left
    assert "mutual_funds_repayment_judged" in left and "mutual_funds_contribution_judged_void" in left
    install()
    assert "mutual_funds_grant_judged" in judging()
