"""What `karez init` and the demo share: founding the region and its first people. Holds no questions and no output."""

from datetime import date
from pathlib import Path

import click
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from karez.access.models import Grant, GrantProposal, User
from karez.access.roles import Role
from karez.access.services import add_user, end_founding, grant_role
from karez.intake.alone import read_file
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.places import granting, importing, loading
from karez.places.models import Area, AreaSpell
from karez.places.queries import area_by_code
from karez.places.sheets import PLACES

_CODE_DIGITS = 6  # GB/T 2260


def found(
    *,
    code: str,
    places: Path | None,
    first_year: int,
    currency: str,
    controller: str,
    legal_basis: str,
    complaint_body: str,
    admin: str,
    admin_name: str,
    password: str,
) -> None:
    """Founds a region with its places and first administrator; all or nothing."""
    check_password(password, admin, admin_name)
    with transaction.atomic():
        load_places(code, places)
        area = region_area(code)
        periods.found_region(
            area_id=area.pk,
            code=code,
            first_year=first_year,
            currency=currency,
            controller=controller,
            legal_basis=legal_basis,
            complaint_body=complaint_body,
        )
        user = add_user(username=admin, full_name=admin_name, password=password)
        grant_role(None, user=user, role=Role.ADMINISTRATOR, area_id=area.pk, starts_on=date(first_year, 1, 1))
        end_founding()
    click.echo(
        f"Region {code} is founded; {admin} is its administrator.\n"
        "Next: name a second administrator (karez role USER administrator --over CODE --operator 'first people'), "
        "for roles are given\n"
        "by two people from here on; then the others, under Users or with karez role; back up (karez backup), load "
        "opening balances as files (sheets *_openings).",
        err=True,
    )


def load_places(code: str, file: Path | None) -> None:
    """Loads the region's places: from a file, or from what comes along."""
    if not _region_spells(code).exists():
        if file is not None:
            read = read_file(PLACES, file)
            for notice in read.notices:
                click.echo(f"{file.name}: {notice['what'].replace('_', ' ')}: {notice['found']}", err=True)
            importing.load_rows(read.rows, read.faults, file_name=file.name)
        elif code in loading.SHIPPED:
            loading.load_region(code)


def region_area(code: str) -> Area:
    """The area of the region with that code; refuses an unknown one."""
    spell = _region_spells(code).first()
    if spell is None:
        raise Refusal(
            "places.unknown",
            record=code,
            found="no region of this code",
            expected="64, 65, or one you load",
            rule="a region's places are loaded before it is founded",
            todo="give --places FILE with its areas",
        )
    return spell.area


def _region_spells(code: str) -> QuerySet[AreaSpell]:
    """A region by its short code (64) or its whole one (640000)."""
    codes = {code, code.ljust(_CODE_DIGITS, "0")}
    return AreaSpell.objects.filter(level="region", code__in=codes, ends_before=None, voided_at=None)


def person(username: str, full_name: str, password: str | None, roles: list[tuple[Role, int, date]]) -> User:
    """A user with roles, made once; found again on the next run."""
    user = User.objects.filter(username=username).first()
    if user is None:
        user = add_user(username=username, full_name=full_name, password=password)
        for role, area_id, starts_on in roles:
            grant_role(None, user=user, role=role, area_id=area_id, starts_on=starts_on)
    return user


def check_password(password: str, username: str, full_name: str) -> None:
    """Refuses a password that the site would refuse."""
    try:
        validate_password(password, User(username=username, full_name=full_name))
    except ValidationError as fault:
        raise Refusal(
            "access.weak_password",
            record=username,
            found=" ".join(fault.messages),
            expected="12 characters or more, not a common word",
            rule="who signs in answers for what is done",
            todo="choose another password",
        ) from None


def give_role(
    actor: User | None,
    *,
    username: str,
    full_name: str,
    password: str,
    role: str,
    code: str,
    since: date,
    note: str = "",
) -> Grant | GrantProposal:
    """Gives or proposes a role to a person, who is made a user if not yet one; refuses what the actor may not give.

    Without an actor it is the act of the local operator, who says why; it needs no second person and is told as such
    ever after. The password of a person made here is for the first sign-in alone where an administrator (the actor)
    typed it; at the operator's console the person types it themselves, and it is their own.
    """
    area_id = area_by_code(code)
    user = User.objects.filter(username__iexact=username).first()
    if user is None:
        if not full_name or not password:
            raise Refusal(
                "access.unknown_user",
                record=username,
                found="no user of this name",
                expected="--full-name, and a password typed or given",
                rule="a person is named before they are given a role",
                todo="give both, or a user's sign-in name",
            )
        check_password(password, username, full_name)
    with transaction.atomic():
        user = user or add_user(username=username, full_name=full_name, password=password, given_by=actor)
        if actor is not None:
            return granting.give_role(actor, user=user, role=Role(role), area_id=area_id, starts_on=since)
        granting.require_level(Role(role), area_id)
    return grant_role(None, user=user, role=Role(role), area_id=area_id, starts_on=since, note=note)


def end_role(actor: User, *, username: str, role: str, code: str, ends_before: date, reason: str) -> Grant:
    """Ends a person's role over an area from a day on; refuses where they do not have it."""
    grant = Grant.objects.filter(
        user__username=username, role=role, area_id=area_by_code(code), ends_before=None, voided_at=None
    ).first()
    if grant is None:
        raise Refusal(
            "not_found.role",
            record=username,
            found=f"no {role} over {code}",
            expected="a role they have",
            rule="only what was given can be ended",
            todo="look the role and its area up",
        )
    return granting.end_role(actor, grant=grant, ends_before=ends_before, reason=reason)
