"""Pages of the ledger: books, one book on a day, an account between days, a voucher, and what waits for a second
person.

A set on which a record of a higher room hangs is decided on that room's page: its address comes from that room's
`inbox`.
"""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from karez.access.pages import PAGE, DayField, actor_of, answer_form, integer, uploaded
from karez.access.parameters import after_day
from karez.ledger import queries, services
from karez.notices.services import attach
from karez.places import queries as places


class Days(forms.Form):
    """A day or a range of days, both included."""

    first = DayField(label=gettext_lazy("First day"), required=False)
    last = DayField(label=gettext_lazy("Last day"), required=False)

    def range(self) -> tuple[date, date]:
        """The half-open range asked for; this year up to today where nothing is."""
        given = self.cleaned_data if self.is_valid() else {}
        last = given.get("last") or date.today()
        return given.get("first") or date(last.year, 1, 1), last + timedelta(days=1)


class Reason(forms.Form):
    """Why."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


@login_required
@require_GET
def books(request: HttpRequest) -> HttpResponse:
    """The books of the reader's areas."""
    found = queries.books(actor_of(request), after=integer(request.GET, "after", 0) or 0, limit=PAGE + 1)
    after = found[PAGE - 1].pk if len(found) > PAGE else ""
    return render(request, "ledger/books.html", {"books": found[:PAGE], "after": after})


@login_required
@require_GET
def book(request: HttpRequest, book_id: int) -> HttpResponse:
    """The trial balance of a book on a day, its vouchers, its cash counts."""
    actor = actor_of(request)
    _start, end = Days(request.GET).range()
    day = end - timedelta(days=1)
    one = queries.book(actor, book_id)
    found = queries.vouchers(actor, book_id, after=after_day(request.GET), limit=PAGE + 1)
    last = found[PAGE - 1] if len(found) > PAGE else None
    context = {
        "book": one,
        "way": places.ancestors(actor, one.area_id),
        "trial": queries.trial_balance(actor, book_id, day),
        "day": day,
        "vouchers": found[:PAGE],
        "after": f"{last.booking_date}_{last.pk}" if last else "",
        "counts": queries.cash_counts(actor, book_id, limit=10),
    }
    return render(request, "ledger/book.html", context)


@login_required
@require_GET
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account between two days, with the balance after each transfer: for cash and bank, the cash book."""
    actor = actor_of(request)
    starts_on, ends_before = Days(request.GET).range()
    found = queries.cash_book(
        actor, account_id, starts_on, ends_before, after=integer(request.GET, "after"), limit=PAGE
    )
    context = {
        "cash_book": found,
        "account": found.account,
        "way": places.ancestors(actor, found.account.book.area_id),
        "last": ends_before - timedelta(days=1),
    }
    return render(request, "ledger/account.html", context)


@login_required
@require_GET
def voucher(request: HttpRequest, voucher_id: int) -> HttpResponse:
    """A voucher: its lines, who prepared and approved it, its document, and the facts it belongs to."""
    actor = actor_of(request)
    shown = queries.voucher(actor, voucher_id)
    book_area = shown.voucher.book.area_id
    context = {
        "shown": shown,
        "voucher": shown.voucher,
        "way": places.ancestors(actor, book_area),
        "may_reverse": bool(shown.voucher.posted_at)
        and not shown.reversal
        and not shown.voucher.reverses_id
        and places.may(actor, "ledger.prepare", book_area),
        "taken_back_at": services.taken_back_at(voucher_id) if shown.voucher.posted_at else None,
    }
    return render(request, "ledger/voucher.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def reverse_voucher(request: HttpRequest, voucher_id: int) -> HttpResponse:
    """Prepares the reversal of a voucher; another person approves it."""
    actor = actor_of(request)
    shown = queries.voucher(actor, voucher_id)
    places.require(actor, "ledger.prepare", shown.voucher.book.area_id)
    elsewhere = services.taken_back_at(voucher_id)
    if (
        elsewhere and request.method == "GET"
    ):  # money and record are taken back together; a POST is refused by the service
        return redirect(elsewhere)

    def do(given: dict[str, str]) -> str:
        return reverse("ledger:set", args=[services.prepare_reversal(actor, voucher_id, given["reason"])])

    return answer_form(
        request,
        Reason(request.POST or None),
        do,
        "ledger/reverse.html",
        {"shown": shown, "voucher": shown.voucher},
        done=_("The reversal waits for a second person."),
    )


@login_required
@require_POST
def attach_document(request: HttpRequest, voucher_id: int) -> HttpResponse:
    """Attaches a document to a voucher; what was attached before stays."""
    actor = actor_of(request)
    found = queries.voucher(actor, voucher_id).voucher
    file = uploaded(request)
    attach(
        actor,
        kind="voucher",
        subject_id=voucher_id,
        area_id=found.book.area_id,
        name=file.name or "",
        stream=file.chunks(),
        title=request.POST.get("title", ""),
    )
    messages.success(request, _("The document is attached."))
    return redirect("ledger:voucher", voucher_id=voucher_id)


@login_required
@require_GET
def pending(request: HttpRequest) -> HttpResponse:
    """Sets that wait for this person's decision here; those a record of another room hangs on wait in that room's list."""
    actor = actor_of(request)
    sets = queries.waiting_here(actor, after=integer(request.GET, "after", 0) or 0, limit=PAGE + 1)
    shown = [queries.voucher_set(actor, one.pk) for one in sets[:PAGE]]
    return render(
        request,
        "ledger/pending.html",
        {"sets": shown, "after": sets[PAGE - 1].pk if len(sets) > PAGE else ""},
    )


@login_required
@require_http_methods(["GET", "POST"])
def voucher_set(request: HttpRequest, set_id: int) -> HttpResponse:
    """One prepared set on one screen: what, why, who, evidence; approve or refuse it whole."""
    actor = actor_of(request)
    found, vouchers = queries.voucher_set(actor, set_id)
    elsewhere = queries.decided_elsewhere([set_id])
    if elsewhere:  # the room whose record hangs on these vouchers decides, so that money and record come together
        return redirect(elsewhere[set_id])
    if request.method == "POST":
        if "approve" in request.POST:
            posted = services.approve(actor, set_id)
            messages.success(request, _("Posted: %(n)s vouchers.") % {"n": len(posted)})
        else:
            services.refuse_set(actor, set_id, request.POST.get("reason", ""))
            messages.success(request, _("Refused; nothing was posted."))
        return redirect("ledger:set", set_id=set_id)
    may_decide = found.state == "pending" and all(
        places.may(actor, "ledger.approve", shown.voucher.book.area_id) for shown in vouchers
    )
    context = {
        "set": found,
        "vouchers": vouchers,
        "may_approve": may_decide and found.prepared_by_id != actor.pk,
        "may_refuse": found.state == "pending" and (may_decide or found.prepared_by_id == actor.pk),
    }
    return render(request, "ledger/set.html", context)
