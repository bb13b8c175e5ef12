"""Textbook tables, and random ones against a reader of the test's own."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from karez.figures.attack import (
    Form,
    Kind,
    Place,
    Product,
    Relation,
    RollUp,
    Zero,
    of_edition,
    relations_of,
    unchanged,
)
from karez.figures.disclosure import (
    COMPLEMENT,
    RULES,
    SHARE,
    SMALL,
    TOO_FINE,
    Cell,
    Known,
    Suppression,
    as_known,
    published,
    suppress,
)
from karez.kernel.formula import parse_formula, value_of

# 1 region; 2, 3 counties; 4-6 townships of 2; 7-9 townships of 3
TREE = {
    1: Place(None, "region"), 2: Place(1, "county"), 3: Place(1, "county"), **{n: Place(2, "township") for n in (4, 5, 6)},
    **{n: Place(3, "township") for n in (7, 8, 9)},
}  # fmt: skip


def counts(figure: str, low: Mapping[int, int], tree: Mapping[int, Place] = TREE, unit: str = "person") -> list[Cell]:
    """Cells of a count at the places given and all above them."""
    total = dict.fromkeys(tree, 0)
    for place, value in low.items():
        above: int | None = place
        while above is not None:
            total[above] += value
            above = tree[above].parent_id
    return [Cell(figure, p, v, v, unit, Kind.COUNT) for p, v in total.items()]


def formula(name: str, text: str, cells: Sequence[Cell], unit: str = "none") -> tuple[list[Cell], list[Relation]]:
    """A figure worked out at every place, and what it tells."""
    read = parse_formula(text)
    by_place: dict[int, dict[str, Cell]] = {}
    for cell in cells:
        by_place.setdefault(cell.place, {})[cell.figure] = cell
    made = []
    for place, found in by_place.items():
        if all(i in found for i in read.uses):
            try:
                value = value_of(read, {i: Fraction(c.value or 0) for i, c in found.items()})
            except ArithmeticError:
                continue
            made.append(Cell(name, place, value, max(found[i].units or 0 for i in read.uses), unit, Kind.AMOUNT))
    return made, relations_of(name, read)


def places(found: Suppression, figure: str, reason: str | None = None) -> set[int]:
    """Where a figure is suppressed."""
    return {p for (f, p), r in found.suppressed.items() if f == figure and reason in (None, r)}


def test_a_large_table_is_printed_whole() -> None:
    found = suppress(counts("a", {4: 20, 5: 30, 6: 10, 7: 11, 8: 12, 9: 13}), TREE, [RollUp("a")])
    assert found.suppressed == {} and found.exposed == ()


def test_a_small_cell_takes_a_sibling_with_it() -> None:
    found = suppress(counts("a", {4: 3, 5: 30, 6: 20, 7: 11, 8: 12, 9: 13}), TREE, [RollUp("a")])
    assert places(found, "a", SMALL) == {4}
    assert places(found, "a", COMPLEMENT) == {6}  # the smaller of the two
    assert not found.exposed


def test_nought_is_printed_and_nine_is_not() -> None:
    found = suppress(counts("a", {4: 0, 5: 9, 6: 10, 7: 50, 8: 0, 9: 0}), TREE, [RollUp("a")])
    assert places(found, "a", SMALL) == {5}
    assert 4 not in places(found, "a") and places(found, "a", COMPLEMENT) == {6}


def test_two_small_cells_whose_sum_is_small_take_a_third() -> None:
    found = suppress(counts("a", {4: 3, 5: 4, 6: 20, 7: 50, 8: 60, 9: 70}), TREE, [RollUp("a")])
    assert places(found, "a") == {4, 5, 6}  # the county's 27 is printed; 7 would have followed


def test_over_two_parents() -> None:
    """A county that is small goes, with another county, and inside both nothing adds up to them."""
    found = suppress(counts("a", {4: 3, 5: 2, 6: 0, 7: 50, 8: 60, 9: 70}), TREE, [RollUp("a")])
    hidden = places(found, "a")
    assert {4, 5, 2, 3} <= hidden and hidden & {7, 8, 9} and 1 not in hidden
    assert not found.exposed


def test_the_only_small_place_of_a_region_takes_the_region() -> None:
    found = suppress(counts("a", {4: 3, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0}), TREE, [RollUp("a")])
    assert places(found, "a", SMALL) == {1, 2, 4} and not found.exposed


def test_over_a_formula() -> None:
    women = counts("women", {4: 4, 5: 40, 6: 50, 7: 60, 8: 70, 9: 80})
    men = counts("men", {4: 30, 5: 40, 6: 50, 7: 60, 8: 70, 9: 80})
    persons, told = formula("persons", "women + men", [*women, *men], "person")
    found = suppress([*women, *men, *persons], TREE, [RollUp("women"), RollUp("men"), RollUp("persons"), *told])
    assert (("women", 4), SMALL) in found.suppressed.items()
    assert {("men", 4), ("persons", 4)} & set(found.suppressed)
    assert not found.exposed


def test_a_share_goes_with_its_small_part() -> None:
    part, base = (
        counts("part", {4: 4, 5: 40, 6: 50, 7: 60, 8: 70, 9: 80}),
        counts("base", dict.fromkeys((4, 5, 6, 7, 8, 9), 100)),
    )
    share, told = formula("share", "100 * part / base", [*part, *base])
    found = suppress([*part, *base, *share], TREE, [RollUp("part"), RollUp("base"), *told])
    assert places(found, "share") == places(found, "part")
    assert found.suppressed["share", 4] == SHARE and ("base", 4) not in found.suppressed
    assert not found.exposed


def test_a_share_of_a_small_base_goes_although_its_part_is_nought() -> None:
    part = counts("part", {4: 0, 5: 40, 6: 50, 7: 60, 8: 70, 9: 80})
    base = counts("base", {4: 8, 5: 100, 6: 100, 7: 100, 8: 100, 9: 100})
    share, told = formula("share", "100 * part / base", [*part, *base])
    found = suppress([*part, *base, *share], TREE, [RollUp("part"), RollUp("base"), *told])
    assert ("share", 4) in found.suppressed


def test_over_a_level_that_is_not_printed() -> None:
    """Region and townships are printed, counties are not: the townships still add up to the region."""
    cells = [c for c in counts("a", {4: 3, 5: 30, 6: 40, 7: 50, 8: 60, 9: 70}) if c.place not in (2, 3)]
    found = suppress(cells, TREE, [RollUp("a")])
    assert len(places(found, "a")) == 2 and not found.exposed


def test_a_level_unprinted_for_one_figure_only() -> None:
    """The county's total is not printed itself, but follows from a formula that is."""
    a, b = counts("a", {4: 3, 5: 30, 6: 40, 7: 50, 8: 60, 9: 70}), counts("b", dict.fromkeys((4, 5, 6, 7, 8, 9), 20))
    both, told = formula("both", "a + b", [*a, *b])
    cells = [*(c for c in a if c.place not in (1, 2, 3)), *b, *(c for c in both if c.place in (1, 2, 3))]
    found = suppress(cells, TREE, [RollUp("a"), RollUp("b"), *told])
    assert len(places(found, "a")) >= 2 or places(found, "b") or places(found, "both")
    assert not found.exposed and recovered(cells, found, TREE, [RollUp("a"), RollUp("b"), *told]) == set()


