"""The only writers of users, grants and the log of reads. Holds no pages."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models.functions import Now

from karez.access.models import Grant, ReadEvent, Role, User
from karez.access.queries import granted_area_ids
from karez.access.rules import INCOMPATIBLE
from karez.kernel.refusal import Refusal


@transaction.atomic
def add_user(*, username: str, full_name: str, password: str | None, language: str = "en") -> User:
    """Makes a user; without a password nobody can sign in as them (console and tests)."""
    user = User(username=username, full_name=full_name, language=language)
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    user.save()
    return user


@transaction.atomic
def grant_role(actor: User | None, *, user: User, role: Role, area_id: int, starts_on: date) -> Grant:
    """Gives `user` a role over an area and all below; refuses a role that excludes one held at the same time.

    The actor looks after users (`users.manage`) and is another person than `user`; that the area lies within the actor's
    own is asked by `places.granting`. `actor` is None only for people made by the local operator.
    """
    _require_manager(actor, user)
    held = Grant.objects.filter(user=user, voided_at=None).exclude(counts_before__lte=starts_on).values_list("role", flat=True)
    clash = next((h for h in held if frozenset((h, str(role))) in INCOMPATIBLE), None)
    if clash is not None:
        raise Refusal(
            "access.incompatible_roles",
            record=user.username,
            found=f"already {Role(clash).label}",
            expected=f"not together with {Role(role).label}",
            rule="who prepares does not approve, who works does not watch",
            todo="end the other role first, or name another person",
        )
    return Grant.objects.create(
        user=user, role=role, area_id=area_id, starts_on=starts_on, counts_from=starts_on,
        recorded_by_id=actor.pk if actor else user.pk,
    )  # fmt: skip


@transaction.atomic
def end_role(actor: User, *, grant: Grant, ends_before: date, reason: str) -> Grant:
    """Ends a role from a day on, with a reason; from that day it allows nothing."""
    _require_manager(actor, grant.user)
    if not reason.strip() or ends_before < grant.starts_on:
        raise Refusal(
            "access.end_unclear", record=str(grant), found=f"until {ends_before}, reason: {reason.strip() or 'none'}",
            expected=f"a day from {grant.starts_on} on, and a reason", rule="what was given is ended, never taken out of the record",
            todo="give both",
        )  # fmt: skip
    changed = Grant.objects.filter(pk=grant.pk, ends_before=None, voided_at=None).update(
        ends_before=ends_before, counts_before=ends_before, ended_at=Now(), ended_by_id=actor.pk, end_reason=reason.strip()
    )
    if not changed:
        raise Refusal(
            "access.already_ended", record=str(grant), found="a role that has ended", expected="a role in force",
            rule="an end is set once", todo="give the role anew if it is needed again",
        )  # fmt: skip
    grant.refresh_from_db()
    return grant


def _require_manager(actor: User | None, user: User) -> None:
    if actor is None:
        return
    if actor == user:
        raise Refusal(
            "access.own_roles", record=user.username, found="the same person", expected="another administrator",
            rule="nobody decides about their own roles", todo="ask another administrator",
        )  # fmt: skip
    if not granted_area_ids(actor, "users.manage"):
        raise Refusal(
            "access.not_granted", record=user.username, found=f"{actor} does not look after users", expected="an administrator",
            rule="roles are given by those who look after users", todo="ask an administrator",
        )  # fmt: skip


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
            found="no purpose",
            expected="why the record is opened",
            rule="every look at a personal record is recorded with its purpose",
            todo="say in a few words what the look is for",
        )
