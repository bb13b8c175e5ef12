"""Types one file in DuckDB and copies it, sealed, into its staged table; finds every fault of its cells and rows.

Works on a plain file in a scratch folder, holds nothing afterwards. Memory is bounded: DuckDB spills to the same
folder, rows pass on in batches. Holds no state of a batch and no permission; the checks a sheet declares run in
PostgreSQL later.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.conf import settings
from pyarrow import csv as arrow_csv

from karez.intake import limits, others, rules, typing
from karez.intake.headings import unit_in
from karez.intake.others import perhaps
from karez.intake.plain import Broken, Notices, Shape, as_utf8, place_as_sent, shape_of, tidy
from karez.intake.sealing import Sealer
from karez.intake.telling import heading_shown, holds_identity, not_shown
from karez.intake.typing import Test, in_duckdb, name, text
from karez.kernel.encodings import GB18030, LOST, PERHAPS_NONSENSE, is_nonsense
from karez.kernel.messages import Listing, kept, read_in, say
from karez.kernel.personal import looks_personal
from karez.kernel.sheets import Kind, Sheet
from karez.kernel.written import unit_words

Progress = Callable[[str, int], None]
AreaRow = tuple[int, str, str, Any, Any]  # area_id, level, code, starts_on, ends_before

_FAULTS = (
    "CREATE TABLE faults (row_no BIGINT, col VARCHAR, found VARCHAR, expected VARCHAR, rule VARCHAR, todo VARCHAR)"
)


@dataclass
class Places:
    """What staging must know of places: every dated code, the areas the sender may write in, the days of the tree."""

    codes: Sequence[AreaRow]
    allowed: Sequence[int]
    days: Sequence[Any]  # tried one after the other where a sheet names no day


@dataclass
class StagedFile:
    """What came of staging a file's cells."""

    row_count: int = 0
    fault_count: int = 0
    notices: Notices = field(default_factory=Notices)
    headings: dict[str, str] = field(
        default_factory=dict
    )  # by column: how the file heads it, as far as it may be shown


