"""The days of a file: that each lies in an opened year, first and last for the two people, and which rows count later
than they say.

A day before every opened year or in one nobody opened is a slip of the hand: it is a fault of the row. What the room
itself knows of its days (a loan before its repayment) is the room's. Holds no closing of years.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from karez.kernel.messages import Number, say
from karez.kernel.sheets import Check, Column, Days, Kind, Sheet
from karez.periods.services import YEAR_OPENS, OpenedDays

_FLOOR = date(1949, 10, 1)  # nothing that still counts is older
_TOO_EARLY = say("correct the day")
_AHEAD = say("correct the day: it lies ahead of today")
_EARLIER = say(
    "correct the day if it is a slip; if it is right, leave the row out: the first year was chosen when the region "
    "was set up, nobody opens one before it,"
    " and what was there before stands in the opening balances and states"
)


def checks(sheet: Sheet, opened: OpenedDays | None) -> Iterator[Check]:
    """The checks of a sheet's days; none before the region is founded."""
    if opened is None:
        return
    last, later = (opened.last, YEAR_OPENS) if opened.last < date.today() else (date.today(), _AHEAD)
    for column in sheet.columns:
        days = days_of(column)
        if days is Days.ANY:
            continue
        first = opened.first if days is Days.OPENED else _FLOOR
        before = _EARLIER if days is Days.OPENED else _TOO_EARLY
        if column.kind is Kind.YEAR:
            expected = (
                say("a year that was opened: {first} to {last}", first=first.year, last=last.year)
                if days is Days.OPENED
                else say("a year from {first} until {last}", first=first.year, last=last.year)
            )
            yield Check(
                rule="day_opened",
                column=column.name,
                expected=expected,
                todo=later,
                sql=f'SELECT row_no, "{column.name}"::text FROM {{stage}} WHERE "{column.name}" > {last.year}',
            )
            yield Check(
                rule="day_opened",
                column=column.name,
                expected=expected,
                todo=before,
                sql=f'SELECT row_no, "{column.name}"::text FROM {{stage}} WHERE "{column.name}" < {first.year}',
            )
            continue
        expected = (
            say("a day of a year that was opened: {first} to {last}", first=first, last=last)
            if days is Days.OPENED
            else say("a day from {first} until {last}", first=first, last=last)
        )
        yield _check(column, ">", last, expected, later)
        yield _check(column, "<", first, expected, before)


def days_of(column: Column) -> Days:
    """Which days a column may hold; no judgement of a column that holds none."""
    if column.kind not in (Kind.DATE, Kind.YEAR):
        return Days.ANY
    return column.days or (Days.OPENED if column.kind is Kind.DATE else Days.ANY)


def _check(column: Column, sign: str, day: date, expected: str, todo: str) -> Check:
    return Check(
        rule="day_opened",
        column=column.name,
        expected=expected,
        todo=todo,
        sql=(
            f'SELECT row_no, "{column.name}"::text FROM {{stage}} WHERE "{column.name}" {sign} '
            f"make_date({day.year}, {day.month}, {day.day})"
        ),
    )


def totals(cursor: Any, sheet: Sheet, stage: str) -> list[dict[str, Any]]:
    """First and last day of a file's rows, as they are told beside the totals."""
    if not sheet.day_column:
        return []
    cursor.execute(f'SELECT min("{sheet.day_column}")::text, max("{sheet.day_column}")::text FROM {stage}')
    first, last = cursor.fetchone()
    return [
        {"label": say("first day"), "value": first, "unit": "day"},
        {"label": say("last day"), "value": last, "unit": "day"},
    ]


def years(cursor: Any, sheet: Sheet, stage: str, opened: OpenedDays | None) -> list[dict[str, Any]]:
    """How many rows are of which year, and, where that year is closed, the day they count from."""
    if not sheet.day_column or opened is None:
        return []
    cursor.execute(
        f'SELECT extract(year FROM "{sheet.day_column}")::int AS year, count(*) FROM {stage} GROUP BY 1 ORDER BY 1'
    )
    closed = opened.first_open if opened.first_open > opened.first else None
    return [
        {"year": year, "rows": n, "counts_from": str(closed) if closed and year < closed.year else None}
        for year, n in cursor.fetchall()
        if year is not None
    ]


def late_notices(years: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The notices of rows that count later than they say, because their year is closed."""
    late = [one for one in years if one["counts_from"]]
    return [
        {
            "what": "late",
            "found": say("1 row of {year} counts from {day}", year=one["year"], day=one["counts_from"])
            if one["rows"] == 1
            else say(
                "{rows} rows of {year} count from {day}",
                rows=Number(one["rows"]),
                year=one["year"],
                day=one["counts_from"],
            ),
        }
        for one in late
    ]


def taken_back_late(years: list[dict[str, Any]], opened: OpenedDays | None) -> list[dict[str, Any]]:
    """The rows of an applied batch that count in a year closed by now: that they are taken back counts from the first
    open day.
    """
    if opened is None:
        return []
    day = opened.first_open
    counted = [(one, int((one["counts_from"] or str(one["year"]))[:4])) for one in years]
    return [one | {"counts_from": str(day)} for one, year in counted if max(year, opened.first.year) < day.year]
