"""Money as integer fen: reading and writing amounts. Holds no accounts and no rounding of statistics.

Unit: 1 yuan = 100 fen (ISO 4217 CNY, two minor digits). Nothing here uses binary floating point. How an amount may be
written stands in `kernel/written.py`, the same for forms and files.
"""

from decimal import Decimal

from karez.kernel.messages import Number, say
from karez.kernel.refusal import Refusal
from karez.kernel.written import NUMBER_REASONS, YUAN, read_number, reason_for

FEN_PER_YUAN = 100
_EXPECTED = say("an amount in yuan with at most two decimals, such as 1,200.50")


def parse_fen(text: str) -> int:
    """Fen in a written amount of yuan (`1,200.50`, `¥1200.5`, `1200元`, `0.12万元`); refuses what it cannot read exactly
    and in one way only.
    """
    value = read_number(text, YUAN, unit="yuan")
    if value is None:
        reason = reason_for(text, NUMBER_REASONS)
        raise Refusal(
            "money.unreadable",
            found=text,
            expected=reason.expected if reason else _EXPECTED,
            rule=say("money is counted in whole fen"),
            todo=(reason.todo if reason else "") or say("write the amount in plain digits"),
        )
    return int(value * FEN_PER_YUAN)


def yuan(amount_fen: int) -> Decimal:
    """The amount in yuan, exactly."""
    return Decimal(amount_fen) / FEN_PER_YUAN


def format_fen(amount_fen: int) -> Number:
    """The amount in yuan with thousands separators and both decimals, for records: 1,200.50."""
    return Number(yuan(amount_fen), 2)
