"""The process that reads a workbook: it limits itself before it opens anything, and talks with the one who started it
in lines of JSON.

    < {"source": 5, "target": 6, "memory": ..., ...}       two open files by number, and the limits
    > {"sheets": [{"name": ..., "head": [...]}, ...]}      the sheets that are shown, with their first rows
    < {"sheet": 0}                                         which one to read
    > {"done": {...}}  or at any time  {"refused": why, "found": ...}

The rows go to the target as CSV, one record for each row of the spreadsheet. It imports the standard library and its
own folder alone.
"""

import csv
import io
import json
import os
import resource
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO

from karez.kernel.archives import BROKEN
from karez.kernel.workbook.cells import Cells, Range, Told, first_row, to_mark
from karez.kernel.workbook.parts import Book, Refused, Sheet, open_book

HEADS = 50  # sheets whose first row is told
HEAD_TEXT = 200  # characters of each cell of it


def main() -> None:
    """Reads one workbook as ordered, and ends."""
    order = json.loads(sys.stdin.buffer.readline())
    _bound(order)
    try:
        with os.fdopen(order["source"], "rb") as source, os.fdopen(order["target"], "wb") as target:
            _tell({"done": read(source, target, order, _chosen)})
    except Refused as no:
        _tell({"refused": no.why, "found": no.found})
    except MemoryError:
        _tell({"refused": "memory", "found": ""})


def read(
    source: IO[bytes], target: BinaryIO, order: dict[str, int], choose: Callable[[list[dict[str, Any]]], int]
) -> dict[str, Any]:
    """Writes the chosen sheet to the target and returns what is to be told of it; raises Refused."""
    try:
        with zipfile.ZipFile(source) as archive:
            return _read(open_book(archive, order["unpacked"]), target, order, choose)
    except (*BROKEN, OverflowError) as error:
        raise Refused("broken", str(error)[:200]) from error


def _chosen(heads: list[dict[str, Any]]) -> int:
    _tell({"sheets": heads})
    return int(json.loads(sys.stdin.buffer.readline())["sheet"])


def _bound(order: dict[str, int]) -> None:
    """From here on more memory or time is not to be had."""
    for what, most in (
        (resource.RLIMIT_AS, order["memory"]),
        (resource.RLIMIT_CPU, order["seconds"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    sys.setrecursionlimit(200)


def _read(
    book: Book, target: BinaryIO, order: dict[str, int], choose: Callable[[list[dict[str, Any]]], int]
) -> dict[str, Any]:
    shown = [sheet for sheet in book.sheets if not sheet.hidden]
    if not shown:
        raise Refused("hidden")
    heads = [_head(book, sheet, order["columns"]) if len(shown) > 1 else [] for sheet in shown[:HEADS]]
    sheet = shown[choose([{"name": sheet.name, "head": head} for sheet, head in zip(shown, heads, strict=False)])]
    rows = _Writer(target, order)
    cells = Cells(book, rows.write, columns=order["columns"])
    cells.read(sheet)
    if merged := to_mark(cells.ranges):  # known only at the end of a sheet
        rows.end()
        target.seek(0)
        target.truncate()
        rows = _Writer(target, order)
        cells = Cells(book, rows.write, columns=order["columns"], merged=merged)
        cells.read(sheet)
    rows.end()
    return _done(book, sheet, [other for other in book.sheets if other is not sheet], rows, cells.told, merged)


def _done(
    book: Book, sheet: Sheet, others: list[Sheet], rows: "_Writer", told: Told, merged: list[Range]
) -> dict[str, Any]:
    return {
        "sheet": sheet.name,
        "others": [other.name for other in others if not other.hidden],
        "hidden": [other.name for other in others if other.hidden],
        "rows": rows.rows,
        "first": rows.first,
        "merged": [str(one) for one in merged[:20]],
        "places": told.places,
        "counts": told.counts,
        "elements": book.elements,
        "looked": book.looked,
        "peak_kib": _peak_kib(),
    }


def _head(book: Book, sheet: Sheet, columns: int) -> list[str]:
    try:
        return [cell[:HEAD_TEXT] for cell in first_row(book, sheet, columns)]
    except Refused as no:
        if no.why == "broken":  # another sheet may be sound
            return []
        raise


class _Writer:
    """Rows as CSV, an empty record for each row that holds nothing; no more of them than ordered."""

    def __init__(self, target: BinaryIO, order: dict[str, int]) -> None:
        self.out = io.TextIOWrapper(target, encoding="utf-8", errors="replace", newline="")
        self.record = csv.writer(self.out, lineterminator="\n").writerow
        self.order, self.rows, self.first, self.line, self.cells, self.text = order, 0, 0, 0, 0, 0

    def write(self, line: int, cells: list[str]) -> None:
        self.rows, self.cells = self.rows + 1, self.cells + len(cells)
        self.text += sum(map(len, cells)) + len(cells)
        if self.rows > self.order["rows"] + 1:  # and the headings
            raise Refused("rows")
        if self.cells > self.order["cells"]:
            raise Refused("cells")
        if self.text > self.order["text"]:
            raise Refused("text")
        if line > self.line + 1:
            self.out.write("\n" * (line - self.line - 1))
        self.record(cells)
        self.line, self.first = line, self.first or line

    def end(self) -> None:
        """Hands over what is written; the file stays open."""
        self.out.flush()
        self.out.detach()


def _peak_kib() -> int:
    status = Path("/proc/self/status").read_text(
        encoding="ascii", errors="replace"
    )  # getrusage counts what the parent had
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _tell(what: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(what).encode() + b"\n")
    sys.stdout.buffer.flush()
