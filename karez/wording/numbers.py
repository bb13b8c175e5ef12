"""How a computed figure is worded in print: its number at its declared rounding, with its unit, per language. Holds no
figures and no sentences.

English groups digits and speaks of millions (85.50 million yuan); Chinese does not group and speaks of ten thousands
(8550万元). A sentence may ask for another scale: `million:2` prints millions with two decimals, `number` leaves the unit
out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import get_language, override

from karez.funds import words as funds
from karez.kernel.printed import decimals, digits
from karez.kernel.rooms import declared

ENGLISH, CHINESE = "en", "zh"
LANGUAGES = (ENGLISH, CHINESE)
TAG = {ENGLISH: "en", CHINESE: "zh-Hans"}
_MILLION, _WAN = 1_000_000, 10_000
_ONE = re.compile(r"-?1(\.0+)?")
_FORM = re.compile(r"([a-z]+):([0-4])")

# language -> name of a scale in a sentence -> (worth, word after the number)
SCALES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    ENGLISH: {
        "round": (1, ""),
        "thousand": (1000, " thousand"),
        "million": (_MILLION, " million"),
        "billion": (10**9, " billion"),
    },
    CHINESE: {"round": (1, ""), "wan": (_WAN, "万"), "yi": (10**8, "亿")},
}


@dataclass(frozen=True)
class Form:
    """How a sentence wants its number: at a scale with so many decimals, or as declared (`worth` 0); with its unit or
    bare.
    """

    worth: int = 0
    word: str = ""
    places: int = 0
    bare: bool = False


def readers_language() -> str:
    """The language of the page that is being made."""
    return CHINESE if (get_language() or "").startswith("zh") else ENGLISH


def form_of(text: str, language: str) -> Form | None:
    """The form a sentence names after the figure's id (`number`, `million:2`, `million:2|number`); None if there is no
    such form.
    """
    form = Form()
    for part in text.split("|") if text else ():
        found = _FORM.fullmatch(part)
        if part == "number" and not form.bare:
            form = Form(form.worth, form.word, form.places, bare=True)
        elif found and found[1] in SCALES[language] and not form.worth:
            form = Form(*SCALES[language][found[1]], int(found[2]), form.bare)
        else:
            return None
    return form


def number_words(
    value: Fraction, rounding: Fraction, unit: str, language: str = ENGLISH, form: Form | None = None
) -> str:
    """The number alone, at its rounding 85.50 (million understood), 2,912, 30.5; a scale that was asked for is named:
    6.25 million.
    """
    number, word = _number(value, rounding, unit, language, form)
    return number + word if form is not None and form.worth else number


def figure_words(
    value: Fraction, rounding: Fraction, unit: str, language: str = ENGLISH, form: Form | None = None
) -> str:
    """The number with its unit as a reader expects it: 85.50 million yuan, 30.5 %, 428 villages; 8550万元, 428个村."""
    number, word = _number(value, rounding, unit, language, form)
    pattern = _UNITS[language].get(unit)
    declared_unit = _declared_unit(unit, language)
    if pattern is None and declared_unit:
        pattern = declared_unit[:2]
    elif pattern is None:
        pattern = ("{} " + unit.replace("_", " "),) if language == ENGLISH else ("{}" + unit,)
    return pattern[0 if not word and _ONE.fullmatch(number) else -1].format(number + word)


def unit_words(unit: str, language: str) -> str:
    """The name of a unit as the head of a column."""
    head = _HEADS[language].get(unit)
    declared_unit = None if head else _declared_unit(unit, language)
    return head or (declared_unit[2] if declared_unit else unit.replace("_", " "))


def _declared_unit(unit: str, language: str) -> tuple[str, str, str] | None:
    """A room's own unit: patterns of one and of several, and the head of a column."""
    for room in declared():
        if found := room.units.get(unit):
            with override(TAG[language].lower()):
                return str(found.one), str(found.several), str(found.head)
    return None


def common_scale(values: Iterable[Fraction], rounding: Fraction, unit: str, language: str) -> tuple[Form | None, str]:
    """How numbers of one map or column are all written, by the largest of them, and their head: million yuan; None as
    declared.
    """
    largest = max((abs(v) for v in values), default=Fraction(0))
    worth, word = _own_scale(largest, rounding, unit, language)
    if worth == 1:
        return None, unit_words(unit, language)
    return Form(
        worth, "", decimals(rounding / worth)
    ), f"{word}{'' if language == CHINESE else ' '}{unit_words(unit, language)}".strip()


