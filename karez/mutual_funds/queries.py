"""What may be asked about village mutual funds beside their lists: one society with its live indicators, a loan, what
waits.

Fetching includes permission. The indicators are the SQL of `reports`, held to one society: the same that closing
freezes, as of a day. Writes nothing. Amounts are whole fen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.funds.models import SourceLine
from karez.kernel.facts import counted_on
from karez.kernel.messages import Message, say
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.ledger.models import Account, Transfer, VoucherSet
from karez.mutual_funds import reports, rules
from karez.mutual_funds.models import (
    Contribution,
    Extension,
    Gift,
    Grant,
    Instalment,
    Loan,
    Member,
    Pot,
    Proposal,
    Purpose,
    Repayment,
    Resolution,
    RuleSet,
    Society,
    WriteOff,
)
from karez.places.queries import may, visible_area_ids_sql

VIEW, APPROVE = "mutual_funds.view", rules.APPROVE


@dataclass(frozen=True)
class Report:
    """A society's own report on a day, live: money by pot, where it lies, and the measures of its lending."""

    day: date
    grant_fen: int
    contributions_fen: int
    gifts_fen: int
    surplus_fen: int
    cash_fen: int
    bank_fen: int
    loans_fen: int
    reserved_fen: int
    members: int
    open_loans: int
    at_risk_fen: int  # of loans more than 30 days late, in full
    rescheduled_fen: int  # of extended loans, which are shown apart
    term_years: Fraction | None  # average term of the open loans, or of all where none is open
    portfolio_at_risk: Fraction | None
    on_time_rate: Fraction | None
    recovery_rate: Fraction | None
    loss_rate: Fraction | None


@dataclass(frozen=True)
class LoanPage:
    """A loan with what happened to it; its repayments are a list."""

    loan: Loan
    schedule: list[tuple[Instalment, int]]  # with what was paid on it
    extensions: list[Extension]
    write_off: WriteOff | None
    voucher_id: int | None
    outstanding_fen: int
    repaid: rules.Split


def society(actor: User, society_id: int) -> Society:
    """One society, also one whose founding was taken back, if the actor may see its village; else refused as if it did
    not exist.
    """
    found = _visible(actor, voided=True).select_related("area__tree", "book").filter(pk=society_id).first()
    if found is None:
        raise _unknown(say("society"), society_id)
    return found


def society_of_area(actor: User, area_id: int) -> Society | None:
    """The society of a village, if there is one and the actor may see it."""
    return _visible(actor).filter(area_id=area_id).order_by("-starts_on").first()


def member_choices(actor: User, society_id: int) -> list[tuple[int, str]]:
    """Present members as a form offers them: id and the household's number."""
    found = society(actor, society_id).members.filter(voided_at=None, ends_before=None)
    return [
        (m.pk, m.household.household_no) for m in found.select_related("household").order_by("household__household_no")
    ]


def memberships_of_household(actor: User, household_id: int) -> list[Member]:
    """The societies a household belongs or belonged to, as far as the actor may see them."""
    found = Member.objects.filter(household_id=household_id, voided_at=None, society__in=_visible(actor).values("pk"))
    return list(found.select_related("society").order_by("-starts_on"))


