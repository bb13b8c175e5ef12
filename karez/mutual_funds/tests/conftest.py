"""Two societies in two counties, their members, and public money on two lines: the world of this room's tests."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from django.db import connection

from conftest import WORLD
from karez.access.models import User
from karez.funds import services as funds
from karez.funds.models import SourceLine
from karez.kernel.lists import RecordList
from karez.mutual_funds import proposals, resolutions, services
from karez.mutual_funds.lists import SOCIETY
from karez.mutual_funds.models import Loan, Member, RuleSet, Society
from karez.mutual_funds.tests import entered
from karez.periods.services import counts_on
from karez.records.tests import asking
from karez.register.models import Household
from tests.stages import Stage

DAY = date(2009, 3, 2)
YUAN = 100
TERMS = services.Terms(
    loan_cap_fen=5_000 * YUAN,
    term_cap_days=360,
    fee_rate_bp=80,
    contribution_min_fen=100 * YUAN,
    contribution_max_fen=2_000 * YUAN,
    extension_days_max=180,
)


@dataclass
class Fund:
    """People, two societies, and their members."""

    world: Any
    treasurer: User
    approver: User
    society: Society
    other: Society
    members: list[Member]
    stranger: Member  # of the other society
    line: SourceLine

    def pay_in(self, member: Member, yuan: int, day: date = DAY) -> Any:
        """Own money of a member, in cash."""
        return entered.contribute(self.treasurer, member=member, amount_fen=yuan * YUAN, paid_on=day)[0]

    def lend(self, member: Member, yuan: int, no: str, day: date = DAY, days: int = 180) -> Loan:
        """A loan, prepared and approved."""
        made = proposals.approve(
            self.approver,
            proposals.prepare_loan(
                self.treasurer,
                member=member,
                loan_no=no,
                principal_fen=yuan * YUAN,
                lent_on=day,
                term_days=days,
                purpose="livestock",
            ),
        )
        assert isinstance(made, Loan)
        return made

    def balance(self, code: str, society: Society | None = None) -> int:
        """What an account of a society holds now, in fen, on its normal side."""
        book = (society or self.society).book
        return book.accounts.get(code=code).balance_fen


def household(village_id: int, number: str, day: date = date(2009, 1, 1)) -> Household:
    """A household of a village."""
    return Household.objects.create(
        village_id=village_id,
        household_no=number,
        kind="registered",
        starts_on=day,
        counts_from=counts_on(day),
        recorded_by_id=0,
    )


def founded(
    treasurer: User, approver: User, *, area_id: int, name: str, founded_on: date, size_class: str = "small"
) -> Society:
    """A society founded by two people."""
    asked = resolutions.prepare_founding(
        treasurer,
        area_id=area_id,
        name=name,
        size_class=size_class,
        founded_on=founded_on,
        terms=TERMS,
        document_no="minutes 1",
        document_on=founded_on,
    )
    return resolutions.approve(approver, asked)


def adopted(fund: Fund, starts_on: date, **terms: Any) -> RuleSet:
    """New rules of the fund's society, brought in by two people."""
    asked = resolutions.prepare_rules(
        fund.treasurer,
        society=fund.society,
        starts_on=starts_on,
        terms=replace(TERMS, **terms),
        document_no="minutes 2",
        document_on=starts_on,
    )
    resolutions.approve(fund.approver, asked)
    return asked.rule_set


def build(world: Any) -> Fund:
    """Writes the room's small world into the current database."""
    villages = [code for code in sorted(world.areas) if len(code) == 12]
    ours, theirs = villages[0], next(v for v in villages if v[:6] != villages[0][:6])
    county_id = world.areas[ours[:6]]
    day = date(2009, 1, 5)
    funder = funds.add_funder(world.finance, code="LGOP", name_en="Leading group office", kind="central_office")
    line = funds.open_line(
        world.finance,
        code="LGOP-2009-1",
        funder=funder,
        programme="mutual_funds",
        year=2009,
        document_no="2009/1",
        name="Village funds",
    )
    for proposal in (
        lambda: funds.prepare_appropriation(
            world.finance, line=line, amount_fen=1_000_000 * YUAN, happened_on=day, reference="a1", document_no="2009/1"
        ),
        lambda: funds.prepare_allocation(
            world.finance,
            line=line,
            county_id=county_id,
            amount_fen=600_000 * YUAN,
            happened_on=day,
            reference="b1",
            document_no="2009/2",
        ),
    ):
        funds.approve(world.approver, proposal())
    funds.set_standard(
        world.finance,
        programme="mutual_funds",
        size_class="any",
        low_fen=150_000 * YUAN,
        high_fen=200_000 * YUAN,
        starts_on=date(2006, 1, 1),
        document_no="2006/9",
    ).refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE funds_grantstandard SET ends_before = '2009-01-01', counts_before = '2009-01-01', ended_at = now(),"
            " ended_by_id = 0, end_reason = 'raised'"
        )
    for size, fen in (("small", 200_000 * YUAN), ("big", 300_000 * YUAN)):
        funds.set_standard(
            world.finance,
            programme="mutual_funds",
            size_class=size,
            low_fen=fen,
            high_fen=fen,
            starts_on=date(2009, 1, 1),
            document_no="2009/3",
        )
    finance = world.finance
    society, other = (
        founded(
            finance, world.approver, area_id=world.areas[code], name=f"Society {code}", founded_on=date(2009, 1, 10)
        )
        for code in (ours, theirs)
    )
    members = [
        entered.join(
            finance, society=society, household=household(society.area_id, f"H{n}"), joined_on=date(2009, 1, 20)
        )
        for n in range(1, 4)
    ]
    stranger = entered.join(
        finance, society=other, household=household(other.area_id, "H1"), joined_on=date(2009, 1, 20)
    )
    return Fund(world, world.finance, world.approver, society, other, members, stranger, line)


def rows(actor: User, listed: RecordList, society_id: int | None = None, day: date | None = None, **given: str) -> Any:
    """The rows of a list as its page fetches them, of a society where one is named."""
    within = (SOCIETY, society_id) if society_id is not None else None
    return asking.rows(actor, listed, within, day, **given)


FUND = Stage(build, on=WORLD)


@pytest.fixture
@FUND.given
def fund(world: Any) -> Fund:
    """The room's world, rolled back."""
    return FUND.copy() or build(world)


@pytest.fixture
@FUND.given
def committed_fund(committed_world: Any) -> Fund:
    """The room's world, committed to the test's own database."""
    return FUND.copy() or build(committed_world)


@pytest.fixture
def attack(fund: Fund) -> Callable[[str, list[Any]], str]:
    """Runs SQL as the app's role in a savepoint, judges what waits for commit; the state it was refused with, '' if it
    was not.
    """
    from django.db import DatabaseError, transaction

    def run(sql: str, params: list[Any]) -> str:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT current_user")
                assert cursor.fetchone()[0] == "karez_app"
                cursor.execute(sql, params)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                transaction.set_rollback(True)
        except DatabaseError as error:
            cause = error.__cause__
            return getattr(cause, "sqlstate", "") or str(error)
        return ""

    return run
