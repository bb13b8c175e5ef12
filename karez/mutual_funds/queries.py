"""What may be asked about societies, members and loans, live. Writes nothing; fetching includes permission.

Numbers are of now (`day` = today unless given) and come from the same SQL that closing freezes. Money is whole fen; rates are
exact fractions, None where there is nothing to divide by. A household is shown by its number in the village, never by a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from django.db import connection

from karez.access.models import User
from karez.kernel.refusal import Refusal
from karez.ledger.models import Transfer, Voucher
from karez.mutual_funds import reports, rules
from karez.mutual_funds.models import (
    Contribution,
    Extension,
    Gift,
    Grant,
    Instalment,
    Loan,
    Member,
    Opening,
    Proposal,
    Repayment,
    RuleSet,
    Society,
    WriteOff,
)
from karez.places.models import Tree
from karez.places.queries import require, visible_area_ids_sql

VIEW = "mutual_funds.view"
PAGE = 50
_LATE_DAYS = 30
_GIVEN_DAY, _GIVEN = "%(day)s::date", "%(society)s"


@dataclass(frozen=True)
class SocietyRow:
    """One line of the list of societies."""

    society_id: int
    name: str
    area_id: int
    village: str
    size_class: str
    founded_on: date
    members: int
    capital_fen: int
    outstanding_fen: int


@dataclass(frozen=True)
class Portfolio:
    """The loans of a society on a day, and how well they come back. The year is the one the day lies in."""

    day: date
    loans_open: int
    outstanding_fen: int
    at_risk_fen: int  # of loans more than 30 days late, in full
    rescheduled_fen: int
    written_off_fen: int
    lent_fen: int  # in the year
    fell_due_fen: int  # in the year, by first schedules
    collected_on_time_fen: int
    principal_fell_due_fen: int
    principal_collected_fen: int  # in the year, on what had fallen due
    term_years: Fraction | None  # average term of the open loans, or of all where none is open

    @property
    def par30(self) -> Fraction | None:
        """Portfolio at risk; extended loans are shown apart."""
        return rules.portfolio_at_risk(self.at_risk_fen, self.outstanding_fen)

    @property
    def on_time_rate(self) -> Fraction | None:
        """What was collected by the day it first fell due."""
        return rules.on_time_collection_rate(self.collected_on_time_fen, self.fell_due_fen)

    @property
    def recovery_rate(self) -> Fraction | None:
        """Principal collected over principal first due, prepayments apart."""
        return rules.current_recovery_rate(self.principal_collected_fen, self.principal_fell_due_fen)

    @property
    def annual_loss_rate(self) -> Fraction | None:
        """The annual loan-loss rate that recovery implies."""
        if self.recovery_rate is None or not self.term_years:
            return None
        return rules.annual_loan_loss_rate(self.recovery_rate, self.term_years)


@dataclass(frozen=True)
class SocietyPage:
    """A society as its page shows it, now."""

    society: Society
    village: Tree
    rules: RuleSet | None
    day: date
    balances: dict[str, int]  # account code -> fen on the normal side
    pots: dict[str, int]  # pot -> fen
    portfolio: Portfolio
    members: int
    grants: Sequence[Grant]
    gifts: Sequence[Gift]
    opening: Opening | None
    waiting: Sequence[Proposal]

    @property
    def money_fen(self) -> int:
        """Cash, bank and loans outstanding; equals the four pots."""
        return sum(self.balances.get(code, 0) for code in (rules.CASH, rules.BANK, rules.LOANS))


@dataclass(frozen=True)
class MemberRow:
    """One line of the list of members."""

    member_id: int
    household_id: int
    household_no: str
    kind: str
    joined_on: date
    left_on: date | None
    own_fen: int
    base_share_fen: int
    owed_fen: int


@dataclass(frozen=True)
class LoanRow:
    """One line of a list of loans."""

    loan_id: int
    loan_no: str
    household_no: str
    principal_fen: int
    issued_on: date
    due_on: date
    rescheduled: bool
    outstanding_fen: int
    days_late: int


@dataclass(frozen=True)
class LoanPage:
    """A loan with its schedule, what was paid, and the vouchers behind it."""

    loan: Loan
    household_no: str
    day: date
    schedule: Sequence[Instalment]
    repayments: Sequence[Repayment]
    extensions: Sequence[Extension]
    write_off: WriteOff | None
    outstanding_fen: int
    fee_owed_fen: int
    days_late: int
    vouchers: dict[int, Voucher]  # transfer id -> its voucher


def societies(
    actor: User, *, area_id: int | None = None, after: int = 0, limit: int = PAGE, day: date | None = None
) -> list[SocietyRow]:
    """Societies the actor may see, by id; `after` is the last id of the page before; `area_id` narrows to an area and all below."""
    sql, params = visible_area_ids_sql(actor, VIEW)
    given: dict[str, Any] = {"areas": params[0], "after": after, "limit": limit, "area": area_id, "day": day or date.today()}
    rows = _rows(
        f"""WITH shown AS MATERIALIZED (
          SELECT so.*, coalesce(nullif(t.name_en, ''), t.name_zh) AS village FROM mutual_funds_society so JOIN places_tree t ON t.area_id = so.area_id
           WHERE so.voided_at IS NULL AND so.id > %(after)s AND so.area_id IN ({sql.replace("%s", "%(areas)s")})
             AND (%(area)s::bigint IS NULL OR t.path <@ (SELECT path FROM places_tree WHERE area_id = %(area)s))
           ORDER BY so.id LIMIT %(limit)s)
        SELECT s.id, s.name, s.area_id, s.village, s.size_class, s.starts_on,
          (SELECT count(*) FROM mutual_funds_member m WHERE m.society_id = s.id AND m.voided_at IS NULL
             AND m.starts_on <= %(day)s AND (m.ends_before IS NULL OR m.ends_before > %(day)s)),
          sum(b.fen) FILTER (WHERE b.code IN ('2001', '4001', '4002', '4003'))::bigint, sum(b.fen) FILTER (WHERE b.code = '1301')::bigint
          FROM shown s JOIN LATERAL (SELECT a.code, CASE a.normal_side WHEN 'debit' THEN a.posted_debit_fen - a.posted_credit_fen
               ELSE a.posted_credit_fen - a.posted_debit_fen END AS fen FROM ledger_account a WHERE a.book_id = s.book_id) b ON true
         GROUP BY s.id, s.name, s.area_id, s.village, s.size_class, s.starts_on ORDER BY s.id""",
        given,
    )
    return [SocietyRow(*row) for row in rows]


def society(actor: User, society_id: int) -> Society:
    """One society, if the actor may see its village; an unknown one is refused in the same words."""
    found = Society.objects.select_related("book").filter(pk=society_id).first()
    require(actor, VIEW, found.area_id if found else 0)
    assert found is not None
    return found


def society_of_village(actor: User, area_id: int) -> Society | None:
    """The society at work in a village, if there is one."""
    require(actor, VIEW, area_id)
    return Society.objects.filter(area_id=area_id, voided_at=None, ends_before=None).first()


def society_page(actor: User, society_id: int, *, day: date | None = None) -> SocietyPage:
    """Everything a society's page shows: balance by pot, portfolio, rules, grants, what waits."""
    found, day = society(actor, society_id), day or date.today()
    balances = {code: fen for _area, _id, code, fen in _balances(found.pk, day)}
    in_force = found.rule_sets.filter(voided_at=None, starts_on__lte=day).exclude(ends_before__lte=day).first()
    members = found.members.filter(voided_at=None, starts_on__lte=day).exclude(ends_before__lte=day).count()
    return SocietyPage(
        society=found, village=Tree.objects.get(pk=found.area_id), rules=in_force, day=day, balances=balances,
        pots={pot: balances.get(code, 0) for pot, code in rules.POT_ACCOUNTS.items()}, portfolio=portfolio(actor, society_id, day=day),
        members=members, grants=list(found.grants.filter(voided_at=None).select_related("source_line__funder").order_by("happened_on")),
        gifts=list(found.gifts.filter(voided_at=None).order_by("happened_on")), opening=found.openings.filter(voided_at=None).first(),
        waiting=waiting(actor, society_id=society_id),
    )  # fmt: skip


