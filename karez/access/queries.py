"""What a person is allowed today, and who looked at what. Holds no tree: whether an area lies below another is told by places."""

from datetime import date

from karez.access.models import Grant, SignInEvent, User
from karez.access.rules import roles_with
from karez.kernel.refusal import Refusal


def granted_area_ids(actor: User, permission: str, day: date | None = None) -> list[int]:
    """Areas over which `actor` holds a role with `permission` on `day` (today if None); what lies below is theirs too."""
    day = day or date.today()
    grants = Grant.objects.filter(user=actor, role__in=roles_with(permission), counts_from__lte=day)
    grants = grants.exclude(counts_before__lte=day).exclude(void_counts_on__lte=day)
    return list(grants.values_list("area_id", flat=True).distinct()) if actor.is_active else []


def permissions_of(actor: User) -> frozenset[str]:
    """Every permission `actor` holds somewhere today, for menus."""
    from karez.access.rules import PERMISSIONS

    day = date.today()
    grants = Grant.objects.filter(user=actor, counts_from__lte=day)
    roles = set(grants.exclude(counts_before__lte=day).exclude(void_counts_on__lte=day).values_list("role", flat=True))
    if not actor.is_active:
        return frozenset()
    return frozenset(p for p, holders in PERMISSIONS.items() if roles & {str(r) for r in holders})


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
