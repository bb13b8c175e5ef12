"""What a cell says that holds something but no value to be read: errors of a spreadsheet, and marks of our own in the
same form.

A mark is the text of its cell, so it goes with the table wherever that goes, and a CSV file saved from a workbook
brings the errors just so. Whoever reads a cell asks `is_mark` first (in SQL: `PATTERN`). A formula without a result is
not among them: its text is the formula, `=A1+B1`, which no column takes.
"""

import re

ERRORS = (
    "NULL!", "DIV/0!", "VALUE!", "REF!", "NAME?", "NUM!", "N/A", "GETTING_DATA", "SPILL!", "CALC!", "FIELD!", "BLOCKED!",
    "CONNECT!", "UNKNOWN!", "BUSY!", "PYTHON!", "EXTERNAL!", "TIMEOUT!",
)  # fmt: skip
SHOWN = "#SHOWN!"  # the cell shows something else than it holds: what it holds, what it shows
MERGED = "#MERGED!"  # covered by the cell it is merged with: the range
LONG = "#LONG!"  # longer than a cell can be: how many characters
OURS = (SHOWN, MERGED, LONG)
# The whole text of a cell; read alike by Python and by RE2. Hashes alone are what a cell shows that is too narrow for
# its number.
PATTERN = "(?is)#(?:" + "|".join(re.escape(word) for word in ERRORS) + "|#+|(?:SHOWN|MERGED|LONG)! .*)"
_MARK = re.compile(PATTERN)
# Behind a number the spreadsheet holds as one, where its three decimals could be thousands if a person had written
# them: 12.345.
NUMBER = "\u2060"
_THREE_DECIMALS = re.compile(r"(?<![0-9.])([1-9][0-9]{0,2}\.[0-9]{3})(?![0-9])")


def is_mark(text: str) -> bool:
    """Whether a cell's text says that there is no value."""
    return text.startswith("#") and _MARK.fullmatch(text) is not None


def marked_number(text: str) -> str:
    """The text of a cell that holds a number, marked where its digits alone could be read in two ways."""
    return text + NUMBER if "." in text and not text.startswith("#") and _THREE_DECIMALS.search(text) else text


def without_number_mark(text: str) -> str:
    """The text as the cell shows it."""
    return text.removesuffix(NUMBER)


def read_one_way(text: str) -> str:
    """A marked number with a nought behind its decimals, so that they are decimals to everybody: 12.3450. Other texts
    as they are.
    """
    return _THREE_DECIMALS.sub(r"\g<1>0", without_number_mark(text), count=1) if text.endswith(NUMBER) else text
