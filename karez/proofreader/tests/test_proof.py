"""The proofreader on the two carried chapters, verdict by verdict, and the shape of its answer."""

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from karez.kernel.printed import Qualifier
from karez.kernel.tests.work import calls
from karez.proofreader.chapter_file import read_chapter
from karez.proofreader.proof import DATA, proof, proof_of, rules_beside

# id | printed | computed | range | verdict
DERIVATIONS = {
    "ningxia": """
        overview.key_counties_income_scope | 8 | 8 | 8 | exact
        mutual_funds.villages_total | 428 | 428 | 428 | exact
        mutual_funds.village_share | 30.500 | 30.484 | 30.484 | pass
        mutual_funds.capital_total | 154460000 | 154460000 | 154450000 .. 154470000 | exact
        whole_village.average_per_village | 1000000 | 1315789.5 | 1313596.5 .. 1317982.5 | bound
        relocation.migrant_households | 1000 | 1000 | 1000 | exact
        training.key_counties_labour_scope | 8 | 8 | 8 | exact
        graduates.key_counties_scope | 8 | 8 | 8 | exact
        whole_village.contiguous_counties_restated | 4 | 4 | 4 | exact
        mutual_funds.new_standard_low | 200000 | 200000 | 200000 | exact
        mutual_funds.new_standard_high | 300000 | 300000 | 300000 | exact
    """,
    "xinjiang": """
        overview.key_counties | 30 | 30 | 30 | exact
        overview.villages_remaining | 938 | 938 | 938 | exact
        funds.total | 2610000000 | 2610000000 | 2604000000 .. 2616000000 | exact
        funds.key_counties_income_scope | 30 | 30 | 30 | exact
        whole_village.villages_2009_restated | 345 | 345 | 345 | exact
        whole_village.villages_cumulative | 2668 | 2668 | 2668 | exact
        whole_village.village_share | 70 | 73.988 | 73.988 | fail
        training.funds | 22000000 | 22000000 | 21000000 .. 23000000 | exact
        training.trained_total | 410000 | 407545 | 401545 .. 413545 | pass_if_rounded
        highland.average_per_household | 182000 | 182278.5 | 181962.0 .. 182594.9 | pass
        two_systems.identified | 203600 | 203600 | 203500 .. 203700 | exact
        two_systems.identified_share | 45.200 | 45.345 | 45.284 .. 45.407 | fail
        two_systems.low_income_share | 68 | 68.026 | 67.984 .. 68.067 | pass
        two_systems.overlap_share | 32 | 31.974 | 31.942 .. 32.007 | pass
        two_systems.identified_restated | 203600 | 203600 | 203550 .. 203650 | exact
        social_support.villages | 3606 | 3606 | 3606 | exact
        contiguous.southern_areas_restated | 3 | 3 | 3 | exact
        training.practical_measures | 428000 | 111000 | 110500 .. 111500 | fail
        training.village_directors_restated | 1000 | 1000 | 500 .. 1500 | exact
        social_support.units_measures | 6432 | 6520 | 6520 | fail
    """,
}

