"""What is learnt after the close keeps its true day, counts from the first open day, and leaves the closed year as it
was.
"""

from datetime import date
from typing import Any

import pytest
from django.db import connection

from karez.funds import figure_tables, services
from karez.funds.tests.conftest import appropriate, make_line


def frozen(name: str, year: int) -> list[tuple[Any, ...]]:
    table = next(t for t in figure_tables.FIGURE_TABLES if t.name == name)
    with connection.cursor() as cursor:
        cursor.execute(table.sql, {"as_of": date(year, 12, 31), "year": year, "year_start": date(year, 1, 1)})
        return sorted(cursor.fetchall(), key=repr)


def close_2009(world: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT periods_prepare_close(2009, %s)", [world.regional.pk])
        cursor.execute("SELECT periods_begin_close(2009, %s)", [world.approver.pk])
        cursor.execute("SELECT periods_finish_close(2009, 'digest')")


@pytest.mark.parametrize("name", ["funds_money", "funds_rules"])
def test_a_closed_year_stays_as_it_was(world: Any, name: str) -> None:
    line = make_line(world)
    made = appropriate(world, line, 1000, "A-1")
    standard = services.set_standard(
        world.finance,
        programme="mutual_funds",
        size_class="any",
        low_fen=1,
        high_fen=2,
        starts_on=date(2009, 1, 1),
        document_no="D",
    )
    before = frozen(name, 2009)
    close_2009(world)

    late = appropriate(world, line, 500, "A-2", date(2009, 12, 20))
    assert (late.happened_on, late.counts_on) == (date(2009, 12, 20), date(2010, 1, 1))
    gone = services.approve(
        world.approver, services.prepare_reversal(world.finance, record=made, reason="booked twice")
    )
    assert gone.void_counts_on == date(2010, 1, 1)
    ended = services.end_standard(world.approver, standard, ends_before=date(2009, 7, 1), reason="learnt late")
    assert (ended.ends_before, ended.counts_before) == (date(2009, 7, 1), date(2010, 1, 1))

    assert frozen(name, 2009) == before
    assert frozen(name, 2010) != before
