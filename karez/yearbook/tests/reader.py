"""A reader with every published file: what each tells of each figure at each place, and all its text. Holds no test."""

import html
import io
import re
import zipfile
from pathlib import Path

from pypdf import PdfReader

_TEXT = (".html", ".css", ".csv", ".json", ".txt")


def texts_of(folder: Path) -> dict[str, str]:
    """The text of every file in a folder: of a Word document and a workbook all their parts, of a PDF what it sets."""
    return {path.relative_to(folder).as_posix(): _text(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def _text(path: Path) -> str:
    if path.suffix in _TEXT:
        return html.unescape(path.read_text(encoding="utf-8"))
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in PdfReader(path).pages)
    assert path.suffix in (".docx", ".xlsx"), path
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        parts = [archive.read(n).decode() for n in archive.namelist() if n.endswith((".xml", ".rels"))]
    return html.unescape(re.sub(r"<[^>]*>", " ", "\n".join(parts)))
