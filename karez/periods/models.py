"""The one region of this database and its years. Written only by the functions in `sql/periods.sql`; holds no facts."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import Usage


class Installation(models.Model):
    """What this database says of itself, one row: which key its identities are sealed with, and the office's time zone."""

    facts = Usage.OWNED

    key_check = models.CharField(max_length=16)
    time_zone = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.CheckConstraint(name="periods_installation_is_one", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return f"{self.key_check} {self.time_zone}"


class Tally(models.Model):
    """How many rows were ever added to a table that only grows, and a sum over what is in them; see `sql/tally.sql`."""

    facts = Usage.OWNED

    table_name = models.TextField()
    shard = models.IntegerField()
    rows = models.BigIntegerField()
    content = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table_name", "shard"], name="periods_tally_once")]

    def __str__(self) -> str:
        return f"{self.table_name} {self.rows}"


class TallyRenewal(models.Model):
    """A table's tally was counted anew because migrations changed the table; while `renewed_at` is null, that it fitted
    before them.

    See `tallying`.
    """

    facts = Usage.OWNED

    table_name = models.TextField()
    version = models.TextField()  # of the program whose migrations ran
    begun_at = models.DateTimeField(db_default=Now())
    last_migration = models.BigIntegerField()  # the number of the last one the database had been given by then
    rows_before = models.BigIntegerField()
    content_before = models.DecimalField(max_digits=40, decimal_places=0)
    renewed_at = models.DateTimeField(null=True)
    rows_after = models.BigIntegerField(null=True)
    content_after = models.DecimalField(max_digits=40, decimal_places=0, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["table_name"], condition=models.Q(renewed_at=None), name="periods_tallyrenewal_one_under_way"
            ),
            models.CheckConstraint(
                name="periods_tallyrenewal_is_whole",
                condition=models.Q(renewed_at=None, rows_after=None, content_after=None)
                | models.Q(renewed_at__isnull=False, rows_after__isnull=False, content_after__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.version}"


class Region(models.Model):
    """The region this installation serves: one row. `first_open_day` is where new facts may count from."""

    facts = Usage.OWNED

    area_id = models.BigIntegerField(unique=True)
    code = models.CharField(max_length=12)
    currency = models.CharField(max_length=3, default="CNY")
    first_year = models.IntegerField()
    first_open_day = models.DateField()
    controller = models.TextField()
    legal_basis = models.TextField()
    complaint_body = models.TextField()
    synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="periods_region_is_one", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return self.code


class State(models.TextChoices):
    """What may be done to a year."""

    OPEN = "open", _("open")
    CLOSING = "closing", _("closing")
    CLOSED = "closed", _("closed")


class Period(models.Model):
    """One year of the region. Two people take it from open to closed; reopening keeps what was sealed."""

    facts = Usage.OWNED

    year = models.IntegerField(primary_key=True)
    state = models.CharField(max_length=10, choices=State.choices)
    prepared_by_id = models.BigIntegerField(null=True)
    prepared_at = models.DateTimeField(null=True)
    signed_by_id = models.BigIntegerField(null=True)
    closing_since = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    snapshot = models.TextField(null=True)  # noqa: DJ001 - digest of the sealed manifest

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="periods_period_four_eyes",
                condition=models.Q(state="open") | ~models.Q(prepared_by_id=models.F("signed_by_id")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.state}"


class PeriodChange(models.Model):
    """Every change of a year's state: who, when, why. Written by the same functions."""

    facts = Usage.OWNED
    tallied = True

    year = models.IntegerField()
    state = models.CharField(max_length=10)
    at = models.DateTimeField()
    prepared_by_id = models.BigIntegerField(null=True)
    signed_by_id = models.BigIntegerField(null=True)
    reason = models.TextField(db_default="")
    snapshot = models.TextField(null=True)  # noqa: DJ001

    def __str__(self) -> str:
        return f"{self.year} {self.state} {self.at}"
