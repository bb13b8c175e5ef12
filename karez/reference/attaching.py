"""Attaches the papers of appropriations, allocations and grants to their vouchers, as a finance officer would. Holds no
files.
"""

import csv
from datetime import date
from pathlib import Path

from django.db import transaction

from karez.access.models import User
from karez.funds.models import Allocation, Appropriation
from karez.ledger.models import Transfer
from karez.mutual_funds.models import Grant
from karez.notices import services as notices
from karez.notices.queries import documents_of
from karez.places.queries import area_by_code


def attach_listed(actor: User, listing: Path) -> int:
    """Attaches each paper of a list to the vouchers of its record, once; returns how many were attached."""
    with listing.open(encoding="utf-8", newline="") as file:
        return sum(_attach(actor, listing.parent / row["file"], row) for row in csv.DictReader(file))


@transaction.atomic
def _attach(actor: User, path: Path, row: dict[str, str]) -> int:
    done = 0
    for moved in Transfer.objects.filter(pk__in=_MONEY[row["record"]](row["reference"])).select_related("book"):
        if documents_of(actor, "voucher", moved.voucher_id).filter(name=path.name).exists():
            continue
        with path.open("rb") as stream:
            notices.attach(
                actor,
                kind="voucher",
                subject_id=moved.voucher_id,
                area_id=moved.book.area_id,
                name=path.name,
                stream=stream,
                title=row["title"],
                issued_on=date.fromisoformat(row["issued_on"]),
            )
        done += 1
    return done


def _of_appropriation(reference: str) -> list[int]:
    return [Appropriation.objects.get(reference=reference, voided_at=None).transfer_id]


def _of_allocation(reference: str) -> list[int]:
    record = Allocation.objects.get(reference=reference, voided_at=None)
    return [record.transfer_out_id, record.transfer_in_id]


def _of_grant(reference: str) -> list[int]:
    village, line = reference.split()
    record = Grant.objects.get(society__area_id=area_by_code(village), source_line__code=line, voided_at=None)
    return [record.transfer_id, record.county_transfer_id]


# What a paper belongs to -> the transfers whose vouchers it stands behind.
_MONEY = {"appropriation": _of_appropriation, "allocation": _of_allocation, "grant": _of_grant}
