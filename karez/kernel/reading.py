"""What a page that only reads asks the database once, however often it is asked: for one answer, and no longer.

Holds the remembering, not what is remembered. Outside `while_reading`, as at the console, in jobs and where something
is written, every question is asked anew.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers of this page", default=None)


@contextmanager
def while_reading() -> Iterator[None]:
    """Within it, what is marked `once_a_page` is asked once for the same words."""
    before = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(before)


def once_a_page(ask: Callable[P, T]) -> Callable[P, T]:
    """A question with words that can be keys; an answer is remembered, a refusal is not."""

    @wraps(ask)
    def asked(*words: P.args, **named: P.kwargs) -> T:
        answers = _answers.get()
        if answers is None:
            return ask(*words, **named)
        key = (ask, words, tuple(sorted(named.items())))
        if key not in answers:
            answers[key] = ask(*words, **named)
        return cast("T", answers[key])

    return asked
