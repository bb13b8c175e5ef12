"""A page as a browser reads its blanks: several are one, and none is kept at the edges of a block. Holds no page."""

import re

_BLOCK = "p|td|th|dd|dt|div|summary|li|h[1-6]"


def read(page: str) -> str:
    """The page with blanks as they are shown, so that a test need not know how its source is broken into lines."""
    flat = re.sub(r"\s+", " ", page)
    return re.sub(rf"(<(?:{_BLOCK})(?: [^<>]*)?>) | (?=</(?:{_BLOCK})>)", r"\1", flat)
