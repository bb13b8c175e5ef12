"""What a reader who knows the rule and tries every table of whole numbers is left with; tables small enough to be tried
one by one.
"""

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from karez.figures import solver
from karez.figures.attack import Form, Kind, Place, Relation, RollUp, Zero, of_edition, unchanged
from karez.figures.corrections import follows
from karez.figures.disclosure import (
    COMPLEMENT,
    LEFT_OPEN,
    RULES,
    SMALL,
    Cell,
    Known,
    Suppression,
    as_known,
    suppress,
)
from karez.figures.over_years import Edition, Meaning, told_by_other_years
from karez.figures.solver import UNDECIDED
from karez.figures.tests.test_disclosure import counts

Possible = Mapping[int, set[int]]
MOST = 250  # beyond every total tried here


def region(*townships: int) -> dict[int, Place]:
    """A region of counties 2, 3, ... with so many townships each, numbered from ten times the county on."""
    tree = {1: Place(None, "region")}
    for county, many in enumerate(townships, 2):
        tree |= {county: Place(1, "county")} | {10 * county + n: Place(county, "township") for n in range(many)}
    return tree


def decided(low: Mapping[int, int], tree: Mapping[int, Place]) -> tuple[list[Cell], Suppression]:
    cells = counts("a", low, tree)
    return cells, suppress(cells, tree, [RollUp("a")])


def possible(cells: Iterable[Cell], found: Suppression, tree: Mapping[int, Place], *, marks: bool = False) -> Possible:
    """Every number each place may have in some table: printed as printed, withheld one or more, small ones with `marks`
    below ten.
    """
    may: dict[int, set[int]] = {}
    for cell in cells:
        reason = found.suppressed.get((cell.figure, cell.place))
        below = RULES["person"].least if marks and reason == SMALL else MOST
        may[cell.place] = {int(cell.value or 0)} if reason is None else set(range(1, below))
    below_of = {p: [c for c, at in tree.items() if at.parent_id == p] for p in tree}
    sums = {c: _sums([may[t] for t in below_of[c]]) & may[c] for c in below_of[1]}
    left: dict[int, set[int]] = {1: _sums(list(sums.values())) & may[1]}
    for county in below_of[1]:
        others = _sums([s for c, s in sums.items() if c != county])
        left[county] = {s for s in sums[county] if any(s + o in left[1] for o in others)}
        for township in below_of[county]:
            rest = _sums([may[t] for t in below_of[county] if t != township])
            left[township] = {v for v in may[township] if any(v + r in left[county] for r in rest)}
    return left


def _sums(parts: Sequence[set[int]]) -> set[int]:
    bits = 1  # bit n: n is a sum
    for part in parts:
        bits = functools.reduce(lambda made, n, bits=bits: made | bits << n, part, 0)  # type: ignore[misc]
    return {n for n in range(MOST) if bits >> n & 1}


def too_narrow(left: Possible, found: Suppression) -> list[int]:
    return [p for _f, p in found.suppressed if max(left[p]) - min(left[p]) < LEFT_OPEN.counts]


@pytest.mark.parametrize("other", [(20, 30, 40, 9), (0, 0, 0, 0), (12, 0, 0, 0), (1, 1, 1, 9)])
def test_ten_townships_of_one_person_each(other: Sequence[int]) -> None:
    """The county's ten would leave one for each; so the ten is withheld too, and does not follow from the region
    either.
    """
    tree = region(10, 4)
    cells, found = decided(dict.fromkeys(range(20, 30), 1) | dict(zip(range(30, 34), other, strict=True)), tree)
    only = Suppression({k: r for k, r in found.suppressed.items() if r == SMALL}, found.report)
    assert too_narrow(possible(cells, only, tree), only)  # the reader of this test does find them
    assert found.suppressed["a", 2] == COMPLEMENT and not found.exposed
    assert too_narrow(possible(cells, found, tree), found) == []
    assert not any(cell.value == 0 for cell in cells if ("a", cell.place) in found.suppressed)


@pytest.mark.parametrize("low", [(9, 9, 9, 0), (9, 9, 9, 40), (1, 1, 9, 0), (8, 9, 9, 0), (2, 2, 2, 5)])
def test_who_knows_which_cells_are_small_is_left_as_much(low: Sequence[int]) -> None:
    """Three nines printed as 27 in all can be nothing else, once they are known to be below ten."""
    tree = region(4, 4)
    cells, found = decided(dict(zip(range(20, 24), low, strict=True)) | dict.fromkeys(range(30, 34), 20), tree)
    assert too_narrow(possible(cells, found, tree, marks=True), found) == [] and not found.exposed


