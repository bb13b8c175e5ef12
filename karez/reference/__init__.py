"""The reference year: writes, from a seed, the files that Ningxia's 2009 would have sent. Real places, synthetic
people.

Not a room: nothing imports it but the console. It writes files and reads none of the product's records; what it is
calibrated to stands in `calibration`, which no room reads.
"""

from pathlib import Path
from typing import Any

from karez.reference.year import write

__all__ = ["attach_documents", "write"]


def attach_documents(actor: Any, listing: Path) -> int:
    """Attaches the papers listed in a file (sheet `documents` of MANIFEST.csv) to their vouchers; returns how many."""
    from karez.reference.attaching import attach_listed  # the generator itself needs no database

    return attach_listed(actor, listing)
