"""A question marked `once_a_page`: asked once while a page reads, anew everywhere else, and never answered for another
thread.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from karez.kernel.reading import once_a_page, while_reading

_asked: list[tuple[int, str]] = []


@once_a_page
def _question(number: int, *, word: str = "") -> int:
    _asked.append((number, word))
    if number < 0:
        raise ValueError(number)
    return len(_asked)


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:
    _asked.clear()


def test_once_while_a_page_reads_and_anew_outside() -> None:
    assert [_question(1), _question(1)] == [1, 2]
    with while_reading():
        assert [_question(1), _question(1), _question(2), _question(1, word="a"), _question(1, word="a")] == [
            3,
            3,
            4,
            5,
            5,
        ]
    with while_reading():
        assert _question(1) == 6
    assert _question(1) == 7


def test_a_refusal_is_not_remembered() -> None:
    with while_reading():
        for _ in range(2):
            with pytest.raises(ValueError, match="-1"):
                _question(-1)
    assert len(_asked) == 2


def test_pages_answered_at_the_same_time_do_not_share() -> None:
    def page(n: int) -> int:
        with while_reading():
            return _question(1) - _question(1)

    with while_reading(), ThreadPoolExecutor(4) as pages:
        assert list(pages.map(page, range(8))) == [0] * 8
    assert len(_asked) == 8
