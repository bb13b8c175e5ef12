"""The parts of a workbook beside its cells: which sheets it has, its number formats, its table of texts. Read in
pieces, bounded.

Every part goes through `parse`: no declared document type (so no entity of the file's own), no piece of markup longer
than `LONGEST_MARKUP`, no part longer than it declares. What is told of each element is one call, so work grows with the
bytes.
"""

import posixpath
import re
import zipfile
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from karez.kernel.archives import has_other_table, packed_plainly
from karez.kernel.workbook.formats import BUILT_IN, Format, format_of

SPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_RELATION_ID = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships id",
    "http://purl.oclc.org/ooxml/officeDocument/relationships id",
)
PIECE = 64 * 1024
LONGEST_MARKUP = 512 * 1024  # one tag, comment or the like; a parser looks at an unfinished one again with every piece
MAX_PARTS = 10_000
MAX_SHEETS = 1_000
MAX_NAME = 100
_NO_MEMORY = 1  # of expat: the only fault that is not the file's
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Refused(Exception):
    """A workbook that is not read: a word for why, and what was found."""

    def __init__(self, why: str, found: str = "") -> None:
        super().__init__(why, found)
        self.why, self.found = why, found


@dataclass
class Sheet:
    """A sheet of cells: its name, the part that holds it, whether it is shown."""

    name: str
    part: zipfile.ZipInfo
    hidden: bool


class Texts:
    """The table of texts: one block of bytes and where each begins, so that a long one is held once however often it is
    named.
    """

    def __init__(self) -> None:
        self.block, self.ends = bytearray(), array("Q")

    def add(self, text: str) -> None:
        self.block += text.encode("utf-8", "surrogatepass")
        self.ends.append(len(self.block))

    def __getitem__(self, place: int) -> str:
        begins = self.ends[place - 1] if place else 0
        return self.block[begins : self.ends[place]].decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self.ends)