# relation | left | right | verdict
RELATIONS = {
    "ningxia": """
        mutual_funds.funds_2009_lgop <= mutual_funds.funds_2009 | 10495000 .. 10505000 | 85495000 .. 85505000 | holds
        mutual_funds.funds_2009 <= mutual_funds.capital_government | 85495000 .. 85505000 | 105935000 .. 105945000 | holds
        mutual_funds.funds_2009 / mutual_funds.villages_new >= mutual_funds.standard_small | 267171.9 .. 267203.1 | 200000 | holds
        mutual_funds.funds_2009 / mutual_funds.villages_new <= mutual_funds.standard_big | 267171.9 .. 267203.1 | 300000 | holds
        (mutual_funds.capital_government - mutual_funds.funds_2009) / mutual_funds.villages_before >= mutual_funds.old_standard_low | 189166.7 .. 189351.9 | 150000 | holds
        (mutual_funds.capital_government - mutual_funds.funds_2009) / mutual_funds.villages_before <= mutual_funds.old_standard_high | 189166.7 .. 189351.9 | 200000 | holds
        mutual_funds.villages_total <= mutual_funds.target_villages | 428 | 1404 | holds
        mutual_funds.counties_covered <= overview.county_units | 21 | 22 | holds
        whole_village.funds_departments <= whole_village.funds | 180000000 .. 200000000 | 299500000 .. 300500000 | holds
        whole_village.priority_villages <= mutual_funds.target_villages | 228 | 1404 | holds
        training.students_trained >= training.students_planned | 5687 | 5000 | holds
        graduates.poverty_workers + graduates.village_officers <= graduates.selected | 295 | 1400 .. inf | holds
        relocation.migrant_persons <= relocation.migrant_plan_persons | 4000 .. inf | 200000 | possible
    """,
    "xinjiang": """
        overview.poor_people <= overview.population | 2265000 .. 2275000 | 21308050 .. 21308150 | holds
        whole_village.villages_2009 <= overview.villages_completed | 345 | 2668 | holds
        whole_village.three_guarantee_villages <= whole_village.villages_2009 | 60 | 345 | holds
        training.funds_bases_new <= training.funds_bases | 1500000 .. 2500000 | 4500000 .. 5500000 | holds
        training.funds <= funds.budget | 21500000 .. 22500000 | 649500000 .. 650500000 | holds
        training.funds + mutual_funds.funds_2009 + highland.funds <= funds.budget | 329495000 .. 331505000 | 649500000 .. 650500000 | holds
        training.practical_measures <= training.trained_total | 427500 .. 428500 | 405000 .. 415000 | broken
        training.practical <= training.trained_total | 110500 .. 111500 | 405000 .. 415000 | holds
        industry.lead_enterprises_national <= industry.lead_enterprises | 18 | 128 | holds
        contiguous.key_counties <= overview.key_counties | 10 | 30 | holds
        mutual_funds.counties <= overview.county_units | 19 | 99 | holds
        mutual_funds.villages <= overview.poor_villages | 183 | 3606 | holds
        two_systems.benefit_persons <= two_systems.identified | 195000 .. 205000 | 203550 .. 203650 | possible
        two_systems.benefit_persons <= two_systems.filing_rate * two_systems.identified / 100 | 195000 .. 205000 | 160906.3 .. 161189.0 | broken
        social_support.funds <= funds.social | 418500000 .. 419500000 | 541500000 .. 542500000 | holds
        social_support.funds + ifad.funds == funds.social | 486725000 .. 487735000 | 541500000 .. 542500000 | broken
        two_systems.low_income_share + two_systems.overlap_share == 100 | 99 .. 101 | 100 | possible
    """,
}

CHAPTERS = ("ningxia", "xinjiang")


