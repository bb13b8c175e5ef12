"""A reader with every published file: what each tells of each figure at each place, all its text, and what follows.
Holds no test.

Read are CSV, JSON, the pages of both languages, the cells of the workbook, the tables of the Word documents and the
text of the PDF. Not read: the pixels of pictures in the Word documents, which are drawn from the same lines as those of
the pages.
"""

import csv
import html
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

from docx import Document
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from karez.figures.attack import (
    Board,
    Form,
    Key,
    Kind,
    Number,
    Place,
    Relation,
    Zero,
    of_edition,
    solved,
    worked_out,
)
from karez.figures.disclosure import LEFT_OPEN
from karez.figures.solver import narrow
from karez.publication.content import Content
from karez.publication.other_editions import _edition, is_count

_TEXT = (".html", ".css", ".csv", ".json", ".txt")
_TOLD = ("alt", "title", "aria-label", "content", "value")  # attributes that people or machines read
_NUMBER = re.compile(r"(?<![0-9A-Za-z_.,-])[0-9][0-9,]*(?:\.[0-9]+)?(?![0-9A-Za-z_-])")
Claims = dict[tuple[str, str], set[Fraction]]


def texts_of(folder: Path) -> dict[str, str]:
    """The text of every file in a folder: of a Word document and a workbook all their parts, of a PDF what it sets."""
    return {path.relative_to(folder).as_posix(): _text(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def _text(path: Path) -> str:
    if path.suffix in _TEXT:
        return html.unescape(path.read_text(encoding="utf-8"))
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in PdfReader(path).pages)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert path.suffix in (".docx", ".xlsx"), path
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        parts = [archive.read(n).decode() for n in archive.namelist() if n.endswith((".xml", ".rels"))]
    told = [value for part in parts for value in re.findall(r'(?:descr|title|name)="([^"]*)"', part)]
    return html.unescape(re.sub(r"<[^>]*>", " ", "\n".join(parts)) + " ".join(told))


def numbers_of(folder: Path) -> dict[str, set[str]]:
    """Every number that stands in the text of every file, without its separators; of pages not the marks around the
    text.
    """
    found = {}
    for name, text in texts_of(folder).items():
        if name.endswith(".html"):
            page = _Page()
            page.feed((folder / name).read_text(encoding="utf-8"))
            text = " ".join(page.said)
        elif name.endswith((".csv", ".json")):
            text = text.replace(",", " ")  # no separators of thousands there
        found[name] = {n.replace(",", "") for n in _NUMBER.findall(text)}
    return found


class _Page(HTMLParser):
    """The tables of a page, row by row, and everything it says."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.said: list[str] = []
        self.cell: list[str] | None = None
        self.quiet = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said += [value or "" for name, value in attrs if name in _TOLD]
        self.quiet = tag == "style"
        if tag in ("br", "small") and self.cell is not None:
            self.cell.append(" ")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.cell = []

    def handle_endtag(self, tag: str) -> None:
        self.quiet = False
        if tag in ("td", "th") and self.cell is not None:
            self.tables[-1][-1].append(" ".join("".join(self.cell).split()))
            self.cell = None

    def handle_data(self, data: str) -> None:
        if not self.quiet:
            self.said.append(data)
        if self.cell is not None:
            self.cell.append(data)


def claims_of(folder: Path) -> dict[str, Claims]:
    """What each file says of figures at places, by the file's name."""
    content = Content((folder / "edition.json").read_text(encoding="utf-8"))
    region = content.said["region"]["place"]
    made: dict[str, Claims] = {"edition.json": {}}
    for (figure, place), (exact, _state) in content.cells.items():
        _say(made["edition.json"], figure, place, exact)
    for name in ("figures.csv", *(f"data/{n}.csv" for n in ("values", "errata", "capital", "flow"))):
        made[name] = {}
        for row in csv.DictReader((folder / name).open(encoding="utf-8")):
            value = next(row[c] for c in ("value", "corrected", "yuan") if c in row)
            if (
                row.get("year") in (None, str(content.said["year"]))
                and row.get("opening") != "true"
                and name != "data/flow.csv"
            ):
                _say(made[name], row.get("figure") or row["id"], row.get("place") or region, value)
    for path in (*folder.glob("figures/*.html"), *folder.glob("*.html")):
        page = _Page()
        page.feed(path.read_text(encoding="utf-8"))
        own = path.name.removesuffix(".html").removesuffix(".zh") if path.parent != folder else ""
        made[path.relative_to(folder).as_posix()] = _of_tables(page.tables, content, own)
    for path in folder.glob("*.docx"):
        made[path.name] = _of_tables(
            [[[c.text for c in r.cells] for r in t.rows] for t in Document(str(path)).tables], content
        )
    book = CalamineWorkbook.from_path(str(folder / "figures.xlsx"))
    sheets = [[[str(c) for c in row] for row in book.get_sheet_by_name(n).to_python()[2:]] for n in book.sheet_names]
    made["figures.xlsx"] = _of_tables(sheets, content)
    return made


def _say(claims: Claims, figure: str, place: str, value: str | None) -> None:
    if value:
        claims.setdefault((figure, place), set()).add(Fraction(value))


def _of_tables(tables: list[list[list[str]]], content: Content, own: str = "") -> Claims:
    """Tables by place, with figures in the heads or as rows, and tables of figures of the region; `own` is the figure
    of a page.
    """
    places = {str(p[k]): code for code, p in content.places.items() for k in ("code", "name_en", "name_zh")}
    labels = {str(f[k]): i for i, f in content.figures.items() for k in ("label", "label_zh")} | {
        i: i for i in content.figures
    }
    claims: Claims = {}
    for table in tables:
        heads = [_figure(cell, labels) for cell in table[0]] if table else []
        values = [n for n, cell in enumerate(table[0]) if cell.startswith(("Value", "数值"))] if table else []
        for row in table[1:]:
            place = next((places[c] for c in row if c in places), None)
            figure = next((labels[t] for c in row for t in (c, *c.split()) if t in labels), own)
            for n, cell in enumerate(row):
                number = _NUMBER.match(cell)
                if number and cell not in places and n in (values or range(len(row))):
                    named = heads[n] if n < len(heads) and heads[n] else figure
                    if named and (place or figure):
                        _say(claims, named, place or content.said["region"]["place"], number[0].replace(",", ""))
    return claims


def _figure(head: str, labels: Mapping[str, str]) -> str:
    return next((labels[label] for label in sorted(labels, key=len, reverse=True) if head.startswith(label + " ")), "")


def follows_from(
    folders: Mapping[int, Path], over_years: Mapping[int, tuple[int, str, str]], more: Claims | None = None
) -> set[tuple[int, str, str]]:
    """The withheld cells that a reader of all files works out or puts in too narrow an interval, as year, figure and
    place.

    `over_years` tells which sums hold between years: year -> (the year before, the stock, what joined it). `more` is
    what the reader knows besides, of the newest year.
    """
    truth: dict[Key, Number] = {}
    secret: set[Key] = set()
    relations: list[Relation] = []
    tree: Mapping[int, Place] = {}
    codes: dict[tuple[str, int], str] = {}
    for year, folder in folders.items():
        content = Content((folder / "edition.json").read_text(encoding="utf-8"))
        edition = _edition(year, 1, content, other_year=False)
        tree = edition.tree
        relations += of_edition(edition.relations, str(year))
        area = {code: int(p["area_id"]) for code, p in content.places.items()}
        codes |= {(str(year), n): code for code, n in area.items()}
        claims = [*claims_of(folder).values(), *([more] if more and year == max(folders) else [])]
        for one in claims:
            truth |= {(f"{figure}@{year}", area[place]): min(told) for (figure, place), told in one.items()}
        secret |= {(f"{figure}@{year}", place) for (figure, place), value in edition.values.items() if value is None}
        assert all(is_count(f) for f in content.figures.values())
    for year, (before, stock, joined) in over_years.items():
        relations.append(Zero(Form(((f"{stock}@{year}", 1), (f"{stock}@{before}", -1), (f"{joined}@{year}", -1)))))
    told_outright = secret & truth.keys()
    kinds = {key[0].partition("@")[0]: Kind.COUNT for key in {*truth, *secret}}
    board = Board(tree, relations, truth, frozenset(), kinds, {}, {}, secret - told_outright, left_open=LEFT_OPEN)
    found = set(told_outright)
    for start in sorted(board.secret):
        component = solved(board, start)
        found |= {e.key for e in (*worked_out(board, component)[0], *narrow(board, component)[0])}
    return {(int(f.partition("@")[2]), f.partition("@")[0], codes[f.partition("@")[2], place]) for f, place in found}


def differing(claims: Mapping[str, Claims]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where a file says another number than the signed text and the errata do, or says one where those have none."""
    for name, one in claims.items():
        for key, told in one.items():
            if not told <= claims["edition.json"].get(key, set()) | claims["data/errata.csv"].get(key, set()):
                yield name, key
