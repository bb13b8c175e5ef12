"""A household's number is one however it is written: in a file, beside the register, by a service, and by raw SQL."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from karez.intake.numbers import key_of
from karez.kernel.refusal import Refusal
from karez.register import queries, services
from karez.register.models import Household
from karez.register.sheets import ASSESSMENTS, REGISTER
from karez.register.tests.staging import faults, stage_assessments, stage_register

JAN = date(2009, 1, 1)


def _row(village: int, no: str) -> tuple[Any, ...]:
    return (village, no, "registered", "0", "1", date(1970, 5, 1), JAN, "Ma Li", "")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("0002", "2"),
        ("2", "2"),
        ("2.0", "2"),
        ("2.00", "2"),
        ("２", "2"),
        (" 2 ", "2"),
        ("2\u3000", "2"),
        ("００２．０", "2"),
        ("000", "0"),
        ("H8", "h8"),
        ("h8", "h8"),
        ("H 8", "h8"),
        ("H-8", "h8"),
        ("h08", "h8"),
        ("Ｈ８", "h8"),
        ("H\u20118", "h8"),
        ("H_008", "h8"),
        ("H\u00a08", "h8"),
        ("1-12", "1-12"),
        ("01-012", "1-12"),
        ("1\u201312", "1-12"),
        ("11-2", "11-2"),
        ("2009-1", "2009-1"),
        ("12.5", "12.5"),
        ("第8户", "第8户"),
        ("", ""),
        ("-", ""),
    ],
)
def test_what_spellings_of_a_number_share(db: None, written: str, key: str) -> None:
    assert key_of(written) == key


def test_no_second_household_beside_one_written_otherwise(world: Any) -> None:
    village = world.areas["990101100200"]
    services.add_household(world.clerk, village_id=village, household_no="0002", starts_on=JAN)
    for written in ("2", "2.0", "２", " 002"):
        with pytest.raises(Refusal, match="household 0002 in the village"):
            services.add_household(world.clerk, village_id=village, household_no=written, starts_on=JAN)
        with pytest.raises(IntegrityError, match="register_household_number_once"), transaction.atomic():
            Household.objects.create(
                village_id=village,
                household_no=written,
                kind="registered",
                starts_on=JAN,
                counts_from=JAN,
                recorded_by_id=world.clerk.pk,
            )
        assert queries.household_numbered(world.clerk, village, written).household_no == "0002"
    services.add_household(
        world.clerk, village_id=world.areas["990101200200"], household_no="2", starts_on=JAN
    )  # another village


def test_a_file_names_the_household_on_record(world: Any) -> None:
    village = world.areas["990101100200"]
    services.add_household(world.clerk, village_id=village, household_no="0002", starts_on=JAN)
    stage_register(
        [_row(village, "2"), _row(village, "2.0"), _row(village, "H8"), _row(village, "H 8"), _row(village, "9")]
    )
    found = faults(REGISTER)["household_number_as_on_record"]
    assert found == [
        (2, "2, on record as 0002"),
        (3, "2.0, in row 2 written 2"),
        (3, "2.0, on record as 0002"),
        (5, "H 8, in row 4 written H8"),
    ]
    stage_assessments([(village, "２", 2009, JAN, 1, 1, "low")])
    assert faults(ASSESSMENTS)["household_number_as_on_record"] == [(2, "２, on record as 0002")]
    stage_register([_row(village, "0002")])
    assert "household_number_as_on_record" not in faults(REGISTER)


def test_the_app_may_ask_what_spellings_share(world: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE karez_app")
        cursor.execute("SELECT intake_number_key('００12')")
        assert cursor.fetchone() == ("12",)
