"""The day a page speaks of, where it can be chosen: today, a day asked for, or the end of the last closed year."""

from dataclasses import dataclass
from datetime import date

from karez.periods.models import Period, Region

_LONG_PAST_YEARS = 2


@dataclass(frozen=True)
class AsOf:
    """The day a page speaks of, and the days it offers beside: today, and the end of the last closed year where there
    is one.
    """

    day: date
    today: date
    closed_end: date | None
    not_come: date | None = None  # the day asked for, where it is still to come

    @property
    def is_now(self) -> bool:
        """Whether the page tells what is so at this moment."""
        return self.day >= self.today


def as_of(wanted: date | None = None) -> AsOf:
    """The day asked for, at most today; without one today, or the end of the last closed year where the open year is
    long past.

    Where nobody has recorded anything for years, everything would look late as of today.
    """
    today, region = date.today(), Region.objects.first()
    closed = Period.objects.filter(state="closed").order_by("-year").values_list("year", flat=True).first()
    closed_end = date(closed, 12, 31) if closed else None
    if wanted is not None:
        return AsOf(min(wanted, today), today, closed_end, wanted if wanted > today else None)
    is_long_past = region is not None and today.year - region.first_open_day.year >= _LONG_PAST_YEARS
    return AsOf(closed_end if closed_end and is_long_past else today, today, closed_end)
