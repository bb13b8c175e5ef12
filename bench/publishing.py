"""All five formats of an edition, against their libraries rendering the same content and nothing else.

Bare means: Django renders the same templates with contexts made before; typst compiles the same source with the same
data; python-docx, XlsxWriter and csv/json write the same texts, numbers, tables and pictures (drawn by typst) without
styles, fields or fixed dates.
"""

import csv
import io
import json
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock


def run(rounds: int = 5) -> list[dict[str, object]]:
    """One line: publishing an edition in all formats, at most three times the bare renderings; then one line a format."""
    from bench.installed import set_up

    publication = _publication(set_up)
    from karez.publication import publishing
    from karez.publication.formats import docx, images

    bare = _bare(publication)
    ours: dict[str, list[float]] = {name: [] for name in bare}
    theirs: dict[str, list[float]] = {name: [] for name in bare}
    whole, parts = [], []
    for n in range(rounds + 1):
        fresh = type(publication)(type(publication.content)(publication.content.text), 1, publication.signatures)
        start = time.perf_counter()
        for name, make in publishing.FORMATS.items():
            # typst remembers what it has set; another instant, or another remark in a picture, makes it set the same
            # again.
            with mock.patch.object(docx, "png", lambda svg, n=n: images.png(f"{svg}<!-- {2 * n} -->")):
                taken = _seconds(partial(make, _at(fresh, 2 * n)))
            ours[name].append(taken)
        whole.append(time.perf_counter() - start)
        start = time.perf_counter()
        for name, render in bare.items():
            theirs[name].append(_seconds(partial(render, 2 * n + 1)))
        parts.append(time.perf_counter() - start)
    ratio = statistics.median(o / b for o, b in zip(whole[1:], parts[1:], strict=True))
    size = f"{len(publication.content.figures)} figures, {len(publication.content.cells):,} cells, 2 languages"
    rows: list[dict[str, object]] = [
        {
            "what": "an edition in five formats",
            "size": size,
            "karez": f"{statistics.median(whole[1:]):.2f} s",
            "libraries alone": f"{statistics.median(parts[1:]):.2f} s",
            "ratio": f"{ratio:.2f}",
            "asked": "at most 3",
            "met": ratio <= 3,
        }
    ]
    for name in bare:
        mine, other = statistics.median(ours[name][1:]), statistics.median(theirs[name][1:])
        rows.append(
            {
                "what": f"  of this {name}",
                "size": "",
                "karez": f"{mine:.3f} s",
                "libraries alone": f"{other:.3f} s",
                "ratio": f"{mine / other:.2f}",
            }
        )
    return rows


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _publication(set_up: Callable[[], None]) -> Any:
    """The edition of the sealed reference year; made by the demo's own steps where it is not there."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    import django

    django.setup()
    from karez.closing import snapshots
    from karez.host import install

    install.bring_up()
    if not snapshots.existing(kind="sealed"):
        from karez.cli import demo

        demo.run()
    from karez.publication.formats.publication import Publication, Signature
    from karez.publication.publishing import publication_of

    content = publication_of("64", 2009).content
    people = [Signature(step, "A Name", "2010-03-01") for step in ("prepared", "reviewed", "signed")]
    return Publication(content, 1, people)


def _at(publication: Any, seconds: int) -> Any:
    from datetime import timedelta

    moved = type(publication)(publication.content, publication.number, publication.signatures)
    moved.__dict__["moment"] = publication.moment + timedelta(seconds=seconds)
    return moved


def _bare(publication: Any) -> dict[str, Callable[[int], object]]:
    from karez.publication.formats import open_data, pdf, site
    from karez.wording.numbers import LANGUAGES

    pages: list[tuple[Any, dict[str, Any]]] = []
    from django.template.loader import get_template

    with mock.patch.object(
        site,
        "_page",
        lambda name, context: (pages.append((get_template(f"publication/site/{name}.html"), dict(context))), b"")[1],
    ):
        site.site(publication)
    contents = [pdf.content_for(publication, language) for language in LANGUAGES]
    files = open_data.open_data(publication)
    tables = [list(csv.reader(io.StringIO(data.decode()))) for name, data in files.items() if name.endswith(".csv")]
    descriptor = json.loads(files["data/datapackage.json"])

    def papers(n: int) -> None:
        for content in contents:
            moved = {**content, "date": [*content["date"][:5], (content["date"][5] + n) % 60]}
            pdf.compiled(json.dumps(moved, ensure_ascii=False), n)

    return {
        "site": lambda _n: [template.render(context) for template, context in pages],
        "pdf": papers,
        "docx": lambda n: [_docx(content, n) for content in contents],
        "xlsx": lambda _n: _xlsx(publication, contents),
        "data": lambda _n: _data(tables, descriptor),
    }


def _docx(content: dict[str, Any], n: int) -> bytes:
    from docx import Document

    from karez.publication.formats import images

    document = Document()
    for picture in [*content["pictures"], *(p for s in content["sections"] for p in s["pictures"])]:
        # typst remembers what it has drawn; another remark makes it draw the same again.
        document.add_picture(io.BytesIO(images.png(f"{picture['svg']}<!-- {n} -->")))
    document.add_heading(content["title"], 0)
    for name, value in content["colophon"]:
        document.add_paragraph(f"{name}: {value}")
    for section in content["sections"]:
        document.add_heading(section["title"], 1)
        for paragraph in section["paragraphs"]:
            made = document.add_paragraph()
            for text, note, _gap in paragraph:
                made.add_run(text)
                if note:
                    made.add_run(str(note))
    tables = [
        (["", *(f"{a} {b}" for a, b in t["heads"])], [[name, *numbers] for name, numbers in t["rows"]])
        for t in content["tables"]
    ]
    tables.append((["", "", ""], [row[:3] for row in content["rows"]]))
    for head, rows in tables:
        table = document.add_table(rows=len(rows) + 1, cols=len(head))
        for line, values in zip(table.rows, [head, *rows], strict=True):
            for cell, value in zip(line.cells, values, strict=True):
                cell.text = value
    for note in content["notes"]:
        document.add_paragraph(f"{note['label']} {note['id']} " + note["told"])
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _xlsx(publication: Any, contents: list[dict[str, Any]]) -> bytes:
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    content = publication.content
    for n, ((figure, code), (exact, state)) in enumerate(content.cells.items()):
        place = content.places[code]
        sheet.write_row(n, 0, (figure, code, place["level"], place["name_en"], place["name_zh"]))
        sheet.write_number(n, 5, _double(exact)) if exact else None
        sheet.write_row(n, 6, (content.figures[figure]["unit"], state))
    sheet = book.add_worksheet()
    for n, row in enumerate(contents[0]["rows"]):
        sheet.write_row(n, 0, row)
    for table in contents[0]["tables"]:
        sheet = book.add_worksheet()
        for n, (name, numbers) in enumerate(table["rows"]):
            sheet.write_row(n, 0, (name, *numbers))
    sheet = book.add_worksheet()
    for n, note in enumerate(contents[0]["notes"]):
        sheet.write_row(n, 0, (note["id"], note["label"], note["told"], contents[1]["notes"][n]["told"]))
    book.close()
    return file.getvalue()


def _double(exact: str) -> float:
    over, _, under = exact.partition("/")
    return int(over) / int(under or 1)


def _data(tables: list[list[list[str]]], descriptor: dict[str, Any]) -> list[str]:
    made = [json.dumps(descriptor, ensure_ascii=False, indent=1)]
    for rows in tables:
        file = io.StringIO()
        csv.writer(file).writerows(rows)
        made.append(file.getvalue())
    return made
