"""Batches, the areas they speak of, their faults, and how far work on them is. Staged rows live in the schema
`staging`.

States are written by the functions of `sql/intake.sql` only. Holds no file content (see `vault`) and no identity value.
"""

from django.db import models
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import Usage
from karez.kernel.message_field import MessageField, MessagesField
from karez.kernel.messages import say


class State(models.TextChoices):
    """Where a batch is on its way."""

    RECEIVED = "received", _("received")
    STAGING = "staging", _("being checked")
    CHECKED = "checked", _("checked, waiting for approval")
    FAULTY = "faulty", _("has faults")
    APPLYING = "applying", _("being applied")
    APPLIED = "applied", _("applied")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


TO_CONFIRM = _("checked, its sender has rows to confirm")  # of a checked batch that `waits_for_sender`
PENDING = (State.RECEIVED, State.STAGING, State.CHECKED, State.FAULTY, State.APPLYING)


class Batch(models.Model):
    """One file sent in: what it is, who sent it, what was found in it, who decided about it and what it wrote."""

    facts = Usage.OWNED

    sheet = models.CharField(max_length=60)
    file_name = models.TextField()
    holds_identity = models.BooleanField(
        db_default=True
    )  # its sheet has columns of identity: no cell of it is kept in the clear
    apply_permission = models.CharField(
        max_length=60, db_default=""
    )  # of its sheet: whoever applies or withdraws it has it
    digest = models.CharField(
        max_length=64
    )  # of the bytes as sent; with identity a keyed one, so that no guess can be confirmed
    size_bytes = models.BigIntegerField()
    vault_ref = models.CharField(max_length=32)
    kept_digest = models.CharField(max_length=64, db_default="")  # SHA-256 of what is kept: without denied columns
    mark = models.CharField(max_length=32, db_default="")  # binds file, kind and sender; see `rules.mark_of`
    delete_file_on = models.DateField()
    file_deleted_at = models.DateTimeField(null=True)
    sender_id = models.BigIntegerField()
    received_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.RECEIVED)
    row_count = models.BigIntegerField(null=True)
    fault_count = models.BigIntegerField(null=True)
    totals = MessagesField(db_default=[])  # [{label, value, unit}]
    notices = MessagesField(db_default=[])  # [{what, found}] about the file as a whole
    headings = models.JSONField(db_default={})  # by column: its heading in the file, as far as it may be shown
    years = models.JSONField(
        db_default=[]
    )  # [{year, rows, counts_from}] of its rows; counts_from where the year was closed
    question_count = models.BigIntegerField(db_default=0)  # rows the sender is asked about
    confirmed_by_id = models.BigIntegerField(null=True)  # the sender, who said that these rows are meant
    confirmed_at = models.DateTimeField(null=True)
    # Whether its sender is asked about rows and has not said yet that they are meant. Worked out here only, for lists,
    # pages and console.
    waits_for_sender = models.GeneratedField(
        expression=ExpressionWrapper(
            Q(state=State.CHECKED, question_count__gt=0, confirmed_at__isnull=True), models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    staged_at = models.DateTimeField(null=True)
    decided_by_id = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(db_default="")
    trouble = MessageField(db_default="")  # why the last try to stage or apply came to nothing
    counts = models.JSONField(db_default={})  # what applying wrote
    written_at = models.DateTimeField(
        null=True
    )  # when a row first named it: where that is committed it is applied, or was
    applied_at = models.DateTimeField(null=True)
    withdrawal_by_id = models.BigIntegerField(null=True)
    withdrawal_reason = models.TextField(db_default="")
    withdrawn_by_id = models.BigIntegerField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="intake_batch_state_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="intake_batch_four_eyes",
                condition=~Q(state__in=["applying", "applied", "withdrawn"])
                | (Q(decided_by_id__isnull=False) & ~Q(decided_by_id=F("sender_id"))),
            ),
            models.CheckConstraint(
                name="intake_batch_withdrawn_by_two",
                condition=~Q(state="withdrawn")
                | (
                    Q(withdrawal_by_id__isnull=False, withdrawn_by_id__isnull=False)
                    & ~Q(withdrawn_by_id=F("withdrawal_by_id"))
                ),
            ),
            models.CheckConstraint(
                name="intake_batch_refused_with_reason", condition=~Q(state="refused") | Q(reason__gt="")
            ),
            models.CheckConstraint(
                name="intake_batch_questions_confirmed",
                condition=~Q(state__in=["applying", "applied", "withdrawn"])
                | Q(question_count=0)
                | Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="intake_batch_confirmed_by_sender",
                condition=Q(confirmed_by_id=None) | Q(confirmed_by_id=F("sender_id")),
            ),
            models.UniqueConstraint(
                name="intake_batch_same_file_once",
                fields=["sheet", "digest"],
                condition=~Q(state__in=["refused", "withdrawn"]),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="intake_batch_by_state"),
            models.Index(fields=["sender_id", "-id"], name="intake_batch_by_sender"),
        ]

    def __str__(self) -> str:
        return say("batch {number} ({file_name})", number=self.pk, file_name=self.file_name)

    @property
    def state_in_words(self) -> str | Promise:
        """Where it is on its way and for whom it waits, as people are told."""
        return TO_CONFIRM if self.waits_for_sender else State(self.state).label

    @property
    def is_stuck(self) -> bool:
        """Whether the last try to check it came to nothing: it is checked again or refused by a person."""
        return self.state == State.RECEIVED and bool(self.trouble)


