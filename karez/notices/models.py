"""Documents attached to anything, by kind and id. Their content lies encrypted in the vault. Holds no public notice
yet.
"""

from django.db import models
from django.db.models import Q

from karez.kernel.facts import UndatedFact


class Document(UndatedFact):
    """A file that stands for something: a voucher's receipt, a return's signed sheet, a circular."""

    tallied = True

    kind = models.CharField(max_length=40)  # of what it is attached to: "voucher", "return", "source_line", ...
    subject_id = models.BigIntegerField(null=True)
    area_id = models.BigIntegerField()  # whoever may see documents of this area may open it
    name = models.TextField()  # of the file
    title = models.TextField()
    issued_on = models.DateField(null=True)
    media_type = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    digest = models.CharField(max_length=64)  # SHA-256 of the plain bytes
    vault_ref = models.CharField(max_length=32)

    class Meta(UndatedFact.Meta):
        constraints = [
            *UndatedFact.Meta.constraints,
            models.CheckConstraint(name="notices_document_named", condition=~Q(name="") & ~Q(title="") & ~Q(kind="")),
            models.CheckConstraint(name="notices_document_has_size", condition=Q(size_bytes__gte=0)),
        ]
        indexes = [models.Index(fields=["kind", "subject_id"], name="notices_document_by_subject")]

    def __str__(self) -> str:
        return self.title
