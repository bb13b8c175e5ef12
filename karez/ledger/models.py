"""Books, accounts with their totals, vouchers, transfers, counters and cash counts. Holds no purpose of any money.

Every table here is written by the functions in `sql/` alone; the application's role may only read. A transfer moves one
amount from one account to another of the same book, so a book balances by construction. `Transfer` holds posted money
only; what waits for a second person stands in `PendingLine` and is reserved in the accounts' pending totals.
All amounts are whole fen.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import Usage
from karez.kernel.message_field import MessageField
from karez.kernel.messages import say


class Side(models.TextChoices):
    """The side on which an account grows."""

    DEBIT = "debit", _("debit")
    CREDIT = "credit", _("credit")


class Book(models.Model):
    """The books of one office or society, kept for an area. `kind` is a word of the room that opened it."""

    facts = Usage.OWNED

    kind = models.CharField(max_length=30)
    name = MessageField()
    area = models.ForeignKey("places.Area", on_delete=models.PROTECT, related_name="+")
    opened_on = models.DateField()
    recorded_at = models.DateTimeField(db_default=Now())
    recorded_by_id = models.BigIntegerField()
    batch_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "area"], name="ledger_book_by_kind")]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """An account of a book with its totals. What is available leaves out what is reserved and counts nothing not yet
    posted.
    """

    facts = Usage.OWNED

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="accounts", db_index=False)
    code = models.CharField(max_length=40)
    name = MessageField()
    normal_side = models.CharField(max_length=6, choices=Side.choices)
    may_overdraw = models.BooleanField(db_default=False)
    holds_money = models.BooleanField(db_default=False)  # cash or bank: what a receipt may debit
    posted_debit_fen = models.BigIntegerField(db_default=0)
    posted_credit_fen = models.BigIntegerField(db_default=0)
    pending_debit_fen = models.BigIntegerField(db_default=0)
    pending_credit_fen = models.BigIntegerField(db_default=0)
    recorded_at = models.DateTimeField(db_default=Now())
    recorded_by_id = models.BigIntegerField()
    batch_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="ledger_account_code_once_in_book", fields=["book", "code"]),
            models.UniqueConstraint(name="ledger_account_of_book", fields=["id", "book"]),
            models.CheckConstraint(name="ledger_account_side_known", condition=Q(normal_side__in=Side.values)),
            models.CheckConstraint(
                name="ledger_account_totals_not_negative",
                condition=Q(posted_debit_fen__gte=0, posted_credit_fen__gte=0)
                & Q(pending_debit_fen__gte=0, pending_credit_fen__gte=0),
            ),
            models.CheckConstraint(
                name="ledger_account_not_overdrawn",
                condition=Q(may_overdraw=True)
                | Q(
                    normal_side="debit",
                    posted_debit_fen__gte=F("posted_credit_fen") + F("pending_credit_fen"),
                )
                | Q(
                    normal_side="credit",
                    posted_credit_fen__gte=F("posted_debit_fen") + F("pending_debit_fen"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return say("{code} {name}", code=self.code, name=self.name)

    @property
    def balance_fen(self) -> int:
        """What the account holds now, on its normal side."""
        debit = self.posted_debit_fen - self.posted_credit_fen
        return debit if self.normal_side == Side.DEBIT else -debit

    @property
    def reserved_fen(self) -> int:
        """What pending vouchers will take from it."""
        return self.pending_credit_fen if self.normal_side == Side.DEBIT else self.pending_debit_fen

    @property
    def available_fen(self) -> int:
        """What may still be drawn."""
        return self.balance_fen - self.reserved_fen


class VoucherSet(models.Model):
    """Vouchers prepared together; a second person posts or refuses them as a whole."""

    facts = Usage.OWNED

    prepared_by_id = models.BigIntegerField()
    prepared_at = models.DateTimeField(db_default=Now())
    approved_by_id = models.BigIntegerField(null=True)
    approved_at = models.DateTimeField(null=True)
    refused_by_id = models.BigIntegerField(null=True)
    refused_at = models.DateTimeField(null=True)
    refuse_reason = models.TextField(null=True)  # noqa: DJ001 - null says "not refused"

    class Meta:
        db_table = "ledger_set"
        constraints = [
            models.CheckConstraint(
                name="ledger_set_four_eyes",
                condition=Q(approved_at=None, approved_by_id=None)
                | Q(approved_at__isnull=False, approved_by_id__isnull=False) & ~Q(approved_by_id=F("prepared_by_id")),
            ),
            models.CheckConstraint(
                name="ledger_set_decided_once",
                condition=Q(refused_at=None, refused_by_id=None, refuse_reason=None)
                | Q(
                    refused_at__isnull=False,
                    refused_by_id__isnull=False,
                    refuse_reason__gt="",
                    approved_at=None,
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="ledger_set_waiting",
                condition=Q(approved_at__isnull=True, refused_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return say("set {number}", number=self.pk)

    @property
    def state(self) -> str:
        """pending, posted or refused."""
        return "posted" if self.approved_at else "refused" if self.refused_at else "pending"


class Voucher(models.Model):
    """A group of transfers with a document and a booking date: posts whole or not at all, and is numbered when it
    posts.
    """

    facts = Usage.OWNED

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="vouchers", db_index=False)
    happened_on = models.DateField()
    booking_date = models.DateField()  # the day the money counts from
    year = models.IntegerField()
    number = models.BigIntegerField(null=True)
    is_receipt = models.BooleanField(
        db_default=False
    )  # money in: one person is enough, numbered in a series of its own
    receipt_number = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=30)
    narration = MessageField()  # at most `rules.NARRATION_LIMIT` characters
    document_id = models.BigIntegerField(null=True)
    set = models.ForeignKey(VoucherSet, null=True, on_delete=models.PROTECT, related_name="vouchers", db_index=False)
    prepared_by_id = models.BigIntegerField()
    prepared_at = models.DateTimeField(db_default=Now())
    approved_by_id = models.BigIntegerField(null=True)
    posted_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    reverses = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="reversals", db_index=False)
    batch_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="ledger_voucher_number_once", fields=["book", "year", "number"]),
            models.UniqueConstraint(
                name="ledger_voucher_receipt_number_once",
                fields=["book", "year", "receipt_number"],
                condition=Q(receipt_number__isnull=False),
            ),
            models.UniqueConstraint(
                name="ledger_voucher_reversed_once",
                fields=["reverses"],
                condition=Q(reverses__isnull=False, refused_at__isnull=True),
            ),
            # Also the key transfers point to, and the order of the list of vouchers.
            models.UniqueConstraint(name="ledger_voucher_of_book_and_day", fields=["book", "booking_date", "id"]),
            models.CheckConstraint(
                name="ledger_voucher_four_eyes",
                condition=Q(posted_at=None)
                | Q(is_receipt=True)
                | Q(approved_by_id__isnull=False) & ~Q(approved_by_id=F("prepared_by_id")),
            ),
            models.CheckConstraint(
                name="ledger_voucher_numbered_when_posted",
                condition=Q(posted_at=None, number=None, receipt_number=None)
                | Q(posted_at__isnull=False, number__isnull=False, refused_at=None)
                & (Q(is_receipt=False, receipt_number=None) | Q(is_receipt=True, receipt_number__isnull=False)),
            ),
            models.CheckConstraint(
                name="ledger_voucher_reversal_is_no_receipt", condition=Q(reverses=None) | Q(is_receipt=False)
            ),
            models.CheckConstraint(
                name="ledger_voucher_not_booked_before_it_happened",
                condition=Q(booking_date__gte=F("happened_on")),
            ),
        ]
        indexes = [
            models.Index(fields=["set"], name="ledger_voucher_of_set", condition=Q(set__isnull=False)),
            models.Index(fields=["batch_id"], name="ledger_voucher_of_batch", condition=Q(batch_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.year}/{self.number}" if self.number else say("pending {number}", number=self.pk)

    @property
    def state(self) -> str:
        """pending, posted or refused."""
        return "posted" if self.posted_at else "refused" if self.refused_at else "pending"


class LineColumns(models.Model):
    """One amount moved from the credited to the debited account."""

    line_no = models.IntegerField()
    amount_fen = models.BigIntegerField()

    class Meta:
        abstract = True


class PendingLine(LineColumns):
    """A line of a prepared voucher, kept as it was prepared; no money has moved by it."""

    facts = Usage.OWNED

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="pending_lines", db_index=False)
    debit_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    credit_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        db_table = "ledger_pending_line"
        constraints = [
            models.UniqueConstraint(name="ledger_pending_line_no_once", fields=["voucher", "line_no"]),
            models.CheckConstraint(name="ledger_pending_line_amount_above_zero", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="ledger_pending_line_two_accounts", condition=~Q(debit_account=F("credit_account"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voucher_id}/{self.line_no}"


class Transfer(LineColumns):
    """Posted money: one amount, from one account to another of the same book. Its foreign keys are composite, in
    `sql/`.
    """

    facts = Usage.OWNED

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    booking_date = models.DateField()
    voucher = models.ForeignKey(
        Voucher, on_delete=models.PROTECT, related_name="transfers", db_index=False, db_constraint=False
    )
    debit_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="debits", db_index=False, db_constraint=False
    )
    credit_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="credits", db_index=False, db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="ledger_transfer_of_amount", fields=["id", "amount_fen"]),
            models.UniqueConstraint(name="ledger_transfer_line_once", fields=["voucher", "line_no"]),
            models.CheckConstraint(name="ledger_transfer_amount_above_zero", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="ledger_transfer_two_accounts", condition=~Q(debit_account=F("credit_account"))
            ),
        ]
        indexes = [
            models.Index(fields=["debit_account", "booking_date"], name="ledger_transfer_debits"),
            models.Index(fields=["credit_account", "booking_date"], name="ledger_transfer_credits"),
        ]

    def __str__(self) -> str:
        return f"{self.voucher_id}/{self.line_no}"


class Counter(models.Model):
    """The last numbers given in a book and year. Its row is locked until a posting commits, so no number is lost."""

    facts = Usage.OWNED

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+", db_index=False)
    year = models.IntegerField()
    last_number = models.BigIntegerField(db_default=0)
    last_receipt_number = models.BigIntegerField(db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="ledger_counter_of_book_and_year", fields=["book", "year"])]

    def __str__(self) -> str:
        return f"{self.book_id} {self.year}: {self.last_number}"


class CashCount(models.Model):
    """The money in the box at the end of a day, counted by one person and countersigned by another."""

    facts = Usage.OWNED

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="counts", db_index=False)
    counted_on = models.DateField()
    counted_fen = models.BigIntegerField()
    booked_fen = models.BigIntegerField()  # what the book said at the end of that day, when it was counted
    note = models.CharField(max_length=500, db_default="")
    counted_by_id = models.BigIntegerField()
    counted_at = models.DateTimeField(db_default=Now())
    countersigned_by_id = models.BigIntegerField(null=True)
    countersigned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_cash_count"
        constraints = [
            models.CheckConstraint(name="ledger_cash_count_not_negative", condition=Q(counted_fen__gte=0)),
            models.CheckConstraint(
                name="ledger_cash_count_says_why_it_differs",
                condition=Q(counted_fen=F("booked_fen")) | Q(note__regex=r"\S"),
            ),
            models.CheckConstraint(
                name="ledger_cash_count_four_eyes",
                condition=Q(countersigned_by_id=None, countersigned_at=None)
                | Q(countersigned_by_id__isnull=False, countersigned_at__isnull=False)
                & ~Q(countersigned_by_id=F("counted_by_id")),
            ),
        ]
        indexes = [models.Index(fields=["account", "counted_on"], name="ledger_cash_count_by_day")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.counted_on}"

    @property
    def difference_fen(self) -> int:
        """Counted less booked: above zero is too much money in the box."""
        return self.counted_fen - self.booked_fen
