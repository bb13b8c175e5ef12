"""A region of two counties with villages, two people who may close it, and figure tables over grants as stand-ins for
facts.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from django.db import connections

from karez.access.models import Grant, User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.closing import declared, snapshots
from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import ClosingCheck, FigureColumn, FigureTable
from karez.periods import services as periods
from karez.places.models import Area, AreaSpell
from tests.stages import Stage

DAY = "%(as_of)s"
GRANTS = FigureTable(
    name="test_grants",
    grain="one row per grant",
    columns=(
        FigureColumn("grant_id", "bigint", "the grant", key=True),
        FigureColumn("role", "text", "the role"),
        FigureColumn("started_on", "date", "true date"),
        FigureColumn("half", "numeric(12,2)", "a number with decimals"),
        FigureColumn("mark", "uuid", "a key", key=True),
    ),
    sql="SELECT area_id, id, role, starts_on, id / 2.0, md5(id::text)::uuid FROM access_grant WHERE "
    + counted_on(DAY, event=False)
    + " AND recorded_by_id = 7",
    order_by="role",
)
CHECK = ClosingCheck(
    name="test.no_treasurer",
    label="No treasurer of 2009 is left out",
    sql=(
        "SELECT id::text, role, 'another role', '/grants/' || id FROM access_grant WHERE role = 'treasurer' AND "
        "recorded_by_id = 7"
    ),
    todo="end the grant",
)


@dataclass
class SmallRegion:
    """Ids of the areas, and the two people."""

    region: int
    counties: list[int]
    villages: list[int]
    preparer: User
    signer: User

    def fact(self, village: int, role: str = "auditor", starts_on: str = "2009-06-01", **more: object) -> Grant:
        """One spell, recorded as the guard demands."""
        day = date.fromisoformat(starts_on)
        user = User.objects.create(username=f"u{User.objects.count()}", full_name="x")
        return Grant.objects.create(
            user=user,
            role=role,
            area_id=village,
            starts_on=day,
            counts_from=periods.counts_on(day),
            recorded_by_id=7,
            **more,
        )


def _area(level: str, code: str, parent: int | None) -> int:
    area = Area.objects.create(first_level=level, recorded_by_id=1)
    AreaSpell.objects.create(
        area=area,
        level=level,
        code=code,
        name_zh=f"名{code}",
        name_en=f"Name {code}",
        parent_id=parent,
        starts_on=date(2000, 1, 1),
        counts_from=date(2009, 1, 1),
        recorded_by_id=1,
    )
    return area.pk


def build_small_region() -> SmallRegion:
    """The region and its people, written into the current database."""
    from karez.places.services import refresh_tree

    with connections["owner"].cursor() as cursor:  # places get numbers of seven digits, which stand nowhere by chance
        cursor.execute("ALTER TABLE places_area ALTER COLUMN id RESTART WITH 8820001")
    region = _area("region", "99", None)
    periods.found_region(
        area_id=region, code="99", first_year=2009, controller="O", legal_basis="l", complaint_body="c"
    )
    prefecture = _area("prefecture", "9901", region)
    counties = [_area("county", f"99010{n}", prefecture) for n in (1, 2)]
    towns = [_area("township", f"99010{n}001", counties[n - 1]) for n in (1, 2)]
    villages = [_area("village", f"99010{n // 3 + 1}001{n}", towns[n // 3]) for n in range(6)]
    elsewhere = _area("region", "98", None)  # another region's places change nothing
    _area("prefecture", "9801", elsewhere)
    refresh_tree()
    preparer = add_user(username="preparer", full_name="Pei Preparer", password=None)
    signer = add_user(username="signer", full_name="Sun Signer", password=None)
    grant_role(None, user=preparer, role=Role.REGIONAL_OFFICER, area_id=region, starts_on=date(2009, 1, 1))
    grant_role(None, user=signer, role=Role.APPROVER, area_id=region, starts_on=date(2009, 1, 1))
    return SmallRegion(region, counties, villages, preparer, signer)


REGION = Stage(build_small_region)


@pytest.fixture
@REGION.given
def small_region(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> SmallRegion:
    for old in snapshots.root().iterdir():
        shutil.rmtree(old)  # the folder is one for the whole run, the databases are many
    declare(monkeypatch.setattr)
    return REGION.copy() or build_small_region()


def declare(set_attribute: Callable[..., None]) -> None:
    """Only these declarations count in these tests."""
    set_attribute(declared, "figure_tables", lambda: (GRANTS,))
    set_attribute(declared, "closing_checks", lambda: (CHECK,))
    set_attribute(declared, "live_reports", lambda: ())
    set_attribute(declared, "_report_checks", {})
