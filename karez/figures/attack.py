"""What a reader can work out from published cells: the linear relations between them, solved exactly. Publishes
nothing.

The reader knows every published value, that areas add up to the area above, and the formulas. What they can derive is
found by Gaussian elimination over fractions, one connected component of unknown cells at a time, then by bounds: counts
are whole and not negative, amounts not negative. A product of two unknowns gives a linear equation as soon as one of
its sides is derived. Found are all values that follow from the linear relations and such products, and all that bound
propagation fixes. How narrow an interval a cell is left in, knowing the rule, `solver` says. Not found: what only
follows from non-linear elimination over several products, or from outside knowledge.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from karez.kernel.formula import Formula, Step

Number = int | Fraction
Key = tuple[str, int]  # figure, place
ROUNDS = 12  # of bound propagation; more rounds could only narrow further


class Kind(Enum):
    """What a reader knows of a value before seeing it."""

    COUNT = "count"  # a whole number, not negative
    AMOUNT = "amount"  # not negative
    ANY = "any"


@dataclass(frozen=True)
class Form:
    """A sum of figures with coefficients, and a constant, at one place."""

    terms: tuple[tuple[str, Number], ...] = ()
    constant: Number = 0


@dataclass(frozen=True)
class Zero:
    """A form that is zero at every place (or at those named): `a + b - total`."""

    form: Form
    places: frozenset[int] | None = None
    but: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Product:
    """`left * right = result` at every place; of a division, left is the quotient and right is not zero. `figure` is
    whose formula it is.
    """

    left: Form
    right: Form
    result: Form
    figure: str
    division: bool = False
    places: frozenset[int] | None = None


@dataclass(frozen=True)
class RollUp:
    """A figure whose value at a place is the sum of its values at the places below it."""

    figure: str


Relation = Zero | Product | RollUp


def relations_of(figure: str, formula: Formula) -> list[Relation]:
    """The relations a formula tells; a step that multiplies or divides figures is a figure of its own that nobody
    publishes.
    """
    found: list[Relation] = []
    forms: list[Form] = []
    for number, node in enumerate(formula.nodes):
        left = forms[node.left] if node.left >= 0 else Form()
        right = forms[node.right] if node.right >= 0 else Form()
        last = number == len(formula.nodes) - 1
        match node.step:
            case Step.NUMBER:
                form = Form((), node.number)
            case Step.NAME:
                form = Form(((node.name, 1),))
            case Step.MINUS:
                form = _times(left, -1)
            case Step.ADD:
                form = _plus(left, right)
            case Step.SUBTRACT:
                form = _plus(left, _times(right, -1))
            case Step.MULTIPLY | Step.DIVIDE:
                form = _step(figure if last else f"{figure}#{number}", figure, node.step, left, right, found)
        forms.append(form)
    if forms[-1] != Form(((figure, 1),)):
        found.append(Zero(_plus(forms[-1], Form(((figure, -1),)))))
    return found


def _step(name: str, figure: str, step: Step, left: Form, right: Form, found: list[Relation]) -> Form:
    if step is Step.MULTIPLY and not (left.terms and right.terms):
        return _times(left, right.constant) if left.terms else _times(right, left.constant)
    if step is Step.DIVIDE and not right.terms and right.constant:
        return _times(left, divided(1, right.constant))
    result = Form(((name, 1),))
    if step is Step.MULTIPLY:
        found.append(Product(left, right, result, figure))
    else:
        found.append(Product(result, right, left, figure, division=True))
    return result


def of_edition(relations: Iterable[Relation], edition: str) -> list[Relation]:
    """The same relations between the figures of another edition, whose ids end in `@edition`."""

    def named(form: Form) -> Form:
        return Form(tuple((f"{i}@{edition}", c) for i, c in form.terms), form.constant)

    renamed: list[Relation] = []
    for relation in relations:
        match relation:
            case RollUp(figure):
                renamed.append(RollUp(f"{figure}@{edition}"))
            case Zero(form, places, but):
                renamed.append(Zero(named(form), places, but))
            case Product(left, right, result, figure, division, places):
                renamed.append(
                    Product(named(left), named(right), named(result), f"{figure}@{edition}", division, places)
                )
    return renamed


def unchanged(figures: Iterable[str], edition: str, corrected: Iterable[Key] = ()) -> list[Relation]:
    """That every cell is what it was in an earlier edition, but for those an erratum corrects; readers take this for
    granted.
    """
    touched: dict[str, set[int]] = defaultdict(set)
    for figure, place in corrected:
        touched[figure].add(place)
    return [
        Zero(Form(((figure, 1), (f"{figure}@{edition}", -1))), but=frozenset(touched[figure]))
        for figure in sorted(set(figures))
    ]


class Place(NamedTuple):
    """A place in the tree."""

    parent_id: int | None
    level: str


@dataclass
class Equation:
    """`sum(terms) + sum(known) = rhs` over unknown cells; `known` are the published cells it was made with, `through`
    those behind its coefficients.
    """

    terms: dict[Key, Number]
    rhs: Number  # the published values already taken to this side
    known: dict[Key, Number] = field(default_factory=dict)
    through: frozenset[Key] = frozenset()

    def support(self) -> set[Key]:
        """The published cells it would not hold without."""
        return {*self.known, *self.through}


class Exposure(NamedTuple):
    """A suppressed cell that can be worked out, how, and the published cells it follows from."""

    key: Key
    how: str
    support: tuple[Key, ...]


class Component(NamedTuple):
    """Unknown cells that hang together, every linear relation over them, and those solved as far as they go."""

    unknown: list[Key]
    equations: list[Equation]
    space: "Space"


@dataclass(frozen=True)
class LeftOpen:
    """How far apart the ends of the interval must be that a reader can put a withheld cell in: of counts, and of
    amounts as a part of them.
    """

    counts: int
    part: Fraction
    source: str = ""


@dataclass
class Board:
    """What is published and what is not, and every relation between."""

    tree: Mapping[int, Place]
    relations: Sequence[Relation]
    truth: Mapping[Key, Number]  # what is or was published, or suppressed
    missing: frozenset[Key]  # published as: nothing to count
    kinds: Mapping[str, Kind]
    small: Mapping[Key, int]  # units behind a cell, for cells about persons or households
    least: Mapping[str, int]  # figure -> fewest units to be published
    secret: set[Key] = field(default_factory=set)  # suppressed: not to be derived
    trees: Mapping[str, Mapping[int, Place]] = field(
        default_factory=dict
    )  # of editions whose places lay otherwise, by edition
    untrue: set[tuple[str, int]] = field(default_factory=set)  # relations that do not hold for the values
    left_open: LeftOpen = LeftOpen(1, Fraction(0))

    def __post_init__(self) -> None:
        self.belows = {edition: _below(tree) for edition, tree in {"": self.tree, **self.trees}.items()}
        self.rolled = {r.figure for r in self.relations if isinstance(r, RollUp)}
        self.by_figure: dict[str, list[tuple[int, Zero | Product]]] = defaultdict(list)
        for number, relation in enumerate(self.relations):
            if not isinstance(relation, RollUp):
                for figure in _figures(relation):
                    self.by_figure[figure].append((number, relation))
        self.places_of: dict[str, list[int]] = defaultdict(list)
        for figure, place in {*self.truth, *self.missing, *self.secret}:
            if figure in self.rolled:
                self.places_of[figure].append(place)
        self.spread: dict[str, set[int]] = {}

    def tree_of(self, figure: str) -> Mapping[int, Place]:
        """The tree a figure adds up over: that of its edition, `figure@edition`, where it has one of its own."""
        return self.trees.get(figure.partition("@")[2], self.tree)

    def below_of(self, figure: str) -> Mapping[int, list[int]]:
        """The places below each place in that tree."""
        return self.belows.get(figure.partition("@")[2], self.belows[""])

    def known(self, key: Key) -> bool:
        """Whether a value is published."""
        return key in self.truth and key not in self.secret

    def component(self, start: Key) -> tuple[list[Key], list[Equation], list[tuple[Product, int]]]:
        """Every unknown cell that hangs together with one, and the relations over them."""
        unknown, queue = {start: None}, [start]
        seen: set[tuple[str | int, int]] = set()
        equations: list[Equation] = []
        products: list[tuple[Product, int]] = []
        while queue:
            figure, place = queue.pop()
            for name, equation, product in self._around(figure, place, seen):
                seen.add(name)
                if product is not None:
                    products.append((product, place))
                    met = [(i, place) for i in _figures(product) if not self.known((i, place))]
                else:
                    assert equation
                    equations.append(equation)
                    met = list(equation.terms)
                for key in met:
                    if key not in unknown:
                        unknown[key] = None
                        queue.append(key)
        return list(unknown), equations, products

    def _around(
        self, figure: str, place: int, seen: set[tuple[str | int, int]]
    ) -> Iterable[tuple[tuple[str | int, int], Equation | None, Product | None]]:
        for number, relation in self.by_figure.get(figure, ()):
            if (number, place) in seen or not self._applies(relation, place):
                continue
            if isinstance(relation, Product):
                yield (number, place), None, relation
            elif (equation := self._zero(number, relation, place)) is not None:
                yield (number, place), equation, None
        if figure in self.rolled:
            tree = self.tree_of(figure)
            for parent in (place, tree[place].parent_id if place in tree else None):
                if parent is not None and (figure, parent) not in seen:
                    equation = self._rolled_up(figure, parent)
                    if equation is not None:
                        yield (figure, parent), equation, None

    def _applies(self, relation: Zero | Product, place: int) -> bool:
        if relation.places is not None and place not in relation.places:
            return False
        if isinstance(relation, Zero) and place in relation.but:
            return False
        return not any((figure, place) in self.missing for figure in _figures(relation))

    def _zero(self, number: int, relation: Zero, place: int) -> Equation | None:
        keys = [((figure, place), c) for figure, c in relation.form.terms]
        if all(k in self.truth for k, _ in keys) and sum(c * self.truth[k] for k, c in keys) + relation.form.constant:
            self.untrue.add((f"relation {number}", place))
            return None
        return self.equation(keys, -relation.form.constant)

    def _rolled_up(self, figure: str, parent: int) -> Equation | None:
        spread = self._spread(figure)
        children = self.below_of(figure).get(parent, [])
        if parent not in spread or not any(c in spread for c in children):
            return None
        keys = [((figure, parent), 1), *(((figure, c), -1) for c in children if (figure, c) not in self.missing)]
        if (figure, parent) in self.missing:
            keys = keys[1:]
        parts = [c * v for k, c in keys if (v := self._true(k)) is not None]
        if len(parts) == len(keys) and sum(parts) != 0:
            self.untrue.add((figure, parent))
            return None
        return self.equation(keys, 0)

    def equation(self, keys: Iterable[tuple[Key, Number]], rhs: Number) -> Equation:
        """That the sum of the cells with their coefficients is `rhs`, the published ones taken to the right."""
        equation = Equation({}, rhs)
        for key, coefficient in keys:
            if self.known(key):
                equation.known[key] = equation.known.get(key, 0) + coefficient
                equation.rhs = equation.rhs - coefficient * self.truth[key]
            else:
                equation.terms[key] = equation.terms.get(key, 0) + coefficient
        return equation

    def _spread(self, figure: str) -> set[int]:
        """The places that have a cell of the figure, and all above them."""
        if figure not in self.spread:
            found, tree = self.spread.setdefault(figure, set()), self.tree_of(figure)
            for start in self.places_of[figure]:
                place: int | None = start
                while place is not None and place not in found:
                    found.add(place)
                    place = tree[place].parent_id if place in tree else None
        return self.spread[figure]

    def _true(self, key: Key) -> Number | None:
        """The value of a cell, of one never published from those below it, if they are all there."""
        if key in self.truth:
            return self.truth[key]
        figure, place = key
        if key in self.missing:
            return 0
        children = self.below_of(figure).get(place, [])
        if place not in self._spread(figure) or not any(c in self._spread(figure) for c in children):
            return None
        values = [v for c in children if (v := self._true((figure, c))) is not None]
        return sum(values) if len(values) == len(children) else None


def _below(tree: Mapping[int, Place]) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for place, (parent, _) in tree.items():
        if parent is not None:
            found[parent].append(place)
    return found


class Space:
    """Equations in reduced row echelon form: a value is derived exactly if its row has no other unknown."""

    def __init__(self) -> None:
        self.rows: dict[Key, Equation] = {}
        self.used_in: dict[Key, set[Key]] = defaultdict(set)  # free unknown -> pivots of the rows it is in
        self.contradictions = 0

    def reduce(self, equation: Equation) -> Equation:
        """The equation with every pivot put in by its row."""
        result = Equation(dict(equation.terms), equation.rhs, dict(equation.known), equation.through)
        for key in list(result.terms):
            if key in self.rows:
                _subtract(result, self.rows[key], result.terms[key])
        return result

    def add(self, equation: Equation) -> bool:
        """Takes an equation in; tells whether it said anything new."""
        row = self.reduce(equation)
        if not row.terms:
            self.contradictions += 1 if row.rhs else 0
            return False
        pivot = min(row.terms)
        factor = row.terms[pivot]
        if factor != 1:
            row.terms = {k: divided(v, factor) for k, v in row.terms.items()}
            row.known = {k: divided(v, factor) for k, v in row.known.items()}
            row.rhs = divided(row.rhs, factor)
        for other in sorted(self.used_in.pop(pivot, ())):
            target = self.rows[other]
            before = set(target.terms)
            _subtract(target, row, target.terms[pivot])
            for key in before ^ set(target.terms):
                if key in target.terms:
                    self.used_in[key].add(other)
                elif key != pivot:
                    self.used_in[key].discard(other)
        self.rows[pivot] = row
        for key in row.terms:
            if key != pivot:
                self.used_in[key].add(pivot)
        return True


def solved(board: Board, start: Key) -> Component:
    """The unknown cells around one, the equations over them as they stand, and solved as far as they go."""
    unknown, equations, products = board.component(start)
    space = Space()
    for equation in equations:
        space.add(equation)
    equations += _use_products(board, space, products)
    return Component(unknown, equations, space)


def analysed(
    board: Board, start: Key
) -> tuple[list[Key], list[Exposure], dict[Key, tuple[Number | None, Number | None]]]:
    """The unknown cells around one, what of them a reader can work out, and the bounds of the suppressed counts and
    amounts.
    """
    component = solved(board, start)
    exposed, bounds = worked_out(board, component)
    return component.unknown, exposed, bounds


def worked_out(
    board: Board, component: Component
) -> tuple[list[Exposure], dict[Key, tuple[Number | None, Number | None]]]:
    """What of a component a reader can work out by elimination and bounds, and the bounds of the suppressed counts and
    amounts.
    """
    unknown, equations, space = component
    targets = sorted(k for k in unknown if k in board.secret)
    exposed: dict[Key, Exposure] = {}
    for key in targets:
        row = space.rows.get(key)
        if row is not None and len(row.terms) == 1:
            exposed[key] = Exposure(key, "determined", tuple(sorted(row.support())))
    rows = [*equations, *space.rows.values()]
    for equation in rows:
        _look_for_small_sum(board, equation, exposed)
    bounds, made_by = _bounds(board, unknown, rows)
    for key in targets:
        low, high = bounds[key]
        if key not in exposed and low is not None and low == high:
            support = {k for equation in rows if key in equation.terms for k in equation.support()} | made_by.get(
                key, set()
            )
            exposed[key] = Exposure(key, "bounds", tuple(sorted(support)))
    return [exposed[k] for k in sorted(exposed)], {k: bounds[k] for k in targets}


def _use_products(board: Board, space: Space, products: Sequence[tuple[Product, int]]) -> list[Equation]:
    """Every product of which a side is derived becomes a linear equation, until none does any more; all those
    equations.
    """
    waiting, made = list(products), []
    while waiting:
        later = []
        for product, place in waiting:
            equation = _made_linear(board, space, product, place)
            if equation is None:
                later.append((product, place))
            else:
                space.add(equation)
                made.append(equation)
        if len(later) == len(waiting):
            return made
        waiting = later
    return made


def _made_linear(board: Board, space: Space, product: Product, place: int) -> Equation | None:
    left, right, result = (
        space.reduce(board_form(board, f, place)) for f in (product.left, product.right, product.result)
    )
    for one, other in ((left, right), (right, left)):
        if not one.terms:  # its value is -rhs: a form is terms + known + constant
            value = -one.rhs
            combined = Equation(
                {k: value * v for k, v in other.terms.items()},
                value * other.rhs,
                {k: value * v for k, v in other.known.items()},
                other.through,
            )
            _subtract(combined, result, 1)
            combined.through = combined.through | frozenset(one.support())
            combined.terms = {k: v for k, v in combined.terms.items() if v}
            return combined
    if product.division and not result.terms and not result.rhs:
        return Equation(dict(left.terms), left.rhs, dict(left.known), left.through | frozenset(result.support()))
    return None


def board_form(board: Board, form: Form, place: int) -> Equation:
    """A form as an equation `form = 0` would be; its value is minus the right side once no unknown is left."""
    return board.equation((((figure, place), c) for figure, c in form.terms), -form.constant)


def _look_for_small_sum(board: Board, equation: Equation, exposed: dict[Key, Exposure]) -> None:
    """Suppressed cells whose sum is told and small are one small cell together."""
    coefficients = set(equation.terms.values())
    if (
        len(coefficients) != 1
        or len(equation.terms) < 2
        or not all(k in board.secret and k in board.small for k in equation.terms)
    ):
        return
    units = sum(board.small[k] for k in equation.terms)
    least = max(board.least.get(k[0], 0) for k in equation.terms)
    first = min(equation.terms)
    if 0 < units < least and first not in exposed:
        exposed[first] = Exposure(first, "small sum", tuple(sorted(equation.support())))


_Bounds = dict[Key, tuple[Number | None, Number | None]]


def _bounds(board: Board, unknown: Sequence[Key], rows: Sequence[Equation]) -> tuple[_Bounds, dict[Key, set[Key]]]:
    kinds = {key: board.kinds.get(key[0].split("@")[0], Kind.ANY) for key in unknown}
    bounds: _Bounds = {k: (None if kind is Kind.ANY else 0, None) for k, kind in kinds.items()}
    made_by: dict[Key, set[Key]] = defaultdict(set)
    for _ in range(ROUNDS):
        changed = False
        for row in rows:
            changed |= _tighten(row, kinds, bounds, made_by)
        if not changed:
            break
    return bounds, made_by


def _tighten(row: Equation, kinds: Mapping[Key, Kind], bounds: _Bounds, made_by: dict[Key, set[Key]]) -> bool:
    low_sum: Number = 0
    high_sum: Number = 0
    no_low = no_high = 0
    ends = {}
    for key, c in row.terms.items():
        low, high = bounds[key]
        least, most = (low, high) if c > 0 else (high, low)
        ends[key] = (None if least is None else c * least, None if most is None else c * most)
        if ends[key][0] is None:
            no_low += 1
        else:
            low_sum += ends[key][0]  # type: ignore[operator]
        if ends[key][1] is None:
            no_high += 1
        else:
            high_sum += ends[key][1]  # type: ignore[operator]
    if no_low > 1 and no_high > 1:
        return False
    changed = False
    for key, c in row.terms.items():
        least, most = ends[key]
        top = None if no_low - (least is None) else row.rhs - (low_sum - (least or 0))
        bottom = None if no_high - (most is None) else row.rhs - (high_sum - (most or 0))
        low, high = (bottom, top) if c > 0 else (top, bottom)
        low, high = (None if low is None else divided(low, c)), (None if high is None else divided(high, c))
        if kinds[key] is Kind.COUNT:
            low, high = (None if low is None else -(-low // 1)), (None if high is None else high // 1)
        was_low, was_high = bounds[key]
        new_low = low if was_low is None or (low is not None and low > was_low) else was_low
        new_high = high if was_high is None or (high is not None and high < was_high) else was_high
        if (new_low, new_high) != (was_low, was_high):
            bounds[key] = (new_low, new_high)
            made_by[key] |= row.support().union(*(made_by[k] for k in row.terms if k != key and k in made_by))
            changed = True
    return changed


def divided(one: Number, other: Number) -> Number:
    """The exact quotient, a whole number where it is one."""
    if isinstance(one, int) and isinstance(other, int) and not one % other:
        return one // other
    result = Fraction(one) / other
    return result.numerator if result.denominator == 1 else result


def whole(value: Number) -> Number:
    """The same value, as an int where it is whole."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _subtract(row: Equation, other: Equation, times: Number) -> None:
    for key, value in other.terms.items():
        new = row.terms.get(key, 0) - times * value
        if new:
            row.terms[key] = whole(new)
        else:
            row.terms.pop(key, None)
    for key, value in other.known.items():
        new = row.known.get(key, 0) - times * value
        if new:
            row.known[key] = whole(new)
        else:
            row.known.pop(key, None)
    row.rhs = whole(row.rhs - times * other.rhs)
    row.through = row.through | other.through


def _figures(relation: Zero | Product) -> Iterable[str]:
    forms = (relation.form,) if isinstance(relation, Zero) else (relation.left, relation.right, relation.result)
    return dict.fromkeys(figure for form in forms for figure, _ in form.terms)


def _plus(one: Form, other: Form) -> Form:
    terms: dict[str, Number] = dict(one.terms)
    for figure, c in other.terms:
        terms[figure] = terms.get(figure, 0) + c
    return Form(tuple((f, whole(c)) for f, c in terms.items() if c), whole(one.constant + other.constant))


def _times(form: Form, by: Number) -> Form:
    return Form(tuple((f, whole(c * by)) for f, c in form.terms if c * by), whole(form.constant * by))
