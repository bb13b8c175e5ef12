"""What a reader with a solver finds: between which numbers each withheld cell must lie. Chooses nothing to withhold.

The reader has every printed value, what adds up, the formulas, and the rule: noughts are printed, so what is withheld
of persons or households is one at least; with `marks` also which cells are withheld for being small, so that these are
below the threshold. Each connected block is a linear programme (HiGHS), its optimum the end of an interval. Counts are
whole: an end counts as reached only by a table of whole numbers, looked for by integer programming where the linear
optimum is none and the block is small. The work is bounded by its steps, not by a clock, so that the answer is the same
everywhere. What has no answer within them is `UNDECIDED`, and counts as exposed: nothing is taken for safe because it
could not be looked at. From printed values that contradict each other, as an erratum and the parts it leaves as they
were, nothing follows; no table fits them. Not found: what only whole numbers narrow in blocks of more than
`WHOLE_BELOW` cells. Printed values are taken as exact, so what is printed rounded leaves more open than is found here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, frexp
from typing import Any, NamedTuple

import highspy
import numpy as np

from karez.figures.attack import Board, Component, Exposure, Key, Kind, Number, Product

WHOLE_BELOW = 60  # cells of a block up to which tables of whole numbers are looked for
NARROW, FIXED, UNDECIDED = (
    "narrow",
    "fixed",
    "undecided",
)  # how a cell is exposed: to few numbers, to one; or nobody can say
STEPS, STEPS_PER_LINE = (
    10_000,
    200,
)  # of the simplex for one question: so many, and so many more for each sum and each cell
BRANCHES = 500  # of the search for a table of whole numbers
NEAR = 1e-6
_Table = np.ndarray[Any, np.dtype[np.float64]]
_SETTINGS = (
    ("output_flag", False),
    ("log_to_console", False),
    ("threads", 1),
    ("random_seed", 0),
    ("mip_rel_gap", 0.0),
    ("mip_abs_gap", 0.5),
)
_TABLE, _NONE = highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible
MARGIN = 1_000  # beyond the largest number around, so that no interval is without an end


class Interval(NamedTuple):
    """Between which numbers a withheld cell can be shown to lie; followed only until it is as wide as asked."""

    low: float
    high: float


@dataclass
class _Row:
    """A sum of unknown cells that lies between two numbers (None: no end on that side), and the printed cells it
    follows from.
    """

    terms: dict[Key, Number]
    low: Number | None
    high: Number | None
    support: frozenset[Key]


@dataclass
class _Column:
    low: Number | None
    high: Number | None
    whole: bool
    truth: Number | None
    needed: float = 0  # how wide its interval has to be; nought: nobody asks


def narrow(board: Board, component: Component, *, marks: bool = False) -> tuple[list[Exposure], dict[Key, Interval]]:
    """The withheld cells a reader can put in too narrow an interval, with the printed cells that make it so; and what
    was found of all.
    """
    exposed: list[Exposure] = []
    found: dict[Key, Interval] = {}
    for columns, rows in _blocks(board, component, marks=marks):
        block = _Block(columns, rows)
        if not block.feasible:  # what was printed contradicts what a reader takes for granted, who then takes less
            loose = {k: _Column(0 if c.whole else c.low, None, c.whole, c.truth, c.needed) for k, c in columns.items()}
            block = _Block(loose, rows)
        # where printed values contradict each other all the same (an erratum beside old parts), nothing follows from
        # them
        if block.feasible:
            exposed += block.followed()
        found |= block.seen
    return sorted(exposed), found


def _blocks(board: Board, component: Component, *, marks: bool) -> Iterable[tuple[dict[Key, _Column], list[_Row]]]:
    """The unknown cells in connected blocks that hold a withheld cell, without those that bound nothing."""
    columns = _columns(board, component, marks=marks)
    rows = [_Row(dict(e.terms), e.rhs, e.rhs, frozenset(e.support())) for e in component.equations if e.terms]
    rows = _without_the_idle(columns, rows)
    block_of = _joined(rows)
    by_block: dict[Key, list[_Row]] = defaultdict(list)
    for row in rows:
        by_block[block_of[min(row.terms)]].append(row)
    for _first, its in sorted(by_block.items()):
        inside = {k: columns[k] for k in sorted({k for row in its for k in row.terms})}
        if any(c.needed for c in inside.values()):
            yield inside, its


def _columns(board: Board, component: Component, *, marks: bool) -> dict[Key, _Column]:
    ratios = {r.figure for r in board.relations if isinstance(r, Product)}
    made: dict[Key, _Column] = {}
    for key in sorted(component.unknown):
        kind, truth, secret = (
            board.kinds.get(key[0].partition("@")[0], Kind.ANY),
            board.truth.get(key),
            key in board.secret,
        )
        low: Number | None = None if kind is Kind.ANY else 0
        if kind is Kind.COUNT and secret and (truth is None or truth >= 1):
            low = 1
        high = (
            board.least[key[0]] - 1
            if marks and secret and truth is not None and _is_its_own_units(board, key, kind)
            else None
        )
        made[key] = _Column(low, high, kind is Kind.COUNT, truth, _needed(board, key, kind, truth) if secret else 0)
    _as_their_parts(
        board, {k: c for k, c in made.items() if c.needed and not c.whole and k[0].partition("@")[0] not in ratios}
    )
    return made


def _as_their_parts(board: Board, amounts: Mapping[Key, _Column]) -> None:
    """A sum with public money in it, and what hides an amount of few, is as open as the least amount of few that it
    hangs together with.
    """
    of_few = [c.needed for k, c in amounts.items() if k[0] in board.rolled and _is_few(board, k)]
    for key, column in amounts.items():
        if of_few and not (key[0] in board.rolled and _is_few(board, key)):
            column.needed = min(of_few)


def _is_its_own_units(board: Board, key: Key, kind: Kind) -> bool:
    """Whether a small cell counts just what the threshold counts, so that the threshold bounds it."""
    return kind is Kind.COUNT and _is_few(board, key) and board.small[key] == board.truth[key]


def _is_few(board: Board, key: Key) -> bool:
    return 0 < board.small.get(key, 0) < board.least.get(key[0], 0)


def _needed(board: Board, key: Key, kind: Kind, truth: Number | None) -> float:
    if kind is Kind.COUNT or (truth is None and key in board.small):  # a count, or the change of one
        return float(board.left_open.counts)
    if truth is not None and _is_few(board, key):
        return max(NEAR, float(board.left_open.part) * abs(float(truth)))
    return NEAR * max(1.0, abs(float(truth or 0))) if truth is None or abs(float(truth)) > 1 else NEAR


def _without_the_idle(columns: Mapping[Key, _Column], rows: Sequence[_Row]) -> list[_Row]:
    """Cells nobody asks for that are in one sum only become room in that sum; a sum with room on both sides says
    nothing.
    """
    used: dict[Key, set[int]] = defaultdict(set)
    for number, row in enumerate(rows):
        for key in row.terms:
            used[key].add(number)
    waiting = [k for k, its in used.items() if len(its) == 1 and not columns[k].needed]
    gone: set[int] = set()
    while waiting:
        key = waiting.pop()
        column = columns[key]
        if len(used[key]) != 1:
            continue
        (number,) = used[key]
        row = rows[number]
        if column.whole and abs(row.terms[key]) != 1:
            continue
        c = row.terms.pop(key)
        used[key].clear()
        least, most = (column.low, column.high) if c > 0 else (column.high, column.low)
        row.low = None if row.low is None or most is None else row.low - c * most
        row.high = None if row.high is None or least is None else row.high - c * least
        if _says_nothing(row, columns):
            gone.add(number)
            for other in row.terms:
                used[other].discard(number)
                if len(used[other]) == 1 and not columns[other].needed:
                    waiting.append(other)
    return [row for number, row in enumerate(rows) if number not in gone and row.terms]


def _says_nothing(row: _Row, columns: Mapping[Key, _Column]) -> bool:
    """Whether the bounds of its cells keep a sum within its ends already."""
    low: Number | None = 0
    high: Number | None = 0
    for key, c in row.terms.items():
        least, most = (columns[key].low, columns[key].high) if c > 0 else (columns[key].high, columns[key].low)
        low = None if low is None or least is None else low + c * least
        high = None if high is None or most is None else high + c * most
    return (row.low is None or (low is not None and low >= row.low)) and (
        row.high is None or (high is not None and high <= row.high)
    )


def _joined(rows: Sequence[_Row]) -> dict[Key, Key]:
    """For every cell one that stands for its connected block."""
    above: dict[Key, Key] = {}

    def top(key: Key) -> Key:
        while above.setdefault(key, key) != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for row in rows:
        first, *others = sorted(row.terms)
        stands = top(first)
        for other in others:
            stands, below = sorted((stands, top(other)))
            above[below] = stands
    return {key: top(key) for key in list(above)}


class _Block:
    """One linear programme, asked again and again for other ends; what the tables found so far allow is kept."""

    def __init__(self, columns: Mapping[Key, _Column], rows: Sequence[_Row]) -> None:
        self.columns, self.rows = columns, rows
        self.keys = list(columns)
        self.at = {key: n for n, key in enumerate(self.keys)}
        self.whole = np.array([c.whole for c in columns.values()])
        self.scale = np.array([1.0 if c.whole else _power_of_two(c.truth) for c in columns.values()])
        self.needed = np.array([c.needed for c in columns.values()])
        self.truth = (
            None
            if any(c.truth is None for c in columns.values())
            else np.array([float(c.truth or 0) for c in columns.values()])
        )
        self.asked = [n for n, c in enumerate(columns.values()) if c.needed]
        self._lay_out()
        self.solver = self._solver()
        self.lowest, self.highest = np.full(len(self.keys), np.inf), np.full(len(self.keys), -np.inf)
        self.feasible = self.truth is not None and self._holds(self.truth)
        if self.feasible:
            self._met(self.truth)  # type: ignore[arg-type]
        else:
            self.feasible = self._end(np.zeros(len(self.keys))) is not None

    @property
    def seen(self) -> dict[Key, Interval]:
        """The intervals of the withheld cells, as far as they were followed."""
        return {
            self.keys[n]: Interval(float(self.lowest[n]), float(self.highest[n]))
            for n in self.asked
            if self.lowest[n] <= self.highest[n]
        }

    def _lay_out(self) -> None:
        """The sums as arrays: as they stand for exact checks, and brought to about one for the solver."""
        triples = [
            (number, self.at[k], float(c)) for number, row in enumerate(self.rows) for k, c in sorted(row.terms.items())
        ]
        self.in_row, self.in_column = np.array([t[0] for t in triples]), np.array([t[1] for t in triples])
        self.factor = np.array([t[2] for t in triples])
        self.row_low = np.array([-np.inf if r.low is None else float(r.low) for r in self.rows])
        self.row_high = np.array([np.inf if r.high is None else float(r.high) for r in self.rows])
        ends = [
            v
            for v in (*self.row_low, *self.row_high, *(self.truth if self.truth is not None else ()))
            if np.isfinite(v)
        ]
        most = 4 * max((abs(v) for v in ends), default=0) + MARGIN
        self.low = np.array([-most if c.low is None else float(c.low) for c in self.columns.values()])
        self.high = np.array([most if c.high is None else float(c.high) for c in self.columns.values()])
        # Whole numbers below 2**53 are exact in floating point.
        self.exact = bool(self.whole.all()) and all(
            Fraction(c).denominator == 1 for row in self.rows for c in row.terms.values()
        )

    def _solver(self, *, whole: bool = False) -> highspy.Highs:
        scaled = self.factor * self.scale[self.in_column]
        by = np.zeros(len(self.rows))
        np.maximum.at(by, self.in_row, np.abs(scaled))
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self.keys), len(self.rows)
        model.col_cost_ = np.zeros(len(self.keys))
        model.col_lower_, model.col_upper_ = self.low / self.scale, self.high / self.scale
        model.row_lower_, model.row_upper_ = self.row_low / by, self.row_high / by
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.concatenate(([0], np.cumsum(np.bincount(self.in_row, minlength=len(self.rows)))))
        model.a_matrix_.index_, model.a_matrix_.value_ = self.in_column, scaled / by[self.in_row]
        if whole:
            kinds = highspy.HighsVarType
            model.integrality_ = [kinds.kInteger if w else kinds.kContinuous for w in self.whole]
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        steps = STEPS + STEPS_PER_LINE * (len(self.rows) + len(self.keys))
        for name, setting in (*_SETTINGS, ("simplex_iteration_limit", steps), ("mip_max_nodes", BRANCHES)):
            solver.setOptionValue(name, setting)
        solver.passModel(model)
        return solver

    def followed(self) -> list[Exposure]:
        """The cells whose interval stays narrower than it must be, after both of its ends were looked for."""
        for n in range(len(self.asked).bit_length()):  # many cells at once, one half against the other
            signs = np.zeros(len(self.keys))
            signs[self.asked] = [1.0 if rank >> n & 1 else -1.0 for rank in range(len(self.asked))]
            for direction in (signs, -signs):
                if all(self._wide(n) for n in self.asked):
                    return []
                self._end(direction)
        found = (self._followed(n) for n in self.asked)
        return [e for e in found if e is not None]

    def _followed(self, n: int) -> Exposure | None:
        support: set[Key] = set()
        ends = []
        for sign in (1.0, -1.0):
            if self._wide(n):
                return None
            direction = np.zeros(len(self.keys))
            direction[n] = sign
            end = self._end(direction)
            if end is None:
                return self.undecided(n)
            ends.append(end[0][n])
            support |= {k for row, dual in zip(self.rows, end[1], strict=True) if abs(dual) > NEAR for k in row.support}
        low, high = (ceil(ends[0] - NEAR), floor(ends[1] + NEAR)) if self.whole[n] else ends
        if self._wide(n) or high - low >= self.needed[n] * (1 - NEAR):
            return None
        return Exposure(
            self.keys[n], NARROW if high - low > NEAR * max(1.0, abs(high)) else FIXED, tuple(sorted(support))
        )

    def undecided(self, n: int) -> Exposure:
        """A cell of which nothing was found out, with every printed cell that has to do with it."""
        return Exposure(self.keys[n], UNDECIDED, tuple(sorted({k for row in self.rows for k in row.support})))

    def _wide(self, n: int) -> bool:
        return bool(self.highest[n] - self.lowest[n] >= self.needed[n] * (1 - NEAR))

    def _end(self, direction: _Table) -> tuple[_Table, Sequence[float]] | None:
        """The furthest table against a direction, and what keeps it from going on, by row; None where there is no
        table, or none was found in time.
        """
        found = self._run(self.solver, direction)
        if found is None:
            return None
        table, duals = found
        if not self._is_whole(table) and len(self.keys) <= WHOLE_BELOW:
            better = self._run(self._solver(whole=True), direction)
            if better is None:
                return None
            table = better[0]
        if self._is_whole(table):
            self._met(table)
        return table, duals

    def _run(self, solver: highspy.Highs, direction: _Table) -> tuple[_Table, Sequence[float]] | None:
        solver.changeColsCost(len(self.keys), np.arange(len(self.keys), dtype=np.int32), direction)
        solver.run()
        if solver.getModelStatus() not in (_TABLE, _NONE, highspy.HighsModelStatus.kSolutionLimit):
            solver.clearSolver()  # from the beginning, without what the last question left
            solver.run()
        if solver.getModelStatus() != _TABLE:
            return None
        solution = solver.getSolution()
        return np.array(solution.col_value) * self.scale, solution.row_dual

    def _is_whole(self, table: _Table) -> bool:
        """Whether the counts of a table are whole; where all are counts, whether the whole numbers hold exactly."""
        counts = table[self.whole]
        if np.any(np.abs(counts - np.round(counts)) > NEAR):
            return False
        return not self.exact or self._holds(np.round(table))

    def _holds(self, table: _Table) -> bool:
        total = np.bincount(self.in_row, self.factor * table[self.in_column], minlength=len(self.rows))
        slack = (
            0.0
            if self.exact
            else NEAR
            * (1 + np.bincount(self.in_row, np.abs(self.factor * table[self.in_column]), minlength=len(self.rows)))
        )
        within = np.all(total >= self.row_low - slack) and np.all(total <= self.row_high + slack)
        return bool(within and np.all(table >= self.low) and np.all(table <= self.high))

    def _met(self, table: _Table) -> None:
        numbers = np.where(self.whole, np.round(table), table)
        np.minimum(self.lowest, numbers, out=self.lowest)
        np.maximum(self.highest, numbers, out=self.highest)


def _power_of_two(value: Number | None) -> float:
    """A power of two about as large as a number, one at least."""
    return max(1.0, 2.0 ** frexp(abs(float(value)))[1]) if value else 1.0
