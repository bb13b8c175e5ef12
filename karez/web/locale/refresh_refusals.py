"""Collects what Karez tells when it refuses or finds a fault into the Chinese catalogue `refusals`, and what it writes
into books (names of accounts, narrations) into `books`. Needs Babel, no other program.

    python karez/web/locale/refresh_refusals.py

Translations already there are kept; texts no longer told go. Run it after changing such a text, then translate what is
empty.
"""

from collections.abc import Mapping
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po

from karez.web.locale.raised import texts
from karez.web.locale.raised_books import book_texts
from karez.web.locale.refresh import compile_catalogue, save

CATALOGUE = Path(__file__).resolve().parent / "zh_Hans" / "LC_MESSAGES" / "refusals.po"
BOOKS = CATALOGUE.with_name("books.po")


def fresh(old: Catalog, found: Mapping[str, set[str]], holds: str) -> Catalog:
    """A catalogue of the texts there are now, with the translations of `old`."""
    made = Catalog(
        locale="zh_Hans", project="Karez", charset="utf-8", header_comment=f"# {holds}, in simplified Chinese."
    )
    for text, files in found.items():
        known = old.get(text)
        made.add(
            text, known.string if known and known.string else None, locations=[(file, 0) for file in sorted(files)]
        )
    return made


def main() -> None:
    """Writes the catalogues and their compiled forms."""
    _refresh(CATALOGUE, texts(), "What Karez refuses and finds wrong")
    _refresh(BOOKS, book_texts(), "What Karez writes into books")


def _refresh(path: Path, found: Mapping[str, set[str]], holds: str) -> None:
    old = Catalog(locale="zh_Hans")
    if path.exists():
        with path.open("rb") as file:
            old = read_po(file, locale="zh_Hans")
    catalogue = fresh(old, found, holds)
    save(catalogue, path)
    compile_catalogue(path)
    empty = [message.id for message in catalogue if message.id and not message.string]
    print(f"{path.name}: {len(catalogue)} texts, {len(empty)} without a translation", *empty[:50], sep="\n")


if __name__ == "__main__":
    main()