def test_what_can_be_left_open() -> None:
    assert 0 < LEFT_OPEN.counts <= min(rule.least for rule in RULES.values()) - 2 and LEFT_OPEN.source


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([0, 0, 1, 1, 1, 2, 5, 9, 10, 11]), min_size=1, max_size=6), min_size=1, max_size=3
    )
)
def test_no_withheld_count_is_left_narrow(low: list[list[int]]) -> None:
    tree = region(*map(len, low))
    cells, found = decided({10 * c + n: v for c, its in enumerate(low, 2) for n, v in enumerate(its)}, tree)
    assert too_narrow(possible(cells, found, tree), found) == [] and not found.exposed
    assert suppress(reversed(cells), tree, [RollUp("a")]).suppressed == found.suppressed


def left_of(
    truth: Mapping[tuple[str, int], Sequence[int]],
    found: Mapping[tuple[str, int], object],
    table: Mapping[tuple[str, int], "np.ndarray[object, np.dtype[np.int64]]"],
) -> dict[tuple[str, int], tuple[int, int]]:
    """The least and most of every withheld cell over all tables (an array of numbers a cell) that agree with what is
    printed.
    """
    agrees = np.logical_and.reduce([table[k] >= 1 if k in found else table[k] == v[0] for k, v in truth.items()])
    return {k: (int(table[k][agrees].min()), int(table[k][agrees].max())) for k in truth if k in found}


def grid(many: int, most: int) -> list["np.ndarray[object, np.dtype[np.int64]]"]:
    return [axis.ravel() for axis in np.meshgrid(*[np.arange(most)] * many, indexing="ij")]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 9, 10, 12]), min_size=4, max_size=4))
def test_over_areas_and_a_formula_at_once(low: list[int]) -> None:
    """Women and men of two counties, and persons: all tables are tried."""
    tree = region(0, 0)
    cells = [*counts("women", {2: low[0], 3: low[1]}, tree), *counts("men", {2: low[2], 3: low[3]}, tree)]
    by = {(c.figure, c.place): int(c.value or 0) for c in cells}
    cells += [Cell("persons", p, n := by["women", p] + by["men", p], n, "person", Kind.COUNT) for p in tree]
    relations: list[Relation] = [RollUp(f) for f in ("women", "men", "persons")]
    found = suppress(cells, tree, [*relations, Zero(Form((("persons", 1), ("women", -1), ("men", -1))))])
    w2, w3, m2, m3 = grid(4, 20)
    table = {
        ("women", 2): w2,
        ("women", 3): w3,
        ("women", 1): w2 + w3,
        ("men", 2): m2,
        ("men", 3): m3,
        ("men", 1): m2 + m3,
    }
    table |= {("persons", p): table["women", p] + table["men", p] for p in tree}
    left = left_of({(c.figure, c.place): [int(c.value or 0)] for c in cells}, found.suppressed, table)
    assert not found.exposed and all(high - low_ >= LEFT_OPEN.counts for low_, high in left.values())


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 2, 9, 10, 12]), min_size=3, max_size=3),
    st.integers(0, 2),
    st.sampled_from([1, 3, 11]),
)
def test_a_corrected_edition_beside_the_first(low: list[int], wrong: int, more: int) -> None:
    """One county was wrong: who has both editions, and takes the rest for what it was, is left as much of each."""
    tree = region(0, 0, 0)
    right = [v + more if n == wrong else v for n, v in enumerate(low)]
    first, second = (counts("a", dict(zip((2, 3, 4), v, strict=True)), tree) for v in (low, right))
    before = suppress(first, tree, [RollUp("a")])
    corrected = [("a", c.place) for c, d in zip(first, second, strict=True) if c.value != d.value]
    relations = [RollUp("a"), *of_edition([RollUp("a")], "1"), *unchanged(["a"], "1", corrected)]
    after = suppress(second, tree, relations, as_known(first, before, "1"))
    numbers = grid(4, 30)
    now = dict(zip((2, 3, 4), numbers, strict=False))
    then = now | {2 + wrong: numbers[3]}
    table = {("a", p): v for p, v in now.items()} | {("a@1", p): v for p, v in then.items()}
    table |= {("a", 1): np.sum(list(now.values()), axis=0), ("a@1", 1): np.sum(list(then.values()), axis=0)}
    truth = {("a", c.place): [int(c.value or 0)] for c in second} | {
        ("a@1", c.place): [int(c.value or 0)] for c in first
    }
    left = left_of(truth, dict.fromkeys((*after.suppressed, *((f"{f}@1", p) for f, p in before.suppressed)), 0), table)
    exposed = {e.key for e in after.exposed}
    assert {k for k, (one, other) in left.items() if other - one < LEFT_OPEN.counts} <= exposed


