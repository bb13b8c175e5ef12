"""The public proofreader: a form, the result, its downloads, and two worked examples. Keeps no file; needs no sign-in.

A result page carries the sent files, packed, in the form of its downloads: asked for a download, the site judges again.
A long proof is told while it is judged: the page is sent in pieces, a share of the way at a time, and the result at its
end.
"""

import threading
import time
from collections.abc import Generator, Iterator
from functools import lru_cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from karez.access.visitor_calls import wait_seconds
from karez.proofreader.chapter_file import (
    OPTIONAL,
    REQUIRED,
    RULE_REQUIRED,
    Chapter,
    Rules,
    read_chapter,
    read_rules,
)
from karez.proofreader.export import MEDIA_TYPES, export
from karez.proofreader.page import context_of
from karez.proofreader.proof import DATA, ProofResult, judging
from karez.proofreader.upload import (
    MAX_BODY,
    MAX_BYTES,
    InMemory,
    Sent,
    TooLarge,
    packed,
    sent_files,
    unpacked,
)

EXAMPLES = {"ningxia-2009": gettext_lazy("Ningxia 2009"), "xinjiang-2009": gettext_lazy("Xinjiang 2009")}
SECONDS = 60  # of judging; a file made to take longer is told to use the command
AT_ONCE = 2  # proofs judged at the same time by one process, so that the rest of the site goes on
LONG_BYTES = 150_000  # from here on a proof may take more than a second, and tells how far it is
MARK = "<!--the result-->"
Steps = Generator[tuple[int, int], None, tuple[ProofResult, Chapter]]
_running = threading.BoundedSemaphore(AT_ONCE)


class NotNow(Exception):
    """The proof cannot be given: too many at once, or it takes too long."""


@csrf_exempt  # only until the upload has its handler: the check is made one step further in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: HttpRequest) -> HttpResponseBase:
    """The form, and the result of what it sends."""
    if request.method != "POST":
        return _form(request)
    if not request.META.get("CONTENT_LENGTH", "").isdigit() or int(request.META["CONTENT_LENGTH"]) > MAX_BODY:
        return _too_large(request)
    request.upload_handlers = [InMemory(request)]
    return _judged(request)


@csrf_protect
def _judged(request: HttpRequest) -> HttpResponseBase:
    if wait := wait_seconds(request):
        return _limited(request, wait)
    try:
        sent = sent_files(request)
    except TooLarge:
        return _too_large(request)
    if sent is None:
        return _form(request, _("Choose a file with the figures of a chapter."), status=400)
    return _result(request, sent)


@require_POST
@never_cache
def download(request: HttpRequest) -> HttpResponse:
    """The result as a file, judged again from what its page carried."""
    form = request.POST.get("form", "")
    if form not in MEDIA_TYPES:
        raise Http404
    if wait := wait_seconds(request):
        return _limited(request, wait)
    try:
        figures, rules = unpacked(request.POST.get("kept", "")), unpacked(request.POST.get("kept_rules", ""))
    except ValueError:
        return _form(request, _("The result could not be read back. Send the file again."), status=400)
    try:
        result, _chapter = _at_once(Sent(figures or b"", rules, ""))
    except NotNow as reason:
        return _form(request, str(reason), status=503)
    answer = HttpResponse(export(result, form), content_type=MEDIA_TYPES[form])
    answer["Content-Disposition"] = f'attachment; filename="proof.{form}"'
    return answer


@require_GET
def example(request: HttpRequest, name: str) -> HttpResponse:
    """A printed chapter, judged; nothing to send."""
    if name not in EXAMPLES:
        raise Http404
    result, chapter = _example(name)
    sent = _example_files(name)
    return render(
        request, "proofreader/proof_result.html", {**_page(sent), **context_of(result, chapter), "example": name}
    )