def table(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


@pytest.fixture(scope="module", params=CHAPTERS)
def proved(request):
    path = DATA / f"{request.param}-2009.csv"
    return request.param, proof(path, rules_beside(path))


def as_written(number: Fraction | None, written: str) -> str:
    """A number in as many decimals as the expected text has."""
    if number is None:
        return "inf"
    decimals = len(written.partition(".")[2])
    scaled = number * 10**decimals
    whole = int(scaled + Fraction(1, 2)) if scaled >= 0 else -int(-scaled + Fraction(1, 2))
    return f"{whole / 10**decimals:.{decimals}f}" if decimals else str(whole)


def assert_range(interval, written: str) -> None:
    low, _, high = (part.strip() for part in written.partition(".."))
    assert as_written(interval.lowest, low) == low
    assert as_written(interval.highest, high or low) == (high or low)


def test_every_derivation_has_the_expected_verdict(proved):
    chapter, result = proved
    expected = table(DERIVATIONS[chapter])
    assert [(i.id, i.verdict.value) for i in result.identities] == [(row[0], row[4]) for row in expected]
    for identity, (_, printed, computed, interval, _) in zip(result.identities, expected, strict=True):
        assert as_written(identity.printed.fraction, printed) == printed
        assert as_written(identity.computed, computed) == computed
        assert_range(identity.range, interval)


def test_every_relation_has_the_expected_verdict(proved):
    chapter, result = proved
    expected = table(RELATIONS[chapter])
    assert [(f"{r.left} {r.sign.value} {r.right}", r.verdict.value) for r in result.relations] == [
        (row[0], row[3]) for row in expected
    ]
    for relation, (_, left, right, _) in zip(result.relations, expected, strict=True):
        assert_range(relation.left_range, left)
        assert_range(relation.right_range, right)


def test_counts_of_both_chapters():
    results = [proof(DATA / f"{name}-2009.csv", DATA / f"{name}-2009.rules.csv") for name in CHAPTERS]
    assert [result.figures for result in results] == [73, 104]
    verdicts = Counter(i.verdict.value for result in results for i in result.identities)
    assert verdicts == {"exact": 21, "pass": 4, "pass_if_rounded": 1, "bound": 1, "fail": 4}
    standings = Counter(r.verdict.value for result in results for r in result.relations)
    assert standings == {"holds": 24, "possible": 3, "broken": 3}
    assert [result.sound for result in results] == [True, False]
    assert all(not result.faults and not result.ignored for result in results)


def test_the_answer_has_the_stable_shape(proved):
    _, result = proved
    answer = json.loads(json.dumps(result.as_dict()))
    assert list(answer)[:3] == ["identities", "relations", "faults"]
    for identity in answer["identities"]:
        keys = ["id", "formula", "printed", "computed", "low", "high", "verdict", "inputs", "would_hold_at"]
        assert list(identity)[:9] == keys
        assert bool(identity["would_hold_at"]) == (identity["verdict"] == "fail")
        assert all(name in identity["formula"] for name in identity["inputs"])
        assert identity["why"].endswith(".")
    for relation in answer["relations"]:
        assert list(relation)[:4] == ["left", "relation", "right", "verdict"]


def would_hold(name: str) -> dict[str, tuple[float, float]]:
    result = proof(DATA / "xinjiang-2009.csv").as_dict()
    identity = next(i for i in result["identities"] if i["id"] == name)
    return {key: (ends["low"], ends["high"]) for key, ends in identity["would_hold_at"].items()}


def test_what_would_make_the_failing_shares_hold():
    share = would_hold("two_systems.identified_share")
    assert list(share) == [
        "two_systems.identified_share",
        "two_systems.identified",
        "two_systems.farm_population",
    ]
    assert share["two_systems.farm_population"] == pytest.approx((449834.25, 451052.05), abs=0.01)
    assert share["two_systems.identified_share"] == pytest.approx((45.284, 45.407), abs=0.001)
    base = would_hold("whole_village.village_share")["overview.poor_villages"]
    assert base == pytest.approx((3784.4, 3838.85), abs=0.05)
    assert would_hold("social_support.units_measures") == {
        "social_support.units_measures": (6520, 6520),
        "social_support.units": (6432, 6432),
    }


def test_a_failing_share_is_told_in_a_sentence():
    result = proof(DATA / "xinjiang-2009.csv")
    identity = next(i for i in result.identities if i.id == "whole_village.village_share")
    assert identity.why == (
        "Printed: 70. The inputs give 73.988: not the same. It would hold if the printed figure were 73.988, "
        "or if whole_village.villages_cumulative were between 2,506.2 and 2,542.2, "
        "or if overview.poor_villages were between 3,784.4 and 3,838.8."
    )


def test_the_carried_chapters_are_whole():
    chapters = {name: read_chapter((DATA / f"{name}-2009.csv").read_bytes()) for name in CHAPTERS}
    assert {name: len(chapter.figures) for name, chapter in chapters.items()} == {
        "ningxia": 73,
        "xinjiang": 104,
    }
    assert {name: sum(f.rounding_assumed for f in c.figures) for name, c in chapters.items()} == {
        "ningxia": 4,
        "xinjiang": 19,
    }
    hedges = {"more_than", "nearly", "at_least"}
    counts = {n: sum(f.printed.qualifier.value in hedges for f in c.figures) for n, c in chapters.items()}
    assert counts == {"ningxia": 12, "xinjiang": 3}
    assert all(f.label and f.printed.qualifier in Qualifier for c in chapters.values() for f in c.figures)


def test_rules_are_found_beside_a_chapter_or_among_the_carried(tmp_path: Path):
    copy = tmp_path / "ningxia-2009.csv"
    assert rules_beside(copy) == DATA / "ningxia-2009.rules.csv"
    own = tmp_path / "ningxia-2009.rules.csv"
    own.touch()
    assert rules_beside(copy) == own
    assert rules_beside(tmp_path / "another.csv") is None


def test_rules_that_belong_to_a_chapter_are_used_unless_others_are_given(tmp_path: Path):
    copy = tmp_path / "ningxia-2009.csv"
    copy.write_bytes((DATA / "ningxia-2009.csv").read_bytes())
    assert len(proof(copy).relations) == 13
    own = tmp_path / "own.csv"
    own.write_text("left,relation,right\noverview.key_counties,<,overview.county_units\n")
    assert len(proof(copy, own).relations) == 1
    copy.write_bytes(chapter(row("a", "1")))  # another chapter of the same name
    assert (proof(copy).relations, proof(copy).faults) == ((), ())


HEADER = "id,section,label,value,unit,qualifier,rounding,period,place,kind,programme,derivation"


def chapter(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def row(name: str, value: str, qualifier: str = "exact", rounding: str = "1", derivation: str = "") -> str:
    return f"{name},s,a label,{value},villages,{qualifier},{rounding},2009,64,stock,p,{derivation}"


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (row("t", "30", derivation="a + b"), "exact"),
        (row("t", "31", derivation="a + b"), "fail"),
        (row("t", "30", "more_than", "10", "a + b"), "fail"),  # more than 30 is not 30
        (row("t", "30", "at_least", "10", "a + b"), "exact"),
        (row("t", "20", "more_than", "10", "a + b"), "bound"),
        (row("t", "40", "less_than", "10", "a + b"), "bound"),
        (row("t", "20", "at_most", "10", "a + b"), "fail"),
        (row("t", "32", "nearly", "1", "a + b"), "pass"),
        (row("t", "34", "nearly", "1", "a + b"), "fail"),
        (row("t", "33", "about", "1", "a + b"), "pass"),
        (row("t", "0", "rounded", "1", "a / (b * 100)"), "pass"),
    ],
)
def test_verdicts_by_hedge(result, verdict):
    answer = proof_of(chapter(row("a", "10"), row("b", "20"), result))
    assert [i.verdict.value for i in answer.identities] == [verdict]
    assert answer.faults == ()