def test_over_years() -> None:
    """Last year's stock is printed; this year's arrivals must not be had by subtraction."""
    stock = counts("stock", {4: 33, 5: 44, 6: 55, 7: 66, 8: 77, 9: 88})
    arrived = counts("arrived", {4: 3, 5: 14, 6: 15, 7: 16, 8: 17, 9: 18})
    last = [Known("stock@2008", c.place, (c.value or 0) - (a.value or 0)) for c, a in zip(stock, arrived, strict=True)]
    told = Zero(Form((("stock", 1), ("stock@2008", -1), ("arrived", -1))))
    relations = [RollUp("stock"), RollUp("arrived"), told, *of_edition([RollUp("stock")], "2008")]
    found = suppress([*stock, *arrived], TREE, relations, last)
    assert {("arrived", 4), ("stock", 4)} <= set(found.suppressed) and not found.exposed


def test_an_earlier_edition_keeps_its_secrets() -> None:
    """What the first edition suppressed must not follow from the second, in which only another cell was corrected."""
    first = {1: 250, 2: 70, 3: 180, 4: None, 5: None, 6: 40, 7: 50, 8: 60, 9: 70}
    cells = [
        Cell("a", p, v, v, "person", Kind.COUNT)
        for p, v in {1: 260, 2: 80, 3: 180, 4: 3, 5: 27, 6: 50, 7: 50, 8: 60, 9: 70}.items()
    ]
    known = [Known("a@1", p, v) for p, v in first.items()]
    relations = [RollUp("a"), *of_edition([RollUp("a")], "1"), *unchanged(["a"], "1", [("a", 6), ("a", 2), ("a", 1)])]
    found = suppress(cells, TREE, relations, known)
    assert {("a", 4), ("a", 5)} <= set(found.suppressed) and not found.exposed


