"""Documents an actor may open: those of the areas over which they hold `documents.view`; and whose names hold a person's, for the room
that erases persons. Writes nothing.
"""

from collections.abc import Collection, Iterator

from django.db import connection
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


# Numbers are found in whatever width and grouping they are written.
_NAMING = """
SELECT d.id FROM notices_document d, LATERAL (SELECT lower(d.name || ' ' || d.title) AS told) t,
       LATERAL (SELECT regexp_replace(translate(told, '０１２３４５６７８９ｘ－　', '0123456789x- '), '[ -]', '', 'g') AS plain) p
 WHERE EXISTS (SELECT FROM unnest(%(numbers)s::text[]) n WHERE strpos(p.plain, lower(n)) > 0)
    OR (EXISTS (SELECT FROM unnest(%(names)s::text[]) n WHERE strpos(t.told, lower(n)) > 0) AND EXISTS (SELECT FROM places_tree x JOIN places_tree v ON v.path <@ x.path
        WHERE x.area_id = d.area_id AND v.area_id = ANY (%(areas)s)))
 ORDER BY 1"""
_LEAST_DIGITS = 6  # of what is looked for as a number: fewer stand in every second name


def documents_naming(*, names: Collection[str], numbers: Collection[str], area_ids: Collection[int]) -> list[int]:
    """Documents, void ones too, whose name or title holds one of these numbers, or of the names where they lie in or over one of the areas.

    Elsewhere the same name is another person's. For the room that erases persons: nobody is asked who may see them.
    """
    plain = ["".join(number.split()).replace("-", "") for number in numbers]
    with connection.cursor() as cursor:
        given = {"names": [n for n in names if len(n) > 1], "numbers": [n for n in plain if len(n) >= _LEAST_DIGITS]}
        cursor.execute(_NAMING, {**given, "areas": list(area_ids)})
        return [row[0] for row in cursor.fetchall()]
