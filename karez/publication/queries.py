"""What may be asked of editions: how far each is, the one the public sees, its errata. Writes nothing.

The public sees signed editions and approved errata only; those queries take no actor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

from karez.access.models import User
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.periods.services import region as the_region
from karez.places.queries import may, require
from karez.publication.content import Content
from karez.publication.models import Edition, EditionStep, Erratum, Step

# Editions without their texts, each with what was last said beside it: steps and approvals are only ever added.
_ROWS = """
SELECT e.id, e.year, e.number, e.snapshot, e.snapshot_kind, e.digest, s.last_step, s.last_step_at,
       (SELECT max(a.id) FROM publication_erratum r JOIN publication_erratumapproval a ON a.erratum_id = r.id
           WHERE r.edition_id = e.id) AS last_approval
  FROM publication_edition e
  LEFT JOIN LATERAL (SELECT max(id) AS last_step, max(at) AS last_step_at, bool_or(step = 'signed') AS signed
                       FROM publication_editionstep WHERE edition_id = e.id) s ON true
 WHERE {where} ORDER BY e.year DESC, e.number DESC LIMIT 200"""


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
    return _told_of("%s::numeric IS NULL OR e.year = %s", year, year)


def edition(actor: User, edition_id: int) -> Told:
    """One edition, signed or not."""
    require(actor, "closing.view", the_region().area_id)
    found = _told_of("e.id = %s", edition_id)
    if not found:
        raise Refusal(
            "not_found.edition",
            record=str(edition_id),
            found=say("no such edition"),
            todo=say("choose one from the list"),
        )
    return found[0]


def errata_waiting(actor: User) -> list[Erratum]:
    """Errata that nobody has approved yet."""
    require(actor, "closing.view", the_region().area_id)
    return list(
        Erratum.objects.filter(approval=None).select_related("edition").defer("edition__content").order_by("pk")[:200]
    )


def public_edition(year: int, number: int | None = None) -> Told | None:
    """The newest signed edition of a year, or the one of that number; None where none is signed. For everyone.

    Its text is read when it is asked for: what was made of it before needs the digest alone.
    """
    found = _told_of("s.signed AND e.year = %s AND (%s::numeric IS NULL OR e.number = %s)", year, number, number)
    return found[0] if found else None


def public_editions() -> list[Told]:
    """Every signed edition, newest year first; their texts are not read. For everyone."""
    return _told_of("s.signed")


def signed_contents() -> dict[tuple[int, int], Content]:
    """What the signed editions of all years say, by year and number, with what their approved errata say."""
    rows = Edition.objects.filter(steps__step=Step.SIGNED).order_by("year", "number")
    errata: dict[int, dict[tuple[str, str], str]] = {}
    for one in Erratum.objects.filter(approval__isnull=False).order_by("approval__pk"):
        errata.setdefault(one.edition_id, {})[one.figure, one.place] = one.corrected
    return {(e.year, e.number): Content(e.content, errata.get(e.pk, {})) for e in rows}


def _told_of(where: str, *words: object) -> list[Told]:
    found = Edition.objects.raw(_ROWS.format(where=where), words)
    return [
        Told(
            e, *_beside(e.pk, e.digest, *(getattr(e, name) for name in ("last_step", "last_step_at", "last_approval")))
        )
        for e in found
    ]


@lru_cache(maxsize=256)
def _beside(edition_id: int, *_last: object) -> tuple[Mapping[str, EditionStep], tuple[Erratum, ...]]:
    """Steps and approved errata of an edition, kept until another is added."""
    steps = {s.step: s for s in EditionStep.objects.filter(edition=edition_id).order_by("pk")}
    return MappingProxyType(steps), tuple(
        Erratum.objects.filter(edition=edition_id, approval__isnull=False).select_related("approval").order_by("pk")
    )
