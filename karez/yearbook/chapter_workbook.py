"""The first sheet of a workbook (XLSX) in memory as rows of texts, each with its number in the spreadsheet. Holds no meaning of columns.

A formula's cell is its value. The workbook is measured before it is opened, because a reader makes room for every cell
between the first and the last.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from karez.kernel.archives import BROKEN, has_other_table, is_panic, packed_plainly
from karez.kernel.words import say

MAX_UNPACKED = 96 * 1024 * 1024
MAX_PARTS = 2_000
MAX_CELLS = 3_000_000  # of the rectangle from A1 to the last cell
_CELL = re.compile(rb"<(?:\w+:)?(row|c)(?=[\s/>])(?:[^<>]*?\sr=[\"']([A-Z]{0,3})(\d{0,7})[\"'])?")
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class WorkbookError(ValueError):
    """A workbook that cannot be used: what was found, what was expected."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.found, self.expected = found, expected


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are a zip archive, as workbooks are, or a workbook of the old kind."""
    return data.startswith((b"PK\x03\x04", _OLD))


def rows_of_workbook(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet, counted as the spreadsheet counts; raises WorkbookError where it is too large or broken."""
    if data.startswith(_OLD):
        raise WorkbookError(say("an old (.xls) or password-protected workbook"), say("XLSX without password, or CSV"))
    try:
        _measure(data)
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            rows = [[_text(cell) for cell in cells] for cells in book.get_sheet_by_index(0).iter_rows()]
    except WorkbookError:
        raise
    except (CalamineError, *BROKEN) as error:
        raise _unreadable() from error
    except BaseException as error:
        if is_panic(error):
            raise _unreadable() from None
        raise
    yield from enumerate(rows, start=1)


def _measure(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > MAX_UNPACKED or len(parts) > MAX_PARTS:
            raise _too_large()
        if not any(part.filename.lower().startswith("xl/worksheets/sheet") for part in parts) or has_other_table(parts):
            raise WorkbookError(say("an archive without worksheets"), say("a CSV or XLSX file"))
        if not packed_plainly(parts):
            raise WorkbookError(say("an archive packed in a way spreadsheets do not use"), say("a sound XLSX file; open it and save it again"))
        for page in parts:  # all of them: a workbook may say that any part is its first sheet
            with archive.open(page) as file:
                _measure_page(file.read(page.file_size + 1), page.file_size)


def _measure_page(text: bytes, declared: int) -> None:
    if len(text) > declared:
        raise _too_large()
    height = width = across = row = 0
    for found in _CELL.finditer(text):
        kind, letters, number = found.groups()
        if kind == b"row":
            across, row = 0, row + 1
        else:
            across = _column(letters) if letters else across + 1
        height, width = max(height, row, int(number or 0)), max(width, across)
        if height * width > MAX_CELLS:
            raise _too_large()


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = 26 * place + letter - 64
    return place


def _text(cell: Any) -> str:
    """A cell as a CSV file would have it: plain digits (fifteen, as spreadsheets show), days in ISO form."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return format(Decimal(format(cell, ".15g")), "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _too_large() -> WorkbookError:
    return WorkbookError(
        say("a workbook too large when unpacked"),
        say("at most %(cells)s cells in the first sheet; a larger table as CSV", cells=f"{MAX_CELLS:,}"),
    )


def _unreadable() -> WorkbookError:
    return WorkbookError(say("a workbook that cannot be read"), say("a sound XLSX file; open it and save it again"))
