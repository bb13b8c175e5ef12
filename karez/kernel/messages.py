"""What is said to people: a pattern with values, English where it is made, the reader's language where it is shown.

A message is made here, or by `karez_say` in the database (`access/sql/messages.sql`); both give the same text to be kept
in a column, read back by `read`. The pattern, `at least {least} yuan`, is its key in the catalogues of translations. Holds
no sentence of any room.
"""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.utils import translation
from django.utils.formats import get_format
from django.utils.functional import Promise

_PLACE = re.compile(r"\{(\w+)\}")
_KEPT = ('{"say":', '{"number":', '{"list":')
_LONGEST = 100_000  # characters: a longer text is none of ours
_DEEPEST = 8  # messages within messages


Text = str | Promise  # a message, a plain text, or words of a page


class Told(str):
    """What can be told in another language; put together with another text it still can."""

    __slots__ = ()

    def __add__(self, other: str) -> str:
        """Both, one behind the other."""
        return Listing((self, other), "") if other else self

    def __radd__(self, other: str) -> str:
        """Both, one behind the other."""
        return Listing((other, self), "") if other else self

    def as_kept(self) -> Any:
        """What is kept of it, ready for JSON."""
        raise NotImplementedError


class Message(Told):
    """An English text that remembers its pattern and what was put into it. `str(message)` is in the active language.

    Values are texts as somebody wrote them, numbers, days, or messages themselves. It equals its English text.
    """

    __slots__ = ("pattern", "values")

    pattern: str
    values: Mapping[str, object]

    def __new__(cls, pattern: str, values: Mapping[str, object]) -> Self:
        """The pattern with its values put in, in English."""
        made = super().__new__(cls, _filled(pattern, values, _english))
        made.pattern, made.values = pattern, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """So that a copy is a message too."""
        return type(self), (self.pattern, self.values)

    def __str__(self) -> str:
        """The text in the active language, its values too."""
        if _is_english():
            return super().__str__()
        return _filled(translation.gettext(self.pattern) if self.pattern else "", self.values, _shown)

    def as_kept(self) -> Any:
        """What is kept of it, ready for JSON."""
        names = list(self.values)
        values = [_kept(value) for value in self.values.values()]
        numbered = names == [str(n) for n in range(1, len(names) + 1)]
        return {"say": self.pattern, "with": values if numbered else dict(zip(names, values, strict=True))}


class Number(Told):
    """A number as records write it in English, 1,200.50; `str(number)` parts it as the active language does."""

    __slots__ = ()

    def __new__(cls, value: Decimal | int, decimals: int = 0) -> Self:
        """The number with so many decimals."""
        return super().__new__(cls, f"{value:,.{decimals}f}")

    def __reduce__(self) -> tuple[Any, ...]:
        """So that a copy is a number too."""
        return _number, (super().__str__(),)

    def __str__(self) -> str:
        """The number as it is written in the active language."""
        text = super().__str__()
        if _is_english():
            return text
        thousands, point = get_format("THOUSAND_SEPARATOR") or ",", get_format("DECIMAL_SEPARATOR")
        return text.translate({ord(","): str(thousands), ord("."): str(point)})

    def as_kept(self) -> Any:
        """What is kept of it, ready for JSON."""
        return {"number": super().__str__().replace(",", "")}


class Listing(Told):
    """Several things named one after the other; `str(listing)` names each in the active language."""

    __slots__ = ("between", "parts")

    parts: tuple[object, ...]
    between: str

    def __new__(cls, parts: Iterable[object], between: str = ", ") -> Self:
        """The parts with what stands between them: a comma, a semicolon or ` or `."""
        every = tuple(parts)
        made = super().__new__(cls, between.join(map(_english, every)))
        made.parts, made.between = every, between
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """So that a copy is a listing too."""
        return type(self), (self.parts, self.between)

    def __str__(self) -> str:
        """The parts in the active language."""
        if _is_english():
            return super().__str__()
        return (translation.gettext(self.between) if self.between else "").join(map(_shown, self.parts))

    def as_kept(self) -> Any:
        """What is kept of it, ready for JSON."""
        return {"list": [_kept(part) for part in self.parts], "between": self.between}


def say(pattern: str, /, **values: object) -> Message:
    """A message from a pattern with named places, `{name}`. The pattern stands literally, where it is collected."""
    return Message(pattern, values)


def kept(text: object) -> str:
    """What a column or a file of ours keeps of a text: `read` gives the same back. A plain text is kept as it stands."""
    made = _kept(text)
    return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False)


def read(text: str | None) -> str:
    """The message a text was kept from; a text that is none stays as it stands, None is empty."""
    if not text or not text.startswith(_KEPT) or len(text) > _LONGEST:
        return text or ""
    try:
        return _read(json.loads(text), 0)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return text


def kept_in(value: Any) -> Any:
    """A JSON value with what is kept of each text in it."""
    if isinstance(value, Mapping):
        return {key: kept_in(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [kept_in(one) for one in value]
    return kept(value) if isinstance(value, str | Promise) else value


def read_in(value: Any) -> Any:
    """A JSON value, or rows of a query, with the messages their texts were kept from."""
    if isinstance(value, dict):
        return {key: read_in(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(read_in(one) for one in value)
    return read(value) if isinstance(value, str) else value


def english(text: object) -> str:
    """A text in English, as the console and the log write it."""
    return _english(read(text) if type(text) is str else text)


def _filled(pattern: str, values: Mapping[str, object], told: Any) -> str:
    """The pattern with each place filled; a place nothing is known for stays."""
    if not values:
        return pattern
    return _PLACE.sub(lambda place: told(values[place[1]]) if place[1] in values else place[0], pattern)


def _english(value: object) -> str:
    if not isinstance(value, str) and settings.configured:
        with translation.override("en"):
            value = str(value)
    return str.__str__(value if isinstance(value, str) else str(value))


def _shown(value: object) -> str:
    made = str(value)
    return made if type(made) is str else str(made)  # what a record calls itself may be a message


def _is_english() -> bool:
    return not settings.configured or (translation.get_language() or "en").startswith("en")


def _kept(value: object) -> Any:
    if isinstance(value, Told):
        return value.as_kept()
    if isinstance(value, Promise):
        return {"say": _english(value), "with": []}
    if isinstance(value, str):
        return _english(value)
    made = "" if value is None else str(value)
    return made.as_kept() if isinstance(made, Told) else made


def _read(kept_value: Any, deep: int) -> str:
    """A message, number or list from its JSON; SQL keeps what it puts in as a text, which may be kept itself."""
    if deep > _DEEPEST or not isinstance(kept_value, dict):
        plain = "" if kept_value is None else str(kept_value)
        if deep <= _DEEPEST and plain.startswith(_KEPT):
            return _read(json.loads(plain), deep + 1)
        return plain
    if "number" in kept_value:
        return _number(str(kept_value["number"]))
    if "list" in kept_value:
        return Listing((_read(one, deep + 1) for one in kept_value["list"]), str(kept_value.get("between", ", ")))
    values = kept_value.get("with") or {}
    named = (
        values.items() if isinstance(values, dict) else zip(map(str, range(1, len(values) + 1)), values, strict=True)
    )
    return Message(str(kept_value["say"]), {str(name): _read(value, deep + 1) for name, value in named})


def _number(plain: str) -> Number:
    value = Decimal(plain.replace(",", ""))
    return Number(value, max(0, -int(value.as_tuple().exponent)))


BETWEEN = (say(", "), say("; "), say(" or "), say(" and "))  # what may stand between the parts of a listing
