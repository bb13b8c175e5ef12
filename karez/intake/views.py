"""Pages of files sent in: the list, the form to send one, and one batch with its faults, totals and decisions."""

from datetime import date
from functools import partial
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from karez.access.models import User
from karez.access.pages import PAGE, actor_of, integer, once
from karez.access.parameters import after_number
from karez.access.services import log_read
from karez.intake import days, entering, limits, one_row, queries, registry, rules, services, totals
from karez.intake.models import Batch, Fault, State
from karez.intake.sound import WHY
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Sheet
from karez.kernel.written import read_day
from karez.periods.services import opened_days
from karez.periods.told import recorded as told_late
from karez.places import queries as places
from karez.records.template import workbook as blank_workbook

_NOTICES = {
    "unknown_column": _lazy("Column not known, not read:"),
    "denied_column": _lazy("Column that may not be held, dropped:"),
    "other_sheet": _lazy("Another sheet of the workbook, not read:"),
    "empty_rows_above": _lazy("Empty rows above the headings:"),
    "sheet_read": _lazy("The sheet of the workbook that was read:"),
    "hidden_sheet": _lazy("A hidden sheet of the workbook, not read:"),
    "hidden_row": _lazy("Hidden rows, read like the others:"),
    "hidden_column": _lazy("Hidden columns, read like the others:"),
    "far_cell": _lazy("Beside the headings, too far away to be one, not read:"),
    "yearless_day": _lazy("Days shown without their year, read with the year they hold:"),
    "late": _lazy("Their year is closed:"),
    "unit_converted": _lazy("Numbers turned from the unit of the heading into the unit of the column:"),
    "read_as_gb18030": _lazy("Not UTF-8, read as:"),
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORKING = (State.RECEIVED, State.STAGING, State.APPLYING)


@login_required
@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """What waits for this person, and every batch they may see, newest first."""
    actor = actor_of(request)
    found = queries.batches(actor)
    after = integer(request.GET, "after")
    listed = list((found.filter(pk__lt=after) if after else found)[: PAGE + 1])
    context = {
        "to_confirm": list(queries.to_confirm(actor)[:PAGE]),
        "waiting": list(queries.waiting_for(actor)[:PAGE]),
        "batches": listed[:PAGE],
        "after": listed[PAGE - 1].pk if len(listed) > PAGE else "",
        "may_send": bool(queries.sendable_sheets(actor)),
        "labels": _labels(),
    }
    return render(request, "intake/batches.html", context)


def _the_row(actor: User, sheet: Sheet | None, found: Batch, may_apply: bool) -> list[tuple[str, Any]]:
    """What a batch of one row says, to its sender and to who may decide it alone; whoever else looks at a row is on
    record, as with any personal record."""
    if sheet is None or not (may_apply or found.sender_id == actor.pk):
        return []
    told = entering.row_of(sheet, found)
    if told and found.sender_id != actor.pk:
        log_read(actor, kind="intake.row", subject_id=found.pk, purpose="deciding what was entered")
    return told


def _labels() -> dict[str, Any]:
    return {name: sheet.label for name, sheet in registry.sheets().items()}


@login_required
@require_http_methods(["GET", "POST"])
def send(request: HttpRequest) -> HttpResponse:
    """Choose a kind of file, see what its columns mean, send one. It is checked by a job; nothing becomes a record yet."""
    actor = actor_of(request)
    sheets = {sheet.name: sheet for sheet in queries.sendable_sheets(actor)}
    chosen = sheets.get(request.POST.get("sheet") or request.GET.get("sheet", ""))
    refusal = None
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if chosen is None or file is None:
                raise Refusal(
                    "intake.nothing_sent",
                    record=say("the form"),
                    found=say("no kind of file") if chosen is None else say("no file"),
                    expected=say("a kind of file and a file"),
                    rule=say("a file is checked by the columns of its kind"),
                    todo=say("choose both and send again"),
                )
            made = services.receive(
                actor,
                sheet=chosen.name,
                file_name=file.name or "",
                stream=file.file,  # type: ignore[arg-type]
                queue=True,
            )
        except Refusal as error:
            refusal = error
        else:
            return redirect("intake:batch", batch_id=made.pk)
    context = {"sheets": sheets.values(), "chosen": chosen, "refusal": refusal, "limits": limits}
    return render(request, "intake/send.html", context, status=refusal.status if refusal else 200)


@login_required
@require_GET
def enter_which(request: HttpRequest, area_id: int) -> HttpResponse:
    """What this person may enter by form about a place."""
    actor = actor_of(request)
    place = places.area(actor, area_id)
    context = {"area": place, "way": places.ancestors(actor, area_id), "sheets": entering.sheets_about(actor, place)}
    return render(request, "intake/enter_which.html", context)


def _sendable(actor: User, sheet: str) -> Sheet:
    chosen = {one.name: one for one in queries.sendable_sheets(actor)}.get(sheet)
    if chosen is None:
        raise registry.unknown(sheet)
    return chosen


@login_required
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest, sheet: str) -> HttpResponse:
    """One record of a kind of file by form: faults at their fields; recorded at once where one person suffices."""
    actor = actor_of(request)
    chosen = _sendable(actor, sheet)
    sent = request.POST if request.method == "POST" else request.GET
    given = {c.name: sent[c.name][:1000] for c in chosen.form_columns if c.name in sent}
    told: dict[str, Any] = {
        "sheet": chosen,
        "refusal": None,
        "asked": False,
        "sent_form": sent.get("sent_form") or uuid4(),
    }
    faults = dict[str, list[Fault]]()
    if request.method == "POST":
        try:
            address, recorded = entering.hand_in(
                actor, chosen, given, once=partial(once, request), token=sent.get("sent_form", "")[:64],
                confirmed=bool(sent.get("confirmed")),
            )  # fmt: skip
        except one_row.Faulty as wrong:
            for fault in wrong.faults:
                faults.setdefault(fault.column if fault.column in given else "", []).append(fault)
        except Refusal as error:
            told |= {"refusal": error, "asked": bool(error.more.get("confirm"))}
        else:
            if recorded:
                day = {chosen.day_column: read_day(given.get(chosen.day_column, ""))}
                messages.success(request, told_late(_("Recorded."), chosen.day_column)(day))
            return redirect(address)
    told |= {"fields": entering.fields_of(chosen, actor, given, faults), "whole": faults.get("", [])}
    refusal = told["refusal"]
    status = 200 if request.method == "GET" else refusal.status if refusal else 422
    return render(request, "intake/enter.html", told, status=status)


