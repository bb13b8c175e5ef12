"""The formula parser against friend and foe, and evaluation against exact sampling."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karez.kernel.formula import (
    MAX_CHARACTERS,
    FormulaError,
    Sign,
    Standing,
    parse_formula,
    parse_relation,
    parse_sign,
    ranges_of,
    standing,
    value_of,
)
from karez.kernel.interval import DividesByZeroError, Interval
from karez.kernel.tests.work import calls
from karez.proofreader.circles import circles
from karez.proofreader.would_hold import would_hold_at

A, B, C = "a", "fund.b_2009", "c"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 - 2 - 1", 4),
        ("8 / 4 / 2", 1),
        ("-a + 10", 7),
        ("--a", 3),
        ("2 * -a", -6),
        ("-(a + 1) * 2", -8),
        ("100 * a / fund.b_2009", 60),
        ("\ta*fund.b_2009 ", 15),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("((((a))))", 3),
    ],
)
def test_values(text, value):
    assert value_of(parse_formula(text), {A: Fraction(3), B: Fraction(5)}) == value


def test_ids_in_the_order_of_first_use():
    assert dict(parse_formula("c + a / c - fund.b_2009").uses) == {C: 2, A: 1, B: 1}
    assert parse_formula(" fund.b_2009 ").single_id == B
    assert parse_formula("-a").single_id is None


HOSTILE = [
    ("", 1, "the end"),
    ("   ", 1, "the end"),
    ("a b", 3, "'b'"),
    ("import os", 8, "'os'"),
    ("f(1)", 2, "'('"),
    ("__import__('os')", 11, "'('"),
    ("().__class__", 2, "')'"),
    ("a.__class__()", 12, "'('"),
    ("a..b", 2, "'.'"),
    ("a.1", 2, "'.'"),
    (".5", 1, "'.'"),
    ("1.2.3", 4, "'.'"),
    ("1e999999", 2, "'e999999'"),
    ("9**9", 3, "'*'"),
    ("9//3", 3, "'/'"),
    ("9 % 3", 3, "'%'"),
    ("a if b else c", 3, "'if'"),
    ("[1]", 1, "'['"),
    ("'a'", 1, "'''"),
    ("lambda: 1", 7, "':'"),
    ("a := 1", 3, "':'"),
    ("a, b", 2, "','"),
    ("a\n+ b", 2, "'\\n'"),
    ("a\x00", 2, "'\\x00'"),
    ("١٢٣", 1, "'١'"),
    ("１ + ２", 1, "'１'"),
    ("а + 1", 1, "'а'"),  # a Cyrillic letter that looks Latin
    ("a × b", 3, "'×'"),
    ("a \u2212 b", 3, "'\u2212'"),
    ("(a", 3, "the end"),
    ("a)", 2, "')'"),
    ("a +", 4, "the end"),
    ("+ a", 1, "'+'"),
    ("=a", 1, "'='"),
    ("a <= b", 3, "'<='"),
    ("9" * 31, 1, f"'{'9' * 31}'"),
    ("${x}", 1, "'$'"),
    ("1_000", 2, "'_000'"),
    ("0x10", 2, "'x10'"),
]


@pytest.mark.parametrize(("text", "position", "found"), HOSTILE)
def test_what_does_not_belong_is_named_with_its_place(text, position, found):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert caught.value.found == found
    assert caught.value.position == position
    assert caught.value.expected


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "(" * 60 + "1" + ")" * 60,
        "-" * 7_999,
        "1" + "+1" * 3_000,
        "a" * 10_000,
        "1+" * 5_000 + "1",
        "((" * 3_000 + "))" * 900,
        ")" * 10_000,
    ],
)
def test_size_and_depth_are_limited(text):
    def refused():
        with pytest.raises(FormulaError):
            parse_formula(text)

    assert calls(refused) <= 50 * len(text)


def test_a_long_honest_formula_is_read():
    ids = [f"section.figure_{n}" for n in range(300)]
    text = " + ".join(ids)
    assert len(text) < MAX_CHARACTERS
    assert value_of(parse_formula(text), dict.fromkeys(ids, Fraction(1))) == 300


def test_depth_up_to_the_limit_is_read():
    assert value_of(parse_formula("(" * 50 + "1" + ")" * 50), {}) == 1


def test_fractions_cannot_grow_without_limit():
    huge = parse_formula("*".join(["9" * 30] * 250))

    def refused():
        with pytest.raises(FormulaError, match="growing too long"):
            value_of(huge, {})
        with pytest.raises(FormulaError, match="growing too long"):
            ranges_of(huge, {})

    assert calls(refused) < 20_000


@pytest.mark.parametrize(
    ("text", "sign"),
    [("a + 1 <= c", "<="), ("a<c", "<"), ("a=c", "=="), ("a == c * 2", "=="), ("a != c", "!=")],
)
def test_relations(text, sign):
    relation = parse_relation(text)
    assert relation.sign is Sign(sign)
    assert dict(relation.left.uses) == {A: 1}
    assert dict(relation.right.uses) == {C: 1}
    assert (relation.left.text + relation.right.text).replace(" ", "") == text.replace(" ", "").replace(
        "=" if text == "a=c" else sign, ""
    )


@pytest.mark.parametrize("text", ["a", "a <", "< a", "a < b < c", "a =< b", "a <> b", "(a < b)", "a ! b"])
def test_what_is_no_relation(text):
    with pytest.raises(FormulaError):
        parse_relation(text)


def test_signs():
    assert parse_sign(" = ") is Sign.EQUAL
    with pytest.raises(FormulaError, match="one of <= >="):
        parse_sign("≤")


def between(low, high):
    return Interval.between(low, high)


@pytest.mark.parametrize(
    ("left", "sign", "right", "said"),
    [
        ((1, 2), "<=", (2, 3), "holds"),
        ((1, 2), "<", (2, 3), "possible"),
        ((1, 2), "<", (3, 3), "holds"),
        ((3, 4), "<=", (1, 2), "broken"),
        ((2, 4), "<", (1, 2), "broken"),
        ((2, 4), "<=", (1, 2), "possible"),
        ((3, 4), ">=", (1, 3), "holds"),
        ((3, 4), ">", (1, 3), "possible"),
        ((1, 1), "==", (1, 1), "holds"),
        ((1, 2), "==", (1, 2), "possible"),
        ((1, 2), "==", (3, 4), "broken"),
        ((1, 2), "!=", (3, 4), "holds"),
        ((1, 1), "!=", (1, 1), "broken"),
        ((4000, None), "<=", (200, 200), "broken"),
        ((4000, None), "<=", (200000, 200000), "possible"),
        ((295, 295), "<=", (1400, None), "holds"),
    ],
)
def test_standing(left, sign, right, said):
    assert standing(between(*left), Sign(sign), between(*right)) is Standing(said)


names = st.sampled_from([A, B, C])
texts = st.recursive(
    st.one_of(names, st.integers(0, 20).map(str), st.sampled_from(["0.5", "2.25"])),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"-{t}"),
    ),
    max_leaves=8,
)
ends = st.fractions(min_value=-20, max_value=20, max_denominator=4)


@st.composite
def worlds(draw):
    """Ranges of three ids, and a value of each inside its range."""
    ranges, values = {}, {}
    for name in (A, B, C):
        low, value, high = sorted(draw(st.tuples(ends, ends, ends)))
        ranges[name], values[name] = Interval.between(low, high), value
    return ranges, values


@given(texts, worlds())
def test_a_value_of_the_inputs_gives_a_value_in_the_range(text, world):
    ranges, values = world
    formula = parse_formula(text)
    try:
        whole = ranges_of(formula, ranges)[-1]
        value = value_of(formula, values)
    except DividesByZeroError:
        return
    assert whole.contains(value)


@given(texts, worlds())
def test_values_equal_those_of_another_evaluator(text, world):
    _, values = world
    exact = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)(?![\w.])", r"F('\1')", text).replace(B, "b_")
    try:
        expected = eval(exact, {"F": Fraction, A: values[A], "b_": values[B], C: values[C]})
    except ZeroDivisionError:
        with pytest.raises(DividesByZeroError):
            value_of(parse_formula(text), values)
        return
    assert value_of(parse_formula(text), values) == expected


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    for parse in (parse_formula, parse_relation):
        refused = None
        try:
            parse(text)
        except FormulaError as error:
            refused = error
        assert refused is None or (refused.found and refused.expected)


SINGLE = ["a + c", "a - c", "a * c", "a / c", "c / a", "100 * a / c", "-(a - 2) / (c + 1)", "2 * (a + c) - 3"]


@given(st.sampled_from(SINGLE), worlds(), ends, ends, st.fractions(min_value=0, max_value=1))
def test_what_would_make_a_formula_hold_does(text, world, one, two, share):
    """Any value found for an input, with the others in their ranges, lets the formula reach the target; others do not."""
    ranges, values = world
    target = Interval.between(min(one, two), max(one, two))
    formula = parse_formula(text)
    try:
        steps = ranges_of(formula, ranges)
    except DividesByZeroError:
        return
    for name, needed in would_hold_at(formula, steps, values, target).items():
        if needed is None:
            continue
        low = -60 if needed.lowest is None else needed.lowest
        high = max(low, Fraction(60)) if needed.highest is None else needed.highest
        tried = Fraction(low) + (Fraction(high) - Fraction(low)) * share
        try:
            reached = ranges_of(formula, {**ranges, name: Interval.point(tried)})[-1]
        except DividesByZeroError:
            continue
        if needed.contains(tried):
            assert reached.meets(target)
        if needed.highest is not None:
            try:
                beyond = ranges_of(formula, {**ranges, name: Interval.point(needed.highest + 1)})[-1]
            except DividesByZeroError:
                continue
            assert not beyond.meets(target)


@pytest.mark.parametrize(
    ("text", "target", "low", "high"),
    [
        ("100 * a / (a + c)", (50, 60), 10, 15),  # share of a sum it is part of
        ("100 * (c - a) / a", (0, 25), 8, 10),  # growth
        ("a + a + c", (30, 40), 10, 15),
        ("a * 3 - a", (10, 20), 5, 10),
    ],
)
def test_an_input_used_twice_is_found_with_the_others_as_printed(text, target, low, high):
    values = {A: Fraction(4), C: Fraction(10)}
    ranges = {name: Interval.point(value) for name, value in values.items()}
    formula = parse_formula(text)
    found = would_hold_at(formula, ranges_of(formula, ranges), values, Interval.between(*target))[A]
    assert (found.lowest, found.highest) == (low, high)


@pytest.mark.parametrize("text", ["a / a", "a - a + c", "a * a", "a * 0 + c"])
def test_where_no_single_range_would_do_none_is_named(text):
    values = {A: Fraction(4), C: Fraction(10)}
    ranges = {name: Interval.point(value) for name, value in values.items()}
    formula = parse_formula(text)
    assert would_hold_at(formula, ranges_of(formula, ranges), values, Interval.point(7))[A] is None


def test_where_any_value_would_do_it_is_said():
    ranges = {A: Interval.point(5), C: Interval.between(-1, 1)}
    formula = parse_formula("a * c")
    found = would_hold_at(formula, ranges_of(formula, ranges), {}, Interval.between(-1, 1))
    assert found[A].is_everything


def test_circles():
    links = {"a": ("b",), "b": ("c", "x"), "c": ("a",), "d": ("a", "e"), "e": ("f",), "f": (), "g": ("g",)}
    assert sorted(tuple(sorted(c)) for c in circles(links)) == [("a", "b", "c"), ("g",)]


def test_a_long_chain_has_no_circle_and_a_long_circle_is_one():
    chain = {str(n): (str(n + 1),) for n in range(50_000)}
    assert circles(chain) == []
    chain["49999"] = ("0",)
    assert len(circles(chain)[0]) == 50_000
