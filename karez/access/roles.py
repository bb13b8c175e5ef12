"""What people are to the office, and the sets of roles that rooms speak of in their `room.py`. Holds no permissions."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person is to the office. What a role may do is said by each room, in its `room.py`."""

    VILLAGE_OFFICER = "village_officer", _("Village officer")
    TREASURER = "treasurer", _("Fund treasurer")
    TOWNSHIP_OFFICER = "township_officer", _("Township officer")
    COUNTY_OFFICER = "county_officer", _("County officer")
    FINANCE_OFFICER = "finance_officer", _("Finance officer")
    APPROVER = "approver", _("Approver")
    AUDITOR = "auditor", _("Auditor")
    REGIONAL_OFFICER = "regional_officer", _("Regional officer")
    STATISTICIAN = "statistician", _("Statistician")
    ADMINISTRATOR = "administrator", _("Administrator")


ALL = frozenset(Role)
CASE = ALL - {Role.ADMINISTRATOR}  # the administrator looks after users, not after cases
REGION = frozenset({Role.REGIONAL_OFFICER})
COUNTY = frozenset({Role.COUNTY_OFFICER, Role.REGIONAL_OFFICER})
MONEY = frozenset({Role.FINANCE_OFFICER})
SECOND = frozenset({Role.APPROVER})
