"""A statement of many rows is judged by work that grows with their number, and one row by its own keys alone.

Work is the rows that PostgreSQL's own plans visited, told by auto_explain; no clock is read. Tables were never analysed
here, as on the day a region is founded: nothing is known of them but their size.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from karez.kernel.tests.work import Watched
from karez.system import database

SMALL, LARGE = 1_200, 4_800
_FIRST = 1_000_000  # ids made here
# A society of a hundred members each; the household and the transfers of member g have ids that follow from g.
_WORLD = """
SET session_replication_role = replica;
INSERT INTO ledger_book (id, kind, name, area_id, opened_on, recorded_by_id)
  SELECT {first} + s, 'society', 'S' || s, {first} + s, '2007-01-01', 1 FROM generate_series(0, {n} / 100 - 1) s;
INSERT INTO ledger_account (id, book_id, code, name, normal_side, holds_money, posted_debit_fen, posted_credit_fen,
    recorded_by_id)
  SELECT {first} + 4 * s + k, {first} + s, (ARRAY['1002', '2001', '1301', '4003'])[k + 1], 'A', (ARRAY['debit',
      'credit', 'debit', 'credit'])[k + 1],
    k = 0, 900000000, 900000000, 1 FROM generate_series(0, {n} / 100 - 1) s, generate_series(0, 3) k;
INSERT INTO mutual_funds_society (id, area_id, name, size_class, book_id, starts_on, counts_from, recorded_by_id,
    batch_id)
  SELECT id, id, name, 'old', id, '2007-01-01', '2009-01-01', 1, 1 FROM ledger_book WHERE id >= {first};
INSERT INTO mutual_funds_ruleset (id, society_id, loan_cap_fen, term_cap_days, extension_days_max, fee_rate_bp,
    contribution_min_fen, contribution_max_fen,
    allocation_order, write_off_pot, open_loans_max, instalments, min_members, min_poor_share, starts_on, counts_from,
        prepared_by_id,
    approved_by_id, recorded_by_id, batch_id)
  SELECT id, id, 500000, 365, 0, 80, 100, 500000, 'fee_first', 'surplus', 1, 1, 1, 1, '2007-01-01', '2009-01-01', 1, 2,
      1, 1
    FROM mutual_funds_society WHERE id >= {first};
INSERT INTO mutual_funds_opening (society_id, grant_fen, contributions_fen, gifts_fen, surplus_fen, cash_fen, bank_fen,
    loans_fen, voucher_id,
    happened_on, counts_on, recorded_by_id)
  SELECT id, 0, 1000000, 0, 0, 0, 1000000, 0, id, '2009-01-01', '2009-01-01', 1 FROM mutual_funds_society
      WHERE id >= {first};
INSERT INTO register_household (id, village_id, household_no, kind, starts_on, counts_from, recorded_by_id)
  SELECT {first} + g, {first} + g / 100, 'H' || g, 'registered', '2008-01-01', '2009-01-01', 1
      FROM generate_series(0, 2 * {n} - 1) g;
INSERT INTO mutual_funds_member (id, society_id, household_id, starts_on, counts_from, recorded_by_id)
  SELECT {first} + g, {first} + g / 100, {first} + g, '2008-01-01', '2009-01-01', 1 FROM generate_series(0, {n} - 1) g;
INSERT INTO ledger_voucher (id, book_id, happened_on, booking_date, year, number, kind, narration, prepared_by_id,
    approved_by_id, posted_at)
  SELECT id, id, '2009-03-01', '2009-03-01', 2009, id, 'loan', 'V', 1, 2, now() FROM ledger_book WHERE id >= {first};
INSERT INTO ledger_transfer (id, book_id, booking_date, voucher_id, line_no, debit_account_id, credit_account_id,
    amount_fen)
  SELECT {first} + 4 * g + k, {first} + g / 100, '2009-03-01', {first} + g / 100, 4 * (g % 100) + k + 1,
    {first} + 4 * (g / 100) + (ARRAY[0, 2, 0, 0])[k + 1], {first} + 4 * (g / 100) + (ARRAY[1, 0, 2, 3])[k + 1],
        (ARRAY[1000, 100000, 100000, 8000])[k + 1]
    FROM generate_series(0, {n} - 1) g, generate_series(0, 3) k;
INSERT INTO register_person (id, sex, birth_month, recorded_by_id) SELECT {first} + g, 1, '1970-01-01', 1
    FROM generate_series(0, {n} - 1) g;
INSERT INTO intake_batch (id, apply_permission, sheet, file_name, digest, size_bytes, vault_ref, delete_file_on, sender_id, state, decided_by_id)
  VALUES ({first}, 'x', 'contributions', 'x', 'x', 1, 'x', '2099-01-01', 1, 'applying', 2);
