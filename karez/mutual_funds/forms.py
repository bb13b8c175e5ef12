"""Forms of village mutual funds: what comes in, what goes out, what is decided about a loan. Hold no rule: services judge."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from karez.access.pages import DayField, YuanField
from karez.mutual_funds.models import Purpose

VIA = (("cash", _("cash")), ("bank", _("bank")))


class OfMembers(forms.Form):
    """A form about one member of a society, chosen by the household's number."""

    member = forms.TypedChoiceField(label=_("Member household"), coerce=int)

    def __init__(self, *words: Any, members: list[tuple[int, str]], **more: Any) -> None:
        super().__init__(*words, **more)
        self.fields["member"].choices = members  # type: ignore[attr-defined]


class ContributionForm(OfMembers):
    """Own money of a member, taken in with a receipt."""

    amount_fen = YuanField(label=_("Amount, yuan"), max_length=30)
    paid_on = DayField(label=_("Day"))
    via = forms.ChoiceField(label=_("Into"), choices=VIA)


class LoanForm(OfMembers):
    """A loan to a member; another person approves it."""

    loan_no = forms.CharField(label=_("Number of the loan"), max_length=60)
    principal_fen = YuanField(label=_("Amount, yuan"), max_length=30)
    lent_on = DayField(label=_("Day"))
    term_days = forms.IntegerField(label=_("Term, days"), min_value=1, max_value=3660)
    purpose = forms.ChoiceField(label=_("What for"), choices=Purpose.choices)
    via = forms.ChoiceField(label=_("Out of"), choices=VIA)


class RefundForm(OfMembers):
    """Own money returned to a member; another person approves it."""

    amount_fen = YuanField(label=_("Amount, yuan"), max_length=30)
    refunded_on = DayField(label=_("Day"))
    leaving = forms.BooleanField(label=_("The member leaves with it"), required=False)
    via = forms.ChoiceField(label=_("Out of"), choices=VIA)


class GiftForm(forms.Form):
    """An unconditional gift."""

    giver = forms.CharField(label=_("Giver"), max_length=200)
    amount_fen = YuanField(label=_("Amount, yuan"), max_length=30)
    given_on = DayField(label=_("Day"))
    via = forms.ChoiceField(label=_("Into"), choices=VIA)


class RepaymentForm(forms.Form):
    """Money a borrower pays back; the society's rules divide it."""

    amount_fen = YuanField(label=_("Amount, yuan"), max_length=30)
    paid_on = DayField(label=_("Day"))
    via = forms.ChoiceField(label=_("Into"), choices=VIA)


class ExtensionForm(forms.Form):
    """A loan's last day put off."""

    due_on = DayField(label=_("New last day"))
    decided_on = DayField(label=_("Decided on"))
    reason = forms.CharField(label=_("Reason"), max_length=300)


class WriteOffForm(forms.Form):
    """What is owed given up; another person approves it."""

    decided_on = DayField(label=_("Decided on"))
    reason = forms.CharField(label=_("Reason"), max_length=300)
