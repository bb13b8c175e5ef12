"""Collects what Karez tells when it refuses or finds a fault into the Chinese catalogue `refusals`. Needs Babel, no other program.

    python karez/web/locale/refresh_refusals.py

Translations already there are kept; texts no longer told go. Run it after changing such a text, then translate what is empty.
"""

from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po

from karez.web.locale.raised import texts
from karez.web.locale.refresh import compile_catalogue, save

CATALOGUE = Path(__file__).resolve().parent / "zh_Hans" / "LC_MESSAGES" / "refusals.po"


def fresh(old: Catalog) -> Catalog:
    """A catalogue of the texts there are now, with the translations of `old`."""
    made = Catalog(locale="zh_Hans", project="Karez", charset="utf-8", header_comment="# What Karez refuses and finds wrong, in simplified Chinese.")
    for text, files in texts().items():
        known = old.get(text)
        made.add(text, known.string if known and known.string else None, locations=[(file, 0) for file in sorted(files)])
    return made


def main() -> None:
    """Writes the catalogue and its compiled form."""
    old = Catalog(locale="zh_Hans")
    if CATALOGUE.exists():
        with CATALOGUE.open("rb") as file:
            old = read_po(file, locale="zh_Hans")
    catalogue = fresh(old)
    save(catalogue, CATALOGUE)
    compile_catalogue(CATALOGUE)
    empty = [message.id for message in catalogue if message.id and not message.string]
    print(f"{len(catalogue)} texts, {len(empty)} without a translation", *empty[:50], sep="\n")


if __name__ == "__main__":
    main()
