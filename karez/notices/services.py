"""Attaching documents: the only writer of this room. Holds no page and no knowledge of what a document is attached to."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from karez.access.models import User
from karez.intake import vault
from karez.kernel.refusal import Refusal
from karez.notices.models import Document
from karez.places.queries import require

DOCUMENT_BYTES = 50 * 1024 * 1024
# What a document may be, by its first bytes; anything a browser might run is not among them.
_TYPES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", "application/zip"),
)
_OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BLOCK = 1024 * 1024


def attach(
    actor: User, *, kind: str, subject_id: int | None, area_id: int, name: str, stream: BinaryIO | Iterable[bytes],
    title: str = "", issued_on: date | None = None, batch_id: int | None = None,
) -> Document:  # fmt: skip
    """Keeps a file encrypted as a document of something, for whoever may see documents of that area; returns it.

    Accepts PDF, PNG, JPEG, DOCX, XLSX and plain text in UTF-8, up to 50 MiB; refuses anything else.
    """
    require(actor, "documents.attach", area_id)
    name = re.sub(r"[\x00-\x1f]", "", Path(name.replace("\\", "/")).name)[:200] or "document"
    plain = _bounded(name, stream)
    media_type = _media_type(name, plain)
    kept = vault.put([plain])
    try:
        with transaction.atomic():
            return Document.objects.create(
                kind=kind, subject_id=subject_id, area_id=area_id, name=name, title=title.strip() or name, issued_on=issued_on,
                media_type=media_type, size_bytes=kept.size, digest=kept.digest, vault_ref=kept.ref, recorded_by_id=actor.pk,
                batch_id=batch_id,
            )  # fmt: skip
    except BaseException:
        vault.delete(kept.ref)
        raise


def _bounded(name: str, stream: BinaryIO | Iterable[bytes]) -> bytes:
    read = getattr(stream, "read", None)
    plain = bytearray()
    for block in iter(lambda: read(_BLOCK), b"") if read else stream:
        plain += block
        if len(plain) > DOCUMENT_BYTES:
            raise Refusal(
                "notices.too_large", record=name, found=f"more than {DOCUMENT_BYTES // _BLOCK} MiB",
                expected=f"at most {DOCUMENT_BYTES // _BLOCK} MiB", rule="a document has a bounded size",
                todo="scan it with fewer dots, or attach its parts",
            )  # fmt: skip
    return bytes(plain)


def _media_type(name: str, plain: bytes) -> str:
    found = next((kind for mark, kind in _TYPES if plain.startswith(mark)), "")
    packed = found == "application/zip"
    if packed:
        found = _OFFICE.get(Path(name).suffix.lower(), "")
    if not found and not packed and plain and b"\0" not in plain:
        try:
            plain.decode("utf-8")
            found = "text/plain"
        except UnicodeDecodeError:
            found = ""
    if not found:
        raise Refusal(
            "notices.unknown_type", record=name, found="an empty file, or one of another kind",
            expected="PDF, PNG, JPEG, DOCX, XLSX or plain text in UTF-8",
            rule="a document is something every office can open and no browser runs", todo="save or scan it as PDF",
        )  # fmt: skip
    return found