def test_a_correction_of_one_cell_does_not_tell_what_it_was() -> None:
    """1 + 1 + 9 = 11 and all parts suppressed; then 10 + 1 + 9 = 20: printing the 10 would tell the 1 it was."""
    tree = {p: at for p, at in TREE.items() if p not in (3, 7, 8, 9)}
    first, second = counts("a", {4: 1, 5: 1, 6: 9}, tree), counts("a", {4: 10, 5: 1, 6: 9}, tree)
    known = as_known(first, suppress(first, tree, [RollUp("a")]), "1")
    relations = [RollUp("a"), *of_edition([RollUp("a")], "1"), *unchanged(["a"], "1", [("a", 4), ("a", 2), ("a", 1)])]
    found = suppress(second, tree, relations, known)
    assert ("a", 4) in found.suppressed and not found.exposed


def test_what_is_public_already_is_told_and_not_hidden() -> None:
    cells = counts("a", {4: 3, 5: 30, 6: 40, 7: 50, 8: 60, 9: 70})
    found = suppress(cells, TREE, [RollUp("a"), *unchanged(["a"], "1")], [Known("a@1", 4, 3)])
    assert [e.key for e in found.exposed] == [("a", 4)]


def test_persons_are_never_finer_than_townships() -> None:
    tree = {**TREE, 20: Place(4, "village"), 21: Place(4, "village")}
    found = suppress(counts("a", {20: 500, 21: 600, 5: 30, 6: 40, 7: 50, 8: 60, 9: 70}, tree), tree, [RollUp("a")])
    assert found.suppressed == {("a", 20): TOO_FINE, ("a", 21): TOO_FINE}
    villages = suppress(counts("v", {20: 1, 21: 1, 5: 3}, tree, "village"), tree, [RollUp("v")])
    assert villages.suppressed == {}


def test_an_amount_is_kept_by_the_households_behind_it() -> None:
    low = {4: 3, 5: 30, 6: 40, 7: 50, 8: 60, 9: 70}
    amounts = [
        Cell("loans", c.place, (c.value or 0) * 5000, c.units, "household", Kind.AMOUNT) for c in counts("n", low)
    ]
    found = suppress(amounts, TREE, [RollUp("loans")])
    assert found.suppressed == {("loans", 4): SMALL, ("loans", 5): COMPLEMENT}
    unknown = [Cell("loans", 4, 5000, None, "household", Kind.AMOUNT)]
    assert suppress(unknown, TREE, []).suppressed == {("loans", 4): SMALL}


def test_bounds_that_meet_are_found() -> None:
    """x + y = 12 and x + 2 y = 24 leave only (0, 12): the same is found by elimination; x + y <= by noughts alone is
    not.
    """
    cells = [
        Cell("x", 1, 3, 3, "person", Kind.COUNT),
        Cell("y", 1, 0, 0, "person", Kind.COUNT),
        Cell("z", 1, 9, None, "none", Kind.ANY),
    ]
    told = Zero(Form((("x", 3), ("y", 1), ("z", -1))))
    found = suppress(cells, TREE, [told])
    assert found.suppressed == {("x", 1): SMALL, ("z", 1): COMPLEMENT}


def test_what_does_not_add_up_is_no_relation() -> None:
    cells = [Cell("a", p, v, v, "person", Kind.COUNT) for p, v in {1: 400, 2: 100, 3: 200, 4: 3, 5: 30, 6: 40}.items()]
    found = suppress(cells, TREE, [RollUp("a")])
    assert found.suppressed == {("a", 4): SMALL} and found.report.not_adding_up == (("a", 2),)


def test_missing_counts_as_nothing() -> None:
    cells = counts("a", {4: 3, 5: 30, 6: 0, 7: 50, 8: 60, 9: 70})
    cells = [c if c.place != 6 else Cell("a", 6, None, None, "person", Kind.COUNT) for c in cells]
    assert set(suppress(cells, TREE, [RollUp("a")]).suppressed) == {("a", 4), ("a", 5)}


# A reader of the test's own: a dense matrix over all places, printed or not, solved anew after every product that
# becomes linear.

Row = dict[tuple[str, int], Fraction]
ONE = ("", 0)


