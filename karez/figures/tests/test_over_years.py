"""Two signed years against a reader who subtracts one from the other, with an elimination of the test's own."""

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction

from karez.figures.attack import Kind, Place, RollUp
from karez.figures.disclosure import COMPLEMENT, Cell, Suppression, suppress
from karez.figures.over_years import Edition, Meaning, beside, told_by_other_years

# 1 region; 2, 3 prefectures; 4-6 counties of 2; 7, 8 of 3
TREE = {
    1: Place(None, "region"),
    2: Place(1, "prefecture"),
    3: Place(1, "prefecture"),
    **{n: Place(2, "county") for n in (4, 5, 6)},
    7: Place(3, "county"),
    8: Place(3, "county"),
}
COUNTIES = (4, 5, 6, 7, 8)
STOCK, JOINED, LEFT, BEFORE = "people", "joined", "left", "before"
MEANINGS = {
    STOCK: Meaning(("count(*)",), "stock", "person"),
    BEFORE: Meaning(("count(*) before",), "stock", "person"),
    JOINED: Meaning(("j",), "flow", "person"),
    LEFT: Meaning(("l",), "flow", "person"),
}
RELATIONS = [RollUp(f) for f in MEANINGS]
Low = Mapping[str, Mapping[int, int]]


def cells_of(low: Low, tree: Mapping[int, Place] = TREE) -> list[Cell]:
    """The cells of counts at the counties and all above them."""
    made = []
    for figure, by in low.items():
        total = dict.fromkeys(tree, 0)
        for county, value in by.items():
            place: int | None = county
            while place is not None:
                total[place] += value
                place = tree[place].parent_id
        made += [Cell(figure, p, v, v, "person", Kind.COUNT) for p, v in total.items()]
    return made


def signed(
    name: str, year: int, cells: Sequence[Cell], found: Suppression, tree: Mapping[int, Place] = TREE
) -> Edition:
    """What was decided, as an edition."""
    values = {(c.figure, c.place): None if (c.figure, c.place) in found.suppressed else c.value for c in cells}
    withheld = {
        (c.figure, c.place): c.value for c in cells if (c.figure, c.place) in found.suppressed and c.value is not None
    }
    return Edition(name, year, tree, MEANINGS, values, frozenset(), RELATIONS, withheld)


def decided(
    low: Low, year: int, editions: Sequence[Edition], tree: Mapping[int, Place] = TREE
) -> tuple[list[Cell], Suppression]:
    """The cells of a year and the decision over them beside the editions; nothing may be left exposed."""
    cells = cells_of(low, tree)
    others = beside(cells, year, tree, MEANINGS, editions)
    found = suppress(
        cells, tree, [*RELATIONS, *others.relations], others.known, trees=others.trees, public=others.public
    )
    assert all(told_by_other_years(e, year) for e in found.exposed)
    return cells, found


