"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.access.roles import CASE, REGION, SECOND, Role
from karez.kernel.rooms import MenuEntry, Room

ROOM = Room(
    permissions={
        "closing.view": CASE,
        "closing.prepare": REGION | {Role.STATISTICIAN},
        "closing.sign": SECOND,
    },
    menu=(MenuEntry("closing.view", "closing:years", _("Closing"), order=80, whole_region=True),),
    tallied={
        "closing_snapshotrecord": "snapshots taken",
        "closing_acceptance": "failures accepted at closing",
    },
)
