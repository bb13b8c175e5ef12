"""Work counted instead of time: calls of functions, which are the same on a busy machine. Holds no tests."""

import sys
from collections.abc import Callable


def calls(function: Callable[[], object]) -> int:
    """How many functions are called, of Python and of its libraries, until the function ends."""
    count = 0

    def seen(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count
