"""Which standard a grant is judged by."""

from datetime import date

import pytest

from karez.funds.rules import Standard, check_grant, standard_for
from karez.kernel.refusal import Refusal

NEW_YEAR = date(2009, 1, 1)
STANDARDS = (
    Standard("any", 150_000_00, 200_000_00, date(2006, 5, 1), NEW_YEAR),
    Standard("small", 200_000_00, 200_000_00, NEW_YEAR, None),
    Standard("big", 300_000_00, 300_000_00, NEW_YEAR, None),
)


@pytest.mark.parametrize(
    ("size", "day", "low"),
    [
        ("old", date(2008, 12, 31), 150_000_00),
        ("small", date(2008, 12, 31), 150_000_00),
        ("small", NEW_YEAR, 200_000_00),
        ("big", NEW_YEAR, 300_000_00),
        ("old", NEW_YEAR, None),
        ("big", date(2006, 4, 30), None),
    ],
)
def test_standard_for(size: str, day: date, low: int | None) -> None:
    found = standard_for(STANDARDS, size_class=size, day=day)
    assert (found.low_fen if found else None) == low


@pytest.mark.parametrize(
    ("standard", "fen", "code"),
    [
        (None, 1, "funds.no_standard"),
        (STANDARDS[0], 149_999_99, "funds.outside_standard"),
        (STANDARDS[0], 200_000_01, "funds.outside_standard"),
        (STANDARDS[0], 150_000_00, None),
        (STANDARDS[0], 200_000_00, None),
    ],
)
def test_check_grant(standard: Standard | None, fen: int, code: str | None) -> None:
    words = {"amount_fen": fen, "programme": "mutual_funds", "day": NEW_YEAR, "record": "village"}
    if code is None:
        check_grant(standard, **words)
        return
    with pytest.raises(Refusal) as no:
        check_grant(standard, **words)
    assert no.value.code == code
