"""What is read of a ZIP archive somebody sent: members as they are or deflated, and every way in which reading one may
break. Opens nothing.

Python unpacks more than spreadsheets write (LZMA, bzip2); what nobody needs is a way in, so it is refused before it is
opened.
"""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable

PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, OSError, RuntimeError, NotImplementedError, ValueError, LookupError,
)  # fmt: skip
# Zipped tables of other kinds that a reader of workbooks would take by their parts, whatever they are called.
OTHER_TABLES = ("content.xml", "xl/workbook.bin", "index/document.iwa")


def packed_plainly(parts: Iterable[zipfile.ZipInfo]) -> bool:
    """Whether all members are packed as spreadsheets and packages pack them."""
    return all(part.compress_type in PACKINGS for part in parts)


def has_other_table(parts: Iterable[zipfile.ZipInfo]) -> bool:
    """Whether a member makes the archive a table of another kind than XLSX."""
    return any(part.filename.replace("\\", "/").lower() in OTHER_TABLES for part in parts)


def is_panic(error: BaseException) -> bool:
    """Whether a reader written in Rust gave up on what it met: that is no Exception, and yet only this file is to
    blame.
    """
    return type(error).__name__ == "PanicException"


__all__ = ["BROKEN", "OTHER_TABLES", "PACKINGS", "has_other_table", "is_panic", "packed_plainly"]