def portfolio(actor: User, society_id: int, *, day: date | None = None) -> Portfolio:
    """The loans of a society on a day, and the measures of the year up to it."""
    found, day = society(actor, society_id), day or date.today()
    loans = reports.on_day(reports.LOANS, _GIVEN_DAY, of=_GIVEN)
    dues = reports.on_day(reports.DUES, _GIVEN_DAY, of=_GIVEN)
    given = {"day": day, "society": found.pk, "start": date(day.year, 1, 1), "late": _LATE_DAYS}
    row = _rows(
        f"""SELECT count(*) FILTER (WHERE outstanding_fen > 0), coalesce(sum(outstanding_fen), 0),
          coalesce(sum(outstanding_fen) FILTER (WHERE days_late > %(late)s), 0), coalesce(sum(outstanding_fen) FILTER (WHERE rescheduled), 0),
          coalesce(sum(written_off_fen), 0), coalesce(sum(principal_fen) FILTER (WHERE issued_on >= %(start)s), 0),
          coalesce(sum(term_days) FILTER (WHERE outstanding_fen > 0), sum(term_days)),
          coalesce(nullif(count(*) FILTER (WHERE outstanding_fen > 0), 0), count(*)) FROM ({loans}) l""",
        given,
    )[0]
    due = _rows(
        f"""SELECT coalesce(sum(due_fen), 0), coalesce(sum(collected_on_time_fen), 0), coalesce(sum(principal_fen), 0)
          FROM ({dues}) d WHERE due_on >= %(start)s""",
        given,
    )[0]
    collected = _rows(_PRINCIPAL_COLLECTED, given)[0][0]
    term = Fraction(int(row[6]), int(row[7]) * 365) if row[7] else None
    return Portfolio(day, *(int(x) for x in row[:6]), *(int(x) for x in due), int(collected), term)


