"""The one place where a refusal becomes a page or a JSON answer, and where database refusals become refusals."""

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from karez.access.pages import database_refusal
from karez.access.parameters import require_readable
from karez.kernel.reading import while_reading
from karez.kernel.refusal import Refusal
from karez.web.views import not_found

log = logging.getLogger(__name__)


class RouteMiddleware:
    """Tells the front by which pattern an address was found: its log keeps the pattern and never the address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on and marks the answer."""
        response = self.get_response(request)
        if "karez.request" in request.META:
            route = (
                request.resolver_match.route
                if request.resolver_match
                else "static/"
                if request.path.startswith("/static/")
                else "-"
            )
            response["X-Karez-Route"] = "".join(c for c in str(route) if c.isascii() and c.isprintable())[:200] or "-"
        return response


class PrivateMiddleware:
    """Pages of who is signed in are kept by no browser and no cache: on a shared computer nothing is left to go back
    to.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on and marks the answer."""
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response


class ReadingMiddleware:
    """A page that only reads asks the same of the database once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on; what it wrote or asked to be written is always asked anew."""
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with while_reading():
            return self.get_response(request)


class RefusalMiddleware:
    """Answers a Refusal with its status and all it says; anything else goes on as a bug."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer to a Refusal, or to a refusal of the database; None for anything else."""
        refusal = exception if isinstance(exception, Refusal) else refusal_of(exception)
        if refusal is None:
            return None
        return _answer(request, refusal)


class ReadableMiddleware:
    """Refuses a zero byte in an address or in what is typed, before any page: no page has to think of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _words: Any, _more: Any) -> HttpResponse | None:
        """The refusal; None where nothing is to be said."""
        if "\0" in request.path_info:
            return not_found(request)
        reads_itself = getattr(view, "csrf_exempt", False)  # such a page reads its body by itself, in its own time
        try:
            require_readable(request.GET, *([request.POST] if request.method == "POST" and not reads_itself else []))
        except Refusal as refusal:
            return _answer(request, refusal)
        return None


def _answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    log.info("refused %s: %s", request.resolver_match.route if request.resolver_match else "-", refusal.code)
    if refusal.is_nothing_here:
        return not_found(request)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(refusal.as_dict(), status=refusal.status, json_dumps_params={"ensure_ascii": False})
    return render(request, "web/refusal.html", {"refusal": refusal}, status=refusal.status)


def refusal_of(exception: BaseException) -> Refusal | None:
    """The database's own refusal as a Refusal; None where the error is another."""
    return database_refusal(exception)
