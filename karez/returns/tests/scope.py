"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

from decimal import Decimal
from typing import Any

from karez.returns.services import submit_return

# Addresses with a record of a place in them: what is put in, and how the page is asked.
SCOPED = {
    "returns:one": ("return_id", "get"),
    "returns:decide": ("return_id", "post"),
    "returns:attach": ("return_id", "post"),
}
# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "returns:list": {},
    "returns:submit": {},
}


def records(world: Any, clerk: Any, county: str) -> tuple[dict[str, Any], list[str]]:
    """A record of this room in a county: what is put into addresses, and words that only its pages may show."""
    row = submit_return(
        clerk,
        measure="land_area",
        area_id=world.areas[county],
        year=2009,
        value=Decimal("1234.5"),
        document=f"Survey of {county}",
    )
    return {"return_id": row.pk}, [f"Survey of {county}"]
