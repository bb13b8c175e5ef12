"""One record typed into a form, on the road of a file: the row is a file of one line, checked and decided like any other.

So a form has the columns, hints, bounds, checks and questions of its kind of file, in the same words, and whoever
decides sees it in the same list. Holds no page and knows no kind of file.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db import connection
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.intake import queries, services
from karez.intake.models import Batch, Fault, State
from karez.intake.retention import delete_file
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Column, Kind, Sheet
from karez.places.models import Tree
from karez.places.queries import may, visible_areas
from karez.records.template import choices, heading

MOST_PLACES = 400  # more are not listed; then a code is typed
_INPUT = {Kind.INTEGER: "numeric", Kind.YEAR: "numeric", Kind.DECIMAL: "decimal", Kind.FEN: "decimal"}
_SUCH_AS = {Kind.DATE: "2009-03-31", Kind.MONTH: "2009-03"}


def form_of(sheet: Sheet, actor: User, given: Mapping[str, str] | None = None, *, sent: bool = False) -> forms.Form:
    """The form of one row: a field a column, none with a value that was not given; a place among those one may write of."""
    chinese = (get_language() or "").startswith("zh")
    fields = {column.name: _field(sheet, column, actor, chinese) for column in sheet.columns}
    made = type("Row", (forms.Form,), fields)
    return made(given) if sent else made(initial=given)  # type: ignore[no-any-return]


def _field(sheet: Sheet, column: Column, actor: User, chinese: bool) -> forms.Field:
    label = heading(sheet, column, chinese=chinese).capitalize()
    label = f"{label} ({_(column.unit)})" if column.unit else label
    common: dict[str, Any] = {"label": label, "required": column.required, "help_text": str(column.meaning)}
    listed = _listed(sheet, column, actor, chinese)
    if listed:
        return forms.ChoiceField(choices=[("", _("choose")), *listed], **common)
    signs = {"autocomplete": "off", "inputmode": _INPUT.get(column.kind, "text")}
    if column.kind in _SUCH_AS:
        signs["placeholder"] = _SUCH_AS[column.kind]
    return forms.CharField(max_length=max(column.max_length, 30), widget=forms.TextInput(attrs=signs), **common)


def _listed(sheet: Sheet, column: Column, actor: User, chinese: bool) -> list[tuple[str, str]]:
    """What may be chosen: written value and words."""
    if column.kind is Kind.AREA:
        found = visible_areas(actor, sheet.send_permission).filter(is_current=True).order_by("code")
        if column.levels:
            found = found.filter(level__in=column.levels)
        areas = list(found[: MOST_PLACES + 1])
        if len(areas) > MOST_PLACES:
            return []
        return [(a.code, f"{(a.name_zh if chinese else a.name_en) or a.name_zh or a.code}, {a.code}") for a in areas]
    words = choices(column, chinese=chinese)
    return [(word, _(word.replace("_", " "))) for word in words]


def sheets_about(actor: User, place: Tree) -> list[tuple[Sheet, str]]:
    """The kinds of file whose rows this person may enter about a place, and the form's address with the place filled in."""
    found = []
    for sheet in queries.sendable_sheets(actor):
        column = sheet.column(sheet.area_column) if sheet.area_column else None
        if column is None or (column.levels and place.level not in column.levels):
            continue
        if may(actor, sheet.send_permission, place.pk):
            address = reverse("intake:enter", args=[sheet.name])
            found.append((sheet, f"{address}?{urlencode({column.name: place.code})}"))
    return found


def as_file(sheet: Sheet, values: Mapping[str, str]) -> bytes:
    """The row as a file of its kind: headings and one line, in UTF-8."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow([column.name for column in sheet.columns])
    written.writerow([values.get(column.name, "").strip() for column in sheet.columns])
    return out.getvalue().encode()


def enter(
    actor: User, sheet: Sheet, values: Mapping[str, str], *, token: str = ""
) -> tuple[Batch | None, dict[str, list[Fault]]]:
    """Sends one row and checks it. Answers its batch; or none, and its faults by column ("" for the row as a whole).

    A row with faults is taken back at once, and what was kept of it goes: it is corrected in the form and sent anew.
    The same form sent twice (`token`) answers the batch it made.
    """
    name = _("%(what)s, one entered by form") % {"what": sheet.label}
    try:
        batch = services.receive(
            actor,
            sheet=sheet.name,
            file_name=f"{name}.csv",
            stream=io.BytesIO(as_file(sheet, values)),
            token=f"{actor.pk} {token}",
            keep_days=0,  # the row is its record; what was typed goes once it is decided
        )
    except Refusal as refusal:
        if refusal.code != "intake.same_file":
            raise
        batch = Batch.objects.get(pk=refusal.more["batch"])  # the same form, by the same person
    batch = services.stage(batch.pk)
    if batch.state != State.FAULTY:
        return batch, {}
    known, found = {column.name for column in sheet.columns}, dict[str, list[Fault]]()
    for fault in Fault.objects.filter(batch=batch).order_by("row_no", "column", "rule"):
        found.setdefault(fault.column if fault.column in known else "", []).append(fault)
    services.refuse(actor, batch_id=batch.pk, reason=_("corrected in the form"))
    delete_file(batch)
    return None, found


def row_of(sheet: Sheet, batch: Batch) -> list[tuple[str, Any]]:
    """The one row of a batch that waits, for who decides: headings and values, without identity; nothing of others."""
    if batch.row_count != 1 or batch.state != State.CHECKED:
        return []
    chinese = (get_language() or "").startswith("zh")
    shown = [column for column in sheet.columns if not column.identity]
    names = ", ".join(f'"{column.name}"' for column in shown)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"staging.batch_{batch.pk}"])
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(f"SELECT {names} FROM staging.batch_{batch.pk}")
        values = cursor.fetchone() or ()
    return [
        (heading(sheet, column, chinese=chinese).capitalize(), _shown(column, value, chinese))
        for column, value in zip(shown, values, strict=True)
        if value is not None
    ]


def _shown(column: Column, value: Any, chinese: bool) -> str:
    if column.kind is Kind.FEN:
        return f"{format_fen(value)} {_('yuan')}"
    if column.codes:
        stored = {column.codes[word]: word for word in choices(column, chinese=chinese)}
        return str(_(stored.get(value, str(value)).replace("_", " ")))
    if column.kind is Kind.FLAG:
        return _("yes") if value else _("no")
    if column.kind is Kind.MONTH:
        return f"{value:%Y-%m}"
    return f"{value} {_(column.unit)}" if column.unit else str(value)
