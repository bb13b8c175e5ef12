"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.kernel.lanes import HEAVY, Way
from karez.kernel.rooms import MenuEntry, Room

ROOM = Room(
    menu=(MenuEntry("figures.view", "chapter:home", _("Yearbook"), order=10),),
    asked={
        r"/yearbook/[^/]+/\d+/figures\.csv": Way(HEAVY),
    },
)
