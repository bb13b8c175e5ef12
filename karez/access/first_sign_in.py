"""Who signs in with a password given once chooses their own before anything else opens. Holds no page: the library's is
used.
"""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from karez.access.models import SignInEvent, User
from karez.access.queries import last_sign_in_event


class FirstSignIn:
    """Leads a person whose password was given once to choosing their own; one given too long ago signs them out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on, or leads elsewhere."""
        return self._elsewhere(request) or self.get_response(request)

    def _elsewhere(self, request: HttpRequest) -> HttpResponse | None:
        if not isinstance(request.user, User):
            return None
        last = last_sign_in_event(request.user)
        if last is None or last.what == SignInEvent.What.CHOSEN:
            return None
        if last.until is not None and last.until < timezone.now():
            logout(request)
            messages.warning(
                request,
                _("The password you were given was good for seven days. Ask whoever gave it to you for another."),
            )
            return redirect("account_login")
        if request.path in {
            reverse(name) for name in ("account_change_password", "account_logout", "account_login", "set_language")
        }:
            return None
        messages.info(request, _("Choose a password of your own; the one you were given is good for this once."))
        return redirect("account_change_password")