@dataclass
class Book:
    """What a workbook says of itself."""

    archive: zipfile.ZipFile
    sheets: list[Sheet] = field(default_factory=list)
    from_1904: bool = False
    codes: dict[int, str] = field(default_factory=dict)  # number formats by their number
    styles: "array[int]" = field(default_factory=lambda: array("l"))  # the format's number of each cell style
    texts: Texts = field(default_factory=Texts)
    elements: int = 0  # met so far; with `looked` it is the work done
    looked: int = 0  # bytes the parser looked at, each as often as it did
    _formats: dict[int, Format] = field(default_factory=dict)

    def format_of_style(self, style: int) -> Format:
        """The number format of a cell style."""
        number = self.styles[style] if 0 <= style < len(self.styles) else 0
        if number not in self._formats:
            self._formats[number] = format_of(self.codes.get(number) or BUILT_IN.get(number, ""))
        return self._formats[number]

    def parse(
        self,
        part: zipfile.ZipInfo,
        start: Callable[[str, dict[str, str]], Any],
        end: Callable[[str], Any] | None = None,
        text: Callable[[str], Any] | None = None,
    ) -> None:
        """Reads a part, telling each element; `start` may raise `Enough` to end it."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_doctype
        parser.StartElementHandler = start
        if end is not None:
            parser.EndElementHandler = end
        if text is not None:
            parser.CharacterDataHandler = text
        fed = 0
        with self.archive.open(part) as file:
            try:
                while piece := file.read(PIECE):
                    fed += len(piece)
                    if fed > part.file_size:
                        raise Refused("unpacked")
                    self.looked += fed - max(parser.CurrentByteIndex, 0)
                    parser.Parse(piece, False)
                    if fed - parser.CurrentByteIndex > LONGEST_MARKUP:
                        raise Refused("markup")
                parser.Parse(b"", True)
            except Enough:
                return
            except expat.ExpatError as error:
                if error.code == _NO_MEMORY:
                    raise MemoryError from error
                raise Refused("broken", f"{part.filename[:MAX_NAME]}: {error}") from error


def _no_doctype(*_declared: object) -> None:
    raise Refused("entities")


class Enough(Exception):
    """What was looked for in a part is found."""


def local(name: str) -> str:
    """The name of an element of spreadsheets; of any other, nothing."""
    space, _, word = name.rpartition(" ")
    return word if space in SPACES or not space else ""


def unescaped(text: str) -> str:
    """The text with `_x4E8C_` as the character it stands for, as spreadsheets show it. What no cell can hold stays as
    written.
    """
    if "_x" not in text:
        return text
    made = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] != "0000" else found[0], text)
    # Characters beyond the sixteen bits come in two halves; half a one is none.
    return made.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def open_book(archive: zipfile.ZipFile, unpacked: int) -> Book:
    """The workbook in an archive: its sheets, formats and texts; raises Refused."""
    parts = archive.infolist()
    if sum(part.file_size for part in parts) > unpacked or len(parts) > MAX_PARTS:
        raise Refused("unpacked")
    by_name = {part.filename.replace("\\", "/").lower().lstrip("/"): part for part in parts}
    book = Book(archive)
    main = _main_part(book, by_name)
    if main not in by_name or has_other_table(parts):
        raise Refused("no_workbook")
    if not packed_plainly(parts):
        raise Refused("packing")
    relations = _relations(book, by_name, main)
    _read_main(book, by_name, main, relations)
    for kind, target in relations.values():
        if kind == "styles" and target in by_name:
            _read_styles(book, by_name[target])
        elif kind == "sharedStrings" and target in by_name:
            _read_texts(book, by_name[target])
    return book


def _main_part(book: Book, by_name: Mapping[str, zipfile.ZipInfo]) -> str:
    for kind, target in _relations(book, by_name, "").values():
        if kind == "officeDocument":
            return target
    return "xl/workbook.xml"


def _relations(book: Book, by_name: Mapping[str, zipfile.ZipInfo], of: str) -> dict[str, tuple[str, str]]:
    """Kind and part of every relation of a part, by id."""
    folder, name = posixpath.split(of)
    part = by_name.get(posixpath.join(folder, "_rels", name + ".rels"))
    found: dict[str, tuple[str, str]] = {}
    if part is None or not packed_plainly([part]):
        return found

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.endswith(" Relationship") and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/")
            whole = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], whole.lower())

    book.parse(part, start)
    return found


def _read_main(
    book: Book, by_name: Mapping[str, zipfile.ZipInfo], main: str, relations: Mapping[str, tuple[str, str]]
) -> None:
    def start(name: str, attributes: dict[str, str]) -> None:
        word = local(name)
        if word == "workbookPr":
            book.from_1904 = attributes.get("date1904", "0").lower() in ("1", "true", "on")
        elif word == "sheet":
            kind, target = relations.get(
                next((attributes[key] for key in _RELATION_ID if key in attributes), ""), ("", "")
            )
            if kind == "worksheet" and target in by_name:  # others hold charts or programs
                hidden = attributes.get("state", "visible") != "visible"
                book.sheets.append(Sheet(attributes.get("name", "")[:MAX_NAME], by_name[target], hidden))
            if len(book.sheets) > MAX_SHEETS:
                raise Refused("sheets")

    book.parse(by_name[main], start)
    if not book.sheets:
        raise Refused("no_workbook")


def _read_styles(book: Book, part: zipfile.ZipInfo) -> None:
    inside: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        word = local(name)
        try:
            if word == "numFmt" and inside[-1:] == ["numFmts"]:
                book.codes[int(attributes.get("numFmtId", ""))] = attributes.get("formatCode", "")
            elif word == "xf" and inside[-1:] == ["cellXfs"]:
                book.styles.append(int(attributes.get("numFmtId", "0")))
        except (ValueError, OverflowError) as error:
            raise Refused("broken", f"a number format {attributes.get('numFmtId', '')[:20]}") from error
        inside.append(word)

    def end(_name: str) -> None:
        inside.pop()

    book.parse(part, start, end)


def _read_texts(book: Book, part: zipfile.ZipInfo) -> None:
    """Runs of one text are joined; what is written above it as its reading is no part of it."""
    pieces: list[str] = []
    wanted = phonetic = False

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal wanted, phonetic
        word = local(name)
        if word == "t":
            wanted = not phonetic
        elif word == "rPh":
            phonetic = True
        elif word == "si":
            pieces.clear()

    def end(name: str) -> None:
        nonlocal wanted, phonetic
        word = local(name)
        if word == "t":
            wanted = False
        elif word == "rPh":
            phonetic = False
        elif word == "si":
            book.texts.add(unescaped("".join(pieces)))

    def text(piece: str) -> None:
        if wanted:
            pieces.append(piece)

    book.parse(part, start, end, text)
