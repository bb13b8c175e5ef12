"""From a workbook (XLSX) to CSV: guarded against bombs, first sheet only, cells as values. Holds no typing of cells.

A workbook is measured before it is opened: unpacked sizes as its directory declares them, and the last row and column its
cells name, because a reader makes room for every cell between the first and the last.
"""

import csv
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from karez.intake import limits
from karez.kernel.archives import BROKEN, has_other_table, is_panic, packed_plainly
from karez.kernel.refusal import Refusal

_FAR = rb"(?:[A-Za-z]{3,}|[Cc][W-Zw-z]|[D-Zd-z][A-Za-z])"  # beyond CV, the 100th column
_TOO_FAR = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br\s*=\s*[\"']" + _FAR + rb"\d+[\"']")
_ROW = re.compile(rb"\br\s*=\s*[\"'][A-Za-z]*(\d{6,})[\"']")
# Rows and cells need not say where they are; such ones are counted one by one.
_UNPLACED = re.compile(rb"<(?:\w+:)?(?:row|c)(?=[\s/>])(?![^>]*?\sr\s*=)")
_ELEMENT = re.compile(rb"<(?:\w+:)?(row|c)(?=[\s/>])")
_OVERLAP = 4096


def is_workbook(path: Path) -> bool:
    """Whether a file is a zip archive, as workbooks are; refuses a workbook of the old kind."""
    with path.open("rb") as file:
        head = file.read(8)
    if head == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise _refused("an old (.xls) or password-protected workbook", "XLSX or CSV", "save it as XLSX without password, or as CSV")
    return head[:4] == b"PK\x03\x04"


def workbook_to_csv(path: Path, target: Path, notice: Callable[[str, str], None]) -> None:
    """Writes the first sheet as CSV (UTF-8); refuses what is too large, broken or not a workbook."""
    _measure(path)
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            for name in book.sheet_names[1:]:
                notice("other_sheet", name)
            rows = book.get_sheet_by_index(0)
            # Rows before the first cell that holds something are counted too, so that faults name the row a person sees.
            skipped = rows.start[0] if rows.start else 0
            with target.open("w", encoding="utf-8", newline="") as out:
                write = csv.writer(out, lineterminator="\n").writerow
                if skipped:
                    notice("empty_rows_above", str(skipped))
                for cells in rows.iter_rows():
                    write([_text(cell) for cell in cells])
    except (CalamineError, OSError, ValueError, LookupError) as error:
        raise _refused(f"a workbook that cannot be read ({error})", "a sound XLSX file", "open it and save it again") from error
    except BaseException as error:
        if is_panic(error):
            raise _refused("a workbook that cannot be read", "a sound XLSX file", "open it and save it again") from None
        raise


def _measure(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            packed = [p for p in parts if p.file_size > limits.MIB and p.file_size > limits.XLSX_PACKING * max(p.compress_size, 1)]
            if unpacked > limits.XLSX_UNPACKED_BYTES or packed or len(parts) > 10_000:
                raise _too_large(f"{unpacked // limits.MIB:,} MiB unpacked from {path.stat().st_size:,} bytes")
            names = [p.filename.replace("\\", "/").lower() for p in parts]
            if not any(n.startswith("xl/worksheets/") and n.endswith(".xml") for n in names) or has_other_table(parts):
                raise _refused("an archive without worksheets, or a workbook of another kind", "XLSX or CSV", "save the table as XLSX or CSV")
            if not packed_plainly(parts):
                raise _refused("an archive packed in a way spreadsheets do not use", "a sound XLSX file", "open it and save it again")
            for page in parts:  # all of them: a workbook may say that any part is its first sheet
                _measure_page(archive, page)
    except BROKEN as error:
        raise _refused(f"a broken archive ({error})", "a sound XLSX file", "open it and save it again") from error


def _measure_page(archive: zipfile.ZipFile, page: zipfile.ZipInfo) -> None:
    read, rest, cells, rows = 0, b"", 0, 0
    with archive.open(page) as file:
        while block := file.read(limits.MIB):
            read += len(block)
            if read > page.file_size:
                raise _too_large("a part larger than it declares")
            block = rest + block
            if _TOO_FAR.search(block):
                raise _too_large(f"cells beyond the column {limits.XLSX_COLUMNS}")
            if any(int(found[1]) > limits.XLSX_ROWS + 1 for found in _ROW.finditer(block)):
                raise _too_large(f"more than {limits.XLSX_ROWS:,} rows")
            if _UNPLACED.search(block):
                cells, rows = _counted(block, cells, rows)
            rest = block[-_OVERLAP:]


def _counted(block: bytes, cells: int, rows: int) -> tuple[int, int]:
    """Cells of the last row and rows so far, where they do not say where they are; refuses too many of either."""
    for element in _ELEMENT.finditer(block, _OVERLAP if rows else 0):
        if element[1] == b"row":
            cells, rows = 0, rows + 1
        else:
            cells += 1
        if cells > limits.XLSX_COLUMNS:
            raise _too_large(f"cells beyond the column {limits.XLSX_COLUMNS}")
        if rows > limits.XLSX_ROWS + 1:
            raise _too_large(f"more than {limits.XLSX_ROWS:,} rows")
    return cells, rows


def _text(cell: Any) -> str:
    """A cell as CSV has it: days in ISO form, whole numbers without a point, what a formula gave."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        # Fifteen digits are what a spreadsheet shows; more are noise of binary fractions.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell).replace("\r", "")


def _too_large(found: str) -> Refusal:
    return Refusal(
        "intake.too_large", record="the workbook", found=found,
        expected=f"at most {limits.XLSX_ROWS:,} rows of {limits.XLSX_COLUMNS} columns, {limits.XLSX_UNPACKED_BYTES // limits.MIB} MiB unpacked",
        rule="a workbook is read as a whole, so its size is bounded",
        todo="save the table as CSV UTF-8: it may have millions of rows",
    )  # fmt: skip


def _refused(found: str, expected: str, todo: str) -> Refusal:
    return Refusal(
        "intake.unreadable", record="the workbook", found=found, expected=expected,
        rule="a file that cannot be read to its end is not kept", todo=todo,
    )  # fmt: skip
