"""Short answers that stand without database, session and style: the site is busy, is being started, does not take what
was sent.

Given by the site itself (`broken` of views, the refusals' middleware) and, prepared in every language, by the server in
front of it, which has no Django. Holds no decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Plain:
    """One such answer: its code and status, after how many seconds to come again (0: not by itself), and its words."""

    code: str
    status: int
    retry_after: int
    heading: str | Promise
    words: str | Promise
    todo: str | Promise


_AGAIN = _("Wait a minute and try again. If you had sent a form, look first whether it was recorded.")
ANSWERS = (
    Plain(
        "site.busy",
        503,
        10,
        _("Busy"),
        _("More is asked of this site at the moment than it can do. Your request was not begun."),
        _("Wait a minute and try again. Nothing was changed."),
    ),
    Plain("site.away", 503, 10, _("Just a moment"), _("This site or its database is being started."), _AGAIN),
    Plain(
        "site.proofs_busy",
        503,
        30,
        _("Busy"),
        _("Other chapters are being judged at the moment. Nothing of yours was kept."),
        _("Send the file again in a minute, or use the command `karez proof`."),
    ),
    Plain(
        "site.too_slow",
        408,
        0,
        _("Too slow"),
        _("What was sent came too slowly, or stopped coming. Nothing was changed."),
        _("Try again on a better connection."),
    ),
    Plain("site.too_late", 503, 30, _("Not ready in time"), _("The answer took too long."), _AGAIN),
    Plain(
        "site.too_large",
        413,
        0,
        _("Too large"),
        _("What was sent is larger than this address takes. Nothing was changed."),
        _("Send less at a time."),
    ),
    Plain(
        "site.sign_in_first",
        403,
        0,
        _("Sign in first"),
        _("A file of this size is taken only from who is signed in, and you are not, or no more. Nothing was changed."),
        _("Sign in and send it again."),
    ),
    Plain(
        "site.no_room",
        507,
        0,
        _("No room"),
        _("There is too little room on the site's disk for a file of this size. Nothing was changed."),
        _("Tell the people who run this site."),
    ),
    Plain(
        "site.unreadable",
        400,
        0,
        _("Not understood"),
        _("The request could not be read."),
        _("Begin at the start page."),
    ),
    Plain(
        "site.broken",
        500,
        0,
        _("Something went wrong"),
        _("This is a defect of the site, not of what you did. It was written to its log."),
        _("Tell the people who run this site when it happened and what you did."),
    ),
)
BY_CODE: Mapping[str, Plain] = {answer.code: answer for answer in ANSWERS}
# SQLSTATEs that say the server is going, coming or full; the connection's own class is 08.
_AWAY = {"57P01", "57P02", "57P03", "57P05", "53300"}


def answer(request: HttpRequest, code: str) -> HttpResponse:
    """The answer of that code to a request, as a page or as JSON."""
    plain, made = BY_CODE[code], None
    if "application/json" in request.headers.get("Accept", ""):
        made = JsonResponse(_told(plain), status=plain.status, json_dumps_params={"ensure_ascii": False})
    response: HttpResponse = made or HttpResponse(_page(plain), status=plain.status)
    response["Cache-Control"] = "no-store"
    if plain.retry_after:
        response["Retry-After"] = str(plain.retry_after)
    return response


def prepared() -> dict[str, Any]:
    """Every answer in every language, ready to be sent: page and JSON, status, seconds to wait."""
    made: dict[str, Any] = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for plain in ANSWERS:
                entry = made.setdefault(
                    plain.code, {"status": plain.status, "retry_after": plain.retry_after, "said": {}}
                )
                entry["said"][language] = {"page": _page(plain), "json": _told(plain)}
    return made


def is_away(error: BaseException | None) -> bool:
    """Whether an error says that the database cannot be reached, is going, coming, or has no connection left."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return False
    state = cause.sqlstate
    return state is None or state in _AWAY or state.startswith("08")


def _told(plain: Plain) -> dict[str, str]:
    return {"code": plain.code, "found": str(plain.words), "todo": str(plain.todo)}


def _page(plain: Plain) -> str:
    return render_to_string("web/plain.html", {"plain": plain})
