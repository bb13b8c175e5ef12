"""Attaches the papers of the appropriations to their vouchers, as a finance officer would. Holds no files."""

import csv
from pathlib import Path

from django.db import transaction

from karez.access.models import User
from karez.funds.models import Appropriation
from karez.ledger.models import Transfer
from karez.notices import services as notices
from karez.notices.queries import documents_of


def attach_listed(actor: User, listing: Path) -> int:
    """Attaches each paper of a list to the voucher of its appropriation, once; returns how many were attached."""
    with listing.open(encoding="utf-8", newline="") as file:
        return sum(_attach(actor, listing.parent / row["file"], row) for row in csv.DictReader(file))


@transaction.atomic
def _attach(actor: User, path: Path, row: dict[str, str]) -> int:
    record = Appropriation.objects.get(reference=row["reference"], voided_at=None)
    voucher_id = Transfer.objects.get(pk=record.transfer_id).voucher_id
    if documents_of(actor, "voucher", voucher_id).filter(name=path.name).exists():
        return 0
    with path.open("rb") as stream:
        notices.attach(
            actor, kind="voucher", subject_id=voucher_id, area_id=record.area_id, name=path.name, stream=stream,
            title=row["title"], issued_on=record.happened_on,
        )  # fmt: skip
    return 1
