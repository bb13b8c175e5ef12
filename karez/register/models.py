"""Households, persons, who belongs to which household, yearly assessments, cases, deaths; and identity, apart and
sealed.

Holds no consent, no loan and no programme: those are facts of higher rooms, which keep the id of a household or person.
Nothing here says what somebody believes, where they come from, or where they go. Birth is kept to the month.
"""

from datetime import date
from typing import Any

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast, ExtractYear, Greatest, Now, Round
from django.utils.translation import gettext_lazy as _

from karez.intake.numbers import key_of, number_key
from karez.kernel.facts import EventFact, Reach, SpellFact, UndatedFact, Usage
from karez.kernel.fields import Coded, CodedNumber, Day, Fen, Month, Whole, Words, Year
from karez.kernel.messages import say
from karez.kernel.sheets import Days
from karez.places.models import Area

_COUNTED_DAYS = Func(
    F("counts_from"),
    Func(F("counts_before"), F("void_counts_on"), function="LEAST"),
    function="daterange",
    output_field=DateRangeField(),
)


def _one_counts(name: str, field: str, condition: Q | None = None) -> ExclusionConstraint:
    """Rows alike in `field` never count on the same day."""
    expressions: list[Any] = [(F(field), RangeOperators.EQUAL), (_COUNTED_DAYS, RangeOperators.OVERLAPS)]
    return ExclusionConstraint(name=name, expressions=expressions, condition=condition)


class HouseholdKind(models.TextChoices):
    """What a household was recorded for."""

    REGISTERED = "registered", _("registered")
    FUND_MEMBER_ONLY = "fund_member_only", _("member of a village fund only")


class Sex(models.IntegerChoices):
    """GB/T 2261.1."""

    UNKNOWN = 0, _("not known")
    MALE = 1, _("male")
    FEMALE = 2, _("female")
    NOT_SAID = 9, _("not stated")


class Relation(models.IntegerChoices):
    """Relation to the head of the household: the first digit of GB/T 4761."""

    HEAD = 0, _("head")
    SPOUSE = 1, _("spouse")
    SON = 2, _("son")
    DAUGHTER = 3, _("daughter")
    GRANDCHILD = 4, _("grandchild")
    PARENT = 5, _("parent")
    GRANDPARENT = 6, _("grandparent")
    SIBLING = 7, _("sibling")
    OTHER = 8, _("other")


class Stage(models.TextChoices):
    """How far a household's case has come. Exited is no stage: it is the absence of one after an exit."""

    IDENTIFIED = "identified", _("identified")
    RECORDED = "recorded", _("on record")


class CaseStatus(models.TextChoices):
    """How far a household's case has come, told also of one that has ended."""

    IDENTIFIED = "identified", _("identified")
    RECORDED = "recorded", _("on record")
    EXITED = "exited", _("exited")


class ExitReason(models.TextChoices):
    """Why a case ended."""

    OUT_OF_POVERTY = "out_of_poverty", _("out of poverty")
    MOVED_AWAY = "moved_away", _("moved away")
    DISSOLVED = "dissolved", _("household no longer exists")
    OWN_WISH = "own_wish", _("at its own wish")
    NOT_ELIGIBLE = "not_eligible", _("found not eligible")


class Households(models.Manager["Household"]):
    """Households, found by their numbers."""

    def numbered(self, village_id: int, number: str) -> models.QuerySet["Household"]:
        """The household of a number in a village, however the number is written."""
        return self.alias(written=number_key("household_no")).filter(
            village_id=village_id, written=key_of(number), voided_at=None
        )


class Household(SpellFact):
    """A household of a village, from the day it was entered. `kind` is what it was entered for; a case may follow
    later.
    """

    key = models.UUIDField(db_default=RandomUUID(), editable=False)
    village = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+", db_index=False)
    household_no = Words("household_no", _("number of the household, unique in its village"), max_length=40, reference=True,
                         label=_("household number"), headers=("household number", "household no", "户编号", "户号"))  # fmt: skip
    kind = Coded("household_kind", _("what the household is recorded for"), choices=HouseholdKind, written={
                     "在册": "registered", "建档立卡": "registered", "建档户": "registered", "在册户": "registered",
                     "仅互助社成员": "fund_member_only", "其他农户": "fund_member_only", "非建档户": "fund_member_only"},
                 label=_("kind of household"), headers=("household kind", "户类型"))  # fmt: skip

    objects = Households()

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.UniqueConstraint(name="register_household_key_once", fields=["key"]),
            models.UniqueConstraint(
                name="register_household_no_once", fields=["village", "household_no"], condition=Q(voided_at=None)
            ),
            models.UniqueConstraint(  # however the number is written: 2 beside 0002 would be a second household
                F("village"), number_key("household_no"),
                name="register_household_number_once", condition=Q(voided_at=None),
            ),
        ]  # fmt: skip
        indexes = [models.Index(number_key("household_no"), name="register_household_by_number")]  # of any village

    def __str__(self) -> str:
        return say("household {household_no}", household_no=self.household_no)


