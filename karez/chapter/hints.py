"""What a figure in a sentence is, as the hint beside it: its label, unit and day, and what it counts. Holds no figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from karez.chapter.compose import Section
from karez.figures.declarations import Figure
from karez.wording.numbers import CHINESE
from karez.wording.plain_words import sentences_in


def titled(sections: Sequence[Section], counted: Mapping[str, str]) -> tuple[Section, ...]:
    """The sections, every figure's title telling in a line of its own what it counts."""
    return tuple(
        replace(
            s,
            paragraphs=tuple(
                tuple(replace(p, title=f"{p.title}\n{counted.get(p.figure_id, '')}".strip()) for p in ps)
                for ps in s.paragraphs
            ),
        )
        for s in sections
    )


def counted_now(known: Iterable[Figure], language: str) -> dict[str, str]:
    """What declared figures count, by id, in a language."""
    return counted_then({f.id: f.as_dict() for f in known}, language)


def counted_then(figures: Mapping[str, Mapping[str, Any]], language: str) -> dict[str, str]:
    """What the figures of an edition count, by id, in a language, as the edition says."""
    labels = labels_in(figures, language)
    return {i: sentences_in(language, told, labels) for i, told in figures.items()}


def labels_in(figures: Mapping[str, Mapping[str, Any]], language: str) -> dict[str, str]:
    """The labels of figures, in a language where they have one."""
    return {i: str((f["label_zh"] if language == CHINESE else "") or f["label"]) for i, f in figures.items()}
