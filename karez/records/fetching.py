"""Fetches the rows of a declared list: one statement for a page, one for its totals, a cursor for all of them.

Fetching includes permission: the areas a reader may see stand in the condition of every statement. A page goes on after
the last row of the one before, in the list's order, which an index gives. Holds no page and knows no room.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from karez.access.models import User
from karez.kernel.lists import RecordList, RecordPage
from karez.kernel.sheets import Kind
from karez.places.queries import area_ids_within
from karez.records.asked import Asked

Row = dict[str, Any]
AREA = "at_area"  # in every row: the area by which it is decided who sees it


@dataclass(frozen=True)
class Page:
    """Some rows of a list, in its order, and whether more come after them."""

    rows: list[Row]
    more: bool


def page(actor: User, listed: RecordList, asked: Asked, *, limit: int) -> Page:
    """At most `limit` rows the actor may see, from where the page before ended."""
    sql, values = _select(actor, listed, asked, limit=limit + 1)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [one.name for one in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return Page(rows[:limit], len(rows) > limit)


def every_row(actor: User, listed: RecordList, asked: Asked, *, at_once: int = 2000) -> Iterator[Row]:
    """Every row the actor may see, in the list's order, by a cursor of the server: memory does not grow with them."""
    sql, values = _select(actor, listed, asked, limit=None)
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, values)
        names: list[str] = []
        while found := cursor.fetchmany(at_once):
            names = names or [one.name for one in cursor.description]
            yield from (dict(zip(names, row, strict=True)) for row in found)


def totals(actor: User, listed: RecordList, asked: Asked) -> tuple[int, list[int]]:
    """How many rows are asked for, and the declared sums over them. A page asks it of lists held to one record only."""
    values: dict[str, Any] = {}
    sums = "".join(f", coalesce(sum({one.sql}), 0)::bigint" for one in listed.totals)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*){sums} {_rows(actor, listed, asked, values)}", values)
        count, *found = cursor.fetchone()
    return count, list(found)


def record(actor: User, page: RecordPage, record_id: int) -> Row | None:
    """The values of one record, if the actor may see it; None where not, and where there is none."""
    values: dict[str, Any] = {"id": record_id}
    scope = _scope(actor, page, None, values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_read(page)} FROM {page.model._meta.db_table} t {page.joins} WHERE t.id = %(id)s AND {scope}",
            values,
        )
        names = [one.name for one in cursor.description]
        found = cursor.fetchone()
    return dict(zip(names, found, strict=True)) if found else None


def _select(actor: User, listed: RecordList, asked: Asked, *, limit: int | None) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {}
    rows = _rows(actor, listed, asked, values)
    by = [*(listed.column(name).sql for name in asked.sort.by), listed.key]
    if asked.after is not None:
        values |= {f"after_{n}": value for n, value in enumerate(asked.after)}
        given = ", ".join(f"%(after_{n})s" for n in range(len(by)))
        rows += f" AND ({', '.join(by)}) {'<' if asked.descending else '>'} ({given})"
    order = ", ".join(f"{one} {'DESC' if asked.descending else 'ASC'}" for one in by)
    bound = f" LIMIT {int(limit)}" if limit is not None else ""
    return f"SELECT {_read(listed)} {rows} ORDER BY {order}{bound}", values


def _read(of: RecordList | RecordPage) -> str:
    values = {one.name: one.sql for one in of.columns} | dict(of.also)
    return ", ".join(f"{sql} AS {name}" for name, sql in ({"id": of.key} | values | {AREA: of.place}).items())


def _rows(actor: User, listed: RecordList, asked: Asked, values: dict[str, Any]) -> str:
    """FROM and WHERE of what is asked for; puts its values into `values`."""
    values["day"] = asked.day
    conditions = [listed.where or "true", _scope(actor, listed, asked.place_id, values)]
    if asked.within is not None:
        name, values["within"] = asked.within
        conditions.append(f"{listed.within[name]} = %(within)s")
    if asked.words and listed.search:
        conditions.append(f"({listed.search.sql})")
        values["words"] = listed.search.read(asked.words)
    for name, code in asked.codes.items():
        one = listed.column(name)
        conditions.append(f"{one.sql} = %(code_{name})s")
        values[f"code_{name}"] = next(known for known in one.words if str(known) == code)
    for name, ends in asked.days.items():
        for end, sign, day in zip(("from", "to"), (">=", "<="), ends, strict=True):
            if day is not None:
                conditions.append(f"{listed.column(name).sql} {sign} %({name}_{end})s")
                values[f"{name}_{end}"] = day
    source = f"({listed.source})" if listed.source else listed.model._meta.db_table
    return f"FROM {source} t {listed.joins} WHERE {' AND '.join(conditions)}"


def _scope(actor: User, of: RecordList | RecordPage, place_id: int | None, values: dict[str, Any]) -> str:
    areas = area_ids_within(actor, of.view, place_id)
    if areas is None:
        return "true"
    values["areas"] = areas
    return f"{of.place} = ANY(%(areas)s)"


def areas_in(of: RecordList | RecordPage, rows: list[Row]) -> set[int]:
    """The areas whose names these rows show."""
    shown = [one.name for one in of.columns if one.column.kind is Kind.AREA]
    return {row[name] for row in rows for name in shown if row[name] is not None}


def link_areas(of: RecordList | RecordPage, rows: list[Row], over: str) -> set[int]:
    """The areas by which it is decided who may follow a link."""
    return {row[over or AREA] for row in rows if row[over or AREA] is not None}
