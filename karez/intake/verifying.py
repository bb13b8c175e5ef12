"""Proofs of what was sent: every kept file opens, is what was kept, and belongs to its batch and sender."""

from cryptography.exceptions import InvalidTag

from karez.intake import rules, telling, vault
from karez.intake.models import Batch
from karez.kernel.counting import counted
from karez.kernel.verifying import Proof


def _batches() -> Proof:
    wrong, count = [], 0
    for batch in Batch.objects.order_by("pk").iterator():
        count += 1
        mark = rules.mark_of(
            ref=batch.vault_ref,
            kept_digest=batch.kept_digest,
            digest=batch.digest,
            sheet=batch.sheet,
            sender_id=batch.sender_id,
        )
        if mark != batch.mark:
            wrong.append(f"batch {batch.pk}: file, kind or sender are not those it was received with")
        elif batch.file_deleted_at is None and (
            fault := kept_fault(batch.vault_ref, batch.kept_digest, identity=batch.holds_identity)
        ):
            wrong.append(f"batch {batch.pk}: its file {fault}")
    return Proof(
        "files as they were sent",
        f"{counted(count, 'batch', 'batches')} with the files, kinds and senders they were received with",
        wrong,
    )


def kept_fault(ref: str, digest: str, *, identity: bool = False) -> str:
    """What is wrong with a kept file of that digest; empty where nothing is."""
    try:
        return "" if telling.keyed(vault.digest(ref), identity=identity) == digest else "is another one than was kept"
    except FileNotFoundError:
        return "is missing"
    except (OSError, InvalidTag, AssertionError):
        return "does not open with this installation's key"


PROOFS = (_batches,)
