"""Units as offices write them beside a number or in a heading, each with its worth in the one unit records are kept in.

Declared once for files, forms and the proofreader. A unit is converted only where its worth is fixed: a month is no
number of days, and no foreign money is worth a fixed number of yuan. Holds no numbers and no headings of sheets.
"""

from dataclasses import dataclass
from fractions import Fraction

from karez.kernel.folding import fold

NO_UNIT = "number"  # what a multiplier alone (万) multiplies
COUNTED = ("", "things", "persons", "households", "villages", "counties")
_MOST = 10**9


@dataclass(frozen=True)
class Unit:
    """A unit of measure: `worth` is how many of `base` one of it is."""

    base: str
    worth: Fraction = Fraction(1)

    @property
    def is_plain(self) -> bool:
        """Whether a number in it is a number in its base."""
        return self.worth == 1


# Base units by every spelling of them; a word of the table below may stand before each.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "yuan": (
        "元",
        "圆",
        "块",
        "块钱",
        "元人民币",
        "人民币",
        "人民币元",
        "yuan",
        "cny",
        "rmb",
        "renminbi",
        "¥",
        "元整",
        "元/cny",
    ),
    "persons": (
        "人",
        "名",
        "口",
        "人口",
        "个人",
        "person",
        "persons",
        "people",
        "head",
        "heads",
        "capita",
        "persons(人)",
    ),
    "person_times": ("人次", "person-time", "person-times", "person times", "person_time", "attendance", "attendances"),
    "households": ("户", "农户", "家庭", "household", "households"),
    "villages": ("村", "个村", "village", "villages"),
    "counties": ("县", "个县", "county", "counties"),
    "things": ("个", "笔", "项", "期", "次", "家", "只", "头", "条", "件", "座", "台", "套", "所", "times", "loans"),
    "days": ("天", "日", "day", "days"),
    "weeks": ("周", "星期", "个星期", "week", "weeks"),
    "months": ("月", "个月", "月份", "month", "months"),
    "quarters": ("季", "季度", "个季度", "quarter", "quarters"),
    "years": ("年", "周年", "岁", "year", "years"),
    "percent": ("%", "百分比", "百分之", "percent", "per cent", "pct"),
    "percentage_points": ("百分点", "个百分点", "percentage point", "percentage points", "pp"),
    "mu": ("亩", "mu"),
    "square_metres": (
        "平方米",
        "平米",
        "㎡",
        "m²",
        "m2",
        "square metre",
        "square metres",
        "square meter",
        "square meters",
    ),
    "metres": ("米", "metre", "metres", "meter", "meters"),
    "kilograms": ("公斤", "千克", "kg", "kilogram", "kilograms"),
}
# What one of them is worth in a base; their spellings, a word of the table below before each as well.
_MADE_OF: dict[str, tuple[str, Fraction, tuple[str, ...]]] = {
    "jiao": ("yuan", Fraction(1, 10), ("角", "毛", "jiao")),
    "fen": ("yuan", Fraction(1, 100), ("分", "fen")),
    "permille": ("percent", Fraction(1, 10), ("‰", "千分比", "千分之", "permille", "per mille", "per mil")),
    "per ten thousand": ("percent", Fraction(1, 100), ("‱", "万分比", "万分之", "bp", "bps", "基点", "个基点")),
    "cheng": ("percent", Fraction(10), ("成",)),
    "hectares": ("mu", Fraction(15), ("公顷", "ha", "hectare", "hectares")),
    "square_kilometres": (
        "mu",
        Fraction(1500),
        (
            "平方公里",
            "平方千米",
            "km²",
            "km2",
            "square kilometre",
            "square kilometres",
            "square kilometer",
            "square kilometers",
            "sq km",
            "sq_km",
        ),
    ),
    "jin": ("kilograms", Fraction(1, 2), ("斤", "市斤", "jin")),
    "tonnes": ("kilograms", Fraction(1000), ("吨", "tonne", "tonnes", "ton", "tons")),
    "kilometres": (
        "metres",
        Fraction(1000),
        ("公里", "千米", "km", "kilometre", "kilometres", "kilometer", "kilometers"),
    ),
}
# Money of elsewhere: never converted, so it has no worth here.
_FOREIGN = (
    "美元",
    "美金",
    "usd",
    "us$",
    "$",
    "dollar",
    "dollars",
    "us dollar",
    "us dollars",
    "欧元",
    "eur",
    "€",
    "euro",
    "euros",
    "英镑",
    "gbp",
    "£",
    "pound",
    "pounds",
    "日元",
    "日圆",
    "jpy",
    "港元",
    "港币",
    "hkd",
    "hk$",
    "台币",
    "新台币",
    "twd",
    "nt$",
    "澳门元",
    "mop",
    "澳元",
    "aud",
    "加元",
    "cad",
    "新加坡元",
    "sgd",
    "韩元",
    "krw",
    "₩",
    "卢布",
    "俄罗斯卢布",
    "rub",
    "₽",
    "卢比",
    "inr",
    "₹",
    "瑞士法郎",
    "chf",
    "坚戈",
    "kzt",
    "₸",
    "外币",
    "泰铢",
    "thb",
    "特别提款权",
    "sdr",
)
_MULTIPLIERS = {
    "十": 10,
    "百": 100,
    "佰": 100,
    "千": 1000,
    "仟": 1000,
    "万": 10**4,
    "萬": 10**4,
    "十万": 10**5,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "億": 10**8,
    "十亿": 10**9,
    "百亿": 10**10,
    "ten": 10,
    "hundred": 100,
    "thousand": 1000,
    "ten thousand": 10**4,
    "hundred thousand": 10**5,
    "million": 10**6,
    "hundred million": 10**8,
    "billion": 10**9,
    "10": 10,
    "100": 100,
    "1000": 1000,
    "1,000": 1000,
    "10000": 10**4,
    "10,000": 10**4,
    "10k": 10**4,
    "100000": 10**5,
    "100,000": 10**5,
    "1000000": 10**6,
    "1,000,000": 10**6,
    "100000000": 10**8,
    "100,000,000": 10**8,
    "k": 1000,
    "wan": 10**4,
    "yi": 10**8,
    "mn": 10**6,
}


