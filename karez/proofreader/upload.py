"""Files sent to the proofreader: held in memory, never on disk, and carried by the result page itself. Holds no page."""

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload
from django.http import HttpRequest

MAX_BYTES = (
    3 * 1024 * 1024
)  # of figures and rules together; with the coding of the form it stays below Django's limit for fields
MAX_BODY = MAX_BYTES + 64 * 1024
NAME_LENGTH = 80


class TooLarge(ValueError):
    """More was sent than the page takes."""


class InMemory(MemoryFileUploadHandler):
    """Keeps an upload in memory whatever its size, up to the page's limit; the only handler of the page, so nothing is
    written.
    """

    def handle_raw_input(self, *args: Any, **words: Any) -> None:
        """Takes every file."""
        super().handle_raw_input(*args, **words)
        self.activated = True
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """The bytes kept; stops a body longer than it declared."""
        self.received += len(raw_data)
        if self.received > MAX_BODY:
            raise StopUpload(connection_reset=True)
        return super().receive_data_chunk(raw_data, start)


@dataclass(frozen=True)
class Sent:
    """The bytes of a chapter file, its rules if any, and the name to show."""

    figures: bytes
    rules: bytes | None
    name: str

    @property
    def size(self) -> int:
        """Bytes of both files."""
        return len(self.figures) + len(self.rules or b"")


def sent_files(request: HttpRequest) -> Sent | None:
    """The files of the form; None where no chapter was sent. Raises TooLarge."""
    figures, rules = _bytes(request, "figures"), _bytes(request, "rules")
    if figures is None:
        return None
    sent = Sent(figures, rules, _name(request))
    if sent.size > MAX_BYTES:
        raise TooLarge
    return sent


def packed(data: bytes | None) -> str:
    """The bytes as a form field can carry them back."""
    return "" if data is None else base64.urlsafe_b64encode(zlib.compress(data, 6)).decode("ascii")


def unpacked(text: str) -> bytes | None:
    """What `packed` made; None for an empty field. Raises ValueError on anything else, TooLarge beyond the page's
    limit.
    """
    if not text:
        return None
    try:
        opener = zlib.decompressobj()
        data = opener.decompress(base64.urlsafe_b64decode(text.encode("ascii")), MAX_BYTES + 1)
    except (binascii.Error, zlib.error, UnicodeEncodeError) as error:
        raise ValueError("not what the page carried") from error
    if len(data) > MAX_BYTES:
        raise TooLarge
    if not opener.eof:
        raise ValueError("not what the page carried")
    return data


def _bytes(request: HttpRequest, field: str) -> bytes | None:
    found = request.FILES.get(field)
    return found.read() if isinstance(found, UploadedFile) else None


def _name(request: HttpRequest) -> str:
    found = request.FILES.get("figures")
    name = (found.name or "") if isinstance(found, UploadedFile) else ""
    return "".join(c for c in name if c.isprintable())[:NAME_LENGTH]
