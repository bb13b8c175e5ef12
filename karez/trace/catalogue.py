"""The catalogue of figures: what each counts, how, from where and since when, generated from the declarations. Shows no
values.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from karez.figures.declarations import KINDS, Figure, declarations
from karez.periods import services as periods
from karez.periods.models import Period, State
from karez.wording.column_words import column_words, meaning
from karez.wording.numbers import CHINESE, readers_language, unit_words
from karez.wording.plain_words import sentence_of
from karez.wording.terms import room_words, words

MOST_ASKED = 100  # characters of a search


@login_required
@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every declared figure, or those a search, a room and a kind leave."""
    asked = request.GET.get("q", "").strip()[:MOST_ASKED]
    room, kind = request.GET.get("room", ""), request.GET.get("kind", "")
    every = declarations().figures
    found = [f for f in every if (not room or _room(f) == room) and (not kind or f.kind == kind) and _says(f, asked)]
    language = readers_language()
    used = _used_in(every)
    sealed = {p.year for p in Period.objects.filter(state=State.CLOSED)}
    entries = [described(f, used.get(f.id, ()), _newest(f, sealed)) for f in found]
    context = {
        "rooms": [(r, room_words(r)) for r in dict.fromkeys(map(_room, every))],
        "kinds": [(k, words(language)[f"kind_{k}"]) for k in KINDS],
        "groups": [
            (r, room_words(r), [e for e in entries if e["room"] == r])
            for r in dict.fromkeys(e["room"] for e in entries)
        ],
        "asked": asked,
        "room": room,
        "kind": kind,
        "count": len(entries),
        "of": len(every),
        "region": periods.region(),
    }
    return render(request, "trace/catalogue.html", context)


def _room(figure: Figure) -> str:
    return figure.id.partition(".")[0]


def _says(figure: Figure, asked: str) -> bool:
    """Whether every word that is asked for stands somewhere in a declaration."""
    text = " ".join(
        (
            figure.id,
            figure.label,
            figure.label_zh,
            figure.source,
            figure.source_zh,
            figure.unit,
            figure.table,
            figure.value_text,
            figure.where_text,
            figure.note,
            figure.note_zh,
            figure.formula.text if figure.formula else "",
            *figure.prints,
        )
    ).casefold()
    return all(word in text for word in asked.casefold().split())


def _used_in(figures: Iterable[Figure]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for figure in figures:
        for used in figure.formula.uses if figure.formula else ():
            found[used] = (*found.get(used, ()), figure.id)
    return found


def _newest(figure: Figure, sealed: Iterable[int]) -> int | None:
    """The newest sealed year of this definition."""
    return max((year for year in sealed if figure.valid_in(year)), default=None)


def described(figure: Figure, used_in: tuple[str, ...] = (), year: int | None = None) -> dict[str, Any]:
    """A definition in the reader's words, for `trace/definition.html`."""
    language = readers_language()
    zh = language == CHINESE
    first, second = (figure.label_zh or figure.label, figure.label) if zh else (figure.label, figure.label_zh)
    w = words(language)
    return {
        "figure": figure,
        "room": _room(figure),
        "label": first,
        "other": second if second != first else "",
        "how": sentence_of(figure),
        "uses": figure.formula.uses if figure.formula else (),
        "used_in": used_in,
        "unit": unit_words(figure.unit, language),
        "kind": w[f"kind_{figure.kind}"],
        "source": (figure.source_zh if zh else "") or figure.source,
        "note": (figure.note_zh if zh else "") or figure.note,
        "disclosure": w[f"unit_{figure.disclosure}"],
        "year": year,
        "columns": [
            (c, column_words(figure.table, c), "" if zh else meaning(figure.table, c)) for c in sorted(figure.columns)
        ],
        "last_year": figure.valid_before - 1 if figure.valid_before else None,
        # Of a formula it is said in `how`: it has a value where all its inputs have.
        "empty": "" if figure.formula else figure.empty,
        # The same id may have been counted otherwise in other years.
        "anchor": figure.id if figure.valid_before is None else f"{figure.id}-{figure.valid_from}",
    }
