"""How often an address has used the public proofreader. Holds no figures and no files."""

from django.db import models

from karez.kernel.facts import Usage


class ProofCall(models.Model):
    """How many proofs an address asked for in one short window; the address is kept as a keyed digest of that window
    only.
    """

    facts = Usage.SCRATCH

    address_digest = models.CharField(max_length=64)
    window_starts_at = models.DateTimeField()
    calls = models.IntegerField(default=0)

    class Meta:
        app_label = "yearbook"
        constraints = [
            models.UniqueConstraint(
                fields=["address_digest", "window_starts_at"], name="yearbook_proofcall_once_a_window"
            )
        ]
        indexes = [models.Index(fields=["window_starts_at"], name="yearbook_proofcall_by_window")]

    def __str__(self) -> str:
        return f"{self.window_starts_at} {self.calls}"