class FileStaging:
    """One file on its way from plain CSV to typed rows and faults."""

    def __init__(
        self, sheet: Sheet, path: Path, places: Places, progress: Progress, dropped: Sequence[int] = ()
    ) -> None:
        self.sheet, self.path, self.places, self.progress, self.dropped = sheet, path, places, progress, dropped
        self.result = StagedFile(notices=Notices(identity=holds_identity(sheet)))
        self.db = _open(path.parent)
        self.db.execute(_FAULTS)

    def close(self) -> None:
        """Lets go of DuckDB."""
        self.db.close()

    def check(self) -> None:
        """Reads the file and finds the faults of file, rows and cells."""
        self.progress(say("reading"), 2)
        shape = shape_of(self.path, self.sheet)
        matched = rules.match_headings(self.sheet, shape.headings)
        self._keep_headings(shape, matched)
        self._head_faults(shape, matched)
        if not matched.places:
            self._tell_unknown(matched, set())
            self.db.execute("CREATE TABLE raw (row_no BIGINT, is_total BOOLEAN)")
            return
        self._load(shape, matched)
        self.progress(say("checking cells"), 20)
        units = self._heading_units(matched)
        self._make_cells(units)
        self._tell_unknown(matched, self._other_columns(matched))
        self.result.row_count = self._number("SELECT count(*) FROM cells")
        if not self.result.row_count:
            self._fault(0, "", say("no row below the headings"), say("at least one row"), "no_rows")
        headed = {column: self.result.notices.shown(matched.units[column].text) for column in units}
        self._cell_faults(frozenset(matched.places), headed, gb18030=shape.encoding == GB18030)
        self._nonsense(frozenset(matched.places))
        self._row_faults()

    def faults(self) -> Iterator[bytes]:
        """The faults as CSV for COPY (batch_id is not among them); the first ones by row where there are too many."""
        query = f"SELECT * FROM faults ORDER BY row_no, col, rule LIMIT {limits.FAULTS_LISTED}"
        yield from (_csv(batch) for batch in self._batches(query))

    def fault_records(self) -> list[dict[str, Any]]:
        """The same faults as records, for whoever lists them at once."""
        found = self.db.execute(
            f"SELECT * FROM faults ORDER BY row_no, col, rule LIMIT {limits.FAULTS_LISTED}"
        ).fetchall()
        names = ("row_no", "column", "found", "expected", "rule", "todo")
        return [dict(zip(names, read_in(row), strict=True)) for row in found]

    def records(self) -> list[dict[str, Any]]:
        """The typed rows by column, with `row_no`; of a sheet without identity."""
        names = ["row_no", *(column.name for column in self.sheet.columns)]
        listed = ", ".join(["row_no", *(name("t_" + column.name) for column in self.sheet.columns)])
        return [
            dict(zip(names, row, strict=True))
            for row in self.db.execute(f"SELECT {listed} FROM cells ORDER BY row_no").fetchall()
        ]

    def area_ids(self) -> list[int]:
        """The areas the rows speak of by the sheet's area column."""
        column = self.sheet.area_column
        if not column:
            return []
        rows = self.db.execute(
            f"SELECT DISTINCT {name(column + '_id')} FROM cells WHERE {name(column + '_id')} IS NOT NULL"
        ).fetchall()
        return [row[0] for row in rows]

    def rows(self) -> Iterator[bytes]:
        """The typed and sealed rows as CSV for COPY, in the order of `rules.staged_columns` after row_no."""
        sealer, done = Sealer(settings.SEALING_KEY), 0
        total = max(self.result.row_count, 1)
        for batch in self._batches(self._output()):
            yield _csv(self._sealed(batch, sealer))
            done += batch.num_rows
            self.progress(say("sealing and staging"), 40 + 40 * done // total)

    def disagreements(self) -> Iterator[tuple[int, str]]:
        """Rows whose identity number says another month of birth or sex than the row, and what; nothing of the number
        itself.
        """
        query = typing.number_disagrees(self.sheet)
        if query:
            yield from self.db.execute(query).fetchall()

    # Reading.

    def _load(self, shape: Shape, matched: rules.Headings) -> None:
        """Fills the table `raw`; the quick way, and where the lines are not plain the slow one."""
        utf8 = as_utf8(self.path, shape)
        lines = shape.line_breaks + (not shape.ends_with_break) - 1
        headings = {place: column for column, place in matched.places.items()}
        columns = [
            headings.get(place) or (f"other_{place}" if place in matched.others else "")
            for place in range(len(shape.headings))
        ]
        if shape.header_lines == 1 and not shape.has_long_line:
            try:
                self.db.execute(_raw_from(utf8, columns, shape.delimiter, skip=1))
                if self._number("SELECT count(*) FROM loaded") == lines:
                    self.db.execute("CREATE VIEW raw AS SELECT rowid + 2 AS row_no, * FROM loaded WHERE NOT is_blank")
                    return
            except duckdb.InvalidInputException:
                pass
            self.db.execute("DROP TABLE IF EXISTS loaded")
        self._load_slowly(utf8, shape, columns)

    def _load_slowly(self, utf8: Path, shape: Shape, columns: list[str]) -> None:
        target = self.path.with_suffix(".tidy")
        broken = list(_first(tidy(utf8, target, shape), self._count_broken))
        for row_no, found, expected, rule in broken:
            self._fault(row_no, "", found, expected, rule)
        self.db.execute(_raw_from(target, ["row_no", *columns], ",", skip=0))
        self.db.execute(
            "CREATE VIEW raw AS SELECT CAST(loaded.row_no AS BIGINT) AS row_no, * EXCLUDE (row_no) FROM loaded "
            "WHERE NOT is_blank"
        )

    def _count_broken(self, more: int) -> None:
        self.result.fault_count += more

    def _make_cells(self, units: Mapping[str, Fraction]) -> None:
        """The view `cells`: raw cells by column name, typed ones as `t_<name>`, areas as `<name>_id`."""
        present = {row[0] for row in self.db.execute("DESCRIBE raw").fetchall()}
        raw = [
            (
                f"{typing.plain_cell(c, f'r.{name(c.name)}') if c.name in present else 'CAST(NULL AS VARCHAR)'} AS "
                f"{name(c.name)}"
            )
            for c in self.sheet.columns
        ]
        self.db.execute(f"CREATE VIEW plain AS SELECT row_no, {', '.join(raw)} FROM raw r WHERE NOT is_total")
        narrow = [
            f"{typing.narrow_cell(c)} AS {name('n_' + c.name)}" for c in self.sheet.columns if c.kind is not Kind.TEXT
        ]
        self.db.execute(f"CREATE VIEW narrow AS SELECT *{''.join(', ' + one for one in narrow)} FROM plain")
        words = self._units_in_cells()
        typed = [
            f"{typing.typed(c, units.get(c.name, Fraction(1)), words.get(c.name, {}))} AS {name('t_' + c.name)}"
            for c in self.sheet.columns
        ]
        self.db.execute(
            f"CREATE VIEW typed AS SELECT *, {', '.join(typed)}, {typing.day_of_area(self.sheet)} AS area_day FROM "
            "narrow"
        )
        joins, ids = "", ""
        for column in self.sheet.columns:
            if column.kind is Kind.AREA:
                table = self._resolve(column.name, column.levels)
                done = name("t_" + column.name)
                joins += (
                    f" LEFT JOIN {table} ON {table}.code = t.{done} AND {table}.day IS NOT DISTINCT FROM t.area_day"
                )
                ids += f", {table}.area_id AS {name(column.name + '_id')}"
        self.db.execute(f"CREATE VIEW cells AS SELECT t.*{ids} FROM typed t{joins}")

    def _resolve(self, column: str, levels: tuple[str, ...]) -> str:
        """A table of the codes of one column with the area each meant on its day; no area where none or several."""
        table, done = name(f"area_of_{column}"), name("t_" + column)
        if not self._number("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'codes'"):
            self._load_places()
        at = f"a.level IN ({', '.join(map(text, levels))})" if levels else "true"
        self.db.execute(
            f"CREATE TABLE {table} AS WITH wanted AS (SELECT DISTINCT {done} AS code, area_day AS day FROM typed "
            f"WHERE {done} IS NOT NULL),"
            " tries AS (SELECT w.code, w.day, d.nth, a.area_id FROM wanted w CROSS JOIN days d"
            "  LEFT JOIN codes a ON a.code = w.code AND a.starts_on <= coalesce(w.day, d.day)"
            f"  AND (a.ends_before IS NULL OR a.ends_before > coalesce(w.day, d.day)) AND {at}),"
            " by_day AS (SELECT code, day, nth, CASE WHEN count(DISTINCT area_id) = 1 THEN min(area_id) END AS area_id,"
            "  count(area_id) AS n FROM tries GROUP BY code, day, nth)"
            " SELECT code, day, arg_min(area_id, nth) FILTER (WHERE n > 0) AS area_id FROM by_day GROUP BY code, day"
        )
        return table

    def _load_places(self) -> None:
        codes = list(zip(*self.places.codes, strict=True)) or [()] * 5
        kinds = (
            ("area_id", pa.int64()),
            ("level", pa.string()),
            ("code", pa.string()),
            ("starts_on", pa.date32()),
            ("ends_before", pa.date32()),
        )
        given = pa.table({key: pa.array(values, kind) for (key, kind), values in zip(kinds, codes, strict=True)})
        days = pa.table(
            {"nth": pa.array(range(len(self.places.days)), pa.int64()), "day": pa.array(self.places.days, pa.date32())}
        )
        allowed = pa.table({"area_id": pa.array(self.places.allowed, pa.int64())})
        for table, source in (("codes", given), ("days", days), ("allowed", allowed)):
            self.db.register("handed", source)
            self.db.execute(f"CREATE TABLE {table} AS SELECT * FROM handed")
            self.db.unregister("handed")

    # Faults.

    def _keep_headings(self, shape: Shape, matched: rules.Headings) -> None:
        for column, place in matched.places.items():
            heading = shape.headings[place].strip()[:60]
            shown = self.result.notices.shown(heading)
            if shown != not_shown(heading):
                self.result.headings[column] = shown

    def _tell_unknown(self, matched: rules.Headings, faulty: set[str]) -> None:
        """Tells of the columns that are not read; not of those that are a fault, which say what to do."""
        told = set(faulty)
        for place, heading in matched.others.items():
            if heading not in told:
                told.add(heading)
                self.result.notices.tell(
                    "unknown_column", f"{self._shown(heading, place)}{perhaps(self.sheet, matched, heading)}"
                )

    def _shown(self, heading: str, place: int) -> str:
        """A heading that is no column's, as it may be told."""
        return heading_shown(heading, place_as_sent(place, self.dropped)) if self.result.notices.identity else heading

    def _head_faults(self, shape: Shape, matched: rules.Headings) -> None:
        if not shape.headings:
            self._fault(
                0,
                "",
                say("an empty file"),
                say("headings in the first line, one row for each record below"),
                "empty_file",
            )
            return
        for heading in matched.twice:
            place = next((n for n, one in enumerate(shape.headings) if one.strip()[:60] == heading[:60]), 0)
            self._fault(
                1,
                self._shown(heading, place),
                say("a heading that stands twice"),
                say("each heading once"),
                "duplicate_header",
                say("keep the one column that is meant, and send the file again"),
            )
        for column in matched.missing:
            accepted = Listing((column, *self.sheet.column(column).headers))
            self._fault(
                1,
                column,
                say("no such heading"),
                say("a column headed {accepted}", accepted=accepted),
                "missing_column",
                say("add the column, or head it so where it is there under another heading"),
            )

    def _units_in_cells(self) -> dict[str, dict[str, Fraction]]:
        """The known units that cells of each column of numbers name; a unit nobody knows stays a fault of its cells."""
        columns = [c for c in self.sheet.columns if c.kind in rules.NUMBERS]
        if not columns:
            return {}
        asked = self.db.execute(
            f"SELECT {', '.join(f'bool_or({typing.names_units(c)})' for c in columns)} FROM plain"
        ).fetchall()[0]
        found = {}
        for column in (c for c, some in zip(columns, asked, strict=True) if some):
            known = unit_words(rules.base_unit(column))
            words = self.db.execute(f"SELECT DISTINCT {typing.unit_named_in(column)} FROM plain LIMIT 1000").fetchall()
            found[column.name] = {word: known[word] for (word,) in words if word in known}
        return found

    def _heading_units(self, matched: rules.Headings) -> dict[str, Fraction]:
        """What the unit each heading names is worth in its column's own; a unit that cannot be turned into it is a
        fault.
        """
        found = {}
        for column_name, said in matched.units.items():
            column = self.sheet.column(column_name)
            worth = rules.conversion(column, said)
            if worth is None:
                self._fault(
                    1,
                    column_name,
                    say("the heading says {unit}", unit=said.text),
                    typing.expected_heading(column),
                    "unit",
                    say("write the numbers in the column's own unit and head them so"),
                )
            elif worth != 1:
                found[column_name] = worth
                unit = rules.base_unit(column)
                heading = self.result.headings.get(column_name, column_name)
                self.result.notices.tell(
                    "unit_converted",
                    say(
                        "{heading}: {read} × {worth} = {unit}",
                        heading=heading,
                        read=self.result.notices.shown(said.text),
                        worth=f"{int(worth) if worth.denominator == 1 else float(worth):,}",
                        unit=unit or 1,
                    ),
                )
        return found

    def _other_columns(self, matched: rules.Headings) -> set[str]:
        """Columns nobody asked for are left out, but not one that holds people's identity, or the unit of the numbers
        beside it: these headings.
        """
        faulty = set()
        for place, heading in matched.others.items():
            cell = name(f"other_{place}")
            if rules.identity_alias(self.sheet, heading, {}) in matched.places:
                faulty.add(heading)
                self._fault(
                    1,
                    self._shown(heading, place),
                    say("a second column of the same identity"),
                    say("one column for each part of identity"),
                    "identity_column",
                    say("keep the one column that is meant, and send the file again"),
                )
            elif looks_personal(heading) or self._holds(cell, others.IDENTITY) or self._holds_old_cards(cell):
                faulty.add(heading)
                self._fault(
                    1,
                    self._shown(heading, place),
                    say("a column of people's identity under a heading that is not known"),
                    say("identity under the headings of this sheet"),
                    "identity_column",
                    say("give it the heading the sheet has for it, or delete the column: it is not left out unsaid"),
                )
            elif unit := self._unit_beside(cell):
                faulty.add(heading)
                self._fault(
                    1,
                    self._shown(heading, place),
                    say("a column that says {unit}", unit=unit),
                    say("numbers in the units this sheet asks for"),
                    "unit",
                    say("turn the numbers into the column's own unit, and delete the column of units"),
                )
        return faulty

    def _holds(self, column: str, tests: Sequence[tuple[str, Fraction]]) -> bool:
        """Whether enough of the cells that are there pass one of the tests."""
        counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition, _share in tests)
        filled, *passed = self.db.execute(f"SELECT count(*), {counts} FROM ({others.cells_of(column)})").fetchall()[0]
        return any(many and many >= share * filled for many, (_condition, share) in zip(passed, tests, strict=True))

    def _holds_old_cards(self, column: str) -> bool:
        codes = self._number("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'codes'") > 0
        filled, many = self.db.execute(others.old_cards(column, codes)).fetchall()[0]
        return bool(many and many >= others.OLD_CARDS * filled)

    def _unit_beside(self, cell: str) -> str:
        """The first known unit other than a plain one where a column names units and nothing else; what only looks like
        one is left aside.
        """
        words = [
            row[0]
            for row in self.db.execute(f"SELECT DISTINCT {cell} FROM raw WHERE {cell} IS NOT NULL LIMIT 21").fetchall()
        ]
        said = [unit_in(word) for word in words]
        if len(words) > 20 or not all(said):
            return ""
        other = [
            one.text
            for one in said
            if one and one.unit is not None and (not one.unit.is_plain or one.unit.base == "foreign money")
        ]
        return other[0] if other else ""

    def _cell_faults(self, present: frozenset[str], headed: Mapping[str, str], *, gb18030: bool) -> None:
        """One pass counts the bad cells of every test; only tests with some are asked for their rows."""
        tests = [*typing.tests(self.sheet, present, headed, gb18030=gb18030), *self._scope_tests(present)]
        if not tests:
            return
        counting = ", ".join(f"count(*) FILTER (WHERE {test.condition})" for test in tests)
        counts = self.db.execute(f"SELECT {counting} FROM cells").fetchall()[0]
        for test, count in zip(tests, counts, strict=True):
            if count:
                self.result.fault_count += count
                self._list(test)

    def _nonsense(self, present: frozenset[str]) -> None:
        """Words saved in a wrong encoding before they came here, each looked at once, wherever in the file it stands."""
        for column in self.sheet.columns:
            if column.kind is not Kind.TEXT or column.name not in present:
                continue
            cell = name(column.name)
            perhaps_so = (
                f"CASE WHEN strlen({cell}) <> length({cell}) THEN regexp_matches({cell}, "
                f"{text(PERHAPS_NONSENSE)}) AND NOT regexp_matches({cell}, {text(LOST)}) ELSE false END"
            )
            asked = self.db.execute(f"SELECT DISTINCT {cell} FROM plain WHERE {perhaps_so}")
            words: list[str] = []
            while len(words) < limits.FAULTS_LISTED and (some := asked.fetchmany(limits.SEAL_ROWS)):
                words += [word for (word,) in some if is_nonsense(word)]
            if not words:
                continue
            self.db.register("handed", pa.table({"word": pa.array(words, pa.string())}))
            spoilt = f"FROM plain WHERE {cell} IN (SELECT word FROM handed)"
            self.result.fault_count += self._number(f"SELECT count(*) {spoilt}")
            expected = say("words as they were written; characters were lost or read in another encoding")
            todo = say("write the word anew, or open the file where it was made and save it as CSV UTF-8")
            self.db.execute(
                f"INSERT INTO faults SELECT row_no, {text(column.name)}, {typing.masked(cell)}, {text(kept(expected))}, "
                f"'damaged', {text(kept(todo))}"
                f" {spoilt} ORDER BY row_no LIMIT {limits.FAULTS_LISTED}"
            )
            self.db.unregister("handed")

    def _list(self, test: Test) -> None:
        words = ", ".join(map(text, (test.column,)))
        expected, todo = test.told()
        self.db.execute(
            f"INSERT INTO faults SELECT row_no, {words}, {test.found}, {expected}, {text(test.rule)}, {todo} FROM "
            f"cells WHERE {test.condition}"
            f" ORDER BY row_no LIMIT {limits.FAULTS_LISTED}"
        )

    def _scope_tests(self, present: frozenset[str]) -> Iterator[Test]:
        column = self.sheet.area_column
        if column and column in present:
            area = name(column + "_id")
            yield Test(
                column,
                "area_scope",
                f"{area} IS NOT NULL AND {area} NOT IN (SELECT area_id FROM allowed)",
                f"left({name(column)}, {limits.FOUND_LENGTH})",
                say("a place within the areas granted to the sender"),
                say("leave the row to the colleague of that place"),
            )

    def _row_faults(self) -> None:
        for row in self.db.execute("SELECT row_no FROM raw WHERE is_total ORDER BY 1").fetchall():
            self._fault(
                row[0],
                "",
                say("a row of totals"),
                say("records only; totals are counted here"),
                "totals_row",
                say("delete this row: totals are worked out by Karez"),
            )
        if not self.sheet.key:
            return
        keys = [name("t_" + column) for column in self.sheet.key]
        listed = ", ".join(keys)
        there = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        shown = [k for k, c in zip(keys, self.sheet.key, strict=True) if not self.sheet.column(c).identity]
        found = f"left(concat_ws(', ', {', '.join(shown)}), {limits.FOUND_LENGTH})"
        if self.result.notices.identity or not shown:  # which cells they are is not kept
            found = in_duckdb(say("the same as row {row}", row="twice.first"))
        first = in_duckdb(say("once in a file; it stands first in row {row}", row="twice.first"))
        todo = say("keep the right one of the rows")
        before = self._number("SELECT count(*) FROM faults")
        self.db.execute(
            f"INSERT INTO faults WITH twice AS (SELECT {listed}, min(row_no) AS first FROM cells WHERE {there}"
            f" GROUP BY {listed} HAVING count(*) > 1)"
            f" SELECT c.row_no, {text(', '.join(self.sheet.key))}, {found}, {first}, 'key', {text(kept(todo))}"
            f" FROM cells c JOIN twice USING ({listed}) WHERE c.row_no > twice.first"
        )
        self.result.fault_count += self._number("SELECT count(*) FROM faults") - before

    def _fault(self, row_no: int, column: str, found: str, expected: str, rule: str, todo: str = "") -> None:
        self.result.fault_count += 1
        told = [kept(words) for words in (column, found, expected, rule, todo)]
        self.db.execute("INSERT INTO faults VALUES (?, ?, ?, ?, ?, ?)", [row_no, *told])

    # Rows.

    def _output(self) -> str:
        """The rows in staged order; of identity the record and what is hashed, at the end."""
        parts = ["row_no"]
        for column in self.sheet.columns:
            if not column.identity:
                parts.append(name("t_" + column.name))
                if column.kind is Kind.AREA:
                    parts.append(name(column.name + "_id"))
        if any(column.identity for column in self.sheet.columns):
            number, person = rules.number_column(self.sheet), rules.name_column(self.sheet)
            index = self.sheet.name_index_column
            parts.append(f"{typing.identity_record(self.sheet)} AS identity_record")
            parts.append(name(number.name) if number else "CAST(NULL AS VARCHAR)")
            parts.append(name(person.name) if person and index else "CAST(NULL AS VARCHAR)")
            parts.append(name(index + "_id") if index else "CAST(NULL AS BIGINT)")
        numbered = ", ".join(f"{part.split(' AS identity_record')[0]} AS c{n}" for n, part in enumerate(parts))
        return f"SELECT {numbered} FROM cells"

    def _sealed(self, batch: pa.RecordBatch, sealer: Sealer) -> pa.RecordBatch:
        if not any(column.identity for column in self.sheet.columns):
            return batch
        *plain, record, number, person, area = batch.columns
        columns = [*plain, *sealer.records(record), sealer.numbers(number), sealer.names(person, area)]
        return pa.RecordBatch.from_arrays(columns, names=[f"c{n}" for n in range(len(columns))])

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        yield from self.db.sql(query).to_arrow_reader(limits.SEAL_ROWS)

    def _number(self, query: str) -> int:
        return int(self.db.execute(query).fetchall()[0][0])  # read to its end: an open result blocks the next statement


