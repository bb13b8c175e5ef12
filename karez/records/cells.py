"""How values of records are written: for people in a page, for programs in a file. Holds no records.

Numbers, days and amounts read the same on every page; templates use these functions too (`web/templatetags/karez.py`).
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from karez.access.models import User
from karez.kernel import money
from karez.kernel.lists import Link, RecordList, RecordPage, Shown
from karez.kernel.sheets import Kind
from karez.places.queries import names_in_full, seen_among
from karez.records import registry
from karez.records.fetching import AREA, Row, areas_in, link_areas

DASH = "–"
NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FEN})


def yuan(amount_fen: Any) -> str:
    """An amount of fen as yuan with both decimals: 1,200.50; a dash for none."""
    return DASH if amount_fen in {None, ""} else money.format_fen(int(amount_fen))


def number(value: Any) -> str:
    """A whole number with separators, or a decimal without trailing zeros; a dash for none."""
    if value is None or value == "":
        return DASH
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    if isinstance(value, Decimal | float):
        text = f"{value:,.4f}" if isinstance(value, float) else f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:,}" if isinstance(value, int) else str(value)


def day(value: Any) -> str:
    """A day the same way everywhere: 2009-12-31; a dash for none."""
    if isinstance(value, datetime):
        return timezone.localtime(value).date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value or DASH)


def name_of_area(area: Any) -> str:
    """An area's name in the reader's language, the other one where that is missing."""
    zh, en = getattr(area, "name_zh", ""), getattr(area, "name_en", "")
    first, second = (zh, en) if (get_language() or "").startswith("zh") else (en, zh)
    return first or second


def heading(one: Shown) -> str:
    """What stands above a column: what the office calls it, and its unit."""
    words = capfirst(str(one.column.called))
    return f"{words}, {_(one.column.unit)}" if one.column.unit else words


def text(one: Shown, value: Any, names: Mapping[int, str]) -> str:
    """A value as a reader is told it; `names` are those of areas."""
    if value is None or value == "" or (one.badge and not value):
        return DASH
    if one.words:
        return str(one.words.get(value, value))
    match one.column.kind:
        case Kind.FEN:
            return money.format_fen(value)
        case Kind.DATE:
            return day(value)
        case Kind.MONTH:
            return day(value)[:7]
        case Kind.AREA:
            return names.get(value, DASH)
        case Kind.FLAG:
            return _("yes") if value else _("no")
        case Kind.INTEGER | Kind.DECIMAL:
            return number(value)
        case _:
            return str(value)


class Cells:
    """Draws the values of some rows: asks once what areas are called and which links the reader may follow."""

    def __init__(self, actor: User, of: RecordList | RecordPage, rows: list[Row], *, query: str = "") -> None:
        self.of, self.query = of, query
        self.names = names_in_full(areas_in(of, rows), language=get_language() or "en") if areas_in(of, rows) else {}
        self._seen = {link: self._opens(actor, link, rows) for link in {one.link for one in of.columns if one.link}}

    def _opens(self, actor: User, link: Link, rows: list[Row]) -> frozenset[int]:
        view = permission_of(link)
        areas = link_areas(self.of, rows, link.over)
        return frozenset(areas) if view == self.of.view and not link.over else seen_among(actor, view, areas)

    def value(self, one: Shown, row: Row) -> SafeString:
        """A value, with the link to what it names where the reader may follow it."""
        shown = conditional_escape(text(one, row[one.name], self.names))
        link = one.link
        if one.badge and row[one.name]:
            shown = format_html('<span class="badge bg-{}-lt">{}</span>', one.badge, shown)
        keys = [row[key] for key in link.key.split()] if link else []
        if link is None or None in keys or row[link.over or AREA] not in self._seen[link]:
            return SafeString("" if one.is_act else shown)
        css = SafeString(' class="btn btn-sm"' if one.is_act else "")
        return format_html('<a href="{}{}"{}>{}</a>', address_of(link.address, *keys), self.query, css, shown)

    def cell(self, one: Shown, row: Row, *, first: bool = False) -> SafeString:
        """A value in its cell of a table, which on a phone carries its heading before it."""
        kind = one.column.kind
        css = "number" if kind in NUMBERS else "nowrap" if kind in (Kind.DATE, Kind.MONTH) else ""
        if first:
            return format_html('<th scope="row" class="{}">{}</th>', css, self.value(one, row))
        return format_html(
            '<td class="{}" data-label="{}">{}</td>', css, "" if one.is_act else heading(one), self.value(one, row)
        )

    def cells(self, rows: Iterable[Row]) -> list[list[SafeString]]:
        """The cells of each row; the first one names it."""
        return [[self.cell(one, row, first=not n) for n, one in enumerate(self.of.columns)] for row in rows]


def permission_of(link: Link) -> str:
    """The permission by which a reader follows a link."""
    if link.permission:
        return link.permission
    if ":" in link.address:
        return f"{link.address.partition(':')[0]}.view"
    return registry.page_named(link.address).view


def address_of(address: str, *keys: int) -> str:
    """The address of a record: of a page of record by its name, or of a room's page."""
    if ":" in address:
        return reverse(address, args=keys)
    home = registry.page_named(address).home
    return reverse(home, args=keys) if home else reverse("records:record", args=[address, *keys])
