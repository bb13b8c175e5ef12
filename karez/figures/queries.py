"""What may be asked of figures: values by place, the trace of one, the catalogue. Writes only the log of reads.

An actor sees the places granted to them and what lies above those as totals; rows elsewhere are only counted. None is
the local operator at the console, who sees aggregates and keys of the whole region.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from karez.access.models import User
from karez.access.rules import who_may
from karez.access.services import log_read
from karez.closing.queries import best_snapshot
from karez.closing.snapshots import Snapshot
from karez.figures import answers
from karez.figures.declarations import LEVELS, Figure, declarations
from karez.figures.engine import Cells, Place, Value, resolve, sql_of, with_inputs
from karez.figures.vouchers import transfers_of
from karez.kernel.messages import Listing, say
from karez.kernel.printed import plain_number
from karez.kernel.refusal import Refusal
from karez.periods.services import region as the_region
from karez.places.models import Level
from karez.places.queries import may, visible_area_ids_sql

PAGE_ROWS = 100
_MOST_ROWS = 1000


def figures_for(
    actor: User | None,
    region: str,
    year: int,
    by: str = "region",
    ids: Sequence[str] | None = None,
    snapshot: Snapshot | None = None,
) -> dict[str, Any]:
    """Figures of a year at every place of a level that the actor may see: `{"figures": [...]}`, in the order of the
    declarations.
    """
    level = _level(by)
    snapshot = snapshot or best_snapshot(region, year)
    wanted = resolve(ids, year)
    computed = answers.cells(snapshot, wanted, (level,))
    may_see = places_seen(actor, "figures.view", snapshot)
    if actor is None:
        log_read(
            None, kind="figures", subject_id=None, purpose=f"figures of {region} in {year} by {level}", rows=len(wanted)
        )
    rows = [
        _row(computed, value, snapshot)
        for value in computed.values(f.id for f in wanted)
        if may_see is None or value.area_id in may_see
    ]
    return {"figures": rows}


def trace(
    actor: User | None,
    figure_id: str,
    region: str,
    year: int,
    *,
    area_id: int | None = None,
    by: str | None = None,
    after: int = -1,
    limit: int = PAGE_ROWS,
    snapshot: Snapshot | None = None,
) -> dict[str, Any]:
    """Everything behind a figure at a place (the region if None): definition, SQL, snapshot, value, values below, a
    page of rows.

    Rows lie in the actor's areas; those elsewhere are a number. A formula shows its inputs and the rows of the first
    that has any.
    """
    return trace_of(
        actor,
        trace_key(actor, figure_id, region, year, area_id=area_id, by=by, after=after, limit=limit, snapshot=snapshot),
    )


@dataclass(frozen=True)
class TraceKey:
    """All that a trace depends on but the vouchers behind it, which are asked for anew each time."""

    asked: answers.Asked
    figure_id: str
    area_id: int
    by: str | None
    after: int
    limit: int
    visible: frozenset[int] | None  # the areas whose rows are shown; None for all


def trace_key(
    actor: User | None,
    figure_id: str,
    region: str,
    year: int,
    *,
    area_id: int | None = None,
    by: str | None = None,
    after: int = -1,
    limit: int = PAGE_ROWS,
    snapshot: Snapshot | None = None,
) -> TraceKey:
    """What an actor asks for and may see of it; refuses who may trace figures nowhere."""
    asked, limit = answers.asked(snapshot or best_snapshot(region, year)), max(1, min(limit, _MOST_ROWS))
    figure, home = resolve([figure_id], year)[0], the_region().area_id
    visible = areas_visible(actor, "figures.trace", home)
    return TraceKey(asked, figure.id, home if area_id is None else area_id, by, after, limit, visible)


def trace_of(actor: User | None, key: TraceKey) -> dict[str, Any]:
    """`trace` of a key made for this actor; the reading is logged each time."""
    found = _traced(key)
    year, rows = key.asked.snapshot.year, found["rows"]
    log_read(
        actor,
        kind="figure_rows",
        subject_id=key.area_id,
        purpose=f"trace of {key.figure_id} in {year}",
        rows=max(1, len(rows)),
    )
    return {**found, "transfers": transfers_of(rows)}


@lru_cache(maxsize=128)
def _traced(key: TraceKey) -> Mapping[str, Any]:
    snapshot, visible, place_id = key.asked.snapshot, key.visible, key.area_id
    figure = resolve([key.figure_id], snapshot.year)[0]
    may_see = with_ancestors(visible, snapshot)
    place = answers.places(snapshot).get(place_id)
    if place is None or (may_see is not None and place_id not in may_see):
        raise _not_here(figure.id, place_id)
    level = _level_below(place, key.by)
    computed = answers.cells(snapshot, [figure], tuple(dict.fromkeys((place.level, level))))
    counted = _counted(figure, snapshot.year)
    if counted and counted.id in computed.undefined:
        counted = None  # its condition may be what fails
    rows = answers.rows_behind(snapshot, counted.id, place_id, key.after, key.limit, visible) if counted else []
    here, elsewhere = answers.count_rows_behind(snapshot, counted.id, place_id, visible) if counted else (0, 0)
    value = computed.value(figure.id, place_id)
    below = _below(computed, place, level)
    shown = [p for p in below if may_see is None or p.area_id in may_see]
    return {
        "id": figure.id,
        "definition": figure.as_dict(),
        "sql": sql_of(figure.id, snapshot),
        "snapshot": snapshot.name,
        "value": _number(value.value),
        "by_place": [_place_row(computed, figure.id, p) for p in shown],
        "rows": [_plain(row) for row in rows],
        "transfers": [],
        "unit": figure.unit,
        "label": figure.label,
        "exact": _exact(value.value),
        "state": value.state.value,
        # What failed holds a value of some row: only who may see every row is told it.
        "why": (computed.undefined.get(figure.id, "") if visible is None else "")
        or ("-" if figure.id in computed.undefined else ""),
        "place": place.code,
        "place_name": place.name_en or place.name_zh,
        "area_id": place_id,
        "level": place.level,
        "digest": snapshot.digest,
        "kind": snapshot.kind,
        "as_of": snapshot.as_of.isoformat(),
        "taken_at": snapshot.taken_at,
        "inputs": [_input(computed, i, place_id) for i in (figure.formula.uses if figure.formula else ())],
        "rows_of": counted.id if counted else "",
        "rows_here": here,
        "rows_elsewhere": elsewhere,
        "places_elsewhere": len(below) - len(shown),
        "next_row": rows[-1]["row"] if len(rows) == key.limit else None,
    }


def aliases() -> Mapping[str, str]:
    """An id printed again -> the id of the figure it is."""
    return declarations().aliases


def catalogue(year: int | None = None) -> list[dict[str, Any]]:
    """Every definition (those of one year, if given) as people read it, in the order of the declarations."""
    return [f.as_dict() for f in declarations().figures if year is None or f.valid_in(year)]


def catalogue_text() -> str:
    """The catalogue as a Markdown page."""
    lines = ["# Figures", ""]
    for figure in catalogue():
        meaning = f"`{figure['formula']}`" if "formula" in figure else f"`{figure['value']}` of `{figure['table']}`"
        meaning += f" where `{figure['where']}`" if figure.get("where") else ""
        valid = f"from {figure['valid_from']}" + (f" before {figure['valid_before']}" if figure["valid_before"] else "")
        lines += [
            f"## {figure['id']}",
            "",
            f"{figure['label']} ({figure['label_zh'] or '-'}), in {figure['unit']}, {figure['kind']}, {valid}.",
            "",
            f"{meaning}. Source: {figure['source']}. Disclosure unit: {figure['disclosure']}.",
            "",
        ]
    return "\n".join(lines)


# Who sees what.


def places_seen(actor: User | None, permission: str, snapshot: Snapshot) -> frozenset[int] | None:
    """The places of a snapshot whose totals an actor may see, None for all of them; refuses who holds the permission
    nowhere.
    """
    return with_ancestors(areas_visible(actor, permission), snapshot)


def areas_visible(actor: User | None, permission: str, home: int | None = None) -> frozenset[int] | None:
    """The areas the actor holds a permission over, None for everything; refuses who holds it nowhere. `home` is the
    region, if at hand.
    """
    if actor is None or may(actor, permission, the_region().area_id if home is None else home):
        return None
    sql, params = visible_area_ids_sql(actor, permission)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = frozenset(row[0] for row in cursor.fetchall())
    if not found:
        raise Refusal(
            "access.not_granted",
            record=say("figures"),
            found=say("{actor} has no role that may do this: {roles}", actor=actor, roles=who_may(permission)),
            expected=say("a role over some area"),
            rule=say("what a person may see and do follows the areas granted to them"),
            todo=say("ask the administrator for a role"),
        )
    return found


def with_ancestors(visible: frozenset[int] | None, snapshot: Snapshot) -> frozenset[int] | None:
    """The areas and what lies above them in the snapshot's edition: their totals are no secret to who is part of them."""
    if visible is None:
        return None
    known = answers.places(snapshot)
    seen = set(visible)
    for area_id in visible & known.keys():
        above = known[area_id].parent_id
        while above is not None and above in known and above not in seen:
            seen.add(above)
            above = known[above].parent_id
    return frozenset(seen)


