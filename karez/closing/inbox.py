"""What of closing waits for a person."""

from django.urls import reverse
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.closing import queries
from karez.kernel.inbox import InboxItem
from karez.periods.models import Region
from karez.places.queries import may


def items(actor: User) -> list[InboxItem]:
    """Prepared years this person may sign."""
    region = Region.objects.first()
    if region is None or not may(actor, "closing.sign", region.area_id) or not may(actor, "closing.view", region.area_id):
        return []
    waiting = [y for y in queries.years(actor) if y.state == "open" and y.prepared_by_id not in (None, actor.pk)]
    return [InboxItem(_("Years to sign"), len(waiting), reverse("closing:years"))]
