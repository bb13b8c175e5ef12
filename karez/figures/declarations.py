"""Figures as declared: read from every room's `figures.toml` and a region's own files, all of them checked, every fault
told.

Holds the meaning of a declaration, and computes nothing. A region adds figures by putting TOML files into the folder
`figures` of the data folder (or the one KAREZ_FIGURES names).
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import duckdb
from django.apps import apps

from karez.closing.declared import figure_tables
from karez.closing.export import all_columns
from karez.figures.expressions import CONSTANTS, Aggregate, NotAllowed, Scalar, parse_value, parse_where
from karez.kernel.figure_tables import FigureTable
from karez.kernel.formula import Formula, FormulaError, parse_formula
from karez.kernel.messages import Listing, say
from karez.kernel.refusal import Refusal
from karez.system import paths

LEVELS = ("region", "prefecture", "county", "township", "village")
KINDS = ("stock", "flow", "rule", "plan", "share", "average", "growth")
DISCLOSURES = ("person", "household", "village", "none")
_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_COMMON = (
    "id",
    "label",
    "label_zh",
    "unit",
    "kind",
    "disclosure",
    "rounding",
    "valid_from",
    "valid_before",
    "source",
    "source_zh",
    "prints",
    "note",
    "note_zh",
)
_COUNTED = ("table", "where", "value", "empty", "scale", "reaches", "own")
_DERIVED = ("formula", "empty")
_REQUIRED = ("label", "unit", "kind", "disclosure", "rounding", "valid_from", "source")
_FILE_BYTES = 1_000_000
_DUCKDB = {"text": "VARCHAR"}


class Fault(NamedTuple):
    """What is wrong with a declaration, and where."""

    file: str
    figure: str
    attribute: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}, {self.figure}, {self.attribute}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True)
class Figure:
    """One declared figure: counted from a table (`table`, `where`, `value`) or worked out from others (`formula`)."""

    id: str
    label: str
    unit: str
    kind: str
    disclosure: str
    rounding: Decimal
    valid_from: int
    source: str
    file: str
    label_zh: str = ""
    source_zh: str = ""
    valid_before: int | None = None
    prints: tuple[str, ...] = ()
    note: str = ""
    note_zh: str = ""
    table: str = ""
    where: Scalar | None = None
    value: Aggregate | None = None
    where_text: str = ""
    value_text: str = ""
    empty: str = "missing"
    scale: int = 1
    reaches: str = ""  # lowest level its rows are recorded at, where that is above the table's
    own: bool = False  # a place's value is its own rows'; the sum of the places right below only where it has none
    formula: Formula | None = None

    def valid_in(self, year: int) -> bool:
        """Whether this definition is the one of a year."""
        return self.valid_from <= year and (self.valid_before is None or year < self.valid_before)

    @property
    def columns(self) -> frozenset[str]:
        """The columns of its table it reads."""
        return (self.value.columns if self.value else frozenset()) | (self.where.columns if self.where else frozenset())

    def as_dict(self) -> dict[str, Any]:
        """The definition as people read it."""
        counted = {
            "table": self.table,
            "where": self.where_text,
            "value": self.value_text,
            "empty": self.empty,
            "scale": self.scale,
        }
        counted |= {"reaches": self.reaches} if self.reaches else {}
        counted |= {"own": True} if self.own else {}
        derived = {"formula": self.formula.text, "inputs": list(self.formula.uses)} if self.formula else counted
        return {
            "id": self.id,
            "label": self.label,
            "label_zh": self.label_zh,
            "unit": self.unit,
            "kind": self.kind,
            "disclosure": self.disclosure,
            "rounding": str(self.rounding),
            "valid_from": self.valid_from,
            "valid_before": self.valid_before,
            "source": self.source,
            "source_zh": self.source_zh,
            "prints": list(self.prints),
            "note": self.note,
            **({"note_zh": self.note_zh} if self.note_zh else {}),
            "file": self.file,
            **derived,
        }


@dataclass(frozen=True)
class Declarations:
    """All figures of an installation in the order of their files."""

    figures: tuple[Figure, ...]

    def of_year(self, year: int) -> dict[str, Figure]:
        """Id -> the definition valid in a year."""
        return {f.id: f for f in self.figures if f.valid_in(year)}

    @property
    def aliases(self) -> dict[str, str]:
        """An id printed again -> the figure it is."""
        return {printed: f.id for f in self.figures for printed in f.prints}


@cache
def declarations() -> Declarations:
    """The declarations of this installation; refuses (figures.declarations) with every fault."""
    found, faults = read(declaration_files(), figure_tables())
    if faults:
        raise Refusal(
            "figures.declarations",
            record=say("{count} faults", count=len(faults)),
            found=Listing(faults[:20], "; "),
            expected=say("declarations without faults"),
            rule=say("a figure is a declaration checked as a whole"),
            todo=say("mend the attributes named"),
            more={"faults": [f._asdict() for f in faults]},
        )
    return found


def declaration_files() -> list[Path]:
    """Every room's file in the order of the rooms, then the region's own in the order of their names."""
    rooms = [Path(app.path) / "figures.toml" for app in apps.get_app_configs() if app.name.startswith("karez.")]
    own = Path(os.environ.get("KAREZ_FIGURES", paths.VAR / "figures"))
    return [f for f in rooms if f.exists()] + (sorted(own.glob("*.toml")) if own.is_dir() else [])


def read(files: Iterable[Path], tables: Iterable[FigureTable]) -> tuple[Declarations, list[Fault]]:
    """All figures that can be read from the files, and every fault found in any of them."""
    by_name = {t.name: t for t in tables}
    figures: list[Figure] = []
    faults = [f for table in by_name.values() for f in _table_faults(table)]
    with _Types(by_name) as types:
        for file in files:
            _read_file(file, types, figures, faults)
    faults += _faults_between(figures)
    return Declarations(tuple(figures)), faults


def _table_faults(table: FigureTable) -> Iterable[Fault]:
    for column in table.columns:
        if column.name in CONSTANTS:
            yield Fault(
                table.name, "-", column.name, "a column named like a constant", "another name, such as value_year"
            )
    if table.reaches not in LEVELS:
        yield Fault(table.name, "-", "reaches", table.reaches, " or ".join(LEVELS))


def _read_file(file: Path, types: "_Types", figures: list[Figure], faults: list[Fault]) -> None:
    name = f"{file.parent.name}/{file.name}"
    try:
        if file.stat().st_size > _FILE_BYTES:
            faults.append(Fault(name, "-", "-", f"{file.stat().st_size:,} bytes", f"at most {_FILE_BYTES:,}"))
            return
        text = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, numbers or nesting without end
        faults.append(Fault(name, "-", "-", str(error)[:200], "a TOML file"))
        return
    except OSError as error:
        faults.append(Fault(name, "-", "-", error.strerror or "unreadable", "a file that can be read"))
        return
    faults += [Fault(name, "-", key, "an unknown table", "[[figure]]") for key in text if key != "figure"]
    given = text.get("figure", [])
    for n, raw in enumerate(given if isinstance(given, list) else [given], start=1):
        reader = _Reader(name, raw if isinstance(raw, dict) else {}, n, types)
        figure = reader.figure()
        faults += reader.faults
        if figure is not None:
            figures.append(figure)


class _Reader:
    """Reads one declaration and collects its faults."""

    def __init__(self, file: str, raw: Mapping[str, Any], number: int, types: "_Types") -> None:
        self.file, self.raw, self.types = file, raw, types
        self.faults: list[Fault] = []
        given = raw.get("id")
        self.id = given if isinstance(given, str) and _ID.fullmatch(given) else f"figure {number}"
        if self.id != given:
            self.fault("id", given, "words of a-z, 0-9 and _ with dots between, such as room.name")

    def fault(self, attribute: str, found: object, expected: str) -> None:
        shown = "nothing" if found is None else repr(found) if isinstance(found, str) else str(found)
        self.faults.append(Fault(self.file, self.id, attribute, shown[:200], expected))

    def figure(self) -> Figure | None:
        """The figure, or None where a fault makes it meaningless."""
        own = _DERIVED if "formula" in self.raw else _COUNTED
        for name in self.raw:
            if name not in _COMMON and name not in own:
                self.fault(name, "an unknown attribute", ", ".join((*_COMMON, *own)))
        for name in _REQUIRED:
            if name not in self.raw:
                self.fault(name, None, "a value; it is required")
        common: dict[str, Any] = {
            "label": self.text("label"),
            "label_zh": self.text("label_zh"),
            "unit": self.text("unit"),
            "note": self.text("note"),
            "source": self.text("source"),
            "kind": self.word("kind", KINDS),
            "disclosure": self.word("disclosure", DISCLOSURES),
            "rounding": self.rounding(),
            "valid_from": self.year("valid_from") or 0,
            "valid_before": self.year("valid_before"),
            "prints": self.prints(),
            "source_zh": self.text("source_zh"),
            "note_zh": self.text("note_zh"),
        }
        special = self.derived() if "formula" in self.raw else self.counted()
        return None if self.faults else Figure(id=self.id, file=self.file, **common, **special)

    def derived(self) -> dict[str, Any]:
        empty = self.word("empty", ("missing",)) if "empty" in self.raw else "missing"
        try:
            return {"formula": parse_formula(self.text("formula")), "empty": empty}
        except FormulaError as error:
            self.fault("formula", f"{error.found} at character {error.position}", error.expected)
            return {}

    def counted(self) -> dict[str, Any]:
        table = self.text("table")
        empty, scale = self.word("empty", ("zero", "missing")), self.raw.get("scale", 1)
        if not isinstance(scale, int) or isinstance(scale, bool) or not 1 <= scale <= 10**9:
            self.fault("scale", scale, "a whole number from 1, what the value is divided by")
        if table not in self.types.columns:
            self.fault("table", table or None, "one of " + ", ".join(sorted(self.types.columns)))
            return {}
        columns = self.types.columns[table]
        special: dict[str, Any] = {"table": table, "empty": empty, "scale": scale}
        special |= {"where_text": self.text("where"), "value_text": self.text("value")}
        if "where" in self.raw:
            special["where"] = self.parsed("where", lambda text: parse_where(text, columns), table)
        special["reaches"] = self.reaches(self.types.tables[table].reaches)
        special["value"] = self.parsed("value", lambda text: parse_value(text, columns), table)
        special["own"] = self.own(special["value"])
        return special

    def own(self, value: Aggregate | None) -> bool:
        """Whether places bring their own numbers: a sum, of nobody, because parts of such a number are not withheld
        with it.
        """
        given = self.raw.get("own", False)
        if not isinstance(given, bool):
            self.fault("own", given, "true or false")
        elif given and value is not None and (value.function != "sum" or self.raw.get("disclosure") != "none"):
            self.fault(
                "own", f"{value.function}, disclosure {self.raw.get('disclosure')}", "a sum with disclosure none"
            )
        return given is True

    def parsed(self, attribute: str, parse: Any, table: str) -> Any:
        try:
            found = parse(self.text(attribute))
        except NotAllowed as error:
            self.fault(attribute, error.found, error.expected)
            return None
        if problem := self.types.problem(table, attribute, found):
            self.fault(attribute, self.text(attribute), problem)
        return found

    def text(self, name: str) -> str:
        value = self.raw.get(name, "")
        if not isinstance(value, str) or (
            name in self.raw and not value.strip() and name not in ("note", "note_zh", "label_zh", "source_zh")
        ):
            self.fault(name, value, "a text")
            return ""
        return value

    def word(self, name: str, words: Sequence[str]) -> str:
        value = self.raw.get(name)
        if value not in words:
            if name in self.raw or name not in _REQUIRED:
                self.fault(name, value, " or ".join(words))
            return ""
        return str(value)

    def reaches(self, of_table: str) -> str:
        """The figure's own reach; never below what its table is recorded at."""
        levels = LEVELS[: LEVELS.index(of_table) + 1] if of_table in LEVELS else LEVELS
        return self.word("reaches", levels) if "reaches" in self.raw else ""

    def year(self, name: str) -> int | None:
        value = self.raw.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 1949 <= value <= 2200):
            self.fault(name, value, "a year")
            return None
        return value

    def rounding(self) -> Decimal:
        value = self.raw.get("rounding", 1)
        given = Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal(0)
        # Looked at before anything is worked out with it: 1e999999999 is a short text and an endless number.
        if not given.is_finite() or not given > 0 or abs(given.adjusted()) > 18 or len(given.as_tuple().digits) > 18:
            self.fault("rounding", str(value)[:40], "a number above zero, the worth of the last digit shown")
            return Decimal(1)
        return given

    def prints(self) -> tuple[str, ...]:
        value = self.raw.get("prints", [])
        if not isinstance(value, list) or not all(isinstance(v, str) and _ID.fullmatch(v) for v in value):
            self.fault("prints", value, "a list of ids")
            return ()
        return tuple(value)


