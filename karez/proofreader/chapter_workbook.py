"""One sheet of a workbook (XLSX) in memory as rows of texts, each with its number in the spreadsheet. Holds no meaning
of columns.

The work is that of the one reader of workbooks (`kernel/workbook`), in a process with limits of its own; here are the
limits of a chapter and the words. A cell reads as it is shown; one that holds no value is a mark, and so a fault of its
row.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from karez.kernel.messages import Message, say
from karez.kernel.workbook import reading
from karez.kernel.workbook.marks import without_number_mark
from karez.kernel.workbook.reading import MIB, Limits, Reading, SheetHead, WorkbookRefused, read_bytes

MAX_CELLS = 3_000_000  # of the rows that hold something
MAX_TEXT = 32 * MIB  # characters: as many as a CSV file may have
LIMITS = Limits(
    memory=256 * MIB, seconds=60, unpacked=96 * MIB, rows=200_001, columns=100, cells=MAX_CELLS, text=MAX_TEXT
)
_SOUND = say("a sound XLSX file; open it and save it again")


class WorkbookError(ValueError):
    """A workbook that cannot be used: what was found, what was expected."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.found, self.expected = found, expected


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are a zip archive, as workbooks are, or a workbook of the old kind."""
    return reading.is_workbook(data[:8])


def rows_of_workbook(
    data: bytes, known: Callable[[Sequence[str]], bool] = bool, tell: Callable[[Message], None] = lambda _words: None
) -> Iterator[tuple[int, list[str]]]:
    """The rows of one sheet, counted as the spreadsheet counts: of those shown the first whose first line is `known`,
    else the first.

    `tell` is told what a reader of the answer should know of the workbook. Raises WorkbookError where it is too large
    or broken.
    """

    def choose(sheets: list[SheetHead]) -> int:
        return next((place for place, sheet in enumerate(sheets) if known(sheet.head)), 0)

    try:
        table, read = read_bytes(data, LIMITS, choose)
    except WorkbookRefused as no:
        raise _error(no) from None
    for words in _told(read):
        tell(words)
    with io.TextIOWrapper(table, encoding="utf-8", newline="") as text:
        for line, cells in enumerate(csv.reader(text), start=1):
            yield line, [without_number_mark(cell) for cell in cells] if read.counts.get("three_decimals") else cells


def _told(read: Reading) -> Iterator[Message]:
    if read.others or read.hidden:
        yield say("Read was the sheet {name}.", name=read.sheet)
    if read.others:
        yield say("Not read: the sheets {names}.", names=", ".join(read.others[:20]))
    if read.hidden:
        yield say("Not read, because they are hidden: the sheets {names}.", names=", ".join(read.hidden[:20]))
    sentences = {
        "hidden_row": say("Hidden rows were read like the others: {places}.", places=_places(read, "hidden_row")),
        "hidden_column": say(
            "Hidden columns were read like the others: {places}.", places=_places(read, "hidden_column")
        ),
        "far_cell": say(
            "Not read, because it stands far beside the column names: {places}.", places=_places(read, "far_cell")
        ),
        "yearless_day": say(
            "Days are shown without their year and were read with it: {places}.", places=_places(read, "yearless_day")
        ),
    }
    yield from (words for kind, words in sentences.items() if read.counts.get(kind))


def _places(read: Reading, kind: str) -> str:
    places = read.places.get(kind, [])
    return ", ".join(places) + (f", … ({read.counts[kind]:,})" if read.counts.get(kind, 0) > len(places) else "")


def _error(no: WorkbookRefused) -> WorkbookError:
    large = say("at most {cells} cells in the sheet; a larger table as CSV", cells=f"{MAX_CELLS:,}")
    found, expected = {
        "old": (say("an old (.xls) or password-protected workbook"), say("XLSX without password, or CSV")),
        "no_workbook": (say("an archive without worksheets"), say("a CSV or XLSX file")),
        "packing": (say("an archive packed in a way spreadsheets do not use"), _SOUND),
        "hidden": (say("a workbook whose sheets are all hidden"), say("a sheet that is shown")),
        "far": (
            say("something in the cell {cell}, far beside the table", cell=no.found),
            say("at most {limit} columns", limit=LIMITS.columns),
        ),
        "text": (say("a workbook with more than {limit} characters", limit=f"{MAX_TEXT:,}"), large),
        "memory": (say("a workbook that takes more memory than it may"), large),
        "time": (say("a workbook that takes longer to read than it may"), large),
        **dict.fromkeys(
            ("unpacked", "rows", "cells", "sheets", "merged"), (say("a workbook too large when unpacked"), large)
        ),
        **dict.fromkeys(("entities", "markup"), (say("a workbook written in a way spreadsheets do not write"), _SOUND)),
    }.get(no.why, (say("a workbook that cannot be read"), _SOUND))
    return WorkbookError(found, expected)
