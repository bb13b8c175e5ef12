"""The Chinese catalogue: compiled as it stands, every placeholder kept, and pages speak it."""

import gettext
import re
from typing import Any

from babel.messages.pofile import read_po
from django.test import Client
from django.utils import translation

from karez.web.apps import Config

FOLDER = f"{__import__(Config.name, fromlist=['locale']).__path__[0]}/locale/zh_Hans/LC_MESSAGES"
_PLACES = re.compile(r"%\([a-z_]+\)[sd]|%%|%s")


def _catalogue() -> Any:
    with open(f"{FOLDER}/django.po", "rb") as file:  # noqa: PTH123
        return read_po(file, locale="zh_Hans")


def test_placeholders_are_kept() -> None:
    for message in _catalogue():
        given = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and any(given):
            wanted = message.id[-1] if isinstance(message.id, tuple) else message.id
            for text in given:
                assert sorted(_PLACES.findall(text)) == sorted(_PLACES.findall(wanted)), message.id


def test_compiled_as_it_stands() -> None:
    with open(f"{FOLDER}/django.mo", "rb") as file:  # noqa: PTH123
        compiled = gettext.GNUTranslations(file)
    for message in _catalogue():
        if message.id and isinstance(message.id, str) and message.string:
            assert compiled.gettext(message.id) == message.string, "run python karez/web/locale/refresh.py"


def test_pages_speak_chinese(world: Any) -> None:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    said = client.get("/places/").content.decode()
    assert "行政区划" in said
    assert 'lang="zh-hans"' in said
    assert "柳井县" in said
    with translation.override("zh-hans"):
        assert translation.gettext("Yearbook") == "年鉴"


def test_pages_of_who_is_signed_in_are_kept_nowhere(world: Any) -> None:
    client = Client()
    assert client.get("/proof/").headers.get("Cache-Control") != "private, no-store"
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    for address in ("/", "/places/", "/nowhere/"):
        assert client.get(address)["Cache-Control"] == "private, no-store", address