def test_money_of_few_is_left_open_by_half() -> None:
    """A companion of 100 yuan that can be 150 at most hides of nine thousand but little: more is withheld."""
    tree = region(0, 0, 0)
    lent = {2: (9_000, 1), 3: (100, 12), 4: (30_000, 30)}
    given_ = {2: (20_000, 20), 3: (50, 2), 4: (700, 40)}
    cells = []
    for name, by in (("lent", lent), ("given", given_), ("both", {p: (lent[p][0] + given_[p][0], 60) for p in lent})):
        by = by | {1: (sum(v for v, _ in by.values()), sum(n for _, n in by.values()))}
        cells += [Cell(name, p, v, n, "household", Kind.AMOUNT) for p, (v, n) in by.items()]
    relations = [
        RollUp("lent"),
        RollUp("given"),
        RollUp("both"),
        Zero(Form((("both", 1), ("lent", -1), ("given", -1)))),
    ]
    found = suppress(cells, tree, relations)
    assert {("lent", 2), ("given", 3)} <= found.suppressed.keys() and not found.exposed
    assert {("both", 3), ("lent", 4), ("lent", 1)} & found.suppressed.keys()  # else 9,100 - 150 <= lent in 2 <= 9,100


def test_an_erratum_that_leaves_twelve_counties_thirteen_persons_is_told() -> None:
    """Thirteen in twelve withheld counties of at least one each: one or two in every one of them."""
    tree = region(*([0] * 13))
    values = {("a", 1): 200, ("a", 2): 110, **{("a", p): None for p in range(3, 15)}}
    now = Edition("2009-1", 2009, tree, {"a": Meaning(("a",), "stock", "person")}, values, frozenset(), [RollUp("a")])
    assert ("a", 3) in follows(now, [], {"a": "person"}, frozenset({"a"}), ("a", 2), Fraction(187))
    assert follows(now, [], {"a": "person"}, frozenset({"a"}), ("a", 2), Fraction(150)) == []


def test_every_table_of_a_chain_of_sums_is_whole() -> None:
    """Sums of two that overlap (a + b, b + c, a + c) have halves as their ends; whole numbers are looked for."""
    names, values = ("a", "b", "c"), (1, 2, 2)
    cells = [Cell(n, 1, v, v, "person", Kind.COUNT) for n, v in zip(names, values, strict=True)]
    pairs = list(itertools.combinations(range(3), 2))
    cells += [Cell(f"s{i}{j}", 1, values[i] + values[j] + 10, None, "none", Kind.COUNT) for i, j in pairs]
    told = [Zero(Form(((f"s{i}{j}", 1), (names[i], -1), (names[j], -1)), -10)) for i, j in pairs]
    found = suppress(cells, {1: Place(None, "region")}, told)
    shown = {(i, j) for i, j in pairs if (f"s{i}{j}", 1) not in found.suppressed}
    tables = [
        t
        for t in itertools.product(range(1, 30), repeat=3)
        if all(t[i] + t[j] == values[i] + values[j] for i, j in shown)
    ]
    assert not found.exposed and all(
        max(t[n] for t in tables) - min(t[n] for t in tables) >= LEFT_OPEN.counts for n in range(3)
    )


def test_what_could_not_be_looked_for_to_the_end_is_not_taken_for_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight numbers below ten and one sum of large multiples of them: tables of whole numbers are looked for, but not
    for ever.
    """
    times = (10007, 10513, 11003, 11927, 12109, 13337, 14009, 15013)
    cells = [Cell(f"f{n}", 1, 4 + n % 5, 4 + n % 5, "person", Kind.COUNT) for n in range(8)]
    told = Cell(
        "t",
        1,
        sum(many * int(cell.value or 0) for many, cell in zip(times, cells, strict=True)),
        None,
        "none",
        Kind.COUNT,
    )
    told_sum = Zero(Form((*((f"f{n}", many) for n, many in enumerate(times)), ("t", -1))))
    monkeypatch.setattr(solver, "BRANCHES", 0)
    found = suppress([*cells, told], {1: Place(None, "region")}, [told_sum], public=[("t", 1)])
    assert {(e.key[0], e.how) for e in found.exposed} == {(f"f{n}", UNDECIDED) for n in range(8)}
    assert not any(told_by_other_years(e, 2009) for e in found.exposed)


def test_from_printed_values_that_contradict_each_other_nothing_follows() -> None:
    """As an erratum beside the parts it did not correct: no table fits, so none is found out, and publishing goes on."""
    known = [
        Known("a@2009-1", 1, None, units=3, unit="person"),
        Known("b@2009-1", 1, None, units=4, unit="person"),
        Known("c@2009-1", 1, 9),
        Known("d@2009-1", 1, 3),
    ]
    sums = of_edition(
        [
            Zero(Form((("a", 1), ("b", 1), ("c", -1)))),
            Zero(Form((("a", 1), ("b", 1), ("d", -1)))),
            Zero(Form((("a", 1), ("b", -1), ("x", -1)))),
        ],
        "2009-1",
    )
    found = suppress([Cell("e", 1, 5, None, "none", Kind.COUNT)], {1: Place(None, "region")}, sums, known)
    assert "undecided" not in {e.how for e in found.exposed}
