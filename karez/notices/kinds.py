"""What a document is, by its content alone, and whether anything in it would run. Holds no storage and trusts no name.

A short list of our own: what an office attaches is of six kinds, and each is held to its whole form, not to its first bytes, so that
no file is two things at once. A library that knows hundreds of kinds would tell more kinds, not less that runs.
"""

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from karez.kernel.archives import BROKEN, packed_plainly
from karez.kernel.refusal import Refusal

PDF, PNG, JPEG, TEXT = "application/pdf", "image/png", "image/jpeg", "text/plain"
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX, XLSX = f"{_OFFICE}wordprocessingml.document", f"{_OFFICE}spreadsheetml.sheet"
# Endings under which a kind is handed out; the first where the sender's fits none.
ENDINGS = {PDF: (".pdf",), PNG: (".png",), JPEG: (".jpg", ".jpeg"), TEXT: (".txt", ".csv", ".md"), DOCX: (".docx",), XLSX: (".xlsx",)}

_ARCHIVE_END = b"PK\x05\x06"
_TAIL = 70_000  # bytes in which an archive's directory ends, should one hide behind another file
_INFLATED = 64 * 1024 * 1024  # of a PDF's packed parts, all together
_RUNS_IN_PDF = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|OpenAction\s*<<[^>]*/S\s*/(?:JavaScript|Launch))(?![A-Za-z])")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream\r?\n")
_MARKUP = re.compile(r"<(?:!doctype|\?xml|\?php|%|/?(?:html|head|body|script|svg|iframe|object|embed|math|style|link|meta|form|xsl)\b)", re.IGNORECASE)
_RUNS_IN_PACKAGE = re.compile(r"vbaproject|vbadata|activex|macrosheets|oleobject|/embeddings/|customui|\.(?:bin|exe|dll|js|vbs|hta|html?|svg)$", re.IGNORECASE)
_OUTSIDE = re.compile(rb"(?:attachedTemplate|oleObject|frame|subDocument|externalLink)[^>]*TargetMode\s*=\s*[\"']External|TargetMode\s*=\s*[\"']External[\"'][^>]*(?:attachedTemplate|oleObject|frame|subDocument)", re.IGNORECASE)


def kind_of(name: str, plain: bytes) -> str:
    """The media type of a document; refuses what is none of the six kinds (notices.unknown_type), or would run (notices.runs)."""
    if plain.startswith(b"%PDF-"):
        return _pdf(name, plain)
    if plain.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG if _is_png(plain) else _two_things(name)
    if plain.startswith(b"\xff\xd8\xff"):
        return JPEG if plain.rstrip(b"\0\r\n ").endswith(b"\xff\xd9") or _ARCHIVE_END not in plain[-_TAIL:] else _two_things(name)
    if plain.startswith(b"PK\x03\x04"):
        return _package(name, plain)
    return _text(name, plain)


def handed_name(name: str, kind: str) -> str:
    """The name a document is kept and handed out under: its own, with the ending of what it is."""
    seen = "".join(sign for sign in Path(name.replace("\\", "/")).name if unicodedata.category(sign)[0] != "C").strip(" .")[:190]
    endings = ENDINGS[kind]
    if Path(seen).suffix.lower() in endings and Path(seen).stem.strip(" ."):
        return seen
    return (Path(seen).stem.strip(" .") or "document") + endings[0]


def _pdf(name: str, plain: bytes) -> str:
    if _ARCHIVE_END in plain[-_TAIL:]:
        return _two_things(name)
    for part in (plain, *_unpacked(plain)):
        if _RUNS_IN_PDF.search(_ESCAPED.sub(lambda sign: bytes([int(sign[1], 16)]), part)):
            raise _runs(name, "a PDF that runs a program or carries another file")
    return PDF


def _unpacked(plain: bytes) -> Iterator[bytes]:
    """The packed parts of a PDF, as far as they unpack; bounded, whatever they claim to be."""
    left = _INFLATED
    for mark in _STREAM.finditer(plain):
        if left <= 0:
            return
        try:
            part = zlib.decompressobj().decompress(plain[mark.end() :], left)
        except zlib.error:
            continue
        left -= len(part) + 64
        yield part


def _is_png(plain: bytes) -> bool:
    """Whether it is chunks up to IEND and nothing behind."""
    at = 8
    while at + 12 <= len(plain):
        length, kind = int.from_bytes(plain[at : at + 4], "big"), plain[at + 4 : at + 8]
        at += 12 + length
        if kind == b"IEND":
            return at == len(plain)
    return at == 8 and _ARCHIVE_END not in plain[-_TAIL:]  # a picture cut off shows nothing, and runs nothing


def _package(name: str, plain: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(plain)) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            kind = DOCX if "word/document.xml" in names else XLSX if "xl/workbook.xml" in names else ""
            if not kind or "[Content_Types].xml" not in names or not packed_plainly(parts) or len(names) != len(parts):
                raise _unknown(name)
            told = b"".join(_small(archive, part) for part in parts if part.filename == "[Content_Types].xml" or part.filename.endswith(".rels"))
    except BROKEN as fault:
        raise _unknown(name) from fault
    if any(_RUNS_IN_PACKAGE.search(one) for one in names) or b"macroEnabled" in told or _OUTSIDE.search(told):
        raise _runs(name, "a document with macros, embedded files or parts fetched from elsewhere")
    return kind


def _small(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    with archive.open(part) as file:
        return file.read(1024 * 1024)


def _text(name: str, plain: bytes) -> str:
    if not plain or b"\0" in plain:
        raise _unknown(name)
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise _unknown(name) from fault
    if _MARKUP.search(text) or text.lstrip().startswith(("#!", "MZ", "{\\rtf", "<")):
        raise _runs(name, "markup or a script")
    return TEXT


def _two_things(name: str) -> str:
    raise _runs(name, "a file that is two things at once")


def _unknown(name: str) -> Refusal:
    return Refusal(
        "notices.unknown_type", record=name, found="an empty file, or one of another kind",
        expected="PDF, PNG, JPEG, DOCX, XLSX or plain text in UTF-8",
        rule="a document is something every office can open and no browser runs", todo="save or scan it as PDF",
    )  # fmt: skip


def _runs(name: str, found: str) -> Refusal:
    return Refusal(
        "notices.runs", record=name, found=found, expected="a document that is only read",
        rule="nothing is kept that would run where it is opened", todo="print it to PDF, or scan it, and attach that",
    )  # fmt: skip
