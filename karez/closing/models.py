"""What is on record of closing: snapshots taken, checks run, failures accepted. Append-only; the state of a year is in
periods.

`Work` alone changes: it is how far a preparation or signing asked for on a page is, and how the last one ended.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import Usage
from karez.kernel.message_field import MessageField, MessagesField


class SnapshotRecord(models.Model):
    """A snapshot was taken: its digest, its folder's name, of which kind, as of which day, by whom."""

    facts = Usage.LOG
    tallied = True

    digest = models.CharField(max_length=64)
    name = models.TextField()
    kind = models.TextField()  # sealed or provisional
    year = models.IntegerField()
    as_of = models.DateField()
    rows = models.BigIntegerField()
    taken_at = models.DateTimeField(db_default=Now())
    taken_by_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="closing_snapshotrecord_once", fields=["digest"]),
            models.CheckConstraint(
                name="closing_snapshotrecord_kind_known", condition=models.Q(kind__in=["sealed", "provisional"])
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Preparation(models.Model):
    """A person prepared the closing of a year: ran the checks and took a draft."""

    facts = Usage.LOG

    year = models.IntegerField()
    prepared_at = models.DateTimeField(db_default=Now())
    prepared_by_id = models.BigIntegerField()
    draft = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.year} prepared {self.prepared_at}"


class CheckResult(models.Model):
    """One check of a preparation: how many rows were wrong, and the first of them."""

    facts = Usage.LOG

    preparation = models.ForeignKey(Preparation, on_delete=models.PROTECT, related_name="results")
    name = models.TextField()
    label = MessageField()
    todo = MessageField()
    acceptable = models.BooleanField()
    failures = models.IntegerField()
    rows = MessagesField()
    rows_digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="closing_checkresult_once", fields=["preparation", "name"]),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.failures}"


class Acceptance(models.Model):
    """A named person accepts exactly these wrong rows of a check, with a reason. Other rows need another acceptance."""

    facts = Usage.LOG
    tallied = True

    year = models.IntegerField()
    name = models.TextField()
    rows_digest = models.CharField(max_length=64)
    failures = models.IntegerField()
    reason = models.TextField()
    accepted_at = models.DateTimeField(db_default=Now())
    accepted_by_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="closing_acceptance_has_reason", condition=models.Q(reason__regex=r"\S")),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.name}"


class Reopening(models.Model):
    """A person asks, with a reason, that a closed year be opened again; it names the snapshot that was sealed, which
    stays.
    """

    facts = Usage.LOG

    year = models.IntegerField()
    snapshot = models.CharField(max_length=64)
    reason = models.TextField()
    asked_by_id = models.BigIntegerField()
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(name="closing_reopening_has_reason", condition=models.Q(reason__regex=r"\S")),
        ]

    def __str__(self) -> str:
        return f"{self.year} asked {self.asked_at}"


class ReopeningAnswer(models.Model):
    """What became of it: another person agreed, and the year was opened in the same moment; or it was declined or taken
    back.
    """

    facts = Usage.LOG

    reopening = models.OneToOneField(Reopening, on_delete=models.PROTECT, related_name="answer")
    agreed = models.BooleanField()
    reason = models.TextField(db_default="")
    answered_by_id = models.BigIntegerField()
    answered_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="closing_reopeninganswer_has_reason",
                condition=models.Q(agreed=True) | models.Q(reason__regex=r"\S"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reopening_id}: {self.agreed}"


class Verb(models.TextChoices):
    """What a page asks the worker to do for a year."""

    PREPARE = "prepare", _("preparing")
    PROVISIONAL = "provisional", _("taking a provisional snapshot")
    SIGN = "sign", _("signing and sealing")


class Work(models.Model):
    """A preparation, snapshot or signing asked for on a page: how far it is now, and how it ended. The acts themselves
    are on record elsewhere.
    """

    facts = Usage.SCRATCH

    class Outcome(models.TextChoices):
        """How work ended."""

        DONE = "done"
        REFUSED = "refused"
        FAILED = "failed"

    year = models.IntegerField()
    verb = models.CharField(max_length=20, choices=Verb.choices)
    asked_by_id = models.BigIntegerField()
    asked_at = models.DateTimeField(db_default=Now())
    tries = models.IntegerField(db_default=0)
    percent = models.IntegerField(db_default=0)
    doing = MessageField(db_default="")
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, db_default="")
    answer = MessagesField(null=True)  # the refusal, whole

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="closing_work_one_at_a_time", fields=["year"], condition=models.Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(
                name="closing_work_ends_whole",
                condition=models.Q(ended_at=None, outcome="") | models.Q(ended_at__isnull=False, outcome__gt=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.year}: {self.outcome or self.doing}"
