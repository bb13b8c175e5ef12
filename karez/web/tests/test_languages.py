"""Any language: a test language shows no untranslated word, French is a catalogue and an entry, Arabic runs from the
right.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.db.models import CharField, TextField
from django.test import Client, override_settings

from karez.access.models import User
from karez.funds.tests.conftest import appropriate, make_line
from karez.intake import services as intake
from karez.intake.registry import sheets
from karez.kernel.messages import Message, read
from karez.web.locale import refresh
from karez.web.tests import languages, samples

_CODES = {"sheet", "rule", "kind", "state", "level", "what", "verb", "outcome", "measure", "column", "relation"}
_APART = ("/account/logout", "/static/", "/i18n/", "/proof/example", "/yearbook/")
_PAGES = 300  # of one reader: enough to see every kind of page
FRENCH = {"Places": "Lieux", "an amount above zero": "un montant supérieur à zéro", "{amount} yuan": "{amount} yuans"}


def _client(user: User | None, language: str) -> Client:
    client = Client(headers={"accept-language": language})
    if user is not None:
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _typed() -> frozenset[str]:
    """The words of what people typed or named: every text on record that is neither a code nor a message, and the words
    that files are headed and filled in with.
    """
    texts: list[str] = []
    for model in apps.get_models():
        fields = [
            f.name
            for f in model._meta.concrete_fields
            if isinstance(f, CharField | TextField) and not f.choices and f.name not in _CODES
        ]
        if model.__module__.startswith("karez.") and fields:
            for row in model._default_manager.values_list(*fields)[:5000]:
                texts += [_values(read(text)) for text in row if text]
    for sheet in sheets().values():
        texts += [sheet.label] if type(sheet.label) is str else []  # of a test's own sheet, in no catalogue
        for column in sheet.columns:
            texts += [
                column.name.replace("_", " "),
                *column.headers,
                *(word.replace("_", " ") for word in column.codes),
            ]
    return languages.words_of(texts)


def _values(text: str) -> str:
    return " ".join(map(str, text.values.values())) if isinstance(text, Message) else text


def _walk(client: Client, start: str) -> Iterator[tuple[str, str]]:
    """Every page reached by links from a start, of each kind of address two."""
    waiting, seen, kinds = [start], {start}, dict[str, int]()
    while waiting and sum(kinds.values()) < _PAGES:
        address = waiting.pop(0)
        kind = re.sub(r"[0-9]+", "0", address)
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] > 2:
            continue
        answer = client.get(address)
        if (
            answer.status_code not in (200, 403)
            or "text/html" not in answer.get("Content-Type", "")
            or answer.streaming
        ):
            continue
        page = answer.content.decode()
        yield address, page
        for link in languages.read_page(page)[1]:
            target = urljoin(address, link).split("#")[0]
            if target not in seen and not urlsplit(target).netloc and not target.startswith(_APART):
                seen.add(target)
                waiting.append(target)


def test_a_test_language_shows_no_untranslated_word(committed_world: Any, tmp_path: Path) -> None:
    """On every page that links lead to; the chapters and figures, whose words stand beside them in their declarations, are
    looked at by the yearbook's own tests.
    """
    world, found, pages = committed_world, dict[str, str](), 0
    samples.build(world)
    typed = _typed()
    with languages.language(tmp_path, "eo", "Test", languages.accented):
        for reader in (
            world.clerk,
            world.finance,
            world.approver,
            world.treasurer,
            world.administrator,
            world.regional,
            None,
        ):
            for address, page in _walk(_client(reader, "eo"), "/" if reader else "/account/login/"):
                pages += 1
                assert 'lang="eo"' in page, address
                for piece in languages.untranslated(languages.read_page(page)[0], typed):
                    found.setdefault(piece, f"{address} ({reader})")
    assert pages > 100
    assert not found, "\n".join(f"{address}: {piece}" for piece, address in sorted(found.items()))


def _allocation(world: Any, language: str, amount: str) -> tuple[int, str]:
    line = make_line(world)
    appropriate(world, line, 100_000)
    given = {
        "county": world.areas["990101"],
        "amount_fen": amount,
        "happened_on": "2009-03-05",
        "reference": "A-2",
        "document_no": "2009/2",
    }
    answer = _client(world.finance, language).post(f"/funds/lines/{line.pk}/prepare/allocation/", given)
    return answer.status_code, answer.content.decode()


def test_a_file_a_user_gets_is_told_in_the_test_language(world: Any, tmp_path: Path) -> None:
    rows = (
        "level,code,name_zh,name_en,parent_code,valid_from\nhamlet,99010199,新村,New,9901011,2009-31-12\nvillage,,,,,\n"
    )
    batch = intake.receive(
        world.administrator, sheet="places", file_name="places.csv", stream=io.BytesIO(rows.encode())
    )
    intake.stage(batch.pk)
    with languages.language(tmp_path, "eo", "Test", languages.accented):
        answer: Any = _client(world.administrator, "eo").get(f"/files/{batch.pk}/faults.csv")
        file = b"".join(answer.streaming_content).decode()
        blank = _client(world.administrator, "eo").get("/files/sheets/places.xlsx")
    rules = {"type", "required", "area", "pattern", "parent"}
    typed = _typed() | languages.words_of([rows]) | rules
    assert "á ďáý: 2009-03-31" in file
    assert not languages.untranslated((cell for line in file.splitlines() for cell in line.split(",")), typed)
    assert blank.status_code in (200, 404)


def test_a_refusal_of_the_database_in_the_test_language(world: Any, tmp_path: Path) -> None:
    with languages.language(tmp_path, "eo", "Test", languages.accented):
        status, page = _allocation(world, "eo", "5000")
        pieces, _links = languages.read_page(page)
    assert status == 409 and languages.accented("would be overdrawn") in page
    assert not languages.untranslated(pieces, _typed())


def test_french_is_a_catalogue_and_an_entry(world: Any, tmp_path: Path) -> None:
    path = tmp_path / "fr" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n', encoding="utf-8")
    refresh.refresh(path)  # collects every message
    with path.open("rb") as file:
        catalogue = read_po(file, locale="fr")
    with refresh.catalogues()[0].open("rb") as file:
        assert {m.id for m in catalogue} == {m.id for m in read_po(file, locale="zh_Hans")}
    for english, french in FRENCH.items():
        catalogue.get(english).string = french  # type: ignore[union-attr]
    refresh.save(catalogue, path)
    refresh.compile_catalogue(path)
    with override_settings(
        LANGUAGES=[*settings.LANGUAGES, ("fr", "Français")], LOCALE_PATHS=[tmp_path, *settings.LOCALE_PATHS]
    ):
        page = _client(world.clerk, "fr").get("/places/").content.decode()
        assert 'lang="fr"' in page
        assert "Lieux" in page
        status, page = _allocation(world, "fr", "0")
        assert status == 409 and "un montant supérieur à zéro" in page and "<dd>0,00 yuans</dd>" in page
        assert "the amount" not in page or "Amount" in page  # what nobody translated yet stays English


def test_arabic_runs_from_the_right(world: Any, tmp_path: Path) -> None:
    with languages.language(tmp_path, "ar", "العربية", languages.arabic):
        page = _client(world.clerk, "ar").get("/places/").content.decode()
        assert 'lang="ar"' in page and 'dir="rtl"' in page and languages.arabic("Places") in page
        assert 'dir="rtl"' not in _client(world.clerk, "en").get("/places/").content.decode()
