"""What of the yearbook waits for a person: editions to review or sign, errata to approve. Holds no page."""

from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.kernel.inbox import InboxItem
from karez.periods.models import Region
from karez.places.queries import may
from karez.yearbook import queries
from karez.yearbook.signing_views import next_step


def items(actor: User) -> list[InboxItem]:
    """The steps this person may take now."""
    region = Region.objects.first()
    if region is None or not may(actor, "closing.view", region.area_id):
        return []
    told = [(next_step(actor, one), one) for one in queries.editions(actor)]
    review, sign = ([one for step, one in told if step == wanted] for wanted in ("review", "sign"))
    errata = (
        [e for e in queries.errata_waiting(actor) if e.by_id != actor.pk]
        if may(actor, "yearbook.sign", region.area_id)
        else []
    )
    found = [
        InboxItem(_("Editions to review"), len(review), _address([one.edition.pk for one in review])),
        InboxItem(_("Editions to sign"), len(sign), _address([one.edition.pk for one in sign])),
        InboxItem(_("Errata to approve"), len(errata), _address([e.edition_id for e in errata])),
    ]
    return [item for item in found if item.count]


def _address(edition_ids: list[int]) -> str:
    return reverse("yearbook:edition", args=[edition_ids[0]]) if edition_ids else reverse("yearbook:home")
