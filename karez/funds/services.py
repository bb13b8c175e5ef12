"""The only writers of this room besides its files: funders, lines, appropriations, allocations, their reversal,
standards.

Money is prepared by one person and approved by another; the record is made in the same moment as the money is posted.
Holds no grants to villages: those belong to the room above. Amounts are whole fen.
"""

from datetime import date
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from karez.access.models import User
from karez.funds import rules
from karez.funds.models import (
    Allocation,
    Appropriation,
    Funder,
    GrantStandard,
    PlanTarget,
    Proposal,
    SizeClass,
    SourceLine,
)
from karez.intake.numbers import key_of, number_key
from karez.kernel.messages import Listing, say
from karez.kernel.refusal import Refusal
from karez.ledger import services as ledger
from karez.ledger.models import Transfer, Voucher, VoucherSet
from karez.periods.services import counts_on, ends_on, region
from karez.places.queries import require

PREPARE, APPROVE = "funds.prepare", "funds.approve"


@transaction.atomic
def add_funder(actor: User, *, code: str, name_en: str, kind: str, name_zh: str = "") -> Funder:
    """Records a funder; refuses a code already taken."""
    require(actor, PREPARE, region().area_id)
    if Funder.objects.filter(code=code, voided_at=None).exists():
        raise _taken(say("funder"), code)
    return Funder.objects.create(code=code, name_en=name_en, name_zh=name_zh, kind=kind, recorded_by_id=actor.pk)


@transaction.atomic
def open_line(
    actor: User, *, code: str, funder: Funder, programme: str, year: int, document_no: str, name: str
) -> SourceLine:
    """Opens a source line; its accounts are opened where its money first arrives."""
    require(actor, PREPARE, region().area_id)
    rules.check_text(document_no, say("document number"), code)
    same = {"funder": funder, "programme": programme, "year": year, "document_no": document_no}
    if SourceLine.objects.filter(code=code, voided_at=None).exists():
        raise _taken(say("source line"), code)
    if SourceLine.objects.filter(**same, voided_at=None).exists():
        raise _taken(say("line of this funder, programme, year and document"), document_no)
    return SourceLine.objects.create(**same, code=code, name=name, recorded_by_id=actor.pk)


@transaction.atomic
def prepare_appropriation(
    actor: User,
    *,
    line: SourceLine,
    amount_fen: int,
    happened_on: date,
    reference: str,
    document_no: str,
    document_id: int | None = None,
) -> Proposal:
    """Prepares the booking of money received on a line; another person approves it."""
    area_id = region().area_id
    require(actor, PREPARE, area_id)
    _check(amount_fen, reference, document_no)
    if Appropriation.objects.alias(key=number_key("reference")).filter(key=key_of(reference), voided_at=None).exists():
        raise rules.reference_taken(reference)
    bank, account, book = _accounts(actor, "office", area_id, line, happened_on)
    draft = _draft(
        book, happened_on, "appropriation", reference, document_no, ledger.Line(bank, account, amount_fen), document_id
    )
    set_id = ledger.prepare(actor, [draft], permission=PREPARE)
    return _propose(
        actor, Proposal.Kind.APPROPRIATION, set_id, line, area_id, amount_fen, happened_on, reference, document_no
    )


@transaction.atomic
def prepare_allocation(
    actor: User,
    *,
    line: SourceLine,
    county_id: int,
    amount_fen: int,
    happened_on: date,
    reference: str,
    document_no: str,
    document_id: int | None = None,
) -> Proposal:
    """Prepares the passing of a line's money to a county, in both books; refuses more than lies on the line."""
    office_id = region().area_id
    require(actor, PREPARE, office_id)
    require(actor, PREPARE, county_id)
    _check(amount_fen, reference, document_no)
    if Allocation.objects.alias(key=number_key("reference")).filter(key=key_of(reference), voided_at=None).exists():
        raise rules.reference_taken(reference)
    bank, account, book = _accounts(actor, "office", office_id, line, happened_on)
    county_bank, county_account, county_book = _accounts(actor, "county", county_id, line, happened_on)
    words = ("allocation", reference, document_no)
    drafts = [
        _draft(book, happened_on, *words, ledger.Line(account, bank, amount_fen), document_id),
        _draft(county_book, happened_on, *words, ledger.Line(county_bank, county_account, amount_fen), document_id),
    ]
    set_id = ledger.prepare(actor, drafts, permission=PREPARE)
    return _propose(
        actor, Proposal.Kind.ALLOCATION, set_id, line, county_id, amount_fen, happened_on, reference, document_no
    )


