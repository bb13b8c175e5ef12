"""What every page knows: the menu that fits the person, the region, and whether the data are synthetic."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext_lazy as _

from karez.access.models import User
from karez.access.queries import permissions_of
from karez.periods.services import region_if_founded
from karez.places.queries import may

# (permission that shows the entry, URL name, words)
MENU = (
    ("figures.view", "chapter:home", _("Yearbook")),
    ("intake.view", "intake:batches", _("Files")),
    ("places.view", "places:home", _("Places")),
    ("mutual_funds.view", "mutual_funds:societies", _("Mutual funds")),
    ("funds.view", "funds:lines", _("Money")),
    ("ledger.view", "ledger:books", _("Books")),
    ("returns.view", "returns:list", _("Returns")),
    ("closing.view", "closing:years", _("Closing")),
    ("users.manage", "places:users", _("Users")),
)
# Pages of people hang under places, for a role is given over one; the menu keeps them apart.
_PEOPLE = {
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
}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Menu, region and direction of writing for the base page."""
    user = getattr(request, "user", None)  # none where a refusal came before anybody was known
    user = user if isinstance(user, User) else None
    allowed = permissions_of(user) if user else frozenset()
    region = region_if_founded()
    if region and user and "closing.view" in allowed and not may(user, "closing.view", region.area_id):
        allowed -= {"closing.view"}  # a year is closed for the whole region
    here = _part(request.resolver_match.view_name) if request.resolver_match else ""
    menu = [(name, words, _part(name) == here) for permission, name, words in MENU if permission in allowed]
    return {
        "menu": menu,
        "menu_of": " ".join(
            f"{name}{'!' * here}" for name, _words, here in menu
        ),  # by what a menu drawn before is found again
        "the_region": region,
        "rtl": get_language_bidi(),
    }


def _part(view_name: str) -> str:
    """The part of the menu an address belongs to: its room, or the users."""
    return "users" if view_name in _PEOPLE else view_name.partition(":")[0]
