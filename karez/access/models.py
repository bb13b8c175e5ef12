"""People who sign in, roles granted over an area with dates, and the log of reads. Holds no tree of places.

Areas are bare ids here: the rooms of places stand above this one.
"""

import pghistory
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from karez.access.roles import Role
from karez.kernel.facts import Reach, SpellFact, Usage


@pghistory.track(
    pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), exclude=["password", "last_login"]
)
class User(AbstractUser):
    """A person who signs in. `full_name` is how pages and editions name them."""

    facts = Usage.MUTABLE

    full_name = models.CharField(max_length=120)
    language = models.CharField(max_length=10, default="en")
    first_name = last_name = None  # type: ignore[assignment]

    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        db_table = "access_user"
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="access_user_one_name_in_any_case",
                violation_error_message=_("Somebody has this sign-in name already, perhaps in other capitals."),
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        """The name as printed."""
        return self.full_name

    def get_short_name(self) -> str:
        """The name as printed; nobody is shortened."""
        return self.full_name


class GrantProposal(models.Model):
    """A role an administrator would give that carries work of its own (`rules.CONFIRMED`); another person confirms it."""

    facts = Usage.LOG
    tallied = True

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="proposals")
    role = models.CharField(max_length=30, choices=Role.choices)
    area_id = models.BigIntegerField()
    starts_on = models.DateField()
    proposed_by_id = models.BigIntegerField()
    proposed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="access_grantproposal_for_another", condition=~models.Q(proposed_by_id=F("user_id"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.area_id}"


class GrantAnswer(models.Model):
    """What became of it: another person confirmed, and the role was given in the same moment; or it was declined or
    taken back.
    """

    facts = Usage.LOG
    tallied = True

    proposal = models.OneToOneField(GrantProposal, on_delete=models.PROTECT, related_name="answer")
    agreed = models.BooleanField()
    reason = models.TextField(db_default="")
    answered_by_id = models.BigIntegerField()
    answered_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="access_grantanswer_has_reason", condition=models.Q(agreed=True) | models.Q(reason__regex=r"\S")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.proposal_id}: {self.agreed}"


class Founding(models.Model):
    """One row from the moment the first people are named: until then the local operator alone gives roles, afterwards
    two people.
    """

    facts = Usage.OWNED

    ended_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(name="access_founding_is_one", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"ended {self.ended_at}"


class Grant(SpellFact):
    """A role given to a person over an area and all below it, from a day until a day.

    Recorded by who gave it. By the person themselves means by the local operator, who says why; only at founding, or at
    the console.
    """

    reach = Reach.AHEAD
    tallied = True

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=30, choices=Role.choices)
    area_id = models.BigIntegerField()
    proposal = models.OneToOneField(
        GrantProposal, null=True, on_delete=models.PROTECT, related_name="grant"
    )  # the confirmed one
    operator_note = models.CharField(
        max_length=300, db_default=""
    )  # why the local operator gave it; empty where people did

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            ExclusionConstraint(
                name="access_grant_once_at_a_time",
                expressions=[
                    (F("user"), RangeOperators.EQUAL),
                    (F("role"), RangeOperators.EQUAL),
                    (F("area_id"), RangeOperators.EQUAL),
                    (
                        Func(
                            F("counts_from"),
                            Func(F("counts_before"), F("void_counts_on"), function="LEAST"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [models.Index(fields=["user"], name="access_grant_by_user")]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.area_id}"


class SignInEvent(models.Model):
    """How a person came to their password: given once, until an instant, or chosen by themselves; and that they sign in
    no more.

    Given by an administrator, or by the local operator: then `by_id` is the person's own and `note` says why.
    """

    facts = Usage.LOG

    class What(models.TextChoices):
        """Given by another, for one use; or chosen; or ended by an administrator, who says why."""

        GIVEN = "given"
        CHOSEN = "chosen"
        ENDED = "ended"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="sign_in_events", db_index=False)
    what = models.CharField(max_length=10, choices=What.choices)
    until = models.DateTimeField(null=True)  # of a given one: afterwards nobody signs in with it
    by_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())
    note = models.TextField(db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="access_signinevent_operator_says_why",
                condition=~models.Q(what="given", by_id=F("user_id")) | models.Q(note__regex=r"\S"),
            ),
            models.CheckConstraint(
                name="access_signinevent_given_ends",
                condition=models.Q(what="given", until__isnull=False)
                | models.Q(what__in=["chosen", "ended"], until=None),
            ),
        ]
        indexes = [models.Index(fields=["user", "-id"], name="access_sign_in_last")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.what}"


class ReadEvent(models.Model):
    """Somebody looked at a personal record, or fetched many, and said why."""

    facts = Usage.LOG
    tallied = True

    at = models.DateTimeField(db_default=Now())
    user_id = models.BigIntegerField(null=True)  # null: the local operator at the console
    kind = models.CharField(max_length=40)  # "person", "household", "figure_rows", "search", ...
    subject_id = models.BigIntegerField(null=True)
    rows = models.IntegerField(default=1)
    purpose = models.CharField(max_length=300)

    class Meta:
        constraints = [models.CheckConstraint(name="access_readevent_has_purpose", condition=models.Q(purpose__gt=""))]
        indexes = [models.Index(fields=["kind", "subject_id"], name="access_read_by_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class Guess(models.Model):
    """How many wrong passwords or codes were sent for an account or from an address in one window; whose stands as a
    keyed digest.
    """

    facts = Usage.SCRATCH

    who_digest = models.CharField(max_length=64)
    ends_at = models.DateTimeField()
    wrong = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["who_digest", "ends_at"], name="access_guess_once_a_window")]
        indexes = [models.Index(fields=["ends_at"], name="access_guess_by_end")]

    def __str__(self) -> str:
        return f"{self.ends_at} {self.wrong}"


class VisitorCall(models.Model):
    """How often an address asked for public pages of one purpose in a short window; the address is kept as a keyed digest
    of that window only.
    """

    facts = Usage.SCRATCH

    address_digest = models.CharField(max_length=64)
    window_starts_at = models.DateTimeField()
    calls = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address_digest", "window_starts_at"], name="access_visitorcall_once_a_window"
            )
        ]
        indexes = [models.Index(fields=["window_starts_at"], name="access_visitorcall_by_window")]

    def __str__(self) -> str:
        return f"{self.window_starts_at} {self.calls}"


class UsualPlace(models.Model):
    """An address from which the password of an account was right not long ago: guesses from elsewhere do not close it
    there.

    Both stand as one keyed digest, so nobody reads here who signed in from where.
    """

    facts = Usage.SCRATCH

    who_digest = models.CharField(max_length=64, unique=True)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"until {self.until}"


class SentForm(models.Model):
    """A form that was sent and did what it says: sent once more, it leads to what was recorded and does nothing."""

    facts = Usage.SCRATCH

    user_id = models.BigIntegerField()
    token = models.UUIDField()  # drawn when the form was shown
    digest = models.BinaryField(max_length=32)  # of the address and of what was sent: a form amended is another form
    address = models.CharField(max_length=500, default="")  # where the person was led afterwards
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(name="access_sent_form_once", fields=["user_id", "token", "digest"])]
        indexes = [models.Index(fields=["at"], name="access_sent_form_by_age")]

    def __str__(self) -> str:
        return str(self.token)
