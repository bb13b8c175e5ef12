"""The small region with a closed year, and an edition made by hand, that the room of editions keeps for its tests."""

from karez.publication.tests.conftest import closed_year, content, small_region, two_years

__all__ = ["closed_year", "content", "small_region", "two_years"]
