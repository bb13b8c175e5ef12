"""Money that goes out of a society, or to it from public money, and what is taken back: one prepares, another approves.

Preparing reserves the money and writes down the terms; approving posts it and records the fact in the same moment.
Nothing is recorded while it waits. Amounts are whole fen.
"""

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Now

from karez.access.models import User
from karez.funds.models import SourceLine
from karez.intake.numbers import key_of
from karez.intake.sameness import require_another, times_on_record
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Sameness
from karez.ledger import services as ledger
from karez.ledger.models import Account, Book, Transfer, Voucher, VoucherSet
from karez.mutual_funds import rules
from karez.mutual_funds.judging import named, require_all_of_it, waiting_terms
from karez.mutual_funds.models import (
    Contribution,
    Gift,
    Grant,
    Loan,
    Member,
    Opening,
    Proposal,
    Repayment,
    Society,
    WriteOff,
)
from karez.mutual_funds.record_rules import CONTRIBUTIONS, GRANTS, LOANS
from karez.mutual_funds.refusals import database_refusals
from karez.mutual_funds.sameness import CONTRIBUTION, GRANT
from karez.mutual_funds.services import (
    APPROVE,
    PREPARE,
    accounts_of,
    end_membership,
    outstanding_fen,
    rules_in_force,
    take,
)
from karez.periods.services import counts_on
from karez.places.models import Tree
from karez.places.queries import require
from karez.records.rules import refuse_if_broken

# fact -> the columns that name its transfers
_FACTS: tuple[tuple[type[Model], tuple[str, ...]], ...] = (
    (Contribution, ("transfer_id",)),
    (Grant, ("transfer_id", "county_transfer_id")),
    (Gift, ("transfer_id",)),
    (Loan, ("transfer_id",)),
    (Repayment, ("principal_transfer_id", "fee_transfer_id")),
    (WriteOff, ("transfer_id",)),
)


@transaction.atomic
def prepare_loan(
    actor: User,
    *,
    member: Member,
    loan_no: str,
    principal_fen: int,
    lent_on: date,
    term_days: int,
    purpose: str,
    via: str = "cash",
) -> Proposal:
    """Prepares a loan by the rules in force on its day; refuses what they do not allow before any money is reserved."""
    society = member.society
    require(actor, PREPARE, society.area_id)
    take(society.pk)
    in_force = rules_in_force(society.pk, lent_on)
    refuse_if_broken(
        LOANS,
        {
            "society_id": society.pk,
            "member_id": member.pk,
            "loan_no": loan_no,
            "principal_fen": principal_fen,
            "term_days": term_days,
            "happened_on": lent_on,
        },
        record=say("loan {loan_no} of {society}", loan_no=loan_no, society=society.name),
    )
    terms = {
        "member": member.pk,
        "loan_no": loan_no,
        "principal_fen": principal_fen,
        "term_days": term_days,
        "purpose": purpose,
        "rule_set": in_force.pk,
    }
    lines = [(rules.LOANS, rules.MONEY_ACCOUNTS[via], principal_fen)]
    return _prepare(
        actor, society, Proposal.Kind.LOAN, say("Loan {loan_no} paid out", loan_no=loan_no), lent_on, lines, terms
    )


@transaction.atomic
def prepare_refund(
    actor: User,
    *,
    member: Member,
    amount_fen: int,
    refunded_on: date,
    leaving: bool = False,
    via: str = "cash",
    confirmed: bool = False,
) -> Proposal:
    """Prepares the return of own money; with `leaving` the membership ends with it. Refuses more than is there."""
    require(actor, PREPARE, member.society.area_id)
    take(member.society_id)
    waiting = waiting_terms(member.society_id, Proposal.Kind.REFUND)
    refuse_if_broken(
        CONTRIBUTIONS,
        {"member_id": member.pk, "kind": "refund", "amount_fen": amount_fen, "happened_on": refunded_on},
        record=named(member),
    )
    if leaving:
        require_all_of_it(member, amount_fen, waiting)
    mine = {"member": member.pk, "amount_fen": amount_fen, "day": refunded_on.isoformat()}
    times = require_another(
        CONTRIBUTION,
        named(member),
        confirmed=confirmed,
        who=member.pk,
        day=refunded_on,
        kind="refund",
        fen=amount_fen,
        waiting=sum(mine.items() <= one.items() for one in waiting),
    )
    lines = [(rules.CONTRIBUTIONS, rules.MONEY_ACCOUNTS[via], amount_fen)]
    terms = {"member": member.pk, "amount_fen": amount_fen, "leaving": leaving, "same": times}
    return _prepare(
        actor, member.society, Proposal.Kind.REFUND, say("Own money returned to a member"), refunded_on, lines, terms
    )


