"""What a heading says besides the name of its column: a unit, in brackets of any kind, after a stroke or a colon, or
joined to it.

A unit is never thrown away: it is known, or it is told as one that is not. Words that are no unit (必填, 2009年末) are left
aside. Holds no sheet and no conversion.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from karez.kernel.folding import fold
from karez.kernel.units import Unit, key, unit_named

OPENING, CLOSING = "([{<【〔〖《「『〈", ")]}>】〕〗》」』〉"
LONGEST_HEADING = 200  # characters; a longer one is refused before anything is looked for in it
_LONGEST_UNIT = 60  # characters at the end of a heading in which a unit is looked for
_MOST_BRACKETS = 8
_LEADING = re.compile(
    rf"^\s*[{re.escape(OPENING)}]([^{re.escape(OPENING + CLOSING)}]*)[{re.escape(CLOSING)}]\s*(.+)$", re.DOTALL
)
_PARTED = re.compile(r"[/:,，、;|\n]|\bin\b|_| |单位|-")
_BEFORE = re.compile(r"^\s*(?:金额|计量|货币)?(?:单位|币种|units?|in|以|按)\s*(?:为|是)?\s*[:=]?\s*", re.IGNORECASE)
_YUAN_FIRST = re.compile(r"^(?:人民币|rmb|cny) *(?=[^ ]*(?:元|yuan))", re.IGNORECASE)
_AFTER = re.compile(r"(?:为单位|计算|计)\s*$")
_BETWEEN = re.compile(r"[,，、;:\s]+|\band\b|\bor\b|和|及|或")
# What only a unit is written with: where it stands in words nobody knows, the words may be a unit too.
_LIKE_A_UNIT = re.compile(
    r"[万萬亿億千仟佰](?=$|\W|[万萬亿億元圆块美欧日英港台外本人户农村县个亩斤吨公平米])|(?<![单多公纪状])元(?!\w)|[$€£₩₽₹₸]|%|‰|‱|(?:美|欧|外|港|台|本)币|英镑|法郎|卢布|卢比"
    r"|\b(?:thousands?|millions?|billions?|hundreds?|dollars?|euros?)\b",
    re.IGNORECASE,
)
# ISO 4217, in capitals only; not CNY, which is a unit, nor ALL and TOP, which are words. Other words of three capitals
# (YTD) are no money.
_CURRENCIES = frozenset(
    [
        "AED",
        "AFN",
        "AMD",
        "ANG",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BGN",
        "BHD",
        "BIF",
        "BMD",
        "BND",
        "BOB",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHF",
        "CLP",
        "COP",
        "CRC",
        "CUP",
        "CVE",
        "CZK",
        "DJF",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GNF",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IQD",
        "IRR",
        "ISK",
        "JMD",
        "JOD",
        "JPY",
        "KES",
        "KGS",
        "KHR",
        "KMF",
        "KPW",
        "KRW",
        "KWD",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "LYD",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "OMR",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "PYG",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "RWF",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TND",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "UYU",
        "UZS",
        "VES",
        "VND",
        "VUV",
        "WST",
        "XAF",
        "XCD",
        "XDR",
        "XOF",
        "XPF",
        "YER",
        "ZAR",
        "ZMW",
        "ZWL",
    ]
)
OF_WHOM = frozenset(
    ("个人", "家庭", "农户", "person", "household")
)  # words beside money that say whose it is, and count nothing


@dataclass(frozen=True)
class Said:
    """The unit a heading names, as it stands there; `unit` is None where it is not known or more than one."""

    text: str
    unit: Unit | None


def said_by(heading: str) -> Iterator[tuple[str, Said | None]]:
    """Ways to part a heading into the words of a column and a unit, the plainest first."""
    plain = fold(heading).strip()
    words, said = plain, None
    for _nth in range(_MOST_BRACKETS):
        found = _end_bracket(words)
        if found is None:
            break
        words, inside = found[0], unit_in(found[1])
        said = inside if said is None or inside is None else Said(f"{inside.text}, {said.text}", None)
        if not words:
            break
    if words:
        yield words, said
    if leading := _LEADING.match(plain):
        yield leading[2], unit_in(leading[1])
    if any(sign in words for sign in OPENING):
        return  # a bracket within: what it says is not parted from what stands behind it
    least = max(len(words) - _LONGEST_UNIT, 0)
    for parted in _PARTED.finditer(words, least):
        rest = unit_in(words[parted.start() :].lstrip("/:,，、;|_- \n")) if parted.start() else None
        if rest is not None:
            yield words[: parted.start()], rest if said is None else Said(f"{rest.text}, {said.text}", None)
    for at in range(len(words) - 1, least, -1):
        unit = unit_named(words[at:])
        if unit is not None and not words[at:].isascii():
            yield words[:at], Said(words[at:], unit) if said is None else Said(f"{words[at:]}, {said.text}", None)


def _end_bracket(words: str) -> tuple[str, str] | None:
    """What stands before a bracket at the end, closed or not, and what within; None where there is none, or one is
    within another.
    """
    plain = words.rstrip()
    body = plain[:-1] if plain and plain[-1] in CLOSING else plain
    at = max(body.rfind(sign) for sign in OPENING + CLOSING)
    return (body[:at].rstrip(), body[at + 1 :]) if at >= 0 and body[at] in OPENING else None


def unit_in(text: str) -> Said | None:
    """The unit some words of a heading name; None where they name none."""
    plain = _AFTER.sub("", _BEFORE.sub("", text.strip())).strip()
    if not key(plain):
        return None
    unit = (
        unit_named(plain)
        or unit_named(_YUAN_FIRST.sub("", plain))
        or (Unit("foreign money") if plain in _CURRENCIES else None)
    )
    if unit is not None:
        return Said(plain, unit)
    tokens = [token for token in _BETWEEN.split(plain) if token]
    units = {unit for token in tokens if (unit := unit_named(token)) is not None}
    unlike = [token for token in tokens if unit_named(token) is None and _is_like_a_unit(token)]
    if len(units) == 1 and not unlike:
        return Said(plain, units.pop())
    return Said(plain, None) if units or unlike or _is_like_a_unit(plain) else None


def _is_like_a_unit(text: str) -> bool:
    parts = re.split(r"[/每]", text)
    if len(parts) > 1 and any(unit_named(part) is not None for part in parts if part):
        return True
    return bool(_LIKE_A_UNIT.search(text) or text.strip() in _CURRENCIES)
