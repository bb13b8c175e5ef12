"""What a person is allowed today, and who looked at what. Holds no tree: whether an area lies below another is told by
places.
"""

from collections.abc import Iterable
from datetime import date

from django.db import connection
from django.db.models import F, Q

from karez.access.models import Grant, SignInEvent, User
from karez.access.rules import roles_with
from karez.kernel.messages import say
from karez.kernel.reading import once_a_page
from karez.kernel.refusal import Refusal

_GRANTED = """
SELECT role, area_id FROM access_grant
 WHERE user_id = %s AND counts_from <= %s AND (counts_before IS NULL OR counts_before > %s) AND (void_counts_on IS NULL
     OR void_counts_on > %s)
 ORDER BY id"""


def granted_area_ids(actor: User, permission: str, day: date | None = None) -> list[int]:
    """Areas over which `actor` holds a role with `permission` on `day` (today if None); what lies below is theirs too."""
    holders = roles_with(permission)
    return list(dict.fromkeys(area_id for role, area_id in _grants(actor, day or date.today()) if role in holders))


def permissions_of(actor: User) -> frozenset[str]:
    """Every permission `actor` holds somewhere today, for menus."""
    from karez.access.rules import PERMISSIONS

    roles = {role for role, _area_id in _grants(actor, date.today())}
    return frozenset(p for p, holders in PERMISSIONS.items() if roles & {str(r) for r in holders})


def _grants(actor: User, day: date) -> tuple[tuple[str, int], ...]:
    """Role and area of every grant that counts on a day; none for who is no longer active."""
    return _granted(actor.pk, day) if actor.is_active else ()


@once_a_page
def _granted(user_id: int, day: date) -> tuple[tuple[str, int], ...]:
    with (
        connection.cursor() as cursor
    ):  # asked by every page of everybody: written out, it costs a third of building it anew
        cursor.execute(_GRANTED, [user_id, day, day, day])
        return tuple(cursor.fetchall())


def user_named(username: str) -> User:
    """The active user of that sign-in name, as commands name them; refuses an unknown one."""
    try:
        return User.objects.get(username=username, is_active=True)
    except User.DoesNotExist:
        raise Refusal(
            "access.unknown_user",
            record=username,
            found=say("no active user of this name"),
            expected=say("the sign-in name of a user"),
            rule=say("whoever writes is named"),
            todo=say("see the users under Administration, or the demo's sign-ins"),
        ) from None


def last_sign_in_event(user: User) -> SignInEvent | None:
    """How the person last came to a password; None where it was set at the console."""
    return last_sign_in_events([user.pk]).get(user.pk)


def last_sign_in_events(user_ids: Iterable[int]) -> dict[int, SignInEvent]:
    """The same of many people, by their ids."""
    last = SignInEvent.objects.filter(user__in=list(user_ids)).order_by("user_id", "-pk").distinct("user_id")
    return {one.user_id: one for one in last}


def has_given_password(user: User) -> bool:
    """Whether the password was given for one use and none was chosen yet."""
    last = last_sign_in_event(user)
    return last is not None and last.what == SignInEvent.What.GIVEN


def password_known_to_another(user: User) -> bool:
    """Whether an administrator was shown the password, which the person has not replaced by one of their own."""
    last = last_sign_in_event(user)
    return last is not None and last.what == SignInEvent.What.GIVEN and last.by_id != user.pk


def awaits_first_sign_in(user: User) -> bool:
    """Whether an administrator may still give a password: all there ever was were given so, and nobody else stands
    behind the name.

    It is somebody's own from the first password they choose or the local operator gives them, and from the first role
    that two people or the local operator gave them.
    """
    events = SignInEvent.objects.filter(user=user)
    if (
        not user.is_active
        or not events.exists()
        or events.filter(Q(what=SignInEvent.What.CHOSEN) | Q(by_id=F("user_id"))).exists()
    ):
        return False
    return not Grant.objects.filter(Q(proposal__isnull=False) | Q(recorded_by_id=F("user_id")), user=user).exists()


def with_own_password(user_ids: Iterable[int]) -> frozenset[int]:
    """Those of them who can sign in, and with a password nobody else was shown."""
    ids = frozenset(user_ids)
    able = (user.pk for user in User.objects.filter(pk__in=ids) if user.has_usable_password())
    last = last_sign_in_events(ids)
    return frozenset(pk for pk in able if pk not in last or last[pk].what != SignInEvent.What.GIVEN)
