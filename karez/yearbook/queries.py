"""What may be asked of editions: how far each is, the one the public sees, its errata. Writes nothing.

The public sees signed editions and approved errata only; those queries take no actor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from karez.access.models import User
from karez.kernel.refusal import Refusal
from karez.periods.services import region as the_region
from karez.places.queries import may, require
from karez.yearbook.content import Content
from karez.yearbook.models import Edition, EditionStep, Erratum, Step


@dataclass(frozen=True)
class Told:
    """An edition with who did what to it, and the errata that stand beside it."""

    edition: Edition
    steps: Mapping[str, EditionStep]  # prepared, reviewed, signed
    errata: tuple[Erratum, ...]

    @property
    def state(self) -> str:
        """prepared, reviewed or signed."""
        return next(s.value for s in (Step.SIGNED, Step.REVIEWED, Step.PREPARED) if s.value in self.steps)

    @property
    def signed(self) -> bool:
        """Whether the public may see it."""
        return Step.SIGNED.value in self.steps

    @cached_property
    def content(self) -> Content:
        """What it says."""
        return Content(self.edition.content)


def editions(actor: User, year: int | None = None) -> list[Told]:
    """Every edition (of a year, if given), newest first; their texts are not read."""
    require(actor, "closing.view", the_region().area_id)
    return _editions(year)


def editions_known(actor: User, year: int) -> list[Told]:
    """The editions of a year this person may know of: all for the region's offices, the signed ones for everyone else."""
    if may(actor, "closing.view", the_region().area_id):
        return _editions(year)
    return [told for told in public_editions() if told.edition.year == year]


def _editions(year: int | None) -> list[Told]:
    rows = Edition.objects.defer("content").order_by("-year", "-number")
    return [_told(e) for e in (rows.filter(year=year) if year is not None else rows)[:200]]


def edition(actor: User, edition_id: int) -> Told:
    """One edition, signed or not."""
    require(actor, "closing.view", the_region().area_id)
    found = Edition.objects.filter(pk=edition_id).first()
    if found is None:
        raise Refusal("not_found.edition", record=str(edition_id), found="no such edition", todo="choose one from the list")
    return _told(found)


def errata_waiting(actor: User) -> list[Erratum]:
    """Errata that nobody has approved yet."""
    require(actor, "closing.view", the_region().area_id)
    return list(Erratum.objects.filter(approval=None).select_related("edition").defer("edition__content").order_by("pk")[:200])


def public_edition(year: int, number: int | None = None) -> Told | None:
    """The newest signed edition of a year, or the one of that number; None where none is signed. For everyone.

    Its text is read when it is asked for: what was made of it before needs the digest alone.
    """
    rows = Edition.objects.filter(year=year, steps__step=Step.SIGNED).defer("content").order_by("-number")
    found = (rows.filter(number=number) if number is not None else rows).first()
    return _told(found) if found else None


def public_editions() -> list[Told]:
    """Every signed edition, newest year first; their texts are not read. For everyone."""
    rows = Edition.objects.filter(steps__step=Step.SIGNED).defer("content").order_by("-year", "-number")
    return [_told(e) for e in rows]


def signed_contents() -> dict[tuple[int, int], Content]:
    """What the signed editions of all years say, by year and number, with what their approved errata say."""
    rows = Edition.objects.filter(steps__step=Step.SIGNED).order_by("year", "number")
    errata: dict[int, dict[tuple[str, str], str]] = {}
    for one in Erratum.objects.filter(approval__isnull=False).order_by("approval__pk"):
        errata.setdefault(one.edition_id, {})[one.figure, one.place] = one.corrected
    return {(e.year, e.number): Content(e.content, errata.get(e.pk, {})) for e in rows}


def _told(edition: Edition) -> Told:
    steps = {s.step: s for s in edition.steps.order_by("pk")}
    errata = tuple(Erratum.objects.filter(edition=edition, approval__isnull=False).select_related("approval").order_by("pk"))
    return Told(edition, steps, errata)
