"""The cells of one sheet as rows of texts, told as they are met: nothing is held but the row at hand. Holds no meaning
of columns.

A row is as wide as the widest before it, so that a table under its headings is even. Rows are counted as the
spreadsheet counts. A cell with nothing but colour or blanks is no cell, however far away; one that holds something, and
cannot be read, is a mark (`marks`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from karez.kernel.workbook.formats import Format, plain_number
from karez.kernel.workbook.marks import LONG, MERGED, is_mark, marked_number, without_number_mark
from karez.kernel.workbook.parts import SPACES, Book, Enough, Refused, Sheet, unescaped

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
LONGEST_TEXT = 32_767  # characters of a cell, by the rules of spreadsheets
FORMULA_SHOWN, HEADING_SHOWN = 80, 40
MAX_MERGED = 50_000
REMEMBERED, REMEMBERED_TEXT = 20_000, 200  # cells, and characters of each
LISTED = 20  # places named in what is told of a sheet
_BLANKS = " \t\r\n\u3000\u00a0\ufeff\u200b"
_WORDS = ("row", "c", "v", "f", "t", "rPh", "mergeCell", "col", "sheetFormatPr")
_NAMES = {f"{space} {word}": word for space in SPACES for word in _WORDS} | {word: word for word in _WORDS}


@dataclass
class Told:
    """What is to be told of a sheet as a whole: places by kind, the first ones of each, and how many there are."""

    places: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, place: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= LISTED:
            self.places.setdefault(kind, []).append(place)


@dataclass(frozen=True)
class Range:
    """Cells merged into one; both ends belong to it."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        return f"{letters(self.left)}{self.top}:{letters(self.right)}{self.bottom}"


Row = Callable[[int, list[str]], Any]


