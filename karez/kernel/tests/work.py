"""Work counted instead of time: calls of functions, rows visited; both are the same on a busy machine. Holds no tests."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg


def calls(function: Callable[[], object]) -> int:
    """How many functions are called, of Python and of its libraries, until the function ends."""
    count = 0

    def seen(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


@dataclass
class Watched:
    """A session that tells how many rows its statements visited, triggers included."""

    connection: psycopg.Connection[Any]  # of a superuser, inside a transaction
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection.add_notice_handler(
            lambda said: (
                self.told.append(said.message_primary or "") if "plan:" in (said.message_primary or "") else None
            )
        )

    def watch(self) -> None:
        """From here to the end of the transaction every plan is told, also those inside functions."""
        self.connection.execute("LOAD 'auto_explain'")
        settings = {
            "log_min_duration": "0",
            "log_analyze": "on",
            "log_timing": "off",
            "log_nested_statements": "on",
            "log_format": "json",
            "log_level": "notice",
        }
        for name, value in settings.items():
            self.connection.execute("SELECT set_config(%s, %s, true)", [f"auto_explain.{name}", value])

    def visited(self, statement: str) -> int:
        """Runs it; the rows all its plans visited. How PostgreSQL looks up a foreign key is its own affair, one key at
        a time.
        """
        self.told.clear()
        self.connection.execute(statement.encode())
        plans = [json.loads(told.partition("plan:")[2]) for told in self.told]
        return sum(_rows(plan["Plan"]) for plan in plans if not plan["Query Text"].startswith("SELECT 1 FROM ONLY"))


def _rows(plan: dict[str, Any]) -> int:
    """Rows read by scans and thrown away by joins, each time they were."""
    seen = plan.get("Rows Removed by Join Filter", 0) + plan.get("Rows Removed by Filter", 0)
    if plan["Node Type"].endswith("Scan"):
        seen += plan["Actual Rows"]
    return int(seen * plan["Actual Loops"]) + sum(_rows(inner) for inner in plan.get("Plans", ()))