def _level(by: str) -> str:
    if by in LEVELS:
        return by
    raise Refusal(
        "figures.unknown_level",
        record=by,
        found=say("no such level"),
        expected=Listing(Level(level).label for level in LEVELS),
        rule=say("figures are by level of place"),
        todo=say("choose one of the levels"),
    )


def _not_here(figure_id: str, area_id: int) -> Refusal:
    return Refusal(
        "access.not_granted",
        record=figure_id,
        found=say("area {area_id} is not among your areas in this edition", area_id=area_id),
        expected=say("an area granted to you, or one above it"),
        rule=say("what a person may see and do follows the areas granted to them"),
        todo=say("choose a place from the list"),
        unseen=True,
    )


# How answers are worded.


def _counted(figure: Figure, year: int) -> Figure | None:
    """The figure itself, or the first counted one its formula needs."""
    return next((f for f in (figure, *with_inputs([figure], year)) if f.value), None)


def _level_below(place: Place, by: str | None) -> str:
    """The level asked for, else counties under the region and the next level down elsewhere."""
    own = LEVELS.index(place.level)
    return _level(by) if by else "county" if own < LEVELS.index("county") else LEVELS[min(own + 1, len(LEVELS) - 1)]


def _below(computed: Cells, place: Place, level: str) -> list[Place]:
    """Places of a level under a place."""
    parents = {p.area_id: p.parent_id for p in computed.places.values()}

    def under(area_id: int | None) -> bool:
        while area_id is not None and area_id != place.area_id:
            area_id = parents.get(area_id)
        return area_id is not None

    found = [
        p for p in computed.places.values() if p.level == level and p.area_id != place.area_id and under(p.parent_id)
    ]
    return sorted(found, key=lambda p: (p.code, p.area_id))


