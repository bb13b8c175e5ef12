"""How templates write amounts, days, numbers, people and fields. Holds no arithmetic of any subject."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from karez.access.models import User
from karez.access.queries import granted_area_ids, permissions_of
from karez.kernel.inbox import AreaLink, told
from karez.kernel.messages import Message
from karez.kernel.money import format_fen
from karez.notices.queries import documents as documents_for
from karez.places.queries import may
from karez.records import cells
from karez.records.cells import DASH, name_of_area, number

register = template.Library()


for written in (cells.yuan, cells.number, cells.day, cells.name_of_area):
    register.filter(written.__name__, written)


@register.filter
def percent(value: Any) -> str:
    """A ratio as percent with one decimal; a dash for none."""
    return DASH if value is None or value == "" else f"{100 * float(value):.1f} %"


@register.filter
def hundredths(value: int) -> str:
    """Hundredths of a percent as percent: 70 is 0.70."""
    return f"{value // 100}.{value % 100:02d}"


@register.filter
def moment(value: datetime | str | None) -> SafeString | str:
    """An instant, also one as manifests write it, to the minute, in the office's time."""
    if not value:
        return DASH
    local = timezone.localtime(datetime.fromisoformat(value) if isinstance(value, str) else value)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), local.strftime("%Y-%m-%d %H:%M"))


@register.filter
def last_day(ends_before: date | None) -> str:
    """The last day of a half-open spell; a dash where it has not ended."""
    return date.fromordinal(ends_before.toordinal() - 1).isoformat() if ends_before else DASH


@register.filter
def other_name(area: Any) -> str:
    """The name in the language the reader does not use."""
    zh, en = getattr(area, "name_zh", ""), getattr(area, "name_en", "")
    return (en if (get_language() or "").startswith("zh") else zh) if zh and en else ""


@register.filter
def frozen(value: Any, column: str) -> str:
    """A value of a figure table as it is read: fen as yuan, keys shortened, numbers of years and ids plain."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if column.endswith("_fen"):
        return format_fen(int(value))
    if column == "key" or column.endswith("_key"):
        return f"{value!s:.8}…"
    return str(value) if column.endswith(("_id", "year")) else number(value)


_STATES = {
    "not_collected": _lazy("not collected"), "missing": _lazy("missing"), "undefined": _lazy("cannot be computed"),
    "suppressed": _lazy("not disclosed"),
}  # fmt: skip


@register.filter
def why_empty(state: str) -> str:
    """Why a figure has no value at a place."""
    return str(_STATES.get(state, state.replace("_", " ")))


@register.filter
def name_of_book(book: Any) -> str:
    """A book's name in the reader's language; a book named after its place takes the place's name there."""
    tree = getattr(book.area, "tree", None)
    if tree is None or not isinstance(book.name, Message):
        return str(book.name)
    return str(Message(book.name.pattern, {**book.name.values, "1": name_of_area(tree)}))


@register.filter
def unlocalized(value: Any) -> str:
    """A number as HTML attributes want it, with a point and no separators."""
    return str(float(value))


@register.filter
def at(mapping: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping holds under a key; nothing where it has none."""
    return mapping.get(key) if hasattr(mapping, "get") else ""


@register.simple_tag(takes_context=True)
def person(context: dict[str, Any], user_id: int | None) -> str:
    """The name of a user by id; a page asks for each only once."""
    if not user_id:
        return DASH
    known: dict[int, str] = context.render_context.setdefault("karez_people", {})  # type: ignore[attr-defined]
    if user_id not in known:
        try:
            known[user_id] = str(User.objects.get(pk=user_id))
        except ObjectDoesNotExist:
            known[user_id] = f"#{user_id}"
    return known[user_id]


@register.simple_block_tag(takes_context=True)
def link(
    context: dict[str, Any],
    content: SafeString,
    address: str,
    key: int | None,
    over: int | None = None,
    without: str | None = None,
) -> SafeString | str:
    """A link to another room's record for who may open it; the same words, or `without`, for everybody else.

    Whoever has the room's `view` over the area `over` (where none is known: over any area) may open it.
    """
    actor, permission = context["request"].user, f"{address.partition(':')[0]}.view"
    opens = key and (may(actor, permission, over) if over else permission in permissions_of(actor))
    return (
        format_html('<a href="{}">{}</a>', reverse(address, args=[key]), content)
        if opens
        else content
        if without is None
        else without
    )


@register.simple_tag(takes_context=True)
def way_down(context: dict[str, Any], way: Iterable[Any]) -> list[tuple[Any, bool]]:
    """The places from the region down, each with whether the reader may open it: what they were granted, and all below."""
    granted, opens, steps = set(granted_area_ids(context["request"].user, "places.view")), False, []
    for one in way:
        opens = opens or one.pk in granted
        steps.append((one, opens))
    return steps


_CLASSES = {"Select": "form-select", "SelectMultiple": "form-select", "CheckboxInput": "form-check-input"}


@register.inclusion_tag("web/field.html")
def field(bound: Any) -> dict[str, Any]:
    """A form's field with its label, what it means and what is wrong with it."""
    widget = type(bound.field.widget).__name__
    attributes = {"class": _CLASSES.get(widget, "form-control") + (" is-invalid" if bound.errors else "")}
    return {"field": bound, "widget": bound.as_widget(attrs=attributes), "check": widget == "CheckboxInput"}


@register.inclusion_tag("web/pager.html", takes_context=True)
def pager(context: dict[str, Any], after: Any, name: str = "after") -> dict[str, Any]:
    """The link to the next page of a keyset-paged list, keeping the search; `after` is empty on the last page."""
    request = context["request"]
    query = request.GET.copy()
    first = name in query
    query.pop(name, None)
    start = "?" + query.urlencode() if first else ""
    if after:
        query[name] = str(after)
    return {"next": "?" + query.urlencode() if after else "", "start": start}


@register.simple_tag(takes_context=True)
def related(context: dict[str, Any], area_id: int, level: str) -> list[AreaLink]:
    """What the rooms have on record about an area, as far as the reader may see it."""
    return [link for tell in told("about_area") for link in tell(context["request"].user, area_id, level)]


@register.simple_tag(takes_context=True)
def related_household(context: dict[str, Any], household_id: int) -> list[AreaLink]:
    """What the rooms have on record about a household, as far as the reader may see it."""
    return [link for tell in told("about_household") for link in tell(context["request"].user, household_id)]


@register.simple_tag(takes_context=True)
def facts_behind(context: dict[str, Any], voucher: Any, lines: Any) -> list[AreaLink]:
    """The records of higher rooms that a voucher's transfers stand for, as far as the reader may see them."""
    ids = [line.pk for line in lines] if voucher.posted_at else []
    return [link for tell in told("about_transfers") for link in tell(context["request"].user, ids)]


@register.inclusion_tag("web/documents.html", takes_context=True)
def documents(
    context: dict[str, Any], kind: str, subject_id: int, attach: str = "", extra: int | None = None
) -> dict[str, Any]:
    """The documents of a record, as far as the reader may open them, and a form that sends one to `attach` where given.

    The form is for those who may attach somewhere; that it is here is asked when it is sent.
    """
    actor = context["request"].user
    attach = attach if "documents.attach" in permissions_of(actor) else ""
    mine = Q(kind=kind, subject_id=subject_id) | Q(pk=extra or 0)
    return {"csrf_token": context.get("csrf_token"), "found": documents_for(actor).filter(mine), "attach": attach}
