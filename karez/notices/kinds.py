"""What a document is, by its content alone, and whether anything in it would run. Holds no storage and trusts no name.

A short list of our own: what an office attaches is of six kinds, and each is held to its whole form, not to its first
bytes, so that no file is two things at once. A library that knows hundreds of kinds would tell more kinds, not less
that runs.
"""

import io
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path

from karez.kernel.archives import BROKEN, packed_plainly
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.kernel.workbook.parts import Book, Refused
from karez.notices import running

PDF, PNG, JPEG, TEXT = "application/pdf", "image/png", "image/jpeg", "text/plain"
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX, XLSX = f"{_OFFICE}wordprocessingml.document", f"{_OFFICE}spreadsheetml.sheet"
# Endings under which a kind is handed out; the first where the sender's fits none.
ENDINGS = {
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    TEXT: (".txt", ".csv", ".md"),
    DOCX: (".docx",),
    XLSX: (".xlsx",),
}

_ARCHIVE_END = b"PK\x05\x06"
_TAIL = 70_000  # bytes in which an archive's directory ends, should one hide behind another file
_MARKUP = re.compile(
    r"<(?:!doctype|\?xml|\?php|%|/?(?:html|head|body|script|svg|iframe|object|embed|math|style|link|meta|form|xsl)\b)",
    re.IGNORECASE,
)
_RUNS_IN_PACKAGE = re.compile(
    r"vbaproject|vbadata|activex|macrosheets|oleobject|/embeddings/|customui|\.(?:bin|exe|dll|js|vbs|hta|html?|svg)$",
    re.IGNORECASE,
)
# Relations whose target is fetched, or opened, with the document; a hyperlink is only followed when somebody clicks.
_FETCHED = re.compile("attachedtemplate|oleobject|frame|subdocument|externallink")
_TOLD = 4 * 1024 * 1024  # of what a package says of its parts, all together
_PARTS = 10_000


def kind_of(name: str, plain: bytes) -> str:
    """The media type of a document; refuses what is none of the six kinds (notices.unknown_type), or would run
    (notices.runs).
    """
    if plain.startswith(b"%PDF-"):
        return _pdf(name, plain)
    if plain.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG if _is_png(plain) else _two_things(name)
    if plain.startswith(b"\xff\xd8\xff"):
        return (
            JPEG
            if plain.rstrip(b"\0\r\n ").endswith(b"\xff\xd9") or _ARCHIVE_END not in plain[-_TAIL:]
            else _two_things(name)
        )
    if plain.startswith(b"PK\x03\x04"):
        return _package(name, plain)
    return _text(name, plain)


def handed_name(name: str, kind: str) -> str:
    """The name a document is kept and handed out under: its own, with the ending of what it is."""
    seen = "".join(sign for sign in Path(name.replace("\\", "/")).name if unicodedata.category(sign)[0] != "C").strip(
        " ."
    )[:190]
    endings = ENDINGS[kind]
    if Path(seen).suffix.lower() in endings and Path(seen).stem.strip(" ."):
        return seen
    return (Path(seen).stem.strip(" .") or "document") + endings[0]


def _pdf(name: str, plain: bytes) -> str:
    if _ARCHIVE_END in plain[-_TAIL:]:
        return _two_things(name)
    try:
        if running.runs(plain):
            raise _runs(name, say("a PDF that runs a program or carries another file"))
    except running.TooMuch:
        raise _runs(name, say("a PDF whose packed parts are more than can be looked through")) from None
    return PDF


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
            if (
                not kind
                or "[Content_Types].xml" not in names
                or not packed_plainly(parts)
                or len(names) != len(parts)
                or len(parts) > _PARTS
            ):
                raise _unknown(name)
            runs = any(_RUNS_IN_PACKAGE.search(one) for one in names) or _says_it_runs(archive, parts)
    except (*BROKEN, Refused) as fault:
        raise _unknown(name) from fault
    if runs:
        raise _runs(name, say("a document with macros, embedded files or parts fetched from elsewhere"))
    return kind


def _says_it_runs(archive: zipfile.ZipFile, parts: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether a package says of a part that it holds macros or comes from elsewhere: its list of kinds and its
    relations, read as XML.
    """
    told = [part for part in parts if part.filename == "[Content_Types].xml" or part.filename.lower().endswith(".rels")]
    if sum(part.file_size for part in told) > _TOLD:
        raise Refused("unpacked")
    runs = False

    def start(element: str, attributes: dict[str, str]) -> None:
        nonlocal runs
        if element.rpartition(" ")[2] == "Relationship":
            away = attributes.get("TargetMode", "").strip().lower() == "external" or "://" in attributes.get(
                "Target", ""
            )
            runs = runs or (away and _FETCHED.search(attributes.get("Type", "").lower()) is not None)
        else:
            runs = runs or "macroenabled" in attributes.get("ContentType", "").lower()

    book = Book(archive)
    for part in told:
        book.parse(part, start)
    return runs


def _text(name: str, plain: bytes) -> str:
    if not plain or b"\0" in plain:
        raise _unknown(name)
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise _unknown(name) from fault
    if _MARKUP.search(text) or text.lstrip().startswith(("#!", "MZ", "{\\rtf", "<")):
        raise _runs(name, say("markup or a script"))
    return TEXT


def _two_things(name: str) -> str:
    raise _runs(name, say("a file that is two things at once"))


def _unknown(name: str) -> Refusal:
    return Refusal(
        "notices.unknown_type",
        record=name,
        found=say("an empty file, or one of another kind"),
        expected=say("PDF, PNG, JPEG, DOCX, XLSX or plain text in UTF-8"),
        rule=say("a document is something every office can open and no browser runs"),
        todo=say("save or scan it as PDF"),
    )


def _runs(name: str, found: str) -> Refusal:
    return Refusal(
        "notices.runs",
        record=name,
        found=found,
        expected=say("a document that is only read"),
        rule=say("nothing is kept that would run where it is opened"),
        todo=say("print it to PDF, or scan it, and attach that"),
    )