def programme_words(code: str, language: str) -> str:
    """What a programme's code stands for; the code itself where nobody has named it."""
    with override(TAG[language].lower()):
        return funds.programme_words(code)


def _number(value: Fraction, rounding: Fraction, unit: str, language: str, form: Form | None) -> tuple[str, str]:
    """Digits, and the word of their scale."""
    if form is not None and form.worth:
        worth, word, step = form.worth, form.word, Fraction(1, 10**form.places)
    else:
        worth, word = _own_scale(value, rounding, unit, language)
        step = rounding / worth
    text = digits(value / worth, step)
    return text if language == ENGLISH else text.replace(",", ""), word


def _own_scale(value: Fraction, rounding: Fraction, unit: str, language: str) -> tuple[int, str]:
    # Only where the digits then shown are the digits declared: 85,500,000 to 10,000 is 85.50 million.
    if unit != "yuan" or rounding < 1000:
        return 1, ""
    if language == CHINESE:
        return (_WAN, "万") if abs(value) >= _WAN else (1, "")
    return (
        (_MILLION, " million") if abs(value) >= _MILLION and decimals(Fraction(rounding) / _MILLION) <= 3 else (1, "")
    )


# unit -> pattern for one, pattern for many
_UNITS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    ENGLISH: {
        "yuan": ("{} yuan",),
        "percent": ("{} %",),
        "km2": ("{} square kilometre", "{} square kilometres"),
        "prefectures": ("{} city of prefecture rank", "{} cities of prefecture rank"),
        "counties": ("{} county-level unit", "{} county-level units"),
        "villages": ("{} village", "{} villages"),
        "households": ("{} household", "{} households"),
        "persons": ("{} person", "{} persons"),
        "years": ("{} year", "{} years"),
        "loans": ("{} loan", "{} loans"),
        "times": ("{} times",),
        "percentage_points": ("{} percentage point", "{} percentage points"),
    },
    CHINESE: {
        "yuan": ("{}元",),
        "percent": ("{}%",),
        "km2": ("{}平方公里",),
        "prefectures": ("{}个地级市",),
        "counties": ("{}个县（市、区）",),
        "villages": ("{}个村",),
        "households": ("{}户",),
        "persons": ("{}人",),
        "years": ("{}年",),
        "loans": ("{}笔",),
        "times": ("{}次",),
        "percentage_points": ("{}个百分点",),
        "apartments": ("{}套",),
        "clinics": ("{}所",),
        "enterprises": ("{}家企业",),
        "houses": ("{}套",),
        "items": ("{}件",),
        "list_items": ("{}项",),
        "mu": ("{}亩",),
        "offices": ("{}处",),
        "ordinal": ("第{}届",),
        "organisations": ("{}个组织",),
        "pages": ("{}版",),
        "person_times": ("{}人次",),
        "projects": ("{}个项目",),
        "rooms": ("{}间",),
        "schools": ("{}所学校",),
        "sessions": ("{}期",),
        "towns": ("{}个乡镇",),
        "units": ("{}个单位",),
    },
}
_HEADS: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {
        "km2": "square kilometres",
        "percent": "%",
        "prefectures": "cities of prefecture rank",
        "counties": "county-level units",
    },
    CHINESE: {
        "yuan": "元",
        "percent": "%",
        "km2": "平方公里",
        "prefectures": "个",
        "counties": "个",
        "villages": "个",
        "households": "户",
        "persons": "人",
        "years": "年",
        "loans": "笔",
        "times": "次",
        "percentage_points": "百分点",
        "apartments": "套",
        "clinics": "所",
        "enterprises": "家",
        "houses": "套",
        "items": "件",
        "list_items": "项",
        "mu": "亩",
        "offices": "处",
        "ordinal": "届次",
        "organisations": "个",
        "pages": "版",
        "person_times": "人次",
        "projects": "个",
        "rooms": "间",
        "schools": "所",
        "sessions": "期",
        "towns": "个",
        "units": "个",
    },
}
