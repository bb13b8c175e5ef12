"""The lanes by which requests reach the site, and how large a body may be. Holds no addresses: rooms declare theirs in
`room.py`.
"""

from dataclasses import dataclass

MIB = 1024 * 1024
FORM_BYTES = MIB
DOCUMENT_BYTES = 64 * MIB

PAGES, HEAVY, PROOF = "pages", "heavy", "proof"


@dataclass(frozen=True)
class Way:
    """How a request goes: its lane, the largest body, and whether a body beyond a form's size needs somebody signed in."""

    lane: str = PAGES
    body_bytes: int = FORM_BYTES
    signed_in: bool = True


PAGE = Way()
DOCUMENT = Way(HEAVY, DOCUMENT_BYTES)