# Principal collected in the year on instalments that had fallen due by then: what was paid ahead of its day is left out.
_PRINCIPAL_COLLECTED = """
SELECT coalesce(sum(LEAST(paid, due)) - sum(LEAST(paid_before, due)), 0) FROM (
  SELECT l.id, coalesce((SELECT sum(i.principal_fen) FROM mutual_funds_instalment i WHERE i.loan_id = l.id AND i.due_on <= %(day)s), 0) AS due,
         coalesce((SELECT sum(p.principal_fen) FROM mutual_funds_repayment p WHERE p.loan_id = l.id AND p.voided_at IS NULL
           AND p.happened_on <= %(day)s), 0) AS paid,
         coalesce((SELECT sum(p.principal_fen) FROM mutual_funds_repayment p WHERE p.loan_id = l.id AND p.voided_at IS NULL
           AND p.happened_on < %(start)s), 0) AS paid_before
    FROM mutual_funds_loan l WHERE l.society_id = %(society)s AND l.voided_at IS NULL) x"""


def members(actor: User, society_id: int, *, after: int = 0, limit: int = PAGE) -> list[MemberRow]:
    """Members of a society, by id, with what they have in and what they owe; `after` is the last id of the page before."""
    found = society(actor, society_id)
    rows = _rows(
        """WITH shown AS MATERIALIZED (SELECT m.*, h.household_no, h.kind FROM mutual_funds_member m JOIN register_household h ON h.id = m.household_id
            WHERE m.society_id = %(society)s AND m.voided_at IS NULL AND m.id > %(after)s ORDER BY m.id LIMIT %(limit)s)
        SELECT s.id, s.household_id, s.household_no, s.kind, s.starts_on, s.ends_before,
          coalesce(sum(CASE c.kind WHEN 'refund' THEN -c.amount_fen WHEN 'granted_base' THEN 0 ELSE c.amount_fen END), 0)::bigint,
          coalesce(sum(c.amount_fen) FILTER (WHERE c.kind = 'granted_base'), 0)::bigint,
          (SELECT coalesce(sum(l.principal_fen - coalesce(p.fen, 0)), 0)::bigint FROM mutual_funds_loan l
             LEFT JOIN LATERAL (SELECT sum(p.principal_fen) AS fen FROM mutual_funds_repayment p WHERE p.loan_id = l.id AND p.voided_at IS NULL) p ON true
            WHERE l.member_id = s.id AND l.voided_at IS NULL
              AND NOT EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = l.id AND w.voided_at IS NULL))
          FROM shown s LEFT JOIN mutual_funds_contribution c ON c.member_id = s.id AND c.voided_at IS NULL
         GROUP BY s.id, s.household_id, s.household_no, s.kind, s.starts_on, s.ends_before ORDER BY s.id""",
        {"society": found.pk, "after": after, "limit": limit},
    )
    return [MemberRow(*row) for row in rows]


def member(actor: User, member_id: int) -> Member:
    """One member, if the actor may see the village."""
    found = Member.objects.select_related("society", "household").filter(pk=member_id).first()
    require(actor, VIEW, found.society.area_id if found else 0)
    assert found is not None
    return found


def contributions(actor: User, member_id: int) -> list[Contribution]:
    """What a member paid in and got back, oldest first, void ones included."""
    return list(member(actor, member_id).contributions.order_by("happened_on", "pk"))