@login_required
@require_GET
def options(request: HttpRequest, sheet: str, column: str) -> HttpResponse:
    """What may be chosen in a column of a form, as somebody types."""
    actor = actor_of(request)
    chosen = _sendable(actor, sheet)
    given = {name: request.GET.get(name, "") for name in (chosen.area_column, column)}
    return render(request, "intake/options.html", {"options": entering.options(chosen, actor, column, given)})


@login_required
@require_GET
def template(request: HttpRequest, sheet: str) -> HttpResponse:
    """The blank workbook of a kind of file this person may send, with an example of their own places."""
    actor = actor_of(request)
    chosen = _sendable(actor, sheet)
    opened = opened_days()
    day = opened.first_open if opened else date.today()
    made = blank_workbook(chosen, areas=queries.example_areas(actor, chosen), day=day)
    answer = HttpResponse(made, content_type=_XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{chosen.name}.xlsx"'
    return answer


@login_required
@require_GET
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """One batch: how far it is, what it would write, what is wrong with it, who decides."""
    actor = actor_of(request)
    found = queries.batch_for(actor, batch_id)
    wanted = {name: request.GET[name] for name in ("column", "rule") if name in request.GET}
    page = queries.faults_page(
        actor, batch_id, after=after_number(request.GET) or (-1, 0), size=limits.FAULT_PAGE + 1, only=wanted
    )
    last = page[limits.FAULT_PAGE - 1] if len(page) > limits.FAULT_PAGE else None
    sheet = registry.sheets().get(found.sheet)
    may_apply = sheet is not None and queries.may_apply(actor, found)
    undecided = found.state in (State.CHECKED, State.FAULTY) or found.is_stuck
    by_rule = queries.faults_by_rule(actor, batch_id)[:10] if found.fault_count else []
    questions = queries.questions_page(actor, batch_id, asks=True) if found.question_count else []
    told_rows = queries.questions_page(actor, batch_id, asks=False)
    not_judged = [
        one | {"words": WHY.get(one["why"], one["why"])} for one in found.notices if one["what"] == "not_judged"
    ]
    spoken_of = (
        {one.column for one in page}
        | {one.column for one in (*questions, *told_rows)}
        | {one["column"] for one in by_rule}
        | {c for one in not_judged for c in one["columns"]}
    )
    context = (
        _state(found)
        | wanted
        | {
            "totals": [totals.told(t) for t in found.totals],
            "sheet": sheet,
            "the_row": _the_row(actor, sheet, found, may_apply),
            "faults": page[: limits.FAULT_PAGE],
            "after": f"{last.row_no}_{last.pk}" if last else "",
            "by_rule": by_rule,
            "columns": {column: rules.told_column(found.headings, column) for column in spoken_of},
            "own": found.sender_id == actor.pk,
            "notices": [
                (_NOTICES.get(one["what"], one["what"]), one["found"])
                for one in found.notices
                if one["what"] != "not_judged"
            ],
            "not_judged": not_judged,
            "taken_back_late": days.taken_back_late(found.years, opened_days()) if found.state == State.APPLIED else [],
            "deleted_early": found.file_deleted_at is not None and found.file_deleted_at.date() < found.delete_file_on,
            "may_check": undecided and found.file_deleted_at is None and (may_apply or found.sender_id == actor.pk),
            "questions": questions,
            "told_rows": told_rows,
            "may_confirm": found.waits_for_sender and found.sender_id == actor.pk,
            "may_apply": may_apply and found.state == State.CHECKED and not found.waits_for_sender,
            "may_refuse": undecided and (may_apply or found.sender_id == actor.pk),
            "may_ask": found.state == State.APPLIED
            and sheet is not None
            and sheet.withdraw is not None
            and not found.withdrawal_by_id
            and (may_apply or found.sender_id == actor.pk),
            "may_withdraw": found.state == State.APPLIED
            and may_apply
            and bool(found.withdrawal_by_id)
            and found.withdrawal_by_id != actor.pk,
        }
    )
    return render(request, "intake/batch.html", context)


def _state(found: Batch) -> dict[str, Any]:
    return {
        "batch": found,
        "working": found.state in WORKING and not found.trouble,
        "progress": queries.progress_of(found),
    }


@login_required
@require_GET
def progress(request: HttpRequest, batch_id: int) -> HttpResponse:
    """How far the work on a batch is, as a part of its page; when the work is over the page is asked to come anew."""
    state = _state(queries.batch_for(actor_of(request), batch_id))
    answer = render(request, "intake/progress.html", state)
    if not state["working"]:
        answer["HX-Refresh"] = "true"
    return answer


@login_required
@require_GET
def faults(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """Every fault of a batch as a file for a spreadsheet."""
    actor = actor_of(request)
    queries.batch_for(actor, batch_id)
    answer = StreamingHttpResponse(
        queries.faults_csv(actor, batch_id, get_language() or "en"), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="faults-{batch_id}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def decide(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Check again, confirm, apply, refuse, ask for withdrawal, or withdraw; each by whom the batch's rules name."""
    actor = actor_of(request)
    queries.batch_for(actor, batch_id)
    reason = request.POST.get("reason", "")
    match request.POST.get("do"):
        case "check":
            services.check_again(actor, batch_id=batch_id, queue=True)
            messages.success(request, _("It is checked again; look at this page in a moment."))
        case "confirm":
            services.confirm(actor, batch_id=batch_id)
            messages.success(request, _("Confirmed. It waits for another person with the right to apply it."))
        case "apply":
            services.apply(actor, batch_id=batch_id, queue=True)
            messages.success(request, _("It is being applied."))
        case "refuse":
            services.refuse(actor, batch_id=batch_id, reason=reason)
            messages.success(request, _("Refused; nothing of it became a record."))
        case "ask":
            services.ask_withdrawal(actor, batch_id=batch_id, reason=reason)
            messages.success(request, _("Asked. Another person takes it back."))
        case "withdraw":
            services.withdraw(actor, batch_id=batch_id)
            messages.success(request, _("Withdrawn; its records are void."))
    return redirect("intake:batch", batch_id=batch_id)
