"""From a workbook (XLSX) to CSV, by the one reader of workbooks (`kernel/workbook`). Holds its limits here, which sheet
is read, and the words.

What is to be told of the workbook as a whole becomes notices; a cell that cannot be read is a mark in the CSV and a
fault once the file is typed (`kernel/workbook/marks.py`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from karez.intake import limits
from karez.kernel.messages import Number, say
from karez.kernel.refusal import Refusal
from karez.kernel.workbook import reading
from karez.kernel.workbook.reading import Limits, Reading, SheetHead, WorkbookRefused, read_workbook

Notice = Callable[[str, str], None]
_NOTICED = ("hidden_row", "hidden_column", "far_cell", "yearless_day")


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook, of the old kind too, which is refused when it is read."""
    with path.open("rb") as file:
        return reading.is_workbook(file.read(8))


def workbook_to_csv(
    path: Path, target: Path, told: Notice, shown: Callable[[str], str], known: Callable[[Sequence[str]], bool]
) -> Reading:
    """Writes one sheet as CSV (UTF-8): of those shown the first whose first line has a heading that is `known`, else
    the first.

    What is to be noticed is handed to `told`; words of the file (names of sheets, what stands far from the table) in it
    as `shown` says.

    Refuses what is too large, broken or not a workbook.
    """

    def choose(sheets: list[SheetHead]) -> int:
        return next((place for place, sheet in enumerate(sheets) if known(sheet.head)), 0)

    try:
        with path.open("rb") as source, target.open("wb") as out:
            read = read_workbook(source, out, _limits(), choose)
    except WorkbookRefused as no:
        raise _refusal(no) from None
    for what, found in _notices(read, shown):
        told(what, found)
    return read


def _notices(read: Reading, shown: Callable[[str], str]) -> list[tuple[str, str]]:
    told = [("sheet_read", shown(read.sheet))] if read.others or read.hidden else []
    told += [("other_sheet", shown(name)) for name in read.others[:20]]
    told += [("hidden_sheet", shown(name)) for name in read.hidden[:20]]
    if read.first > 1:
        told.append(("empty_rows_above", str(read.first - 1)))
    for kind in _NOTICED:
        if many := read.counts.get(kind, 0):
            parted = (place.partition(" ") for place in read.places[kind])  # behind a far cell stands what it says
            places = ", ".join(place + blank + (words and shown(words)) for place, blank, words in parted)
            told.append((kind, places if many == len(read.places[kind]) else f"{places}, … ({many:,})"))
    return told


def _limits() -> Limits:
    return Limits(
        memory=limits.XLSX_MEMORY_BYTES,
        seconds=limits.XLSX_SECONDS,
        unpacked=limits.XLSX_UNPACKED_BYTES,
        rows=limits.XLSX_ROWS,
        columns=limits.XLSX_COLUMNS,
        cells=(limits.XLSX_ROWS + 1) * limits.XLSX_COLUMNS,
        text=limits.XLSX_TEXT,
    )


def _refusal(no: WorkbookRefused) -> Refusal:
    if no.why == "rows":
        return _too_large(say("more than {rows} rows", rows=Number(limits.XLSX_ROWS)))
    if no.why == "far":
        return _refused(
            say(
                "something in the cell {found}, beyond the column {columns}",
                found=no.found,
                columns=limits.XLSX_COLUMNS,
            ),
            say("at most {columns} columns", columns=limits.XLSX_COLUMNS),
            say("delete what stands so far to the right, or save the table as CSV UTF-8"),
        )
    if no.why in ("unpacked", "cells"):
        return _too_large(say("a workbook too large when unpacked"))
    if no.why == "text":
        return _too_large(say("more than {limit} characters in its cells", limit=Number(limits.XLSX_TEXT)))
    if no.why in ("sheets", "merged"):
        return _too_large(say("more sheets or merged cells than a table has"))
    if no.why == "memory":
        return _too_large(say("a workbook that takes more memory than it may"))
    if no.why == "time":
        return _too_large(say("a workbook that takes longer to read than it may"))
    if no.why == "old":
        return _refused(
            say("an old (.xls) or password-protected workbook"),
            say("XLSX or CSV"),
            say("save it as XLSX without password, or as CSV"),
        )
    if no.why == "no_workbook":
        return _refused(
            say("an archive without worksheets, or a workbook of another kind"),
            say("XLSX or CSV"),
            say("save the table as XLSX or CSV"),
        )
    if no.why == "hidden":
        return _refused(
            say("a workbook whose sheets are all hidden"),
            say("a sheet that is shown"),
            say("show the sheet with the table and save the workbook"),
        )
    if no.why in ("packing", "entities", "markup"):
        return _refused(
            say("a workbook written in a way spreadsheets do not write"),
            say("a sound XLSX file"),
            say("open it and save it again"),
        )
    return _refused(
        say("a workbook that cannot be read ({found})", found=no.found),
        say("a sound XLSX file"),
        say("open it and save it again"),
    )


def _too_large(found: str) -> Refusal:
    return Refusal(
        "intake.too_large",
        record=say("the workbook"),
        found=found,
        expected=say(
            "at most {rows} rows of {columns} columns, {size} MiB unpacked",
            rows=Number(limits.XLSX_ROWS),
            columns=limits.XLSX_COLUMNS,
            size=limits.XLSX_UNPACKED_BYTES // limits.MIB,
        ),
        rule=say("memory and time for reading a workbook are bounded"),
        todo=say("save the table as CSV UTF-8: it may have millions of rows"),
    )


def _refused(found: str, expected: str, todo: str) -> Refusal:
    return Refusal(
        "intake.unreadable",
        record=say("the workbook"),
        found=found,
        expected=expected,
        rule=say("a file that cannot be read to its end is not kept"),
        todo=todo,
    )
