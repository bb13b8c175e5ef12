"""Whether a PDF would run something, or carries another file: looked for in what it says outside its streams and in
what these unpack to.

Compressed pictures hold any three bytes by chance, so the short names are looked for only where objects are written.
Work is bounded, whatever a file claims: every stretch is looked at once, unpacking has one measure for the whole file.
Holds no storage, draws nothing.
"""

import re
import zlib
from collections.abc import Iterator

MOST = 64 * 1024 * 1024  # of what is unpacked, all together
STREAMS = 100_000
_PIECE = 16 * 1024
_DICTIONARY = 2048  # bytes before a stream in which what it is stands


def _named(*names: str) -> bytes:
    """A pattern of names as a PDF may write them, each letter plain or as its number (#4A)."""
    letters = {
        sign: f"(?:{sign}|#{hexed[0]}[{hexed[1]}{hexed[1].upper()}])"
        for sign in set("".join(names))
        for hexed in (f"{ord(sign):02x}",)
    }
    return ("/(?:" + "|".join("".join(letters[sign] for sign in name) for name in names) + ")").encode()


_NO_MORE = rb"(?![A-Za-z])"
_LONG = re.compile(
    _named("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "Rendition")
    + _NO_MORE
    + b"|"
    + _named("XFA")
    + rb"\s?[\[<(0-9]"
)
_SHORT = re.compile(_named("JS", "XFA") + _NO_MORE)
_PICTURE, _FIRST = re.compile(_named("Image") + _NO_MORE), re.compile(_named("First") + _NO_MORE)
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_OBJECTS = re.compile(rb"\s{0,100}[0-9]+\s+[0-9]+\s")  # how a stream of objects begins: their numbers and places


class TooMuch(Exception):
    """More than is looked at."""


def runs(plain: bytes) -> bool:
    """Whether a PDF runs a program or carries another file; raises TooMuch where it is more than can be told."""
    return any(_LONG.search(part) or (is_objects and _SHORT.search(part)) for part, is_objects in _parts(plain))


def _parts(plain: bytes) -> Iterator[tuple[bytes, bool]]:
    """What a PDF is made of: each part, and whether objects are written in it. The whole file comes first, for names
    too long for chance.
    """
    yield plain, False
    marks = [(mark.start(), mark.end()) for _n, mark in zip(range(STREAMS + 1), _STREAM.finditer(plain), strict=False)]
    if len(marks) > STREAMS:
        raise TooMuch
    yield b"\n".join(_outside(plain, marks)), True
    left, view = MOST, memoryview(plain)
    for starts, ends in marks:
        _before, there, said = plain[max(0, starts - _DICTIONARY) : starts].rpartition(b" obj")
        of_objects = _FIRST.search(said) is not None
        if there and _PICTURE.search(said) and not of_objects:
            continue
        part, done = _unpacked(view[ends:], left)
        left -= done + 64
        if left <= 0:
            raise TooMuch
        if part:
            yield part, of_objects or _OBJECTS.match(part) is not None


def _outside(plain: bytes, marks: list[tuple[int, int]]) -> Iterator[bytes]:
    """What stands outside streams; one that does not end is none."""
    at = 0
    for starts, ends in marks:
        if starts < at:
            continue
        end = plain.find(b"endstream", ends)
        if end < 0:
            break
        yield plain[at:starts]
        at = end
    yield plain[at:]


def _unpacked(view: memoryview, most: int) -> tuple[bytes, int]:
    """What a packed stretch unpacks to, as far as it does, and how much was read and made for it."""
    if len(view) < 2 or view[0] & 15 != 8 or (view[0] * 256 + view[1]) % 31:  # no beginning of deflated data
        return b"", 0
    packed, made, done = zlib.decompressobj(), [], 0
    for at in range(0, len(view), _PIECE):
        done += _PIECE // 16
        try:
            made.append(packed.decompress(view[at : at + _PIECE], most))
        except zlib.error:
            break
        done += len(made[-1])
        most -= len(made[-1])
        if packed.eof or most <= 0:
            break
    return b"".join(made), done
