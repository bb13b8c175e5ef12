"""Pages of every declared list and of records without a page of their own; files of lists. Holds no declaration."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from karez.access.pages import actor_of
from karez.access.parameters import day as read_day
from karez.access.services import log_read
from karez.kernel.lists import RecordList
from karez.kernel.refusal import Refusal
from karez.periods.as_of import as_of
from karez.places.queries import ancestors, may
from karez.records import exports, fetching, registry
from karez.records.asked import read
from karez.records.drawn import draw
from karez.records.pages import drawn_record, found_record, title_of

_FORMS: dict[str, tuple[str, Callable[..., Iterator[Any]]]] = {
    "csv": ("text/csv; charset=utf-8", exports.as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", exports.as_xlsx),
}


@login_required
@never_cache
@require_GET
def list_page(request: HttpRequest, name: str, template: str = "records/list.html") -> HttpResponse:
    """A list of all the reader may see; a room hangs it under an address of its own by giving the name."""
    listed = registry.list_named(name)
    if listed.within:
        raise Refusal("not_found.list", record=name, unseen=True)
    drawn, actor = draw(request, listed), actor_of(request)
    place = drawn.asked.place_id
    way = ancestors(actor, place) if place and may(actor, "places.view", place) else []
    return render(request, template, {"drawn": drawn, "as_of": drawn.as_of, "way": way})


@login_required
@never_cache
@require_GET
def list_of(request: HttpRequest, name: str, of: str, record_id: int) -> HttpResponse:
    """A list held to one record."""
    actor, listed = actor_of(request), _held(name, of)
    row = found_record(actor, registry.page_named(of), record_id)
    drawn = draw(request, listed, within=(of, record_id))
    context = {
        "drawn": drawn,
        "as_of": drawn.as_of,
        "title": title_of(registry.page_named(of), row),
        "address": row["address"],
        "way": ancestors(actor, row[fetching.AREA]) if may(actor, "places.view", row[fetching.AREA]) else [],
    }
    return render(request, "records/list.html", context)


@login_required
@never_cache
@require_GET
def file(request: HttpRequest, name: str) -> HttpResponseBase:
    """The rows of a list as they were asked for, as a file."""
    listed = registry.list_named(name)
    if listed.within:
        raise Refusal("not_found.list", record=name, unseen=True)
    return _file(request, listed, None)


@login_required
@never_cache
@require_GET
def file_of(request: HttpRequest, name: str, of: str, record_id: int) -> HttpResponseBase:
    """The rows of a list held to one record, as a file."""
    listed = _held(name, of)
    found_record(actor_of(request), registry.page_named(of), record_id)
    return _file(request, listed, (of, record_id))


@login_required
@never_cache
@require_GET
def record(request: HttpRequest, name: str, record_id: int) -> HttpResponse:
    """The page of one record; one that has a page of its own in its room leads there."""
    page = registry.page_named(name)
    if page.home:
        raise Refusal("not_found.page", record=name, unseen=True)
    drawn = drawn_record(request, page, record_id)
    return render(request, "records/record.html", {"record": drawn, "way": drawn.way})


def _held(name: str, of: str) -> RecordList:
    listed = registry.list_named(name)
    if of not in listed.within:
        raise Refusal("not_found.list", record=name, unseen=True)
    return listed


def _file(request: HttpRequest, listed: RecordList, within: tuple[str, int] | None) -> HttpResponseBase:
    """Where the rows tell of households or persons, a purpose is asked for and kept with the log of reads."""
    if not listed.in_file:
        raise Refusal("not_found.list", record=listed.name, unseen=True)
    actor, form = actor_of(request), request.GET.get("as", "csv")
    media, write = _FORMS.get(form, _FORMS["csv"])
    when = as_of(read_day(request.GET.get("as_of", ""))).day if listed.of_a_day else date.today()
    asked = replace(read(listed, request.GET.dict(), day=when, within=within), after=None)
    purpose = request.GET.get("what_for", "").strip()[:200]
    if listed.reads and not purpose:
        raise Refusal(
            "records.filters",
            record=str(listed.label),
            found=_("no purpose"),
            expected=_("what the file is for, in some words"),
            rule=_("who looks at records of households or persons says why"),
            todo=_("go back and write the purpose beside the buttons"),
        )
    language = translation.get_language() or "en"
    if listed.reads:
        count, _sums = fetching.totals(actor, listed, asked)
        log_read(
            actor, kind=listed.reads, subject_id=within[1] if within else asked.place_id,
            purpose=f"file of the list {listed.name}: {purpose}", rows=count,
        )  # fmt: skip

    def pieces() -> Iterator[Any]:
        with translation.override(language):
            yield from write(listed, fetching.every_row(actor, listed, asked))

    answer = StreamingHttpResponse(pieces(), content_type=media)
    answer["Content-Disposition"] = (
        f'attachment; filename="{listed.name.replace(".", "-")}.{form if form in _FORMS else "csv"}"'
    )
    return answer
