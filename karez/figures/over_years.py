"""What readers have of other editions, of the same year and of other years, and how those hang together with what is to
be published.

Decides nothing: it says what is known and how (`attack`), for `disclosure.suppress`. Over the years a reader subtracts:
- the change of a stock of persons or households between two years is a number of them; where it is small it must not follow;
- what adds up over the years at every place (last year's total and this year's new ones make this year's total; a figure of
  last year printed again as the year before) is taken as known, whether anybody declared it or not: such sums are looked for
  in the numbers themselves, as a reader would. Taking too many for known withholds more, never less.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from karez.figures.attack import (
    Exposure,
    Form,
    Key,
    Kind,
    Number,
    Place,
    Relation,
    RollUp,
    Zero,
    of_edition,
    unchanged,
)
from karez.figures.disclosure import CHANGE, RULES, Cell, Known, Rule
from karez.figures.solver import UNDECIDED


class Meaning(NamedTuple):
    """What makes two figures of one id the same: their definition; and what they speak of."""

    definition: tuple[str, ...]
    kind: str
    unit: str  # the disclosure unit


@dataclass(frozen=True)
class Edition:
    """A signed edition as a reader has it: `values` None where it withheld; `missing` where it printed that there is
    nothing.

    `withheld` are the values of what it withheld, which the office knows: they tell which sums hold. Needed of other
    years. Where an erratum stands beside it, `values` hold what is right and `printed` what was printed.
    """

    name: str
    year: int
    tree: Mapping[int, Place]
    meanings: Mapping[str, Meaning]
    values: Mapping[Key, Number | None]
    missing: frozenset[Key]
    relations: Sequence[Relation]
    withheld: Mapping[Key, Number] = field(default_factory=dict)
    printed: Mapping[Key, Number] = field(default_factory=dict)


@dataclass
class Beside:
    """What the other editions bring into a decision."""

    known: list[Known] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    trees: dict[str, Mapping[int, Place]] = field(default_factory=dict)
    public: set[Key] = field(
        default_factory=set
    )  # cells that say what another edition says already: withholding them hides nothing


def beside(
    cells: Sequence[Cell],
    year: int,
    tree: Mapping[int, Place],
    meanings: Mapping[str, Meaning],
    editions: Sequence[Edition],
    rules: Mapping[str, Rule] = RULES,
) -> Beside:
    """All editions beside the cells of a year that are about to be published."""
    found = Beside()
    now = {(c.figure, c.place): c for c in cells}
    for edition in editions:
        _alone(edition, tree, found)
        if edition.year == year:
            told = {key: v for key, v in edition.values.items() if v is not None and key in now}
            found.public |= {key for key, v in told.items() if v == now[key].value}
            found.relations += unchanged(
                {f for f, _ in now}, edition.name, [key for key, v in told.items() if v != now[key].value]
            )
        elif abs(edition.year - year) == 1:
            _sums(now, edition, {**edition.values, **edition.withheld}, rules, found, later=edition.year > year)
            if edition.printed:  # what held for the printed values is known to readers too
                _sums(
                    now,
                    edition,
                    {**edition.values, **edition.withheld, **edition.printed},
                    rules,
                    found,
                    later=edition.year > year,
                )
    for edition in editions:
        if edition.year != year:
            _changes(now, tree, meanings, edition, rules, found)
    found.relations += _between(editions)
    return found


def told_by_other_years(exposure: Exposure, year: int) -> bool:
    """Whether a small cell follows from editions of other years, whatever this one withholds: their readers have it
    already.
    """
    editions = {figure.partition("@")[2] for figure, _ in exposure.support if "@" in figure}
    return exposure.how != UNDECIDED and any(not name.startswith(f"{year}-") for name in editions)


def _alone(edition: Edition, tree: Mapping[int, Place], found: Beside) -> None:
    """An edition's own cells, relations and places."""
    found.known += [Known(f"{f}@{edition.name}", p, v) for (f, p), v in edition.values.items()]
    found.known += [Known(f"{f}@{edition.name}", p, None, missing=True) for f, p in sorted(edition.missing)]
    found.relations += of_edition(edition.relations, edition.name)
    if edition.tree != tree:
        found.trees[edition.name] = edition.tree


