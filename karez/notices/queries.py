"""Documents an actor may open: those of the areas over which they hold `documents.view`. Writes nothing."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from karez.access.models import User
from karez.intake import vault
from karez.kernel.refusal import Refusal
from karez.notices.models import Document
from karez.places.queries import visible_area_ids_sql


def documents(actor: User) -> QuerySet[Document]:
    """Every document the actor may open, newest first; void ones left out."""
    sql, params = visible_area_ids_sql(actor, "documents.view")
    return Document.objects.filter(area_id__in=RawSQL(sql, params), voided_at=None).order_by("-pk")


def documents_of(actor: User, kind: str, subject_id: int) -> QuerySet[Document]:
    """The documents attached to one thing, as far as the actor may open them."""
    return documents(actor).filter(kind=kind, subject_id=subject_id)


def document_for(actor: User, document_id: int) -> Document:
    """One document; refuses in the same words one that is not there and one the actor may not open."""
    found = documents(actor).filter(pk=document_id).first()
    if found is None:
        raise Refusal(
            "not_found", record=f"document {document_id}", found="no such document among those you may open",
            expected="a document of your places", rule="what a person may see follows the areas granted to them",
            todo="ask for it at the office that keeps it",
        )  # fmt: skip
    return found


def content(actor: User, document_id: int) -> Iterator[bytes]:
    """The plain bytes of a document, streamed."""
    return vault.chunks(document_for(actor, document_id).vault_ref)
