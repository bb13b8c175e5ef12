"""What the front says by itself, in the reader's language: the answers `karez.web.plain` prepared, kept in a file.
Holds no words.
"""

import json
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from karez.system import paths

FILE = paths.VAR / "run" / "said.json"
_COOKIE = "django_language"


@dataclass(frozen=True)
class Said:
    """An answer ready to be sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Words:
    """The prepared answers."""

    def __init__(self, path: Path = FILE) -> None:
        self._said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))

    def answer(self, code: str, headers: dict[bytes, bytes]) -> Said:
        """The answer of that code, as page or JSON."""
        entry = self._said[code]
        said = entry["said"][_language(headers, list(entry["said"]))]
        as_json = b"application/json" in headers.get(b"accept", b"")
        body = json.dumps(said["json"], ensure_ascii=False) if as_json else said["page"]
        sent = [
            (b"content-type", b"application/json" if as_json else b"text/html; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        ]
        if entry["retry_after"]:
            sent.append((b"retry-after", str(entry["retry_after"]).encode()))
        return Said(entry["status"], sent, body.encode())


def _language(headers: dict[bytes, bytes], known: list[str]) -> str:
    """The reader's: as chosen on the site, else as the browser asks, else the first."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        jar.clear()
    if _COOKIE in jar and jar[_COOKIE].value in known:
        return jar[_COOKIE].value
    asked = []
    for place, part in enumerate(headers.get(b"accept-language", b"").decode("latin-1")[:500].split(",")):
        tag, _, weight = part.strip().lower().partition(";q=")
        try:
            asked.append((-float(weight or 1), place, tag))
        except ValueError:
            continue
    for _weight, _place, tag in sorted(asked):
        for language in known:
            if tag.split("-")[0] == language.split("-")[0]:
                return language
    return known[0]