SET session_replication_role = origin;
"""
_STATEMENTS = {
    "opening contributions": """INSERT INTO mutual_funds_contribution (member_id, kind, amount_fen, happened_on,
        counts_on, recorded_by_id, batch_id)
      SELECT {first} + g, 'opening', 1000, '2008-06-01', '2009-01-01', 1, {first} FROM generate_series({low}, {high}) g""",
    "contributions": """INSERT INTO mutual_funds_contribution (member_id, kind, amount_fen, transfer_id, happened_on,
        counts_on, recorded_by_id)
      SELECT {first} + g, 'own', 1000, {first} + 4 * g, '2009-03-01', '2009-03-01', 1
          FROM generate_series({low}, {high}) g""",
    "loans": """INSERT INTO mutual_funds_loan (id, society_id, member_id, rule_set_id, loan_no, principal_fen,
        fee_rate_bp, term_days, due_on,
        instalments, purpose, opening, transfer_id, happened_on, counts_on, recorded_by_id) OVERRIDING SYSTEM VALUE
      SELECT {first} + g, {first} + g / 100, {first} + g, {first} + g / 100, 'L' || g, 100000, 80, 300,
          date '2009-03-01' + 300, 1, 'livestock', false,
        {first} + 4 * g + 1, '2009-03-01', '2009-03-01', 1 FROM generate_series({low}, {high}) g""",
    "repayments": """INSERT INTO mutual_funds_repayment (loan_id, principal_fen, fee_fen, principal_transfer_id,
        fee_transfer_id, happened_on,
        counts_on, recorded_by_id)
      SELECT {first} + g, 100000, 8000, {first} + 4 * g + 2, {first} + 4 * g + 3, '2009-03-01', '2009-03-01', 1
          FROM generate_series({low}, {high}) g""",
    "members": """INSERT INTO mutual_funds_member (society_id, household_id, starts_on, counts_from, recorded_by_id)
      SELECT {first} + g / 100, {first} + g, '2009-03-01', '2009-03-01', 1
          FROM generate_series({low} + {more}, {high} + {more}) g""",
    "assessments": """INSERT INTO register_assessment (household_id, year, income_fen, size, line, happened_on,
        counts_on, recorded_by_id)
      SELECT {first} + g, 2009, 1000, 4, 'national', '2009-11-01', '2009-11-01', 1
          FROM generate_series({low}, {high}) g""",
    "memberships": """INSERT INTO register_membership (person_id, household_id, relation, is_head, starts_on,
        counts_from, recorded_by_id)
      SELECT {first} + g, {first} + g, 0, true, '2009-01-01', '2009-01-01', 1 FROM generate_series({low}, {high}) g""",
    "ends of memberships": """UPDATE register_membership SET ends_before = '2009-12-01', counts_before = '2009-12-01',
        ended_at = now(), ended_by_id = 1,
        end_reason = 'moved' WHERE person_id BETWEEN {first} + {low} AND {first} + {high}""",
    "deaths": """INSERT INTO register_death (person_id, happened_on, counts_on, recorded_by_id)
      SELECT {first} + g, '2009-12-01', '2009-12-01', 1 FROM generate_series({low}, {high}) g""",
}


@pytest.fixture
def watched(committed_world: Any, committed_db: str) -> Iterator[Watched]:
    with database.administrator(committed_db) as admin:
        admin.autocommit = False
        yield Watched(admin)
        admin.rollback()


def _fill(watched: Watched, members: int) -> None:
    """The world of so many members; from then on the session is the app's."""
    watched.connection.rollback()
    watched.connection.execute(_WORLD.format(first=_FIRST, n=members).encode())
    watched.watch()
    watched.connection.execute("SET LOCAL ROLE karez_app")


def _statement(what: str, low: int, high: int, members: int) -> str:
    return _STATEMENTS[what].format(first=_FIRST, low=low, high=high, more=members)


def test_work_of_a_statement_grows_with_its_rows(watched: Watched) -> None:
    found: dict[str, list[int]] = {}
    for members in (SMALL, LARGE):
        _fill(watched, members)
        for what in _STATEMENTS:
            found.setdefault(what, []).append(watched.visited(_statement(what, 0, members - 1, members)))
    grown = {what: large / small for what, (small, large) in found.items()}
    assert max(grown.values()) < 1.25 * LARGE / SMALL, (grown, found)
    assert all(large < 60 * LARGE for _, large in found.values()), found


def test_one_row_among_many_is_judged_by_its_own_keys(watched: Watched) -> None:
    _fill(watched, LARGE)
    found = {}
    for what in _STATEMENTS:
        watched.visited(_statement(what, 0, LARGE - 2, LARGE))
    watched.connection.execute("RESET ROLE")
    watched.connection.execute("ANALYZE")
    watched.connection.execute("SET LOCAL ROLE karez_app")
    for what in _STATEMENTS:
        found[what] = watched.visited(_statement(what, LARGE - 1, LARGE - 1, LARGE))
    assert max(found.values()) < 1.5 * LARGE, found  # a table of this size may still be read whole, once


def test_a_file_with_every_row_of_one_household_costs_no_square(watched: Watched) -> None:
    """A slip that fills one number down a whole column: each row is one loan too many."""
    from karez.mutual_funds.sheet_checks import LOAN_CHECKS

    found: dict[str, list[int]] = {}
    for rows in (SMALL, LARGE):
        _fill(watched, SMALL)
        watched.connection.execute(
            f"CREATE TEMP TABLE one_household AS SELECT g AS row_no, {_FIRST} AS society_id, {_FIRST} AS member_id,"
            " 'X' || g AS loan_no, 1000::bigint AS principal, 90::bigint AS term_days, date '2009-03-01' AS lent_on"
            f" FROM generate_series(1, {rows}) g".encode()
        )
        for check in (one for one in LOAN_CHECKS if one.together or "open_at_once" in one.rule):
            sql = check.sql.replace("{stage}", "one_household")
            found.setdefault(check.rule, []).append(watched.visited(sql))
    assert len(found) >= 2
    grown = {what: large / small for what, (small, large) in found.items()}
    assert max(grown.values()) < 1.5 * LARGE / SMALL, (grown, found)