def grant_lines(actor: User, society_id: int) -> list[tuple[int, str]]:
    """The lines of the programme on which the society's county has money now, as a form offers them."""
    found = society(actor, society_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT li.id, li.code, a.posted_credit_fen - a.posted_debit_fen - a.pending_debit_fen AS left_fen
                 FROM places_tree vt JOIN places_tree ct ON ct.path @> vt.path AND ct.level = 'county'
                 JOIN ledger_book b ON b.area_id = ct.area_id AND b.kind = 'county'
                 JOIN funds_sourceline li ON li.programme = 'mutual_funds' AND li.voided_at IS NULL
                 JOIN ledger_account a ON a.book_id = b.id AND a.code = 'L' || li.id
                WHERE vt.area_id = %s AND a.posted_credit_fen - a.posted_debit_fen - a.pending_debit_fen > 0
                    ORDER BY li.code""",
            [found.area_id],
        )
        return [(key, f"{code}, {format_fen(int(left))}") for key, code, left in cursor.fetchall()]


# The live report of one society: the SQL of `reports`, held to it.
def _of_society(sql: str) -> str:
    return reports.on_day(sql, "%(day)s::date", of="%(society)s")


_LATE_DAYS = 30
_LENDING = f"""
SELECT count(*) FILTER (WHERE outstanding_fen > 0), coalesce(sum(outstanding_fen), 0)::bigint,
       coalesce(sum(outstanding_fen) FILTER (WHERE days_late > {_LATE_DAYS}), 0)::bigint,
       coalesce(sum(outstanding_fen) FILTER (WHERE rescheduled), 0)::bigint,
       coalesce(sum(term_days) FILTER (WHERE outstanding_fen > 0), sum(term_days)),
       coalesce(nullif(count(*) FILTER (WHERE outstanding_fen > 0), 0), count(*))
  FROM ({{loans}}) x"""
_COLLECTING = """
SELECT coalesce(sum(due_fen), 0)::bigint, coalesce(sum(collected_on_time_fen), 0)::bigint, coalesce(sum(principal_fen),
    0)::bigint
  FROM ({dues}) x WHERE due_on >= %(start)s"""
# Principal collected in the year on what had fallen due by then: what was paid ahead of its day is left out.
_RECOVERED = f"""
SELECT coalesce(sum(LEAST(paid, due)) - sum(LEAST(paid_before, due)), 0)::bigint FROM (
  SELECT coalesce((SELECT sum(i.principal_fen) FROM mutual_funds_instalment i WHERE i.loan_id = l.id
      AND i.due_on <= %(day)s), 0) AS due,
         coalesce(r.paid, 0) AS paid, coalesce(r.paid_before, 0) AS paid_before
    FROM mutual_funds_loan l CROSS JOIN LATERAL (
      SELECT sum(p.principal_fen) AS paid, sum(p.principal_fen) FILTER (WHERE p.happened_on < %(start)s) AS paid_before
        FROM mutual_funds_repayment p WHERE p.loan_id = l.id AND {counted_on("%(day)s::date", event=True, alias="p")}) r
   WHERE l.society_id = %(society)s AND {counted_on("%(day)s::date", event=True, alias="l")}) x"""


def report(actor: User, society_id: int, day: date) -> Report:
    """The society's report as counted on `day`: balances and members of that day, rates of its year up to it. Today's
    balances are those of this moment, with what is reserved.
    """
    found = society(actor, society_id)
    accounts = {a.code: a for a in Account.objects.filter(book_id=found.book_id)}
    is_now = day >= date.today()
    values: dict[str, Any] = {"society": society_id, "day": day, "start": date(day.year, 1, 1)}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT code, balance_fen FROM ({_of_society(reports.BALANCES)}) x", values)
        balances = dict(cursor.fetchall())
        cursor.execute(
            (
                "SELECT count(*) FROM mutual_funds_member m WHERE m.society_id = %(society)s AND "
                f"{counted_on('%(day)s::date', event=False, alias='m')}"
            ),
            values,
        )
        (members_then,) = cursor.fetchone()
        cursor.execute(_LENDING.format(loans=_of_society(reports.LOANS)), values)
        open_loans, outstanding, at_risk, rescheduled, days, terms = cursor.fetchone()
        cursor.execute(_COLLECTING.format(dues=_of_society(reports.DUES)), values)
        due, on_time, principal_due = cursor.fetchone()
        cursor.execute(_RECOVERED, values)
        (principal_paid,) = cursor.fetchone()
    recovery = rules.current_recovery_rate(int(principal_paid), int(principal_due))
    term = Fraction(int(days), int(terms) * 365) if terms else None
    loss = rules.annual_loan_loss_rate(recovery, term) if recovery is not None and term else None

    def held(code: str) -> int:
        return int(accounts[code].balance_fen if is_now and code in accounts else balances.get(code, 0))

    return Report(
        day,
        held(rules.GRANT),
        held(rules.CONTRIBUTIONS),
        held(rules.GIFTS),
        held(rules.SURPLUS),
        held(rules.CASH),
        held(rules.BANK),
        held(rules.LOANS),
        sum(accounts[c].reserved_fen for c in (rules.CASH, rules.BANK) if c in accounts and is_now),
        members_then,
        open_loans,
        int(at_risk),
        int(rescheduled),
        term,
        rules.portfolio_at_risk(int(at_risk), int(outstanding)),
        rules.on_time_collection_rate(int(on_time), int(due)),
        recovery,
        loss,
    )


def loan(actor: User, loan_id: int) -> LoanPage:
    """One loan with its schedule, repayments, extensions and write-off; refused as if it did not exist where not
    visible.
    """
    found = (
        Loan.objects.select_related("society__area__tree", "member__household", "rule_set").filter(pk=loan_id).first()
    )
    if found is None or not may(actor, VIEW, found.society.area_id):
        raise _unknown(say("loan"), loan_id)
    paid = list(found.repayments.filter(voided_at=None))
    paid_out = Transfer.objects.filter(pk=found.transfer_id or 0).values_list("voucher_id", flat=True).first()
    write_off = found.write_offs.filter(voided_at=None).first()
    sums = rules.Split(sum(p.principal_fen for p in paid), sum(p.fee_fen for p in paid))
    return LoanPage(
        loan=found,
        schedule=_paid_on(list(found.schedule.order_by("number")), sums.total_fen),
        extensions=list(found.extensions.filter(voided_at=None).order_by("happened_on")),
        write_off=write_off,
        voucher_id=paid_out,
        outstanding_fen=0 if write_off else found.principal_fen - sums.principal_fen,
        repaid=sums,
    )


def _paid_on(schedule: list[Instalment], paid_fen: int) -> list[tuple[Instalment, int]]:
    """Each instalment with the part of everything paid that falls on it, the oldest first."""
    rows = []
    for one in schedule:
        part = min(paid_fen, one.principal_fen + one.fee_fen)
        rows.append((one, part))
        paid_fen -= part
    return rows


def waiting(actor: User) -> QuerySet[Proposal]:
    """Prepared acts of the actor's areas that wait for them, oldest first, their own left out."""
    open_sets = (
        VoucherSet.objects.filter(approved_at=None, refused_at=None).exclude(prepared_by_id=actor.pk).values("pk")
    )
    mine = Q()
    for permission in (APPROVE, *rules.APPROVES.values()):
        kinds = Q(kind__in=[kind for kind, own in rules.APPROVES.items() if own == permission])
        areas, params = visible_area_ids_sql(actor, permission)
        of_others = ~Q(kind__in=rules.APPROVES) if permission == APPROVE else kinds
        mine |= of_others & Q(society__area_id__in=RawSQL(areas, params))
    found = Proposal.objects.filter(mine, set_id__in=open_sets)
    return found.select_related("society").order_by("pk")


def proposal(actor: User, proposal_id: int) -> Proposal:
    """What was prepared, if the actor may see its society."""
    found = Proposal.objects.select_related("society__area").filter(pk=proposal_id).first()
    if found is None or not may(actor, VIEW, found.society.area_id):
        raise _unknown(say("proposal"), proposal_id)
    return found


def terms_in_words(found: Proposal) -> list[tuple[str, str]]:
    """The terms of a prepared act as an approver reads them; ids are told as what they mean."""
    words = {
        "loan_no": _("Number of the loan"),
        "principal_fen": _("Principal, yuan"),
        "amount_fen": _("Amount, yuan"),
        "term_days": _("Term, days"),
        "purpose": _("What for"),
        "day": _("Day"),
        "reason": _("Reason"),
        "document_no": _("Document"),
        "pot": _("Charged to the pot"),
        "leaving": _("The member leaves"),
    }
    labels: dict[str, Callable[[Any], object]] = {
        "purpose": lambda code: Purpose(code).label,
        "pot": lambda code: Pot(code).label,
        "leaving": lambda leaves: _("yes") if leaves else _("no"),
    }
    told = [
        (words[k], str(labels.get(k, str)(v)) if not k.endswith("_fen") else format_fen(v))
        for k, v in found.terms.items()
        if k in words
    ]
    if "member" in found.terms:
        household = Member.objects.select_related("household").get(pk=found.terms["member"]).household
        told.insert(0, (_("Member household"), household.household_no))
    if "line" in found.terms:
        told.insert(0, (_("Source line"), SourceLine.objects.get(pk=found.terms["line"]).code))
    return told


def facts_of_transfers(
    actor: User, transfer_ids: list[int]
) -> list[Loan | Repayment | Grant | Gift | Contribution | WriteOff]:
    """The records these transfers moved money for, of the societies the actor may see."""
    own = {"society__in": _visible(actor).values("pk")}
    by_loan = {"loan__society__in": _visible(actor).values("pk")}
    return [
        *Loan.objects.filter(transfer_id__in=transfer_ids, **own),
        *Grant.objects.select_related("source_line").filter(transfer_id__in=transfer_ids, **own),
        *Grant.objects.select_related("source_line").filter(county_transfer_id__in=transfer_ids, **own),
        *Gift.objects.filter(transfer_id__in=transfer_ids, **own),
        *Contribution.objects.select_related("member__household").filter(
            transfer_id__in=transfer_ids, member__society__in=_visible(actor).values("pk")
        ),
        *Repayment.objects.select_related("loan").filter(principal_transfer_id__in=transfer_ids, **by_loan),
        *Repayment.objects.select_related("loan").filter(
            fee_transfer_id__in=transfer_ids, principal_transfer_id=None, **by_loan
        ),
        *WriteOff.objects.select_related("loan").filter(transfer_id__in=transfer_ids, **by_loan),
    ]


def resolutions_waiting(actor: User) -> QuerySet[Resolution]:
    """Foundings, rules and taking back that wait for the actor, oldest first, their own left out."""
    areas, params = visible_area_ids_sql(actor, APPROVE)
    found = Resolution.objects.filter(answer=None, area_id__in=RawSQL(areas, params)).exclude(prepared_by_id=actor.pk)
    return found.select_related("society", "area__tree").order_by("pk")


def open_resolutions(actor: User, society_id: int) -> list[Resolution]:
    """What waits about a society, for whoever may see it."""
    return list(society(actor, society_id).resolutions.filter(answer=None).order_by("pk"))


def founding_waiting(actor: User, area_id: int) -> Resolution | None:
    """The founding of a village's society that waits, if the actor may see the village."""
    found = Resolution.objects.filter(kind="founding", area_id=area_id, answer=None).first()
    return found if found is not None and may(actor, VIEW, area_id) else None


def resolution(actor: User, resolution_id: int) -> Resolution:
    """What was prepared, with its answer if there is one; refused as if it did not exist where not visible."""
    found = Resolution.objects.select_related("society", "area__tree", "answer").filter(pk=resolution_id).first()
    if found is None or not may(actor, VIEW, found.area_id):
        raise _unknown(say("resolution"), resolution_id)
    return found


def rules_before(found: Resolution) -> RuleSet | None:
    """The rules a resolution changes: those in force while it waits, later those it ended; None at a founding."""
    if found.society is None:
        return None
    before = RuleSet.objects.filter(society=found.society, starts_on__lt=found.terms["rules"]["starts_on"]).exclude(
        resolution=found
    )
    return before.filter(voided_at=None).order_by("-starts_on").first()


def rule_sets(actor: User, society_id: int, day: date | None = None) -> list[RuleSet]:
    """The rules of a society as known on a day (today), the latest first: those in force and those before them."""
    on = day or date.today()
    found = society(actor, society_id).rule_sets.filter(counts_from__lte=on).exclude(void_counts_on__lte=on)
    return list(found.select_related("resolution").order_by("-starts_on"))


def _visible(actor: User, *, voided: bool = False) -> QuerySet[Society]:
    areas, params = visible_area_ids_sql(actor, VIEW)
    found = Society.objects.filter(area_id__in=RawSQL(areas, params))
    return found if voided else found.filter(voided_at=None)


def _unknown(what: Message, key: int) -> Refusal:
    return Refusal(
        f"not_found.mutual_funds_{what.pattern}",
        record=say("{what} {number}", what=what, number=key),
        found=say("none that you may see"),
        expected=say("a {what} of your areas", what=what),
        rule=say("what a person may see follows the areas granted to them"),
        todo=say("choose from the list"),
    )
