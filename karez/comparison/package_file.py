"""Reading what another installation published: its open-data package (a ZIP) or its `figures.csv`, from bytes in
memory. Keeps no file.

Everything wrong is told by file, line and column; a package with a fault is not used at all, because a figure that is
missing by mistake looks like one that was never published. Nothing in it is executed, followed or looked up.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from karez.chapter.compose import STATES
from karez.kernel.archives import BROKEN, packed_plainly
from karez.kernel.formula import ID, shorten
from karez.kernel.messages import say
from karez.kernel.workbook.marks import is_mark
from karez.proofreader.chapter_file import Fault, Table, mark_words

MAX_PARTS = 4_000  # files in the archive: a whole published folder has a page for every figure
MAX_UNPACKED = 12 * 1024 * 1024  # of each file that is read
MAX_VALUES = 100_000
MAX_FIGURES = MAX_NAMED = 5_000  # figures, and places
MAX_DIGITS = 40  # of a number written out
FIGURES = ("id", "label", "unit", "rounding")
PLACES = ("code", "level", "name_en", "name_zh")
VALUES = ("figure", "place", "year", "value", "state")
PRINTED = ("id", "label", "value", "unit", "rounding", "place", "place_name", "as_of")
LEVELS = ("region", "prefecture", "county")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_ROUNDING = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_CODE = re.compile(r"[0-9A-Za-z.-]{1,24}")
_YEAR = re.compile(r"(19|20)[0-9]{2}")
_DAY = re.compile(rf"{_YEAR.pattern}-[0-9]{{2}}-[0-9]{{2}}")


@dataclass(frozen=True, slots=True)
class Named:
    """A figure of a package: what it is and how it is printed."""

    label: str
    label_zh: str
    unit: str
    rounding: Fraction
    definition: str = ""  # what is counted, or the formula
    table: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """A place of a package."""

    level: str
    name_en: str
    name_zh: str


@dataclass
class Package:
    """What a package says, or every fault in it. `values` hold the exact decimal that was published, and the state."""

    title: str = ""
    year: int = 0
    figures: dict[str, Named] = field(default_factory=dict)
    places: dict[str, Where] = field(default_factory=dict)
    values: dict[tuple[str, str], tuple[Fraction | None, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    gb18030: bool = False  # a file of it was read so, because it is no UTF-8


def read_package(data: bytes) -> Package:
    """The package in the bytes; faults are listed, none raised."""
    package = Package()
    if not data:
        package.faults.append(
            Fault(1, "", say("an empty file"), say("an open-data package (ZIP) or figures.csv"), "package")
        )
    elif data.startswith(b"PK\x03\x04"):
        _read_archive(data, package)
    else:
        _read_printed(data, package)
    if not package.faults and not package.values:
        package.faults.append(Fault(1, "", say("no rows"), say("at least one row below the column names"), "package"))
    return package


# The archive.


def _read_archive(data: bytes, package: Package) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive, package)
            if package.faults:
                return
            texts = {name: _unpacked(archive, info, name, package) for name, info in members.items()}
    except BROKEN:
        package.faults.append(
            Fault(1, "", say("an archive that cannot be read"), say("a ZIP file as it was made"), "package")
        )
        return
    if package.faults:
        return
    descriptor = _descriptor(texts["datapackage.json"], package)
    for name in ("figures.csv", "places.csv", "values.csv"):
        _check_digest(name, texts[name], descriptor, package)
    _read_figures(texts["figures.csv"], package)
    _read_places(texts["places.csv"], package)
    _read_values(texts["values.csv"], package)


def _members(archive: zipfile.ZipFile, package: Package) -> dict[str, zipfile.ZipInfo]:
    """The four files of the package: those beside the descriptor that lies highest."""
    infos = archive.infolist()
    if len(infos) > MAX_PARTS:
        found = say("{count} files", count=len(infos))
        package.faults.append(Fault(1, "", found, say("at most {limit}", limit=MAX_PARTS), "package"))
        return {}
    by_name = {i.filename: i for i in infos}
    heads = sorted((n for n in by_name if n.rpartition("/")[2] == "datapackage.json"), key=lambda n: (n.count("/"), n))
    if not heads:
        package.faults.append(
            Fault(
                1,
                "",
                say("no datapackage.json"),
                say("`data.zip`, or the folder `data`, as `karez publish` writes them"),
                "package",
            )
        )
        return {}
    folder = heads[0].removesuffix("datapackage.json")
    found_files = {}
    for name in ("datapackage.json", "figures.csv", "places.csv", "values.csv"):
        if folder + name in by_name:
            found_files[name] = by_name[folder + name]
        else:
            package.faults.append(
                Fault(1, "", say("no such file"), say("a file {name} beside datapackage.json", name=name), name)
            )
    if not packed_plainly(found_files.values()):
        found = say("an archive packed in a way packages are not")
        package.faults.append(Fault(1, "", found, say("a ZIP file as it was made"), "package"))
    return found_files


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, package: Package) -> bytes:
    """The bytes of a file; never more is unpacked than allowed, whatever the archive says of its size."""
    with archive.open(info) as file:
        data = file.read(MAX_UNPACKED + 1)
    if len(data) > MAX_UNPACKED:
        limit = f"{MAX_UNPACKED:,}"
        package.faults.append(Fault(1, "", say("more than {limit} bytes", limit=limit), say("a smaller file"), name))
        return b""
    return data


def _descriptor(data: bytes, package: Package) -> Mapping[str, Any]:
    try:
        read = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        read = None
    resources = read.get("resources") if isinstance(read, dict) else None
    if not isinstance(read, dict) or not isinstance(resources, list):
        package.faults.append(
            Fault(1, "", say("no descriptor"), say("JSON with a list of resources"), "datapackage.json")
        )
        return {}
    package.title = shorten(str(read.get("title") or ""), 120)
    return {r["path"]: r for r in resources if isinstance(r, dict) and isinstance(r.get("path"), str)}


def _check_digest(name: str, data: bytes, descriptor: Mapping[str, Any], package: Package) -> None:
    """The descriptor tells the digest of each file: what was changed afterwards is told before it is compared."""
    told = descriptor.get(name, {}).get("hash")
    if isinstance(told, str) and told.startswith("sha256:") and told != f"sha256:{hashlib.sha256(data).hexdigest()}":
        found = say("other bytes than datapackage.json tells the digest of")
        package.faults.append(Fault(1, "", found, say("the file as it was published"), name))


# The tables.


def _rows(
    data: bytes,
    name: str,
    required: tuple[str, ...],
    optional: tuple[str, ...],
    package: Package,
    most: int = MAX_VALUES,
) -> Iterator["_Line"]:
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        package.faults.append(Fault(1, "", say("a workbook"), say("text in UTF-8"), name))
        return
    table = Table(data, name, required, optional, package.faults)
    for count, (line, cells) in enumerate(table.rows()):
        package.gb18030 = package.gb18030 or table.gb18030
        if count >= most:
            limit = f"{most:,}"
            package.faults.append(
                Fault(line, "", say("more than {limit} rows", limit=limit), say("at most {limit}", limit=limit), name)
            )
            return
        yield _Line(line, cells, name, package, whole=cells.keys() >= set(required))


class _Line:
    """One row being read; its faults are noted as they are found."""

    def __init__(self, line: int, cells: Mapping[str, str], name: str, package: Package, *, whole: bool) -> None:
        self.line, self.cells, self.name, self.package = line, cells, name, package
        self.usable = whole  # of a missing column the head of the file tells
        for column, cell in cells.items():
            if cell[:1] in ("=", "@", "\t", "\r"):
                self.fault(column, f"'{shorten(cell, 40)}'", say("a value, not a formula of a spreadsheet"))
            elif is_mark(cell):
                self.fault(column, f"'{shorten(cell, 40)}'", mark_words(cell))
            elif len(cell) > 10_000:
                self.fault(column, say("{count} characters", count=len(cell)), say("at most {limit}", limit=10_000))

    def fault(self, column: str, found: str, expected: str) -> None:
        self.usable = False
        self.package.faults.append(Fault(self.line, column, found, expected, self.name))

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def matched(self, column: str, pattern: re.Pattern[str], expected: str) -> str:
        cell = self.text(column)
        if column in self.cells and not pattern.fullmatch(cell):
            self.fault(column, f"'{shorten(cell, 40)}'" if cell else say("an empty cell"), expected)
            return ""
        return cell

    def id(self, column: str) -> str:
        return self.matched(
            column, _ID, say("letters, digits, _ and dots, such as funds.total; at most {limit}", limit=200)
        )

    def rounding(self) -> Fraction:
        cell = self.matched("rounding", _ROUNDING, _ABOVE_ZERO)
        if cell and not Fraction(cell):
            self.fault("rounding", f"'{cell}'", _ABOVE_ZERO)
        return Fraction(cell or 1)

    def value(self) -> Fraction | None:
        cell = self.text("value")
        if not cell or not self.matched("value", _NUMBER, say("a number in plain digits, such as 1580 or 0.1")):
            return None
        power = abs(int(cell.lower().partition("e")[2] or 0))
        if power > MAX_DIGITS:
            self.fault("value", f"'{shorten(cell, 40)}'", say("a number of at most {limit} digits", limit=MAX_DIGITS))
            return None
        return Fraction(cell)

    def one_of(self, column: str, words: tuple[str, ...]) -> str:
        cell = self.text(column)
        if column in self.cells and cell not in words:
            self.fault(
                column,
                f"'{shorten(cell, 40)}'" if cell else say("an empty cell"),
                say("one of {these}", these=", ".join(words)),
            )
        return cell

    def agree(self, value: Fraction | None, state: str) -> None:
        if self.usable and (state == "value") != (value is not None):
            self.fault(
                "value",
                say("a value and a state that exclude each other"),
                say("a value where the state is value, and only there"),
            )

    def again(self, column: str, what: str) -> None:
        self.fault(column, say("'{id}' again", id=shorten(what, 80)), say("each once"))


_ID = re.compile(rf"(?=.{{1,200}}\Z)(?:{ID.pattern})")
_ABOVE_ZERO = say("a number above zero in plain digits, such as 1580 or 0.1")


def _read_figures(data: bytes, package: Package) -> None:
    optional = (
        "label_zh",
        "kind",
        "disclosure",
        "definition",
        "table",
        "where",
        "source",
        "valid_from",
        "valid_before",
    )
    for row in _rows(data, "figures.csv", FIGURES, optional, package, MAX_FIGURES):
        name, rounding = row.id("id"), row.rounding()
        if name and name in package.figures:
            row.again("id", name)
        if row.usable:
            package.figures[name] = Named(
                row.text("label"),
                row.text("label_zh"),
                row.text("unit"),
                rounding,
                row.text("definition"),
                row.text("table"),
                row.text("where"),
            )


def _read_places(data: bytes, package: Package) -> None:
    for row in _rows(data, "places.csv", PLACES, ("parent",), package, MAX_NAMED):
        code, level = row.matched("code", _CODE, _CODES), row.one_of("level", LEVELS)
        if code and code in package.places:
            row.again("code", code)
        if row.usable:
            package.places[code] = Where(level, row.text("name_en"), row.text("name_zh"))


_CODES = say("the code of a place")


def _read_values(data: bytes, package: Package) -> None:
    known = not package.faults  # where a row of the other files is unreadable, its id is not missing here
    for row in _rows(data, "values.csv", VALUES, ("as_of",), package):
        figure, place, state = row.id("figure"), row.matched("place", _CODE, _CODES), row.one_of("state", STATES)
        year, value = row.matched("year", _YEAR, say("a year")), row.value()
        if known and figure and figure not in package.figures:
            row.fault("figure", f"'{shorten(figure, 40)}'", say("an id of figures.csv"))
        if known and place and place not in package.places:
            row.fault("place", f"'{place}'", say("a code of places.csv"))
        row.agree(value, state)
        if row.usable and package.year and int(year) != package.year:
            row.fault("year", year, say("one year throughout: {year}", year=package.year))
        if (figure, place) in package.values:
            row.again("figure", f"{figure}, {place}")
        if row.usable:
            package.year = int(year)
            package.values[figure, place] = (value, state)


def _read_printed(data: bytes, package: Package) -> None:
    """`figures.csv` as it lies beside a published chapter: the figures of the region."""
    for row in _rows(data, "figures.csv", PRINTED, ("state", "snapshot"), package, MAX_FIGURES):
        name, place, rounding = row.id("id"), row.matched("place", _CODE, _CODES), row.rounding()
        value, day = row.value(), row.matched("as_of", _DAY, say("a day such as 2009-12-31"))
        state = row.one_of("state", STATES) if "state" in row.cells else "missing" if value is None else "value"
        row.agree(value, state)
        if (name, place) in package.values:
            row.again("id", name)
        if row.usable and package.year and int(day[:4]) != package.year:
            row.fault("as_of", day, say("one year throughout: {year}", year=package.year))
        if row.usable:
            package.year = int(day[:4])
            package.figures[name] = Named(row.text("label"), "", row.text("unit"), rounding)
            package.places.setdefault(place, Where("region", row.text("place_name"), ""))
            package.values[name, place] = (value, state)


__all__ = ["MAX_UNPACKED", "Package", "read_package"]