class Person(UndatedFact):
    """That somebody exists: a random key, sex, month of birth. Who it is stands in Identity, and only there."""

    key = models.UUIDField(db_default=RandomUUID(), editable=False)
    sex = CodedNumber("sex", _("sex (GB/T 2261.1)"), choices=Sex, label=_("sex"), headers=("性别",), written={
                          "unknown": "0", "male": "1", "female": "2", "not stated": "9",
                          "未知": "0", "男": "1", "女": "2", "未说明": "9"})  # fmt: skip
    birth_month = Month("birth_month", _("year and month of birth"), null=True, blank=True, low=date(1850, 1, 1),
                        label=_("month of birth"), headers=("birth month", "born", "出生年月"))  # fmt: skip

    class Meta(UndatedFact.Meta):
        constraints = [
            *UndatedFact.Meta.constraints,
            models.CheckConstraint(
                name="register_person_birth_is_a_month", condition=Q(birth_month=None) | Q(birth_month__day=1)
            ),
            models.UniqueConstraint(name="register_person_key_once", fields=["key"]),
        ]

    def __str__(self) -> str:
        return say("person {person_id}", person_id=self.pk)


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old))
class Identity(models.Model):
    """Name, number and telephone of a person, sealed; and what they are searched by. No row: erased, or never given.

    What was there before a correction is kept in the history; erasing removes both. A number twice is a fault to ask
    about, not an impossible thing, so it is indexed and not unique.
    """

    facts = Usage.MUTABLE

    person = models.OneToOneField(Person, primary_key=True, on_delete=models.PROTECT, related_name="identity")
    sealed = models.BinaryField()
    number_hash = models.BinaryField(null=True)
    name_hash = models.BinaryField(null=True)  # keyed by the village the person was last recorded in
    changed_at = models.DateTimeField(db_default=Now())
    changed_by_id = models.BigIntegerField()
    change_reason = models.TextField(blank=True, db_default="")

    class Meta:
        indexes = [
            models.Index(name="register_identity_by_number", fields=["number_hash"]),
            models.Index(name="register_identity_by_name", fields=["name_hash"]),
        ]

    def __str__(self) -> str:
        return f"identity of person {self.person_id}"


