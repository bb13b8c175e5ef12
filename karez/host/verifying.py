"""`karez verify`: every proof the rooms declare, and the host's of what is installed. Holds no proof of its own."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from karez.host import catalogue
from karez.kernel.verifying import Proof
from karez.publication.verifying import published_faults

# What none of these proofs can find: said with every answer, so that nobody takes them for more than they are.
BLIND = (
    "Not found, until the history is witnessed outside this machine: records of years not yet closed changed "
    "together with all that"
    " repeats them, by somebody who administers the database server and knows how; a whole database and data "
    "folder put back to an"
    " earlier state; what was wrong when it was entered."
)


def verify_all(*, published: dict[int, Path] | None = None, restored: bool = False) -> list[dict[str, Any]]:
    """Every proof as a row of what, good, told; published folders by year are compared with their signed editions too.

    What was just `restored` by this version need not be compared with what this version installs.
    """
    rows = [proof.as_row() for proof in _proofs(restored=restored)]
    for year, folder in (published or {}).items():
        wrong = published_faults(year, folder)
        rows.append(Proof(f"published files of {year}", f"every file in {folder} is as it was signed", wrong).as_row())
    return rows


def _proofs(*, restored: bool) -> Iterator[Proof]:
    if not restored:
        yield catalogue.proof()
    for app in apps.get_app_configs():
        if app.name.startswith("karez.") and module_has_submodule(app.module, "verifying"):
            for prove in import_module(f"{app.name}.verifying").PROOFS:
                found = prove()
                yield from [found] if isinstance(found, Proof) else found