def world(rng: random.Random) -> tuple[Low, Low]:
    """Two years in which the second is the first and who joined less who left."""
    first = {c: rng.choice((0, 3, 12, 40, 90, 200)) + rng.randint(0, 30) for c in COUNTIES}
    joined = {c: rng.choice((0, 0, 2, 4, 11, 30)) for c in COUNTIES}
    left = {c: min(first[c], rng.choice((0, 0, 1, 5, 15))) for c in COUNTIES}
    second = {c: first[c] + joined[c] - left[c] for c in COUNTIES}
    past = {c: rng.randint(0, 40) for c in COUNTIES}
    return {STOCK: first, JOINED: {c: first[c] // 3 for c in COUNTIES}, BEFORE: past}, {
        STOCK: second,
        JOINED: joined,
        LEFT: left,
        BEFORE: first,
    }


def recovered(
    first: Mapping[str, Mapping[int, int | None]], second: Mapping[str, Mapping[int, int | None]]
) -> set[tuple[str, int]]:
    """Every withheld cell of either year, and every change of the stock, that the published ones and what adds up
    determine.
    """
    rows: list[dict[object, Fraction]] = []

    def add(*terms: tuple[object, int], year: str = "") -> None:
        row: dict[object, Fraction] = {}
        for key, c in terms:
            value = known.get(key)
            if value is None:
                row[key] = row.get(key, Fraction(0)) + c
            else:
                row["known"] = row.get("known", Fraction(0)) + c * value
        rows.append({k: v for k, v in row.items() if v or k == "known"})

    known = {
        (y, f, p): v
        for y, year in (("1", first), ("2", second))
        for f, by in year.items()
        for p, v in by.items()
        if v is not None
    }
    for y, year in (("1", first), ("2", second)):
        for figure in year:
            for parent in (1, 2, 3):
                add(
                    ((y, figure, parent), 1),
                    *(((y, figure, p), -1) for p, (above, _) in TREE.items() if above == parent),
                )
    for place in TREE:
        add((("2", STOCK, place), 1), (("1", STOCK, place), -1), (("2", JOINED, place), -1), (("2", LEFT, place), 1))
        if BEFORE in second:
            add((("2", BEFORE, place), 1), (("1", STOCK, place), -1))
        add((("2", STOCK, place), 1), (("1", STOCK, place), -1), (("change", STOCK, place), -1))
    pivots: dict[object, dict[object, Fraction]] = {}
    for row in rows:
        for key in [k for k in row if k in pivots]:
            _take(row, pivots[key], row[key])
        free = [k for k in row if k != "known"]
        if free:
            pivot = free[0]
            row = {k: v / row[pivot] for k, v in row.items()}
            for other in pivots.values():
                if pivot in other:
                    _take(other, row, other[pivot])
            pivots[pivot] = row
    return {(str(k[0]) + str(k[1]), k[2]) for k, row in pivots.items() if not [x for x in row if x not in (k, "known")]}  # type: ignore[index]


def _take(row: dict[object, Fraction], other: Mapping[object, Fraction], times: Fraction) -> None:
    for key, value in other.items():
        new = row.get(key, Fraction(0)) - times * value
        if new or key == "known":
            row[key] = new
        else:
            row.pop(key, None)


def _printed(cells: Sequence[Cell], found: Suppression) -> dict[str, dict[int, int | None]]:
    made: dict[str, dict[int, int | None]] = {}
    for c in cells:
        made.setdefault(c.figure, {})[c.place] = None if (c.figure, c.place) in found.suppressed else int(c.value or 0)
    return made


def _leaks(
    low: tuple[Low, Low], one: tuple[list[Cell], Suppression], other: tuple[list[Cell], Suppression]
) -> set[tuple[str, int]]:
    """What the reader recovers although it speaks of fewer than ten."""
    truth = {("1" + c.figure, c.place): int(c.value or 0) for c in one[0]} | {
        ("2" + c.figure, c.place): int(c.value or 0) for c in other[0]
    }
    stock = [{c.place: int(c.value or 0) for c in cells if c.figure == STOCK} for cells, _ in (one, other)]
    truth |= {("change" + STOCK, p): stock[1][p] - stock[0][p] for p in TREE}
    return {key for key in recovered(_printed(*one), _printed(*other)) if 0 < abs(truth[key]) < 10}


def test_two_years_tell_of_nobody_together() -> None:
    leaks_alone = withheld = 0
    for seed in range(60):
        low = world(random.Random(seed))
        first = decided(low[0], 2009, [])
        alone = decided(low[1], 2010, [])
        second = decided(low[1], 2010, [signed("2009-1", 2009, *first)])
        leaks_alone += bool(_leaks(low, first, alone))
        withheld += len(second[1].suppressed) - len(alone[1].suppressed)
        assert not _leaks(low, first, second), seed
    assert leaks_alone > 20  # the reader of this test does find what a decision over one year leaves open
    assert withheld > 0


def test_the_earlier_year_signed_later() -> None:
    """Without last year's total printed again: within one year, what adds up is declared (a formula), not looked for."""
    for seed in range(60):
        low = world(random.Random(seed + 500))
        low = ({STOCK: low[0][STOCK]}, {f: by for f, by in low[1].items() if f != BEFORE})
        second = decided(low[1], 2010, [])
        first = decided(low[0], 2009, [signed("2010-1", 2010, *second)])
        nothing = Suppression({(c.figure, c.place): COMPLEMENT for c in first[0]}, first[1].report)
        already = _leaks(low, (first[0], nothing), second)  # who joined less who left is printed in 2010
        assert not _leaks(low, first, second) - already, seed


def test_a_second_edition_of_the_first_year_after_the_second_year() -> None:
    for seed in range(30):
        low = world(random.Random(seed + 900))
        first = decided(low[0], 2009, [])
        editions = [signed("2009-1", 2009, *first)]
        second = decided(low[1], 2010, editions)
        again = decided(low[0], 2009, [*editions, signed("2010-1", 2010, *second)])
        assert not _leaks(low, again, second), seed
        assert again[1].suppressed.keys() >= first[1].suppressed.keys()


def test_places_that_lay_otherwise() -> None:
    """A county that went from one prefecture to the other: each year adds up over its own places."""
    moved = {**TREE, 6: Place(3, "county")}
    low: Low = {STOCK: {4: 50, 5: 60, 6: 70, 7: 80, 8: 90}}
    later: Low = {STOCK: {4: 53, 5: 90, 6: 100, 7: 110, 8: 120}}
    first = decided(low, 2009, [])
    assert first[1].suppressed == {}
    _cells, second = decided(later, 2010, [signed("2009-1", 2009, *first)], moved)
    assert (STOCK, 4) in second.suppressed
    assert (STOCK, 5) in second.suppressed  # the only other county of its prefecture now
    assert not {(STOCK, p) for p in (3, 6, 7, 8)} & second.suppressed.keys()


def test_a_region_over_five_years() -> None:
    """Four figures at 300 places beside the editions of five years."""
    tree = {
        1: Place(None, "region"),
        **{n: Place(1, "prefecture") for n in range(2, 22)},
        **{n: Place(2 + n % 20, "county") for n in range(22, 302)},
    }
    rng = random.Random(1)
    value = {f: {n: rng.randint(0, 400) for n in range(22, 302)} for f in (STOCK, JOINED, LEFT, BEFORE)}
    editions: list[Edition] = []
    for year in range(2000, 2005):
        value = {f: {n: max(0, v + rng.randint(-20, 60)) for n, v in by.items()} for f, by in value.items()}
        found = decided(value, year, editions, tree)
        editions.append(signed(f"{year}-1", year, *found, tree))
    assert all(e.values for e in editions)