def test_a_hedged_figure_printed_again_is_the_same():
    for qualifier in ("more_than", "less_than", "nearly", "rounded", "at_least"):
        answer = proof_of(chapter(row("a", "40000", qualifier, "10000"), row("b", "40000", qualifier, "10000", "a")))
        assert answer.identities[0].verdict.value == "exact"


@pytest.mark.parametrize("mark", ["column", "note", "none"])
def test_assumed_rounding_is_honoured_from_column_and_remark(mark):
    remark = "written out in full; trailing zeros taken as rounding"
    header = HEADER + {"column": ",rounding_assumed", "note": ",note", "none": ""}[mark]
    end = {"column": ",true", "note": f",{remark}", "none": ""}[mark]
    plain = {"column": ",", "note": ",", "none": ""}[mark]
    rows = [row("a", "407545") + plain, row("t", "410000", "rounded", "10000", "a") + end]
    verdict = proof_of(chapter(*rows, header=header)).identities[0].verdict.value
    assert verdict == ("pass" if mark == "none" else "pass_if_rounded")


def test_a_divisor_of_zero_or_around_it_is_a_fault_and_the_rest_is_judged():
    rows = [
        row("zero", "0"),
        row("near", "0", "rounded", "10"),
        row("q", "1", derivation="q2 / zero"),
        row("q2", "1", derivation="q3 / near"),
        row("q3", "1", derivation="zero + 1"),
    ]
    rules = b"left,relation,right\nq / zero,<=,1\nq,<=,1\n"
    answer = proof_of(chapter(*rows), rules)
    assert [(i.id, i.verdict.value) for i in answer.identities] == [("q3", "exact")]
    assert [r.verdict.value for r in answer.relations] == ["holds"]
    assert [(f.file, f.line, f.column) for f in answer.faults] == [
        ("figures", 4, "derivation"),
        ("figures", 5, "derivation"),
        ("rules", 2, "left"),
    ]
    assert all("zero" in f.expected for f in answer.faults)


