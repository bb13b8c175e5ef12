"""What may be kept in the clear of a file: its name, what it says of itself, and the digest it is known again by. Holds
no fault.

Of a sheet with people's identity a name may stand anywhere: in the file's name, a heading, a sheet of the workbook.
There only words from closed lists pass. Faults are held to the same by the database (`intake_told` in sql/intake.sql),
whichever way they come.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from karez.intake import registry
from karez.intake.headings import CLOSING, OPENING
from karez.intake.rules import heading_key, word_key
from karez.kernel.messages import say
from karez.kernel.personal import alias_of
from karez.kernel.sealing import SealingKey, file_digest
from karez.kernel.sheets import Sheet
from karez.kernel.units import UNITS
from karez.kernel.workbook.cells import letters

_SUFFIXES = frozenset({".csv", ".txt", ".tsv", ".xlsx", ".xlsm"})
# As in `intake_without_numbers`: identity cards, cards, telephones, in common groupings.
_NUMBERS = re.compile(
    r"(?<![0-9])(?:[0-9]{17}[Xx]|[0-9]{15,19}|[0-9]{6}[ -][0-9]{8}[ -][0-9]{3}[0-9Xx]|[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?"
    r"|[0-9]{6}[ ,-][0-9]{6}[ ,-](?:[0-9]{6}|[0-9]{5}[Xx])|[0-9]{3}(?:,[0-9]{3}){4,5}|(?:\+?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2})(?![0-9])"
)
_DIGITS = re.compile(r"[0-9][0-9,.]*")
_HIDDEN = "(a number, not shown)"
# Headings that offices write beside what a sheet asks for; none of them says who somebody is.
_COMMON = frozenset(
    (
        "no",
        "nr",
        "num",
        "number",
        "serial",
        "remark",
        "remarks",
        "note",
        "notes",
        "comment",
        "comments",
        "age",
        "address",
        "county",
        "township",
        "village",
        "group",
        "team",
        "signature",
        "date",
        "total",
        "序号",
        "编号",
        "行号",
        "备注",
        "说明",
        "注",
        "年龄",
        "住址",
        "地址",
        "家庭住址",
        "县",
        "市",
        "区",
        "乡",
        "镇",
        "乡镇",
        "村",
        "组",
        "村组",
        "小组",
        "社",
        "户主",
        "签名",
        "签字",
        "日期",
        "填表人",
        "填报人",
        "审核人",
        "合计",
        "小计",
        "学历",
        "文化程度",
        "职业",
        "健康状况",
        "花名册",
        "名单",
        "名册",
        "明细",
        "明细表",
        "汇总",
        "汇总表",
        "填表说明",
        "填报说明",
    )
)
# Short numbers, sheets that nobody named, and our own words where something is not shown. Two letters alone may be a
# name (LI NA).
_PROGRAM = re.compile(
    r"[0-9]{0,6}|[0-9]{1,3}(?:,[0-9]{3}){1,2}(?:\.[0-9]{1,4})?|(?:sheet|table|工作表|表)[0-9]{0,3}|…|rows?|columns?|cells?"
    r"|column (?-i:[A-Z]{1,2})|[0-9]{1,3} characters?|a number|not shown",
    re.IGNORECASE,
)
_MANY_DIGITS = 8  # so many may be a person's number, however it is parted: then none is shown
_SIGNS = re.escape(OPENING + CLOSING) + "（［｛＜）］｝＞"  # wide ones too: what is shown stays as it was typed
_BETWEEN = re.compile(rf"(\s*[;:：×={_SIGNS}]+\s*|[,，、]\s+)")
UNIT_WORDS = frozenset(map(word_key, UNITS))


def holds_identity(sheet: Sheet) -> bool:
    """Whether a sheet has columns of people's identity."""
    return any(column.identity for column in sheet.columns)


def file_name(sheet: Sheet, given: str) -> str:
    """The name a file is kept under: its own, or, where it may be a person's, its sheet's."""
    name = without_numbers(Path(given.replace("\\", "/").replace("\0", "")).name)[:200] or "file"
    if not holds_identity(sheet):
        return name
    suffix = Path(name).suffix.lower()
    return sheet.name + (suffix if suffix in _SUFFIXES else "")


