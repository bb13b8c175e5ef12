"""What two spellings of one name share. Holds no hashes and no search; of numbers typed by people the database says it (`intake/sql/numbers.sql`).

Names of people are written with middle dots and apostrophes of many kinds, with blanks or without, in wide or narrow letters.
Sealing, searching and comparing all fold a name here first, so that they meet.
"""

import unicodedata

# Letters and signs that stand for an apostrophe, a dot or a blank, but count as letters or fall apart under NFKC.
_NO_LETTERS = "\u00b4\u0060\u00a8\u02d9\u0384\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\ua78b\ua78c\ua78f\u115f\u1160\u3164\uffa0" + "".join(
    map(chr, (*range(0x02B9, 0x02C9), *range(0x02CA, 0x02D0)))
)
_DROPPED = dict.fromkeys(map(ord, _NO_LETTERS))


def folded_name(name: str) -> str:
    """A name without what is written in several ways: width, case, blanks, dots, apostrophes and hyphens."""
    plain = unicodedata.normalize("NFKC", name.translate(_DROPPED)).casefold()
    if plain.isalpha():  # nearly every name
        return plain
    kept = "".join(sign for sign in plain if unicodedata.category(sign)[0] in "LMN")
    return kept or "".join(plain.split())