class Membership(SpellFact):
    """A person belongs to a household, from a day until before another. Exit and return are two spells."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships", db_index=False)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="memberships")
    relation = CodedNumber(
        "relation", _("relation to the head (GB/T 4761, first digit)"), choices=Relation,
        label=_("relation to the head"), headers=("relation to head", "与户主关系"), written={
            "head": "0", "户主": "0", "本人": "0", "spouse": "1", "配偶": "1", "son": "2", "子": "2", "daughter": "3", "女": "3",
            "grandchild": "4", "孙子女": "4", "parent": "5", "父母": "5", "grandparent": "6", "祖父母": "6",
            "sibling": "7", "兄弟姐妹": "7", "other": "8", "其他": "8"})  # fmt: skip
    is_head = models.BooleanField()
    starts_on = Day("since", _("member of the household since"), low=date(1980, 1, 1), days=Days.SINCE,
                    label=_("member since"), headers=("member since", "入户日期", "登记日期"))  # fmt: skip

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(
                name="register_membership_head_is_relation_0",
                condition=Q(is_head=True, relation=0) | (Q(is_head=False) & ~Q(relation=0)),
            ),
            _one_counts("register_membership_one_household", "person"),
            _one_counts("register_membership_one_head", "household", condition=Q(is_head=True)),
        ]
        indexes = [
            models.Index(fields=["starts_on", "id"], name="register_membership_by_since")
        ]  # the order of their list

    def __str__(self) -> str:
        return f"person {self.person_id} in household {self.household_id}"


class Assessment(EventFact):
    """A household's net income of a year and the persons it was divided by, held against a named line."""

    reach = Reach.SINCE

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="assessments", db_index=False)
    year = Year("year", _("year the income was earned in"), low=1980, label=_("year"), headers=("年度", "年份"))
    happened_on = Day("assessed_on", _("day of the assessment"), days=Days.SINCE, label=_("assessed on"),
                      headers=("assessed on", "评估日期"))  # fmt: skip
    income_fen = Fen("income", _("net income of the household in the year"), low=-100_000_000, high=100_000_000_000,
                     label=_("net income of the year"), headers=("net income", "家庭纯收入", "纯收入"))  # fmt: skip
    size = Whole("size", _("persons the income is divided by"), unit="persons", low=1, high=60,
                 label=_("persons the income was divided by"), headers=("household size", "人口数"))  # fmt: skip
    income_per_head_fen = models.GeneratedField(
        expression=Cast(
            # Greatest: a size of 0 is told by its constraint, not by a division.
            Round(Cast("income_fen", models.DecimalField(max_digits=30, decimal_places=6)) / Greatest(F("size"), 1)),
            models.BigIntegerField(),
        ),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    line = Words("line", _("id of the poverty line"), max_length=60, reference=True, label=_("poverty line"),
                 headers=("poverty line", "贫困线"))  # fmt: skip

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(
                name="register_assessment_in_or_after_its_year",
                condition=Q(year__lte=ExtractYear(F("happened_on"))),
            ),
            models.UniqueConstraint(
                name="register_assessment_once_a_year", fields=["household", "year"], condition=Q(voided_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"assessment {self.year} of household {self.household_id}"


class CaseSpell(SpellFact):
    """A household's case is at a stage. Identified and on record are two spells; a return to the register is a new one."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="case_spells", db_index=False)
    stage = Coded("stage", _("how far the case has come"), choices=Stage, label=_("stage"))

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            _one_counts("register_casespell_one_stage", "household"),
        ]

    def __str__(self) -> str:
        return f"household {self.household_id} {self.stage}"


class Exit(EventFact):
    """A household's case ended on a day, for a reason. Ending the case spell is part of the same act."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="exits")
    reason = Coded("reason", _("why the case ended"), choices=ExitReason, label=_("reason"))

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.UniqueConstraint(
                name="register_exit_once_a_day", fields=["household", "happened_on"], condition=Q(voided_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"exit of household {self.household_id} on {self.happened_on}"


class Death(EventFact):
    """A person died on a day. Membership ends on that day, by the same act; none may count later."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="deaths", db_index=False)

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.UniqueConstraint(name="register_death_once", fields=["person"], condition=Q(voided_at=None)),
        ]

    def __str__(self) -> str:
        return f"death of person {self.person_id} on {self.happened_on}"


class ErasureRequest(models.Model):
    """Somebody asks that a person's identity be erased, and why. Another person carries it out."""

    facts = Usage.LOG

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="erasure_requests")
    requested_by_id = models.BigIntegerField()
    requested_at = models.DateTimeField(db_default=Now())
    reason = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(name="register_erasurerequest_has_reason", condition=Q(reason__gt=""))]

    def __str__(self) -> str:
        return f"request to erase person {self.person_id}"


class Erasure(models.Model):
    """A person's identity, its history and the link from frozen keys were removed. Written by `register_erase` alone."""

    facts = Usage.OWNED

    request = models.OneToOneField(ErasureRequest, on_delete=models.PROTECT, related_name="erasure")
    requested_by_id = models.BigIntegerField()
    erased_by_id = models.BigIntegerField()
    erased_at = models.DateTimeField(db_default=Now())
    # What it reached besides; how many, not which: that would lead back to the person.
    documents_renamed = models.PositiveIntegerField(db_default=0)
    files_deleted = models.PositiveIntegerField(db_default=0)
    files_without_words = models.PositiveIntegerField(db_default=0)  # kept, but what was told of them in the clear went

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="register_erasure_by_two_people", condition=~Q(requested_by_id=F("erased_by_id"))
            )
        ]

    def __str__(self) -> str:
        return f"erasure of request {self.request_id}"
