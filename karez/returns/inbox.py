"""What of the returns waits for a person. Holds no page."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from karez.access.models import User
from karez.kernel.inbox import InboxItem
from karez.returns import queries


def items(actor: User) -> list[InboxItem]:
    """Returns to decide, and the person's own that came back."""
    waiting, back = queries.waiting_for(actor).count(), queries.sent_back_to(actor).count()
    found = [
        InboxItem(_("returns wait for your approval"), waiting, "/returns/?state=submitted"),
        InboxItem(_("of your returns were sent back"), back, "/returns/?state=sent_back", urgent=True),
    ]
    return [item for item in found if item.count]


def opens(actor: User, table: str, column: str, key: str) -> str | None:
    """The page of a return frozen in this room's figure table."""
    return (
        reverse("returns:one", args=[int(key)])
        if table == "returns_values" and column == "return_id" and key.isdigit()
        else None
    )
