"""Which encoding was meant by bytes that are no sound UTF-8, and which words are another's nonsense; told by evidence.
Of tables it holds only the rare letters that GB 18030 once had no Unicode letter for.

GB 18030 takes nearly any bytes for characters, so one damaged byte would turn every Chinese name of a file into others
that nobody notices. Bytes that are UTF-8 but for few are therefore damaged UTF-8, and refused with the place of the
damage. Of text that really is GB 18030 about a fifth happens to look like UTF-8, and hardly ever like its characters of
three bytes.
"""

import codecs
import re
from collections.abc import Iterable

UTF8, GB18030 = "utf-8", "gb18030"
_THREE = re.compile("[\u0800-\ufffc\ufffe-\U0010ffff]")
_CP1252 = frozenset(
    bytes(place for place in range(0x80, 0xA0) if place not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)).decode("cp1252")
)
_PRIVATE = [*range(0xE78D, 0xE797), *range(0xE815, 0xE865)]
# Most of these 90 the decoder knows by their bytes; the others as GB 18030-2022 has them, by their bytes: upright
# signs, and letters of names. All 90 are as glibc 2.36 decodes these bytes (a test asks the machine's own); of the 24
# the first 18 are also as the WHATWG index has them.
_SINCE_2000 = dict(
    zip(
        [
            "a6d9",
            "a6da",
            "a6db",
            "a6dc",
            "a6dd",
            "a6de",
            "a6df",
            "a6ec",
            "a6ed",
            "a6f3",
            "fe59",
            "fe61",
            "fe66",
            "fe67",
            "fe6d",
            "fe7e",
            "fe90",
            "fea0",
            "fe51",
            "fe52",
            "fe53",
            "fe6c",
            "fe76",
            "fe91",
        ],
        "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb\U00020087\U00020089\U000200cc\U000215d7\U0002298f\U000241fe",
        strict=True,
    )
)


def packed_as(private: int) -> bytes:
    """The two bytes that GBK and the first GB 18030 made a private character from."""
    if private < 0xE815:
        place: int = (*range(0xA6D9, 0xA6E0), 0xA6EC, 0xA6ED, 0xA6F3)[private - 0xE78D]
        return place.to_bytes(2, "big")
    at = private - 0xE815 + 0x50
    return bytes((0xFE, at + (at >= 0x7F)))


def _letter(private: int) -> str:
    """The letter a private character stands for: that of the bytes it was made from."""
    packed = packed_as(private)
    return _SINCE_2000.get(packed.hex()) or packed.decode(GB18030)


# Characters without a meaning of their own under which rare letters of names come from files of GBK and GB 18030, and
# the letters.
PRIVATE = "".join(map(chr, _PRIVATE))
LETTERS = "".join(map(_letter, _PRIVATE))
# What decoders leave where bytes were lost, characters no standard knows, and the words such losses are known by in
# China.
LOST = "[\ue000-\uf8ff\ufffd\u0080-\u009f]|锟斤|斤拷|烫烫烫|屯屯屯"
# Chinese and another script in one word: what a file of another encoding becomes when it is read as GB 18030.
MIXED = (
    r"[\p{Han}][\p{Cyrillic}\p{Greek}\p{Hangul}\p{Hiragana}\p{Katakana}\x{2500}-\x{259f}\x{3105}-\x{312f}]"
    r"|[\p{Cyrillic}\p{Greek}\p{Hangul}\p{Hiragana}\p{Katakana}\x{2500}-\x{259f}\x{3105}-\x{312f}][\p{Han}]"
)


def meant_as_utf8(blocks: Iterable[bytes]) -> bool:
    """Whether bytes that are no sound UTF-8 were meant as such, because most of what is beyond ASCII in them is."""
    decoder = codecs.getincrementaldecoder(UTF8)("replace")
    broken = beyond = long = 0
    for text in (*map(decoder.decode, blocks), decoder.decode(b"", final=True)):
        if not text.isascii():
            broken += text.count("\ufffd")
            beyond += len(text) - len(text.encode("ascii", "ignore"))
            long += len(_THREE.findall(text))
    return beyond - broken > broken or long * 2 >= broken


# Words in which `is_nonsense` need not be asked have none of these: how Chinese in UTF-8 begins, read as GB 18030 or as
# Western letters.
PERHAPS_NONSENSE = (
    "[\u00e2-\u00e9"
    + "".join(bytes((lead, trail)).decode(GB18030) for lead in range(0xE2, 0xEA) for trail in range(0x80, 0xC0))
    + "]"
)


def _western(text: str) -> bytes:
    """The bytes of a text as Windows' Western code page or Latin 1 has them, sign by sign."""
    return b"".join(sign.encode("cp1252") if sign in _CP1252 else sign.encode("latin-1") for sign in text)


def is_nonsense(text: str) -> bool:
    """Whether words were read in a wrong encoding before they came: turned back into bytes, they are sound UTF-8 of
    Chinese.
    """
    if text.isascii():
        return False
    for encode in (lambda words: words.encode(GB18030), _western):
        try:
            back = encode(text.rstrip("?？\ufffd ")).decode(UTF8, "replace")
        except UnicodeEncodeError:
            continue
        lost, chinese = back.rstrip("\ufffd").count("\ufffd"), len(re.findall("[\u3400-\u9fff]", back))
        if chinese >= 2 and not lost and len(back) < len(text) + 1:
            return True
    return False
