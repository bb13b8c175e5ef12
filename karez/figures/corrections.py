"""What follows for a reader from a correction beside a published edition. Decides no suppression and reads no text.

A correction says what one cell should have been. Where it breaks a sum or a share that held, a reader takes one of the
other cells of it for wrong too, and computes that one from the rest: no small number may come out. And what the edition
withholds must stay as open with the right value as it was with the printed one. Not considered: that several other
cells were wrong at once where the sums leave a choice.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from karez.figures.attack import (
    Board,
    Equation,
    Form,
    Key,
    Kind,
    Number,
    Product,
    Zero,
    divided,
    solved,
    worked_out,
)
from karez.figures.disclosure import LEFT_OPEN, RULES, Cell, Rule
from karez.figures.over_years import Edition, beside
from karez.figures.solver import narrow

Values = Mapping[Key, Number]


def follows(
    now: Edition,
    others: Sequence[Edition],
    units: Mapping[str, str],
    counts: frozenset[str],
    key: Key,
    right: Number,
    rules: Mapping[str, Rule] = RULES,
) -> list[Key]:
    """The cells a correction gives away: small ones, and withheld ones; of another edition with `@` and its name.

    `now` has its approved corrections as its `printed` tells; `units` are the disclosure units of figures, `counts`
    those that count persons, households or what each of them has.
    """
    found: set[Key] = set()
    board = _board(now, others, units, counts, rules)
    told: dict[Key, Number] = {k: v for k, v in board.truth.items() if k not in board.secret}
    least = {f: rules[unit].least for f, unit in units.items() if unit in rules and f in counts}
    for known, right_ones in (
        ({**told, key: right}, {key, *now.printed}),
        ({**told, **now.printed, key: right}, {key}),
    ):
        found |= {k for k, value in _forced(board, known, right_ones) if _is_small(k, value, least)}
        found |= {
            k
            for one in right_ones
            for k, value in _one_more_wrong(board, known, one, right_ones)
            if _is_small(k, value, least)
        }
        found |= _given_away(_with(board, known), least, key) - _given_away(_with(board, told), least, key)
    found |= {(key[0] + f"@{e.name}", key[1]) for e in others if _changed_by_few(now, e, key, right, least)}
    return sorted(found)


def _board(
    now: Edition, others: Sequence[Edition], units: Mapping[str, str], counts: frozenset[str], rules: Mapping[str, Rule]
) -> Board:
    """All editions together; of the one to be corrected what it withheld is secret, with its value where that is known."""
    kinds = {f: Kind.COUNT if f in counts else Kind.AMOUNT for f in units}
    for (figure, _place), value in now.values.items():
        if value is not None and value < 0:
            kinds[figure] = Kind.ANY
    true = {**now.values, **now.withheld}
    cells = [Cell(f, p, v, None, units.get(f, "none"), kinds.get(f, Kind.ANY)) for (f, p), v in true.items()]
    around = beside(cells, now.year, now.tree, now.meanings, others, rules)
    truth = {k: v for k, v in now.values.items() if v is not None} | {
        (k.figure, k.place): k.value for k in around.known if k.value is not None
    }
    secret = {k for k, v in now.values.items() if v is None} | {
        (k.figure, k.place) for k in around.known if k.value is None and not k.missing
    }
    missing = now.missing | {(k.figure, k.place) for k in around.known if k.missing}
    return Board(
        now.tree,
        [*now.relations, *around.relations],
        truth,
        frozenset(missing),
        kinds,
        {},
        {},
        secret,
        around.trees,
        left_open=LEFT_OPEN,
    )


def _with(board: Board, known: Values) -> Board:
    return Board(
        board.tree,
        board.relations,
        dict(known),
        board.missing,
        board.kinds,
        {},
        {},
        set(board.secret),
        board.trees,
        left_open=LEFT_OPEN,
    )


def _is_small(key: Key, value: Number, least: Mapping[str, int]) -> bool:
    """Whether a number is one of few; what is no whole number or below nought says only that the guess was wrong."""
    return value == int(value) and 0 < value < least.get(key[0].partition("@")[0], 0)


def _changed_by_few(now: Edition, other: Edition, key: Key, right: Number, least: Mapping[str, int]) -> bool:
    """Whether the right value differs by few from what another year says of the same stock."""
    before, meaning = other.values.get(key), now.meanings.get(key[0])
    if (
        before is None
        or meaning is None
        or other.year == now.year
        or meaning.kind != "stock"
        or meaning != other.meanings.get(key[0])
    ):
        return False
    change: Number = max(right - before, before - right)
    return _is_small(key, change, least)


# A cell of a sum or a share that no longer holds, computed from the others.


def _forced(board: Board, known: dict[Key, Number], right: set[Key]) -> Iterator[tuple[Key, Number]]:
    """The cells left alone against corrected ones in a sum: they must have been wrong too, and are taken for corrected."""
    waiting = list(right)
    while waiting:
        for terms, constant in _sums_with(board, waiting.pop()):
            open_ones = [(k, c) for k, c in terms if k not in right]
            if len(open_ones) == 1 and all(k in known for k, _ in terms):
                ((key, c),) = open_ones
                rest = sum((c * known[k] for k, c in terms), constant)
                if rest:
                    known[key] -= divided(rest, c)
                    right.add(key)
                    waiting.append(key)
                    yield key, known[key]


def _one_more_wrong(board: Board, known: Values, key: Key, right: Collection[Key]) -> Iterator[tuple[Key, Number]]:
    figure, place = key
    for terms, constant in _sums_with(board, key):
        if any(k not in known for k, _ in terms):
            continue
        rest = sum((c * known[k] for k, c in terms), constant)
        if rest:
            yield from ((k, known[k] - divided(rest, c)) for k, c in terms if k not in right and c)
    for _number, relation in board.by_figure.get(figure, ()):
        if isinstance(relation, Product) and (relation.places is None or place in relation.places):
            yield from _of_product(relation, place, known, key)


def _sums_with(board: Board, key: Key) -> Iterator[tuple[list[tuple[Key, Number]], Number]]:
    """Every sum a cell is in, as terms and a constant that together are nought."""
    figure, place = key
    for _number, relation in board.by_figure.get(figure, ()):
        if (
            isinstance(relation, Zero)
            and (relation.places is None or place in relation.places)
            and place not in relation.but
        ):
            yield [((f, place), c) for f, c in relation.form.terms], relation.form.constant
    if figure in board.rolled:
        tree = board.tree_of(figure)
        for parent in (place, tree[place].parent_id if place in tree else None):
            below = [(figure, c) for c in board.below_of(figure).get(parent, ())] if parent is not None else []
            there = [k for k in below if k not in board.missing]
            if parent is not None and there:
                yield [((figure, parent), 1), *((k, -1) for k in there)], 0


def _of_product(relation: Product, place: int, known: Values, key: Key) -> Iterator[tuple[Key, Number]]:
    forms = (relation.left, relation.right, relation.result)
    names = dict.fromkeys(f for form in forms for f, _ in form.terms)
    for name in names:
        if (name, place) == key or any((f, place) not in known for f in names):
            continue
        (a, b), (c, d), (e, f) = (_line(form, name, place, known) for form in forms)
        slope, rest = a * d + b * c - e, b * d - f  # of left * right - result, where it is a line in the cell
        if not a * c and slope:
            yield (name, place), -divided(rest, slope)


def _line(form: Form, name: str, place: int, known: Values) -> tuple[Number, Number]:
    """A form as `slope * cell + rest`."""
    slope: Number = sum(c for f, c in form.terms if f == name)
    return slope, sum((c * known[f, place] for f, c in form.terms if f != name), form.constant)


# What is withheld.


def _given_away(board: Board, least: Mapping[str, int], key: Key) -> set[Key]:
    """The withheld cells that follow or are bound to few, alone or together, or lie in too narrow an interval."""
    found: set[Key] = set()
    waiting = {k for k in board.secret if board.by_figure.get(k[0]) or k[0] in board.rolled}
    while waiting:
        start = min(waiting)
        component = solved(board, start)
        exposures, bounds = worked_out(board, component)
        waiting -= {start, *component.unknown}
        found |= {e.key for e in (*exposures, *narrow(board, component)[0])}
        found |= {
            k
            for k, (_low, high) in bounds.items()
            if high is not None and 0 < high < least.get(k[0].partition("@")[0], 0)
        }
        found |= set(_small_together(board, [*component.equations, *component.space.rows.values()], least))
    return found


def _small_together(board: Board, rows: Iterable[Equation], least: Mapping[str, int]) -> Iterator[Key]:
    for row in rows:
        coefficients = set(row.terms.values())
        if len(coefficients) == 1 and all(k in board.secret for k in row.terms):
            together = divided(row.rhs, coefficients.pop())
            if 0 < together < min(least.get(k[0].partition("@")[0], 0) for k in row.terms):
                yield min(row.terms)