@transaction.atomic
def prepare_write_off(actor: User, *, loan: Loan, decided_on: date, reason: str) -> Proposal:
    """Prepares giving up what a borrower still owes, on the pot the rules in force name."""
    require(actor, PREPARE, loan.society.area_id)
    take(loan.society_id)
    _reason(reason, say("loan {loan_no}", loan_no=loan.loan_no))
    owed, pot = outstanding_fen(loan), rules_in_force(loan.society_id, decided_on).write_off_pot
    if not owed:
        raise Refusal(
            "mutual_funds.write_off",
            record=say("loan {loan_no}", loan_no=loan.loan_no),
            found=say("nothing owed"),
            expected=say("a loan with principal still owed"),
            rule=say("only what is owed can be given up"),
            todo=say("see the loan"),
        )
    lines = [(rules.POT_ACCOUNTS[pot], rules.LOANS, owed)]
    terms = {"loan": loan.pk, "principal_fen": owed, "pot": pot, "reason": reason}
    return _prepare(
        actor,
        loan.society,
        Proposal.Kind.WRITE_OFF,
        say("Loan {loan_no} written off", loan_no=loan.loan_no),
        decided_on,
        lines,
        terms,
    )


@transaction.atomic
def prepare_grant(
    actor: User,
    *,
    society: Society,
    line: SourceLine,
    amount_fen: int,
    granted_on: date,
    document_no: str,
    document_id: int | None = None,
    confirmed: bool = False,
) -> Proposal:
    """Prepares a grant out of the county's money on one source line, into the society's grant pot: two vouchers, one
    set.

    Refuses, before any money is reserved, a day on which the society was not there and more than the standard of that
    day allows.
    """
    require(actor, PREPARE, society.area_id)
    take(society.pk)
    refuse_if_broken(
        GRANTS,
        {"society_id": society.pk, "source_line_id": line.pk, "amount_fen": amount_fen, "happened_on": granted_on},
        record=society.name,
    )
    book, theirs, ours = _county_book(society), {}, accounts_of(society)
    if book is not None:
        theirs = dict(
            Account.objects.filter(book=book, code__in=[line.account_code, rules.BANK]).values_list("code", "pk")
        )
    if book is None or line.account_code not in theirs:
        raise Refusal(
            "mutual_funds.grant",
            record=society.name,
            found=say("no money of line {code} in the county", code=line.code),
            expected=say("an allocation"),
            rule=say("a grant takes its money from one line in the county's book"),
            todo=say("record the allocation to the county first"),
        )
    mine = {"line": line.pk, "amount_fen": amount_fen, "document_no": document_no, "day": granted_on.isoformat()}
    times = require_another(
        GRANT,
        society.name,
        confirmed=confirmed,
        who=society.pk,
        day=granted_on,
        kind=str(line.pk),
        fen=amount_fen,
        receipt=document_no,
        waiting=sum(
            mine.items() <= (one | {"document_no": document_no}).items()
            and key_of(one["document_no"]) == key_of(document_no)
            for one in waiting_terms(society.pk, Proposal.Kind.GRANT)
        ),
    )
    common: dict[str, Any] = {
        "booking_date": counts_on(granted_on),
        "happened_on": granted_on,
        "kind": "grant",
        "document_id": document_id,
    }
    drafts = [
        ledger.Draft(
            book_id=book.pk,
            narration=say("Grant to {name}, {document_no}", name=society.name, document_no=document_no),
            lines=(ledger.Line(theirs[line.account_code], theirs[rules.BANK], amount_fen),),
            **common,
        ),
        ledger.Draft(
            book_id=society.book_id,
            narration=say("Grant, {document_no}", document_no=document_no),
            lines=(ledger.Line(ours[rules.BANK], ours[rules.GRANT], amount_fen),),
            **common,
        ),
    ]
    set_id = ledger.prepare(actor, drafts, permission=PREPARE)
    terms = mine | {"same": times}
    return Proposal.objects.create(kind="grant", set_id=set_id, society=society, terms=terms, prepared_by_id=actor.pk)


