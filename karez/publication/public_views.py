"""The public pages of signed editions: their list, and each edition as its published site, without signing in. Shows
nothing unsigned.

What is shown is written from the signed text and the approved errata alone, by the same formats as `karez publish`.
Files are made when first asked for and kept in memory by the edition's digest and its errata (see kept_files).
"""

from collections.abc import Mapping
from datetime import datetime
from posixpath import splitext

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from karez.access.visitor_calls import EDITIONS, EDITIONS_CALLS, wait_seconds
from karez.periods.models import Region
from karez.places.queries import areas_named
from karez.publication.formats.publication import Files
from karez.publication.kept_files import BeingMade, KeptFiles
from karez.publication.publishing import FORMATS, beside_formats, signed_publication
from karez.publication.queries import Told, public_edition, public_editions
from karez.publication.signing_views import steps_of

_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".zip": "application/zip",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_SHOWN = (".html", ".css", ".png")  # what a browser shows; anything else is saved
_kept = KeptFiles()


@never_cache
@require_safe
def editions(request: HttpRequest) -> HttpResponse:
    """Every signed edition: who stands for it, its digest, its errata."""
    if wait := wait_seconds(request, purpose=EDITIONS, most=EDITIONS_CALLS):
        return _limited(request, wait)
    found = public_editions()
    newest = {told.edition.year: told.edition.number for told in reversed(found)}
    listed = [(told, steps_of(told), newest[told.edition.year]) for told in found]
    region = Region.objects.first()
    area = areas_named([region.area_id]).first() if region else None
    return render(request, "publication/public_editions.html", {"editions": listed, "area": area})


@never_cache
@require_safe
def edition_file(request: HttpRequest, year: int, number: int, path: str = "") -> HttpResponse:
    """A page or a file of a signed edition; 404 for anything that is not signed."""
    if wait := wait_seconds(request, purpose=EDITIONS, most=EDITIONS_CALLS):
        return _limited(request, wait)
    told = public_edition(year, number)
    if told is None:
        raise Http404
    if not path:
        name = "chapter.zh.html" if (get_language() or "").startswith("zh") else "chapter.html"
        return redirect(reverse("publication:public_file", args=[year, number, name]))
    try:
        data = _files(told, _format_of(path)).get(path)
    except BeingMade:
        return _not_yet(request)
    if data is None:
        raise Http404
    ending = splitext(path)[1]
    answer = HttpResponse(data, content_type=_TYPES.get(ending, "application/octet-stream"))
    answer["X-Content-Type-Options"] = "nosniff"
    if ending not in _SHOWN:
        answer["Content-Disposition"] = f'attachment; filename="{year}-{number}-{path.rpartition("/")[2]}"'
    return answer


def _limited(request: HttpRequest, wait: int) -> HttpResponse:
    words = _("Too many pages asked for from your address in a short time. Try again in %(minutes)s minutes.")
    answer = render(
        request, "publication/public_editions.html", {"problem": words % {"minutes": -(-wait // 60)}}, status=429
    )
    answer["Retry-After"] = str(wait)
    return answer


def _not_yet(request: HttpRequest) -> HttpResponse:
    problem = _("The pages of an edition are being drawn. Try again in a few seconds.")
    answer = render(request, "publication/public_editions.html", {"problem": problem}, status=503)
    answer["Retry-After"] = "5"
    return answer


def _format_of(path: str) -> str:
    """Which of the formats writes a path; a format is made whole when one of its files is asked for."""
    if path in ("figures.csv", "edition.json"):
        return ""
    if path == "data.zip" or path.startswith("data/"):
        return "data"
    return {".pdf": "pdf", ".docx": "docx", ".xlsx": "xlsx"}.get(splitext(path)[1], "site")


def _files(told: Told, name: str) -> Files:
    """The files of a format; refuses, and tells the reader why, where this installation cannot write it, such as a name
    no font has.
    """
    approved: list[tuple[int, datetime]] = [(e.pk, e.approval.at) for e in told.errata]
    edition = (told.edition.year, told.edition.number, told.edition.digest, tuple(approved))
    return _kept.files(edition, name, lambda: _made(told, name))


def _made(told: Told, name: str) -> Files:
    publication = signed_publication(told)
    return FORMATS[name](publication) if name else beside_formats(publication)
