"""What two spellings of one name share. Holds no hashes and no search; of numbers typed by people the database says it
(`intake/sql/numbers.sql`).

Names of people are written with middle dots and apostrophes of many kinds, with blanks or without, in wide or narrow
letters. Sealing, searching and comparing all fold a name here first, so that they meet; in SQL by an expression made of
the same rule.
"""

import sys
import unicodedata
from collections.abc import Iterable
from functools import cache

# Letters and signs that stand for an apostrophe, a dot or a blank, but count as letters or fall apart under NFKC.
_NO_LETTERS = (
    "\u00b4\u0060\u00a8\u02d9\u0384\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\ua78b\ua78c\ua78f\u115f\u1160\u3164\uffa0"
    + "".join(map(chr, (*range(0x02B9, 0x02C9), *range(0x02CA, 0x02D0))))
)
_DROPPED = dict.fromkeys(map(ord, _NO_LETTERS))


def folded_name(name: str) -> str:
    """A name without what is written in several ways: width, case, blanks, dots, apostrophes and hyphens."""
    plain = unicodedata.normalize("NFKC", name.translate(_DROPPED)).casefold()
    if plain.isalpha():  # nearly every name
        return plain
    kept = "".join(filter(_is_kept, plain))
    return kept or "".join(plain.split())


def folded_name_sql(text: str) -> str:
    """SQL (PostgreSQL) of a text folded as `folded_name` folds it, to look for names within; of signs alone nothing is
    left. `text` is SQL.
    """
    dropped, others, small, capital = _for_sql()
    plain = f"lower(normalize(translate({text}, {dropped}, ''), NFKC))"
    return (
        f"(SELECT CASE WHEN folded ~ '[{capital}]' THEN translate(folded, {small[0]}, {small[1]}) ELSE folded END"
        f" FROM (SELECT regexp_replace({plain}, '[{others}]', '', 'g') AS folded) folding)"
    )


def _is_kept(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LMN"


@cache
def _for_sql() -> tuple[str, str, tuple[str, str], str]:
    """Literals and classes of signs: dropped first, dropped afterwards, capitals beyond ASCII with their small letters,
    and where these are.

    A server's own `lower` knows only ASCII where its locale is C.
    """
    every = [chr(n) for n in (*range(1, 0xD800), *range(0xE000, sys.maxunicode + 1))]
    capitals = [sign for sign in every if sign > "\x7f" and len(sign.lower()) == 1 and sign.lower() != sign]
    first = "".join(map(chr, _DROPPED))
    return (
        _literal(first),
        _class(sign for sign in every if not _is_kept(sign)),
        (_literal("".join(capitals)), _literal("".join(capitals).lower())),
        _class(capitals, gap=99),
    )


def _literal(signs: str) -> str:
    return "U&'" + "".join(f"\\{ord(sign):04x}" if sign <= "\uffff" else f"\\+{ord(sign):06x}" for sign in signs) + "'"


def _class(signs: Iterable[str], gap: int = 0) -> str:
    """The inside of a bracket expression, as ranges; ranges with no more than `gap` signs between them are one."""
    runs: list[list[int]] = []
    for at in map(ord, signs):
        if runs and at - runs[-1][1] <= gap + 1:
            runs[-1][1] = at
        else:
            runs.append([at, at])
    return "".join(f"{_escaped(first)}-{_escaped(last)}" for first, last in runs)


def _escaped(at: int) -> str:
    return f"\\u{at:04x}" if at < 0x10000 else f"\\U{at:08x}"
