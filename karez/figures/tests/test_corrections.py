"""What readers learn from an erratum: sums that no longer hold, what is withheld, other years; and editions made after
it.
"""

from collections.abc import Mapping

from karez.figures.attack import Form, Key, Kind, Number, Place, RollUp, Zero, relations_of
from karez.figures.corrections import follows
from karez.figures.disclosure import Cell, suppress
from karez.figures.over_years import Edition, Meaning, beside
from karez.kernel.formula import parse_formula

TREE = {1: Place(None, "prefecture"), 2: Place(1, "county"), 3: Place(1, "county"), 4: Place(1, "county")}
COUNTED = ("women", "men", "persons", "households")
MEANINGS = {f: Meaning((f,), "stock", "person") for f in COUNTED} | {"share": Meaning(("share",), "share", "person")}
RELATIONS = [
    *(RollUp(f) for f in COUNTED),
    Zero(Form((("persons", 1), ("women", -1), ("men", -1)))),
    *relations_of("share", parse_formula("100 * women / persons")),
]
UNITS = dict.fromkeys((*COUNTED, "share"), "person")


def edition(
    values: Mapping[Key, Number | None],
    name: str = "2009-1",
    printed: Mapping[Key, Number] | None = None,
    withheld: Mapping[Key, Number] | None = None,
) -> Edition:
    return Edition(name, int(name[:4]), TREE, MEANINGS, values, frozenset(), RELATIONS, withheld or {}, printed or {})


def households(*by_place: int | None) -> dict[Key, Number | None]:
    return {("households", p): v for p, v in enumerate(by_place, 1)}


def learnt(now: Edition, key: Key, right: int, *others: Edition) -> list[Key]:
    return follows(now, others, UNITS, frozenset(COUNTED), key, right)


def test_women_corrected_while_persons_stay() -> None:
    values: dict[Key, Number | None] = {("women", 2): 105, ("men", 2): 115, ("persons", 2): 220}
    assert learnt(edition(values), ("women", 2), 213) == [("men", 2)]  # 220 - 213 = 7
    assert learnt(edition(values), ("women", 2), 200) == []
    right = edition({**values, ("persons", 2): 328}, printed={("persons", 2): 220})
    assert learnt(right, ("women", 2), 213) == [("men", 2)]  # under the printed total alone
    share: dict[Key, Number | None] = {("women", 2): 20, ("persons", 2): 200, ("share", 2): 10}
    assert learnt(edition(share), ("share", 2), 2) == [("women", 2)]  # two percent of 200


def test_a_county_corrected_while_the_prefecture_stays() -> None:
    assert learnt(edition(households(200, 50, 60, 90)), ("households", 2), 107) == [
        ("households", 3)
    ]  # 200 - 107 - 90 = 3
    assert learnt(edition(households(200, 50, 60, 90)), ("households", 2), 70) == []
    assert learnt(edition(households(200, 50, 60, 90)), ("households", 1), 145) == [("households", 3)]
    assert (
        learnt(edition(households(200, 50, 60, 90)), ("households", 2), 400) == []
    )  # the prefecture was wrong, plainly


def test_corrections_lead_on() -> None:
    """A region of one prefecture: what is right for the region is right for the prefecture, and tells of its counties."""
    tree = {**TREE, 1: Place(9, "prefecture"), 9: Place(None, "region")}
    values: dict[Key, Number | None] = {**households(200, 110, 50, 40), ("households", 9): 200}
    now = Edition("2009-1", 2009, tree, MEANINGS, values, frozenset(), RELATIONS)
    assert learnt(now, ("households", 9), 153) == [("households", 3)]  # 153 - 110 - 40
    assert learnt(now, ("households", 9), 160) == []


def test_what_is_withheld_stays_open() -> None:
    now = edition(households(200, 110, None, None), withheld={("households", 3): 4, ("households", 4): 86})
    assert learnt(now, ("households", 2), 193) == [("households", 3), ("households", 4)]  # seven in both together
    assert learnt(now, ("households", 2), 200) == [("households", 3), ("households", 4)]  # none in either
    assert learnt(now, ("households", 2), 130) == []


def test_the_change_since_another_year_stays_open() -> None:
    before = edition(households(150, 50, 50, 50), "2008-1")
    now = edition(households(260, 90, 80, 90))
    assert ("households@2008-1", 2) in learnt(now, ("households", 2), 54, before)
    assert learnt(now, ("households", 2), 120, before) == []


def test_a_later_edition_takes_an_erratum_for_known() -> None:
    """A first edition says 100, 20, 30, 50; an erratum 43 for 30; the second would withhold 43 beside 7, which everyone
    can subtract.
    """
    first = edition({**households(100, 20, 43, 50)}, printed={("households", 3): 30})
    cells = [Cell("households", p, v, v, "person", Kind.COUNT) for (_, p), v in households(100, 7, 43, 50).items()]
    around = beside(cells, 2009, TREE, MEANINGS, [first])
    found = suppress(cells, TREE, [RollUp("households"), *around.relations], around.known, public=around.public)
    assert ("households", 3) not in found.suppressed
    assert [e.key for e in found.exposed] == [("households", 2)]  # nothing may be published
    assert learnt(edition(households(100, 20, 30, 50)), ("households", 3), 43) == [
        ("households", 2)
    ]  # and the erratum is refused
