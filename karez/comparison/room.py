"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.kernel.lanes import DOCUMENT
from karez.kernel.rooms import Room

ROOM = Room(
    sections={
        "whole_village": _("Whole villages"),
        "training": _("Training"),
        "two_systems": _("The two systems"),
        "social_support": _("Social support"),
        "industry": _("Industry"),
        "border": _("Border pilots"),
        "highland": _("Highland pilots"),
        "contiguous": _("Contiguous areas"),
        "ifad": _("IFAD"),
        "relocation": _("Relocation"),
        "publicity": _("Publicity"),
        "graduates": _("Graduates"),
        "special_areas": _("Special areas"),
        "fund_supervision": _("Supervision of funds"),
    },
    sent={
        r"/yearbook/side-by-side/": DOCUMENT,
    },
)
