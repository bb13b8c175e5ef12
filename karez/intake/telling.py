"""What may be kept in the clear of a file: its name, what it says of itself, and the digest it is known again by. Holds no fault.

Of a sheet with people's identity a name may stand anywhere: in the file's name, a heading, a sheet of the workbook. There only words
from closed lists pass. Faults are held to the same by the database (`intake_told` in sql/intake.sql), whichever way they come.
"""

import re
import unicodedata
from pathlib import Path

from django.conf import settings

from karez.intake import registry
from karez.intake.headings import CLOSING, OPENING
from karez.intake.rules import heading_key, word_key
from karez.kernel.denied import denied_word
from karez.kernel.personal import alias_of
from karez.kernel.sealing import SealingKey, file_digest
from karez.kernel.sheets import Sheet
from karez.kernel.units import UNITS
from karez.kernel.workbook.cells import letters

_SUFFIXES = frozenset({".csv", ".txt", ".tsv", ".xlsx", ".xlsm"})
# As in `intake_without_numbers`: identity cards, cards, telephones, in common groupings.
_NUMBERS = re.compile(
    r"(?<![0-9])(?:[0-9]{17}[Xx]|[0-9]{15,19}|[0-9]{6}[ -][0-9]{8}[ -][0-9]{3}[0-9Xx]|[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?"
    r"|(?:\+?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2})(?![0-9])"
)
_HIDDEN = "(a number, not shown)"
# Headings that offices write beside what a sheet asks for; none of them says who somebody is.
_COMMON = frozenset((
    "no", "nr", "num", "number", "serial", "remark", "remarks", "note", "notes", "comment", "comments",
    "age", "address", "county", "township", "village", "group", "team", "signature", "date", "total", "序号",
    "编号", "行号", "备注", "说明", "注", "年龄", "住址", "地址", "家庭住址", "县", "市", "区", "乡", "镇", "乡镇", "村", "组", "村组",
    "小组", "社", "户主", "签名", "签字", "日期", "填表人", "填报人", "审核人", "合计", "小计", "学历", "文化程度", "职业", "健康状况", "花名册",
    "名单", "名册", "明细", "明细表", "汇总", "汇总表", "填表说明", "填报说明",
))  # fmt: skip
# What notices say in words of our own: counts, cells of a sheet, sheets that nobody named, encodings.
_PROGRAM = re.compile(
    r"[0-9]{0,6}|[0-9]{1,3}(?:,[0-9]{3})*(?:\.[0-9]{1,4})?|[A-Z]{1,3}[1-9][0-9]{0,6}|(?-i:[A-Z]{1,2})|(?:sheet|table|工作表|表)[0-9]{0,3}|gb|18030|utf-8|…|rows?|columns?|cells?"
    r"|column (?-i:[A-Z]{1,3})|[0-9]+ characters?|not shown", re.IGNORECASE,
)  # fmt: skip
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


def digest_of(sheet: Sheet, path: Path) -> str:
    """By what a file is known when it comes again: SHA-256, of a sheet with identity under the sealing key.

    A list of one person can be guessed, a name and a number at a time; without the key no guess is confirmed.
    """
    return keyed(file_digest(path), identity=holds_identity(sheet))


def keyed(digest: str, *, identity: bool) -> str:
    """A file's SHA-256 as it may be kept: of a file with identity under the sealing key."""
    key: SealingKey = settings.SEALING_KEY
    return key.digest(b"file", digest.encode()).hex() if identity else digest


def without_numbers(text: str) -> str:
    """A text in which numbers that look like a person's are told as such only."""
    narrow = "".join(unicodedata.normalize("NFKC", sign) if unicodedata.category(sign) == "Nd" or sign in "－Ｘｘ" else sign for sign in text)
    return _NUMBERS.sub(_HIDDEN, narrow) if _NUMBERS.search(narrow) else text


def noticed(found: str) -> str:
    """What a notice about a file with identity says: words that say nobody's name and our own, or else how long it is."""
    word = re.search(r" \(([^()]*)\)$", found)
    if word is not None and denied_word(word[1]):
        return found if word_key(found[: word.start()]) == word_key(word[1]) else f"({word[1]})"
    parts = _BETWEEN.split(found)
    told = [_shown(part, before) for before, part in zip(["", *parts[:-1:2]], parts[::2], strict=True)]
    if told != parts[::2] and not any(part.strip("… ") for part in told):
        return not_shown(found)
    parts[::2] = told
    return "".join(parts)


def heading_shown(heading: str, place: int) -> str:
    """A heading nobody knows, of a file with identity: where not all of it may be shown, by its place too."""
    told = noticed(heading)
    return told if told == heading else f"column {letters(place + 1)} {told}"


def not_shown(text: str) -> str:
    """What is told in place of a text."""
    return f"({len(text)} character{'' if len(text) == 1 else 's'}, not shown)"


def heading_words() -> frozenset[str]:
    """The headings of every sheet and of every office, as `word_key` spells them. With `UNIT_WORDS` all that `intake_told` shows."""
    headings = (heading for sheet in registry.sheets().values() for c in sheet.columns for heading in (c.name, *c.headers))
    return frozenset(map(heading_key, (*headings, *_COMMON)))


def _shown(part: str, before: str) -> str:
    """A part of a notice as it may be shown; of two words of one sign that stand side by side, which may be a name, only the first."""
    headings = heading_words()
    known = _PROGRAM.fullmatch(part) is not None or word_key(part.removesuffix("?")) in headings or _is_alias(part)
    if known or word_key(part) in UNIT_WORDS:
        return "…" if len(part) == len(before) == 1 and part != before and not part.isascii() else part
    words = (word if _PROGRAM.fullmatch(word) or (len(word) > 1 and word_key(word) in headings) else "…" for word in part.split())
    return re.sub(r"…(?: …)+", "…", " ".join(words))


def _is_alias(part: str) -> bool:
    """Whether it is a common name of a column of identity, with nothing in brackets behind it."""
    return alias_of(part) != "" and "(" not in unicodedata.normalize("NFKC", part)
