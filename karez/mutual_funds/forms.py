"""Forms of village mutual funds: what goes out, and what a members' meeting resolves. Hold no rule: services judge.

What comes in has the form of its kind of file (`intake.entering`).
"""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from karez.access.pages import AnotherForm, DayField, WholeField, YuanField
from karez.mutual_funds.models import Order, Pot, Purpose, SizeClass

VIA = (("cash", _("cash")), ("bank", _("bank")))


class OfMembers(forms.Form):
    """A form about one member of a society, chosen by the household's number."""

    member = forms.TypedChoiceField(label=_("Member household"), coerce=int)

    def __init__(self, *words: Any, members: list[tuple[int, str]], **more: Any) -> None:
        super().__init__(*words, **more)
        self.fields["member"].choices = [("", _("choose a household")), *members]  # type: ignore[attr-defined]


class LoanForm(OfMembers):
    """A loan to a member; another person approves it."""

    loan_no = forms.CharField(label=_("Number of the loan"), max_length=60)
    principal_fen = YuanField(label=_("Amount, yuan"), max_length=30)
    lent_on = DayField(label=_("Day"))
    term_days = WholeField(label=_("Term, days"), min_value=1, max_value=3660)
    purpose = forms.ChoiceField(label=_("What for"), choices=Purpose.choices)
    via = forms.ChoiceField(label=_("Out of"), choices=VIA)


class RefundForm(AnotherForm, OfMembers):
    """Own money returned to a member; another person approves it."""

    amount_fen = YuanField(label=_("Amount, yuan"), max_length=30)
    refunded_on = DayField(label=_("Day"))
    leaving = forms.BooleanField(label=_("The member leaves with it"), required=False)
    via = forms.ChoiceField(label=_("Out of"), choices=VIA)


class TermsForm(forms.Form):
    """What a members' meeting resolves; amounts in yuan."""

    loan_cap_fen = YuanField(label=_("Largest loan, yuan"), max_length=30)
    term_cap_days = WholeField(label=_("Longest term, days"), min_value=1, max_value=3660)
    fee_rate_bp = WholeField(
        label=_("Fee for 30 days, hundredths of a percent"),
        min_value=0,
        max_value=1000,
        help_text=_("80 is 0.8 percent."),
    )
    contribution_min_fen = YuanField(label=_("Least a member pays in, yuan"), max_length=30)
    contribution_max_fen = YuanField(label=_("Most a member may have in, yuan"), max_length=30)
    allocation_order = forms.ChoiceField(label=_("A repayment pays"), choices=Order.choices)
    write_off_pot = forms.ChoiceField(
        label=_("A write-off is charged to"), choices=[one for one in Pot.choices if one[0] != Pot.CONTRIBUTIONS]
    )
    open_loans_max = WholeField(label=_("Loans a member may have at once"), min_value=1, max_value=20)
    instalments = WholeField(label=_("Equal instalments of a loan"), min_value=1, max_value=60)
    min_members = WholeField(label=_("Fewest member households"), min_value=0, max_value=100_000)
    min_poor_share = WholeField(
        label=_("Least share of registered households among them, percent"), min_value=0, max_value=100
    )
    extension_days_max = WholeField(
        label=_("Days a loan may be put off beyond the longest term"), min_value=0, max_value=3660
    )

    def clean(self) -> dict[str, Any]:
        """The least a member pays in is not above the most."""
        given: dict[str, Any] = super().clean() or {}
        low, high = given.get("contribution_min_fen"), given.get("contribution_max_fen")
        if low is not None and high is not None and low > high:
            self.add_error("contribution_max_fen", _("Less than the least a member pays in."))
        if given.get("loan_cap_fen") == 0:
            self.add_error("loan_cap_fen", _("A loan is above zero."))
        return given


class Minutes(forms.Form):
    """What a resolution follows from. The file itself is attached on the page of the resolution."""

    document_no = forms.CharField(label=_("Number of the minutes of the members' meeting"), max_length=200)
    document_on = DayField(label=_("Day of the members' meeting"))


class RulesForm(Minutes, TermsForm):
    """New rules from a day on; another person agrees."""

    starts_on = DayField(label=_("In force from"), help_text=_("Loans lent before keep the rules they were lent by."))
    field_order = ("document_no", "document_on", "starts_on")


class TakeBackForm(forms.Form):
    """A founding taken back; another person agrees."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class FoundForm(Minutes, TermsForm):
    """A new society of a village with its first rules; another person agrees."""

    name = forms.CharField(label=_("Name of the society"), max_length=200)
    founded_on = DayField(label=_("Founded on"))
    size_class = forms.ChoiceField(label=_("Class of the village"), choices=SizeClass.choices)
    field_order = ("name", "founded_on", "size_class", "document_no", "document_on")


class GrantForm(AnotherForm):
    """Public money of one line to the society; another person approves it."""

    line = forms.TypedChoiceField(label=_("Source line, and what the county still has on it"), coerce=int)
    amount_fen = YuanField(label=_("Amount, yuan"), max_length=30)
    granted_on = DayField(label=_("Day"))
    document_no = forms.CharField(label=_("Number of the document that grants it"), max_length=200)

    def __init__(self, *words: Any, lines: list[tuple[int, str]], **more: Any) -> None:
        super().__init__(*words, **more)
        self.fields["line"].choices = lines  # type: ignore[attr-defined]


class WriteOffForm(forms.Form):
    """What is owed given up; another person approves it."""

    decided_on = DayField(label=_("Decided on"))
    reason = forms.CharField(label=_("Reason"), max_length=300)
