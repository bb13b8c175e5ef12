"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.access.roles import CASE, COUNTY, REGION, SECOND, Role
from karez.kernel.lanes import DOCUMENT
from karez.kernel.rooms import MenuEntry, Room

ROOM = Room(
    permissions={
        "returns.view": CASE,
        "returns.submit": COUNTY | {Role.STATISTICIAN},
        "returns.approve": REGION | SECOND,
    },
    menu=(MenuEntry("returns.view", "returns:list", _("Returns"), order=70),),
    sections={
        "returns": _("Returns"),
    },
    sent={
        r"/returns/\d+/attach/": DOCUMENT,
    },
)
