"""Languages made for tests as a translator makes one: a folder with a catalogue, and an entry in the settings."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import allauth
import django
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import override_settings
from django.utils.translation import to_locale

from karez.web.locale.refresh import catalogues

_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|%[sd]|\{\w+\}|<[^>]+>|&\w+;)")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ACCENTS = str.maketrans(_LETTERS, "áƀćďéḟǵĥíĵḱĺḿńóṕɋŕśťúṽẃẍýźÁƁĆĎÉḞǴĤÍĴḰĹḾŃÓṔɊŔŚŤÚṼẂẌÝŹ")
_ARABIC = str.maketrans(_LETTERS, "ابجدهوزحطيكلمنسعفصقرشتثخذضابجدهوزحطيكلمنسعفصقرشتثخذض")
# Read by people of every language: names of formats, of the program, and the name of a language in itself.
_OF_ALL = frozenset(
    re.findall(
        "[a-z]+", "karez csv xlsx xls xlsm pdf docx json zip utf mib mb sha iso cny url html svg gb english test"
    )
)
_SILENT = ("script", "style", "code", "pre", "kbd", "samp")


def accented(text: str) -> str:
    """English that shows it went through the catalogue."""
    return "".join(part if _KEPT.fullmatch(part) else part.translate(_ACCENTS) for part in _KEPT.split(text))


def arabic(text: str) -> str:
    """The same in letters that are written from right to left."""
    return "".join(part if _KEPT.fullmatch(part) else part.translate(_ARABIC) for part in _KEPT.split(text))


@contextmanager
def language(folder: Path, code: str, name: str, told: Callable[[str], str]) -> Iterator[None]:
    """The site with one language more, each message as `told` tells it; those of the libraries too."""
    write(folder, code, told)
    with override_settings(
        LANGUAGES=[*settings.LANGUAGES, (code, name)], LOCALE_PATHS=[folder, *settings.LOCALE_PATHS]
    ):
        yield


def write(folder: Path, code: str, told: Callable[[str], str]) -> None:
    """The compiled catalogue of a language."""
    libraries = (
        Path(django.__file__).parent / "conf",
        *_apps(Path(django.__file__).parent),
        Path(allauth.__file__).parent,
    )
    files = [path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po" for path in libraries]
    made = Catalog(locale=to_locale(code), charset="utf-8")
    for path in [*filter(Path.exists, files), catalogues()[0]]:
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_Hans"):
                if isinstance(message.id, str) and message.id:
                    made.add(message.id, told(message.id), context=message.context)
                elif message.id:
                    forms = [message.id[0], *[message.id[1]] * (made.num_plurals - 1)]
                    made.add(tuple(message.id), tuple(map(told, forms)), context=message.context)
    target = folder / to_locale(code) / "LC_MESSAGES" / "django.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        write_mo(file, made)


def _apps(django_folder: Path) -> Iterable[Path]:
    return (django_folder / "contrib" / name for name in ("auth", "contenttypes", "sessions", "humanize"))


class _Page(HTMLParser):
    """What a page says to its reader: its text and what its controls are called. Codes (`<code>`) are not words."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.links: list[str] = []
        self._silent: list[str] = []  # the open elements in which nothing is to be translated

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes a link, and what a control is called."""
        given = {name: value or "" for name, value in attrs}
        if self._silent or tag in _SILENT or given.get("translate") == "no":
            if tag not in ("br", "img", "input", "meta", "link", "hr"):
                self._silent.append(tag)
            return
        if tag == "a" and given.get("href", "").startswith(("/", "?")):
            self.links.append(given["href"])
        names = ["title", "placeholder", "aria-label", "alt"]
        if tag == "input" and given.get("type") in ("submit", "button"):
            names.append("value")
        self.told += [given[name] for name in names if given.get(name)]

    def handle_endtag(self, tag: str) -> None:
        """Closes what was not to be translated."""
        if self._silent and tag in self._silent:
            while self._silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Notes a piece of text."""
        if not self._silent:
            self.told.append(data)


def read_page(page: str) -> tuple[list[str], list[str]]:
    """The pieces of text of a page, and the addresses it leads to."""
    parser = _Page()
    parser.feed(page)
    return [" ".join(piece.split()) for piece in parser.told if piece.strip()], parser.links


def untranslated(pieces: Iterable[str], typed: frozenset[str]) -> set[str]:
    """Pieces with a word of plain letters that nobody typed; codes with digits or signs in them are no words."""
    found = set()
    for piece in pieces:
        plain = re.sub(r"\S*[0-9@/\\_#]\S*|\w+\.\w\S*", " ", piece)
        words = re.findall(r"[A-Za-z]+", re.sub(r"\w*[^\W\d_A-Za-z]\w*", " ", plain))
        if any(len(word) > 1 and word.lower() not in typed and word.lower() not in _OF_ALL for word in words):
            found.add(piece)
    return found


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """The words of texts, in small letters."""
    return frozenset(word.lower() for text in texts for word in re.findall(r"[A-Za-z]+", text))
