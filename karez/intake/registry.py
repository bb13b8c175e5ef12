"""Finds the sheets that rooms declare, by name. Knows no room: any app may have a module `sheets` with an attribute
SHEETS.
"""

import sys
from functools import cache

from django.apps import apps
from django.utils.module_loading import autodiscover_modules

from karez.intake import rules
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Sheet

_ADDED: dict[str, Sheet] = {}


@cache
def _declared() -> dict[str, Sheet]:
    autodiscover_modules("sheets")
    found: dict[str, Sheet] = {}
    for config in apps.get_app_configs():
        module = sys.modules.get(f"{config.name}.sheets")
        for sheet in getattr(module, "SHEETS", ()):
            rules.check_declaration(sheet)
            assert sheet.name not in found, f"two sheets are called {sheet.name}"
            found[sheet.name] = sheet
    return found


def add(sheet: Sheet) -> None:
    """Makes a sheet known that no room declares (tests)."""
    rules.check_declaration(sheet)
    _ADDED[sheet.name] = sheet


def sheets() -> dict[str, Sheet]:
    """Every sheet by its name, in the order of the rooms."""
    return _declared() | _ADDED


def sheet_named(name: str) -> Sheet:
    """The sheet of that name; refuses an unknown one."""
    found = sheets().get(name)
    if found is None:
        raise unknown(name)
    return found


def unknown(name: str) -> Refusal:
    """The refusal of a sheet nobody declares, or this person may not send."""
    return Refusal(
        "intake.unknown_sheet",
        record=say("sheet {name}", name=name),
        found=say("no sheet of this name"),
        expected=", ".join(sorted(sheets())),
        rule=say("a file is loaded as a sheet some room declares"),
        todo=say("choose one of the sheets"),
    )
