"""One record of every kind in each of two counties, and the addresses that lead to them. Plain functions; no fixtures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings

from karez.funds import services as funds
from karez.funds.models import Allocation
from karez.intake import services as intake
from karez.ledger import services as ledger
from karez.ledger.models import Account, Book, Voucher
from karez.mutual_funds import proposals as mutual
from karez.mutual_funds import resolutions
from karez.mutual_funds.tests.conftest import TERMS
from karez.mutual_funds.tests.conftest import build as build_fund
from karez.notices.services import attach
from karez.register import identity
from karez.register import services as register

PEOPLE = {"990101": "马有泉", "990102": "石守梁"}
COUNTIES = ("990101", "990102")


def table(name: str) -> dict[str, Any]:
    """What the rooms say in `tests/scope.py` under that name, together; of a set, its members."""
    return {key: value for module in _modules() for key, value in _pairs(getattr(module, name, {}))}


def _pairs(part: Any) -> Iterable[tuple[str, Any]]:
    return part.items() if isinstance(part, dict) else ((name, None) for name in part)


def _modules() -> list[Any]:
    names = (f"karez.{room}.tests.scope" for room in settings.ROOMS if find_spec(f"karez.{room}.tests"))
    return [import_module(name) for name in names if find_spec(name)]


@dataclass
class Sample:
    """A county's records by the names its addresses use, and words that only its pages may show."""

    county: str
    ids: dict[str, Any]
    secrets: list[str]


def build(world: Any) -> dict[str, Sample]:
    """Writes the records of both counties; county code -> its sample."""
    fund = build_fund(world)
    funds.approve(
        world.approver,
        funds.prepare_allocation(
            world.finance,
            line=fund.line,
            county_id=world.areas["990102"],
            amount_fen=30_000_000,
            happened_on=date(2009, 1, 6),
            reference="b2",
            document_no="2009/2",
        ),
    )
    ours = {"society": fund.society, "member": fund.members[0], "fund": fund}
    theirs = {"society": fund.other, "member": fund.stranger, "fund": fund}
    found = {}
    for county, clerk, parts in (("990101", world.clerk, ours), ("990102", world.other_clerk, theirs)):
        found[county] = _county(world, fund, county, clerk, parts)
    return found


def _county(world: Any, fund: Any, county: str, clerk: Any, parts: dict[str, Any]) -> Sample:
    society, member = parts["society"], parts["member"]
    village = society.area_id
    house = register.add_household(clerk, village_id=village, household_no=f"H-{county}", starts_on=date(2009, 2, 1))
    person = register.add_person(
        clerk,
        household_id=house.pk,
        new=register.NewPerson(
            sex=1, birth_month=date(1970, 3, 1), relation=0, since=date(2009, 2, 1), name=PEOPLE[county]
        ),
    )
    asked = identity.request_erasure(clerk, person_id=person.pk, reason=f"Asked for in {county}")
    book = Book.objects.get(pk=society.book_id)
    money = {a.code: a.pk for a in Account.objects.filter(book=book)}
    posted = ledger.receive(
        world.finance if county == "990102" else world.treasurer,
        [
            ledger.Draft(
                book_id=book.pk,
                booking_date=date(2009, 5, 1),
                kind="gift",
                narration=f"Gift in {county}",
                lines=(ledger.Line(money["1001"], money["4002"], 12_300),),
            )
        ],
    )[0]
    paid = fund.pay_in(member, 500)
    grant = mutual.prepare_grant(
        world.finance,
        society=society,
        line=fund.line,
        amount_fen=20_000_000,
        granted_on=date(2009, 3, 1),
        document_no=f"Grant {county}",
    )
    mutual.approve(world.approver, grant)
    loan = fund.lend(member, 300, f"L-{county}")
    waits = mutual.prepare_refund(world.finance, member=member, amount_fen=100, refunded_on=date(2009, 6, 1))
    rules = resolutions.prepare_rules(
        world.finance,
        society=society,
        starts_on=date(2009, 8, 1),
        terms=TERMS,
        document_no=f"Minutes {county}",
        document_on=date(2009, 8, 1),
    )
    passed = funds.prepare_allocation(
        world.finance,
        line=fund.line,
        county_id=world.areas[county],
        amount_fen=100,
        happened_on=date(2009, 7, 1),
        reference=f"R-{county}",
        document_no="2009/7",
    )
    count = ledger.count_cash(
        world.finance,
        account=Account.objects.get(pk=money["1001"]),
        counted_on=date(2009, 5, 1),
        counted_fen=1,
        note=f"Counted in {county}",
    )
    set_id = ledger.prepare(
        world.finance,
        [
            ledger.Draft(
                book_id=book.pk,
                booking_date=date(2009, 5, 2),
                kind="transfer",
                narration=f"To the bank in {county}",
                lines=(ledger.Line(money["1002"], money["1001"], 300),),
            )
        ],
    )
    paper = attach(
        clerk,
        kind="voucher",
        subject_id=posted.voucher_id,
        area_id=village,
        name=f"receipt-{county}.txt",
        stream=[f"receipt of {county}".encode()],
    )
    batch = intake.receive(clerk, sheet="returns", file_name=f"returns-{county}.csv", stream=_csv(county))
    intake.stage(batch.pk)
    ids = {
        "area_id": village,
        "village_id": village,
        "household_id": house.pk,
        "book_id": book.pk,
        "account_id": money["1001"],
        "count_id": count.pk,
        "allocation_id": Allocation.objects.filter(area_id=world.areas[county]).earliest("pk").pk,
        "voucher_id": posted.voucher_id,
        "set_id": set_id,
        "document_id": paper.pk,
        "batch_id": batch.pk,
        "society_id": society.pk,
        "loan_id": loan.pk,
        "contribution_id": paid.pk,
        "mutual_proposal_id": waits.pk,
        "resolution_id": rules.pk,
        "fund_proposal_id": passed.pk,
        "line_id": fund.line.pk,
        "person_id": person.pk,
        "fact_id": person.memberships.get().pk,
        "request_id": asked.pk,
    }
    secrets = [
        f"L-{county}",
        f"Grant {county}",
        f"Minutes {county}",
        f"H-{county}",
        PEOPLE[county],
        f"Gift in {county}",
        f"Counted in {county}",
        f"receipt-{county}",
        f"returns-{county}",
        f"Asked for in {county}",
    ]
    for module in _modules():
        if hasattr(module, "records"):
            found, words = module.records(world, clerk, county)
            ids, secrets = ids | found, secrets + words
    assert Voucher.objects.filter(pk=posted.voucher_id).exists()
    return Sample(county, ids, secrets)


def _csv(county: str) -> list[bytes]:
    return [f"measure,area,year,value,document\nnonsense_{county},{county},2009,1,Paper of {county}\n".encode()]