def recovered(
    cells: Iterable[Cell], found: Suppression, tree: Mapping[int, Place], relations: Sequence[Relation]
) -> set[tuple[str, int]]:
    """Every suppressed cell that follows from the printed ones, the roll-ups and the formulas."""
    values = {(c.figure, c.place): Fraction(c.value) for c in published(cells, found) if c.value is not None}
    return derived_from(values, tree, relations) & set(found.suppressed)


def derived_from(values: Row, tree: Mapping[int, Place], relations: Sequence[Relation]) -> set[tuple[str, int]]:
    """Everything that is known or follows from it."""
    rows: list[Row] = []
    for relation in relations:
        for place in tree:
            if isinstance(relation, RollUp):
                below = [p for p, at in tree.items() if at.parent_id == place]
                if below:
                    rows.append(
                        {(relation.figure, place): Fraction(1)} | {(relation.figure, p): Fraction(-1) for p in below}
                    )
            elif isinstance(relation, Zero) and place not in relation.but:
                rows.append(row_of(relation.form, place))
    while True:
        made = [
            row
            for relation in relations
            if isinstance(relation, Product)
            for place in tree
            for row in linear(relation, place, values)
        ]
        derived = solved([*rows, *made], values)
        if not derived:
            return set(values)
        values = values | derived


def row_of(form: Form, place: int) -> Row:
    return {(f, place): Fraction(c) for f, c in form.terms} | {ONE: Fraction(form.constant)}


def linear(product: Product, place: int, values: Mapping[tuple[str, int], Fraction]) -> Iterable[Row]:
    for one, other in ((product.left, product.right), (product.right, product.left)):
        if all((f, place) in values for f, _c in one.terms):
            times = sum((c * values[f, place] for f, c in one.terms), Fraction(one.constant))
            row = {k: times * c for k, c in row_of(other, place).items()}
            for k, c in row_of(product.result, place).items():
                row[k] = row.get(k, Fraction(0)) - c
            yield row


def solved(rows: Sequence[Row], values: Mapping[tuple[str, int], Fraction]) -> Row:
    """The unknowns that the rows fix."""
    known = {**values, ONE: Fraction(1)}
    unknown = sorted({k for row in rows for k in row if k not in known})
    matrix = []
    for row in rows:
        right = -sum((c * known[k] for k, c in row.items() if k in known), Fraction(0))
        matrix.append([row.get(k, Fraction(0)) for k in unknown] + [right])
    rank = 0
    for column in range(len(unknown)):
        pivot = next((r for r in range(rank, len(matrix)) if matrix[r][column]), None)
        if pivot is None:
            continue
        matrix[rank], matrix[pivot] = matrix[pivot], matrix[rank]
        matrix[rank] = [v / matrix[rank][column] for v in matrix[rank]]
        for r in range(len(matrix)):
            if r != rank and matrix[r][column]:
                factor = matrix[r][column]
                matrix[r] = [v - factor * w for v, w in zip(matrix[r], matrix[rank], strict=True)]
        rank += 1
    fixed = {}
    for line in matrix[:rank]:
        at = [n for n in range(len(unknown)) if line[n]]
        if len(at) == 1:
            fixed[unknown[at[0]]] = line[-1]
    return fixed


def test_the_readers_of_this_test_do_recover_what_is_left_open() -> None:
    """Without complementary suppression both readers find the small cells, over areas and over formulas."""
    part, base = (
        counts("part", {4: 4, 5: 40, 6: 50, 7: 60, 8: 70, 9: 80}),
        counts("base", dict.fromkeys((4, 5, 6, 7, 8, 9), 100)),
    )
    share, told = formula("share", "100 * part / base", [*part, *base])
    cells, relations = [*part, *base, *share], [RollUp("base"), *told]
    only = Suppression({("part", 4): SMALL}, suppress([], TREE, []).report)
    assert recovered(cells, only, TREE, relations) == {("part", 4)}
    assert recovered(part, only, TREE, [RollUp("part")]) == {("part", 4)}
    assert recovered(part, only, TREE, []) == set()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 1, 2, 9, 10, 14]), min_size=4, max_size=4))
