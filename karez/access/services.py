"""The only writers of users, grants and the log of reads. Holds no pages."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction

from karez.access.models import Grant, ReadEvent, Role, User
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
    """Gives `user` a role over an area and all below; refuses a role that excludes one already held.

    `actor` is None only for the first administrator, made by the local operator.
    """
    held = set(
        Grant.objects.filter(user=user, counts_before=None, voided_at=None).values_list("role", flat=True)
    )
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


def log_read(actor: User | None, *, kind: str, subject_id: int | None, purpose: str, rows: int = 1) -> None:
    """Records that somebody looked at personal records; refuses an empty purpose."""
    if not purpose.strip():
        raise Refusal(
            "access.purpose_missing",
            record=kind,
            found="no purpose",
            expected="why the record is opened",
            rule="every look at a personal record is recorded with its purpose",
            todo="say in a few words what the look is for",
        )
    ReadEvent.objects.create(
        user_id=actor.pk if actor else None, kind=kind, subject_id=subject_id, rows=rows, purpose=purpose.strip()[:300]
    )


def log_reads(actor: User | None, *, kind: str, subject_ids: Iterable[int], purpose: str) -> None:
    """The same for several records shown on one page."""
    ReadEvent.objects.bulk_create(
        ReadEvent(user_id=actor.pk if actor else None, kind=kind, subject_id=i, purpose=purpose.strip()[:300])
        for i in subject_ids
    )
