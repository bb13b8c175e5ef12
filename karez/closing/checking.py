"""Running a named check: which rows are wrong, how many, and a digest that says whether they are still the same.
Decides nothing.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from karez.kernel.messages import Text, kept, read

SHOWN = 100  # rows kept on record of a failing check


class Wrong(NamedTuple):
    """One row a check complains of."""

    record: Text
    found: Text
    expected: Text
    link: str = ""


@dataclass(frozen=True)
class Outcome:
    """A check that was run; `accepted` names who accepted these very rows, and why."""

    name: str
    label: str
    todo: str
    acceptable: bool
    failures: int
    rows: tuple[Wrong, ...]
    rows_digest: str
    accepted: str = ""

    @property
    def passed(self) -> bool:
        """Nothing is wrong."""
        return self.failures == 0

    @property
    def stands_in_the_way(self) -> bool:
        """Something is wrong and nobody has accepted it."""
        return bool(self.failures) and not self.accepted

    def as_dict(self) -> dict[str, Any]:
        """The outcome as JSON-ready values."""
        return {
            "name": self.name,
            "label": self.label,
            "failures": self.failures,
            "todo": self.todo,
            "acceptable": self.acceptable,
            "accepted": self.accepted,
            "rows": [w._asdict() for w in self.rows],
        }


def outcome(name: str, label: str, todo: str, wrong: Iterable[Iterable[Any]], *, acceptable: bool) -> Outcome:
    """The outcome of a check from the rows it found."""
    rows = sorted(tuple("" if v is None else kept(v) for v in row) for row in wrong)
    digest = hashlib.sha256(json.dumps([Wrong(*row) for row in rows], ensure_ascii=False).encode()).hexdigest()
    shown = tuple(Wrong(*map(read, row)) for row in rows[:SHOWN])
    return Outcome(name, label, todo, acceptable, len(rows), shown, digest)
