"""Proofs of documents: each kept file opens and is the one on record. Whose it is, is proved with the record (see
periods).
"""

from karez.intake.verifying import kept_fault
from karez.kernel.verifying import Proof
from karez.notices.models import Document


def _documents() -> Proof:
    found = Document.objects.order_by("pk").values_list("pk", "vault_ref", "digest")
    wrong = [
        f"document {pk}: its file {fault}" for pk, ref, digest in found.iterator() if (fault := kept_fault(ref, digest))
    ]
    return Proof("files of documents", f"{len(found):,} open and are what was attached", wrong)


PROOFS = (_documents,)
