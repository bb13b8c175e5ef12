"""Disclosure control over all cells of a publication at once: what is not printed so that no small number is printed or
follows.

Decides only; it reads no snapshot and prints nothing. The rules are a table (`RULES`). Values are taken as exact, so
what is printed rounded is at least as safe. What is marked as suppressed must not say why: a mark that tells small
cells from the others gives bounds away. The choice is greedy and always the same for the same cells; the audit after it
(`attack`) is exact within what it says of itself. `Suppression.exposed` must be empty before anything is published.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from karez.figures.attack import (
    Board,
    Exposure,
    Key,
    Kind,
    LeftOpen,
    Number,
    Place,
    Product,
    Relation,
    solved,
    whole,
    worked_out,
)
from karez.figures.solver import FIXED, NARROW, UNDECIDED, Interval, narrow

LEVELS = ("region", "prefecture", "county", "township", "village")
SMALL, TOO_FINE, SHARE, COMPLEMENT = "small", "too_fine", "share", "complement"
CHANGE = "~"  # begins the name of a figure nobody prints: the change of another one between two years


@dataclass(frozen=True)
class Rule:
    """When a cell of a disclosure unit may be printed: how many units at least, and down to which level."""

    least: int
    finest: str
    source: str


# A cell of none (no unit behind it) is printed: it tells of nobody in it. Villages, places and money of public bodies
# are no persons: `village` and `none` have no rule.
RULES: Mapping[str, Rule] = {
    "person": Rule(10, "township", "fewer than 10 persons are not printed; villages are often below that"),
    "household": Rule(10, "township", "a household is persons: the same threshold and the same level"),
}

# Of 1 to 9, which the threshold leaves by itself, a reader who solves may leave out not more than half: five numbers
# stay possible.
LEFT_OPEN = LeftOpen(
    4,
    Fraction(1, 2),
    "half of what the threshold leaves; of money half of it, as with a group that could be half as large",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure at a place as it would be printed; `value` None means printed as missing. `units` are the persons or
    households behind it.
    """

    figure: str
    place: int
    value: Number | None
    units: int | None = None
    unit: str = "none"
    kind: Kind = Kind.ANY


@dataclass(frozen=True, slots=True)
class Known:
    """A cell of another edition, its figure written `id@edition`; value None where that edition suppressed it, which
    must stay so.

    `missing`: that edition printed it as nothing to count. `units` of `unit` stand behind what must stay unknown, where
    that is known.
    """

    figure: str
    place: int
    value: Number | None
    missing: bool = False
    units: int | None = None
    unit: str = ""


@dataclass(frozen=True)
class Report:
    """How the choice was made; nothing here may be published."""

    cells: int
    by_reason: Mapping[str, int]
    by_level: Mapping[str, int]
    components: int
    largest_component: int
    narrowest: (
        Number | None
    )  # width of the narrowest interval a reader can put a suppressed count in; at least that, where it is `LEFT_OPEN`
    not_adding_up: tuple[tuple[str, int], ...]  # relations that do not hold for the values, of no use to a reader
    exposed: tuple[Exposure, ...]  # what could not be protected


@dataclass(frozen=True)
class Suppression:
    """The cells that must not be printed, each with its reason (for the office's eyes), and the report."""

    suppressed: Mapping[Key, str]
    report: Report

    @property
    def exposed(self) -> tuple[Exposure, ...]:
        """Suppressed cells that can be worked out all the same; nothing may be published while there are any."""
        return self.report.exposed


