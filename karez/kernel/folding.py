"""Wide letters, digits and signs as a Chinese input method writes them, made the plain ones they stand for. Holds no
reading of numbers.

Only what has exactly one plain sign is folded: no superscripts (5² is not 52), no circled or Chinese numerals, no
digits of other scripts.
"""

_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_FULL_WIDTH = "".join(chr(ord(sign) + 0xFEE0) for sign in _ASCII)
# The wide yen sign, minus and hyphens that only look other, small forms of percent, plus, minus, point, comma and
# colon, the wide blank.
WIDE = _FULL_WIDTH + "￥−‐‑﹣﹢﹪﹒﹐﹕　\u00a0\u2007\u202f"
NARROW = _ASCII + "¥----+%.,:    "
_TABLE = str.maketrans(WIDE, NARROW)


def fold(text: str) -> str:
    """The text with wide signs made plain; as it was where it is plain already."""
    return text if text.isascii() else text.translate(_TABLE)


def without_end_bracket(text: str) -> str:
    """The text without what stands in round brackets at its end, from the first one on its last line; as it was where
    nothing else is there.
    """
    plain = text.rstrip()
    at = plain.find("(", plain.rfind("\n") + 1) if plain.endswith(")") else -1
    return plain[:at] if at > 0 else text
