"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.access.roles import CASE, MONEY, SECOND
from karez.kernel.rooms import MenuEntry, Room

ROOM = Room(
    permissions={
        "funds.view": CASE,
        "funds.prepare": MONEY,
        "funds.approve": SECOND,
    },
    menu=(MenuEntry("funds.view", "funds:lines", _("Money"), order=50),),
    sections={
        "funds": _("Money"),
    },
)