def loans(actor: User, society_id: int, *, after: int = 0, limit: int = PAGE, open_only: bool = False) -> list[LoanRow]:
    """Loans of a society, by id; `after` is the last id of the page before."""
    found = society(actor, society_id)
    rows = _rows(
        f"""SELECT x.loan_id, x.loan_no, h.household_no, x.principal_fen, x.issued_on, x.due_on, x.rescheduled, x.outstanding_fen, x.days_late::int
          FROM ({reports.on_day(reports.LOANS, _GIVEN_DAY, of=_GIVEN)} AND l.id > %(after)s) x
          JOIN mutual_funds_member m ON m.id = x.member_id JOIN register_household h ON h.id = m.household_id
         WHERE NOT %(open)s OR x.outstanding_fen > 0 ORDER BY x.loan_id LIMIT %(limit)s""",
        {"day": date.today(), "society": found.pk, "after": after, "limit": limit, "open": open_only},
    )
    return [LoanRow(*row) for row in rows]


def loan_page(actor: User, loan_id: int, *, day: date | None = None) -> LoanPage:
    """A loan with its schedule, repayments, extensions, write-off, and the voucher of each transfer."""
    found = Loan.objects.select_related("society", "member__household", "rule_set").filter(pk=loan_id).first()
    require(actor, VIEW, found.society.area_id if found else 0)
    assert found is not None
    day = day or date.today()
    schedule = list(found.schedule.order_by("number"))
    repayments = list(found.repayments.filter(voided_at=None).order_by("happened_on", "pk"))
    write_off = found.write_offs.filter(voided_at=None).first()
    principal, fee = sum(r.principal_fen for r in repayments), sum(r.fee_fen for r in repayments)
    sql = reports.on_day(reports.LOANS, _GIVEN_DAY, of=_GIVEN) + " AND l.id = %(loan)s"
    row = _rows(f"SELECT outstanding_fen, days_late FROM ({sql}) x", {"day": day, "loan": loan_id, "society": found.society_id})
    transfers = [found.transfer_id, *(t for r in repayments for t in (r.principal_transfer_id, r.fee_transfer_id))]
    transfers += [write_off.transfer_id] if write_off else []
    moved = Transfer.objects.filter(pk__in=[t for t in transfers if t]).select_related("voucher")
    return LoanPage(
        loan=found, household_no=found.member.household.household_no, day=day, schedule=schedule, repayments=repayments,
        extensions=list(found.extensions.filter(voided_at=None).order_by("happened_on")), write_off=write_off,
        outstanding_fen=int(row[0][0]) if row else found.principal_fen - principal,
        fee_owed_fen=0 if write_off else sum(i.fee_fen for i in schedule) - fee, days_late=int(row[0][1]) if row else 0,
        vouchers={t.pk: t.voucher for t in moved},
    )  # fmt: skip


def waiting(actor: User, *, society_id: int | None = None, limit: int = PAGE) -> list[Proposal]:
    """Proposals that wait for a second person, oldest first, in the areas the actor sees."""
    sql, params = visible_area_ids_sql(actor, VIEW)
    ids = _rows(
        f"""SELECT p.id FROM mutual_funds_proposal p JOIN ledger_set s ON s.id = p.set_id JOIN mutual_funds_society so ON so.id = p.society_id
         WHERE s.approved_at IS NULL AND s.refused_at IS NULL AND so.area_id IN ({sql.replace("%s", "%(areas)s")})
           AND (%(society)s::bigint IS NULL OR so.id = %(society)s) ORDER BY p.id LIMIT %(limit)s""",
        {"areas": params[0], "society": society_id, "limit": limit},
    )
    return list(Proposal.objects.select_related("society").filter(pk__in=[i for (i,) in ids]).order_by("pk"))


def proposal(actor: User, proposal_id: int) -> Proposal:
    """One proposal, if the actor may see the village."""
    found = Proposal.objects.select_related("society").filter(pk=proposal_id).first()
    if found is None:
        raise Refusal(
            "not_found.mutual_funds_proposal", record=f"proposal {proposal_id}", found="nothing of this number", expected="a proposal",
            rule="only what was prepared can be opened", todo="choose from the list of what waits",
        )  # fmt: skip
    require(actor, VIEW, found.society.area_id)
    return found


def _balances(society_id: int, day: date) -> list[tuple[Any, ...]]:
    return _rows(reports.on_day(reports.BALANCES, _GIVEN_DAY, of=_GIVEN), {"society": society_id, "day": day})


def _rows(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
