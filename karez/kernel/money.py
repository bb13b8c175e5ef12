"""Money as integer fen: reading and writing amounts. Holds no accounts and no rounding of statistics.

Unit: 1 yuan = 100 fen (ISO 4217 CNY, two minor digits). Nothing here uses binary floating point.
"""

import re
from decimal import Decimal

from karez.kernel.refusal import Refusal

FEN_PER_YUAN = 100
_MOST_YUAN_DIGITS = 15  # 1,000 billion yuan a thousand times: beyond any account, within 8 bytes
_AMOUNT = re.compile(r"^\s*(?:¥|CNY|￥)?\s*(?P<sign>-?)(?P<yuan>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<fen>\d{1,2})0*)?\s*(?:元|yuan)?\s*$")


def parse_fen(text: str) -> int:
    """Fen in a written amount of yuan (`1,200.50`, `¥1200.5`, `1200元`); refuses what it cannot read exactly."""
    match = _AMOUNT.match(text)
    if match is None or len(match["yuan"].replace(",", "").lstrip("0")) > _MOST_YUAN_DIGITS:
        raise Refusal(
            "money.unreadable",
            found=text,
            expected="an amount in yuan with at most two decimals, such as 1,200.50",
            rule="money is counted in whole fen",
            todo="write the amount in plain digits",
        )
    fen = int(match["yuan"].replace(",", "")) * FEN_PER_YUAN + int((match["fen"] or "").ljust(2, "0"))
    return -fen if match["sign"] else fen


def yuan(amount_fen: int) -> Decimal:
    """The amount in yuan, exactly."""
    return Decimal(amount_fen) / FEN_PER_YUAN


def format_fen(amount_fen: int) -> str:
    """The amount in yuan with thousands separators and both decimals, for records: 1,200.50."""
    whole, rest = divmod(abs(amount_fen), FEN_PER_YUAN)
    return f"{'-' if amount_fen < 0 else ''}{whole:,}.{rest:02d}"
