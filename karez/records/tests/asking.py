"""The rows of a list as its page fetches them. Plain functions; no fixtures."""

from datetime import date
from typing import Any

from karez.access.models import User
from karez.kernel.lists import RecordList
from karez.records import fetching
from karez.records.asked import read


def rows(
    actor: User, listed: RecordList, within: tuple[str, int] | None = None, day: date | None = None, **given: str
) -> list[dict[str, Any]]:
    """What is asked for by the words of an address."""
    return fetching.page(actor, listed, read(listed, given, day=day or date.today(), within=within), limit=1000).rows
