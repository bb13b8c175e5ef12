"""What a reader asks of a list, read out of an address: order, place, codes, days, words. Holds no SQL.

What cannot be read is refused in one answer that names every wrong value. Names are `q`, `place`, `sort` (`-` before it
the other way round), `after` (where a page goes on), a column's own name, and `<column>_from`, `<column>_to` of days.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from karez.access import parameters
from karez.kernel.lists import RecordList, Shown, Sort
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Kind

_LONGEST = 60  # signs of a search
_LONE = re.compile("[\ud800-\udfff]")  # halves of signs, which no text of ours can hold


@dataclass(frozen=True)
class Asked:
    """An order, and what the rows are held to. `codes` are by column, `days` by column (from, to), both included."""

    sort: Sort
    descending: bool
    day: date
    after: tuple[Any, ...] | None = None
    words: str = ""
    place_id: int | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, tuple[date | None, date | None]] = field(default_factory=dict)
    within: tuple[str, int] | None = None  # page of record, and its record's id

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked for but an order."""
        return bool(self.words or self.place_id or self.codes or self.days)


def read(
    listed: RecordList, values: Mapping[str, str], *, day: date, within: tuple[str, int] | None = None, prefix: str = ""
) -> Asked:
    """What was asked; refuses (records.filters) what cannot be read, all of it at once. `prefix` stands before each name
    where a page shows several lists.
    """
    faults: list[tuple[str, str, str]] = []
    given = {name.removeprefix(prefix): value.strip() for name, value in values.items() if name.startswith(prefix)}
    name = given.get("sort", "")
    sorts = {one.name: one for one in listed.sorts}
    sort = sorts.get(name.removeprefix("-"), listed.sorts[0])
    if name and name.removeprefix("-") not in sorts:
        faults.append((_("order"), name, _("one of %(names)s") % {"names": ", ".join(sorts)}))
    codes, days = dict[str, str](), dict[str, tuple[date | None, date | None]]()
    for one in listed.columns:
        if not one.filtered:
            continue
        if one.column.kind in (Kind.DATE, Kind.MONTH):
            ends = tuple(_day(one, given.get(f"{one.name}_{end}", ""), faults) for end in ("from", "to"))
            if any(ends):
                days[one.name] = (ends[0], ends[1])
            if ends[0] and ends[1] and ends[0] > ends[1]:
                faults.append((_called(one), f"{ends[0]} – {ends[1]}", _("a first day not after the last one")))
        elif code := given.get(one.name, ""):
            codes[one.name] = code
            if code not in {str(known) for known in one.words}:
                faults.append((_called(one), code, _("one of %(names)s") % {"names": ", ".join(map(str, one.words))}))
    place_id = None
    if (text := given.get("place", "")) and not within:
        place_id = parameters.whole(text)
        if place_id is None:
            faults.append((_("place"), text, _("a place chosen from the list")))
    words = given.get("q", "") if listed.search else ""
    if len(words) > _LONGEST:
        faults.append((str(listed.search.label) if listed.search else "", words[:_LONGEST] + "…",
                       _("at most %(n)s signs") % {"n": _LONGEST}))  # fmt: skip
    if faults:
        raise Refusal(
            "records.filters",
            record=capfirst(str(listed.label)),
            found="; ".join(f"{label}: {found[:80]}" for label, found, _expected in faults),
            expected="; ".join(f"{label}: {expected}" for label, _found, expected in faults),
            rule=_("a list is held to what can be read in one way"),
            todo=_("correct what is named, or begin with the whole list"),
        )
    descending = sort.descending if not name else name.startswith("-")
    return Asked(
        sort, descending, day, _after(listed, sort, given.get("after", "")), words, place_id, codes, days, within
    )


def after(row: Mapping[str, Any], sort: Sort) -> str:
    """Where the page after a row begins, as an address says it."""
    return json.dumps([str(row[name]) if isinstance(row[name], date) else row[name] for name in (*sort.by, "id")],
                      ensure_ascii=False, separators=(",", ":"))  # fmt: skip


def _after(listed: RecordList, sort: Sort, text: str) -> tuple[Any, ...] | None:
    """The same, read again; nonsense is as if nothing was asked for."""
    try:
        found = json.loads(text) if len(text) <= 1000 else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or len(found) != len(sort.by) + 1:
        return None
    kinds = [*(listed.column(name).column.kind for name in sort.by), Kind.INTEGER]
    read = [_value(value, kind) for value, kind in zip(found, kinds, strict=True)]
    return None if None in read else tuple(read)


def _value(value: Any, kind: Kind) -> Any:
    if kind in (Kind.DATE, Kind.MONTH):
        return parameters.day(value) if isinstance(value, str) else None
    if kind in (Kind.TEXT, Kind.CODE) and isinstance(value, str):
        return value if "\0" not in value and not _LONE.search(value) else None
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= parameters.LARGEST
    return value if whole else None


def _day(one: Shown, text: str, faults: list[tuple[str, str, str]]) -> date | None:
    found = parameters.day(text) if text else None
    if text and found is None:
        faults.append((_called(one), text, _("a day written as 2009-03-31")))
    return found


def _called(one: Shown) -> str:
    return capfirst(str(one.column.called))
