"""Opening a document. It is always handed out as a file to keep, never shown by the site as a page of its own."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from karez.access.pages import actor_of
from karez.access.services import log_read
from karez.notices import queries
from karez.notices.kinds import handed_name


@login_required
@require_GET
def document(request: HttpRequest, document_id: int) -> HttpResponseBase:
    """The plain bytes of a document, decrypted while they are sent; each opening is logged."""
    actor = actor_of(request)
    found = queries.document_for(actor, document_id)
    log_read(actor, kind="document", subject_id=document_id, purpose="opened from the page of its record")
    answer = StreamingHttpResponse(queries.content(actor, document_id), content_type=found.media_type)
    answer["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=handed_name(found.name, found.media_type)
    )
    answer["Content-Length"] = str(found.size_bytes)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer
