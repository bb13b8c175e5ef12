"""A counted figure told apart by columns of its table: the same `where` and `value`, grouped. Declares nothing and
knows no actor.

Only sums and counts that speak of no person and no household are told apart, so what is answered adds up to the figure.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import duckdb

from karez.closing.snapshots import Snapshot
from karez.figures.declarations import LEVELS
from karez.figures.engine import _cell, _present, declared, exact, opened, resolve
from karez.figures.publication import unit_of
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal


class Part(NamedTuple):
    """A part of a figure at a place: the values of the columns asked for, and the amount in the figure's unit."""

    area_id: int
    columns: tuple[str, ...]
    value: Fraction


@lru_cache(maxsize=64)
def breakdown(snapshot: Snapshot, figure_id: str, columns: tuple[str, ...], level: str) -> tuple[Part, ...] | None:
    """The parts of a figure at every place of a level, in the order of the columns; None where the snapshot lacks one
    of them.

    Refuses a figure that is worked out from others, does not add up, or speaks of persons or households.
    """
    figure = resolve([figure_id], snapshot.year)[0]
    adds_up = figure.value is not None and not figure.own and figure.value.function in ("sum", "count")
    if (
        not adds_up
        or level not in LEVELS
        or unit_of(figure, declared().of_year(snapshot.year)) in ("person", "household")
    ):
        raise Refusal(
            "figures.not_told_apart",
            record=figure_id,
            found=figure.value_text or say("a formula"),
            expected=say("a sum or a count of no persons or households"),
            rule=say("the parts of a figure add up to it and speak of nobody"),
            todo=say("choose another figure"),
        )
    if not _present(figure, snapshot) or not set(columns) <= {
        c["name"] for c in snapshot.tables[figure.table]["columns"]
    }:
        return None
    names = ", ".join(f'"{name}"' for name in columns)
    sql = (
        f'SELECT "{level}_id" AS place, {_cell(figure, snapshot)} AS v, {names} FROM "{figure.table}" WHERE '
        f'"{level}_id" IS NOT NULL'
        f" GROUP BY place, {names} HAVING v <> 0 ORDER BY {names}, place"
    )
    try:
        with opened(snapshot, {figure.table}) as duck:
            rows: Sequence[tuple[object, ...]] = duck.execute(sql).fetchall()
    except duckdb.Error as error:
        raise Refusal(
            "figures.not_told_apart",
            record=figure_id,
            found=str(error).splitlines()[0][:300],
            expected=say("a figure that can be computed of every row"),
            rule=say("the parts of a figure add up to it and speak of nobody"),
            todo=say("mend the figure's declaration, or choose another figure"),
        ) from error
    return tuple(Part(int(str(r[0])), tuple(str(c or "") for c in r[2:]), exact(r[1], figure.scale)) for r in rows)  # type: ignore[arg-type]
