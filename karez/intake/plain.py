"""From an uploaded file to plain CSV: encoding, delimiter, headings, denied columns taken out. Holds no typing of
cells.

`prepare` runs before anything is kept. What it writes is CSV in the file's own encoding, or in UTF-8 where the file was
a workbook or had denied columns. `tidy` is the slow way for files whose lines are not plain: one record a line, rows
numbered, broken records told apart.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from karez.intake import limits, rules
from karez.intake.headings import LONGEST_HEADING
from karez.intake.telling import denied_shown, noticed, without_numbers
from karez.intake.workbook import is_workbook, workbook_to_csv
from karez.kernel.encodings import GB18030, UTF8, meant_as_utf8
from karez.kernel.messages import Listing, Number, say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Sheet
from karez.kernel.workbook.marks import read_one_way, without_number_mark

csv.field_size_limit(2 * limits.HEADER_BYTES)  # records are bounded before they are parsed
_BLOCK = limits.MIB
Broken = tuple[int, str, str, str]  # (row, found, expected, rule)


@dataclass(frozen=True)
class Shape:
    """How a CSV file is written."""

    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    line_breaks: int
    header_lines: int  # lines the headings take; 1 unless a heading has a break in it, or blank lines stand above
    ends_with_break: bool
    has_long_line: (
        bool  # of more bytes than a row may have characters: whether a row is too long is told when rows are told apart
    )


@dataclass
class Notices:
    """What the sender is told about a file as a whole."""

    items: list[dict[str, Any]] = field(default_factory=list)
    identity: bool = False  # of a sheet with people's identity: what the file says of itself may be a person's name

    def shown(self, words: str) -> str:
        """Words of the file as they may be told."""
        return noticed(words) if self.identity else without_numbers(words)

    def tell(self, what: str, found: str, **more: int) -> None:
        """Adds one notice; `what` is a stable word. Words of the file in `found` are already as they may be told
        (`shown`).
        """
        self.items.append({"what": what, "found": without_numbers(found), **more})


def dropped_places(notices: list[dict[str, Any]]) -> list[int]:
    """The places, in the file as it was sent, of the columns that were dropped before it was kept."""
    return sorted(one["place"] for one in notices if "place" in one)


def place_as_sent(place: int, dropped: Sequence[int]) -> int:
    """Where a column of a kept file stood in the file as it was sent."""
    for gone in dropped:
        place += gone <= place
    return place


def prepare(source: Path, folder: Path, sheet: Sheet, notices: Notices) -> Path:
    """The file as it will be kept: a workbook as CSV, denied columns gone; refuses what cannot be read at all."""
    where = ""
    if is_workbook(source):
        plain = folder / "workbook.csv"
        read = workbook_to_csv(
            source, plain, notices.tell, notices.shown, lambda head: bool(rules.match_headings(sheet, head).places)
        )
        source, where = plain, read.sheet
        if read.counts.get("three_decimals"):
            source = folder / "numbers.csv"
            _numbers_one_way(plain, source, sheet)
    shape = shape_of(source, sheet)
    _refuse_without_headings(shape, sheet, where)
    if shape.encoding == GB18030:
        notices.tell("read_as_gb18030", "GB 18030")
    denied = rules.denied_places(shape.headings)
    if not denied:
        return source
    for place, word in denied.items():
        heading = without_numbers(shape.headings[place].strip()[:60])
        notices.tell(
            "denied_column", denied_shown(heading, word) if notices.identity else f"{heading} ({word})", place=place
        )
    kept = folder / "kept.csv"
    _without(source, kept, shape, set(denied))
    return kept


def _numbers_one_way(source: Path, target: Path, sheet: Sheet) -> None:
    """Writes the table of a workbook with its numbers in one way only: 12.345 held as a number is no thousands. Texts
    stay as shown.
    """
    numbers: set[int] | None = None
    with source.open(encoding=UTF8, newline="") as file, target.open("w", encoding=UTF8, newline="") as out:
        write = csv.writer(out, lineterminator="\n").writerow
        for cells in csv.reader(file):
            if numbers is None and any(map(str.strip, cells)):
                places = rules.match_headings(sheet, [without_number_mark(cell) for cell in cells]).places
                numbers = {place for column, place in places.items() if sheet.column(column).kind in rules.NUMBERS}
                write(map(without_number_mark, cells))
                continue
            write(
                [
                    read_one_way(cell) if place in (numbers or ()) else without_number_mark(cell)
                    for place, cell in enumerate(cells)
                ]
            )


def _refuse_without_headings(shape: Shape, sheet: Sheet, where: str) -> None:
    """A first line with no known heading is a record or a title: what it says is not repeated, and the file is not
    kept.

    Which columns are on the deny-list cannot be told of such a file, and its first record would be listed as headings.
    """
    if shape.headings and not rules.match_headings(sheet, shape.headings).places:
        many = len(shape.headings)
        raise _unreadable(
            say(
                "{many} cells in the first line of the sheet {where}, none of them a known heading",
                many=many,
                where=where,
            )
            if where
            else say("{many} cells in the first line, none of them a known heading", many=many),
            say(
                "headings in the first line: {headings}",
                headings=Listing(c.name for c in sheet.columns if c.required),
            ),
            say("write the headings into the first line, above the records and below no title"),
        )


def shape_of(path: Path, sheet: Sheet) -> Shape:
    """Encoding, delimiter and headings of a CSV file; refuses one in neither encoding, and endless headings."""
    encoding, breaks, last, has_long_line = _encoding_of(path)
    with path.open(encoding="utf-8-sig" if encoding == UTF8 else encoding, newline="") as file:
        head, lines = _first_record(file)
    delimiter = _delimiter_of(head, sheet)
    headings = next(csv.reader(io.StringIO(head), delimiter=delimiter), [])
    if len(headings) > limits.COLUMNS:
        raise _unreadable(
            say("{count} columns", count=Number(len(headings))),
            say("at most {columns}", columns=limits.COLUMNS),
            say("keep the columns the sheet asks for"),
        )
    for place, heading in enumerate(headings, start=1):
        if len(heading) > LONGEST_HEADING:
            raise _unreadable(
                say("a heading of {count} characters in column {place}", count=Number(len(heading)), place=place),
                say(
                    "headings of at most {limit} characters in the first line",
                    limit=LONGEST_HEADING,
                ),
                say("shorten the heading, and delete what stands above the headings"),
            )
    return Shape(encoding, delimiter, tuple(headings), breaks, lines, last == b"\n", has_long_line)


def as_utf8(path: Path, shape: Shape) -> Path:
    """The same file in UTF-8, beside it where it had to be written anew."""
    if shape.encoding == UTF8:
        return path
    target = path.with_suffix(".utf8")
    with path.open(encoding=shape.encoding, newline="") as source, target.open("w", encoding=UTF8, newline="") as out:
        for block in iter(lambda: source.read(_BLOCK), ""):
            out.write(block)
    return target


def tidy(path: Path, target: Path, shape: Shape) -> Iterator[Broken]:
    """Writes the file (UTF-8) anew, one record a line with its row number first; yields the records left out as broken."""
    width, beneath = len(shape.headings), False
    with path.open(encoding="utf-8-sig", newline="") as source, target.open("w", encoding=UTF8, newline="") as out:
        write = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_MINIMAL).writerow
        for row_no, cells, _length, broken in _records(source, shape.delimiter):
            if not beneath:  # blank lines, and the headings
                beneath = cells is None or any(cell.strip() for cell in cells)
                continue
            if cells is None:
                assert broken is not None
                yield row_no, *broken
                continue
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != width:
                found = say("1 cell") if len(cells) == 1 else say("{count} cells", count=len(cells))
                expected = (
                    say("1 cell, as in the first line")
                    if width == 1
                    else say("{width} cells, as in the first line", width=width)
                )
                yield row_no, found, expected, "cells"
                continue
            write([row_no, *(cell.replace("\r", " ").replace("\n", " ") for cell in cells)])


def _records(
    source: TextIO, delimiter: str
) -> Iterator[tuple[int, list[str] | None, int, tuple[str, str, str] | None]]:
    """Records by number, with their cells and their length; a record that is broken has no cells but what was found,
    expected and the rule. A forgotten quote spoils its line only.
    """
    for row_no, (record, length, error) in enumerate(_split(source), start=1):
        if (
            length > limits.RECORD_LENGTH
        ):  # told here: the limit of the csv module is the process's, and anybody may move it
            yield (
                row_no,
                None,
                length,
                (
                    say("a row of {length} characters", length=Number(length)),
                    say("at most {limit} in a row", limit=Number(limits.RECORD_LENGTH)),
                    "long_row",
                ),
            )
        elif error:
            yield row_no, None, length, _quotes(error)
        else:
            try:
                yield row_no, next(csv.reader([record], delimiter=delimiter, strict=True), []), length, None
            except csv.Error:
                yield (
                    row_no,
                    None,
                    length,
                    _quotes("a quote inside a cell that is not doubled, or text after a closing quote"),
                )


def _quotes(found: str) -> tuple[str, str, str]:
    return found, say("quotes opened and closed as in CSV"), "quotes"


class _Line(NamedTuple):
    """A line with its break; of one longer than a row may be the text is not kept."""

    text: str
    length: int
    is_odd: bool  # an odd number of quotes: it opens or closes one


def _line(text: str) -> _Line:
    return _Line(
        text if len(text) <= limits.RECORD_LENGTH + 2 else "", len(text.rstrip("\r\n")), text.count('"') % 2 == 1
    )


def _split(source: TextIO) -> Iterator[tuple[str, int, str]]:
    """Texts of records, their length, and what is wrong with each; a record whose quote never closes is given up after
    its first line.
    """
    back: list[_Line] = []
    lines = map(_line, source)

    def following() -> _Line | None:
        return back.pop() if back else next(lines, None)

    while (line := following()) is not None:
        parts, is_open = [line], line.is_odd
        while is_open and len(parts) < limits.RECORD_LINES and (more := following()) is not None:
            parts.append(more)
            is_open = not more.is_odd
        if is_open:
            back.extend(reversed(parts[1:]))
            yield "", line.length, say("a quote that is never closed")
        else:
            length = sum(part.length + 1 for part in parts) - 1
            yield (
                "".join(part.text for part in parts).rstrip("\r\n") if length <= limits.RECORD_LENGTH else "",
                length,
                "",
            )


def _without(source: Path, target: Path, shape: Shape, denied: set[int]) -> None:
    """Writes the file without some columns. Of a broken record only how it is broken is kept, so that it is told so
    when staged: its cells cannot be told apart.
    """
    keep = [place for place in range(len(shape.headings)) if place not in denied]
    encoding = "utf-8-sig" if shape.encoding == UTF8 else shape.encoding
    with source.open(encoding=encoding, newline="") as file, target.open("w", encoding=UTF8, newline="") as out:
        write = csv.writer(out, delimiter=shape.delimiter, lineterminator="\n").writerow
        for _, cells, length, broken in _records(file, shape.delimiter):
            if (
                cells is not None
                and len(cells) > len(shape.headings)
                and not any(map(str.strip, cells[len(shape.headings) :]))
            ):
                cells = cells[: len(shape.headings)]
            if cells is not None and not any(cells):
                out.write("\n")
            elif broken and broken[2] == "long_row":
                out.writelines("?" * min(_BLOCK, length - done) for done in range(0, length, _BLOCK))
                out.write("\n")
            elif broken:
                out.write('"?"?\n')
            elif cells is None or len(cells) != len(shape.headings):
                write(["?"] * (len(keep) + 1))  # too many cells: found again as broken when staged
            else:
                write([cells[place] for place in keep])


def _encoding_of(path: Path) -> tuple[str, int, bytes, bool]:
    """UTF-8 where the whole file is, else GB 18030 where the whole file is; with its line breaks, last byte, and
    whether a line is long.
    """
    breaks, last, is_utf8, begun, is_long = 0, b"", True, 0, False
    decode = codecs.getincrementaldecoder(UTF8)("strict").decode
    with path.open("rb") as file:
        for block in _blocks(file):
            if block[:2] in (b"\xff\xfe", b"\xfe\xff") and not last:
                raise _unreadable("UTF-16", say("UTF-8 or GB 18030"), say("save the file as CSV UTF-8"))
            if b"\0" in block:
                raise _unreadable(
                    say("binary data (a zero byte)"), say("CSV or XLSX"), say("save the table as CSV UTF-8 or XLSX")
                )
            breaks, last = breaks + block.count(b"\n"), block[-1:]
            is_long = is_long or _has_long_line(block, begun)
            begun = len(block) - at - 1 if (at := block.rfind(b"\n")) >= 0 else begun + len(block)
            if is_utf8:
                try:
                    decode(block)
                except UnicodeDecodeError:
                    is_utf8 = False
    if is_utf8:
        try:
            decode(b"", final=True)
            return UTF8, breaks, last, is_long
        except UnicodeDecodeError:
            pass
    with path.open("rb") as file:
        if meant_as_utf8(_blocks(file)):
            raise _damaged(path)
    _check_gb18030(path)
    return GB18030, breaks, last, is_long


def _has_long_line(block: bytes, begun: int) -> bool:
    """Whether a line of more bytes than a row may have characters stands in a block, `begun` bytes of whose first line
    were before it.
    """
    start = -begun
    while start + limits.RECORD_LENGTH < len(block):
        at = block.rfind(b"\n", max(start, 0), max(start + limits.RECORD_LENGTH + 1, 0))
        if at < 0:
            return True
        start = at + 1
    return False


def _damaged(path: Path) -> Refusal:
    """The refusal of UTF-8 with damaged bytes, which names the line and the heading of the first one."""
    head = ""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(limits.HEADER_BYTES), b""), start=1):
            head = head or line.decode(UTF8, "replace").lstrip("\ufeff")
            try:
                line.decode(UTF8)
            except UnicodeDecodeError as error:
                delimiter = max((",", ";", "\t"), key=head.count)
                before = next(csv.reader([line[: error.start].decode(UTF8)], delimiter=delimiter), [])
                headings = next(csv.reader([head], delimiter=delimiter), [])
                place = max(len(before) - 1, 0)
                column = (
                    headings[place].strip()[:60]
                    if number > 1 and place < len(headings)
                    else say("column {place}", place=place + 1)
                )
                return _unreadable(
                    say(
                        "line {number}, {column}: a byte that is not UTF-8, near byte {start} of the line, "
                        "in a file that is UTF-8 elsewhere",
                        number=number,
                        column=column,
                        start=Number(error.start + 1),
                    ),
                    say("UTF-8 throughout"),
                    say("write the damaged words anew where the file was made, and save it as CSV UTF-8"),
                )
    return _unreadable(
        say("bytes that are not UTF-8 at the end"),
        say("UTF-8 throughout"),
        say("open the file where it was made and save it as CSV UTF-8"),
    )


def _check_gb18030(path: Path) -> None:
    decoder = codecs.getincrementaldecoder(GB18030)("strict")
    line, done = 1, 0
    with path.open("rb") as file:
        for block in (*_blocks(file), b""):
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                place = max(0, error.start)
                line += error.object[:place].count(b"\n")
                raise _unreadable(
                    say(
                        "line {line}, near byte {done}: neither UTF-8 nor GB 18030",
                        line=line,
                        done=Number(done + place + 1),
                    ),
                    say("one of the two encodings throughout"),
                    say("open the file where it was made and save it as CSV UTF-8"),
                ) from None
            line, done = line + block.count(b"\n"), done + len(block)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_BLOCK), b"")


def _first_record(file: TextIO) -> tuple[str, int]:
    head, lines = "", 0
    while lines < limits.RECORD_LINES:
        line = file.readline(limits.HEADER_BYTES)
        head, lines = head + line if head.strip() else line, lines + 1
        if line and not head.strip():  # a blank line above the headings
            continue
        if len(head) >= limits.HEADER_BYTES:
            raise _unreadable(
                say("a first line without end"),
                say("headings in the first line"),
                say("keep the columns the sheet asks for"),
            )
        if not line or head.count('"') % 2 == 0:
            break
    return head.rstrip("\r\n"), lines


def _delimiter_of(head: str, sheet: Sheet) -> str:
    """The delimiter by which most headings are known; the most frequent where none is."""

    def fit(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader(io.StringIO(head), delimiter=delimiter), [])
        return len(rules.match_headings(sheet, cells).places) if len(cells) <= limits.COLUMNS else 0, head.count(
            delimiter
        )

    return max((",", ";", "\t"), key=fit)


def _unreadable(found: str, expected: str, todo: str) -> Refusal:
    return Refusal(
        "intake.unreadable",
        record=say("the file"),
        found=found,
        expected=expected,
        rule=say("a file that cannot be read to its end is not kept"),
        todo=todo,
    )
