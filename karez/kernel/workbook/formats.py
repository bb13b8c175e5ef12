"""How a number reads in its cell: what its number format adds (percent, currency, words, leading zeros), days, months
and times.

A cell is read as it is shown, but with every digit it holds: 0.01 shown as 1% is `1%`, 12 shown as 0012 is `0012`, 5
shown as 5万元 is `5万元`; what a column takes is the column's affair. Rounding, grouping and colours are left away. Where
the shown number is another one (thousands cut off, nothing shown at all), the text is a mark that tells both. Holds no
reading of files.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from karez.kernel.workbook.marks import SHOWN

_YMD, _MD, _YM, _MDY = "yyyy-m-d", "m-d", "yyyy-m", "m-d-yy"
BUILT_IN = {
    9: "0%",
    10: "0.00%",
    67: "0%",
    68: "0.00%",
    14: _MDY,
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "m/d/yy h:mm",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mmss.0",
    49: "@",
    # Those of East Asia: a workbook names them by number alone.
    27: _YM,
    28: _MD,
    29: _MD,
    30: _MDY,
    31: _YMD,
    32: "h:mm",
    33: "h:mm:ss",
    34: "h:mm",
    35: "h:mm:ss",
    36: _YM,
    50: _YM,
    51: _MD,
    52: _YM,
    53: _MD,
    54: _MD,
    55: "h:mm",
    56: "h:mm:ss",
    57: _YM,
    58: _MD,
    71: _YMD,
    72: "d-mmm-yy",
    73: "d-mmm",
    74: "mmm-yy",
    75: "h:mm",
    76: "h:mm:ss",
    77: "m/d/yy h:mm",
    78: "mm:ss",
    79: "[h]:mm:ss",
    80: "mm:ss",
    81: _MDY,
}
LONGEST = 1_000  # characters of a format; spreadsheets allow 255
_SPACES = " \u00a0\u3000"
_NOT_WORDS = "()+-" + _SPACES  # around a number they are how it is set, not what it says
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b, "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b, ">": lambda a, b: a > b, "=": lambda a, b: a == b,
}  # fmt: skip


@dataclass(slots=True)
class Section:
    """One of the up to four parts of a format: for numbers above, below and at nought, and for texts."""

    before: str = ""
    after: str = ""
    zeros: int = 0  # digits shown at least
    percent: int = 0
    digits: bool = False
    general: bool = False
    text: bool = False
    another: bool = False  # the number shown is not the one held
    parts: set[str] = field(default_factory=set)  # of y, m, d, h: a day or a time; w: its day of the week
    condition: tuple[Callable[[float, float], bool], float] | None = None


@dataclass(slots=True)
class Format:
    """A number format, taken apart."""

    sections: list[Section]

    @property
    def plain(self) -> bool:
        """Whether a number reads as it is held."""
        return all(
            (s.general or s.digits or s.text)
            and not (s.before or s.after or s.zeros > 1 or s.percent or s.another or s.parts)
            for s in self.sections[:3]
        )

    @property
    def leaves_words(self) -> bool:
        """Whether a text reads as it is held."""
        return all(s.text and not (s.before or s.after) for s in self.sections[3:]) and not any(
            s.text and (s.before or s.after) for s in self.sections[:3]
        )

    def number(self, value: float, raw: str, *, from_1904: bool) -> tuple[str, bool]:
        """What a cell with that number says, and whether it is a day whose year is not shown."""
        section = self._of(value)
        if section is None:
            return f"{SHOWN} {raw}", False
        if section.parts:
            return _moment(section.parts, value, raw, from_1904=from_1904)
        if not (section.digits or section.general or section.text):
            return _words_only(section, value, raw), False
        if section.another and value:
            return f"{SHOWN} {raw}", False
        if section.percent:
            raw = _shifted(raw, 2 * section.percent)
        sign, raw = ("-", raw[1:]) if raw.startswith("-") else ("", raw)
        if section.zeros > 1:
            whole, point, rest = raw.partition(".")
            raw = whole.zfill(section.zeros) + point + rest
        if not (section.before or section.after):
            return sign + raw + "%" * section.percent, False
        return f"{section.before}{sign}{raw}{'%' * section.percent}{section.after}", False

    def words(self, text: str) -> str:
        """What a cell with that text says."""
        section = self.sections[3] if len(self.sections) > 3 else next((s for s in self.sections if s.text), None)
        if section is None or not text:
            return text
        if not section.text:
            return section.before or f"{SHOWN} {text}"
        return f"{section.before}{text}{section.after}"

    def _of(self, value: float) -> Section | None:
        numbers = self.sections[:3]
        if any(s.condition for s in numbers):
            for section in numbers:
                if section.condition is None or section.condition[0](value, section.condition[1]):
                    return section
            return None
        place = 0 if value > 0 or len(numbers) == 1 else 1 if value < 0 else 2
        return numbers[place] if place < len(numbers) else numbers[0]


def plain_number(raw: str) -> str:
    """A number in plain digits, fifteen of them, which is what a spreadsheet keeps; longer ones with an exponent, so
    that nobody takes the noughts for digits. Raises ValueError where there is no number.
    """
    if raw.isascii() and raw.isdigit() and len(raw) <= 15:
        return raw if raw[0] != "0" else str(int(raw))
    if len(raw) > 400 or not raw.isascii() or not raw.strip("0123456789+-.eE") == "":
        raise ValueError(raw[:40])
    value = float(raw)
    size = abs(value)
    if size < 1e15:
        if value == int(value):
            return str(int(value))
        short = format(value, ".15g")
        return short if "e" not in short or size < 1e-12 else format(Decimal(short), "f")
    return format(value, ".15g")


def format_of(code: str) -> Format:
    """The format taken apart; a code that cannot be one is taken as it begins."""
    if not code.strip():
        return Format([Section(general=True)])
    sections = [_section(tokens) for tokens in _split(code[:LONGEST])[:4]]
    for place, section in enumerate(sections):
        section.before, section.after = (_said(words, sign=place > 0) for words in (section.before, section.after))
    return Format(sections)


def _split(code: str) -> list[list[tuple[str, str]]]:
    """Tokens by section: ("word", text) of what is shown as it stands, ("[", text) of what stands in brackets, ("", one
    character).
    """
    sections: list[list[tuple[str, str]]] = [[]]
    place = 0
    while place < len(code):
        mark = code[place]
        here = sections[-1]
        if mark == ";":
            sections.append([])
        elif mark in '"[':
            ends = code.find('"' if mark == '"' else "]", place + 1)
            ends = len(code) if ends < 0 else ends
            here.append(("word" if mark == '"' else "[", code[place + 1 : ends]))
            place = ends
        elif mark in "\\!":
            here.append(("word", code[place + 1 : place + 2]))
            place += 1
        elif mark in "_*":  # a gap as wide as the next character, or filled with it
            place += 1
        else:
            here.append(("", mark))
        place += 1
    return sections


def _section(tokens: list[tuple[str, str]]) -> Section:
    made = Section()
    tokens = _brackets(tokens, made)
    bare = "".join(text for kind, text in tokens if not kind).lower()
    for general in ("general", "g/通用格式", "通用格式"):
        if general in bare:
            return _general(tokens, made, general)
    if "@" in bare:
        made.text = True
    elif any(mark in bare.replace("e+", "").replace("e-", "") for mark in "ymdhsaeg") or made.parts:
        made.parts |= _shown_parts(tokens)
        return made
    return _digits(tokens, made)


def _brackets(tokens: list[tuple[str, str]], made: Section) -> list[tuple[str, str]]:
    """What stands in brackets: a currency, a condition, hours beyond a day; colours and languages say nothing."""
    rest = []
    for kind, text in tokens:
        if kind != "[":
            rest.append((kind, text))
        elif text.startswith("$"):
            rest.append(("word", text[1:].rpartition("-")[0] if "-" in text else text[1:]))
        elif text[:1] in tuple("<>="):
            sign = text[:2] if text[:2] in _OPERATORS else text[:1]
            with suppress(ValueError):
                made.condition = (_OPERATORS[sign], float(text[len(sign) :][:40]))
        elif text and set(text.lower()) <= set("hms"):
            made.parts.add("span")
    return rest


def _general(tokens: list[tuple[str, str]], made: Section, word: str) -> Section:
    """`General` with words around it."""
    made.general = True
    place = "before"
    seen = 0
    for kind, text in tokens:
        if kind == "word":
            setattr(made, place, getattr(made, place) + text)
        elif seen < len(word):
            seen, place = seen + 1, "after" if seen + 1 >= len(word) else place
    return made


def _digits(tokens: list[tuple[str, str]], made: Section) -> Section:
    """Places of digits, percent, scaling commas, and the words before, between and after."""
    whole, places, between, commas, before_point = True, 0, "", 0, 0
    for kind, text in tokens:
        if kind == "word" or (not kind and text not in "0#?.,%@/eE+-"):
            if not (places or made.text):
                made.before += text
            else:
                made.after += text
        elif text == "@":
            made.text = True
        elif text in "0#?":
            made.digits = True
            between, made.after = between + made.after, ""
            places, commas = places + 1, 0
            if text == "0" and whole:
                before_point += 1
        elif text == ".":
            whole = False
        elif text == ",":
            commas += bool(places)
        elif text == "%":
            made.percent += 1
        elif text in "eE/":  # an exponent or a fraction: the same number
            whole = whole and text == "/"
            if text == "/":
                before_point = 0
        elif text in "+-" and not places:
            continue
    if between.strip(_NOT_WORDS) or commas:
        made.another = True
    made.zeros = before_point if not made.another else 0
    return made


def _said(words: str, *, sign: bool) -> str:
    """Words a format adds, without gaps; signs and brackets alone say nothing, and below nought they are the sign of
    the number.
    """
    bare = words.strip(_NOT_WORDS)
    return (bare if sign or not bare else words.strip(_SPACES)).replace("￥", "¥")


def _shown_parts(tokens: list[tuple[str, str]]) -> set[str]:
    """Which of year, month, day and time a format shows. `m` is minutes beside hours or seconds, else months."""
    runs: list[str] = []
    previous = ""
    # A word ends a run; AM/PM is a time, and no month.
    for mark in (
        "".join("." if kind else text.lower() for kind, text in tokens).replace("am/pm", "h").replace("a/p", "h")
    ):
        if mark in "ymdhsaeg":
            if mark == previous:
                runs[-1] += mark
            else:
                runs.append(mark)
        previous = mark
    parts = set()
    for n, run in enumerate(runs):
        if run[0] == "m":
            minutes = (n and runs[n - 1][0] == "h") or (n + 1 < len(runs) and runs[n + 1][0] == "s")
            parts.add("h" if minutes else "m")
        elif run[0] == "d":
            parts.add("d" if len(run) < 3 else "w")
        elif run[0] == "a":
            parts.add("w" if len(run) > 2 else "h")  # aaaa is a day of the week
        else:
            parts.add({"y": "y", "e": "y", "h": "h", "s": "h"}.get(run[0], ""))
    return parts - {""} or {"h"}


def _moment(parts: set[str], value: float, raw: str, *, from_1904: bool) -> tuple[str, bool]:
    """A day, month, year or time as far as its format shows it."""
    if not 0 <= value < 2_958_466:
        return "########", False
    days, seconds = divmod(round(value * 86_400), 86_400)
    clock = str(timedelta(seconds=seconds)).rjust(8, "0")
    if "span" in parts or not parts & {"y", "m", "d", "w"}:
        if "span" in parts or days:
            return f"{days * 24 + seconds // 3600}:{clock[3:]}", False
        return clock, False
    day = _day(days, from_1904=from_1904)
    if {"m", "d"} <= parts:
        return (f"{day} {clock}" if "h" in parts and seconds else day), "y" not in parts
    if "y" in parts and "d" not in parts:
        return (day[:7] if "m" in parts else day[:4]), False
    return f"{SHOWN} {day}", False


def _day(serial: int, *, from_1904: bool) -> str:
    if from_1904:
        return (date(1904, 1, 1) + timedelta(days=serial)).isoformat() if serial < 2_957_004 else "########"
    if serial > 60:
        return (date(1899, 12, 30) + timedelta(days=serial)).isoformat()
    if serial in (0, 60):  # shown by spreadsheets, and no day
        return "1900-01-00" if not serial else "1900-02-29"
    return (date(1899, 12, 31) + timedelta(days=serial)).isoformat()


def _words_only(section: Section, value: float, raw: str) -> str:
    """A section without a place for digits shows its words whatever the number is."""
    if section.before or section.after:
        return section.before + section.after
    return raw if not value else f"{SHOWN} {raw}"


def _shifted(raw: str, places: int) -> str:
    moved = format(Decimal(raw).scaleb(places), "f")
    return moved.rstrip("0").rstrip(".") if "." in moved else moved
