"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.access.roles import COUNTY, SECOND, Role
from karez.kernel.rooms import Room

ROOM = Room(
    permissions={
        "register.view": COUNTY | {Role.VILLAGE_OFFICER, Role.TOWNSHIP_OFFICER, Role.AUDITOR},
        "register.send": COUNTY | {Role.TOWNSHIP_OFFICER, Role.VILLAGE_OFFICER},
        "register.apply": COUNTY | SECOND,
    },
    sections={
        "register": _("Register of households"),
    },
)
