"""What the rooms declare for closing: figure tables, checks, live reports; and the registry of report checks. Runs
nothing.

Rooms are found by their modules: `figure_tables.FIGURE_TABLES`, `checks.CHECKS`, `checks.REPORTS`.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _

from karez.closing.checking import Wrong
from karez.closing.snapshots import Snapshot
from karez.kernel.figure_tables import PLACE_COLUMNS, ClosingCheck, FigureColumn, FigureTable, LiveReport

# Given a draft, the declared reports and a way to run their SQL in the same state: what does not equal its figure.
RunReport = Callable[[str], list[tuple[Any, ...]]]
ReportCheck = Callable[[Snapshot, Sequence[LiveReport], RunReport], list[Wrong]]

_report_checks: dict[str, ReportCheck] = {}

PLACES = FigureTable(
    name="places",
    grain=_("one row per area in the edition of the year"),
    columns=(
        FigureColumn("level", "text", _("region, prefecture, county, township or village")),
        FigureColumn("code", "text", _("code of the administrative division on the closing day")),
        FigureColumn("name_zh", "text", _("Chinese name")),
        FigureColumn("name_en", "text", _("romanised name")),
        FigureColumn("parent_id", "bigint", _("the area it lies in")),
        *PLACE_COLUMNS[2:],
    ),
    sql="SELECT area_id, level, code, name_zh, name_en, parent_id, region_id, prefecture_id, county_id, "
    "township_id, village_id"
    " FROM places_tree_on(%(as_of)s, true) WHERE region_id = (SELECT area_id FROM periods_region)",
    order_by="area_id",
)


def figure_tables() -> tuple[FigureTable, ...]:
    """Every room's figure tables, by name; two of one name are a bug."""
    return _unique(_declared("figure_tables", "FIGURE_TABLES"))


def closing_checks() -> tuple[ClosingCheck, ...]:
    """Every room's checks, by name; two of one name are a bug."""
    return _unique(_declared("checks", "CHECKS"))


def live_reports() -> tuple[LiveReport, ...]:
    """Every live number a room says equals a figure."""
    return tuple(_declared("checks", "REPORTS"))


def register_report_check(name: str, check: ReportCheck) -> None:
    """Hands closing a check of the draft against live reports; called once by the room of figures when it is ready."""
    _report_checks[name] = check


def report_checks() -> dict[str, ReportCheck]:
    """The registered report checks by name."""
    return dict(_report_checks)


def filled(sql: str, *, year: int, as_of: date) -> str:
    """Declared SQL with its placeholders as literals; they come from the calendar, never from input."""
    return sql % {
        "as_of": f"DATE '{as_of:%Y-%m-%d}'",
        "year": str(int(year)),
        "year_start": f"DATE '{int(year):04d}-01-01'",
    }


def _declared(module: str, attribute: str) -> Iterator[Any]:
    for app in apps.get_app_configs():
        if app.name.startswith("karez.") and module_has_submodule(app.module, module):
            yield from getattr(import_module(f"{app.name}.{module}"), attribute, ())


def _unique(declared: Iterator[Any]) -> tuple[Any, ...]:
    by_name: dict[str, Any] = {}
    for one in declared:
        assert one.name not in by_name, f"declared twice: {one.name}"
        by_name[one.name] = one
    return tuple(by_name[name] for name in sorted(by_name))
