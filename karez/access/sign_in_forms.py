"""The library's forms of signing in, with names read as they are meant and guesses counted. Holds no limit of its own."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm

from karez.access.guessing import account_named, code_tries, password_tries


class SignInForm(LoginForm):  # type: ignore[misc]
    """Sign-in name and password."""

    def clean_login(self) -> str:
        """The account's own name, however it was typed."""
        typed: str = super().clean_login()
        found = account_named(typed)
        return found.username if found else typed


class ChangePassword(ChangePasswordForm):  # type: ignore[misc]
    """Another password for who knows the present one; who sits at a session left open guesses it no more often than at
    the door.
    """

    def clean_oldpassword(self) -> Any:
        """The present password, if it is."""
        tries = password_tries(self.user.username, "")
        if not tries.allowed:
            raise get_adapter().validation_error("too_many_login_attempts")
        found = super().clean_oldpassword()
        tries.give_back()
        return found


class _Counted:
    """A code of the second factor, or a recovery code: so many wrong ones an account, from wherever."""

    user: Any

    def clean_code(self) -> str:
        """The code, if it is right."""
        tries = code_tries(self.user)
        if not tries.allowed:
            raise get_adapter().validation_error("too_many_login_attempts")
        found: str = super().clean_code()  # type: ignore[misc]
        tries.give_back()
        return found


class SecondFactor(_Counted, AuthenticateForm):  # type: ignore[misc]
    """At signing in."""


class SecondFactorAgain(_Counted, ReauthenticateForm):  # type: ignore[misc]
    """Before something that asks for it again."""
