"""What every page knows: the menu that fits the person, the region, and whether the data are synthetic."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language_bidi

from karez.access.models import User
from karez.access.queries import permissions_of
from karez.kernel.rooms import MenuEntry, declared
from karez.periods.services import region_if_founded
from karez.places.queries import may

MENU = sorted((entry for room in declared() for entry in room.menu), key=lambda entry: entry.order)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Menu, region and direction of writing for the base page."""
    user = getattr(request, "user", None)  # none where a refusal came before anybody was known
    user = user if isinstance(user, User) else None
    region = region_if_founded()
    allowed = permissions_of(user) if user else frozenset()
    at = _entry_of(request.resolver_match.view_name) if request.resolver_match else None
    menu = [
        (entry.address, entry.words, entry is at)
        for entry in MENU
        if entry.permission in allowed
        and not (entry.whole_region and region and user and not may(user, entry.permission, region.area_id))
    ]
    return {
        "menu": menu,
        "menu_of": " ".join(
            f"{name}{'!' * here}" for name, _words, here in menu
        ),  # by what a menu drawn before is found again
        "the_region": region,
        "rtl": get_language_bidi(),
    }


def _entry_of(view_name: str) -> MenuEntry | None:
    """The entry an address belongs to: one that names it, else the one of its room."""
    room = view_name.partition(":")[0]
    named = [entry for entry in MENU if view_name in entry.pages]
    own = [entry for entry in MENU if not entry.pages and entry.address.partition(":")[0] == room]
    return next(iter(named + own), None)
