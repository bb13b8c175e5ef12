"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.access.roles import CASE
from karez.intake.limits import FILE_BYTES
from karez.kernel.lanes import HEAVY, MIB, Way
from karez.kernel.rooms import MenuEntry, Room

ROOM = Room(
    permissions={
        "intake.view": CASE,
    },
    menu=(MenuEntry("intake.view", "intake:batches", _("Files"), order=20),),
    sent={
        r"/files/send/": Way(HEAVY, FILE_BYTES + MIB),
        r"/files/enter/[^/]+/": Way(HEAVY),
    },
    asked={
        r"/files/\d+/faults\.csv": Way(HEAVY),
        r"/files/templates/[^/]+\.xlsx": Way(HEAVY),
    },
)