def _row(computed: Cells, value: Value, snapshot: Snapshot) -> dict[str, Any]:
    figure, place = computed.figures[value.id], computed.places[value.area_id]
    return {
        "id": figure.id,
        "label": figure.label,
        "unit": figure.unit,
        "value": _number(value.value),
        "place": place.code,
        "place_name": place.name_en or place.name_zh,
        "as_of": snapshot.as_of.isoformat(),
        "snapshot": snapshot.name,
        "exact": _exact(value.value),
        "state": value.state.value,
        "rounding": str(figure.rounding),
        "kind": figure.kind,
        "label_zh": figure.label_zh,
        "area_id": place.area_id,
        "level": place.level,
        "provisional": snapshot.kind != "sealed",
    }


def _place_row(computed: Cells, figure_id: str, place: Place) -> dict[str, Any]:
    value = computed.value(figure_id, place.area_id)
    return {
        "place": place.code,
        "place_name": place.name_en or place.name_zh,
        "value": _number(value.value),
        "state": value.state.value,
        "exact": _exact(value.value),
        "area_id": place.area_id,
        "level": place.level,
    }


def _input(computed: Cells, figure_id: str, area_id: int) -> dict[str, Any]:
    value = computed.value(figure_id, area_id)
    figure = computed.figures[figure_id]
    return {
        "id": figure_id,
        "label": figure.label,
        "unit": figure.unit,
        "value": _number(value.value),
        "state": value.state.value,
    }


def _number(value: Fraction | None) -> int | float | str | None:
    return None if value is None else plain_number(value)


def _exact(value: Fraction | None) -> str | None:
    """The value without loss: 12, or 30500/1001."""
    return None if value is None else str(value)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON can carry it."""
    return {
        k: str(v) if isinstance(v, Decimal | UUID) else v.isoformat() if isinstance(v, date | datetime) else v
        for k, v in row.items()
    }