@transaction.atomic
def prepare_reversal(actor: User, *, society: Society, voucher_id: int, reason: str) -> Proposal:
    """Prepares taking back a wrong voucher of the society with every record on it; they can then be recorded rightly."""
    require(actor, PREPARE, society.area_id)
    take(society.pk)
    _reason(reason, say("voucher {voucher_id}", voucher_id=voucher_id))
    if not Voucher.objects.filter(pk=voucher_id, book_id=society.book_id).exists():
        raise Refusal(
            "not_found.mutual_funds_voucher",
            record=say("voucher {voucher_id}", voucher_id=voucher_id),
            found=say("not of this society"),
            expected=say("a voucher of its book"),
            rule=say("a society corrects its own book"),
            todo=say("choose from its vouchers"),
        )
    opening = Opening.objects.filter(voucher_id=voucher_id, voided_at=None).first()
    if opening is not None:
        raise Refusal(
            "mutual_funds.opening_voucher",
            record=say("voucher {voucher_id}", voucher_id=voucher_id),
            found=say(
                "the opening balances of {name}, from file {batch_id}", name=society.name, batch_id=opening.batch_id
            ),
            expected=say("a voucher of one act"),
            rule=say("opening balances are taken back with the file they came in"),
            todo=say("ask on the page of that file that it be withdrawn"),
            more={"batch": opening.batch_id},
        )
    first = ledger.prepare_reversal(actor, voucher_id, reason, permission=PREPARE)
    transfers = Transfer.objects.filter(voucher_id=voucher_id).values("pk")
    county = Grant.objects.filter(transfer_id__in=transfers, voided_at=None).values_list(
        "county_transfer_id", flat=True
    )
    county_voucher = Transfer.objects.filter(pk__in=list(county)).values_list("voucher_id", flat=True).first()
    second = ledger.prepare_reversal(actor, county_voucher, reason, permission=PREPARE) if county_voucher else None
    return Proposal.objects.create(
        kind="reversal",
        set_id=first,
        second_set_id=second,
        society=society,
        prepared_by_id=actor.pk,
        terms={"voucher": voucher_id, "reason": reason},
    )


@transaction.atomic
def approve(actor: User, proposal: Proposal) -> Model | None:
    """Posts what was prepared and makes the record (None for a reversal); refuses the person who prepared it.

    The ledger alone cannot post such a set: the database refuses a commit that leaves money without its record.
    """
    permission = rules.APPROVES.get(proposal.kind, APPROVE)
    require(actor, permission, proposal.society.area_id)
    take(proposal.society_id)
    for set_id in filter(None, (proposal.set_id, proposal.second_set_id)):
        if not VoucherSet.objects.filter(pk=set_id, approved_at__isnull=False).exists():
            ledger.approve(actor, set_id, permission=permission)
    _require_as_prepared(proposal)
    with database_refusals(proposal.society.name):
        return _RECORD[Proposal.Kind(proposal.kind)](actor, proposal)


def _require_as_prepared(proposal: Proposal) -> None:
    """Refuses what is like something recorded since; the rules are judged by the database as the record is made."""
    given = proposal.terms
    if proposal.kind not in (Proposal.Kind.REFUND, Proposal.Kind.GRANT):
        return
    day = date.fromisoformat(given["day"])
    if proposal.kind == Proposal.Kind.REFUND:
        _no_more_like_it(proposal, CONTRIBUTION, who=given["member"], day=day, kind="refund", fen=given["amount_fen"])
    else:
        _no_more_like_it(
            proposal,
            GRANT,
            who=proposal.society_id,
            day=day,
            kind=str(given["line"]),
            fen=given["amount_fen"],
            receipt=given["document_no"],
        )


def _no_more_like_it(proposal: Proposal, same: Sameness, **words: Any) -> None:
    """Refuses what was recorded in another way since it was prepared, such as by a file."""
    if times_on_record(same, **words) <= proposal.terms["same"]:
        return
    raise Refusal(
        "mutual_funds.same_by_now",
        record=proposal.society.name,
        found=say("the same of that day was recorded since this was prepared"),
        expected=say("nothing like it on record"),
        rule=say("what looks like something already there is never taken in silence"),
        todo=say("refuse it; if it is another one, it is prepared again and confirmed"),
    )


@transaction.atomic
def refuse(actor: User, proposal: Proposal, *, reason: str) -> None:
    """Refuses what was prepared, or withdraws one's own, and gives back what it reserved."""
    for set_id in filter(None, (proposal.set_id, proposal.second_set_id)):
        ledger.refuse_set(actor, set_id, reason, permission=rules.APPROVES.get(proposal.kind, APPROVE))


def _prepare(
    actor: User,
    society: Society,
    kind: Proposal.Kind,
    narration: str,
    day: date,
    lines: list[tuple[str, str, int]],
    terms: dict[str, Any],
) -> Proposal:
    accounts = accounts_of(society)
    draft = ledger.Draft(
        book_id=society.book_id,
        booking_date=counts_on(day),
        happened_on=day,
        kind=str(kind),
        narration=narration,
        lines=tuple(ledger.Line(accounts[debit], accounts[credit], fen) for debit, credit, fen in lines),
    )
    set_id = ledger.prepare(actor, [draft], permission=PREPARE)
    terms = terms | {"day": day.isoformat()}
    return Proposal.objects.create(kind=kind, set_id=set_id, society=society, terms=terms, prepared_by_id=actor.pk)


