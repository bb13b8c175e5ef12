"""A list as a page shows it: headings that sort, cells, filters with their choices, links on and back. Holds no SQL."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.access.pages import PAGE, actor_of
from karez.access.parameters import day as read_day
from karez.access.services import log_read
from karez.kernel.lists import RecordList
from karez.kernel.sheets import Kind
from karez.periods.as_of import AsOf, as_of
from karez.places.queries import places_around
from karez.records import fetching
from karez.records.asked import Asked, after, read
from karez.records.cells import NUMBERS, Cells, heading, name_of_area, yuan
from karez.records.cells import number as number_in_words


@dataclass(frozen=True)
class Heading:
    """What stands above a column; `sorts` is the address that orders by it, `order` how the list is ordered by it now."""

    words: str
    css: str
    sorts: str
    order: str  # as aria-sort says it; "" where the list is not ordered by it


@dataclass(frozen=True)
class Filter:
    """One choice a reader has: codes (`choices` are value, words, chosen), or days from and to."""

    name: str
    words: str
    choices: tuple[tuple[str, str, bool], ...] = ()
    first: date | None = None
    last: date | None = None
    is_days: bool = False


@dataclass(frozen=True)
class Drawn:
    """A list with what was asked of it, ready to be shown. Addresses begin with `?`; they keep what else was asked."""

    listed: RecordList
    asked: Asked
    as_of: AsOf | None
    headings: list[Heading]
    rows: list[list[SafeString]]
    shown: int
    filters: list[Filter]
    places: list[tuple[int, str, bool]]
    totals: list[tuple[str, str]]
    count: int | None  # of all rows asked for, where the list is held to one record
    next: str
    start: str
    prefix: str
    whole: str  # the address of the list alone
    file: str  # the address of its file
    kept: list[tuple[str, str]]  # what the form that asks for other rows keeps
    narrowed: list[tuple[str, str]]  # and what the others keep: all that was asked for

    @property
    def caption(self) -> str:
        """What the list is called."""
        return capfirst(str(self.listed.label))

    @property
    def empty(self) -> str:
        """What is said where no row is shown, and what to do."""
        if self.asked.is_narrowed or self.asked.after:
            return _("Nothing of your areas is like this. Ask for less, or begin with the whole list.")
        return str(self.listed.empty) or _("Nothing is on record yet.")


def draw(
    request: HttpRequest,
    listed: RecordList,
    *,
    within: tuple[str, int] | None = None,
    prefix: str = "",
    limit: int = PAGE,
    when: AsOf | None = None,
) -> Drawn:
    """The page of a list that was asked for.

    Alone, it is of the day the address asks for, and the look is logged where rows tell of households or persons. With a
    `prefix`, which is before each of its names in the address, it is a part of another page, which says the day and logs.
    """
    actor = actor_of(request)
    if listed.of_a_day and not prefix:
        when = as_of(read_day(request.GET.get("as_of", "")))
    asked = read(listed, request.GET.dict(), day=when.day if when else date.today(), within=within, prefix=prefix)
    page = fetching.page(actor, listed, asked, limit=limit)
    if listed.reads and page.rows and not prefix:
        log_read(
            actor,
            kind=listed.reads,
            subject_id=within[1] if within else asked.place_id,
            purpose=f"a page of the list {listed.name}, without names",
            rows=len(page.rows),
        )
    query = f"?as_of={asked.day}" if when and not when.is_now else ""
    count, sums = fetching.totals(actor, listed, asked) if within else (None, [])
    link, given = _Links(request, prefix), request.GET.dict().items()
    return Drawn(
        listed=listed,
        asked=asked,
        as_of=when,
        headings=_headings(listed, asked, link),
        rows=Cells(actor, listed, page.rows, query=query).cells(page.rows),
        shown=len(page.rows),
        filters=_filters(listed, asked),
        places=[] if within else _places(actor, listed, asked),
        totals=[
            (str(one.label), yuan(found) if one.kind is Kind.FEN else number_in_words(found))
            for one, found in zip(listed.totals, sums, strict=True)
        ],
        count=count,
        next=link(after=after(page.rows[-1], asked.sort)) if page.more else "",
        start=link(after=None) if f"{prefix}after" in request.GET else "",
        prefix=prefix,
        whole=address(listed, within) + query,
        file=address(listed, within, file=True),
        kept=[(name, value) for name, value in given if name == "sort"],
        narrowed=[(name, value) for name, value in given if name not in ("after", "what_for", "as")],
    )


def address(listed: RecordList, within: tuple[str, int] | None, *, file: bool = False) -> str:
    """Where a list stands alone, or its file."""
    if within:
        return reverse("records:file_of" if file else "records:list_of", args=[listed.name, *within])
    if listed.home and not file:
        return reverse(listed.home)
    return reverse("records:file" if file else "records:list", args=[listed.name])


class _Links:
    """Addresses of the same page that ask something else of the list, or nothing."""

    def __init__(self, request: HttpRequest, prefix: str) -> None:
        self.given, self.prefix = request.GET, prefix

    def __call__(self, **asked: Any) -> str:
        values = dict(self.given.lists())
        for name, value in asked.items():
            values.pop(self.prefix + name, None)
            if value is not None:
                values[self.prefix + name] = [str(value)]
        return "?" + urlencode(values, doseq=True)


def _headings(listed: RecordList, asked: Asked, link: _Links) -> list[Heading]:
    first = {sort.by[0]: sort for sort in reversed(listed.sorts)}
    found = []
    for one in listed.columns:
        sort = first.get(one.name)
        css = "number" if one.column.kind in NUMBERS else ""
        if one.is_act:
            found.append(Heading("", css, "", ""))
            continue
        if sort is None:
            found.append(Heading(heading(one), css, "", ""))
            continue
        is_on = sort.name == asked.sort.name
        order = ("descending" if asked.descending else "ascending") if is_on else "none"
        turned = not asked.descending if is_on else sort.descending
        words = f"-{sort.name}" if turned else sort.name
        found.append(Heading(heading(one), css, link(sort=words, after=None), order))
    return found


def _filters(listed: RecordList, asked: Asked) -> list[Filter]:
    found = []
    for one in listed.columns:
        if not one.filtered:
            continue
        words = capfirst(str(one.column.called))
        if one.column.kind in (Kind.DATE, Kind.MONTH):
            first, last = asked.days.get(one.name, (None, None))
            found.append(Filter(one.name, words, first=first, last=last, is_days=True))
        else:
            chosen = asked.codes.get(one.name)
            choices = tuple((str(code), str(said), str(code) == chosen) for code, said in one.words.items())
            found.append(Filter(one.name, words, choices))
    return found


def _places(actor: User, listed: RecordList, asked: Asked) -> list[tuple[int, str, bool]]:
    """The places a list may be held to from where it is: the way up, the place itself, and those right below."""
    found = places_around(actor, listed.view, asked.place_id)
    return [(area.pk, name_of_area(area), area.pk == asked.place_id) for area in found]
