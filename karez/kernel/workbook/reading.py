"""Reading a workbook (XLSX) somebody sent, from an open file to CSV in another: what rooms call. Holds no words for
people.

The work is done by a child process (`child`) with limits of its own on memory and processor time, so that the worst
file ends that process and nothing else. Whatever ends it, the answer is one `WorkbookRefused`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

MIB = 1024 * 1024
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
_ROOT = str(Path(__file__).resolve().parents[3])
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from karez.kernel.workbook.child import main; main()"


@dataclass(frozen=True)
class Limits:
    """How much of a workbook is read; beyond it the whole is refused."""

    memory: int  # bytes of the child process, all told
    seconds: int  # of one processor
    unpacked: int  # bytes of all parts, as the archive declares them
    rows: int  # rows that hold something, below the headings
    columns: int
    cells: int  # of these rows, the empty ones between others too
    text: int  # characters of all cells, each counted as often as it stands


@dataclass(frozen=True)
class SheetHead:
    """A sheet that is shown: its name and its first row that holds something (of a single sheet it is not told)."""

    name: str
    head: Sequence[str]


@dataclass(frozen=True)
class Reading:
    """What is to be told of a workbook that was read; the lists by kind name the first places, the counts all."""

    sheet: str
    others: Sequence[str]  # sheets not read
    hidden: Sequence[str]  # sheets not shown, and not read
    rows: int
    first: int  # the row the first record stands in
    merged: Sequence[str]
    places: dict[
        str, list[str]
    ]  # hidden_row, hidden_column, far_cell, yearless_day, three_decimals (numbers marked so: `marks.NUMBER`)
    counts: dict[str, int]
    elements: int  # met by the parser
    looked: int  # bytes it looked at, each as often as it did: with the elements, the work done
    peak_kib: int  # of memory, in the child


class WorkbookRefused(Exception):
    """A workbook that is not read: `why` is one of `WHY`, `found` names the place or the reader's word for it, if any."""

    def __init__(self, why: str, found: str = "") -> None:
        super().__init__(why, found)
        self.why, self.found = why, found


WHY = (
    "old",
    "broken",
    "no_workbook",
    "packing",
    "entities",
    "markup",
    "unpacked",
    "sheets",
    "hidden",
    "merged",
    "far",
    "rows",
    "cells",
    "text",
    "memory",
    "time",
)
Choose = Callable[[list[SheetHead]], int]


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins so is a zip archive, as workbooks are, or a workbook of the old kind."""
    return head.startswith((ZIP, OLD))


def read_workbook(source: BinaryIO, target: BinaryIO, limits: Limits, choose: Choose) -> Reading:
    """Writes one sheet as CSV (UTF-8), a record for each row of the spreadsheet; `choose` says which of those shown.

    Both are files of the system (the child is handed them), the target empty. Raises WorkbookRefused.
    """
    source.seek(0)
    if source.read(len(OLD)) == OLD:
        raise WorkbookRefused("old")
    target.flush()
    with _child(source, target) as child:
        order = {"source": source.fileno(), "target": target.fileno(), **asdict(limits)}
        answer = _ask(child, order)
        if "sheets" in answer:
            answer = _ask(child, {"sheet": choose([SheetHead(**one) for one in answer["sheets"]])})
        if "refused" in answer:
            raise WorkbookRefused(answer["refused"], answer["found"])
        return Reading(**answer["done"])


def read_bytes(data: bytes, limits: Limits, choose: Choose) -> tuple[BinaryIO, Reading]:
    """The same of bytes in memory; what comes back is an open file in memory with the CSV, to be closed. Nothing is on
    disk.
    """
    with os.fdopen(os.memfd_create("workbook"), "w+b") as source:
        source.write(data)
        source.flush()
        target = os.fdopen(os.memfd_create("table"), "w+b")
        try:
            reading = read_workbook(source, target, limits, choose)
            target.seek(0)
        except BaseException:
            target.close()
            raise
        return target, reading


@contextmanager
def _child(*files: BinaryIO) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that inherits these files and nothing else; it has ended when the block is left."""
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, _ROOT]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[file.fileno() for file in files],
        env={},
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def _ask(child: "subprocess.Popen[bytes]", what: dict[str, Any]) -> dict[str, Any]:
    """The child's answer; where it ends without one, why: its time is up, or more memory was not to be had."""
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    try:
        child.stdin.write(json.dumps(what).encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        pass  # it has ended; what it left says why
    line = child.stdout.readline()
    if line.endswith(b"\n"):
        answer: dict[str, Any] = json.loads(line)
        return answer
    told, ended = child.stderr.read().decode(errors="replace"), child.wait()
    if ended < 0:
        raise WorkbookRefused("time" if -ended in (9, 24) else "memory")
    if "MemoryError" in told:
        raise WorkbookRefused("memory")
    raise RuntimeError(f"the reader of workbooks ended with {ended}: {told[-2000:]}")
