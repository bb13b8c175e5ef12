"""Numbers, days, months and years as people write them, and what each form says: one grammar for files, forms, console
and proofreader.

The patterns are read alike by Python and by DuckDB's RE2, so `intake/typing.py` makes its SQL of them and
`kernel/money.py` and the functions here read single values: a table of cases holds both to the same answers. What can
be read in two ways is read in none, and a Reason says what to write instead. Holds no units (`kernel/units.py`), no
files, no columns.
"""

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from karez.kernel.folding import fold
from karez.kernel.messages import say
from karez.kernel.units import spellings_of


def _(told: str) -> str:
    """Marks a text for the catalogues. Django's own mark would read the settings, and the console parses before there
    are any.
    """
    return told


_GROUPS = "[1-9][0-9]{0,2}(?:,[0-9]{3})"  # commas part thousands, each group whole
_UNITED = (
    rf"(?:[0-9]{{1,15}}|{_GROUPS}{{1,4}})(?:\.[0-9]{{1,8}})?"  # of a thousand or more: decimals are to be expected
)
_MOST_STORED = 2**63 - 1
_THOUSAND = 1000


@dataclass(frozen=True)
class Form:
    """How a number of a kind is written in digits, and how many decimals its value may have."""

    digits: str
    decimals: int
    money: bool = False

    def with_worth(self, worth: Fraction) -> str:
        """The digits of a number in a unit of that worth; of 12.345 in ten thousands three decimals are plain."""
        return _UNITED if worth >= _THOUSAND else self.digits if worth == 1 else rf"(?:{self.digits})"


WHOLE = Form(rf"(?:[0-9]{{1,18}}|{_GROUPS}{{1,5}})(?:\.(?:0{{1,2}}|0{{4,}}))?", 0)
YUAN = Form(rf"(?:[0-9]{{1,15}}|{_GROUPS}{{1,4}})(?:\.(?:[0-9]{{1,2}}|[0-9]{{2}}0{{2,}}))?", 2, money=True)
_ANY_WHOLE = rf"(?:[0-9]{{1,18}}|{_GROUPS}{{1,5}})"
# Three decimals after one to three digits might be thousands; after a nought, four digits or a comma they cannot.
_PLAIN_THREE = rf"(?:0|[0-9]{{4,18}}|{_GROUPS}{{1,5}})\.[0-9]{{3}}"


def decimal(decimals: int | None = None) -> Form:
    """A number with at most so many decimals (ten where none is declared), not counting noughts at its end."""
    most = 10 if decimals is None else decimals
    if most >= 4:
        parts = rf"{_ANY_WHOLE}(?:\.(?:[0-9]{{1,2}}|[0-9]{{4,{most}}}))?|{_PLAIN_THREE}"
    elif most == 3:
        parts = rf"{_ANY_WHOLE}(?:\.(?:[0-9]{{1,3}}|[0-9]{{3}}0+))?"
    else:
        parts = rf"{_ANY_WHOLE}(?:\.(?:[0-9]{{1,{most}}}|[0-9]{{{most}}}0{{{4 - most},}}))?" if most else WHOLE.digits
    return Form(f"(?:{parts})", most)


def sign_pattern(form: Form) -> str:
    """What may stand before the digits: a sign, of money also the sign or code of the currency on either side of it."""
    return r"(?:(?:¥|cny|rmb|人民币) *[+-]?|[+-]?(?:¥|cny|rmb)? *)" if form.money else "[+-]?"


def unit_words(base: str) -> dict[str, Fraction]:
    """What may stand behind a number of a base unit, by its spelling (folded, small letters), with its worth in the
    base.
    """
    return {word: worth for word, worth in spellings_of(base).items() if not word[0].isdigit()}


def read_number(text: str, form: Form, *, unit: str = "", times: Fraction = Fraction(1)) -> Fraction | None:
    """The number of a cell in `unit`, exactly; None where it cannot be read. `times` is the worth of the unit its
    heading names.
    """
    plain = fold(text).strip().lower()
    sign = sign_pattern(form)
    if re.fullmatch(sign + f"(?:{form.with_worth(times)})", plain):
        return _exact(plain, form, times)
    found = re.fullmatch(rf"{sign}(?P<digits>[0-9][0-9,.]*) *(?P<unit>[^0-9 ,.+-].*)", plain)
    worth = unit_words(unit).get(found["unit"]) if found else None
    if found is None or worth is None or not re.fullmatch(f"(?:{form.with_worth(worth)})", found["digits"]):
        return None
    if times != 1 and worth != 1 and found["unit"] in unit_words("number"):
        return None  # 5万 beneath 万元: ten thousand times or a hundred million
    return _exact(plain[: found.start("unit")], form, worth)


def _exact(text: str, form: Form, worth: Fraction) -> Fraction | None:
    digits = re.sub("[^0-9.]", "", text)
    value = Fraction(digits) * worth * (-1 if "-" in text else 1)
    scaled = value * 10**form.decimals
    return value if scaled.denominator == 1 and (form.decimals > 2 or abs(scaled) <= _MOST_STORED) else None


def read_whole(text: str) -> int | None:
    """A whole number as people write it; None where it cannot be read."""
    value = read_number(text, WHOLE)
    return None if value is None else int(value)


# Days.

