"""What of closing waits for a person: years to sign, and years to open again."""

from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.closing import queries, reopening
from karez.kernel.inbox import InboxItem
from karez.periods.models import Region
from karez.places.queries import may


def items(actor: User) -> list[InboxItem]:
    """Prepared years this person may sign, and closed ones another asks to open again."""
    region = Region.objects.first()
    if (
        region is None
        or not may(actor, "closing.sign", region.area_id)
        or not may(actor, "closing.view", region.area_id)
    ):
        return []
    years = queries.years(actor)
    waiting = [y for y in years if y.state == "open" and y.prepared_by_id not in (None, actor.pk)]
    asked = [a for y in years if (a := reopening.waiting(y)) and a.asked_by_id != actor.pk]
    return [
        InboxItem(_("Years to sign"), len(waiting), reverse("closing:years")),
        InboxItem(
            _("Years to open again"),
            len(asked),
            reverse("closing:year", args=[asked[0].year]) + "#again" if asked else "",
        ),
    ]
