"""What `karez verify` finds: one proof of one subject. Holds no looking.

A room declares its proofs in `verifying.py`: a module attribute `PROOFS`, a tuple of functions without arguments, each
of which looks through all of its subject and returns one Proof, or several. Nothing is changed by looking.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

SHOWN = 20  # of what is wrong; the rest is counted


@dataclass(frozen=True)
class Proof:
    """What was looked at, what was found right in words, and every sentence of what is wrong."""

    what: str
    told: str
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return not self.wrong

    def as_row(self) -> dict[str, Any]:
        """For a table of proofs: what, good, told."""
        more = len(self.wrong) - SHOWN
        lines = self.wrong[:SHOWN] + ([f"and {more:,} more"] if more > 0 else [])
        return {"what": self.what, "good": self.good, "told": "; ".join(lines) or self.told}


Proving = Callable[[], "Proof | Iterable[Proof]"]


def rows(sql: str, params: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement; what is wrong is rare, so few."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        return list(cursor.fetchall())


def by_sql(what: str, told: str, sql: str) -> Proof:
    """A proof by a statement that selects one sentence for each thing wrong."""
    return Proof(what, told, [str(row[0]) for row in rows(sql)])
