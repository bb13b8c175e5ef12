"""A funder, a line of 2009 money, and money on it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from karez.funds import services
from karez.funds.models import Appropriation, SourceLine

MILLION = 100_000_000  # fen


def make_line(world: Any, code: str = "2009-A") -> SourceLine:
    """A source line of a funder of its own."""
    funder = services.add_funder(world.finance, code=f"F-{code}", name_en=f"Funder of {code}", kind="region_finance")
    return services.open_line(
        world.finance,
        code=code,
        funder=funder,
        programme="mutual_funds",
        year=2009,
        document_no=f"No. {code}",
        name=code,
    )


def appropriate(
    world: Any, line: SourceLine, fen: int, reference: str = "A-1", day: date = date(2009, 3, 2)
) -> Appropriation:
    """Money received on a line, by two people."""
    proposal = services.prepare_appropriation(
        world.finance, line=line, amount_fen=fen, happened_on=day, reference=reference, document_no="Doc 1"
    )
    made = services.approve(world.approver, proposal)
    assert isinstance(made, Appropriation)
    return made


@pytest.fixture
def line(world: Any) -> SourceLine:
    """A line without money."""
    return make_line(world)


@pytest.fixture
def funded(world: Any, line: SourceLine) -> Callable[[], SourceLine]:
    """The line with a million yuan on it."""
    appropriate(world, line, MILLION)
    return lambda: SourceLine.objects.get(pk=line.pk)