class Cells:
    """Reads one sheet; `merged` are the ranges whose covered cells are marked, in the order of their rows."""

    def __init__(self, book: Book, row: Row, *, columns: int, merged: list[Range] | None = None) -> None:
        self.book, self.give, self.columns = book, row, columns
        self.told, self.ranges = Told(), list[Range]()
        self.width = 0
        self._said = Said(book, self.told)
        self._waiting, self._active, self._held = (merged or [])[::-1], dict[int, Range](), set[Range]()
        self._hidden_columns, self._filled_columns = set[int](), set[int]()
        self._all_hidden = self._row_hidden = False
        self._row, self._row_text = 0, ""
        self._cells: list[str] = []
        self._known: dict[str, int] = {}  # columns by their letters

    def read(self, sheet: Sheet) -> None:
        """Tells every row of the sheet that holds something."""
        self.book.parse(sheet.part, *self._handlers())
        for column in sorted(self._hidden_columns & self._filled_columns):
            self.told.add("hidden_column", letters(column))

    def _handlers(self) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None], Callable[[str], None]]:
        """What is called for the begin and the end of each element and for the text in them.

        One function with what is known of the cell at hand around it: this is run for every cell, and twice as quick as
        methods.
        """
        kind = ref = style = formula = ""
        has_value = has_formula = phonetic = False
        column = 0
        pieces: list[str] = []
        wanted = False
        word_of, column_of, said = _NAMES.get, self._known.get, self._said

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal kind, ref, style, formula, has_value, has_formula, phonetic, wanted, column
            word = word_of(name)
            if word == "c":
                get = attributes.get
                kind, ref, style = get("t", "n"), get("r", ""), get("s", "")
                has_value = has_formula = phonetic = False
                pieces.clear()
            elif word == "v":
                has_value = wanted = True
            elif word == "t":
                wanted = not phonetic
            elif word == "row":
                self._begin_row(attributes)
                column = 0
            elif word == "f":
                has_formula = wanted = True
            elif word == "rPh":
                phonetic = True
            elif word:
                self._beside(word, attributes)

        def text(piece: str) -> None:
            if wanted:
                pieces.append(piece)

        def end(name: str) -> None:
            nonlocal wanted, formula, phonetic, column
            self.book.elements += 1
            word = word_of(name)
            if word == "c":
                digits = self._row_text
                at = column_of(ref[: -len(digits)], 0) if digits and ref.endswith(digits) else 0
                column = at or self._column(ref, column)
                held = pieces[0] if len(pieces) == 1 else "".join(pieces)
                if has_formula and not (held or (has_value and kind == "str")):
                    self._put(column, f"={formula or '...'}")
                elif (held or has_value) and (told := said.text(kind, style, held, column, self._row)):
                    self._put(column, told)
            elif word in ("v", "t"):
                wanted = False
            elif word == "f":
                formula = "".join(pieces)[:FORMULA_SHOWN]
                pieces.clear()
                wanted = False
            elif word == "row":
                self._end_row()
            elif word == "rPh":
                phonetic = False

        return start, end, text

    def _beside(self, word: str, attributes: dict[str, str]) -> None:
        if word == "mergeCell":
            if len(self.ranges) >= MAX_MERGED:
                raise Refused("merged")
            self.ranges.append(_range(attributes.get("ref", "")))
        elif word == "col" and (_true(attributes, "hidden") or _nought(attributes, "width")):
            first, last = (_number(attributes.get(key, ""), LAST_COLUMN) for key in ("min", "max"))
            self._hidden_columns.update(range(first, min(last, self.columns) + 1))
        elif word == "sheetFormatPr":
            self._all_hidden = _true(attributes, "zeroHeight")

    # Rows.

    def _begin_row(self, attributes: dict[str, str]) -> None:
        given = attributes.get("r")
        number = self._row + 1 if given is None else _number(given, LAST_ROW)
        if number <= self._row or number > LAST_ROW:
            raise Refused("broken", f"row {number} after row {self._row}")
        self._row, self._row_text, self._cells = number, "" if given is None else str(number), []
        self._row_hidden = (
            _true(attributes, "hidden")
            or _nought(attributes, "ht")
            or (self._all_hidden and "hidden" not in attributes)
        )

    def _end_row(self) -> None:
        covered = self._covered() if self._waiting or self._active else None
        cells = self._cells
        if not cells:
            return
        if covered:
            self._mark(covered)
        if self._row_hidden:
            self.told.add("hidden_row", str(self._row))
        if self._hidden_columns:
            self._filled_columns.update(column for column, cell in enumerate(cells, 1) if cell)
        if len(cells) < self.width:
            cells.extend([""] * (self.width - len(cells)))
        else:
            self.width = len(cells)
        self.give(self._row, cells)

    def _covered(self) -> dict[int, Range]:
        """The merged cells this row goes through, by column; a column has one at a time, because they may not overlap."""
        row, active = self._row, self._active
        for column in [column for column, one in active.items() if one.bottom < row]:
            del active[column]
        while self._waiting and self._waiting[-1].top <= row:
            one = self._waiting.pop()
            if one.bottom >= row:
                for column in range(one.left, min(one.right, self.columns) + 1):
                    if column in active:
                        raise Refused("broken", f"merged cells {one} and {active[column]} overlap")
                    active[column] = one
        return active

    def _mark(self, covered: dict[int, Range]) -> None:
        """A cell covered by one that holds something says so; in that one's own row only beside others, else it is a
        title.
        """
        given = {column for column, cell in enumerate(self._cells, 1) if cell}
        for column, one in covered.items():
            if column == one.left and self._row == one.top:
                if column in given:
                    self._held.add(one)
                continue
            if self._row == one.top:
                marked = self.width and one.left in given and any(not one.left <= other <= one.right for other in given)
            else:
                marked = one in self._held
            if marked:
                self._put(column, f"{MERGED} {one}", again=True)

    # Cells.

    def _put(self, column: int, text: str, *, again: bool = False) -> None:
        cells = self._cells
        gap = column - len(cells) - 1
        if column > self.columns:
            self._far(f"{letters(column)}{self._row}", text)
        elif not gap:
            cells.append(text)
        elif gap > 0:
            cells.extend([""] * gap)
            cells.append(text)
        elif again or not cells[column - 1]:
            cells[column - 1] = text
        else:
            raise Refused("broken", f"the cell {letters(column)}{self._row} twice")

    def _far(self, place: str, text: str) -> None:
        """Beside the headings, a word nobody meant as one is only told; below them it would be lost."""
        if self.width:
            raise Refused("far", place)
        self.told.add("far_cell", f"{place} {text[:HEADING_SHOWN]}")

    def _column(self, ref: str, before: int) -> int:
        """The column of a cell by its name, or the next one where it has none; a row without a number lies where its
        first cell is.
        """
        if not ref:
            return before + 1
        column, row = _corner(ref, "a cell called")
        if str(row) != self._row_text:
            if self._row_text or row < self._row or row > LAST_ROW:
                raise Refused("broken", f"a cell {ref[:20]} in row {self._row}")
            self._row, self._row_text = row, str(row)
        if column > LAST_COLUMN:
            raise Refused("broken", f"a cell called {ref[:20]}")
        self._known[ref[: -len(self._row_text)]] = column
        return column


