"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.access.roles import CASE, COUNTY, MONEY, SECOND, Role
from karez.kernel.lanes import DOCUMENT
from karez.kernel.rooms import MenuEntry, Room

ROOM = Room(
    permissions={
        "ledger.view": CASE - {Role.VILLAGE_OFFICER},
        "ledger.prepare": MONEY | {Role.TREASURER},
        "ledger.receive": MONEY | {Role.TREASURER},
        "ledger.approve": SECOND,
        "ledger.countersign": MONEY | SECOND | COUNTY | {Role.TREASURER, Role.TOWNSHIP_OFFICER},
    },
    menu=(MenuEntry("ledger.view", "ledger:books", _("Books"), order=60),),
    sent={
        r"/ledger/vouchers/\d+/attach/": DOCUMENT,
    },
)