@transaction.atomic
def prepare_reversal(actor: User, *, record: Appropriation | Allocation, reason: str) -> Proposal:
    """Prepares the taking back of a wrong record with its money; refused where the money has moved on."""
    require(actor, PREPARE, record.area_id)
    rules.check_text(reason, say("reason"), record.reference)
    if record.voided_at is not None:
        raise Refusal(
            "funds.already_void",
            record=record.reference,
            found=say("a record already taken back"),
            expected=say("a record that counts"),
            rule=say("a record is voided once"),
            todo=say("open the record to see who took it back and why"),
        )
    # What came into the county last goes back first: there it may already be spent.
    transfers = (
        [record.transfer_in_id, record.transfer_out_id] if isinstance(record, Allocation) else [record.transfer_id]
    )
    sets = [
        ledger.prepare_reversal(actor, Transfer.objects.get(pk=t).voucher_id, reason, permission=PREPARE)
        for t in transfers
    ]
    allocation = record if isinstance(record, Allocation) else None
    appropriation = record if isinstance(record, Appropriation) else None
    kind = Proposal.Kind.VOID_ALLOCATION if allocation else Proposal.Kind.VOID_APPROPRIATION
    return _propose(
        actor,
        kind,
        sets[0],
        record.line,
        record.area_id,
        record.amount_fen,
        record.happened_on,
        record.reference,
        record.document_no,
        reason=reason,
        second_set_id=sets[1] if allocation else None,
        appropriation=appropriation,
        allocation=allocation,
    )


@transaction.atomic
def approve(actor: User, proposal: Proposal) -> Appropriation | Allocation:
    """Posts what was prepared and makes (or voids) the record; refuses the person who prepared it.

    Where the set was already posted in the ledger itself, only the record is made.
    """
    require(actor, APPROVE, proposal.area_id)
    sets = [s for s in (proposal.set_id, proposal.second_set_id) if s is not None]
    for set_id in sets:
        if not VoucherSet.objects.filter(pk=set_id, approved_at__isnull=False).exists():
            ledger.approve(actor, set_id, permission=APPROVE)
    match proposal.kind:
        case Proposal.Kind.APPROPRIATION | Proposal.Kind.ALLOCATION:
            return _record(actor, proposal)
        case _:
            return _void(actor, proposal)


@transaction.atomic
def refuse(actor: User, proposal: Proposal, *, reason: str) -> None:
    """Refuses what was prepared, or withdraws one's own; gives back what it reserved."""
    for set_id in (proposal.set_id, proposal.second_set_id):
        if set_id is not None:
            ledger.refuse_set(actor, set_id, reason, permission=APPROVE)


@transaction.atomic
def set_standard(
    actor: User, *, programme: str, size_class: str, low_fen: int, high_fen: int, starts_on: date, document_no: str
) -> GrantStandard:
    """Records a grant standard from a day on; the one before must have ended."""
    area_id = region().area_id
    require(actor, PREPARE, area_id)
    rules.check_text(document_no, say("document number"), programme)
    try:
        with transaction.atomic():
            return GrantStandard.objects.create(
                area_id=area_id,
                programme=programme,
                size_class=size_class,
                low_fen=low_fen,
                high_fen=high_fen,
                document_no=document_no,
                starts_on=starts_on,
                counts_from=counts_on(starts_on),
                recorded_by_id=actor.pk,
            )
    except IntegrityError as error:
        raise Refusal(
            "funds.standard_refused",
            record=Listing((programme, SizeClass(size_class).label), " "),
            found=say("a standard in force on these days, or amounts out of order"),
            expected=say("one standard for a size of village at a time, low before high"),
            rule=say("a grant is judged by one standard"),
            todo=say("end the earlier standard first"),
        ) from error


@transaction.atomic
def end_standard(actor: User, standard: GrantStandard, *, ends_before: date, reason: str) -> GrantStandard:
    """Ends a standard from a day on."""
    require(actor, APPROVE, standard.area_id)
    rules.check_text(reason, say("reason"), str(standard))
    changed = GrantStandard.objects.filter(pk=standard.pk, ends_before=None, voided_at=None).update(
        ends_before=ends_before,
        counts_before=ends_on(ends_before),
        ended_at=Now(),
        ended_by_id=actor.pk,
        end_reason=reason,
    )
    if not changed:
        raise Refusal(
            "funds.already_ended",
            record=str(standard),
            found=say("an ended or void standard"),
            expected=say("a standard in force"),
            rule=say("an end is set once"),
            todo=say("open the standard to see when it ended"),
        )
    standard.refresh_from_db()
    return standard


