"""What this room adds to the lists of all rooms. Holds nothing else."""

from django.utils.translation import gettext_lazy as _

from karez.access.roles import ALL, REGION, SECOND, Role
from karez.kernel.rooms import MenuEntry, Room

ROOM = Room(
    permissions={
        "places.view": ALL,
        "places.maintain": REGION | {Role.ADMINISTRATOR},
        "places.apply": REGION | SECOND,
        "users.manage": frozenset({Role.ADMINISTRATOR}),
        # An approver or regional officer stands in where there is no other administrator.
        "users.confirm": REGION | SECOND | {Role.ADMINISTRATOR},
    },
    menu=(
        MenuEntry("places.view", "places:home", _("Places"), order=30),
        # Pages of people hang under places, for a role is given over one; the menu keeps them apart.
        MenuEntry(
            "users.manage",
            "places:users",
            _("Users"),
            order=90,
            pages=frozenset(
                f"places:{name}"
                for name in (
                    "users",
                    "user",
                    "add_user",
                    "renew_user",
                    "give_role",
                    "end_role",
                    "deactivate_user",
                    "waiting_roles",
                    "answer_role",
                )
            ),
        ),
    ),
    sections={
        "overview": _("The region"),
    },
)
