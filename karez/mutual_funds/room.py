"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.access.roles import CASE, MONEY, SECOND, Role
from karez.kernel.lanes import DOCUMENT
from karez.kernel.rooms import MenuEntry, Room

ROOM = Room(
    permissions={
        "mutual_funds.view": CASE,
        "mutual_funds.prepare": MONEY | {Role.TREASURER, Role.COUNTY_OFFICER},
        "mutual_funds.approve": SECOND,
        "mutual_funds.approve_loan": SECOND,
    },
    menu=(MenuEntry("mutual_funds.view", "mutual_funds:societies", _("Mutual funds"), order=40),),
    sections={
        "mutual_funds": _("Village mutual funds"),
    },
    sent={
        r"/mutual-funds/resolutions/\d+/documents/": DOCUMENT,
    },
)
