"""Numbers worded in two languages, and chapter files read and refused."""

from fractions import Fraction
from pathlib import Path

import pytest

from karez.chapter.compose import compose
from karez.chapter.patterns import SHIPPED, pattern_of
from karez.figures.declarations import declarations
from karez.kernel.refusal import Refusal
from karez.wording.numbers import common_scale, figure_words, form_of, number_words

CASES = [
    ("85500000", "10000", "yuan", "85.50 million yuan", "8550万元"),
    ("120639000", "10000", "yuan", "120.64 million yuan", "12064万元"),
    ("797500", "10000", "yuan", "800,000 yuan", "80万元"),
    ("0", "10000", "yuan", "0 yuan", "0元"),
    ("200000", "1", "yuan", "200,000 yuan", "200000元"),
    ("2380400", "1", "persons", "2,380,400 persons", "2380400人"),
    ("10700/351", "0.1", "percent", "30.5 %", "30.5%"),
    ("1", "1", "villages", "1 village", "1个村"),
    ("428", "1", "villages", "428 villages", "428个村"),
    ("21", "1", "counties", "21 county-level units", "21个县（市、区）"),
    ("66400", "1", "km2", "66,400 square kilometres", "66400平方公里"),
    ("-3", "1", "something_else", "-3 something else", "-3something_else"),
]


@pytest.mark.parametrize(("value", "rounding", "unit", "english", "chinese"), CASES)
def test_a_figure_in_words(value: str, rounding: str, unit: str, english: str, chinese: str) -> None:
    assert figure_words(Fraction(value), Fraction(rounding), unit) == english
    assert figure_words(Fraction(value), Fraction(rounding), unit, "zh") == chinese


@pytest.mark.parametrize(
    ("form", "language", "words"),
    [
        ("million:2", "en", "2.38 million persons"),
        ("thousand:0", "en", "2,380 thousand persons"),
        ("wan:0", "zh", "238万人"),
        ("round:1", "en", "2,380,400.0 persons"),
        ("million:2|number", "en", "2.38 million"),
        ("number", "en", "2,380,400"),
        ("wan:1|number", "zh", "238.0万"),
    ],
)
def test_a_sentence_may_ask_for_a_form(form: str, language: str, words: str) -> None:
    asked = form_of(form, language)
    assert asked is not None
    say = number_words if asked.bare else figure_words
    assert say(Fraction(2380400), Fraction(1), "persons", language, asked) == words


@pytest.mark.parametrize("form", ["wan:0", "million", "million:9", "million:2|million:2", "bold", "number|number"])
def test_unknown_forms(form: str) -> None:
    assert form_of(form, "en") is None


def test_the_shipped_chapter_is_without_faults() -> None:
    found = pattern_of(2009, [])
    assert set(found) == {"en", "zh"}
    assert len(found["en"].sections) == len(found["zh"].sections) >= 5
    named = [{s.name for p in part.paragraphs for s in p} - {"", "region", "year"} for part in found["en"].sections]
    assert [
        {s.name for p in part.paragraphs for s in p} - {"", "region", "year"} for part in found["zh"].sections
    ] == named


def test_every_fault_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        'title = "A {year|number}"\nsubtitle = "x"\n[[section]]\ntitle = "S"\ntitle_zh = "节"\n'
        'paragraphs = ["{no.such} and {a.b|wan:0} and {a.b"]\nparagraphs_zh = "not a list"\n'
        '[[table]]\ntitle = "T"\ntitle_zh = "表"\nby = "village"\nfigures = ["a.b", "c.d"]\n',
        encoding="utf-8",
    )
    with pytest.raises(Refusal) as refused:
        pattern_of(2009, ["a.b"], file)
    faults = refused.value.more["faults"]
    for part in (
        "'subtitle'",
        "title_zh is missing",
        "'no.such'",
        "{a.b|wan:0}",
        "brace",
        "paragraphs_zh is missing",
        "'village'",
        "'c.d'",
        "{year|number}",
    ):
        assert any(part in fault for fault in faults), part
    file.write_text("title = ", encoding="utf-8")
    with pytest.raises(Refusal, match=r"own\.toml"):
        pattern_of(2009, ["a.b"], file)


def test_a_region_writes_its_own_chapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAREZ_CHAPTERS", str(tmp_path))
    own = (
        'title = "Ours"\ntitle_zh = "我们的"\n[[section]]\ntitle = "S"\ntitle_zh = "节"\nparagraphs = '
        '["x"]\nparagraphs_zh = ["某"]\n'
    )
    (tmp_path / "chapter.toml").write_text(own, encoding="utf-8")
    assert pattern_of(2009, [])["en"].title == "Ours"
    (tmp_path / "2009.toml").write_text(own.replace("Ours", "Only 2009"), encoding="utf-8")
    assert pattern_of(2009, [])["en"].title == "Only 2009"
    assert pattern_of(2010, [])["en"].title == "Ours"


def test_what_has_no_value_leaves_a_named_gap() -> None:
    def row(name: str, state: str) -> dict[str, object]:
        return {
            "id": name,
            "label": f"label of {name}",
            "label_zh": "标签",
            "unit": "persons",
            "value": None,
            "state": state,
            "as_of": "2009-12-31",
            "kind": "stock",
        }

    rows = [
        row("register.persons", "suppressed"),
        row("register.women", "missing"),
        row("register.children", "not_collected"),
    ]
    english, chinese = (
        compose({"figures": rows}, region="R", year=2009, language=language, pattern=SHIPPED)
        for language in ("en", "zh")
    )
    texts = ["".join(p.text for s in c.sections for ps in s.paragraphs for p in ps) for c in (english, chinese)]
    assert "[label of register.persons: withheld]" in texts[0]
    assert "[label of register.women: no value]" in texts[0]
    assert "[label of register.children: not collected]" in texts[0]
    assert "[overview.area: no value]" in texts[0]
    assert "[标签：不予公布]" in texts[1]
    assert "{" not in texts[0] + texts[1]


def test_every_shipped_figure_has_its_words_in_chinese() -> None:
    for figure in declarations().figures:
        for text in (figure.label_zh, figure.source_zh):
            assert any(ord(c) > 0x2E80 for c in text), figure.id


def test_numbers_of_one_map_are_written_alike() -> None:
    values = [Fraction(370_400), Fraction(10_820_200), Fraction(0)]
    for language, head, words in (
        ("en", "million yuan", ["0.37", "10.82", "0.00"]),
        ("zh", "万元", ["37", "1082", "0"]),
    ):
        form, said = common_scale(values, Fraction(10_000), "yuan", language)
        assert said == head
        assert [number_words(v, Fraction(10_000), "yuan", language, form) for v in values] == words
    assert common_scale([Fraction(428)], Fraction(1), "villages", "en") == (None, "villages")
    assert common_scale([Fraction(9)], Fraction(10_000), "yuan", "en") == (None, "yuan")
