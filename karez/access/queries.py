"""What a person is allowed today, and who looked at what. Holds no tree: whether an area lies below another is told by places."""

from datetime import date

from karez.access.models import Grant, SignInEvent, User
from karez.access.rules import roles_with
from karez.kernel.refusal import Refusal

_REMEMBERED = "_grants_by_day"


def granted_area_ids(actor: User, permission: str, day: date | None = None) -> list[int]:
    """Areas over which `actor` holds a role with `permission` on `day` (today if None); what lies below is theirs too."""
    holders = roles_with(permission)
    return list(dict.fromkeys(area_id for role, area_id in _grants(actor, day or date.today()) if role in holders))


def permissions_of(actor: User) -> frozenset[str]:
    """Every permission `actor` holds somewhere today, for menus."""
    from karez.access.rules import PERMISSIONS

    roles = {role for role, _area_id in _grants(actor, date.today())}
    return frozenset(p for p, holders in PERMISSIONS.items() if roles & {str(r) for r in holders})


def remember_grants(actor: User) -> None:
    """From here on this object of a person answers by what was granted when it was first asked: for one web request, no longer."""
    actor.__dict__.setdefault(_REMEMBERED, {})


def _grants(actor: User, day: date) -> list[tuple[str, int]]:
    """Role and area of every grant that counts on a day; none for who is no longer active."""
    if not actor.is_active:
        return []
    remembered: dict[date, list[tuple[str, int]]] | None = actor.__dict__.get(_REMEMBERED)
    if remembered is not None and day in remembered:
        return remembered[day]
    grants = Grant.objects.filter(user=actor, counts_from__lte=day).order_by("pk")
    found = list(grants.exclude(counts_before__lte=day).exclude(void_counts_on__lte=day).values_list("role", "area_id"))
    if remembered is not None:
        remembered[day] = found
    return found


def user_named(username: str) -> User:
    """The active user of that sign-in name, as commands name them; refuses an unknown one."""
    try:
        return User.objects.get(username=username, is_active=True)
    except User.DoesNotExist:
        raise Refusal(
            "access.unknown_user",
            record=username,
            found="no active user of this name",
            expected="the sign-in name of a user",
            rule="whoever writes is named",
            todo="see the users under Administration, or the demo's sign-ins",
        ) from None


def last_sign_in_event(user: User) -> SignInEvent | None:
    """How the person last came to a password; None where it was set at the console."""
    return SignInEvent.objects.filter(user=user).order_by("-pk").first()


def has_given_password(user: User) -> bool:
    """Whether the password was given for one use and none was chosen yet."""
    last = last_sign_in_event(user)
    return last is not None and last.what == SignInEvent.What.GIVEN


def has_own_password(user: User) -> bool:
    """Whether the person can sign in, and nobody was shown the password they sign in with."""
    return user.has_usable_password() and not has_given_password(user)