_MIDNIGHT = r"(?:[ t]+0{1,2}:00(?::00(?:\.0+)?)?(?:z|[+-][0-9]{2}:?[0-9]{2})?| *上午 *12:00(?::00)?| 12:00(?::00)? am)"
# Each with the pattern and the way its parts are found; the first ones are what files mostly hold.
DAYS = {
    "iso": r"[12][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}",
    "slash": r"[12][0-9]{3}/[0-9]{1,2}/[0-9]{1,2}",
    "digits": r"[12][0-9]{7}",
    "chinese": r"[12][0-9]{3}年[0-9]{1,2}月[0-9]{1,2}[日号]",
    "midnight": rf"[12][0-9]{{3}}(?:-[0-9]{{1,2}}-|/[0-9]{{1,2}}/|\.[0-9]{{1,2}}\.)[0-9]{{1,2}}{_MIDNIGHT}?",
}
MONTHS = {
    "iso": r"[12][0-9]{3}-[0-9]{1,2}",
    "slash": r"[12][0-9]{3}/[0-9]{1,2}",
    "digits": r"[12][0-9]{5}",
    "chinese": r"[12][0-9]{3}年[0-9]{1,2}月份?",
}
YEAR = r"[12][0-9]{3}(?:年度?|\.0{1,2})?"


def read_day(text: str) -> date | None:
    """The day of a cell or field; None where it cannot be read. Midnight is a day, another time of day is none."""
    plain = fold(text).strip().lower()
    if not any(re.fullmatch(pattern, plain) for pattern in DAYS.values()):
        return None
    if re.fullmatch(DAYS["digits"], plain):
        return _day(plain[:4], plain[4:6], plain[6:])
    return _day(*re.findall("[0-9]+", plain)[:3])


def read_month(text: str) -> date | None:
    """The first day of the month of a cell, which may name a day of it; None where it cannot be read."""
    plain = fold(text).strip().lower()
    if day := read_day(plain):
        return day.replace(day=1)
    if not any(re.fullmatch(pattern, plain) for pattern in MONTHS.values()):
        return None
    if re.fullmatch(MONTHS["digits"], plain):
        return _day(plain[:4], plain[4:], "1")
    year, month = re.findall("[0-9]+", plain)
    return _day(year, month, "1")


def read_year(text: str) -> int | None:
    """The year of a cell; None where it cannot be read."""
    plain = fold(text).strip().lower()
    return int(plain[:4]) if re.fullmatch(YEAR, plain) else None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


# Why something cannot be read.


@dataclass(frozen=True)
class Reason:
    """A form that cannot be read (whole cell, folded, small letters), what is expected instead and what to do."""

    pattern: str
    expected: str
    todo: str = ""


_BELOW_ZERO = say("a number below zero with a minus sign in front, such as -100")
NUMBER_REASONS = (
    Reason(
        r"(?:¥|[+-])*[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?|(?:¥|[+-])*[1-9][0-9,]*\.[0-9]{3}(?:[^0-9].*)?",
        say("a number that can be read in one way only"),
        say("a point and three digits may part thousands or decimals: write 1080 for the one, 1.0800 for the other"),
    ),
    Reason(
        r"(?:¥|[+-])*[0-9]+(?:,[0-9]*)+(?:\.[0-9]+)?",
        say("a comma between thousands only, such as 1,200.50"),
        say("write decimals after a point"),
    ),
    Reason(
        r"(?:¥|[+-])*[0-9]+(?:[ '’`_][0-9]+)+(?:[.,][0-9]+)?",
        say("digits without blanks or apostrophes between them"),
        say("write 1080 or 1,080"),
    ),
    Reason(
        r"[+-]?[0-9.]+e[+-]?[0-9]+",
        say("a number with all its digits"),
        say("a spreadsheet shortened it: widen the column or format it as a number, and save again"),
    ),
    Reason(r"[(].*[0-9].*[)]|[0-9.,]+ *[-]", _BELOW_ZERO, say("write the minus sign in front")),
    Reason(
        r"[-—–―_/\\.·*?]+|无|没有|none|nil|n/?a|#n/a|null|nan|[+-]?inf(?:inity)?",
        say("a number, or an empty cell where there is none"),
        say("leave the cell empty where there is nothing"),
    ),
    Reason(r".*[零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖].*", say("a number in the digits 0 to 9")),
)
DAY_REASONS = (
    Reason(
        r"[12][0-9]{3}[-/.][0-9]{1,2}[-/.][0-9]{1,2}[ t]+.*[0-9]:[0-9]{2}.*",
        say("a day without a time of day"),
        say("leave the time away; only midnight, as spreadsheets add it, is read as the day"),
    ),
    Reason(
        r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}",
        say("a day with its year first, such as 2009-03-31"),
        say("which number is the month cannot be told: write year, month and day"),
    ),
    Reason(
        r"[1-6][0-9]{4}(?:\.[0-9]+)?",
        say("a day such as 2009-03-31, not a spreadsheet's number of it"),
        say("format the column as a day and save again"),
    ),
    Reason(r"[0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}月[0-9]{1,2}[日号]", say("a day with its year, such as 2009-03-31")),
    Reason(r".*[零〇一二三四五六七八九十].*", say("a day in the digits 0 to 9, such as 2009-03-31")),
)


def reason_for(text: str, reasons: tuple[Reason, ...]) -> Reason | None:
    """The first reason that fits what could not be read."""
    plain = fold(text).strip().lower()
    return next((reason for reason in reasons if re.fullmatch(reason.pattern, plain)), None)
