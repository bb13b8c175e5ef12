"""The capital of the region's first day is of every society that stood then, also of one that has ended since."""

from datetime import date
from typing import Any

from django.db import connection

from karez.ledger import services as ledger
from karez.mutual_funds.figure_tables import CAPITAL, OPENING
from karez.mutual_funds.models import Opening
from karez.mutual_funds.tests.test_figures import rows
from karez.mutual_funds.tests.test_sheets import FILES, county, load  # noqa: F401 - a fixture


def _end(table: str, column: str, pk: int, day: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            (
                f"UPDATE {table} SET ends_before = %s, counts_before = %s, ended_at = now(), ended_by_id = 1, "
                f"end_reason = 'x' WHERE {column} = %s"
            ),
            [day, day, pk],
        )


def _wind_up(county: Any, opening: Opening) -> None:  # noqa: F811
    """Every pot paid out or written off: a society ends empty."""
    account = {a.code: a.pk for a in opening.society.book.accounts.all()}
    moves = (
        ("4001", "1002", opening.bank_fen),
        ("4001", "1301", opening.grant_fen - opening.bank_fen),
        ("2001", "1301", opening.contributions_fen),
        ("4003", "1301", opening.surplus_fen),
    )
    lines = tuple(ledger.Line(account[debit], account[credit], fen) for debit, credit, fen in moves)
    draft = ledger.Draft(opening.society.book_id, date(2009, 11, 2), "closing", "wound up", lines)
    ledger.approve(county.approver, ledger.prepare(county.finance, [draft]))


def test_own_money_in_an_opening_is_that_of_each_household(county: Any) -> None:  # noqa: F811
    """As far as the members' old money is known; the rest is somebody's. The pots stay what the voucher brought in."""
    load(county, "societies", "society_openings")
    whole = [r for r in rows(OPENING.sql) if r["contributions_fen"]]
    assert [(r["contributions_fen"], r["household_key"]) for r in whole] == [(1_500_00, None)]
    load(county, "grants", "fund_members")
    part = FILES["contributions"].replace(",500,own,\n", ",300,own,\n", 1)
    load(county, "contributions", contributions=part)
    for table in (OPENING, CAPITAL):
        told = [r for r in rows(table.sql) if r["transfer_id"] == whole[0]["transfer_id"]]
        assert sorted((r["contributions_fen"], r["household_key"] is None) for r in told) == [
            (200_00, True),
            (300_00, False),
            (1_000_00, False),
        ]
        assert len({r["household_key"] for r in told}) == 3
        assert {r["grant_fen"] + r["gifts_fen"] + r["surplus_fen"] for r in told} == {0}


def test_a_society_that_ended_in_the_first_year_stays_in_its_opening(county: Any) -> None:  # noqa: F811
    load(county, "societies", "society_openings")
    opening = Opening.objects.get()
    before = rows(OPENING.sql)
    told = [sum(r[pot] for r in before) for pot in ("grant_fen", "contributions_fen", "gifts_fen", "surplus_fen")]
    assert told == [opening.grant_fen, opening.contributions_fen, opening.gifts_fen, opening.surplus_fen]
    assert {r["transfer_id"] for r in before} <= {r["transfer_id"] for r in rows(CAPITAL.sql)}
    village = opening.society.area_id
    _wind_up(county, opening)
    _end("mutual_funds_society", "id", opening.society_id, "2009-12-01")
    assert [r for r in rows(CAPITAL.sql) if r["society_id"] == opening.society_id] == []
    assert rows(OPENING.sql) == before
    # Where its village ended too, the money lies in the township or county that is left.
    _end("places_areaspell", "area_id", village, "2009-12-15")
    after = rows(OPENING.sql)
    assert [{**r, "area_id": 0} for r in after] == [{**r, "area_id": 0} for r in before]
    assert village not in {r["area_id"] for r in after}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM places_tree_on('2009-12-31', true) WHERE area_id = ANY(%s)",
            [[r["area_id"] for r in after]],
        )
        assert cursor.fetchone()[0] == 1
