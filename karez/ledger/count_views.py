"""Pages of cash counts: one account's counts with the form to add one, and what waits to be countersigned."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from karez.access.pages import PAGE, DayField, YuanField, actor_of, answer_form, integer
from karez.ledger import queries, services
from karez.places import queries as places

COUNT, COUNTERSIGN = "ledger.receive", "ledger.countersign"


class CountForm(forms.Form):
    """What was found in the box at the end of a day."""

    counted_on = DayField(label=gettext_lazy("Day, at its end"), initial=date.today)
    counted_fen = YuanField(label=gettext_lazy("Counted, yuan"), max_length=30)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Where it differs from the book: what the difference may come from."),
    )


@login_required
@require_http_methods(["GET", "POST"])
def of_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """The counts of a cash account beside what the book said, and a form for who may take money in."""
    actor = actor_of(request)
    account = queries.account(actor, account_id)
    area_id = account.book.area_id
    found = queries.counts_of_account(actor, account_id, after=integer(request.GET, "after"), limit=PAGE + 1)
    may_count = account.holds_money and places.may(actor, COUNT, area_id)
    if request.method == "POST":
        places.require(actor, COUNT, area_id)

    def do(given: dict[str, Any]) -> str:
        services.count_cash(actor, account=account, **given)
        return reverse("ledger:account_counts", args=[account_id])

    context = {
        "account": account,
        "way": places.ancestors(actor, area_id),
        "counts": found[:PAGE],
        "after": found[PAGE - 1].pk if len(found) > PAGE else "",
        "booked_fen": queries.balance_fen(actor, account_id, date.today()),
        "may_count": may_count,
        "may_countersign": places.may(actor, COUNTERSIGN, area_id),
        "actor": actor,
    }
    return answer_form(
        request,
        CountForm(request.POST or None),
        do,
        "ledger/counts.html",
        context,
        done=_("Counted. A colleague countersigns it."),
    )


@login_required
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Counts of others that wait for this person's signature."""
    actor = actor_of(request)
    found = queries.counts_to_countersign(actor, after=integer(request.GET, "after", 0) or 0, limit=PAGE + 1)
    context = {"counts": found[:PAGE], "after": found[PAGE - 1].pk if len(found) > PAGE else ""}
    return render(request, "ledger/counts_waiting.html", context)


@login_required
@require_POST
def countersign(request: HttpRequest, count_id: int) -> HttpResponse:
    """Countersigns a count, as another person than who counted."""
    actor = actor_of(request)
    count = queries.cash_count(actor, count_id)
    services.countersign_cash(actor, count_id)
    messages.success(request, _("Countersigned, under your name."))
    return redirect("ledger:account_counts", account_id=count.account_id)
