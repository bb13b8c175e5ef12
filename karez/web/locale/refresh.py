"""Collects the messages of all pages and rooms into the Chinese catalogue, and compiles it. Needs Babel, no other
program.

    python karez/web/locale/refresh.py

Translations already there are kept; messages no longer used go. Run it after changing a text, then translate what is
empty.
"""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
CATALOGUE = HERE / "zh_Hans" / "LC_MESSAGES" / "django.po"
WORDS: dict[str, tuple[int, ...] | None] = {
    "_lazy": None,
    "_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
}  # fmt: skip


def messages() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Each message with the file it stands in; a pair where it has a plural."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not {"tests", "migrations", "locale"} & set(path.parts):
            yield from _found(path, "python", path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.html")):
        yield from _found(path, "javascript", templatize(path.read_text(encoding="utf-8")))


def _found(path: Path, kind: str, text: str) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    # What a template becomes is neither Python nor JavaScript; of the two, the reader of JavaScript minds less.
    for _line, message, _notes, _context in extract(kind, io.BytesIO(text.encode()), keywords=WORDS):
        if message:
            yield path.relative_to(PACKAGE.parent).as_posix(), message


def fresh(old: Catalog) -> Catalog:
    """A catalogue of the messages there are now, with the translations of `old`."""
    made = Catalog(locale="zh_Hans", project="Karez", charset="utf-8", header_comment="# Karez in simplified Chinese.")
    for file, message in messages():
        key = message[0] if isinstance(message, tuple) else message
        known = old.get(key)
        made.add(message, known.string if known and known.string else None, locations=[(file, 0)])
    return made


def main() -> None:
    """Writes the catalogue and its compiled form."""
    settings.configure(USE_I18N=True)
    old = read_po(CATALOGUE.open("rb"), locale="zh_Hans") if CATALOGUE.exists() else Catalog(locale="zh_Hans")
    catalogue = fresh(old)
    save(catalogue, CATALOGUE)
    compile_catalogue(CATALOGUE)
    empty = [m.id for m in catalogue if m.id and not any(m.string if isinstance(m.string, tuple) else [m.string])]
    print(f"{len(catalogue)} messages, {len(empty)} without a translation")


def save(catalogue: Catalog, path: Path) -> None:
    """Writes a catalogue so that the same texts give the same bytes."""
    catalogue.fuzzy = False
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, sort_output=True, include_lineno=False, omit_header=False)
    text = path.read_text(encoding="utf-8")
    text = re.sub(
        r'"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Language-Team|Report-Msgid-Bugs-To).*\n',
        "",
        text,
    )
    path.write_text(text, encoding="utf-8")


def compile_catalogue(path: Path = CATALOGUE) -> None:
    """Compiles the catalogue as it is."""
    with path.open("rb") as source, path.with_suffix(".mo").open("wb") as target:
        catalogue = read_po(source, locale="zh_Hans")
        # The same catalogue gives the same bytes, whenever it is compiled.
        catalogue.creation_date = catalogue.revision_date = datetime(2009, 12, 31, tzinfo=UTC)
        write_mo(target, catalogue)


if __name__ == "__main__":
    main()
