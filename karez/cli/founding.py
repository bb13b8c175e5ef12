"""What `karez init` and the demo share: founding the region and its first people. Holds no questions and no output."""

from datetime import date
from pathlib import Path

import click
from django.db import transaction
from django.db.models import QuerySet

from karez.access.models import Role, User
from karez.access.services import add_user, grant_role
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.places import importing, loading
from karez.places.models import Area, AreaSpell

_CODE_DIGITS = 6  # GB/T 2260


def found(
    *, code: str, places: Path | None, first_year: int, currency: str, controller: str, legal_basis: str,
    complaint_body: str, admin: str, admin_name: str, password: str,
) -> None:  # fmt: skip
    """Founds a region with its places and first administrator; all or nothing."""
    with transaction.atomic():
        load_places(code, places)
        area = region_area(code)
        periods.found_region(
            area_id=area.pk, code=code, first_year=first_year, currency=currency, controller=controller,
            legal_basis=legal_basis, complaint_body=complaint_body,
        )  # fmt: skip
        user = add_user(username=admin, full_name=admin_name, password=password)
        grant_role(None, user=user, role=Role.ADMINISTRATOR, area_id=area.pk, starts_on=date(first_year, 1, 1))
    click.echo(
        f"Region {code} is founded; {admin} is its administrator.\n"
        "Next: sign in (karez serve), name people and their roles, load opening balances as files (sheets *_openings).",
        err=True,
    )


def load_places(code: str, file: Path | None) -> None:
    """Loads the region's places: from a file, or from what comes along."""
    if not _region_spells(code).exists():
        if file is not None:
            importing.load_file(file)
        elif code in loading.SHIPPED:
            loading.load_region(code)


def region_area(code: str) -> Area:
    """The area of the region with that code; refuses an unknown one."""
    spell = _region_spells(code).first()
    if spell is None:
        raise Refusal(
            "places.unknown", record=code, found="no region of this code", expected="64, 65, or one you load",
            rule="a region's places are loaded before it is founded", todo="give --places FILE with its areas",
        )  # fmt: skip
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
