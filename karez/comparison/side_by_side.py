"""The page of years, places and regions side by side: what may be chosen, what was sent, the table, and the table as
CSV. Keeps no file.

A package that is sent is read in memory and carried by the page itself, packed, so that the next choice needs no second
sending.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from karez.access.models import User
from karez.access.pages import actor_of
from karez.access.services import log_read
from karez.access.visitor_calls import wait_seconds
from karez.closing.snapshots import Snapshot
from karez.comparison.columns import (
    PRINTED,
    Column,
    Row,
    computed_column,
    picture,
    printed_column,
    published_column,
    rows_of,
)
from karez.comparison.package_file import Package, read_package
from karez.figures import answers
from karez.figures.engine import Place
from karez.figures.history import sealed_snapshots
from karez.figures.queries import places_seen
from karez.kernel.printed import plain_number
from karez.proofreader.upload import MAX_BODY, MAX_BYTES, InMemory, TooLarge, packed, unpacked
from karez.proofreader.views import EXAMPLES
from karez.wording.numbers import CHINESE, ENGLISH, unit_words
from karez.wording.terms import room_words

MOST = 8  # columns beside one another
PAGE = 300  # figures of a page
CALLS = 60  # packages read for an address in a while, sent or carried by the page
SHOWN_FAULTS = 200
LEVELS = ("region", "prefecture", "county")


@csrf_exempt  # only until the upload has its handler: the check is made one step further in
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def side_by_side(request: HttpRequest) -> HttpResponse:
    """The table of the columns chosen, with the form that chooses them; as CSV where asked."""
    if request.method != "POST":
        return _answer(request, request.GET, None)
    length = request.META.get("CONTENT_LENGTH", "")
    if not length.isdigit() or int(length) > MAX_BODY:
        return _answer(request, QueryDict(), None, problem=_too_large(), status=413)
    request.upload_handlers = [InMemory(request)]
    return _sent(request)


@csrf_protect
def _sent(request: HttpRequest) -> HttpResponse:
    if wait := wait_seconds(request, purpose="side_by_side", most=CALLS):
        words = _(
            "Too many files from your address in a short time. Try again in %(minutes)s minutes; nothing of yours "
            "was kept."
        )
        answer = _answer(request, QueryDict(), None, problem=words % {"minutes": -(-wait // 60)}, status=429)
        answer["Retry-After"] = str(wait)
        return answer
    try:
        file = request.FILES.get("package")
        data = file.read() if isinstance(file, UploadedFile) else unpacked(request.POST.get("kept", ""))
    except TooLarge:
        return _answer(request, QueryDict(), None, problem=_too_large(), status=413)
    except ValueError:
        return _answer(
            request,
            request.POST,
            None,
            problem=_("What was sent could not be read back. Send the file again."),
            status=400,
        )
    if data is None:
        return _answer(
            request, request.POST, None, problem=_("Choose a file that another installation published."), status=400
        )
    if len(data) > MAX_BYTES:
        return _answer(request, QueryDict(), None, problem=_too_large(), status=413)
    return _answer(request, request.POST, data)


def _too_large() -> str:
    return _("The file is larger than %(limit)s MB. Of a published folder, `data` alone is enough.") % {
        "limit": MAX_BYTES // (1024 * 1024)
    }


def _answer(
    request: HttpRequest, asked: QueryDict, data: bytes | None, *, problem: str = "", status: int = 200
) -> HttpResponse:
    actor, language = actor_of(request), CHINESE if (get_language() or "").startswith("zh") else ENGLISH
    package = read_package(data) if data is not None else Package()
    usable = data is not None and not package.faults
    years = {s.year: s.snapshot for s in sealed_snapshots() if s.current and s.snapshot is not None}
    of = next((y for y in years if str(y) == asked.get("of")), max(years, default=0))
    offered = {year: _places(actor, snapshot) for year, snapshot in years.items()}
    chosen = list(dict.fromkeys(asked.getlist("c")))
    theirs = _theirs(package, asked) if usable else []
    columns = _columns(actor, [*chosen[: MOST - len(theirs)]], years, language)
    columns += [published_column(package, code, language) for code in theirs]
    rows = rows_of(columns, language)
    shown = rows if asked.get("all") or len(columns) < 2 else [r for r in rows if r.said > 1]
    if asked.get("form") == "csv" and columns:
        log_read(actor, kind="figures", subject_id=None, purpose="figures side by side, as CSV", rows=len(shown))
        return _csv(columns, shown)
    pages = -(-len(shown) // PAGE) or 1
    page = min(int(wanted), pages) if re.fullmatch("[1-9][0-9]{0,3}", wanted := str(asked.get("page", ""))) else 1
    context = {
        "page": page,
        "pages": range(1, pages + 1) if pages > 1 else (),
        "first": (page - 1) * PAGE + 1,
        "last": min(page * PAGE, len(shown)),
        "years": [
            (f"{year}-{region.area_id}", year, _name(region, language))
            for year in years
            for region in offered[year][:1]
            if region.level == "region"
        ],
        "of": of,
        "of_years": list(years),
        "places": [
            (f"{of}-{p.area_id}", _name(p, language), p.level) for p in offered.get(of, []) if p.level != "region"
        ],
        "printed": [(f"p-{name}", words) for name, words in EXAMPLES.items()],
        "chosen": chosen,
        "theirs": theirs,
        "their_places": [(code, _their_name(package, code, language)) for code in package.places] if usable else [],
        "package": package if data is not None else None,
        "kept": packed(data) if usable else "",
        "problem": problem,
        "faults": [
            (f.file, f.line, str(f.column), str(f.found), str(f.expected)) for f in package.faults[:SHOWN_FAULTS]
        ],
        "columns": columns,
        "groups": _groups(shown[(page - 1) * PAGE : page * PAGE], columns, language),
        "count": len(shown),
        "hidden": len(rows) - len(shown),
        "every": bool(asked.get("all")),
        "too_many": len(chosen) + len(theirs) > MOST,
        "most": MOST,
        "megabytes": MAX_BYTES // (1024 * 1024),
    }
    return render(request, "comparison/side_by_side.html", context, status=400 if package.faults else status)


def _places(actor: User, snapshot: Snapshot) -> list[Place]:
    """The places of a sealed year whose figures the actor may see: the region, prefectures, counties."""
    seen = places_seen(actor, "figures.view", snapshot)
    found = [p for p in answers.places(snapshot).values() if p.level in LEVELS and (seen is None or p.area_id in seen)]
    return sorted(found, key=lambda p: (p.level != "region", p.code))


def _name(place: Place, language: str) -> str:
    return (place.name_zh or place.name_en) if language == CHINESE else (place.name_en or place.name_zh)


def _their_name(package: Package, code: str, language: str) -> str:
    where = package.places[code]
    return ((where.name_zh or where.name_en) if language == CHINESE else (where.name_en or where.name_zh)) or code


def _theirs(package: Package, asked: QueryDict) -> list[str]:
    """The places of the package that are asked for; its region where none is."""
    wanted = [code for code in dict.fromkeys(asked.getlist("t")) if code in package.places][: MOST - 1]
    region = next(
        (code for code, where in package.places.items() if where.level == "region"), next(iter(package.places))
    )
    return wanted or [region]


def _columns(actor: User, chosen: Sequence[str], years: dict[int, Snapshot], language: str) -> list[Column]:
    """The columns chosen, in the order of the form; what no longer exists is left out, what is not granted is refused."""
    found = []
    for key in chosen:
        first, _dash, rest = key.partition("-")
        if first == "p" and rest in EXAMPLES:
            found.append(printed_column(rest, str(EXAMPLES[rest]), language))
        elif first.isascii() and first.isdigit() and rest.isascii() and rest.isdigit() and len(rest) < 19:
            snapshot = years.get(int(first)) if len(first) == 4 else None
            place = answers.places(snapshot).get(int(rest)) if snapshot else None
            if snapshot is not None and place is not None:
                found.append(computed_column(actor, snapshot, place, language))
    return found


def _groups(rows: Sequence[Row], columns: Sequence[Column], language: str) -> list[tuple[str, str, list[Any]]]:
    titles = [c.title for c in columns]
    groups: dict[str, list[Any]] = {}
    for row in rows:
        row = replace(row, cells=tuple(c and replace(c, unit_words=unit_words(c.unit, language)) for c in row.cells))
        made = (row, unit_words(row.unit, language), mark_safe(picture(row, titles)))  # noqa: S308 - drawn there, its words escaped
        groups.setdefault(row.id.partition(".")[0], []).append(made)
    return [(name, room_words(name), found) for name, found in groups.items()]


def _csv(columns: Sequence[Column], rows: Sequence[Row]) -> HttpResponse:
    """The table: a value, its unit and a word on it for each column."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="side-by-side.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    writer = csv.writer(answer, lineterminator="\n")
    kinds = [f"{c.title} ({c.kind})" for c in columns]
    writer.writerow(["id", "label", *(neutral(w) for k in kinds for w in (k, f"{k}: unit", f"{k}: note"))])
    for row in rows:
        line: list[Any] = [neutral(row.id), neutral(row.label)]
        for column, cell in zip(columns, row.cells, strict=True):
            line += (
                ["", "", "not printed" if column.kind == PRINTED else "not among its figures"]
                if cell is None
                else [
                    "" if cell.value is None else plain_number(cell.value),
                    neutral(cell.unit),
                    neutral(
                        "; ".join(
                            w
                            for w in (
                                cell.hedge if column.kind == PRINTED else cell.state,
                                cell.of_place,
                                cell.verdict,
                                "another definition" if cell.other_definition else "",
                            )
                            if w
                        )
                    ),
                ]
            )
        writer.writerow(line)
    return answer


def neutral(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