@dataclass
class _Work:
    board: Board
    cells: Mapping[Key, Cell]
    rules: Mapping[str, Rule]
    reasons: dict[Key, str] = field(default_factory=dict)
    shares: dict[str, set[str]] = field(default_factory=dict)  # input -> formulas that multiply or divide by it
    ratios: frozenset[str] = frozenset()
    pending: set[Key] = field(default_factory=set)
    public: set[Key] = field(default_factory=set)
    intervals: dict[Key, Interval] = field(default_factory=dict)  # of the cells that a reader leaves open widely enough

    def suppress(self, key: Key, reason: str) -> None:
        """Takes a cell out, and the shares and averages it is an input of."""
        if key in self.reasons:
            return
        self.reasons[key] = reason
        self.board.secret.add(key)
        self.pending.add(key)
        for figure in sorted(self.shares.get(key[0], ())):
            share = self.cells.get((figure, key[1]))
            if share is not None and share.value is not None and (figure, key[1]) not in self.public:
                self.suppress((figure, key[1]), SHARE)

    def release(self, key: Key) -> None:
        """Gives up on what follows from other editions alone: withholding it, or anything else, would hide nothing."""
        self.reasons.pop(key, None)
        self.board.secret.discard(key)
        self.pending.discard(key)
        self.public.add(key)

    def cost(self, key: Key) -> tuple[object, ...]:
        """What it costs a reader to miss a cell: noughts last (the rule says they are printed), then the region's;
        small before large.
        """
        cell, level = self.cells[key], self.board.tree[key[1]].level
        size = cell.units or abs(cell.value or 0)
        return (
            not cell.value,
            level == "region",
            key[0] not in self.ratios,
            -LEVELS.index(level),
            size,
            key[1],
            key[0],
        )


def suppress(
    cells: Iterable[Cell],
    tree: Mapping[int, Place],
    relations: Sequence[Relation],
    known: Iterable[Known] = (),
    rules: Mapping[str, Rule] = RULES,
    trees: Mapping[str, Mapping[int, Place]] | None = None,
    public: Collection[Key] = (),
) -> Suppression:
    """Which of the cells must not be printed, so that none of them follows from the rest, the relations and what is
    known already.

    `trees` are those of the editions in `known` whose places lay otherwise; `public` are cells that an edition tells
    already.
    """
    work = _laid_out(list(cells), tree, relations, list(known), rules, trees or {})
    work.public |= set(public)
    for key in sorted(work.cells):
        cell = work.cells[key]
        if cell.unit in rules and cell.value is not None and _is_small(cell, rules[cell.unit]):
            work.suppress(key, SMALL)
    work.pending |= work.board.secret
    while work.pending:
        start = min(work.pending)
        component = solved(work.board, start)
        chosen = _protect(work, worked_out(work.board, component)[0])
        if (
            not chosen
        ):  # nothing follows outright: now with the solver, as a reader who even knows which cells are small
            too_narrow, intervals = narrow(work.board, component, marks=True)
            chosen = _protect(work, too_narrow)
            # What is withheld later only leaves more open, so these need not be followed again.
            work.intervals |= {k: i for k, i in intervals.items() if k not in {e.key for e in too_narrow}}
        if chosen:
            work.pending |= work.board.secret.intersection(component.unknown)
        else:
            work.pending -= set(component.unknown)
    return Suppression(work.reasons, _audit(work))


def _laid_out(
    cells: Sequence[Cell],
    tree: Mapping[int, Place],
    relations: Sequence[Relation],
    known: Sequence[Known],
    rules: Mapping[str, Rule],
    trees: Mapping[str, Mapping[int, Place]],
) -> _Work:
    fine = {unit: set(LEVELS[LEVELS.index(rule.finest) + 1 :]) for unit, rule in rules.items()}
    too_fine = {(c.figure, c.place): TOO_FINE for c in cells if c.unit in fine and tree[c.place].level in fine[c.unit]}
    kept = {(c.figure, c.place): c for c in cells if (c.figure, c.place) not in too_fine}
    truth = {key: whole(c.value) for key, c in kept.items() if c.value is not None}
    truth |= {(k.figure, k.place): whole(k.value) for k in known if k.value is not None}
    board = Board(
        tree=tree,
        relations=relations,
        truth=truth,
        trees=trees,
        missing=frozenset(k for k, c in kept.items() if c.value is None)
        | {(k.figure, k.place) for k in known if k.missing},
        kinds={c.figure: c.kind for c in cells},
        small={k: c.units for k, c in kept.items() if c.unit in rules and c.units is not None}
        | {(k.figure, k.place): k.units for k in known if k.unit in rules and k.units is not None},
        least={c.figure: rules[c.unit].least for c in cells if c.unit in rules}
        | {k.figure: rules[k.unit].least for k in known if k.unit in rules},
        secret={(k.figure, k.place) for k in known if k.value is None and not k.missing},
        left_open=LEFT_OPEN,
    )
    shares: dict[str, set[str]] = {}
    for relation in relations:
        if isinstance(relation, Product) and "@" not in relation.figure:
            for form in (relation.left, relation.right, relation.result):
                for figure, _ in form.terms:
                    if figure != relation.figure:
                        shares.setdefault(figure, set()).add(relation.figure)
    return _Work(board, kept, rules, dict(too_fine), shares, frozenset().union(*shares.values()))


