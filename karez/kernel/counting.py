"""A count with its word, as the console says it in English: 1 row, 1,200 rows. Holds no text of pages, which have
plurals of their own.
"""


def counted(count: int, one: str, many: str = "") -> str:
    """The count with separators and the word that goes with it; `many` where it is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