def _all() -> dict[str, Unit]:
    """Every spelling, folded and without blanks, and what it means."""
    plain = {word: Unit(base) for base, words in _SPELLINGS.items() for word in (*words, base)}
    plain |= {word: Unit(base, worth) for name, (base, worth, words) in _MADE_OF.items() for word in (*words, name)}
    plain |= {word: Unit("foreign money") for word in _FOREIGN}
    # A count of 个月 is of months, and a multiplier before a calendar unit is none: 十月 is October.
    multiplied = {
        many + word: Unit(unit.base, unit.worth * times)
        for word, unit in plain.items()
        for many, times in _MULTIPLIERS.items()
        if unit.base not in ("months", "years", "days", "weeks", "quarters", "percent", "percentage_points")
    }
    alone = {many: Unit(NO_UNIT, Fraction(times)) for many, times in _MULTIPLIERS.items() if not many[0].isdigit()}
    found = (
        alone | multiplied | plain
    )  # 千米 is a kilometre and 人次 an attendance before they are anything put together
    return {key(word): unit for word, unit in found.items()}


def key(text: str) -> str:
    """What two spellings of a unit share: width, case, blanks and underscores aside."""
    return "".join(fold(text).casefold().replace("_", " ").split())


UNITS = _all()
PERCENT = Unit("percent")
_NAMES = {(unit.base, unit.worth): unit.base if unit.is_plain else word for word, unit in reversed(UNITS.items())}


def unit_named(text: str) -> Unit | None:
    """The unit of that spelling; None where none is known."""
    return UNITS.get(key(text))


def one_name_of(text: str) -> str:
    """The one name of a unit, whatever its spelling; "" where it is unknown, or not one thing (foreign money, pieces, a
    multiplier alone).
    """
    unit = unit_named(text)
    return "" if unit is None or unit.base in ("foreign money", "things", NO_UNIT) else _NAMES[unit.base, unit.worth]


def spellings_of(base: str) -> dict[str, Fraction]:
    """Every spelling, folded and without blanks, of what can be turned into a base exactly, with its worth; multipliers
    alone too.
    """
    return {word: worth for word, unit in UNITS.items() if (worth := worth_in(unit, base)) is not None}


def worth_in(unit: Unit, base: str) -> Fraction | None:
    """What one of a unit is worth in a base; None where it cannot be said exactly. What is counted may be counted in
    pieces (个).
    """
    fits = unit.base in (base, NO_UNIT) or (unit.base == "things" and base in COUNTED)
    return unit.worth if fits and unit.worth <= _MOST and (unit.worth * 10**4).denominator == 1 else None
