"""Forms of the register: corrections of facts, of a person and of an identity, and what ends. Hold no rule: services
judge.
"""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from karez.access.pages import AnotherForm, DayField, WholeField, YearField, YuanField
from karez.kernel.id_number import fault_of
from karez.kernel.written import read_month
from karez.register.models import ExitReason, Relation, Sex, Stage


def reason(label: Any = None, hint: Any = "") -> forms.CharField:
    """Why a change is made; kept with it."""
    return forms.CharField(label=label or _("Reason"), max_length=300, help_text=hint)


class MonthField(forms.DateField):
    """A month, entered as 1970-03; given on as its first day."""

    widget = forms.DateInput(
        attrs={"placeholder": "1970-03", "inputmode": "numeric", "autocomplete": "off"}, format="%Y-%m"
    )
    default_error_messages = {"invalid": _("Not a month that can be read in one way: write it as 1970-03.")}

    def to_python(self, value: Any) -> date | None:
        """The first day of the month; refuses what names none."""
        if isinstance(value, str) and value.strip():
            value = read_month(value)
            if value is None:
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class CorrectForm(forms.Form):
    """What every correction asks besides the fact itself: why, and whether the fact was never so."""

    reason = reason()
    never_so = forms.BooleanField(
        label=_("It was never so: make it void and write nothing in its place"), required=False
    )

    field_order: tuple[str, ...] | None = None


class SpellForm(CorrectForm):
    """A fact with a first day and perhaps an end."""

    starts_on = DayField(label=_("From"))
    ends_before = DayField(
        label=_("First day it was no longer so"), required=False, help_text=_("Empty while it goes on.")
    )


class MembershipForm(SpellForm):
    """A person's membership of a household."""

    relation = forms.TypedChoiceField(label=_("Relation"), choices=Relation.choices, coerce=int)
    field_order = ("relation", "starts_on", "ends_before", "never_so", "reason")


class CaseForm(SpellForm):
    """A stage of a household's case."""

    stage = forms.ChoiceField(label=_("Stage"), choices=Stage.choices)
    field_order = ("stage", "starts_on", "ends_before", "never_so", "reason")


class AssessmentForm(CorrectForm):
    """A household's income of a year."""

    year = YearField(label=_("Year"), min_value=1980, max_value=2100)
    income_fen = YuanField(label=_("Net income of the household, yuan"), max_length=30)
    size = WholeField(label=_("Persons it is divided by"), min_value=1, max_value=60)
    line = forms.CharField(label=_("Poverty line"), max_length=60)
    happened_on = DayField(label=_("Day of the assessment"))
    field_order = ("year", "income_fen", "size", "line", "happened_on", "never_so", "reason")


class ExitForm(CorrectForm):
    """The end of a case; `why` is the reason of the list, `reason` why it is corrected."""

    happened_on = DayField(label=_("Day"))
    why = forms.ChoiceField(label=_("The case ended because"), choices=ExitReason.choices)
    field_order = ("happened_on", "why", "never_so", "reason")


class DeathForm(CorrectForm):
    """A recorded death."""

    happened_on = DayField(label=_("Day of death"))
    field_order = ("happened_on", "never_so", "reason")


class MeantForm(AnotherForm):
    """A form of what may contradict the identity number: it then comes back with a box to tick."""

    confirmed = forms.BooleanField(
        label=_("It is so all the same: record it"), required=False, widget=forms.HiddenInput
    )


class PersonForm(MeantForm):
    """Sex and month of birth, written anew."""

    sex = forms.TypedChoiceField(label=_("Sex"), choices=Sex.choices, coerce=int)
    birth_month = MonthField(label=_("Month of birth"), required=False)
    reason = reason()


class IdentityForm(MeantForm):
    """Name, number and telephone. What is left empty stays as it is; nothing known is shown here."""

    name = forms.CharField(label=_("Name"), max_length=60, required=False)
    id_number = forms.CharField(label=_("Identity number"), max_length=18, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=30, required=False)
    remove = forms.MultipleChoiceField(
        label=_("Take out what should not be there"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 2}),
        choices=(("id_number", _("the identity number")), ("phone", _("the telephone"))),
    )
    reason = reason()

    def clean_id_number(self) -> str:
        """The number as GB 11643 writes it."""
        found: str = self.cleaned_data["id_number"].strip().upper()
        if found and (fault := fault_of(found)):
            raise forms.ValidationError(_now("Not an identity number: %s.") % fault)
        return found

    def clean(self) -> dict[str, Any]:
        """Something is to be changed."""
        given: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(given.get(name) for name in ("name", "id_number", "phone", "remove")):
            raise forms.ValidationError(_now("Write what is to be changed."))
        return given


class LeaveForm(forms.Form):
    """A person leaves the household for a reason other than death or a move."""

    on = DayField(label=_("First day no longer a member"))
    reason = reason()


class MoveForm(forms.Form):
    """A person goes over to another household of the village."""

    household_no = forms.CharField(label=_("Number of the household, in the same village"), max_length=40)
    relation = forms.TypedChoiceField(label=_("Relation"), choices=Relation.choices, coerce=int)
    on = DayField(label=_("Member there from"))
    reason = reason()


class DiedForm(forms.Form):
    """A person died."""

    on = DayField(label=_("Day of death"))


class DissolveForm(forms.Form):
    """A household no longer exists."""

    on = DayField(label=_("First day the household is no longer there"))
    reason = reason()


class EraseForm(forms.Form):
    """Asks for an erasure, or carries it out: what it does cannot be taken back."""

    sure = forms.BooleanField(label=_("I know that this cannot be taken back"))


class AskErasureForm(EraseForm):
    """Asks for an erasure."""

    reason = reason(
        _("Who asked for it, and on what ground"),
        _("For example: the person asked on a day; the ground in law. No name."),
    )
    field_order = ("reason", "sure")
