"""The only writers of users, grants and the log of reads. Holds no pages."""

import secrets
from collections.abc import Iterable
from datetime import date, timedelta

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Lower, Now
from django.utils import timezone

from karez.access import queries
from karez.access.guessing import sign_in_name
from karez.access.models import Founding, Grant, GrantAnswer, GrantProposal, ReadEvent, SignInEvent, User
from karez.access.queries import granted_area_ids
from karez.access.roles import Role
from karez.access.rules import CONFIRMED, INCOMPATIBLE
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal

GIVEN_FOR = timedelta(days=7)  # how long a password given once lets a person in
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


@transaction.atomic
def invite_user(actor: User, *, username: str, full_name: str, language: str = "en") -> tuple[User, str]:
    """Makes a user with a password for the first sign-in alone, good for seven days; returns both. The password is kept
    nowhere.

    Refuses a sign-in name that is taken or not made of letters, digits and @.+-_; whoever signs in with it chooses
    their own.
    """
    if not granted_area_ids(actor, "users.manage"):
        raise _no_manager(actor, username)
    password = _one_time_password()
    user = User(username=sign_in_name(username), full_name=full_name.strip(), language=language)
    user.set_password(password)
    try:
        user.full_clean()
        user.save()
    except ValidationError as fault:
        raise _name_refused(username, "; ".join(fault.messages)) from fault
    _give(actor, user)
    return user, password


@transaction.atomic
def renew_invitation(actor: User, user: User) -> str:
    """Another password for the first sign-in, where the first was never used; returns it.

    Refuses where the name is somebody's already (`queries.awaits_first_sign_in`): an administrator does not take it
    over.
    """
    require_manager(actor, user)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not queries.awaits_first_sign_in(user):
        raise Refusal(
            "access.own_password",
            record=user.username,
            expected=say("a first sign-in still to come"),
            found=say(
                "a password this person chose or the local operator gave, or a role that the "
                "operator or two people gave"
            ),
            rule=say("nobody signs in under another's name"),
            todo=say(
                "ask the person to sign in with theirs; a lost one is replaced by the local operator (karez password)"
            ),
        )
    password = _one_time_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    _give(actor, user)
    return password


@transaction.atomic
def give_password(user: User, *, note: str) -> str:
    """A password for one sign-in, good for seven days, from the local operator to a person who lost theirs; returns it.

    Refuses without a reason: it stands on the person's page ever after. The old password opens nothing any more.
    """
    if not note.strip():
        raise Refusal(
            "access.note_missing",
            record=user.username,
            found=say("no reason"),
            expected=say("why the local operator gives a password"),
            rule=say("an operator's act is kept with its reason"),
            todo=say("say why"),
        )
    password = _one_time_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    SignInEvent.objects.create(
        user=user, what=SignInEvent.What.GIVEN, until=timezone.now() + GIVEN_FOR, by_id=user.pk, note=note.strip()[:300]
    )
    return password


@transaction.atomic
def choose_password(user: User, password: str) -> None:
    """Sets the password a person chose; a password given once is used up by it."""
    user.set_password(password)
    user.save(update_fields=["password"])
    SignInEvent.objects.create(user=user, what=SignInEvent.What.CHOSEN, by_id=user.pk)


def _name_refused(username: str, found: str) -> Refusal:
    return Refusal(
        "access.name_refused",
        record=username,
        found=found,
        expected=say("a sign-in name nobody has, and a full name"),
        rule=say("whoever writes is one person with one name"),
        todo=say("choose another sign-in name"),
    )


def _one_time_password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def _give(actor: User, user: User) -> None:
    SignInEvent.objects.create(user=user, what=SignInEvent.What.GIVEN, until=timezone.now() + GIVEN_FOR, by_id=actor.pk)


@transaction.atomic
def add_user(
    *, username: str, full_name: str, password: str | None, language: str = "en", given_by: User | None = None
) -> User:
    """Makes a user; without a password nobody can sign in as them (console and tests). Refuses a name somebody has, in
    whatever capitals.

    `given_by` is the administrator who typed the password: it is good for the first sign-in alone, as an invitation's
    is. Without, it is the local operator's act, and the password the person's own: they type it themselves.
    """
    if given_by is not None and not granted_area_ids(given_by, "users.manage"):
        raise _no_manager(given_by, username)
    username = sign_in_name(username)
    try:
        User.username_validator(username)
    except ValidationError as fault:
        raise _name_refused(username, "; ".join(fault.messages)) from fault
    if User.objects.annotate(low=Lower("username")).filter(low=username.lower()).exists():
        raise _name_refused(username, say("somebody signs in as {username}", username=username.lower()))
    user = User(username=username, full_name=full_name, language=language)
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    user.save()
    if given_by is not None:
        _give(given_by, user)
    return user


