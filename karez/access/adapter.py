"""How signing in differs from the library's default: nobody signs themselves up; choosing a password uses up a given
one; guesses are counted.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from karez.access.guessing import password_tries
from karez.access.models import User
from karez.access.services import choose_password
from karez.access.visitors import client_address, counted_address


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]
    """Users are made by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """To what waits for the person."""
        return "/"

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everywhere (`visitors`)."""
        return client_address(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person, if the password is theirs and not too many were wrong before; also where it is asked for again."""
        tries = password_tries(str(credentials.get("username", "")), counted_address(request))
        if not tries.allowed:
            raise self.validation_error("too_many_login_attempts")
        found: User | None = super().authenticate(request, **credentials)
        if found is not None:
            tries.give_back()
        return found

    def set_password(self, user: User, password: str) -> None:
        """As everywhere, and noted."""
        choose_password(user, password)