def _common(actor: User, proposal: Proposal, **more: Any) -> dict[str, Any]:
    """What every record takes from its proposal: its day, the day the money was booked, who recorded it."""
    booked = Voucher.objects.filter(set_id=proposal.set_id, book_id=proposal.society.book_id).get()
    return more | {"happened_on": booked.happened_on, "counts_on": booked.booking_date, "recorded_by_id": actor.pk}


def _transfer(proposal: Proposal, *, book_id: int | None = None) -> int:
    own = Transfer.objects.filter(voucher__set_id=proposal.set_id, book_id=book_id or proposal.society.book_id)
    return int(own.values_list("pk", flat=True).get())


def _record_loan(actor: User, proposal: Proposal) -> Loan:
    given = proposal.terms
    in_force = proposal.society.rule_sets.get(pk=given["rule_set"])
    common = _common(actor, proposal, transfer_id=_transfer(proposal))
    due_on = date.fromordinal(common["happened_on"].toordinal() + given["term_days"])
    return Loan.objects.create(
        society=proposal.society,
        member_id=given["member"],
        rule_set=in_force,
        loan_no=given["loan_no"],
        principal_fen=given["principal_fen"],
        fee_rate_bp=in_force.fee_rate_bp,
        term_days=given["term_days"],
        due_on=due_on,
        instalments=in_force.instalments,
        purpose=given["purpose"],
        **common,
    )


def _record_refund(actor: User, proposal: Proposal) -> Contribution:
    given, common = proposal.terms, _common(actor, proposal, transfer_id=_transfer(proposal))
    made = Contribution.objects.create(
        member_id=given["member"], kind="refund", amount_fen=given["amount_fen"], **common
    )
    if given["leaving"]:
        end_membership(actor, made.member, common["happened_on"], "left; own money returned")
    return made


def _record_write_off(actor: User, proposal: Proposal) -> WriteOff:
    given, common = proposal.terms, _common(actor, proposal, transfer_id=_transfer(proposal))
    approver = VoucherSet.objects.get(pk=proposal.set_id).approved_by_id
    assert approver is not None
    return WriteOff.objects.create(
        loan_id=given["loan"],
        principal_fen=given["principal_fen"],
        pot=given["pot"],
        reason=given["reason"],
        prepared_by_id=proposal.prepared_by_id,
        approved_by_id=approver,
        **common,
    )


def _record_grant(actor: User, proposal: Proposal) -> Grant:
    given, common = proposal.terms, _common(actor, proposal, transfer_id=_transfer(proposal))
    county = Transfer.objects.filter(voucher__set_id=proposal.set_id).exclude(book_id=proposal.society.book_id)
    return Grant.objects.create(
        society=proposal.society,
        source_line_id=given["line"],
        amount_fen=given["amount_fen"],
        document_no=given["document_no"],
        county_transfer_id=county.values_list("pk", flat=True).get(),
        **common,
    )


def _record_reversal(actor: User, proposal: Proposal) -> None:
    """Voids what stands on the voucher from the day its reversal is booked: money and record leave the same year."""
    booked = Voucher.objects.get(set_id=proposal.set_id).booking_date
    transfers = list(Transfer.objects.filter(voucher_id=proposal.terms["voucher"]).values_list("pk", flat=True))
    for model, columns in _FACTS:
        for column in columns:
            found = model._default_manager.filter(**{f"{column}__in": transfers}, voided_at=None)
            found.update(
                voided_at=Now(), voided_by_id=actor.pk, void_reason=proposal.terms["reason"], void_counts_on=booked
            )


_RECORD = {
    Proposal.Kind.LOAN: _record_loan,
    Proposal.Kind.REFUND: _record_refund,
    Proposal.Kind.WRITE_OFF: _record_write_off,
    Proposal.Kind.GRANT: _record_grant,
    Proposal.Kind.REVERSAL: _record_reversal,
}


def _county_book(society: Society) -> Book | None:
    """The book of the county that answers for the society's village today."""
    path = str(Tree.objects.get(pk=society.area_id).path).split(".")
    county = Tree.objects.filter(pk__in=[int(i) for i in path], level="county").values("pk")
    return Book.objects.filter(kind="county", area_id__in=county).first()


def _reason(reason: str, record: str) -> None:
    if not reason.strip():
        raise Refusal(
            "mutual_funds.reason_missing",
            record=record,
            found=say("no reason"),
            expected=say("why, in a few words"),
            rule=say("write-offs and reversals say why"),
            todo=say("write the reason"),
        )
