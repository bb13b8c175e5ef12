"""Counts and sums of a file as they are told, on the page and at the console."""

from karez.cli.loading import codes_in_words, in_words
from karez.intake.totals import kept, told
from karez.kernel.sheets import Total


def test_money_is_told_in_yuan_and_every_number_with_separators() -> None:
    assert told(kept(Total("net income", "", "fen"), 105_000_000)) == ("net income", "yuan", "1,050,000.00")
    assert told(kept(Total("persons", ""), 28_258)) == ("persons", "", "28,258")
    assert told(kept(Total("area", "", "mu"), "1234.50")) == ("area", "mu", "1,234.5")
    assert told({"label": "first day", "value": "2009-03-02", "unit": "day"}) == ("first day", "", "2009-03-02")


def test_the_sum_over_nothing_is_nought() -> None:
    assert told(kept(Total("net income", "", "fen"), None)).number == "0.00"
    assert told({"label": "persons", "value": None, "unit": ""}).number == "0"  # as a batch of before kept it


def test_the_console_tells_the_same() -> None:
    totals = [
        kept(Total("rows", ""), 28_258),
        kept(Total("amount", "", "fen"), 1_234_567),
        kept(Total("size", ""), None),
    ]
    words = in_words(
        {
            "batch": 1,
            "file": "f",
            "state": "checked",
            "state_in_words": "checked",
            "rows": 1,
            "faults": 0,
            "questions": 0,
            "notices": [],
            "not_judged": [],
            "totals": totals,
            "fault_rows": [],
            "question_rows": [],
        }
    )
    assert words["totals"] == "rows: 28,258; amount: 12,345.67 yuan; size: 0"


def test_codes_are_told_with_the_words_read_as_them() -> None:
    assert codes_in_words({"woman": "woman", "女": "woman", "man": "man"}) == "woman (女); man"