@require_GET
def example_file(request: HttpRequest, name: str) -> HttpResponse:
    """The file of a worked example, as a pattern for one's own."""
    if name not in EXAMPLES:
        raise Http404
    answer = HttpResponse(_example_files(name).figures, content_type=MEDIA_TYPES["csv"])
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _form(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    context = {
        "problem": problem,
        "examples": EXAMPLES.items(),
        "megabytes": MAX_BYTES // (1024 * 1024),
        "required": REQUIRED,
        "optional": OPTIONAL,
        "rules": RULE_REQUIRED,
    }
    return render(request, "proofreader/proof.html", context, status=status)


def _too_large(request: HttpRequest) -> HttpResponse:
    words = _("The files are larger than %(limit)s MB together. The command `karez proof` takes larger ones.")
    return _form(request, words % {"limit": MAX_BYTES // (1024 * 1024)}, status=413)


def _limited(request: HttpRequest, wait: int) -> HttpResponse:
    words = _(
        "Too many proofs from your address in a short time. Try again in %(minutes)s minutes; nothing of yours was "
        "kept."
    )
    answer = _form(request, words % {"minutes": -(-wait // 60)}, status=429)
    answer["Retry-After"] = str(wait)
    return answer


def _page(sent: Sent) -> dict[str, Any]:
    return {
        "name": sent.name,
        "kept": packed(sent.figures),
        "kept_rules": packed(sent.rules),
        "forms": list(MEDIA_TYPES),
    }


def _result(request: HttpRequest, sent: Sent) -> HttpResponseBase:
    if sent.size > LONG_BYTES:
        return _streamed(request, sent)
    try:
        result, chapter = _at_once(sent)
    except NotNow as reason:
        return _form(request, str(reason), status=503)
    return render(request, "proofreader/proof_result.html", {**_page(sent), **context_of(result, chapter)})


def _streamed(request: HttpRequest, sent: Sent) -> StreamingHttpResponse:
    """The page in pieces: its head, the way as it is made, the result, its foot."""
    shell = render_to_string("proofreader/proof_result.html", {"name": sent.name, "mark": MARK}, request)
    head, foot = shell.split(MARK)
    context = {**_page(sent), "csrf_token": get_token(request)}
    pieces = _pieces(sent, context, translation.get_language() or "en")

    def all_pieces() -> Iterator[str]:
        yield head
        yield from pieces
        yield foot

    return StreamingHttpResponse(all_pieces())


def _pieces(sent: Sent, context: dict[str, Any], language: str) -> Iterator[str]:
    steps, told = _steps(sent), 0
    with translation.override(language):
        yield render_to_string("proofreader/proof_way.html", {"begins": True})
    try:
        while True:
            done, total = next(steps)
            if total and 10 * done // total > told:
                told = 10 * done // total
                yield f"<li>{10 * told}&nbsp;%</li>\n"
    except StopIteration as end:
        result, chapter = end.value
        with translation.override(language):
            yield render_to_string("proofreader/proof_way.html", {"ends": True})
            yield render_to_string("proofreader/proof_told.html", {**context, **context_of(result, chapter)})
    except NotNow as reason:
        with translation.override(language):
            yield render_to_string("proofreader/proof_way.html", {"ends": True, "problem": str(reason)})


def _at_once(sent: Sent) -> tuple[ProofResult, Chapter]:
    steps = _steps(sent)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: tuple[ProofResult, Chapter] = end.value
            return found


def _steps(sent: Sent) -> Steps:
    """Reads and judges, as few at a time as the process allows; raises NotNow."""
    if not _running.acquire(blocking=False):  # a thread that waited would be one less for everybody
        raise NotNow(gettext_lazy("Other proofs are being judged. Try again in a minute."))
    try:
        ends = time.monotonic() + SECONDS
        chapter = read_chapter(sent.figures, sent.name)
        work = judging(chapter, Rules() if sent.rules is None else read_rules(sent.rules))
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                return end.value, chapter
            if time.monotonic() > ends:
                raise NotNow(
                    gettext_lazy("This file takes more than a minute to judge. Use the command `karez proof` for it.")
                )
            yield step
    finally:
        _running.release()


def _example_files(name: str) -> Sent:
    figures, rules = DATA / f"{name}.csv", DATA / f"{name}.rules.csv"
    return Sent(figures.read_bytes(), rules.read_bytes(), figures.name)


@lru_cache(maxsize=len(EXAMPLES))
def _example(name: str) -> tuple[ProofResult, Chapter]:
    return _at_once(_example_files(name))