@contextmanager
def staging_of(
    sheet: Sheet, path: Path, places: Places, progress: Progress, dropped: Sequence[int] = ()
) -> Iterator[FileStaging]:
    """A FileStaging that is closed on leaving. `dropped` are the places of columns that were in the file as it was sent
    and are not in this one.
    """
    work = FileStaging(sheet, path, places, progress, dropped)
    try:
        yield work
    finally:
        work.close()


def _open(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database of its own in the scratch folder, bounded, that can reach no other file."""
    db = duckdb.connect(str(folder / "work.duckdb"))
    for setting in (
        f"memory_limit = '{limits.STAGE_MEMORY}'",
        f"threads = {limits.STAGE_THREADS}",
        f"temp_directory = {text(str(folder / 'spill'))}",
        f"allowed_directories = [{text(str(folder))}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        db.execute(f"SET {setting}")
    return db


def _raw_from(path: Path, columns: list[str], delimiter: str, *, skip: int) -> str:
    """Loads all cells as text into the table `loaded`, blanks trimmed, with two marks: is_blank, is_total."""
    given = ", ".join(f"{text(f'c{n}')}: 'VARCHAR'" for n in range(len(columns)))
    cells = [typing.raw_cell(f"c{n}") for n in range(len(columns))]
    kept = ", ".join(f"{cell} AS {name(c)}" for cell, c in zip(cells, columns, strict=True) if c)
    first = f"coalesce({', '.join(cells[1:] if columns[0] == 'row_no' else cells)}, NULL)"
    totals = ", ".join(map(text, typing.TOTALS))
    return (
        f"CREATE TABLE loaded AS SELECT {kept}, {first} IS NULL AS is_blank,"
        f" coalesce(lower(rtrim({first}, ':：')) IN ({totals}), false) AS is_total"
        f" FROM read_csv({text(str(path))}, auto_detect = false, header = false, skip = {skip}, delim = "
        f"{text(delimiter)},"
        f" quote = '\"', escape = '\"', columns = {{{given}}}, nullstr = '', strict_mode = true,"
        # four bytes a character, quotes and the row's number; no row is refused by this
        f" max_line_size = {5 * limits.RECORD_LENGTH})"
    )


def _csv(batch: pa.RecordBatch) -> bytes:
    sink = io.BytesIO()
    arrow_csv.write_csv(batch, sink, arrow_csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _first(broken: Iterator[Broken], count_more: Callable[[int], None]) -> Iterator[Broken]:
    """The first broken records; the rest is read to the end and counted."""
    more = 0
    for n, one in enumerate(broken):
        if n < limits.FAULTS_LISTED // 20:
            yield one
        else:
            more += 1
    count_more(more)
