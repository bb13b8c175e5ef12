"""The one kind of error that belongs to the user: an expected no, told completely. Holds no list of screens.

An assertion or any other exception is a bug and crashes; a Refusal is an answer.
"""

from dataclasses import dataclass, field
from typing import Any

from karez.kernel.messages import Listing, Text, say

# First part of a refusal's code -> HTTP status; whole codes win over prefixes.
_STATUS = {
    "access.not_signed_in": 401,
    "access": 403,
    "places.unknown": 404,
    "not_found": 404,
    "periods.busy": 503,
    "database.busy": 503,
    "database.too_long": 503,
    "intake.unknown_sheet": 404,
    "intake.too_large": 413,
    "form.unreadable": 400,
    "records.filters": 400,
    "host": 500,
}


@dataclass
class Refusal(Exception):
    """What was refused: the record, what was found, what was expected, which rule says so, and what to do now.

    `unseen` says that the person may not know whether the record exists: pages answer as if there were none.
    """

    code: str
    record: Text = ""
    found: Text = ""
    expected: Text = ""
    rule: Text = ""
    todo: Text = ""
    more: dict[str, Any] = field(default_factory=dict)
    unseen: bool = False

    def __str__(self) -> str:
        return str(self.told)

    @property
    def told(self) -> str:
        """All of it in one message; its code where it says nothing."""
        parts = (
            self.record and say("{record}:", record=self.record),
            self.found and say("found {found};", found=self.found),
            self.expected and say("expected {expected};", expected=self.expected),
            self.rule and say("rule: {rule}.", rule=self.rule),
            self.todo and say("What to do: {todo}.", todo=self.todo),
        )
        return Listing(filter(None, parts), " ") or self.code

    @property
    def status(self) -> int:
        """The HTTP status of this refusal; 409 where the table names none."""
        if self.unseen:
            return 404
        return _STATUS.get(self.code) or _STATUS.get(self.code.split(".")[0]) or 409

    @property
    def is_nothing_here(self) -> bool:
        """Whether a page answers that nothing is here, in the same words for every such record."""
        return self.unseen or self.code.split(".")[0] == "not_found"

    def as_kept(self) -> dict[str, Any]:
        """The refusal to be kept in a column of messages, whole."""
        return {k: getattr(self, k) for k in ("code", "record", "found", "expected", "rule", "todo")} | self.more

    def as_dict(self) -> dict[str, Any]:
        """The refusal as JSON-ready values in the active language, in the order people read them."""
        plain = {k: str(getattr(self, k)) for k in ("code", "record", "found", "expected", "rule", "todo")}
        return plain | self.more
