"""What a chapter's page says of a frozen snapshot, kept for the next reader who may see the same places in the same
language.

The snapshot never changes, the declarations do not while a process runs, and a chapter's file is looked at again each
time; so a page is worked out once. Who the reader is, the edition and what they may do with it stand around it and are
not kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from karez.access.models import User
from karez.chapter.compose import compose
from karez.chapter.hints import counted_now, titled
from karez.chapter.money import sealed_before
from karez.chapter.page_pictures import pictures_of
from karez.chapter.patterns import pattern_of, stamp
from karez.chapter.pictures import COVERAGE, placed
from karez.closing.snapshots import Snapshot
from karez.figures import answers
from karez.figures import queries as figures
from karez.figures.declarations import KINDS, Declarations
from karez.figures.engine import declared, resolve
from karez.periods import services as periods
from karez.wording.numbers import ENGLISH, TAG
from karez.wording.terms import words


@dataclass(frozen=True)
class Shown:
    """A chapter's page without what is the reader's own: its title and state, its figures as rows, and its body."""

    title: str
    as_of: str
    rows: tuple[Mapping[str, Any], ...]
    body: SafeString


@dataclass(frozen=True)
class _Asked:
    """All that a page depends on, as a key; what is left out of it follows from it."""

    digests: tuple[str, ...]  # of the sealed years before, and of the chapter's snapshot
    declared: int
    language: str
    site_language: str | None
    seen: frozenset[int] | None
    pattern: tuple[str, int]
    snapshots: tuple[Snapshot, ...] = field(compare=False)
    known: Declarations = field(compare=False)  # held, so that no other object takes its number
    actor: User = field(compare=False)


def shown(actor: User, snapshot: Snapshot, language: str) -> Shown:
    """The chapter of a snapshot as far as the actor may see; refuses who may see figures nowhere."""
    snapshots, known = (*sealed_before(snapshot, all_there=False), snapshot), declared()
    seen = figures.places_seen(actor, "figures.view", snapshot)
    digests = tuple(s.digest for s in snapshots)
    return _made(
        _Asked(digests, id(known), language, get_language(), seen, stamp(snapshot.year), snapshots, known, actor)
    )


@lru_cache(maxsize=64)
def _made(asked: _Asked) -> Shown:
    snapshot, language = asked.snapshots[-1], asked.language
    counties = _counties(asked.actor, snapshot)
    found = figures.figures_for(asked.actor, snapshot.region, snapshot.year, ids=None, snapshot=snapshot)
    place = answers.places(snapshot)[periods.region().area_id]
    name = (place.name_en or place.name_zh) if language == ENGLISH else (place.name_zh or place.name_en)
    made = compose(found, region=name, year=snapshot.year, language=language, by_place=counties)
    sections, pictures = placed(
        titled(made.sections, counted_now(resolve(None, snapshot.year), language)),
        pictures_of(asked.snapshots, made, counties),
    )
    context = {
        "chapter": made,
        "sections": sections,
        "pictures": pictures,
        "lang": TAG[language],
        "digest": snapshot.digest,
        "kinds": {kind: words(language)[f"kind_{kind}"] for kind in KINDS},
        "link": {"region": snapshot.region, "year": snapshot.year},
    }
    return Shown(made.title, made.as_of, made.rows, render_to_string("chapter/chapter_body.html", context))


def _counties(actor: User, snapshot: Snapshot) -> list[dict[str, Any]]:
    """The figures of the chapter's tables and of its map at the counties the reader may see."""
    known = {f.id: f for f in resolve(None, snapshot.year)}
    tables = pattern_of(snapshot.year, known)[ENGLISH].tables
    wanted = [
        i for i in dict.fromkeys((*COVERAGE, *(i for t in tables if t.by == "county" for i in t.figures))) if i in known
    ]
    if not wanted:
        return []
    rows = figures.figures_for(actor, snapshot.region, snapshot.year, by="county", ids=wanted, snapshot=snapshot)[
        "figures"
    ]
    places = answers.places(snapshot)
    return [{**row, "place_name_zh": places[row["area_id"]].name_zh} for row in rows]