def _is_small(cell: Cell, rule: Rule) -> bool:
    """Whether a cell speaks of somebody, but of too few; not knowing of how many is too few."""
    return bool(cell.value) if cell.units is None else 0 < cell.units < rule.least


def _protect(work: _Work, exposures: Sequence[Exposure]) -> bool:
    """Suppresses one more cell for each way of working one out; tells whether anything was suppressed."""
    touched: set[Key] = set()
    for exposure in exposures:
        candidates = [k for k in exposure.support if k in work.cells and k not in work.reasons and k not in work.public]
        if exposure.how in (
            NARROW,
            FIXED,
            UNDECIDED,
        ):  # one nought more would hide nothing from who knows that noughts are printed
            candidates = [k for k in candidates if work.cells[k].value]
        if touched.intersection(exposure.support):
            continue
        given_up = work.reasons.get(exposure.key) in (COMPLEMENT, SHARE) or exposure.key[0].startswith(CHANGE)
        if not candidates and given_up and exposure.how == "determined":
            work.release(exposure.key)
            touched.add(exposure.key)
            continue
        if not candidates:  # the audit finds it once more, and nothing is published
            continue
        before = len(work.reasons)
        best = min(candidates, key=work.cost)
        work.suppress(best, COMPLEMENT)
        touched.add(best)
        assert len(work.reasons) > before
    return bool(touched)


def _audit(work: _Work) -> Report:
    """Plays the reader once more over everything that was decided."""
    waiting, exposed, sizes = set(work.board.secret), [], []
    while waiting:
        component = solved(work.board, min(waiting))
        inside = waiting.intersection(component.unknown)
        follows, _bounds = worked_out(work.board, component)
        exposed += follows
        sizes.append(len(component.unknown))
        waiting -= set(component.unknown)
        if inside - work.intervals.keys():  # nobody is told which cells are small
            too_narrow, found = narrow(work.board, component)
            work.intervals |= found
            outright = {e.key for e in follows}
            exposed += [
                e
                for e in too_narrow
                if e.key not in outright and (e.how in (FIXED, UNDECIDED) or _must_stay_open(work, e.key))
            ]
    levels = Counter(work.board.tree[place].level for _, place in work.reasons)
    counted = [
        i.high - i.low for k, i in work.intervals.items() if k in work.reasons and work.cells[k].kind is Kind.COUNT
    ]
    return Report(
        len(work.cells),
        dict(sorted(Counter(work.reasons.values()).items())),
        dict(sorted(levels.items())),
        len(sizes),
        max(sizes, default=0),
        min((int(width) for width in counted), default=None),
        tuple(sorted(work.board.untrue)),
        tuple(exposed),
    )


def _must_stay_open(work: _Work, key: Key) -> bool:
    """Whether a narrow interval speaks of few: what was withheld to hide another cell is itself of many."""
    return work.reasons.get(key) not in (COMPLEMENT, SHARE)


def published(cells: Iterable[Cell], found: Suppression) -> list[Cell]:
    """The cells that may be printed, in their order."""
    return [c for c in cells if (c.figure, c.place) not in found.suppressed]


def as_known(cells: Iterable[Cell], found: Suppression, edition: str) -> list[Known]:
    """What an edition told, for the decision over a later one: its values, and its secrets to be kept."""
    told = [c for c in cells if c.value is not None and found.suppressed.get((c.figure, c.place)) != TOO_FINE]
    return [
        Known(f"{c.figure}@{edition}", c.place, None if (c.figure, c.place) in found.suppressed else c.value)
        for c in told
    ]


__all__ = [
    "COMPLEMENT",
    "LEFT_OPEN",
    "RULES",
    "SHARE",
    "SMALL",
    "TOO_FINE",
    "Cell",
    "Kind",
    "Known",
    "Place",
    "Report",
    "Rule",
    "Suppression",
    "as_known",
    "published",
    "suppress",
]
