"""Proofs of 1,000 to 10,000 identities: the time for one identity stays the same, so the whole grows in proportion.

Each chapter has three rows for an identity: a sum, a share or a growth over two figures, one in three of them failing,
so that what would make it hold is worked out too. Reading, judging and the answer in words are all counted.
"""

import gc
import statistics
import time
from collections.abc import Callable

SIZES = (1_000, 2_500, 5_000, 10_000)
ASKED = 1.5  # times the cost of an identity in the smallest chapter
HEADER = "id,section,label,value,unit,qualifier,rounding,period,place,kind,programme,derivation"


def run(rounds: int = 5, sizes: tuple[int, ...] = SIZES) -> list[dict[str, object]]:
    """One line for each size: seconds, cost of one identity, and that cost against the smallest chapter, pair by pair."""
    chapters = {size: chapter(size) for size in sizes}
    books = {size: workbook(data) for size, data in chapters.items()}
    return _rows("proof of a CSV", chapters, rounds) + _rows("proof of an XLSX", books, rounds)


def chapter(identities: int) -> bytes:
    """A chapter with so many identities."""
    rows = [HEADER]
    for n in range(identities):
        m = n % 1_000  # numbers of the same length in every size
        one, other, slip = 10 * m + 50, 7 * m + 20, 900 * (n % 3 == 0)
        rows.append(f"a{n},s,one,{one},persons,rounded,10,2009,64,flow,p,")
        rows.append(f"b{n},s,other,{other},persons,exact,1,2009,64,flow,p,")
        formula, unit, value = (
            (f"a{n} + b{n}", "persons", one + other + slip),
            (f"100 * a{n} / (a{n} + b{n})", "percent", 100 * one // (one + other)),
            (f"100 * (a{n} - b{n}) / b{n}", "percent", 100 * (one - other) // other + slip),
        )[n % 3]
        rows.append(f"t{n},s,both,{value},{unit},rounded,1,2009,64,growth,p,{formula}")
    return "\n".join(rows).encode()


def workbook(data: bytes) -> bytes:
    """The same chapter as XLSX."""
    import csv
    import io

    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": True}) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate(csv.reader(io.StringIO(data.decode()))):
            sheet.write_row(line, 0, cells)
    return out.getvalue()


def _rows(what: str, chapters: dict[int, bytes], rounds: int) -> list[dict[str, object]]:
    times: dict[int, list[float]] = {size: [] for size in chapters}
    for _ in range(rounds):
        for size, data in chapters.items():
            times[size].append(_seconds(size, data))
    smallest = min(times)
    answer: list[dict[str, object]] = []
    for size, taken in times.items():
        ratio = statistics.median(
            (one / size) / (least / smallest) for one, least in zip(taken, times[smallest], strict=True)
        )
        seconds = statistics.median(taken)
        answer.append(
            {
                "what": what,
                "size": f"{size:,} identities, {3 * size:,} rows",
                "karez": f"{seconds:.2f} s of one core",
                "an identity": f"{1e6 * seconds / size:.0f} µs",
                f"against {smallest:,}": f"{ratio:.2f}",
                "asked": f"at most {ASKED}",
                "met": ratio <= ASKED,
            }
        )
    return answer


def _seconds(size: int, data: bytes, clock: Callable[[], float] = time.process_time) -> float:
    from karez.proofreader.proof import proof_of

    gc.collect()
    told: list[int] = []
    began = clock()
    result = proof_of(data, progress=lambda done, _total: told.append(done))
    result.as_dict()
    seconds = clock() - began
    assert len(result.identities) == size and not result.faults, "the chapter is sound"
    assert len(told) > size // 1000, "the way was told"
    return seconds
