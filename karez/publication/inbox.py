"""What the room tells others: editions to review or sign, errata to approve, and the edition of a chapter, for its page."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.access.pages import actor_of
from karez.closing import snapshots
from karez.closing.snapshots import SEALED, Snapshot
from karez.kernel.inbox import InboxItem
from karez.periods.models import Region
from karez.periods.services import region as the_region
from karez.places.queries import may
from karez.publication import queries
from karez.publication.signing_views import next_step, steps_of


def items(actor: User) -> list[InboxItem]:
    """The steps this person may take now."""
    region = Region.objects.first()
    if region is None or not may(actor, "closing.view", region.area_id):
        return []
    told = [(next_step(actor, one), one) for one in queries.editions(actor)]
    review, sign = ([one for step, one in told if step == wanted] for wanted in ("review", "sign"))
    errata = (
        [e for e in queries.errata_waiting(actor) if e.by_id != actor.pk]
        if may(actor, "publication.sign", region.area_id)
        else []
    )
    found = [
        InboxItem(_("Editions to review"), len(review), _address([one.edition.pk for one in review])),
        InboxItem(_("Editions to sign"), len(sign), _address([one.edition.pk for one in sign])),
        InboxItem(_("Errata to approve"), len(errata), _address([e.edition_id for e in errata])),
    ]
    return [item for item in found if item.count]


def _address(edition_ids: list[int]) -> str:
    return reverse("publication:edition", args=[edition_ids[0]]) if edition_ids else reverse("chapter:home")


def beside_chapter(request: HttpRequest, snapshot: Snapshot) -> str:
    """The newest edition of the chapter that the reader may know of, whether it is of the snapshot shown, and what they may do
    to it.
    """
    actor = actor_of(request)
    told = next(iter(queries.editions_known(actor, snapshot.year)), None)
    of_this = told is not None and _same_figures(told.edition.snapshot, snapshot)
    may_prepare = snapshot.kind == SEALED and may(actor, "publication.prepare", the_region().area_id)
    # One edition after the other: while one of these very figures waits, its people go on with it.
    may_prepare = may_prepare and (told is None or told.signed or not of_this)
    if told is None and not may_prepare:
        return ""
    context = {
        "told": told,
        "of_this": of_this,
        "steps": steps_of(told) if told else [],
        "next": next_step(actor, told) if told else "",
        "may_prepare": may_prepare,
        "link": {"region": snapshot.region, "year": snapshot.year},
    }
    return render_to_string("publication/beside_chapter.html", context, request)


def _same_figures(digest: str, snapshot: Snapshot) -> bool:
    """Whether the snapshot of that digest is this one, or holds the same tables to the letter: sealed twice without a
    change.
    """
    other = snapshots.named(digest) if digest != snapshot.digest else snapshot
    return other is not None and snapshot.kind == SEALED and other.content == snapshot.content
