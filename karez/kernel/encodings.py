"""Which encoding was meant by bytes that are no sound UTF-8, and which words are another's nonsense; told by evidence. Holds no tables.

GB 18030 takes nearly any bytes for characters, so one damaged byte would turn every Chinese name of a file into others that nobody
notices. Bytes that are UTF-8 but for few are therefore damaged UTF-8, and refused with the place of the damage. Of text that really is
GB 18030 about a fifth happens to look like UTF-8, and hardly ever like its characters of three bytes.
"""

import codecs
import re
from collections.abc import Iterable

UTF8, GB18030 = "utf-8", "gb18030"
_THREE = re.compile("[\u0800-\ufffc\ufffe-\U0010ffff]")
_CP1252 = frozenset(bytes(place for place in range(0x80, 0xA0) if place not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)).decode("cp1252"))
# What decoders leave where bytes were lost, characters no standard knows, and the words such losses are known by in China.
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


def _western(text: str) -> bytes:
    """The bytes of a text as Windows' Western code page or Latin 1 has them, sign by sign."""
    return b"".join(sign.encode("cp1252") if sign in _CP1252 else sign.encode("latin-1") for sign in text)


def is_nonsense(text: str) -> bool:
    """Whether words were read in a wrong encoding before they came: turned back into bytes, they are sound UTF-8 of Chinese."""
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
