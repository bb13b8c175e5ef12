"""The page on which a wrong voucher of a society is taken back with the records that stand on it; another person
approves it.
"""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from karez.access.pages import actor_of, answer_form
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.ledger import queries as ledger
from karez.mutual_funds import proposals, queries, services
from karez.places import queries as places


class Reason(forms.Form):
    """Why it is taken back."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


@login_required
@require_http_methods(["GET", "POST"])
def take_back(request: HttpRequest, society_id: int, voucher_id: int) -> HttpResponse:
    """Prepares the reversal of a voucher of the society; its records become void with it."""
    actor = actor_of(request)
    society = queries.society(actor, society_id)
    shown = ledger.voucher(actor, voucher_id, permission=services.VIEW)
    if shown.voucher.book_id != society.book_id:
        raise Refusal(
            "not_found.mutual_funds_voucher",
            record=say("voucher {voucher_id}", voucher_id=voucher_id),
            found=say("not of this society"),
            expected=say("a voucher of its book"),
            rule=say("a society corrects its own book"),
            todo=say("choose from its vouchers"),
        )
    places.require(actor, services.PREPARE, society.area_id)

    def do(given: dict[str, Any]) -> str:
        made = proposals.prepare_reversal(actor, society=society, voucher_id=voucher_id, reason=given["reason"])
        return reverse("mutual_funds:proposal", args=[made.pk])

    context = {"society": society, "shown": shown, "voucher": shown.voucher}
    return answer_form(
        request,
        Reason(request.POST or None),
        do,
        "mutual_funds/take_back.html",
        context,
        done=_("Prepared; it waits for a second person."),
    )
