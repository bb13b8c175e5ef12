"""Founding the region and reading its open day. The closing of years is driven by the closing room; the states are kept
here.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models.functions import Coalesce

from karez.kernel.messages import say
from karez.kernel.reading import once_a_page
from karez.kernel.refusal import Refusal
from karez.periods.models import Period, Region, State

# What to do about a day in a year that is not open yet, in files and forms.
YEAR_OPENS = say(
    "correct the day if it is a slip; if it is right, wait until its year is open: a year opens when the one "
    "before it is closed, on the page Closing,"
    " by a regional officer or statistician who prepares and an approver who signs"
)


@once_a_page
def region_if_founded() -> Region | None:
    """The region of this installation, if it was founded."""
    return next(iter(Region.objects.raw("SELECT * FROM periods_region ORDER BY id LIMIT 1")), None)


def region() -> Region:
    """The region of this installation; refuses where none was founded."""
    found = region_if_founded()
    if found is None:
        raise Refusal(
            "periods.no_region",
            record=say("region"),
            found=say("none"),
            expected=say("a founded region"),
            rule=say("one database serves one region"),
            todo=say("run `karez init`, or `karez demo` to look around"),
        )
    return found


def first_open_day() -> date:
    """The first day new facts may count from."""
    return region().first_open_day


@dataclass(frozen=True)
class OpenedDays:
    """The days of all years ever opened, first to last, and the first day new facts may count from."""

    first: date
    last: date
    first_open: date


def opened_days() -> OpenedDays | None:
    """The days of the opened years and of the one after them, in which work goes on while the last is being closed;
    None before founding.
    """
    last = Period.objects.order_by("-year").values("year")[:1]
    found = (
        Region.objects.order_by("pk").values_list("first_year", Coalesce(last, "first_year"), "first_open_day").first()
    )
    return None if found is None else OpenedDays(date(found[0], 1, 1), date(found[1] + 1, 12, 31), found[2])


def counts_on(day: date) -> date:
    """The day a fact of `day` counts from; a day in a year nobody opened is refused."""
    opened = opened_days()
    if opened is not None and day > opened.last:
        raise Refusal(
            "periods.not_opened",
            record=str(day),
            found=say("a day of {year}, which is not opened", year=day.year),
            expected=say("a day until {last}", last=opened.last),
            rule=say("a fact lies in a year that was opened"),
            todo=YEAR_OPENS,
        )
    return max(day, first_open_day())


def ends_on(day: date) -> date:
    """The day from which an end or a void of `day` counts: it may lie on the morning after the last opened year, or be
    today.
    """
    return max(day, first_open_day())


def found_region(
    *,
    area_id: int,
    code: str,
    first_year: int,
    currency: str = "CNY",
    controller: str,
    legal_basis: str,
    complaint_body: str,
    synthetic: bool = False,
) -> Region:
    """Founds the region of this installation, once."""
    if Region.objects.exists():
        raise Refusal(
            "periods.region_exists",
            record=code,
            found=say("region {code}", code=region().code),
            expected=say("an empty installation"),
            rule=say("one database serves one region"),
            todo=say("use another database for another region"),
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT periods_found_region(%s, %s, %s, %s, %s, %s, %s, %s)",
            [area_id, code, first_year, currency, controller, legal_basis, complaint_body, synthetic],
        )
    return region()


@once_a_page
def years() -> tuple[Period, ...]:
    """The years of the region with their states, oldest first."""
    return tuple(Period.objects.raw("SELECT * FROM periods_period ORDER BY year"))


def year_to_report(today: date) -> int:
    """The year an office most likely reports on: the last one, or where that is not open the open year nearest to it."""
    last = today.year - 1
    return min((p.year for p in years() if p.state == State.OPEN), key=lambda year: abs(year - last), default=last)


def period(year: int) -> Period:
    """The year's state; refuses a year that was never opened."""
    found = next((p for p in years() if p.year == year), None)
    if found is None:
        raise Refusal(
            "periods.unknown_year",
            record=str(year),
            found=say("no such year"),
            expected=say("a year from the region's first on"),
            rule=say("years open one after the other"),
            todo=say("choose a year from the list"),
        )
    return found