def _between(editions: Sequence[Edition]) -> Iterator[Relation]:
    """Editions of one year say the same where they both say something and it does not differ."""
    for one, other in pairwise(editions):
        if one.year == other.year:
            for figure in sorted({f for f, _ in one.values} & {f for f, _ in other.values}):
                differ = {
                    p
                    for (f, p), v in one.values.items()
                    if f == figure and None not in (v, w := other.values.get((f, p))) and v != w
                }
                yield Zero(Form(((f"{figure}@{one.name}", 1), (f"{figure}@{other.name}", -1))), but=frozenset(differ))


def _changes(
    now: Mapping[Key, Cell],
    tree: Mapping[int, Place],
    meanings: Mapping[str, Meaning],
    edition: Edition,
    rules: Mapping[str, Rule],
    found: Beside,
) -> None:
    """Small changes of stocks since (or until) an edition's year, to be kept; what is public already cannot be."""
    secret: dict[str, dict[int, tuple[int, str]]] = {}
    true = {**edition.values, **edition.withheld}  # a change may follow where neither value does
    for (figure, place), cell in now.items():
        meaning, before = meanings.get(figure), true.get((figure, place))
        if (
            meaning is None
            or cell.kind is not Kind.COUNT
            or cell.unit not in rules
            or cell.value is None
            or before is None
        ):
            continue
        change = max(cell.value - before, before - cell.value)
        if (
            meaning.kind == "stock"
            and meaning == edition.meanings.get(figure)
            and 0 < change < rules[cell.unit].least
            and (figure, place) not in found.public
        ):
            secret.setdefault(figure, {})[place] = (int(change), cell.unit)
    for figure, places in sorted(secret.items()):
        name = f"{CHANGE}{figure}@{edition.name}"
        found.known += [
            Known(name, place, None, units=units, unit=unit) for place, (units, unit) in sorted(places.items())
        ]
        found.relations.append(Zero(Form(((figure, 1), (f"{figure}@{edition.name}", -1), (name, -1)))))
        if edition.tree == tree:
            found.relations.append(RollUp(name))


_Column = Mapping[int, Number]


def _sums(
    now: Mapping[Key, Cell],
    edition: Edition,
    true: Mapping[Key, Number | None],
    rules: Mapping[str, Rule],
    found: Beside,
    *,
    later: bool,
) -> None:
    """What holds at every place between a year and the next: `b = a`, `stock = stock before + flow` and `... + flow -
    flow`.

    The flows are those of the later year. Only what speaks of persons or households matters.
    """
    here = _columns((key, c.value) for key, c in now.items() if c.unit in rules)
    there = _columns((key, v) for key, v in true.items() if edition.meanings[key[0]].unit in rules)
    at = edition.name
    for figure, column in here.items():
        for other, before in there.items():
            if _same(column, before):
                found.relations.append(Zero(Form(((figure, 1), (f"{other}@{at}", -1)))))
                found.public |= {(figure, p) for p in column if edition.values.get((other, p)) is not None}
    flows = there if later else here
    for stock in sorted(here.keys() & there.keys()):
        sign = -1 if later else 1
        rise = {p: sign * (v - there[stock][p]) for p, v in here[stock].items() if p in there[stock]}
        left: tuple[tuple[str, Number], ...] = ((stock, sign), (f"{stock}@{at}", -sign))
        if any(rise.values()):
            for terms in _making(rise, {f: c for f, c in flows.items() if f != stock}):
                found.relations.append(Zero(Form((*left, *((f"{f}@{at}" if later else f, -c) for f, c in terms)))))


def _making(rise: _Column, flows: Mapping[str, _Column]) -> Iterator[tuple[tuple[str, int], ...]]:
    """One flow, or one less another, that is the rise at every place."""
    for one, column in flows.items():
        if _same(rise, column):
            yield ((one, 1),)
            continue
        rest = {p: v - rise[p] for p, v in column.items() if p in rise}
        for other, less in flows.items():
            if other != one and _same(rest, less):
                yield ((one, 1), (other, -1))


def _columns(cells: Iterable[tuple[Key, Number | None]]) -> dict[str, _Column]:
    found: dict[str, dict[int, Number]] = {}
    for (figure, place), value in cells:
        if value is not None:
            found.setdefault(figure, {})[place] = value
    return dict(found)


def _same(one: _Column, other: _Column) -> bool:
    """Whether two columns are equal wherever both have a value, and somewhere not nought."""
    both = one.keys() & other.keys()
    return all(one[p] == other[p] for p in both) and any(one[p] for p in both)
