"""What the members pay in, borrow and pay back: contributions, loans, repayments, and the opening state of old
societies.

Lent is only what is there: in each quarter no more than the society held when it began plus what came in before the
loan, so the files can be booked quarter by quarter. Principal is whole yuan, fees whole fen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from karez.reference import calibration as c
from karez.reference.societies import Days, Ints, Societies, settled

Mask = NDArray[np.bool_]
_UNTIL = np.datetime64("2100-01-01", "D")
_QUARTERS = np.array(["2009-01-01", "2009-04-01", "2009-07-01", "2009-10-01", "2010-01-01"], dtype="datetime64[D]")
# Part of what an old, a spring and an autumn society holds that it lends in each quarter but the last.
_LENT = np.array([[0.92, 0.90, 0.85], [0.0, 0.88, 0.90], [0.0, 0.0, 0.0]])
_TERMS, _TERM_SHARES = np.array([90, 180, 270, 365]), np.array([0.16, 0.30, 0.20, 0.34])
_FEE_UNIT = 10_000 * 30


@dataclass(frozen=True)
class Members:
    """One entry for each member household, societies in order; `no` counts from 1 in its village."""

    society: Ints
    no: Ints
    joined_on: Days
    contribution: Ints  # yuan

    def __len__(self) -> int:
        return len(self.society)


@dataclass(frozen=True)
class Loans:
    """One entry for each loan; principal in yuan. `number` counts from 1 in its society and year."""

    society: Ints
    member: Ints
    number: Ints
    lent_on: Days
    principal: Ints
    term_days: Ints
    instalments: Ints
    fee_bp: Ints
    quarter: Ints  # -1: older than the year


@dataclass(frozen=True)
class Repayments:
    """One entry for each repayment; both parts in fen."""

    loan: Ints
    paid_on: Days
    principal_fen: Ints
    fee_fen: Ints
    quarter: Ints


@dataclass(frozen=True)
class Rules:
    """What each society has resolved about its loans, as far as money depends on it."""

    instalments: Ints
    fee_bp: Ints


@dataclass(frozen=True)
class Openings:
    """What each society had on the first day of the year, in yuan; zero for new ones."""

    contributions: Ints
    loans: Ints
    surplus: Ints
    bank: Ints


@dataclass(frozen=True)
class Year:
    """All the money of the societies' year."""

    members: Members
    rules: Rules
    openings: Openings
    loans: Loans
    repayments: Repayments


def join(societies: Societies, rng: np.random.Generator, scale: int) -> Members:
    """The members, the day each joined, and what each paid in on that day; the payments add up exactly."""
    society = np.repeat(np.arange(len(societies)), societies.members)
    count = len(society)
    no = np.arange(count) - np.repeat(np.cumsum(societies.members) - societies.members, societies.members) + 1
    founded, old = societies.founded_on[society], societies.wave[society] == 0
    days = np.minimum((c.FIRST_DAY - founded).astype(np.int64) - 20, 240)
    late = old & (rng.random(count) < 0.05)  # joined an old society during the year
    joined = founded + (rng.random(count) * np.where(old, days, 4)).astype("timedelta64[D]")
    joined = np.where(late, np.datetime64("2009-02-05") + rng.integers(0, 280, count).astype("timedelta64[D]"), joined)
    hundreds = np.exp(rng.normal(0.0, 0.55, count)) * rng.normal(1.0, 0.15, len(societies)).clip(0.6, 1.5)[society]
    total = c.CONTRIBUTIONS * scale // 100
    low, high = c.CONTRIBUTION_LOW // 100, c.CONTRIBUTION_HIGH // 100
    paid = np.rint(hundreds * (total / hundreds.sum())).astype(np.int64).clip(low, high)
    return Members(society, no, joined, settled(paid, total, low, high, rng) * 100)


def resolve(societies: Societies, rng: np.random.Generator) -> Rules:
    """Most societies are repaid at the end of the term, some new ones in two halves; fees differ a little."""
    lots = rng.random(len(societies))
    halves = (societies.wave > 0) & (lots < 0.2)
    return Rules(np.where(halves, 2, 1), rng.choice(np.array([60, 70, 80]), len(societies), p=[0.2, 0.3, 0.5]))


def lend(societies: Societies, members: Members, rules: Rules, rng: np.random.Generator, scale: int) -> Year:
    """The loans and repayments of the year, quarter by quarter, and the loans still out when it began."""
    desk = _Desk(societies, members, rules, rng, scale)
    openings = desk.open()
    for quarter in range(4):
        desk.quarter(quarter)
    return Year(members, rules, openings, *desk.books())


