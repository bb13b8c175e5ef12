"""One small world of books: an office and two societies in a county, and the people who work on them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from django.db import connection

from karez.access.models import User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.ledger import services
from karez.ledger.models import Account, Book
from karez.ledger.services import Draft, Line
from karez.periods.services import found_region
from karez.places.models import Area, AreaSpell
from tests.stages import Stage

DAY = date(2009, 3, 31)
CHART = (
    ("1001", "Cash", "debit"),
    ("1002", "Bank", "debit"),
    ("1301", "Loans outstanding", "debit"),
    ("2001", "Members' contributions", "credit"),
    ("4001", "Grant", "credit"),
    ("4003", "Surplus", "credit"),
)


@dataclass
class World:
    """The people, and a book with its accounts by code."""

    county_id: int
    other_county_id: int
    treasurer: User
    colleague: User  # a second treasurer
    approver: User
    stranger: User  # approver and treasurer's colleague of another county
    book: Book
    accounts: dict[str, Account]
    outside: Account  # may be overdrawn: where test money comes from

    def draft(self, debit: str, credit: str, fen: int, day: date = DAY, kind: str = "test") -> Draft:
        a = self.accounts
        return Draft(self.book.pk, day, kind, f"{debit} from {credit}", (Line(a[debit].pk, a[credit].pk, fen),))

    def paid_in(self, fen: int, day: date = DAY) -> services.Posted:
        """Members pay in cash."""
        return services.receive(self.treasurer, [self.draft("1001", "2001", fen, day)])[0]

    def account(self, code: str) -> Account:
        return Account.objects.get(pk=self.accounts[code].pk)


def area(level: str, code: str, parent: int | None) -> int:
    made = Area.objects.create(first_level=level, recorded_by_id=1)
    start = date(2009, 1, 1)
    AreaSpell.objects.create(
        area=made,
        level=level,
        code=code,
        name_zh=code,
        name_en=code,
        parent_id=parent,
        starts_on=start,
        counts_from=start,
        recorded_by_id=1,
    )
    return made.pk


def make_world() -> World:
    user: Callable[[str], User] = lambda name: add_user(username=name, full_name=name, password=None)  # noqa: E731
    treasurer, colleague, approver, stranger = (user(n) for n in ("treasurer", "colleague", "approver", "stranger"))
    first = Area.objects.create(first_level="region", recorded_by_id=1).pk
    found_region(
        area_id=first,
        code="99",
        first_year=2009,
        controller="Office",
        legal_basis="law",
        complaint_body="Ombudsman",
    )
    start = date(2009, 1, 1)
    AreaSpell.objects.create(
        area_id=first,
        level="region",
        code="99",
        name_zh="R",
        name_en="R",
        starts_on=start,
        counts_from=start,
        recorded_by_id=1,
    )
    county, other = area("county", "9901", first), area("county", "9902", first)
    with connection.cursor() as cursor:
        cursor.execute("SELECT places_refresh_tree()")
    for person, role, where in (
        (treasurer, Role.TREASURER, county),
        (colleague, Role.TREASURER, county),
        (approver, Role.APPROVER, county),
        (stranger, Role.TREASURER, other),
    ):
        grant_role(None, user=person, role=role, area_id=where, starts_on=start)
    return World(county, other, treasurer, colleague, approver, stranger, *make_book(treasurer, county))


def make_book(by: User, area_id: int, name: str = "Society") -> tuple[Book, dict[str, Account], Account]:
    book = services.open_book(by, kind="society", name=name, area_id=area_id, opened_on=date(2009, 1, 1))
    accounts = {
        code: services.open_account(by, book=book, code=code, name=title, normal_side=side)
        for code, title, side in CHART
    }
    outside = services.open_account(by, book=book, code="9999", name="Outside", normal_side="credit", may_overdraw=True)
    return book, accounts | {"9999": outside}, outside


WORLD = Stage(make_world)


@pytest.fixture
@WORLD.given
def world(db: None) -> World:
    return WORLD.copy() or make_world()


@pytest.fixture
@WORLD.given
def committed_world(committed_db: str) -> World:
    return WORLD.copy() or make_world()