class _Types:
    """Empty tables in a locked DuckDB, to ask what type an expression has."""

    def __init__(self, tables: Mapping[str, FigureTable]) -> None:
        self.tables = tables
        self.columns = {name: frozenset(c.name for c in all_columns(t)) for name, t in tables.items()}

    def __enter__(self) -> Self:
        self.duck = duckdb.connect(config={"threads": "1", "memory_limit": "128MB"})
        for name, table in self.tables.items():
            columns = ", ".join(f'"{c.name}" {_DUCKDB.get(c.sql_type, c.sql_type)}' for c in all_columns(table))
            self.duck.execute(f'CREATE TABLE "{name}" ({columns})')
        self.duck.execute("SET enable_external_access = false; SET lock_configuration = true")
        return self

    def __exit__(self, *error: object) -> None:
        self.duck.close()

    def problem(self, table: str, attribute: str, found: Scalar | Aggregate) -> str:
        """What is wrong with the type of a checked expression; empty where nothing is."""
        try:
            sql = found.sql(year=2009, as_of=date(2009, 12, 31))
            kind = self.duck.execute(f'DESCRIBE SELECT {sql} AS v FROM "{table}"').fetchall()[0][1]
        except duckdb.Error as error:
            return f"an expression the table's types allow ({str(error).splitlines()[0][:160]})"
        if attribute == "where":
            return "" if kind == "BOOLEAN" else f"a condition, not {kind}"
        exact = kind.startswith("DECIMAL") or kind in ("HUGEINT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT")
        return "" if exact else f"whole numbers or decimals, not {kind}"


