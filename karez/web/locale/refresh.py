"""Collects what pages, rooms and the database say into the catalogue of each language, and compiles it. Needs Babel, no
other program.

    python karez/web/locale/refresh.py

Translations already there are kept; messages no longer used go. Run it after changing a text, then translate what is
empty. A language is a folder here with an empty `LC_MESSAGES/django.po`, and an entry in `LANGUAGES` of the settings.
"""

import ast
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
WORDS: dict[str, tuple[int, ...] | None] = {
    "_lazy": None, "say": None,
    "_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
}  # fmt: skip
_SQL = re.compile(r"karez_say\(\s*'((?:[^']|'')+)'")
Text = str | tuple[str, ...]


def messages() -> Iterator[tuple[str, Text]]:
    """Each message with the file it stands in; a pair where it has a plural."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not {"tests", "migrations", "locale"} & set(path.parts):
            source = path.read_text(encoding="utf-8")
            yield from _found(path, "python", source)
            yield from ((_name(path), message) for message in sql_in_python(source))
    for path in sorted(PACKAGE.rglob("*.sql")):
        yield from ((_name(path), message) for message in sql_messages(path.read_text(encoding="utf-8")))
    for path in sorted(PACKAGE.rglob("*.html")):
        yield from _found(path, "javascript", templatize(path.read_text(encoding="utf-8")))


def sql_messages(sql: str) -> Iterator[str]:
    """The literal first argument of each `karez_say` of a piece of SQL."""
    for message in _SQL.findall(sql):
        yield re.sub(r"\{\{(\w+)\}\}", r"{\1}", message.replace("''", "'"))  # doubled where a template is filled first


def sql_in_python(source: str) -> Iterator[str]:
    """The same of the strings of a Python file."""
    if "karez_say(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from sql_messages(node.value)


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


def _found(path: Path, kind: str, text: str) -> Iterator[tuple[str, Text]]:
    # What a template becomes is neither Python nor JavaScript; of the two, the reader of JavaScript minds less.
    for _line, message, _notes, _context in extract(kind, io.BytesIO(text.encode()), keywords=WORDS):
        if message:
            yield _name(path), message


def fresh(old: Catalog) -> Catalog:
    """A catalogue of the messages there are now, with the translations of `old`."""
    made = Catalog(locale=old.locale, project="Karez", charset="utf-8", header_comment=f"# Karez in {old.locale}.")
    for file, message in messages():
        known = old.get(message[0] if isinstance(message, tuple) else message)
        made.add(message, known.string if known and known.string else None, locations=[(file, 0)])
    return made


def catalogues() -> list[Path]:
    """The catalogue of every language."""
    return sorted(HERE.glob("*/LC_MESSAGES/django.po"))


def main() -> None:
    """Writes each catalogue and its compiled form."""
    settings.configure(USE_I18N=True)
    for path in catalogues():
        refresh(path)


def refresh(path: Path) -> None:
    """Writes one catalogue and its compiled form, and tells what is not translated."""
    with path.open("rb") as file:
        old = read_po(file, locale=path.parents[1].name)
    catalogue = fresh(old)
    save(catalogue, path)
    compile_catalogue(path)
    empty = [m.id for m in catalogue if m.id and not any(m.string if isinstance(m.string, tuple) else [m.string])]
    print(
        f"{path.parents[1].name}: {len(catalogue)} messages, {len(empty)} without a translation", *empty[:50], sep="\n"
    )


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


def compile_catalogue(path: Path) -> None:
    """Compiles the catalogue as it is."""
    with path.open("rb") as source, path.with_suffix(".mo").open("wb") as target:
        catalogue = read_po(source, locale=path.parents[1].name)
        # The same catalogue gives the same bytes, whenever it is compiled.
        catalogue.creation_date = catalogue.revision_date = datetime(2009, 12, 31, tzinfo=UTC)
        write_mo(target, catalogue)


if __name__ == "__main__":
    main()