class Said:
    """What cells say, as text, by their kind and number format. What was said of short ones is remembered."""

    def __init__(self, book: Book, told: Told) -> None:
        self.book, self.told = book, told
        self._formats: dict[str, Format | None] = {}
        self._memory: dict[tuple[str, str, str], str] = {}

    def text(self, kind: str, style: str, held: str, column: int, row: int) -> str:
        """What a cell says; nothing where it says nothing."""
        if kind == "n" and not style and len(held) < 16 and held.isascii() and held.isdigit() and held[0] != "0":
            return held
        key = (kind, style, held)
        said = self._memory.get(key)
        if said is None:
            try:
                said, keep = self._anew(kind, style, held, f"{letters(column)}{row}")
            except (ValueError, OverflowError) as error:
                raise Refused("broken", f"no number in the cell {letters(column)}{row}") from error
            if keep and len(held) + len(said) < REMEMBERED_TEXT:
                if len(self._memory) > REMEMBERED:
                    self._memory.clear()
                self._memory[key] = said
        return said

    def _anew(self, kind: str, style: str, held: str, place: str) -> tuple[str, bool]:
        """The text, and whether it may be said again of the next one without a word."""
        if kind == "n":
            said, keep = self._number(style, held.strip(), place) if held else ("", True)
            marked = marked_number(said)
            if marked is not said:
                self.told.add("three_decimals", place)
            return marked, keep
        if kind in ("s", "inlineStr", "str"):
            return self._words(style, self._shared(held, place) if kind == "s" and held else unescaped(held)), True
        if kind == "b":
            return "true" if held.strip() in ("1", "true") else "false", True
        if kind == "e":
            return held.strip() if is_mark(held.strip()) else "#VALUE!", True
        if kind == "d":
            day, _, clock = held.strip().removesuffix("Z").partition("T")
            return day if not clock.strip("0:.") else f"{day} {clock}", True
        raise Refused("broken", f"a cell {place} of the kind {kind[:20]}")

    def _shared(self, held: str, place: str) -> str:
        number = _number(held.strip(), len(self.book.texts))
        if number >= len(self.book.texts):
            raise Refused("broken", f"the text of the cell {place}, which is not in the file")
        return self.book.texts[number]

    def _words(self, style: str, text: str) -> str:
        if not text.strip(_BLANKS):
            return ""
        if len(text) > LONGEST_TEXT:
            return f"{LONG} {len(text)}"
        text = without_number_mark(text.replace("\r", ""))
        form = self._format(style)
        return text if form is None or form.leaves_words else form.words(text)

    def _number(self, style: str, held: str, place: str) -> tuple[str, bool]:
        raw = plain_number(held)
        form = self._format(style)
        if form is None or form.plain:
            return raw, True
        said, yearless = form.number(float(held), raw, from_1904=self.book.from_1904)
        if yearless:
            self.told.add("yearless_day", place)
        return said, not yearless

    def _format(self, style: str) -> Format | None:
        """The cell's number format; None where neither numbers nor texts are shown otherwise than held."""
        if style not in self._formats:
            form = self.book.format_of_style(
                int(style) if style.isascii() and style.isdigit() and len(style) < 8 else 0
            )
            self._formats[style[:8]] = None if form.plain and form.leaves_words else form
        return self._formats[style[:8]]


def first_row(book: Book, sheet: Sheet, columns: int) -> list[str]:
    """The first row of a sheet that holds something."""
    found: list[str] = []

    def give(_row: int, cells: list[str]) -> None:
        found.extend(cells)
        raise Enough

    Cells(book, give, columns=columns).read(sheet)
    return found


def to_mark(ranges: list[Range]) -> list[Range]:
    """The merged cells that may cover something, in the order of their rows."""
    return sorted(
        (one for one in ranges if one.bottom > one.top or one.right > one.left), key=lambda one: (one.top, one.left)
    )


def letters(column: int) -> str:
    """A column as spreadsheets name it: 1 is A, 256 is IV."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _range(text: str) -> Range:
    first, _, last = text.partition(":")
    (left, top), (right, bottom) = _corner(first, "merged cells"), _corner(last or first, "merged cells")
    if left > right or top > bottom or right > LAST_COLUMN or bottom > LAST_ROW:
        raise Refused("broken", f"merged cells {text[:40]}")
    return Range(top, left, bottom, right)


def _corner(ref: str, what: str) -> tuple[int, int]:
    """Column and row of a cell by its name."""
    head = ref.rstrip("0123456789")
    if not head.isascii() or not head.isalpha() or len(head) > 3:
        raise Refused("broken", f"{what} {ref[:20]}")
    column = 0
    for letter in head.upper():
        column = 26 * column + ord(letter) - 64
    return column, _number(ref[len(head) :], LAST_ROW)


def _number(text: str, most: int) -> int:
    """A count in plain digits; beyond `most` it is one more than that."""
    if not (text.isascii() and text.isdigit()):
        raise Refused("broken", f"{text[:20]!r} where a number stands")
    return int(text) if len(text) < 10 and int(text) <= most else most + 1


def _true(attributes: dict[str, str], name: str) -> bool:
    return attributes.get(name, "0").lower() in ("1", "true", "on")


def _nought(attributes: dict[str, str], name: str) -> bool:
    return name in attributes and not attributes[name].strip("0.")
