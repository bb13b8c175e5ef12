"""A small county for files: two counties of one village each and some, a sender, an approver and strangers."""

import io
from datetime import date
from types import SimpleNamespace

import pytest
from django.db import connection

from karez.access.models import User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.intake import services
from karez.intake.models import Batch
from karez.intake.tests import toy
from karez.periods.services import found_region

VILLAGES = [f"6404222012{n:02}" for n in range(1, 7)]
FAR = "640221001201"
_AREAS = [
    ("region", "640000", None), ("prefecture", "640400", "640000"), ("prefecture", "640200", "640000"),
    ("county", "640422", "640400"), ("county", "640221", "640200"), ("township", "640422201", "640422"),
    ("township", "640221001", "640221"), *(("village", v, "640422201") for v in VILLAGES), ("village", FAR, "640221001"),
]  # fmt: skip


def id_number(n: int) -> str:
    from karez.kernel.id_number import check_character

    first = f"640422{1950 + n % 50}0{1 + n % 9}1{n % 10}{n % 1000:03}"
    return first + check_character(first)


def make_county() -> SimpleNamespace:
    """Writes the areas, the region and the people; works in a rolled-back test and in a committed one."""
    toy.install()
    ids: dict[str, int] = {}
    with connection.cursor() as cursor:
        for level, code, parent in _AREAS:
            cursor.execute("INSERT INTO places_area (first_level, recorded_by_id) VALUES (%s, 0) RETURNING id", [level])
            ids[code] = cursor.fetchone()[0]
            cursor.execute(
                "INSERT INTO places_areaspell (area_id, level, code, name_zh, name_en, parent_id, mark, note, "
                "recorded_by_id,"
                " starts_on, counts_from) VALUES (%s, %s, %s, '', %s, %s, 'assumed', '', 0, '2009-01-01', '2009-01-01')",
                [ids[code], level, code, code, ids.get(parent or "")],
            )
        cursor.execute("SELECT places_refresh_tree()")
    found_region(area_id=ids["640000"], code="64", first_year=2009, controller="o", legal_basis="l", complaint_body="c")
    people: dict[str, User] = {}
    for name, role, area in (
        ("sender", Role.COUNTY_OFFICER, "640422"),
        ("approver", Role.APPROVER, "640000"),
        ("second", Role.APPROVER, "640422"),
        ("stranger", Role.COUNTY_OFFICER, "640221"),
        ("far_approver", Role.APPROVER, "640221"),
        ("admin", Role.ADMINISTRATOR, "640000"),
    ):
        people[name] = add_user(username=name, full_name=name.title(), password=None)
        grant_role(None, user=people[name], role=role, area_id=ids[area], starts_on=date(2009, 1, 1))
    return SimpleNamespace(ids=ids, **people)


def csv_of(rows: int, *, start: int = 0, head: str = "ref,village,name,id_number,amount,paid_on,note") -> str:
    lines = [head]
    for n in range(start, start + rows):
        lines.append(f'R{n},{VILLAGES[n % 6]},马小军{n},{id_number(n)},"1,20{n % 10}.50",2009-03-1{n % 10},ok')
    return "\n".join(lines) + "\n"


def sent(county: SimpleNamespace, text: str | bytes, *, by: str = "sender", name: str = "f.csv") -> Batch:
    """A file received and staged."""
    plain = text if isinstance(text, bytes) else text.encode()
    batch = services.receive(getattr(county, by), sheet="toy", file_name=name, stream=io.BytesIO(plain))
    return services.stage(batch.pk)


def faults_of(batch: Batch) -> list[tuple[int, str, str]]:
    return list(batch.faults.order_by("row_no", "column", "rule").values_list("row_no", "column", "rule"))


@pytest.fixture
def county(db: None) -> SimpleNamespace:
    return make_county()
