"""Editions of chapters, the steps by which people answer for them, and errata beside them. Holds no text patterns and
no rules.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from karez.kernel.facts import Usage
from karez.kernel.messages import say


class Step(models.TextChoices):
    """What has been done to an edition, in this order, by three people."""

    PREPARED = "prepared"
    REVIEWED = "reviewed"
    SIGNED = "signed"


class Edition(models.Model):
    """A chapter as it was prepared for the public: its content as text, with the digest people put their names to."""

    facts = Usage.LOG
    tallied = True

    year = models.IntegerField()
    number = models.IntegerField()
    snapshot = models.CharField(max_length=64)
    snapshot_kind = models.TextField(default="sealed")
    content = models.TextField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["year", "number"], name="publication_edition_number_once"),
            models.UniqueConstraint(fields=["id", "digest"], name="publication_edition_digest_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="publication_edition_numbered"),
            models.CheckConstraint(condition=Q(snapshot_kind="sealed"), name="publication_edition_of_sealed"),
        ]

    def __str__(self) -> str:
        return say("{year} edition {number}", year=self.year, number=self.number)


class EditionStep(models.Model):
    """One step of one person; each step stands on the one before, and no person takes two."""

    facts = Usage.LOG
    tallied = True

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="steps")
    digest = models.CharField(max_length=64)
    step = models.TextField(choices=Step.choices)
    follows = models.TextField(null=True)  # noqa: DJ001 - null is what the first step follows
    by_id = models.BigIntegerField()
    name = models.TextField()
    note = models.TextField(default="", blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edition", "step"], name="publication_editionstep_once"),
            models.UniqueConstraint(fields=["edition", "by_id"], name="publication_editionstep_three_people"),
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="publication_editionstep_named"),
            models.CheckConstraint(
                condition=Q(step="prepared", follows=None)
                | Q(step="reviewed", follows="prepared", follows__isnull=False)
                | Q(step="signed", follows="reviewed", follows__isnull=False),
                name="publication_editionstep_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.edition_id} {self.step} by {self.name}"


class Erratum(models.Model):
    """What a signed edition should have said of one figure at one place, with the reason; the edition itself stays."""

    facts = Usage.LOG
    tallied = True

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="errata")
    edition_state = models.TextField(default="signed")
    figure = models.TextField()
    place = models.TextField()
    printed = models.TextField()
    corrected = models.TextField()
    reason = models.TextField()
    by_id = models.BigIntegerField()
    name = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "by_id"], name="publication_erratum_author_once"),
            models.CheckConstraint(condition=Q(edition_state="signed"), name="publication_erratum_to_signed"),
            models.CheckConstraint(
                condition=Q(name__regex=r"\S", reason__regex=r"\S"), name="publication_erratum_reasoned"
            ),
            models.CheckConstraint(
                condition=~Q(printed=F("corrected")) & ~Q(corrected=""), name="publication_erratum_corrects"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.figure}: {self.printed} -> {self.corrected}"


class ErratumApproval(models.Model):
    """The second person of an erratum; with this row it is public."""

    facts = Usage.LOG
    tallied = True

    erratum = models.OneToOneField(Erratum, on_delete=models.PROTECT, related_name="approval")
    author_id = models.BigIntegerField()
    by_id = models.BigIntegerField()
    name = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(by_id=F("author_id")), name="publication_erratumapproval_two_people"),
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="publication_erratumapproval_named"),
        ]

    def __str__(self) -> str:
        return f"approved by {self.name}"