@transaction.atomic
def end_founding() -> None:
    """Says that the first people are named: from here on roles with work of their own are given by two. Never taken
    back.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_end_founding()")


def grant_role(
    actor: User | None, *, user: User, role: Role, area_id: int, starts_on: date, note: str = "founding"
) -> Grant:
    """Gives `user` a role over an area and all below; refuses a role that excludes one held at the same time.

    The actor looks after users (`users.manage`) and is another person than `user`; that the area lies within the
    actor's own is asked by `places.granting`. Roles of `rules.CONFIRMED` go through `proposals`. `actor` is None for
    the local operator alone, who names the first people, and afterwards acts at the console, over the owner's
    connection, saying why in `note`.
    """
    require_manager(actor, user)
    if actor is not None and role in CONFIRMED:
        raise Refusal(
            "access.needs_second",
            record=user.username,
            found=say("one person"),
            expected=say("a proposal, confirmed by another person"),
            rule=say("nobody comes to a role alone"),
            todo=say("propose the role under Users"),
        )
    if actor is None and queries.password_known_to_another(user):
        raise password_not_own(
            user,
            say("ask the person to sign in and choose a password first, or give them one yourself (karez password)"),
        )
    require_compatible(user, role, starts_on)
    return write_grant(actor, user=user, role=role, area_id=area_id, starts_on=starts_on, note="" if actor else note)


def password_not_own(user: User, todo: str) -> Refusal:
    """The refusal of a role to a person whose password another person knows."""
    return Refusal(
        "access.password_not_own",
        record=user.username,
        found=say("the password given for the first sign-in, which another person knows"),
        expected=say("a password the person chose"),
        rule=say("a role is given to a person who signs in as nobody else can"),
        todo=todo,
    )


def require_compatible(user: User, role: Role, starts_on: date) -> None:
    """Refuses (access.incompatible_roles) a role that excludes one the person holds on that day or later."""
    held = (
        Grant.objects.filter(user=user, voided_at=None)
        .exclude(counts_before__lte=starts_on)
        .values_list("role", flat=True)
    )
    clash = next((h for h in held if frozenset((h, str(role))) in INCOMPATIBLE), None)
    if clash is not None:
        raise Refusal(
            "access.incompatible_roles",
            record=user.username,
            found=say("already {label}", label=Role(clash).label),
            expected=say("not together with {label}", label=Role(role).label),
            rule=say("who prepares does not approve, who works does not watch"),
            todo=say("end the other role first, or name another person"),
        )


def write_grant(
    actor: User | None,
    *,
    user: User,
    role: Role,
    area_id: int,
    starts_on: date,
    proposal: GrantProposal | None = None,
    note: str = "",
) -> Grant:
    """Writes the row; whoever calls has asked whether it may be. The database asks again."""
    using = "owner" if actor is None and Founding.objects.exists() else "default"
    try:
        with transaction.atomic(using=using):
            return Grant.objects.using(using).create(
                user_id=user.pk,
                role=role,
                area_id=area_id,
                starts_on=starts_on,
                counts_from=starts_on,
                recorded_by_id=actor.pk if actor else user.pk,
                proposal_id=proposal.pk if proposal else None,
                operator_note=note.strip()[:300],
            )
    except IntegrityError as error:
        raise Refusal(
            "access.already_given",
            record=user.username,
            found=say("{label} over this area already", label=Role(role).label),
            expected=say("a role not held on these days"),
            rule=say("a role over an area is given once at a time"),
            todo=say("end the one they have first, or choose a day after its end"),
        ) from error


@transaction.atomic
def end_role(actor: User, *, grant: Grant, ends_before: date, reason: str) -> Grant:
    """Ends a role from a day on, today at the earliest, with a reason; from that day it allows nothing."""
    require_manager(actor, grant.user)
    earliest = max(grant.starts_on, date.today())
    if not reason.strip() or ends_before < earliest:
        raise Refusal(
            "access.end_unclear",
            record=str(grant),
            found=say(
                "until {ends_before}, reason: {reason}", ends_before=ends_before, reason=reason.strip() or say("none")
            ),
            expected=say("a day from {earliest} on, and a reason", earliest=earliest),
            rule=say("what was given is ended, never taken out of the record"),
            todo=say("give both"),
        )
    changed = Grant.objects.filter(pk=grant.pk, ends_before=None, voided_at=None).update(
        ends_before=ends_before,
        counts_before=ends_before,
        ended_at=Now(),
        ended_by_id=actor.pk,
        end_reason=reason.strip(),
    )
    if not changed:
        raise Refusal(
            "access.already_ended",
            record=str(grant),
            found=say("a role that has ended"),
            expected=say("a role in force"),
            rule=say("an end is set once"),
            todo=say("give the role anew if it is needed again"),
        )
    grant.refresh_from_db()
    return grant


@transaction.atomic
def deactivate_user(actor: User, *, user: User, reason: str) -> None:
    """Ends a person's signing in for good: their roles, what was proposed for them, their password and their sessions,
    with a reason.

    One administrator is enough to end what two gave. The record stays; who comes back is added anew, under another
    name.
    """
    require_manager(actor, user)
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not reason.strip() or not user.is_active:
        raise Refusal(
            "access.end_unclear",
            record=user.username,
            found=say("no reason") if user.is_active else say("a person who was deactivated before"),
            expected=say("an active person, and a reason"),
            rule=say("what was given is ended with its reason, once"),
            todo=say("see the person's page"),
        )
    for held in Grant.objects.filter(user=user, ends_before=None, voided_at=None):
        end_role(actor, grant=held, ends_before=max(held.starts_on, date.today()), reason=reason)
    for asked in GrantProposal.objects.filter(user=user, answer=None):
        GrantAnswer.objects.create(proposal=asked, agreed=False, reason=reason.strip(), answered_by_id=actor.pk)
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])
    SignInEvent.objects.create(user=user, what=SignInEvent.What.ENDED, by_id=actor.pk, note=reason.strip()[:300])
    end_sessions(user)


def end_sessions(user: User) -> None:
    """Signs a person out wherever they are signed in. A session says whose it is only inside, so each is opened."""
    mine = [
        one.pk
        for one in Session.objects.filter(expire_date__gt=timezone.now()).iterator()
        if one.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    Session.objects.filter(pk__in=mine).delete()


def require_manager(actor: User | None, user: User) -> None:
    """Refuses who does not look after users, and whoever would decide about their own roles; the local operator may."""
    if actor is None:
        return
    if actor == user:
        raise Refusal(
            "access.own_roles",
            record=user.username,
            found=say("the same person"),
            expected=say("another administrator"),
            rule=say("nobody decides about their own roles"),
            todo=say("ask another administrator"),
        )
    if not granted_area_ids(actor, "users.manage"):
        raise _no_manager(actor, user.username)


def _no_manager(actor: User, record: str) -> Refusal:
    return Refusal(
        "access.not_granted",
        record=record,
        found=say("{actor} does not look after users", actor=actor),
        expected=say("an administrator"),
        rule=say("roles are given by those who look after users"),
        todo=say("ask an administrator"),
    )


def log_read(actor: User | None, *, kind: str, subject_id: int | None, purpose: str, rows: int = 1) -> None:
    """Records that somebody looked at personal records; refuses an empty purpose."""
    _require_purpose(kind, purpose)
    ReadEvent.objects.create(
        user_id=actor.pk if actor else None, kind=kind, subject_id=subject_id, rows=rows, purpose=purpose.strip()[:300]
    )


def log_reads(actor: User | None, *, kind: str, subject_ids: Iterable[int], purpose: str) -> None:
    """The same for several records shown on one page."""
    _require_purpose(kind, purpose)
    ReadEvent.objects.bulk_create(
        ReadEvent(user_id=actor.pk if actor else None, kind=kind, subject_id=i, purpose=purpose.strip()[:300])
        for i in subject_ids
    )


def _require_purpose(kind: str, purpose: str) -> None:
    if not purpose.strip():
        raise Refusal(
            "access.purpose_missing",
            record=kind,
            found=say("no purpose"),
            expected=say("why the record is opened"),
            rule=say("every look at a personal record is recorded with its purpose"),
            todo=say("say in a few words what the look is for"),
        )
