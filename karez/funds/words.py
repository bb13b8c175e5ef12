"""The programmes money is given for, in words. Holds no other words of this room.

A programme nobody has named here is told by its code.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PROGRAMMES: "Mapping[str, _StrPromise]" = {
    "mutual_funds": _("village mutual funds"), "region_profile": _("region at large"),
    "whole_village": _("whole-village development"), "contiguous_development": _("contiguous pilots"),
    "eco_relocation": _("moves off fragile land"), "migrant_worker_relocation": _("homes for migrant workers"),
    "student_training": _("training of school leavers"), "three_west": _("three-west programme"),
    "labour_transfer": _("work elsewhere"), "industry": _("local products"), "central_arid_belt": _("central arid belt"),
    "graduates": _("graduates for poor counties"), "fujian_pairing": _("pairing with Fujian"),
    "central_fixed_point": _("paired central units"), "regional_social": _("support from society"),
    "publicity": _("publicity"), "fund_supervision": _("supervision of money"),
    "anti_poverty_funds": _("anti-poverty money at large"), "practical_training": _("training in farming skills"),
    "management_training": _("training of officials"), "training": _("training"),
    "labour_transfer_training": _("training for work elsewhere"), "leading_enterprises": _("lead firms"),
    "mutual_aid_organisations": _("mutual-aid groups"), "border_pilot": _("border pilot"),
    "highland_relocation": _("moves from highlands"), "two_systems": _("joining of the two systems"),
    "fixed_point_aid": _("paired units"), "ifad": _("IFAD project"),
}  # fmt: skip


def programme_words(code: str) -> str:
    """What a programme's code stands for: village mutual funds."""
    return str(PROGRAMMES.get(code) or code.replace("_", " "))
