"""Ningxia as shipped, and people with roles over parts of it."""

from collections.abc import Callable
from datetime import date

import pytest

from karez.access.models import Grant, User
from karez.access.roles import Role
from karez.places.loading import load_region
from karez.places.models import AreaSpell


@pytest.fixture
def ningxia(db: None) -> Callable[..., int]:
    """Loads Ningxia; answers the area id of a code on a day (today's if none)."""
    load_region("64")

    def area_id(code: str, day: date | None = None) -> int:
        spells = AreaSpell.objects.filter(code=code, voided_at=None)
        if day is not None:
            spells = spells.filter(starts_on__lte=day).exclude(ends_before__lte=day)
        return spells.latest("starts_on").area_id

    return area_id


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Makes a user with a role over an area."""

    def make(username: str, role: Role, area_id: int) -> User:
        user = User.objects.create(username=username, full_name=username.title())
        Grant.objects.create(
            user=user,
            role=role,
            area_id=area_id,
            starts_on=date(2004, 1, 1),
            counts_from=date(2004, 1, 1),
            recorded_by_id=user.pk,
        )
        return user

    return make
