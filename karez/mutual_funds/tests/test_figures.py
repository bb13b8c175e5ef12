"""Figure tables, figures and closing checks over a small history with known answers."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from karez.kernel.refusal import Refusal
from karez.mutual_funds import proposals, services
from karez.mutual_funds.checks import CHECKS, REPORTS
from karez.mutual_funds.figure_tables import FIGURE_TABLES
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import DAY, YUAN, Fund

GIVEN = {"as_of": date(2009, 12, 31), "year": 2009, "year_start": date(2009, 1, 1)}


def rows(sql: str, given: dict[str, Any] = GIVEN) -> list[dict[str, Any]]:
    """The rows of a declaration's SQL, by column."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        names = [c.name for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def history(fund: Fund) -> None:
    """One grant, three members; one loan repaid on time, one late, one of last day extended."""
    proposals.approve(
        fund.approver,
        proposals.prepare_grant(
            fund.treasurer,
            society=fund.society,
            line=fund.line,
            amount_fen=200_000 * YUAN,
            granted_on=DAY,
            document_no="7",
        ),
    )
    for member in fund.members:
        fund.pay_in(member, 2000)
    on_time, late, extended = (fund.lend(m, 1000, str(n), days=90) for n, m in enumerate(fund.members))
    entered.record_repayment(fund.treasurer, loan=on_time, amount_fen=102_400, paid_on=on_time.due_on)
    entered.record_repayment(fund.treasurer, loan=late, amount_fen=52_400, paid_on=late.due_on + timedelta(1))
    entered.extend_loan(
        fund.treasurer, loan=extended, due_on=date(2009, 12, 20), decided_on=date(2009, 5, 1), reason="drought"
    )
    refund = proposals.prepare_refund(
        fund.treasurer, member=fund.members[0], amount_fen=500 * YUAN, refunded_on=date(2009, 12, 1)
    )
    proposals.approve(fund.approver, refund)


@pytest.mark.parametrize("table", FIGURE_TABLES, ids=lambda t: t.name)
def test_a_table_has_its_columns_in_order(table: Any, fund: Fund) -> None:
    with connection.cursor() as cursor:
        cursor.execute(table.sql, GIVEN)
        assert [c.name for c in cursor.description] == ["area_id", *(c.name for c in table.columns)]


def test_the_tables_say_what_happened(fund: Fund) -> None:
    history(fund)
    tables = {t.name: rows(t.sql) for t in FIGURE_TABLES}
    societies = sorted(tables["mutual_funds_societies"], key=lambda s: s["society_id"])
    assert [s["members"] for s in societies] == [3, 1]
    paid = [c for c in tables["mutual_funds_capital"] if c["society_id"] == fund.society.pk]
    assert all(c["transfer_id"] and c["voucher_id"] for c in paid)
    assert tuple(sum(c[pot] for c in paid) for pot in ("grant_fen", "contributions_fen", "surplus_fen")) == (
        200_000 * YUAN,
        5_500 * YUAN,
        4_800,
    )
    assert all(
        bool(c["household_key"]) == bool(c["contributions_fen"] or c["surplus_fen"]) for c in paid
    )  # whose own money or fee it is
    assert [(g["amount_fen"], g["source_line"]) for g in tables["mutual_funds_grants"]] == [
        (200_000 * YUAN, "LGOP-2009-1")
    ]
    assert len(tables["mutual_funds_members"]) == 4
    loans = {row["loan_id"]: row for row in tables["mutual_funds_loans"]}
    assert sorted((x["outstanding_fen"], x["days_late"] > 30, x["rescheduled"]) for x in loans.values()) == [
        (0, False, False),
        (50_000, True, False),
        (100_000, False, True),
    ]
    dues = tables["mutual_funds_dues"]
    assert [d["due_fen"] for d in dues] == [102_400] * 3
    assert sorted(d["collected_on_time_fen"] for d in dues) == [0, 0, 102_400]
    assert sorted(d["collected_fen"] for d in dues) == [0, 52_400, 102_400]


def test_the_state_of_a_day_does_not_change_afterwards(fund: Fund) -> None:
    history(fund)
    before = {t.name: rows(t.sql) for t in FIGURE_TABLES}
    assert fund.society.loans.count() == 3
    late = fund.society.loans.get(loan_no="1")
    with connection.cursor() as cursor:  # 2010 is opened when 2009 is closed
        cursor.execute(
            "SELECT periods_prepare_close(2009, 1), periods_begin_close(2009, 2), periods_finish_close(2009, 'digest')"
        )
    entered.record_repayment(fund.treasurer, loan=late, amount_fen=50_000, paid_on=date(2010, 1, 2))
    services.leave(fund.treasurer, member=fund.stranger, left_on=date(2010, 1, 3), reason="moves away")
    assert {t.name: rows(t.sql) for t in FIGURE_TABLES} == before


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.name)
def test_a_sound_history_passes(check: Any, fund: Fund) -> None:
    history(fund)
    found = rows(check.sql)
    if check.name == "mutual_funds_grants_reach_the_standard":
        assert len(found) == 1  # the other society has no grant yet
    else:
        assert found == []


def test_money_posted_without_a_record_is_seen(fund: Fund) -> None:
    from karez.ledger import services as ledger

    fund.pay_in(fund.members[0], 2000)
    proposal = proposals.prepare_loan(
        fund.treasurer,
        member=fund.members[0],
        loan_no="1",
        principal_fen=1000,
        lent_on=DAY,
        term_days=30,
        purpose="trade",
    )
    ledger.approve(fund.approver, proposal.set_id)
    check = next(c for c in CHECKS if c.name == "mutual_funds_records_equal_books")
    assert len(rows(check.sql)) == 1
    proposals.approve(fund.approver, proposal)  # the record can still be made
    assert rows(check.sql) == []


def test_live_reports_run(fund: Fund) -> None:
    history(fund)
    found = {r.figure: [tuple(row.values()) for row in rows(r.sql)] for r in REPORTS}
    assert dict(found["mutual_funds.capital_members"])[fund.society.area_id] == 5500
    assert dict(found["mutual_funds.loans_outstanding"])[fund.society.area_id] == 1500
    assert found["mutual_funds.loans_issued"] == [(fund.world.region, 3000)]


def test_the_declarations_are_read(db: None) -> None:
    declarations = pytest.importorskip("karez.figures.declarations")
    from pathlib import Path

    import karez.funds as funds
    import karez.mutual_funds as room
    import karez.places as places
    from karez.funds.figure_tables import FIGURE_TABLES as FUNDS
    from karez.places.figure_tables import FIGURE_TABLES as PLACES

    try:
        files = [Path(m.__file__ or "").parent / "figures.toml" for m in (places, funds, room)]
        found, faults = declarations.read(files, (*PLACES, *FUNDS, *FIGURE_TABLES))
    except Refusal as refusal:
        pytest.fail(str(refusal))
    assert faults == []
    assert "mutual_funds.village_share" in found.of_year(2009)
