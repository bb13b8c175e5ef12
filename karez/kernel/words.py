"""Sentences made far from any page: English where they are made, the reader's language where they are shown. Holds no
sentences.
"""

from typing import Self

from django.utils.translation import gettext


class Words(str):
    """An English text that remembers its pattern and what was put into it, so that it can be told in another language."""

    __slots__ = ("pattern", "values")

    pattern: str
    values: dict[str, object]

    def __new__(cls, pattern: str, values: dict[str, object]) -> Self:
        """The pattern with its values; a pattern without values is taken as it stands."""
        made = super().__new__(cls, pattern % values if values else pattern)
        made.pattern, made.values = pattern, values
        return made


def say(pattern: str, **values: object) -> Words:
    """A text from a pattern with named places, `%(name)s`; the pattern is its key in the catalogues of translations."""
    return Words(pattern, values)


def in_language(text: str) -> str:
    """The text in the active language, its values too; a text that is not Words stays as it is."""
    if not isinstance(text, Words):
        return text
    values = {name: in_language(value) if isinstance(value, str) else value for name, value in text.values.items()}
    pattern = gettext(text.pattern) if text.pattern else ""
    return pattern % values if values else pattern
