"""What `karez compare` does: reads a printed chapter and sets the computed figures beside it. Holds no rules of
agreement.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from karez.closing.queries import check_region
from karez.comparison.printed_against_computed import compare
from karez.figures.queries import aliases, figures_for
from karez.kernel.refusal import Refusal
from karez.proofreader.chapter_file import read_chapter


def compare_file(file: Path, region: str, year: int, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """The answer of `compare` for every row of the file; refuses a file with faults, naming all of them.

    `tell` is told what to know of the file: its encoding, its sheets.
    """
    check_region(region)
    chapter = read_chapter(file.read_bytes(), file.name)
    if chapter.gb18030:
        tell("Read as GB 18030, not UTF-8. If words look wrong, save the file as CSV UTF-8.")
    for words in chapter.told:
        tell(words)
    if chapter.faults:
        told = "; ".join(
            f"line {f.line}, {f.column}: found {f.found}, expected {f.expected}" for f in chapter.faults[:50]
        )
        raise Refusal(
            "proofreader.chapter_file",
            record=file.name,
            found=told,
            expected="a chapter file without faults",
            rule="printed figures are read completely or not at all",
            todo="mend the lines and run it again",
        )
    figures = figures_for(None, region, year, by="region", ids=None)["figures"]
    computed = {row["id"]: None if row["value"] is None else Fraction(str(row["value"])) for row in figures}
    answer: dict[str, Any] = compare(chapter.figures, computed, aliases()).as_dict()
    return answer
