"""What stands in an address or a form, read in one place: whole numbers, days, keys of a list, and parts of addresses.

Whatever is sent, a page answers. Nonsense in an address is as if nothing was asked for; nonsense in a part of it is an
address that does not exist; a zero byte, which no text of ours can hold, is refused before any page. Holds no page and
no model.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import QueryDict

from karez.kernel.messages import say
from karez.kernel.refusal import Refusal

LARGEST = 2**63 - 1  # of the database's whole numbers
FIRST_YEAR, LAST_YEAR = 1900, 2199  # of days somebody means
FIRST_DAY, LAST_DAY = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)


class IdConverter:
    """A record's number in a path: plain digits, as large as the database counts."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        """The number; ValueError makes it an address that does not exist."""
        found = int(value)
        if found > LARGEST:
            raise ValueError(value)
        return found

    def to_url(self, value: int | str) -> str:
        """As it is written."""
        return str(value)


class YearConverter(IdConverter):
    """A year in a path."""

    regex = "[0-9]{4}"

    def to_python(self, value: str) -> int:
        """The year; ValueError makes it an address that does not exist."""
        found = int(value)
        if not FIRST_YEAR <= found <= LAST_YEAR:
            raise ValueError(value)
        return found


def whole(text: str) -> int | None:
    """A whole number in plain digits that the database can hold; None for anything else, other scripts' digits too."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    found = int(text)
    return found if found <= LARGEST else None


def integer(values: Mapping[str, Any], name: str, default: int | None = None) -> int | None:
    """A whole number out of an address such as `?after=12`; the default where there is none or nonsense."""
    found = whole(str(values.get(name, "")))
    return default if found is None else found


def page_number(values: Mapping[str, Any], name: str = "page") -> int:
    """Which page of a list, from nought; a list goes no further than its first million pages."""
    return min(integer(values, name, 0) or 0, 1_000_000)


def day(text: str) -> date | None:
    """A day as `2009-03-31` within the years somebody means; None for anything else."""
    if len(text) != 10 or not text.isascii():
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_DAY <= found <= LAST_DAY else None


def after_day(values: Mapping[str, Any], name: str = "after") -> tuple[date, int] | None:
    """Where a list by days goes on, `?after=2009-03-31_17`; None where nowhere."""
    first, _sep, second = str(values.get(name, "")).partition("_")
    at, key = day(first), whole(second)
    return None if at is None or key is None else (at, key)


def after_number(values: Mapping[str, Any], name: str = "after") -> tuple[int, int] | None:
    """Where a list by two numbers goes on, `?after=12_340`; None where nowhere."""
    first, _sep, second = str(values.get(name, "")).partition("_")
    one, key = whole(first), whole(second)
    return None if one is None or key is None else (one, key)


def require_readable(*lists: QueryDict) -> None:
    """Refuses (form.unreadable) names and values with a zero byte, which no text of ours can hold."""
    if any("\0" in text for values in lists for name, found in values.lists() for text in (name, *found)):
        raise Refusal(
            "form.unreadable",
            record=say("the form"),
            found=say("a zero byte"),
            expected=say("text"),
            rule=say("what is sent is text that can be kept and shown"),
            todo=say("type it anew and send again"),
        )
