"""A session left alone ends: after half an hour without a page, and twelve hours after signing in. Holds no page.

A page that asks by itself how a job stands is nobody at the desk, and does not count.
"""

import time
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

_BEGAN, _SEEN = "began_at", "seen_at"
_WRITTEN_EVERY = 60  # seconds: a page a minute is noted, not each


class IdleMiddleware:
    """Signs out who was away too long, and leads back to the same page after signing in again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on, or leads to signing in."""
        if not request.user.is_authenticated:
            return self.get_response(request)
        now, by_itself = int(time.time()), bool(request.headers.get("HX-Request"))
        began = request.session.setdefault(_BEGAN, now)
        seen = request.session.get(_SEEN, now)
        if now - seen > settings.SESSION_IDLE_SECONDS or now - began > settings.SESSION_COOKIE_AGE:
            return self._signed_out(request, by_itself)
        if _SEEN not in request.session or (now - seen >= _WRITTEN_EVERY and not by_itself):
            request.session[_SEEN] = now
        return self.get_response(request)

    def _signed_out(self, request: HttpRequest, by_itself: bool) -> HttpResponse:
        logout(request)
        messages.info(request, _("You were signed out after a time without use. What was not sent is not recorded."))
        address = reverse("account_login")
        back = request.get_full_path() if request.method in ("GET", "HEAD") else ""
        if by_itself:
            back = urlsplit(request.headers.get("HX-Current-URL", "")).path  # of the page that asked
        if back and not back.startswith(reverse("account_logout")):
            address += "?" + urlencode({"next": back})
        if by_itself:
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return redirect(address)
