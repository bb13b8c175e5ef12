"""Proofs of editions: what was signed is the text with its digest, by three people who are users, of a snapshot that is
there.

Published files are compared by `published_faults`: whoever has a folder names it.
"""

import hashlib
from pathlib import Path

from karez.access.models import User
from karez.closing import snapshots
from karez.kernel.verifying import Proof
from karez.publication import publishing
from karez.publication.models import Edition, Step
from karez.publication.queries import public_edition

_ORDER = [Step.PREPARED, Step.REVIEWED, Step.SIGNED]


def _editions() -> Proof:
    wrong = []
    editions = list(Edition.objects.order_by("year", "number").prefetch_related("steps"))
    names = dict(User.objects.values_list("pk", "full_name"))
    for edition in editions:
        wrong += [f"{edition}: {fault}" for fault in _faults(edition, names)]
    by_year: dict[int, list[int]] = {}
    for edition in editions:
        by_year.setdefault(edition.year, []).append(edition.number)
    wrong += [
        f"{year}: editions {numbers}, one is missing"
        for year, numbers in by_year.items()
        if numbers != list(range(1, len(numbers) + 1))
    ]
    return Proof("signed texts", f"{len(editions):,} editions with their digests, steps and signers", wrong)


def _faults(edition: Edition, names: dict[int, str]) -> list[str]:
    found = []
    if hashlib.sha256(edition.content.encode()).hexdigest() != edition.digest:
        found.append("its text is not the one that was signed")
    if snapshots.named(edition.snapshot) is None:
        found.append(f"the snapshot {edition.snapshot[:12]} it tells of is not here")
    steps = sorted(edition.steps.all(), key=lambda s: s.pk)
    if [s.step for s in steps] != _ORDER[: len(steps)] or len({s.by_id for s in steps}) != len(steps):
        found.append("its steps are not those of three people, one after the other")
    found += [f"step {s.step} is by a person who is no user" for s in steps if s.by_id not in names]
    found += [f"step {s.step} is of another text" for s in steps if s.digest != edition.digest]
    return found


def published_faults(year: int, folder: Path) -> list[str]:
    """How the files in a folder differ from those of the year's signed edition as it would be written now."""
    told = public_edition(year, None)
    if told is None:
        return [f"{year} has no signed edition"]
    made = publishing.files_of(publishing.signed_publication(told))
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    found = [f"{path}: no file of the edition" for path in sorted(there - set(made))]
    found += [f"{path}: missing" for path in made if not (folder / path).is_file()]
    found += [
        f"{path}: other than what was signed"
        for path, data in made.items()
        if (folder / path).is_file() and (folder / path).read_bytes() != data
    ]
    return found


PROOFS = (_editions,)