def test_every_suppressed_count_could_be_another(low: list[int]) -> None:
    """All tables of whole numbers that agree with what is printed are tried, in a region of two counties and four
    townships.
    """
    tree = {p: at for p, at in TREE.items() if p not in (6, 9)}
    cells = counts("a", dict(zip((4, 5, 7, 8), low, strict=True)), tree)
    found = suppress(cells, tree, [RollUp("a")])
    printed = {c.place: c.value for c in published(cells, found)}
    most = int(printed.get(1) or 30)
    counties = [
        [
            {county: a + b, one: a, other: b}
            for a in range(most + 1)
            for b in range(most + 1)
            if all(printed.get(p, v) == v for p, v in ((county, a + b), (one, a), (other, b)))
        ]
        for county, one, other in ((2, 4, 5), (3, 7, 8))
    ]
    seen: dict[int, set[int]] = {p: set() for p in tree}
    sums = [{table[county] for table in tables} for county, tables in zip((2, 3), counties, strict=True)]
    for county, others, tables in ((2, sums[1], counties[0]), (3, sums[0], counties[1])):
        for table in tables:
            whole = [
                table[county] + other
                for other in others
                if printed.get(1, table[county] + other) == table[county] + other
            ]
            seen[1].update(whole)
            if whole:
                for p, v in table.items():
                    seen[p].add(v)
    assert all(len(seen[p]) > 1 for _f, p in found.suppressed)


@st.composite
def trees(draw: st.DrawFn) -> dict[int, Place]:
    tree = {1: Place(None, "region")}
    for county in range(draw(st.integers(1, 3))):
        tree[10 + county] = Place(1, "county")
        for township in range(draw(st.integers(1, 4))):
            tree[100 + 10 * county + township] = Place(10 + county, "township")
    return tree


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_reader_recovers_anything(data: st.DataObject) -> None:
    tree = data.draw(trees())
    low = [p for p, at in tree.items() if at.level == "township"]
    value = st.integers(0, 25)
    cells: list[Cell] = []
    for figure in ("a", "b", "c"):
        cells += counts(figure, {p: data.draw(value) for p in low}, tree)
    relations: list[Relation] = [RollUp(f) for f in ("a", "b", "c", "ab", "rest")]
    for name, text in (("ab", "a + b"), ("rest", "a + b - c"), ("mean", "ab / c")):
        made, told = formula(name, text, cells, "person")
        cells += made
        relations += told
    gone = data.draw(st.sets(st.sampled_from([(c.figure, c.place) for c in cells]), max_size=4))
    cells = [c for c in cells if (c.figure, c.place) not in gone]
    found = suppress(cells, tree, relations)
    assert suppress(reversed(cells), tree, relations).suppressed == found.suppressed
    for cell in published(cells, found):
        assert cell.figure == "mean" or cell.units == 0 or (cell.units or 0) >= RULES["person"].least or not cell.value
    told_by_dense = recovered(cells, found, tree, relations)
    assert told_by_dense <= {e.key for e in found.exposed}
    assert not found.exposed


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_an_erratum_gives_nothing_away(data: st.DataObject) -> None:
    """A first edition, then a corrected one; the reader has both and takes for granted that all else is as it was."""
    tree = data.draw(trees())
    low = [p for p, at in tree.items() if at.level == "township"]
    first = {f: {p: data.draw(st.integers(0, 25)) for p in low} for f in ("a", "b")}
    wrong = data.draw(st.sampled_from(low))
    second = {**first, "a": {**first["a"], wrong: first["a"][wrong] + data.draw(st.integers(1, 15))}}
    editions = []
    for told in (first, second):
        cells = [*counts("a", told["a"], tree), *counts("b", told["b"], tree)]
        both, ties = formula("both", "a + b", cells, "person")
        editions.append([*cells, *both])
    relations = [RollUp("a"), RollUp("b"), RollUp("both"), *ties]
    old, new = editions
    corrected = [(c.figure, c.place) for c, d in zip(old, new, strict=True) if c.value != d.value]
    before = suppress(old, tree, relations)
    known = as_known(old, before, "1")
    more = [*relations, *of_edition(relations, "1"), *unchanged(["a", "b", "both"], "1", corrected)]
    after = suppress(new, tree, more, known)
    values = {(c.figure, c.place): Fraction(c.value or 0) for c in published(new, after)}
    values |= {(k.figure, k.place): Fraction(k.value) for k in known if k.value is not None}
    secrets = {*after.suppressed, *((k.figure, k.place) for k in known if k.value is None)}
    assert derived_from(values, tree, more) & secrets <= {e.key for e in after.exposed}


def test_rules_name_their_source() -> None:
    assert all(rule.source and rule.finest == "township" and rule.least == 10 for rule in RULES.values())


@pytest.mark.parametrize("edition", ["2008", "2009-1"])
def test_relations_of_an_edition(edition: str) -> None:
    told = relations_of("s", parse_formula("100 * (a - b) / b"))
    assert str(of_edition(told, edition)).count(f"@{edition}") >= 4
