"""Which addresses take more than a form, and which do heavy work: the limit of a body and the lane it goes by. Holds no
limit of content.

Anything not named here is a page: a small body, the pages' process. `karez/web/tests/test_front_table.py` holds the
table against the site's addresses.
"""

import re
from dataclasses import dataclass

MIB = 1024 * 1024
FORM_BYTES = MIB
DOCUMENT_BYTES = 64 * MIB
FILE_BYTES = 4096 * MIB + MIB  # intake's own limit, with the form around the file
PROOF_BYTES = 5 * MIB  # the proofreader's limit, with the coding of a form that carries the file back

PAGES, HEAVY, PROOF = "pages", "heavy", "proof"


@dataclass(frozen=True)
class Way:
    """How a request goes: its lane, the largest body, and whether a body beyond a form's size needs somebody signed in."""

    lane: str = PAGES
    body_bytes: int = FORM_BYTES
    signed_in: bool = True


_PAGE = Way()
_DOCUMENT = Way(HEAVY, DOCUMENT_BYTES)
_SENT: tuple[tuple[str, Way], ...] = (
    (r"/files/send/", Way(HEAVY, FILE_BYTES)),
    (r"/files/enter/[^/]+/", Way(HEAVY)),
    (r"/ledger/vouchers/\d+/attach/", _DOCUMENT),
    (r"/returns/\d+/attach/", _DOCUMENT),
    (r"/mutual-funds/resolutions/\d+/documents/", _DOCUMENT),
    (r"/yearbook/side-by-side/", _DOCUMENT),
    (r"/proof/(?:download/)?", Way(PROOF, PROOF_BYTES, signed_in=False)),
)
_ASKED: tuple[tuple[str, Way], ...] = (
    (r"/files/\d+/faults\.csv", Way(HEAVY)),
    (r"/files/templates/[^/]+\.xlsx", Way(HEAVY)),
    (r"/documents/\d+/", Way(HEAVY)),
    (r"/lists/[^/]+/(?:[^/]+/\d+/)?file/", Way(HEAVY)),
    (r"/yearbook/[^/]+/\d+/figures\.csv", Way(HEAVY)),
    (r"/editions/\d+/\d+/.*", Way(HEAVY)),
    (r"/proof/example/.*", Way(HEAVY)),
)
SENT = tuple((re.compile(pattern), way) for pattern, way in _SENT)
ASKED = tuple((re.compile(pattern), way) for pattern, way in _ASKED)


def way_of(method: str, path: str) -> Way:
    """The way of a request."""
    for pattern, way in ASKED if method in ("GET", "HEAD") else SENT:
        if pattern.fullmatch(path):
            return way
    return _PAGE
