"""Amounts: what is read exactly, what is refused rather than guessed."""

import pytest
from django.core.exceptions import ValidationError

from karez.access.pages import WholeField
from karez.kernel.money import format_fen, parse_fen
from karez.kernel.refusal import Refusal


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("1", 100),
        ("1.5", 150),
        ("1.50", 150),
        ("1.5000", 150),
        ("０．０５", 5),
        ("￥1.05万元", 1050000),
        ("0.05", 5),
        ("1,200.50", 120050),
        ("¥1200.5", 120050),
        (" 1200 元 ", 120000),
        ("1,234,567", 123456700),
        ("-3.01", -301),
        ("000012", 1200),
        ("999999999999999.99", 99999999999999999),
    ],
)
def test_amounts_are_read_exactly(text: str, fen: int) -> None:
    assert parse_fen(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "1.005",
        "1.500",
        "150.000",
        "5美元",
        "1,20",
        "12,34.5",
        "1.2.3",
        "1e5",
        "1 200",
        "1'200",
        "1,200,",
        ".5",
        "5.",
        "NaN",
        "infinity",
        "0x10",
        "1.234,50",
        "1234567890123456",
        "9" * 40,
        "(100)",
        "100-",
        "٥",
        "五千",
    ],
)
def test_what_could_mean_two_amounts_or_none_is_refused(text: str) -> None:
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "money.unreadable"):
        parse_fen(text)


def test_what_is_written_is_read_again() -> None:
    for fen in (0, 1, 99, 100, -1, -100, 120050, 10**16 - 1):
        assert parse_fen(format_fen(fen)) == fen


def test_a_form_reads_a_whole_number_as_a_file_does() -> None:
    field = WholeField(required=False)
    assert [field.clean(text) for text in ("12", "１２", "1,080", "7.0", 7, "")] == [12, 12, 1080, 7, 7, None]
    for text in ("1.000", "1_000", "1e3", "٣", "7.5", "(7)", "0x10"):
        with pytest.raises(ValidationError):
            field.clean(text)
