"""The signed editions as readers have them, for the decision what a new one may say. Reads their texts; decides
nothing.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from karez.chapter.compose import SUPPRESSED
from karez.closing import snapshots
from karez.closing.queries import check_digests
from karez.figures import answers
from karez.figures.attack import Form, Key, Number, Place, Relation, RollUp, Zero, relations_of
from karez.figures.corrections import follows
from karez.figures.declarations import Figure
from karez.figures.engine import Place as Area
from karez.figures.engine import declared
from karez.figures.over_years import Beside, Edition, Meaning, beside
from karez.figures.publication import STRICT, WHOLES, Publication
from karez.kernel.formula import parse_formula
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.publication.content import LEVELS, Content

Signed = Mapping[tuple[int, int], Content]  # year and number -> what it says


def beside_of(
    publication: Publication, year: int, figures: Sequence[Figure], areas: Mapping[int, Area], signed: Signed
) -> Beside:
    """What all signed editions bring into the decision over a publication."""
    tree = {a.area_id: Place(a.parent_id, a.level) for a in areas.values() if a.level in LEVELS}
    meanings = {f.id: _meaning(f.as_dict()) for f in figures}
    editions = [
        _edition(of, number, content, other_year=of != year) for (of, number), content in sorted(signed.items())
    ]
    return beside(publication.cells, year, tree, meanings, editions)


def _meaning(told: Mapping[str, Any]) -> Meaning:
    counted = tuple(str(told.get(k, "")) for k in ("formula", "table", "where", "value", "scale", "unit"))
    return Meaning(counted, told["kind"], told["disclosure"])


def _edition(year: int, number: int, content: Content, *, other_year: bool) -> Edition:
    areas = {code: int(place["area_id"]) for code, place in content.places.items()}
    values, missing = {}, set()
    for (figure, code), (exact, state) in content.cells.items():
        if exact is not None or state == SUPPRESSED:
            values[figure, areas[code]] = None if exact is None else _whole(Fraction(exact))
        elif state == "missing":
            missing.add((figure, areas[code]))
    tree = {areas[code]: Place(areas.get(p["parent"]), p["level"]) for code, p in content.places.items()}
    meanings = {i: _meaning(f) for i, f in content.figures.items()}
    held = {key for key, value in values.items() if value is None}
    withheld = (
        {key: value for key, value in _computed_again(content).items() if key in held} if other_year and held else {}
    )
    right = {(figure, areas[code]): _whole(Fraction(exact)) for (figure, code), exact in content.corrected.items()}
    printed = {key: value for key in right if (value := values.get(key)) is not None}
    values |= right
    return Edition(
        f"{year}-{number}",
        year,
        tree,
        meanings,
        values,
        frozenset(missing),
        _relations(content.figures),
        withheld,
        printed,
    )


def given_away(year: int, number: int, signed: Signed, figure: str, place: str, right: Fraction) -> list[str]:
    """What readers of all signed editions and their errata would learn from one more erratum: `figure at place`, of few
    or withheld.
    """
    content = signed[year, number]
    now = _edition(year, number, content, other_year=True)
    others = [
        _edition(y, n, c, other_year=y != year) for (y, n), c in sorted(signed.items()) if (y, n) != (year, number)
    ]
    units = {i: unit_told(i, content.figures) for i in content.figures}
    counts = frozenset(i for i, told in content.figures.items() if is_count(told))
    key = (figure, int(content.places[place]["area_id"]))
    codes = {int(p["area_id"]): code for code, p in content.places.items()}
    return [f"{i} at {codes.get(area, area)}" for i, area in follows(now, others, units, counts, key, _whole(right))]


def is_count(told: Mapping[str, Any]) -> bool:
    """Whether a figure counts persons, households or what they have one by one, such as loans; not money, not shares."""
    return told["unit"] in ("persons", "households") or str(told.get("value", "")).lower().lstrip().startswith("count")


def unit_told(figure: str, figures: Mapping[str, Mapping[str, Any]]) -> str:
    """The disclosure unit of a printed figure: of a formula, the strictest of its own and its inputs'."""
    told = figures[figure]
    uses = parse_formula(told["formula"]).uses if "formula" in told else ()
    return min((str(told["disclosure"]), *(unit_told(i, figures) for i in uses if i in figures)), key=STRICT.index)


def _computed_again(content: Content) -> dict[Key, Number]:
    """The figures of an edition, with what it withheld, from the snapshot it was made from, every digest of it read
    again.
    """
    told = content.said["snapshot"]
    snapshot = snapshots.named(told["digest"])
    if snapshot is None:
        raise Refusal(
            "publication.snapshot_gone",
            record=told["name"],
            found=say("the snapshot of a signed edition is not here"),
            expected=say("the snapshot it was made from"),
            rule=say("what a year may print depends on what editions of other years withhold"),
            todo=say("restore the snapshot from the backup"),
        )
    check_digests(snapshot)
    figures = [f for i, f in declared().of_year(snapshot.year).items() if i in content.figures]
    computed = answers.cells(snapshot, figures, LEVELS)
    found = computed.values(f.id for f in figures)
    return {(v.id, v.area_id): _whole(v.value) for v in found if v.value is not None}


def _whole(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def _relations(figures: Mapping[str, Mapping[str, Any]]) -> list[Relation]:
    """What the definitions printed in an edition tell."""
    found: list[Relation] = []
    for i, told in figures.items():
        if "formula" in told:
            found += relations_of(i, parse_formula(told["formula"]))
        elif str(told.get("value", "")).lower().lstrip().startswith(("sum", "count")):
            found.append(RollUp(i))
    for total, parts in WHOLES.items():
        if figures.keys() >= {total, *parts}:
            found.append(Zero(Form(((total, 1), *((part, -1) for part in parts)))))
    return found
