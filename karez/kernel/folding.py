"""Wide letters, digits and signs as a Chinese input method writes them, made the plain ones they stand for. Holds no reading of numbers.

Only what has exactly one plain sign is folded: no superscripts (5² is not 52), no circled or Chinese numerals, no digits of other scripts.
"""

_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_FULL_WIDTH = "".join(chr(ord(sign) + 0xFEE0) for sign in _ASCII)
# The wide yen sign, minus and hyphens that only look other, small forms of percent, plus, minus, point, comma and colon, the wide blank.
WIDE = _FULL_WIDTH + "￥−‐‑﹣﹢﹪﹒﹐﹕　\u00a0\u2007\u202f"
NARROW = _ASCII + "¥----+%.,:    "
_TABLE = str.maketrans(WIDE, NARROW)


def fold(text: str) -> str:
    """The text with wide signs made plain; as it was where it is plain already."""
    return text if text.isascii() else text.translate(_TABLE)
