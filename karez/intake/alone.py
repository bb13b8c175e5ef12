"""Reads a file of a sheet where there is no batch yet: for an installation that has no region and no people (`karez
init`).

The very same reading as a file that is sent in: encodings, headings, workbooks, days, faults. Keeps nothing, asks no
permission, and runs none of the checks a sheet has over records. Not for sheets with identity or areas.
"""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from karez.intake import vault
from karez.intake.plain import Notices, prepare
from karez.intake.staging import Places, staging_of
from karez.kernel.sheets import Kind, Sheet


@dataclass(frozen=True)
class Read:
    """What a file says: typed rows by column with their `row_no`, every fault, and what its sender is told of it as a
    whole.
    """

    rows: list[dict[str, Any]]
    faults: list[dict[str, Any]]
    notices: list[dict[str, str]]


def read_file(sheet: Sheet, path: Path) -> Read:
    """The rows and faults of a file; refuses what cannot be read at all, as a file sent in is refused."""
    assert not any(column.identity or column.kind is Kind.AREA for column in sheet.columns), (
        f"{sheet.name} needs a batch"
    )
    with vault.scratch_folder() as folder:
        source = folder / "given"
        shutil.copyfile(path, source)
        notices = Notices()
        plain = prepare(source, folder, sheet, notices)
        with staging_of(sheet, plain, Places([], [], [date.today()]), lambda _what, _percent: None) as work:
            work.check()
            rows = work.records() if work.result.row_count else []
            return Read(rows, work.fault_records(), [*notices.items, *work.result.notices.items])
