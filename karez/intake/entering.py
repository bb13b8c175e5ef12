"""One record typed into a form: its fields follow from the columns of its kind of file, and what may be chosen from its
references.

It is checked like a row of a file, in the same words (`one_row`). Where one person suffices it is recorded at once; otherwise
the row is a file of one line that another person decides about. `hand_in` is the one place that says which. Holds no page and
knows no kind of file.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.db import connection
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.intake import one_row, queries, services
from karez.intake.cells import as_file
from karez.intake.models import Batch, Fault, State
from karez.intake.one_row import Faulty
from karez.intake.retention import delete_file
from karez.kernel.money import format_fen
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Choice, Column, Kind, Sheet
from karez.places.models import Tree
from karez.places.queries import may, visible_areas
from karez.records.template import choices, heading

MOST_PLACES = 400  # more are not listed; then a code is typed
MOST_CHOICES = 50  # records offered at a time; typing narrows them
_INPUT = {Kind.INTEGER: "numeric", Kind.YEAR: "numeric", Kind.DECIMAL: "decimal", Kind.FEN: "decimal"}
_SUCH_AS = {Kind.DATE: "2009-03-31", Kind.MONTH: "2009-03"}


@dataclass(frozen=True)
class Field:
    """A field of a form: how it is shown, what is wrong with it, and what may be chosen (None where it is typed freely)."""

    bound: forms.BoundField
    faults: list[Fault]
    options: list[tuple[str, str]] | None = None


def fields_of(
    sheet: Sheet, actor: User, given: Mapping[str, str], faults: Mapping[str, list[Fault]] | None = None
) -> list[Field]:
    """The fields of one row: one for each column, none with a value that was not given; places and records among those one
    may write of.
    """
    chinese, faults = (get_language() or "").startswith("zh"), faults or {}
    made: dict[str, forms.Field] = {c.name: _field(sheet, c, actor, chinese) for c in sheet.form_columns}
    offered = {choice.column for choice in sheet.choices}
    for name, field in made.items():
        if name in offered:
            field.widget.attrs |= _asks(sheet, name)
        if faults.get(name):  # so that a screen reader reads the faults with their field
            field.widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"id_{name}_helptext id_{name}_faults"}
    form = type("Row", (forms.Form,), made)(initial=given)
    return [
        Field(
            bound,
            faults.get(bound.name, []),
            options(sheet, actor, bound.name, given) if bound.name in offered else None,
        )
        for bound in form
    ]


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


def _asks(sheet: Sheet, name: str) -> dict[str, str]:
    """What makes a field search as somebody types; without a script the list it came with stays."""
    return {
        "list": f"id_{name}_options",
        "hx-get": reverse("intake:options", args=[sheet.name, name]),
        "hx-trigger": f"input changed delay:300ms, change from:#id_{sheet.area_column}",
        "hx-target": f"#id_{name}_options",
        "hx-include": f"#id_{sheet.area_column}",
    }


def options(sheet: Sheet, actor: User, name: str, given: Mapping[str, str]) -> list[tuple[str, str]]:
    """What may be chosen in a column: written text and words, of the place given, beginning with what is typed so far.

    None of a place one may not write of. Names of people stand beside it for who may see them; the look is logged.
    """
    choice = next((one for one in sheet.choices if one.column == name), None)
    code = given.get(sheet.area_column, "").strip()
    area = visible_areas(actor, sheet.send_permission).filter(code=code, is_current=True).first() if code else None
    if choice is None or area is None:
        return []
    with connection.cursor() as cursor:
        asked = {"area": area.pk, "words": given.get(name, "").strip()[:60], "limit": MOST_CHOICES, "day": date.today()}
        cursor.execute(choice.sql, asked)
        found = cursor.fetchall()
    subjects = sorted({row[3] for row in found if row[3] is not None})
    purpose = f"choosing in the form: {sheet.name}"
    names = choice.names(actor, area.pk, subjects, purpose) if choice.names and subjects else {}
    return [(written, _told(choice, of, fen, names.get(subject, ""))) for written, of, fen, subject in found]


def _told(choice: Choice, of: str, fen: int | None, name: str) -> str:
    told = str(choice.told).format(of=of, yuan="" if fen is None else format_fen(fen), name=name)
    return " ".join(told.split()).replace(" ,", ",")


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


def hand_in(
    actor: User,
    sheet: Sheet,
    values: Mapping[str, str],
    *,
    once: Callable[[Callable[[], str]], tuple[str, bool]],
    token: str = "",
    confirmed: bool = False,
) -> tuple[str, bool]:
    """Records the row where one person suffices, or prepares it for another to decide; answers where it is to be seen and
    whether it was recorded.

    Faulty where it is wrong; nothing of it is kept then. `once` does a thing once for a form that is sent twice.
    """
    try:
        return once(lambda: one_row.record(actor, sheet, values, confirmed=confirmed))[0], True
    except one_row.ForTwo:
        return reverse("intake:batch", args=[prepare(actor, sheet, values, token=token).pk]), False


def prepare(actor: User, sheet: Sheet, values: Mapping[str, str], *, token: str = "") -> Batch:
    """The row as a file of one line, checked, which another person decides about; Faulty where it is wrong by now.

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
    if batch.state == State.FAULTY:
        faults = list(Fault.objects.filter(batch=batch).order_by("row_no", "column", "rule"))
        services.refuse(actor, batch_id=batch.pk, reason=_("corrected in the form"))
        delete_file(batch)
        raise Faulty(faults)
    return batch


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