class _Desk:
    """Keeps what each society holds and until when each member owes, while the quarters go by."""

    def __init__(
        self, societies: Societies, members: Members, rules: Rules, rng: np.random.Generator, scale: int
    ) -> None:
        self.societies, self.members, self.rules, self.rng = societies, members, rules, rng
        self.smaller = (c.OLD_GRANTS + 85_500_000) / scale + c.CONTRIBUTIONS
        self.smaller /= c.OLD_GRANTS + 85_500_000 + c.CONTRIBUTIONS  # loans of a member where grants are shared by more
        self.target = int(c.LOANS * scale * self.smaller)
        self.held = np.zeros(len(societies), dtype=np.int64)
        self.free_from = members.joined_on.copy()  # the day a member owes nothing any more
        self.loans: list[Loans] = []
        self.repayments: list[Repayments] = []

    def open(self) -> Openings:
        """Old societies: what was paid in before the year, half of it out in loans of the year before."""
        old = self.societies.wave == 0
        before = self.members.joined_on < c.FIRST_DAY
        paid = self._by_society(self.members.contribution * before)
        paid[~old] = 0
        capital = np.where(old, self.societies.grant, 0) + paid
        can = before & (self.members.joined_on < np.datetime64("2008-12-01")) & old[self.members.society]
        out = self._lend(-1, capital * 50 // 100, can, np.datetime64("2008-01-20"), np.datetime64("2008-12-20"))
        surplus = capital * 3 // 100 // 10 * 10
        self.held = capital - out
        return Openings(paid, out, surplus, capital - out + surplus)

    def quarter(self, quarter: int) -> None:
        """Contributions and grants come in, loans go out, repayments come back for the next quarter."""
        first, end = _QUARTERS[quarter], _QUARTERS[quarter + 1]
        societies, members = self.societies, self.members
        came = (members.joined_on >= first) & (members.joined_on < end)
        granted = (societies.granted_on >= first) & (societies.granted_on < end)
        # What old societies' late members pay in is lent from the next quarter on.
        early = came & (societies.wave[members.society] > 0)
        self.held += self._by_society(members.contribution * early) + granted * societies.grant
        ready = np.maximum(societies.granted_on + 3, first + 4)
        if quarter < 3:
            budget = (self.held * _LENT[societies.wave, quarter]).astype(np.int64)
        else:
            spare = self.held * 0.98 * np.where(societies.wave == 2, 0.85, 1.0)
            wanted = self.target - sum(int(loans.principal[loans.quarter >= 0].sum()) for loans in self.loans)
            budget = (spare * min(1.0, wanted / spare.sum() * 1.2)).astype(np.int64)
        budget[ready >= end - 6] = 0
        can = (self.free_from < first) | early
        if quarter == 3:
            self._lend(quarter, budget, can, first, end - 4, ready, most=wanted)
        else:
            self._lend(quarter, budget, can, first, end - 1, ready)
        self.held += self._by_society(members.contribution * (came & ~early))
        for loans, repayments in zip(self.loans, self.repayments, strict=True):
            back = repayments.quarter == quarter
            self.held += np.bincount(
                loans.society[repayments.loan[back]], repayments.principal_fen[back] // 100, len(societies)
            ).astype(np.int64)

    def books(self) -> tuple[Loans, Repayments]:
        """Everything lent and paid back, with the loans' places in the whole."""
        begins = np.cumsum([0, *(len(loans.society) for loans in self.loans)])
        loans = Loans(*(np.concatenate([getattr(x, f) for x in self.loans]) for f in Loans.__dataclass_fields__))
        parts = {f: [getattr(x, f) for x in self.repayments] for f in Repayments.__dataclass_fields__}
        parts["loan"] = [part + begin for part, begin in zip(parts["loan"], begins, strict=False)]
        return loans, Repayments(*(np.concatenate(part) for part in parts.values()))

    def _lend(
        self,
        quarter: int,
        budget: Ints,
        can: Mask,
        first: np.datetime64,
        last: np.datetime64,
        ready: Days | None = None,
        most: int | None = None,
    ) -> Ints:
        """Lends within each society's budget to members drawn by lot; returns what each society lent."""
        rng, members = self.rng, self.members
        size = rng.choice(c.LOAN_SIZES, len(members), p=c.LOAN_SHARES)
        size = np.maximum(np.rint(size * self.smaller / 100).astype(np.int64) * 100, 300)
        who = np.flatnonzero(can & (budget[members.society] > 0))
        who = who[np.lexsort((rng.random(len(who)), members.society[who]))]
        # A running sum that starts again with each society.
        running = np.cumsum(size[who])
        starts = np.flatnonzero(np.diff(members.society[who], prepend=-1))
        running -= np.repeat(running[starts] - size[who[starts]], np.diff(np.append(starts, len(who))))
        who = who[running <= budget[members.society[who]]]
        if most is not None:
            who = rng.permutation(who)
            who = np.sort(who[np.cumsum(size[who]) <= most])
        self._write(quarter, who, size[who], first, last, ready)
        lent = self._by_society(size, who)
        self.held -= lent
        return lent

    def _write(
        self, quarter: int, who: Ints, principal: Ints, first: np.datetime64, last: np.datetime64, ready: Days | None
    ) -> None:
        rng, society = self.rng, self.members.society[who]
        begin = np.full(len(who), first) if ready is None else ready[society]
        begin = np.maximum(begin, self.members.joined_on[who] + 1)
        share = rng.beta(1.3, 2.2, len(who))  # most is lent early: before sowing, or as soon as the money is there
        lent_on = begin + ((last - begin).astype(np.int64) * share).astype("timedelta64[D]")
        term = rng.choice(_TERMS, len(who), p=_TERM_SHARES)
        if quarter < 0:  # still owed when the year began
            term = np.where(lent_on + term < c.FIRST_DAY + 5, 365, term)
            early = lent_on + term < c.FIRST_DAY + 5
            lent_on = np.where(early, c.FIRST_DAY - 300, lent_on)
        order = np.lexsort((lent_on, society))
        who, society, principal, lent_on, term = (
            who[order],
            society[order],
            principal[order],
            lent_on[order],
            term[order],
        )
        before = np.bincount(
            np.concatenate([x.society for x in self.loans if x.quarter[0] >= 0] or [np.empty(0, np.int64)]).astype(
                np.int64
            ),
            minlength=len(self.societies),
        ) * (quarter >= 0)
        begins = np.searchsorted(society, np.arange(len(self.societies)))
        number = np.arange(len(who)) - begins[society] + before[society] + 1
        loans = Loans(
            society,
            who,
            number,
            lent_on,
            principal,
            term,
            self.rules.instalments[society],
            self.rules.fee_bp[society],
            np.full(len(who), quarter),
        )
        self.loans.append(loans)
        self.repayments.append(self._repay(loans))

    def _repay(self, loans: Loans) -> Repayments:
        """Most pay on the day or a few days before, some late, very few not at all; only what falls in the year."""
        count = len(loans.society)
        lots, whole_fen = self.rng.random(count), loans.principal * 100
        shift = np.where(lots < 0.35, -self.rng.integers(1, 8, count), 0)
        shift = np.where(lots > 0.945, self.rng.integers(1, 70, count), shift)
        never = lots > 0.992
        parts = []
        fee, exact, repaid, day = np.zeros((4, count), dtype=np.int64)
        done = np.full(count, _UNTIL)
        for number in (1, 2):
            there = loans.instalments >= number
            due, paid = loans.term_days * number // loans.instalments, whole_fen * number // loans.instalments
            exact = exact + (whole_fen - repaid) * loans.fee_bp * (due - day)
            charged = (2 * exact + _FEE_UNIT) // (2 * _FEE_UNIT)
            paid_on = loans.lent_on + (due + shift).astype("timedelta64[D]")
            paid_on = np.maximum(paid_on, c.FIRST_DAY + 2)
            happens = there & ~never & (paid_on <= c.LAST_DAY)
            where = np.flatnonzero(happens)
            quarter = np.searchsorted(_QUARTERS, paid_on[where], side="right") - 1
            parts.append((where, paid_on[where], (paid - repaid)[where], (charged - fee)[where], quarter))
            done = np.where(happens & (loans.instalments == number), paid_on, done)
            fee, repaid, day = charged, paid, due
        self.free_from[loans.member] = done
        return Repayments(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _by_society(self, amount: Ints, who: Ints | slice = slice(None)) -> Ints:
        return np.bincount(self.members.society[who], amount[who], len(self.societies)).astype(np.int64)
