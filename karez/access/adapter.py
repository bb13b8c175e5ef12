"""How signing in differs from the library's default: nobody signs themselves up; choosing a password uses up a given one."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from karez.access.models import User
from karez.access.services import choose_password


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]
    """Users are made by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """To what waits for the person."""
        return "/"

    def set_password(self, user: User, password: str) -> None:
        """As everywhere, and noted."""
        choose_password(user, password)
