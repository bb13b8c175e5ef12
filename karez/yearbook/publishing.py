"""Writing a sealed year's chapter as files: HTML that needs no server, and its figures as CSV. Holds no drafts.

Only a sealed year is published; what is written carries no row and no key, only the figures.
"""

import csv
import io
from pathlib import Path

from django.template.loader import render_to_string

from karez.closing.queries import sealed_snapshot
from karez.figures.queries import figures_for
from karez.periods.services import region as the_region
from karez.places.queries import name_of
from karez.yearbook.chapter import Chapter, compose

COLUMNS = ("id", "label", "value", "unit", "rounding", "place", "place_name", "as_of", "snapshot")


def chapter_of(region: str, year: int) -> Chapter:
    """The chapter of a sealed year, at the region's level."""
    sealed_snapshot(region, year)
    figures = figures_for(None, region, year, by="region", ids=None)
    return compose(figures, region=name_of(the_region().area_id), year=year)


def publish(region: str, year: int, out: Path) -> list[Path]:
    """Writes `chapter.html` and `figures.csv` into `out`; the same sealed year writes the same bytes."""
    chapter = chapter_of(region, year)
    out.mkdir(parents=True, exist_ok=True)
    html = render_to_string("yearbook/published.html", {"chapter": chapter, "synthetic": the_region().synthetic})
    written = {out / "chapter.html": html, out / "figures.csv": _csv(chapter)}
    for path, text in written.items():
        path.write_text(text, encoding="utf-8", newline="")
    return list(written)


def _csv(chapter: Chapter) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.get(column, "") for column in COLUMNS] for row in chapter.rows)
    return file.getvalue()
