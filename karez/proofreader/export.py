"""A proof as a file to take away: CSV, XLSX or JSON, in the active language where it is told in words. Keeps nothing."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from karez.kernel.interval import Interval
from karez.kernel.printed import plain_number
from karez.proofreader.proof import ProofResult
from karez.proofreader.units import sentence

Cell = str | int | float | None
Row = list[Cell]
COLUMNS = (
    "part", "line", "id", "formula", "printed", "computed", "low", "high", "verdict", "why", "would_hold_at", "file", "column",
)  # fmt: skip
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
_RISKY = ("=", "+", "-", "@", "\t", "\r")


def export(result: ProofResult, form: str) -> bytes:
    """The bytes of a proof as `csv`, `xlsx` or `json`; the JSON is what the command prints."""
    makers: dict[str, Callable[[ProofResult], bytes]] = {"csv": as_csv, "xlsx": as_xlsx, "json": as_json}
    return makers[form](result)


def as_json(result: ProofResult) -> bytes:
    """The whole answer with its stable keys."""
    return json.dumps(result.as_dict(), ensure_ascii=False, indent=1).encode() + b"\n"


def as_csv(result: ProofResult) -> bytes:
    """One row for each thing told; `part` says whether it is an identity, a relation, a unit or a fault."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for part, rows in _parts(result).items():
        for row in rows:
            writer.writerow([part, *(_harmless(cell) for cell in row)])
    return out.getvalue().encode("utf-8-sig")  # the mark lets spreadsheets see that it is UTF-8


def as_xlsx(result: ProofResult) -> bytes:
    """A sheet for each part, after one that counts them."""
    out = io.BytesIO()
    words = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, words) as book:
        bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        summary = book.add_worksheet(_("Summary"))
        summary.set_column(0, 0, 70)
        for line, (label, count) in enumerate(summary_rows(result)):
            summary.write_string(line, 0, label)
            summary.write_number(line, 1, count)
        names = {"identity": _("Identities"), "relation": _("Relations"), "unit": _("Units"), "fault": _("Faults")}
        for part, rows in _parts(result).items():
            sheet = book.add_worksheet(names[part])
            sheet.freeze_panes(1, 0)
            sheet.set_column(1, 2, 36, wrap)
            sheet.set_column(8, 9, 60, wrap)
            sheet.write_row(0, 0, COLUMNS[1:], bold)
            for line, row in enumerate(rows, start=1):
                for column, cell in enumerate(row):
                    _write(sheet, line, column, cell)
    return out.getvalue()


def summary_rows(result: ProofResult) -> list[tuple[str, int]]:
    """How many of each verdict, in words."""
    verdicts = [identity.verdict.value for identity in result.identities]
    counts = {
        _("Figures read"): result.figures,
        _("Identities judged"): len(verdicts),
        _("Identities that hold"): len(verdicts) - verdicts.count("fail"),
        _("Identities that fail"): verdicts.count("fail"),
        _("Relations judged"): len(result.relations),
        _("Relations broken"): sum(r.verdict.value == "broken" for r in result.relations),
        _("Faults of units and kinds"): len(result.units),
        _("Faults of the file"): len(result.faults),
    }
    return list(counts.items())


def _parts(result: ProofResult) -> dict[str, Iterator[Row]]:
    """The rows of each part, without their first column."""
    return {
        "identity": (
            [
                i.line,
                i.id,
                i.formula,
                plain_number(i.printed.fraction),
                None if i.computed is None else plain_number(i.computed),
                *_ends(i.range),
                i.verdict.value,
                str(i.why),
                "; ".join(str(option) for option in i.would_hold),
                "figures",
                None,
            ]
            for i in sorted(result.identities, key=lambda one: one.verdict.value != "fail")
        ),
        "relation": (
            [
                r.line,
                r.meaning,
                f"{r.left} {r.sign.value} {r.right}",
                None,
                None,
                None,
                None,
                r.verdict.value,
                str(r.why),
                None,
                "rules",
                None,
            ]
            for r in sorted(result.relations, key=lambda one: one.verdict.value != "broken")
        ),
        "unit": (
            [u.line, u.id, None, None, None, None, None, "unit", sentence(u), None, u.file, None] for u in result.units
        ),
        "fault": (
            [
                f.line,
                None,
                None,
                None,
                None,
                None,
                None,
                "fault",
                fault_sentence(f.found, f.expected),
                None,
                f.file,
                f.column,
            ]
            for f in result.faults
        ),
    }


def fault_sentence(found: str, expected: str) -> str:
    """A fault of the file in one sentence of the active language."""
    return _("Found %(found)s; expected %(expected)s.") % {
        "found": str(found),
        "expected": str(expected),
    }


def _ends(interval: Interval) -> list[Cell]:
    return [None if end is None else plain_number(end) for end in (interval.lowest, interval.highest)]


def _harmless(cell: Cell) -> Any:
    """A text that a spreadsheet would take for a formula gets a quote in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_RISKY) else cell


def _write(sheet: Any, line: int, column: int, cell: Cell) -> None:
    if cell is None:
        return
    if isinstance(cell, str):
        sheet.write_string(line, column, str(cell)[:32_767])
    elif abs(cell) < 10**15:
        sheet.write_number(line, column, cell)
    else:
        sheet.write_string(line, column, str(cell))
