"""Attaching documents: the only writer of this room. Holds no page and no knowledge of what a document is attached to."""

from collections.abc import Iterable
from datetime import date
from typing import BinaryIO

from django.db import transaction

from karez.access.models import User
from karez.intake import vault
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.notices.kinds import handed_name, kind_of
from karez.notices.models import Document
from karez.places.queries import require

DOCUMENT_BYTES = 50 * 1024 * 1024
_BLOCK = 1024 * 1024


def attach(
    actor: User,
    *,
    kind: str,
    subject_id: int | None,
    area_id: int,
    name: str,
    stream: BinaryIO | Iterable[bytes],
    title: str = "",
    issued_on: date | None = None,
    batch_id: int | None = None,
) -> Document:
    """Keeps a file encrypted as a document of something, for whoever may see documents of that area; returns it.

    Accepts PDF, PNG, JPEG, DOCX, XLSX and plain text in UTF-8, up to 50 MiB, told by its content;
    refuses anything else, and what would run where it is opened.
    """
    require(actor, "documents.attach", area_id)
    plain = _bounded(name, stream)
    media_type = kind_of(name, plain)
    name = handed_name(name, media_type)
    kept = vault.put([plain])
    try:
        with transaction.atomic():
            return Document.objects.create(
                kind=kind,
                subject_id=subject_id,
                area_id=area_id,
                name=name,
                title=title.strip() or name,
                issued_on=issued_on,
                media_type=media_type,
                size_bytes=kept.size,
                digest=kept.digest,
                vault_ref=kept.ref,
                recorded_by_id=actor.pk,
                batch_id=batch_id,
            )
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
                "notices.too_large",
                record=name,
                found=say("more than {size} MiB", size=DOCUMENT_BYTES // _BLOCK),
                expected=say("at most {size} MiB", size=DOCUMENT_BYTES // _BLOCK),
                rule=say("a document has a bounded size"),
                todo=say("scan it with fewer dots, or attach its parts"),
            )
    return bytes(plain)
