"""A record's own page: its facts, the lists held to it, who recorded it and what became of it. Holds no declaration."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from karez.access.models import User
from karez.access.pages import actor_of
from karez.access.services import log_read
from karez.kernel.facts import Fact
from karez.kernel.lists import RecordPage
from karez.kernel.refusal import Refusal
from karez.periods.as_of import AsOf
from karez.places.queries import ancestors, may
from karez.records import fetching, registry
from karez.records.cells import Cells, address_of, heading, text
from karez.records.drawn import Drawn, draw

_PART_ROWS = 10


@dataclass(frozen=True)
class History:
    """Who recorded a fact and when, with which file; what it replaced; why it was voided, and what stands instead."""

    recorded_by_id: int
    recorded_at: datetime
    batch_id: int | None
    replaces: str  # address of the record it replaced, "" for none
    replaced_by: str
    voided_at: datetime | None
    voided_by_id: int | None
    void_reason: str
    void_counts_on: Any


@dataclass(frozen=True)
class DrawnRecord:
    """The page of a record, ready to be shown. Facts are heading and value."""

    page: RecordPage
    title: str
    facts: list[tuple[str, SafeString]]
    parts: list[Drawn]
    history: History | None
    receipt: list[tuple[str, SafeString]]
    documents: tuple[str, int] | None  # kind and id of what they are attached to
    way: Any


def found_record(actor: User, page: RecordPage, record_id: int) -> fetching.Row:
    """The values of a record, with its `address`; refuses in the same words one that is not there and one not visible."""
    row = fetching.record(actor, page, record_id)
    if row is None:
        raise Refusal("not_found.record", record=f"{page.name} {record_id}", unseen=True)
    return row | {"address": address_of(page.name, record_id)}


def title_of(page: RecordPage, row: fetching.Row) -> str:
    """What the record is called."""
    if not page.title:
        return capfirst(str(page.label))
    return str(page.title) % {one.name: text(one, row[one.name], {}) for one in page.columns}


def drawn_record(request: HttpRequest, page: RecordPage, record_id: int) -> DrawnRecord:
    """The page of a record the reader may see; the look is logged where it tells of a household or person."""
    actor = actor_of(request)
    row = found_record(actor, page, record_id)
    if page.reads:
        log_read(actor, kind=page.reads, subject_id=record_id, purpose=f"the page {page.name}, without a name")
    cells = Cells(actor, page, [row])
    history = _history(page, record_id)
    receipt: list[tuple[str, SafeString]] = []
    if page.receipt and row[page.receipt.number] and not (history and history.voided_at):
        stated = [one for name in page.receipt.columns for one in page.columns if one.name == name]
        receipt = [(heading(one), cells.value(one, row)) for one in stated]
    return DrawnRecord(
        page=page,
        title=title_of(page, row),
        facts=[(heading(one), cells.value(one, row)) for one in page.columns],
        parts=parts(request, page, record_id),
        history=history,
        receipt=receipt,
        documents=(page.documents[0], row[page.documents[1]]) if page.documents and row[page.documents[1]] else None,
        way=ancestors(actor, row[fetching.AREA]) if may(actor, "places.view", row[fetching.AREA]) else [],
    )


def parts(request: HttpRequest, page: RecordPage, record_id: int, when: AsOf | None = None) -> list[Drawn]:
    """The first rows of each list held to a record, as of now or a day; its own names in the address begin with the list's.

    Whoever asks logs the look.
    """
    return [
        draw(
            request,
            registry.list_named(name),
            within=(page.name, record_id),
            prefix=f"{name.partition('.')[2]}.",
            limit=_PART_ROWS,
            when=when,
        )
        for name in page.parts
    ]


def _history(page: RecordPage, record_id: int) -> History | None:
    if not issubclass(page.model, Fact):
        return None
    facts: Any = page.model._default_manager
    row = facts.get(pk=record_id)
    after = facts.filter(replaces_id=record_id).values_list("pk", flat=True).first()
    return History(
        recorded_by_id=row.recorded_by_id,
        recorded_at=row.recorded_at,
        batch_id=row.batch_id,
        replaces=address_of(page.name, row.replaces_id) if row.replaces_id else "",
        replaced_by=address_of(page.name, after) if after else "",
        voided_at=row.voided_at,
        voided_by_id=row.voided_by_id,
        void_reason=row.void_reason or "",
        void_counts_on=row.void_counts_on,
    )
