"""What a column that no sheet asks for may be: people's identity, which is never left out unsaid, or one of the sheet's
under another name.

Pure SQL text and pure functions. Of the cells it asks how many look like numbers of persons, and shows none.
"""

from difflib import SequenceMatcher
from fractions import Fraction

from karez.intake.rules import Headings, heading_key
from karez.intake.typing import folded, number_is_right, text
from karez.kernel.personal import BANK_CARD, EIGHTEEN, FIFTEEN, PHONE
from karez.kernel.sheets import Sheet

_ALIKE = 0.7  # below it nobody is helped by a guess
CELL = "cell"


def _luhn(cell: str) -> str:
    """SQL: the digits pass the check of bank cards (ISO/IEC 7812)."""
    one = f"CAST(substr(reverse({cell}), CAST(i AS BIGINT), 1) AS INTEGER)"
    doubled = f"CASE WHEN i % 2 = 1 THEN {one} ELSE (2 * {one}) // 10 + (2 * {one}) % 10 END"
    return f"list_sum([{doubled} FOR i IN range(1, CAST(length({cell}) AS BIGINT) + 1)]) % 10 = 0"


# A condition over `cell` (without blanks and strokes) and the share of the filled cells from which it tells: a sound
# number of 18 is no chance.
IDENTITY: tuple[tuple[str, Fraction], ...] = (
    (f"CASE WHEN regexp_full_match({CELL}, {text(EIGHTEEN)}) THEN {number_is_right(CELL)} ELSE false END", Fraction(0)),
    (f"regexp_full_match({CELL}, {text(PHONE)})", Fraction(1, 2)),
    (f"CASE WHEN regexp_full_match({CELL}, {text(BANK_CARD)}) THEN {_luhn(CELL)} ELSE false END", Fraction(1, 2)),
)


def cells_of(column: str) -> str:
    """SQL: a column of `raw` as `cell`, wide digits plain, without blanks, strokes and apostrophes."""
    return (
        f"SELECT regexp_replace({folded(column)}, '[ ''’-]', '', 'g') AS {CELL} FROM raw WHERE NOT is_total AND "
        f"{column} IS NOT NULL"
    )


# Numbers of the cards until 1999 have no check character: a share of the cells must look so, and not many begin with
# the same place and day.
OLD_CARDS = Fraction(1, 5)
_SHARED = 3


def old_cards(column: str, codes: bool) -> str:
    """SQL: how many cells are filled, and how many look like numbers of 15 digits; not numbers of households, which
    begin with a village's code.
    """
    place = f"substr({CELL}, 1, 12)"
    known = f" AND {place} NOT IN (SELECT code FROM codes)" if codes else ""
    looks = f"FILTER (WHERE regexp_full_match({CELL}, {text(FIFTEEN)}){known})"
    return (
        f"SELECT count(*), CASE WHEN count(DISTINCT {CELL}) {looks} < {_SHARED} * count(DISTINCT {place}) {looks} "
        f"THEN count(*) {looks} ELSE 0 END"
        f" FROM ({cells_of(column)})"
    )


def perhaps(sheet: Sheet, matched: Headings, heading: str) -> str:
    """Which missing column a heading nobody knows may mean, in brackets; empty where nothing is near."""
    free = [column for column in sheet.columns if column.name not in matched.places]
    near = [
        (SequenceMatcher(None, heading_key(heading), heading_key(words)).ratio(), column.name)
        for column in free
        for words in column.headings
    ]
    likeness, found = max(near, default=(0.0, ""))
    return f" ({found}?)" if likeness >= _ALIKE else ""