def _faults_between(figures: Sequence[Figure]) -> list[Fault]:
    """Ids declared twice for one year, printed ids that clash, formulas over unknown figures or in circles."""
    faults = []
    known = {f.id for f in figures}
    for n, figure in enumerate(figures):
        for other in figures[:n]:
            if other.id == figure.id and _overlap(other, figure):
                faults.append(
                    Fault(
                        figure.file,
                        figure.id,
                        "id",
                        f"declared for the same years in {other.file}",
                        "one definition a year",
                    )
                )
        for printed in figure.prints:
            if printed in known or any(printed in o.prints for o in figures[:n] if o.id != figure.id):
                faults.append(Fault(figure.file, figure.id, "prints", printed, "an id that no other figure has"))
        unknown = [i for i in (figure.formula.uses if figure.formula else ()) if i not in known]
        faults += [Fault(figure.file, figure.id, "formula", i, "the id of a declared figure") for i in unknown]
    return faults + _circles(figures)


def _overlap(one: Figure, other: Figure) -> bool:
    return one.valid_from < (other.valid_before or 9999) and other.valid_from < (one.valid_before or 9999)


def _circles(figures: Sequence[Figure]) -> list[Fault]:
    uses = {f.id: set(f.formula.uses) for f in figures if f.formula}
    while True:  # take away what needs only what is not a formula
        done = [i for i, inputs in uses.items() if not inputs & uses.keys()]
        if not done:
            break
        for i in done:
            del uses[i]
    files = {f.id: f.file for f in figures}
    return [
        Fault(files[i], i, "formula", "a formula that needs itself", "formulas without circles") for i in sorted(uses)
    ]
