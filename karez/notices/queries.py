"""Documents an actor may open: those of the areas over which they hold `documents.view`; and whose names hold a
person's, for the room that erases persons. Writes nothing.
"""

from collections.abc import Collection, Iterator

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from karez.access.models import User
from karez.intake import vault
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.kernel.spelling import folded_name_sql
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
            "not_found",
            record=say("document {document_id}", document_id=document_id),
            found=say("no such document among those you may open"),
            expected=say("a document of your places"),
            rule=say("what a person may see follows the areas granted to them"),
            todo=say("ask for it at the office that keeps it"),
        )
    return found


def content(actor: User, document_id: int) -> Iterator[bytes]:
    """The plain bytes of a document, streamed."""
    return vault.chunks(document_for(actor, document_id).vault_ref)


_LEAST_DIGITS = 6  # of what is looked for as a number: fewer stand in every second name


def documents_naming(*, names: Collection[str], numbers: Collection[str], area_ids: Collection[int]) -> list[int]:
    """Documents, void ones too, whose name or title holds one of these numbers, or of the names where they lie in or
    over one of the areas.

    Elsewhere the same name is another person's. For the room that erases persons: nobody is asked who may see them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_naming_sql(), {"names": list(names), "numbers": list(numbers), "areas": list(area_ids)})
        return [row[0] for row in cursor.fetchall()]


def _naming_sql() -> str:
    """SQL: names and numbers are found in whatever width, case and grouping they are written, with whatever dots."""
    word = folded_name_sql("w")
    return f"""
WITH word AS MATERIALIZED (
    SELECT {word} AS folded, true AS is_name, 2 AS least FROM unnest(%(names)s::text[]) w
    UNION ALL SELECT {word}, false, {_LEAST_DIGITS} FROM unnest(%(numbers)s::text[]) w),
found AS MATERIALIZED (
    SELECT d.id, d.area_id, bool_and(w.is_name) AS by_name
      FROM (SELECT id, area_id, {folded_name_sql("name")} || ' ' || {folded_name_sql("title")} AS told
          FROM notices_document OFFSET 0) d
      JOIN word w ON strpos(d.told, w.folded) > 0 AND length(w.folded) >= w.least GROUP BY d.id, d.area_id)
SELECT id FROM found WHERE NOT by_name OR EXISTS (
    SELECT FROM places_tree x JOIN places_tree v ON v.path <@ x.path WHERE x.area_id = found.area_id
        AND v.area_id = ANY (%(areas)s))
 ORDER BY 1"""