def test_a_divisor_that_touches_zero_gives_a_range_without_an_end():
    rows = [row("few", "10000", "nearly", "10000"), row("each", "5", "rounded", "1", "40000 / few")]
    identity = proof_of(chapter(*rows)).identities[0]
    assert (identity.range.lowest, identity.range.highest) == (4, None)
    assert identity.verdict.value == "pass"
    assert identity.as_dict()["high"] is None


def test_progress_is_told():
    told: list[tuple[int, int]] = []
    rows = [row("a", "1"), *(row(f"b{n}", "1", derivation="a") for n in range(1200))]
    rules = b"left,relation,right\na,<=,1\n"
    proof_of(chapter(*rows), rules, lambda done, total: told.append((done, total)))
    assert told == [(0, 1201), (500, 1201), (1000, 1201), (1201, 1201)]


def test_the_work_for_identities_grows_with_their_number():
    def work(count: int) -> int:
        rows = [row(f"a{n}", str(n + 1000), "rounded", "10") for n in range(count)]
        rows += [row(f"b{n}", "7", "rounded", "0.1", f"100 * a{n} / (a{n} + a{(n * 7) % count})") for n in range(count)]
        answers = []
        done = calls(lambda: answers.append(proof_of(chapter(*rows)).as_dict()))
        assert len(answers[0]["identities"]) == count
        return done

    small, large = work(300), work(1_500)
    assert large < 6 * small


_BELOW_ZERO = """id,section,label,value,unit,qualifier,rounding,period,place,kind,programme,derivation,part_of
a,s,balance 2008,-200,yuan,exact,1,2008,64,flow,p,,
b,s,balance 2009,100,yuan,exact,1,2009,64,flow,p,,
c,s,total,-50,yuan,exact,1,2009,64,flow,p,,
g,s,growth,-150,percent,rounded,0.1,2009,64,growth,p,100 * (b - a) / a,
h,s,growth in other words,-150,percent,rounded,0.1,2009,64,growth,p,100 * (b / a - 1),
s,s,share,-200,percent,rounded,0.1,2009,64,share,p,100 * b / c,
w,s,wrong as well,20,percent,rounded,0.1,2009,64,growth,p,100 * (b - a) / a,
u,s,growth over what is above zero,-300,percent,rounded,0.1,2009,64,growth,p,100 * (a - b) / b,
"""


def test_a_growth_over_a_base_below_zero_is_remarked():
    found = {one.id: one for one in proof_of(_BELOW_ZERO.encode()).identities}
    growth = "A growth over a base below zero: its sign and size say nothing."
    assert {name: one.remark for name, one in found.items()} == {
        "g": growth,
        "h": growth,
        "s": "A share of a whole below zero: its sign and size say nothing.",
        "w": growth,
        "u": "",
    }
    assert found["g"].verdict.value == "exact" and found["g"].why.endswith(growth)
    assert found["g"].as_dict()["remark"] == growth and found["w"].why.endswith(growth)