def digest_of(sheet: Sheet, path: Path, token: str = "") -> str:
    """By what a file is known when it comes again: SHA-256, of a sheet with identity under the sealing key.

    A list of one person can be guessed, a name and a number at a time; without the key no guess is confirmed.
    """
    digest = file_digest(path)
    if token:  # of a form: two of them are two, however alike
        digest = hashlib.sha256(f"{digest} {token}".encode()).hexdigest()
    return keyed(digest, identity=holds_identity(sheet))


def keyed(digest: str, *, identity: bool) -> str:
    """A file's SHA-256 as it may be kept: of a file with identity under the sealing key."""
    key: SealingKey = settings.SEALING_KEY
    return key.digest(b"file", digest.encode()).hex() if identity else digest


def without_numbers(text: str) -> str:
    """A text in which numbers that look like a person's are told as such only."""
    narrow = "".join(
        unicodedata.normalize("NFKC", sign) if unicodedata.category(sign) == "Nd" or sign in "－Ｘｘ" else sign
        for sign in text
    )
    return _NUMBERS.sub(_HIDDEN, narrow) if _NUMBERS.search(narrow) else text


def noticed(text: str) -> str:
    """What is told of words of a file with identity: those that say nobody's name and no number of a person, or else
    how long they are.
    """
    found = without_numbers(text)
    parts, headings = _BETWEEN.split(found), heading_words()
    told = [_shown(part, before, headings) for before, part in zip(["", *parts[:-1:2]], parts[::2], strict=True)]
    if sum(sign.isdigit() for part in told if word_key(part) not in UNIT_WORDS for sign in part) >= _MANY_DIGITS:
        told = [part if word_key(part) in UNIT_WORDS else _DIGITS.sub("…", part) for part in told]
    if told != parts[::2] and not any(part.strip("… ") for part in told):
        return not_shown(text)
    parts[::2] = told
    return "".join(parts)


def denied_shown(heading: str, word: str) -> str:
    """A heading of a file with identity that may not be held, with the word for which it is denied: whole where it says
    nothing else.
    """
    return f"{heading} ({word})" if word_key(heading) == word_key(word) else f"({word})"


def heading_shown(heading: str, place: int) -> str:
    """A heading nobody knows, of a file with identity: where not all of it may be shown, by its place in the file as it
    was sent too.
    """
    told = noticed(heading)
    return told if told == heading else say("column {letters} {told}", letters=letters(place + 1), told=told)


def not_shown(text: str) -> str:
    """What is told in place of a text."""
    if len(text) == 1:
        return say("(1 character, not shown)")
    return say("({count} characters, not shown)", count=len(text))


def heading_words() -> frozenset[str]:
    """The headings of every sheet and of every office, as `word_key` spells them. With `UNIT_WORDS` all that
    `intake_told` shows.
    """
    return _words_of(_Sheets(tuple(registry.sheets().values())))


class _Sheets:
    """The declared sheets as they are now; equal while each is the same object, which is cheaper to ask than whether
    they say the same.
    """

    def __init__(self, sheets: tuple[Sheet, ...]) -> None:
        self.sheets, self.ids = sheets, tuple(map(id, sheets))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sheets) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.ids)


@lru_cache(maxsize=2)
def _words_of(declared: _Sheets) -> frozenset[str]:
    headings = (heading for sheet in declared.sheets for c in sheet.columns for heading in c.headings)
    return frozenset(map(heading_key, (*headings, *_COMMON)))


def _shown(part: str, before: str, headings: frozenset[str]) -> str:
    """A part of a notice as it may be shown; of two words of one sign that stand side by side, which may be a name,
    only the first.
    """
    known = _PROGRAM.fullmatch(part) is not None or word_key(part.removesuffix("?")) in headings or _is_alias(part)
    if known or word_key(part) in UNIT_WORDS:
        return "…" if len(part) == len(before) == 1 and part != before and not part.isascii() else part
    words = (
        word if _PROGRAM.fullmatch(word) or (len(word) > 1 and word_key(word) in headings) else "…"
        for word in part.split()
    )
    return re.sub(r"…(?: …)+", "…", " ".join(words))


def _is_alias(part: str) -> bool:
    """Whether it is a common name of a column of identity, with nothing in brackets behind it."""
    return alias_of(part) != "" and "(" not in unicodedata.normalize("NFKC", part)