@transaction.atomic
def set_target(
    actor: User,
    *,
    code: str,
    label: str,
    planned: Decimal | None,
    unit: str,
    from_year: int,
    until_year: int,
    adopted_on: date,
    document_no: str,
) -> PlanTarget:
    """Records a plan's number, or its period alone, from the day it was adopted."""
    area_id = region().area_id
    require(actor, PREPARE, area_id)
    rules.check_text(document_no, say("document number"), code)
    try:
        with transaction.atomic():
            return PlanTarget.objects.create(
                area_id=area_id,
                code=code,
                label=label,
                planned=planned,
                unit=unit,
                from_year=from_year,
                until_year=until_year,
                document_no=document_no,
                starts_on=adopted_on,
                counts_from=counts_on(adopted_on),
                recorded_by_id=actor.pk,
            )
    except IntegrityError as error:
        raise Refusal(
            "funds.target_refused",
            record=code,
            found=say("a target of this code already adopted, or years out of order"),
            expected=say("one target of a code at a time"),
            rule=say("a plan is changed by ending it and adopting another"),
            todo=say("end the earlier target first"),
        ) from error


# How money is drafted and recorded.


def _check(amount_fen: int, reference: str, document_no: str) -> None:
    rules.check_text(reference, say("reference"), say("payment"))
    rules.check_text(document_no, say("document number"), reference)
    rules.check_amount(amount_fen, reference)


def _accounts(actor: User, kind: str, area_id: int, line: SourceLine, day: date) -> tuple[int, int, int]:
    """Bank account, line account and book, opened where missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT funds_open_line_accounts(%s, NULL, %s, %s::bigint[], %s::bigint[], periods_counts_on(%s))",
            [actor.pk, kind, [area_id], [line.pk], day],
        )
        cursor.execute(
            "SELECT bank_account_id, account_id, book_id FROM funds_line_account"
            " WHERE line_id = %s AND book_kind = %s AND area_id = %s",
            [line.pk, kind, area_id],
        )
        bank, account, book = cursor.fetchone()
    return bank, account, book


def _draft(
    book_id: int,
    happened_on: date,
    kind: str,
    reference: str,
    document_no: str,
    line: ledger.Line,
    document_id: int | None,
) -> ledger.Draft:
    received = kind == "appropriation"
    narration = (
        say("appropriation {reference}, {document_no}", reference=reference, document_no=document_no)
        if received
        else say("allocation {reference}, {document_no}", reference=reference, document_no=document_no)
    )
    return ledger.Draft(
        book_id=book_id,
        booking_date=counts_on(happened_on),
        kind=kind,
        narration=narration,
        lines=(line,),
        document_id=document_id,
        happened_on=happened_on,
    )


def _propose(
    actor: User,
    kind: str,
    set_id: int,
    line: SourceLine,
    area_id: int,
    amount_fen: int,
    happened_on: date,
    reference: str,
    document_no: str,
    *,
    reason: str = "",
    second_set_id: int | None = None,
    appropriation: Appropriation | None = None,
    allocation: Allocation | None = None,
) -> Proposal:
    return Proposal.objects.create(
        set_id=set_id,
        second_set_id=second_set_id,
        kind=kind,
        line=line,
        area_id=area_id,
        amount_fen=amount_fen,
        happened_on=happened_on,
        reference=reference,
        document_no=document_no,
        reason=reason,
        appropriation=appropriation,
        allocation=allocation,
        prepared_by_id=actor.pk,
    )


def _record(actor: User, proposal: Proposal) -> Appropriation | Allocation:
    """The record of a posted proposal, by whoever prepared it; `actor` approved."""
    transfers = list(Transfer.objects.filter(voucher__set_id=proposal.set_id).order_by("voucher_id"))
    words = {
        "line": proposal.line,
        "area_id": proposal.area_id,
        "reference": proposal.reference,
        "document_no": proposal.document_no,
        "amount_fen": proposal.amount_fen,
        "happened_on": proposal.happened_on,
        "counts_on": transfers[0].booking_date,
        "recorded_by_id": proposal.prepared_by_id,
    }
    try:
        with transaction.atomic():
            if proposal.kind == Proposal.Kind.APPROPRIATION:
                return Appropriation.objects.create(**words, transfer_id=transfers[0].pk)
            return Allocation.objects.create(**words, transfer_out_id=transfers[0].pk, transfer_in_id=transfers[1].pk)
    except IntegrityError as error:
        raise rules.reference_taken(proposal.reference) from error


def _void(actor: User, proposal: Proposal) -> Appropriation | Allocation:
    """Voids the record whose reversal was posted, from the day the reversal is booked."""
    record = proposal.allocation or proposal.appropriation
    assert record is not None
    booked = Voucher.objects.get(set_id=proposal.set_id).booking_date
    type(record).objects.filter(pk=record.pk).update(
        voided_at=Now(), voided_by_id=actor.pk, void_reason=proposal.reason, void_counts_on=booked
    )
    record.refresh_from_db()
    return record


def _taken(what: str, code: str) -> Refusal:
    return Refusal(
        "funds.code_taken",
        record=code,
        found=say("a {what} of this name", what=what),
        expected=say("a name not used yet"),
        rule=say("one thing, one name"),
        todo=say("use the one that is there, or choose another"),
    )
