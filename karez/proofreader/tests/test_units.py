"""What units, kinds and periods rule out: told beside the verdicts, in both languages; what is right is never told."""

import pytest
from django.utils import translation

from karez.proofreader import units
from karez.proofreader.proof import DATA, proof, proof_of

HEADER = "id,section,label,value,unit,qualifier,rounding,period,place,kind,programme,derivation,part_of"


def row(name, value=10, unit="persons", kind="flow", period="2009", derivation="", part_of="", qualifier="exact"):
    return f"{name},s,l,{value},{unit},{qualifier},1,{period},64,{kind},p,{derivation},{part_of}"


def told(*rows, rules=None):
    answer = proof_of("\n".join([HEADER, *rows]).encode(), rules)
    assert answer.faults == ()
    return [(fault.line, fault.id, fault.found, fault.rule) for fault in answer.units]


@pytest.mark.parametrize(
    ("rows", "line", "found", "rule"),
    [
        ([row("a", 120, "percent", "share")], 2, "120 percent", units.SHARE),
        ([row("a", -1, "%", "share")], 2, "-1 %", units.SHARE),
        ([row("a", 100, "percent", "share", qualifier="more_than")], 2, "more than 100 percent", units.SHARE),
        ([row("a", 4, "percentage_points", "share")], 2, "a share in percentage_points", units.SHARE_UNIT),
        ([row("a", 11, part_of="b"), row("b", 10)], 2, "11 persons", units.PART),
        ([row("a", 1, "yuan", part_of="b"), row("b", 10)], 2, "yuan", units.PART_UNIT),
        ([row("a", part_of="nowhere")], 2, "part of nowhere", units.PART_WHOLE),
        ([row("a", part_of="a")], 2, "part of a", units.PART_WHOLE),
        ([row("a", 10), row("b", 11, derivation="a")], 3, "11 persons", units.RESTATED),
        ([row("a", 10), row("b", 10, "households", derivation="a")], 3, "households", units.RESTATED_UNIT),
        ([row("a", period="2008"), row("b", derivation="a")], 3, "a figure of 2009", units.RESTATED_PERIOD),
        (
            [row("a"), row("b", unit="person_times"), row("t", 20, derivation="a + b")],
            4,
            "persons with person_times",
            units.ATTENDANCES,
        ),
        (
            [row("a"), row("b", unit="人次"), row("t", 20, derivation="a + b")],
            4,
            "persons with person_times",
            units.ATTENDANCES,
        ),
        (
            [row("a", unit="yuan"), row("b"), row("t", 20, "yuan", derivation="a + b")],
            4,
            "yuan with persons",
            units.MIXED,
        ),
        (
            [
                row("a", unit="percent"),
                row("b", unit="percentage_points"),
                row("t", 20, "percentage_points", derivation="a + b"),
            ],
            4,
            "percent with percentage_points",
            units.POINTS,
        ),
        ([row("a"), row("b"), row("t", 20, "villages", derivation="a + b")], 4, "a sum of persons", units.RESULT),
        (
            [row("a", period="2008"), row("b"), row("t", 20, derivation="a + b")],
            4,
            "figures of 2008, 2009",
            units.PERIODS,
        ),
        (
            [
                row("a", kind="stock", period="end_2008"),
                row("b", kind="stock"),
                row("t", 20, kind="stock", derivation="a + b"),
            ],
            4,
            "figures of 2008, 2009",
            units.STATES,
        ),
        ([row("a", -5, kind="stock")], 2, "-5 persons", units.NEGATIVE),
        (
            [row("a"), row("b", unit="villages"), row("t", 100, "percent", "share", derivation="100 * a / b")],
            4,
            "persons divided by villages",
            units.SHARE_OF_UNLIKE,
        ),
    ],
)
def test_what_cannot_be_right_is_told(rows, line, found, rule):
    assert [(line, found, rule)] == [(fault[0], fault[2], fault[3]) for fault in told(*rows)]


@pytest.mark.parametrize(
    "rows",
    [
        [row("a", 150, "percent", "growth"), row("b", -20, "percent", "growth")],
        [row("a", 100, "percent", "share"), row("b", 0, "percent", "share")],
        [row("a", 10, part_of="b"), row("b", 10)],
        [row("a", 1, "PERSONS"), row("b", 1, "people"), row("t", 2, "人", derivation="a + b")],
        [row("a", unit="percent"), row("b", unit="percentage_points"), row("t", 20, "percent", derivation="a + b")],
        [row("a", 30, unit="percent"), row("b", unit="percent"), row("t", 20, "percentage_points", derivation="a - b")],
        [row("a", unit="towns"), row("b", unit="schools"), row("t", 20, "places", derivation="a + b")],
        [row("a", period="2008"), row("b"), row("t", 20, period="2008-2009", derivation="a + b")],
        [
            row("a", kind="stock", period="before_2009"),
            row("b"),
            row("t", 20, kind="stock", period="end_2009", derivation="a + b"),
        ],
        [row("a", unit="yuan"), row("b", unit="villages"), row("t", 1, "yuan", "average", derivation="a / b")],
        [row("a", 30, "percent", "share"), row("t", 70, "percent", "share", derivation="100 - a")],
        [row("a", unit=""), row("b"), row("t", 20, derivation="a + b")],
    ],
)
def test_what_may_be_right_is_not_told(rows):
    assert told(*rows) == []


def test_sides_of_a_rule_have_like_units():
    rules = b"left,relation,right\na,<=,b\na,<=,10\na + b,<=,a\n"
    found = told(row("a", unit="yuan"), row("b"), rules=rules)
    assert [(line, name, rule) for line, name, _, rule in found] == [
        (2, "a <= b", units.MIXED),
        (4, "a + b <= a", units.MIXED),
    ]


def test_the_two_chapters():
    found = {name: [fault.id for fault in proof(DATA / f"{name}-2009.csv").units] for name in ("ningxia", "xinjiang")}
    assert found["ningxia"] == ["relocation.migrant_households"]
    assert found["xinjiang"] == [
        "training.trained_total",
        "training.practical_measures",
        "social_support.units_measures",
    ]


def test_the_answer_has_them_beside_the_verdicts():
    answer = proof_of(
        "\n".join(
            [HEADER, row("a", 120, "percent", "share"), row("b", 120, "percent", "growth", derivation="a")]
        ).encode()
    )
    shape = answer.as_dict()
    assert list(shape)[:4] == ["identities", "relations", "faults", "units"]
    assert list(shape["units"][0])[:5] == ["line", "id", "found", "expected", "rule"]
    assert shape["identities"][0]["verdict"] == "exact"


def test_a_sentence_in_both_languages():
    fault = proof_of("\n".join([HEADER, row("a", 120, "percent", "share")]).encode()).units[0]
    assert units.sentence(fault) == (
        "Found 120 percent; expected between 0 and 100 percent: a share of a whole lies between 0 and 100 percent."
    )
    with translation.override("zh-hans"):
        assert "百分之" in units.sentence(fault)


def test_a_wide_percent_sign_is_percent():
    assert units.unit_of("％") == units.unit_of("%") == units.unit_of(" Per Cent ") == "percent"
