"""What a figure in a sentence is, as the hint beside it: its label, unit and day, and how it is counted. Holds no figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from karez.figures.declarations import Figure
from karez.yearbook.chapter import Section


def titled(sections: Sequence[Section], counted: Mapping[str, str]) -> tuple[Section, ...]:
    """The sections, every figure's title telling in a line of its own how it is counted."""
    return tuple(
        replace(s, paragraphs=tuple(tuple(replace(p, title=f"{p.title}\n{counted.get(p.figure_id, '')}".strip()) for p in ps) for ps in s.paragraphs))
        for s in sections
    )  # fmt: skip


def counted_now(known: Iterable[Figure]) -> dict[str, str]:
    """How declared figures are counted, by id."""
    return {f.id: _counted(f.formula.text if f.formula else "", f.value_text, f.table, f.where_text) for f in known}


def counted_then(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """How the figures of an edition are counted, by id, as the edition says."""
    return {i: _counted(f.get("formula", ""), f.get("value", ""), f.get("table", ""), f.get("where", "")) for i, f in figures.items()}


def _counted(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
