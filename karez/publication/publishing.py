"""Writing a sealed year's chapter as files: static site, PDF, DOCX, XLSX, open data, CSV. Holds no drafts.

Only a sealed year is published. A signed edition is written from the text that was signed; a sealed year that nobody
has signed is written with a mark that says so. What is written carries no row and no key, only figures after disclosure
control.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from karez.chapter.compose import COLUMNS
from karez.closing.queries import check_region, verified_snapshot
from karez.kernel.files import room_told, side_folder
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.publication.content_making import content_of
from karez.publication.formats.docx import docx
from karez.publication.formats.open_data import open_data, text
from karez.publication.formats.pdf import pdf
from karez.publication.formats.publication import Correction, Files, Publication, Signature
from karez.publication.formats.site import site
from karez.publication.formats.xlsx import xlsx
from karez.publication.models import Erratum
from karez.publication.queries import Told, public_edition, signed_contents

DIGESTS = "digests.txt"
FORMATS: dict[str, Callable[[Publication], Files]] = {
    "site": site,
    "pdf": pdf,
    "docx": docx,
    "xlsx": xlsx,
    "data": open_data,
}


def publish(region: str, year: int, out: Path, *, number: int | None = None) -> list[Path]:
    """Writes the signed edition of a year (the newest, or that of `number`) into `out`; of an unsigned sealed year the
    same, marked.

    The same edition with the same errata writes the same bytes. Files of an earlier run that are no longer part of it
    are taken away.
    """
    return write(publication_of(region, year, number=number), out)


def publication_of(region: str, year: int, *, number: int | None = None) -> Publication:
    """The edition to be written."""
    check_region(region)
    told = public_edition(year, number)
    if told is not None:
        return signed_publication(told)
    if number is not None:
        raise Refusal(
            "publication.not_signed",
            record=say("{year}, edition {number}", year=year, number=number),
            found=say("no signed edition of this number"),
            expected=say("a signed edition"),
            rule=say("what is public is what three people signed"),
            todo=say("leave the number out, or have the edition signed"),
        )
    return Publication(content_of(verified_snapshot(region, year), signed_contents()))


def signed_publication(told: Told) -> Publication:
    """An edition as it was signed, with its errata."""
    zone = ZoneInfo(settings.TIME_ZONE)
    signatures = [Signature(step, s.name, s.at.astimezone(zone).date().isoformat()) for step, s in told.steps.items()]
    return Publication(told.content, told.edition.number, signatures, [_correction(e, zone) for e in told.errata])


def files_of(publication: Publication) -> Files:
    """Every file of a publication, by its path under the folder; nothing is written."""
    made: Files = {}
    for make in FORMATS.values():
        made |= make(publication)
    made |= beside_formats(publication)
    lines = [f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(made.items())]
    return made | {DIGESTS: "".join(lines).encode()}


def beside_formats(publication: Publication) -> Files:
    """The region's figures as one table, and the signed text itself."""
    rows = publication.content.rows("region")
    table = text(COLUMNS, [["" if row[c] is None else row[c] for c in COLUMNS] for row in rows])
    return {"figures.csv": table.encode(), "edition.json": publication.content.text.encode()}


def write(publication: Publication, out: Path) -> list[Path]:
    """Writes the files into `out` and answers with their paths. All of them are written beside it before the first is
    put in place.
    """
    made = files_of(publication)
    with room_told(str(out)), side_folder(out) as side:
        for path, data in made.items():
            (side / path).parent.mkdir(parents=True, exist_ok=True)
            (side / path).write_bytes(data)
        out.mkdir(parents=True, exist_ok=True)
        for path in _of_earlier_run(out) - set(made):
            (out / path).unlink(missing_ok=True)
        for path in made:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (side / path).replace(out / path)
    return [out / path for path in made]


def _of_earlier_run(out: Path) -> set[str]:
    """The files that an earlier run says it wrote here; never one outside the folder."""
    try:
        lines = (out / DIGESTS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    paths = {line[66:] for line in lines if line[64:66] == "  "}
    return {p for p in paths if (out / p).resolve().is_relative_to(out.resolve())}


def _correction(one: Erratum, zone: ZoneInfo) -> Correction:
    day = one.approval.at.astimezone(zone).date().isoformat()
    return Correction(one.figure, one.place, one.printed, one.corrected, one.reason, (one.name, one.approval.name), day)
