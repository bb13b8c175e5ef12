"""How many wrong passwords and codes an account or an address may send: counted in the database, so all processes share
it.

A try is counted before it is judged and given back when it was right, so that many at once find no gap. The address is
counted first: one over its limit is counted nowhere else. An account has a count of its own at each address from which
its password was right within ninety days, so whoever guesses from elsewhere does not keep its owner out. Beside this
the library's lock-out counts a name at one address. Holds no page.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from karez.access.models import Guess, User, UsualPlace


@dataclass(frozen=True)
class Limit:
    """At most so many wrong tries within a window of so many seconds."""

    purpose: str
    wrong: int
    seconds: int


# From anywhere else against one account; from a place where its owner signs in; and from one address against all
# accounts: an office shares one.
PASSWORDS_OF_ACCOUNT = Limit("account", 40, 60 * 60)
PASSWORDS_AT_PLACE = Limit("account at its place", 40, 60 * 60)
PASSWORDS_OF_ADDRESS = Limit("address", 60, 15 * 60)
# Of a million codes three are right at a time: sixty tries a day, by who has the password already, find one in some
# fifteen years.
USUAL_FOR = timedelta(days=90)
CODES = (Limit("code", 5, 15 * 60), Limit("code of a day", 60, 24 * 60 * 60))


@dataclass
class Tries:
    """Tries that were counted. `allowed` says whether this one may be judged; `give_back` takes a right one out of the
    count.
    """

    allowed: bool
    counted: list[int]
    place: str = ""  # digest of account and address; empty where no account is meant or no address known

    def give_back(self) -> None:
        """The try was right: where it came from is a usual place of the account's from now on."""
        if self.place:
            UsualPlace.objects.update_or_create(who_digest=self.place, defaults={"until": timezone.now() + USUAL_FOR})
            UsualPlace.objects.filter(until__lt=timezone.now()).delete()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE access_guess SET wrong = wrong - 1 WHERE id = ANY(%s) AND wrong > 0", [self.counted])
            cursor.execute("DELETE FROM access_guess WHERE id = ANY(%s) AND wrong <= 0", [self.counted])


def password_tries(name: str, address: str) -> Tries:
    """Counts a password sent for a sign-in name, as typed, from an address; no address from who is signed in already."""
    who = name_counted(name)
    at = f"{who} at {address}"
    place = _digest("usual place", at) if address and who.startswith("user ") else ""
    usual = not address or (place and UsualPlace.objects.filter(who_digest=place, until__gt=timezone.now()).exists())
    account = (PASSWORDS_AT_PLACE, at) if usual else (PASSWORDS_OF_ACCOUNT, who)
    return _count([(PASSWORDS_OF_ADDRESS, address), account] if address else [account], place)


def code_tries(user: User) -> Tries:
    """Counts a code of the second factor, or a recovery code, sent for an account."""
    return _count([(limit, f"user {user.pk}") for limit in CODES])


def _digest(purpose: str, who: str) -> str:
    return salted_hmac(f"karez.guess.{purpose}", who, algorithm="sha256").hexdigest()


def _count(limits: list[tuple[Limit, str]], place: str = "") -> Tries:
    now = int(timezone.now().timestamp())
    allowed, counted = True, []
    with connection.cursor() as cursor:
        for limit, who in limits:
            ends = now // limit.seconds * limit.seconds + limit.seconds
            cursor.execute(
                "INSERT INTO access_guess AS kept (who_digest, ends_at, wrong) VALUES (%s, to_timestamp(%s), 1)"
                " ON CONFLICT (who_digest, ends_at) DO UPDATE SET wrong = kept.wrong + 1 RETURNING id, wrong",
                [_digest(limit.purpose, who), ends],
            )
            row, wrong = cursor.fetchone()
            counted.append(row)
            if wrong > limit.wrong:
                allowed = False
                break  # what is refused already is counted against nobody else
    Guess.objects.filter(ends_at__lt=timezone.now() - timedelta(hours=1)).delete()
    return Tries(allowed, counted, place)


def sign_in_name(typed: str) -> str:
    """A sign-in name as it is meant: full-width letters are letters; blanks around it and signs that are not seen are
    none.
    """
    plain = unicodedata.normalize("NFKC", typed)
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] != "C" or sign.isspace()).strip()


def account_named(typed: str) -> User | None:
    """Whom a name as typed means, in whatever capitals and width; None where nobody."""
    for name in dict.fromkeys((typed.strip(), sign_in_name(typed))):
        found = User.objects.filter(username__iexact=name).first() if name and "\0" not in name else None
        if found is not None:
            return found
    return None


def name_counted(typed: str) -> str:
    """By what a name is counted: one account is one, however it is written; of nobody's names the plain form."""
    found = account_named(typed)
    return f"user {found.pk}" if found else f"name {sign_in_name(typed).casefold()[:150]}"


def locked_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The same for the lock-out of a name at one address."""
    typed = (credentials or {}).get("username") or request.POST.get("login", "")
    found = account_named(str(typed))
    return found.username if found else sign_in_name(str(typed)).casefold()[:150]