class BatchArea(models.Model):
    """An area the rows of a batch speak of; the region where its sheet has no area. Decides who may see the batch."""

    facts = Usage.LOG

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="areas")
    area_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(name="intake_batcharea_once", fields=["batch", "area_id"])]

    def __str__(self) -> str:
        return f"batch {self.batch_id} area {self.area_id}"


class Fault(models.Model):
    """One thing wrong in a file: where, what was found, what was expected, by which rule, what to do.

    No identity is in it (`intake_told` in sql/intake.sql), and it goes with the kept file, on its day or when a person
    is erased.
    """

    facts = Usage.LOG

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="faults")
    row_no = models.BigIntegerField()  # as a spreadsheet counts: the headings are row 1; 0 is the file as a whole
    column = MessageField(db_default="")
    found = MessageField(db_default="")
    expected = MessageField(db_default="")
    rule = models.TextField()
    todo = MessageField(db_default="")

    class Meta:
        indexes = [models.Index(fields=["batch", "row_no", "id"], name="intake_fault_in_order")]

    def __str__(self) -> str:
        return f"row {self.row_no} {self.column}: {self.rule}"


class Question(models.Model):
    """A row that is lawful but unlikely: its sender is asked (`asks`), or sender and approver are told. Identity is
    never in it.
    """

    facts = Usage.LOG

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="questions")
    row_no = models.BigIntegerField()
    column = MessageField(db_default="")
    found = MessageField(db_default="")
    expected = MessageField(db_default="")
    rule = models.TextField()
    todo = MessageField(db_default="")
    asks = models.BooleanField()
    matches = models.BigIntegerField(db_default=0)  # so many like it were on record when it was asked

    class Meta:
        indexes = [models.Index(fields=["batch", "-asks", "row_no", "id"], name="intake_question_in_order")]

    def __str__(self) -> str:
        return f"row {self.row_no} {self.column}: {self.rule}"


class Word(models.Model):
    """A word that says nobody's name: a heading of some sheet or of every office, or a unit. Shown also of files with
    identity.

    Written from the declarations after each migration (`karez.intake.words`); `intake_told` looks them up.
    """

    facts = Usage.OWNED

    key = models.TextField(primary_key=True)  # as `telling.word_key` spells it
    is_heading = models.BooleanField()
    is_unit = models.BooleanField()

    def __str__(self) -> str:
        return self.key


class Progress(models.Model):
    """How far the work on a batch is, now. Written outside the work's own transaction, so that others see it move."""

    facts = Usage.SCRATCH

    batch_id = models.BigIntegerField(primary_key=True)
    percent = models.IntegerField()
    doing = MessageField()
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"batch {self.batch_id}: {self.doing} {self.percent} %"
